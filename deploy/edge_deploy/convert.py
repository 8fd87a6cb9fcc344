"""Torch to ONNX to OpenVINO's IR: one road for what ships and for what is only measured."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edge_deploy.ir import IR, ir_of
from edge_deploy.onnx_export import NEXT, network, onnx_of, onnx_of_stream, stream_states, streaming_network
from edge_toolkit.files import replacing
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.model_folder import Weights
from edge_toolkit.nn import build
from edge_toolkit.specs import ModelSpec

SAMPLES = 4
"""Random inputs on which a network with random weights is quantised: how many changes none of its kernels."""


def converted(spec: ModelSpec, weights: Weights) -> dict[str, bytes]:
    """The files of a network: `model.onnx`, `model.bin` and `model.xml`.

    Raises:
        InputError: the weights are those of another network.
        AnswerIsNo: OpenVINO does not see an LSTM as one.
    """
    onnx = onnx_of(spec, network(spec, weights))
    ir = ir_of(onnx, recurrent=len(spec.hidden) if isinstance(spec, LSTMBaseline) else 0)
    return {"model.onnx": onnx, "model.bin": ir.bin, "model.xml": ir.xml}


def streamed(spec: ModelSpec, weights: Weights) -> dict[str, bytes]:
    """The files of an LSTM that sees one step a request, `stream.bin` and `stream.xml`; none of what is no stream.

    An image has no next step, and a hybrid looks at a whole window.

    Raises:
        InputError: the weights are those of another network.
        AnswerIsNo: OpenVINO does not see an LSTM as one.
    """
    if not isinstance(spec, LSTMBaseline) or spec.input[1] != 1:
        return {}
    states = {name: f"{NEXT}{name}" for name in stream_states(spec)}
    ir = ir_of(onnx_of_stream(spec, streaming_network(spec, weights)), len(spec.hidden), states)
    return {"stream.bin": ir.bin, "stream.xml": ir.xml}


def random_weights(spec: ModelSpec, seed: int = 0) -> Weights:
    """Random weights that cost what trained ones do.

    torch begins each normalisation with a shift of 0, which the exporter would leave out, and a convolution without
    a bias is another kernel. So the shifts are drawn too.
    """
    generator = np.random.default_rng(seed)
    weights = {name: tensor.numpy().copy() for name, tensor in build(spec, seed).state_dict().items()}
    for name, array in weights.items():
        if name.endswith("norm.bias"):
            array[:] = generator.normal(0, 0.1, array.shape)
    return weights


def random_ir(spec: ModelSpec, folder: Path, int8: bool = False) -> Path:
    """Write a network with random weights as an IR, for what weights don't change.

    Args:
        spec: the network.
        folder: for `model.xml` and `model.bin`.
        int8: whether it is quantised, on random inputs.

    Returns:
        The path of `model.xml` in `folder`.

    Raises:
        AnswerIsNo: OpenVINO does not see an LSTM as one.
    """
    contents = converted(spec, random_weights(spec))
    ir = IR(contents["model.xml"], contents["model.bin"])
    if int8:
        from edge_deploy.precision.quantise import quantised

        generator = np.random.default_rng(0)
        shape = (1, *spec.input)
        ir = quantised(ir, [[generator.standard_normal(shape, dtype=np.float32)] for _ in range(SAMPLES)])
    _write(folder, {"model.bin": ir.bin, "model.xml": ir.xml})
    return folder / "model.xml"


def random_stream(spec: ModelSpec, folder: Path) -> Path | None:
    """Write `streamed` of a network with the same random weights; None where there is no such."""
    contents = streamed(spec, random_weights(spec))
    _write(folder, contents)
    return folder / "stream.xml" if contents else None


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files in order, the .xml behind its .bin: where it is, weights are."""
    for name, content in contents.items():
        with replacing(folder / name) as beside:
            beside.write_bytes(content)
