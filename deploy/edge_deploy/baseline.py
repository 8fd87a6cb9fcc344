"""The baseline that a profile is held against: the LSTM of equal size, or any other bundle or model."""

from collections.abc import Iterable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

from edge_deploy.macs import model_parameters
from edge_deploy.model_file import read_model
from edge_deploy.settings import INT8
from edge_deploy.target import Target, target_of
from edge_toolkit.architecture import Head, Shape, Stem, stem_output
from edge_toolkit.errors import AnswerIsNo, InputError, MissingError
from edge_toolkit.extras import require
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.matching import lstm_of_size
from edge_toolkit.profile import Row

LSTM = "lstm"
"""The name of the matched LSTM on the command line."""

STEM = Stem(16)
"""The stem of the LSTM beside a bare model whose first convolution can't be one."""

LONGEST = 1024
"""Most steps of the LSTM beside a bare model: its stem's stride grows until then."""


def baseline_of(target: Target, baseline: str, folder: Path, precision: str = "f32") -> Target:
    """The baseline of a target.

    Args:
        target: what is profiled.
        baseline: `lstm`, or the path of a bundle or model.
        folder: where an LSTM that has to be made is put.
        precision: that it shall compute in.

    Raises:
        InputError: the path is no model, or no LSTM can stand beside this one.
        MissingError: the bundle's LSTM is missing, or the extra that makes one.
    """
    if baseline != LSTM:
        return target_of(Path(baseline), precision)
    if target.spec is None:
        spec = lstm_beside(target.file)
        require("search", "torch", "onnx", "onnxscript", *(["nncf"] if precision == INT8 else []))
        from edge_deploy.convert import random_ir, random_stream

        name = Path(f"{LSTM} for {target.path.name}")
        return Target(name, random_ir(spec, folder, int8=precision == INT8), spec, stream=random_stream(spec, folder))
    if target.baseline is None:
        raise MissingError(
            f"{target.path}: was exported without its LSTM baseline; run `edge-toolkit export` without --no-baseline"
        )
    if not target.baseline.exists():
        raise MissingError(
            f"{target.baseline}: the LSTM baseline is missing; run `edge-toolkit export` again, which makes it"
        )
    return target_of(target.baseline, precision)


def lstm_beside(path: Path) -> LSTMBaseline:
    """The LSTM with as many stored weights as a bare model: one image or sequence in, class scores out.

    Raises:
        InputError: the model has other inputs or outputs, or no LSTM has its size.
    """
    model = read_model(path)
    remedy = "give the path of a baseline, --baseline PATH"
    ports = list(model.inputs)
    if len(ports) != 1 or ports[0].partial_shape.is_dynamic:
        raise InputError(f"{path}: has {len(ports)} inputs, and an LSTM takes one of a static shape; {remedy}")
    sizes, kind = tuple(ports[0].shape), ports[0].element_type.to_string()
    if len(sizes) not in (3, 4) or sizes[0] != 1 or kind not in ("f32", "f16", "bf16"):
        raise InputError(
            f"{path}: its input is {kind} {list(sizes)}, and an LSTM takes floats (1, channels, height, width) or "
            f"(1, channels, steps); {remedy}"
        )
    classes = _classes(model)
    if classes < 2:
        raise InputError(f"{path}: its output is no row of at least 2 class scores; {remedy}")
    shape = _channels_first(sizes)
    try:
        return lstm_of_size(shape, _stem(model, shape), Head(classes), model_parameters(model), "weights")
    except InputError as error:
        raise InputError(f"{path}: {error}; {remedy}") from error


def check_recurrent(rows: Iterable[Row], path: Path) -> None:
    """See that an LSTM was executed as one, by OpenVINO's sequence kernel.

    Args:
        rows: what was executed.
        path: the model, for the message.

    Raises:
        AnswerIsNo: it was not, so that its latency is no LSTM's.
    """
    kinds = {row.kind for row in rows}
    if "RNNSeq" in kinds and "TensorIterator" not in kinds:
        return
    instead = "a TensorIterator" if "TensorIterator" in kinds else "no recurrent node"
    raise AnswerIsNo(
        f"{path}: the baseline's LSTM was executed as {instead}, not as OpenVINO's LSTMSequence, so it is no fair "
        "baseline; export it again, with the versions in constraints.txt"
    )


def _classes(model: Any) -> int:
    """The last dimension of the only output; 0 where there are several, or it is not one row."""
    shapes = [output.partial_shape for output in model.outputs]
    if len(shapes) != 1 or shapes[0].is_dynamic or len(shapes[0]) == 0:
        return 0
    sizes = tuple(model.outputs[0].shape)
    return int(sizes[-1]) if prod(sizes) == sizes[-1] else 0


def _channels_first(sizes: tuple[int, ...]) -> Shape:
    """(channels, height, width) of an input (1, c, t), (1, c, h, w) or, with 1, 3 or 4 channels, (1, h, w, c)."""
    if len(sizes) == 3:
        return sizes[1], 1, sizes[2]
    if sizes[3] in (1, 3, 4) and sizes[1] not in (1, 3, 4):
        return sizes[3], sizes[1], sizes[2]
    return sizes[1], sizes[2], sizes[3]


def _stem(model: Any, shape: Shape) -> Stem:
    """The model's own first convolution, as a stem, so that the LSTM has as many positions to go through."""
    stem = next((_as_stem(op) for op in model.get_ordered_ops() if op.get_type_name() == "Convolution"), STEM)
    while prod(stem_output(stem, shape)[1:]) > LONGEST:
        stem = replace(stem, stride=stem.stride + 1)
    return stem


def _as_stem(convolution: Any) -> Stem:
    """Its width and stride; its kernel if that is odd, as a stem's is."""
    width, _, *kernel = convolution.input_value(1).shape
    odd = max(kernel) if max(kernel) % 2 else STEM.kernel
    return Stem(int(width), int(odd), int(max(convolution.get_attributes()["strides"])))
