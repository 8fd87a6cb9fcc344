"""ONNX to OpenVINO's IR, in float32, with every operation named after the layer that it comes from."""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import openvino as ov
from openvino._offline_transformations import apply_make_stateful_transformation
from openvino.passes import ConstantFolding, Manager

from edge_toolkit.errors import AnswerIsNo

OPAQUE = ("TensorIterator", "Loop", "LSTMCell")
"""What an LSTM becomes where the conversion does not see it as one: slower, and no fair baseline."""


ENDS = ("Assign", "Result")
"""Where values leave a graph: as an output, or as state for the next request."""


@dataclass(frozen=True)
class IR:
    """The two files of an IR."""

    xml: bytes
    bin: bytes


def ir_of(onnx: bytes, recurrent: int = 0, states: Mapping[str, str] = MappingProxyType({})) -> IR:
    """The IR of an ONNX model whose nodes are called `<layer>/<OpType>`.

    What is constant is computed here once, and the same model gives the same bytes.

    Args:
        onnx: the model's file.
        recurrent: its LSTM layers, each of which must become an `LSTMSequence`.
        states: inputs that become state, zero at first, each with the output that is its next value.

    Raises:
        AnswerIsNo: an LSTM layer became something else.
    """
    model = ov.Core().read_model(model=onnx)
    _check_recurrent(model, recurrent)
    if states:
        apply_make_stateful_transformation(model, dict(states))
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(model)
    name_after_layers(model)
    return written(model)


def model_of(ir: IR) -> Any:
    """The `openvino.Model` in an IR."""
    return ov.Core().read_model(model=ir.xml, weights=ov.Tensor(np.frombuffer(ir.bin, dtype=np.uint8)))


def written(model: Any, halved: bool = False) -> IR:
    """The files of an `openvino.Model`, its constants as they are, or in half as many bits."""
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder) / "model.xml"
        ov.save_model(model, xml, compress_to_fp16=halved)
        return IR(xml.read_bytes(), xml.with_suffix(".bin").read_bytes())


def _check_recurrent(model: Any, recurrent: int) -> None:
    kinds = Counter(op.get_type_name() for op in model.get_ops())
    sequences, opaque = kinds["LSTMSequence"], [kind for kind in OPAQUE if kinds[kind]]
    if sequences != recurrent or opaque:
        instead = f" and {', '.join(opaque)}" if opaque else ""
        raise AnswerIsNo(
            f"{recurrent} LSTM layers became {sequences} LSTMSequence{instead} in OpenVINO's IR; each must become one, "
            "or its latency is not an LSTM's; use the versions of torch and openvino in constraints.txt"
        )


def name_after_layers(model: Any) -> None:
    """Name what OpenVINO numbered by itself after the layer of what uses it; the rest is called `<layer>/<OpType>`.

    Its numbers go on through the life of a process, so that two conversions would differ. And an LSTM's kernel would
    be `LSTMSequence_442`, which leads back to nothing.
    """
    taken = {op.get_friendly_name() for op in model.get_ops() if not is_numbered(op)}
    for op in reversed(model.get_ordered_ops()):
        if is_numbered(op):
            name = f"{_layer(op)}/{op.get_type_name()}"
            free = chain([name], (f"{name}_{number}" for number in count(2)))
            op.set_friendly_name(next(each for each in free if each not in taken))
            taken.add(op.get_friendly_name())


def is_numbered(op: Any) -> bool:
    """Named by OpenVINO (`Multiply_248`; a folded constant keeps the name of what it replaces) or after the output."""
    if op.get_type_name() in ("Parameter", "Result"):
        return False
    name = op.get_friendly_name()
    return re.fullmatch(r"[A-Z]\w*_\d+", name) is not None or any(user.get_type_name() in ENDS for user in _users(op))


def _layer(op: Any) -> str:
    """The layer of the first user, which has its name by now; the graph's last operation goes with what feeds it.

    What keeps a state is its own layer, called as the state is.
    """
    if op.get_type_name() == "Assign":
        return str(op.get_attributes()["variable_id"])
    for user in _users(op):
        if user.get_type_name() not in ENDS:
            return str(user.get_friendly_name()).partition("/")[0]
    while "/" not in op.get_friendly_name():
        op = op.input_value(0).get_node()
    return str(op.get_friendly_name()).partition("/")[0]


def _users(op: Any) -> Iterator[Any]:
    for output in op.outputs():
        for target in output.get_target_inputs():
            yield target.get_node()
