"""Operations of a TensorFlow Lite model, named after the tensors that they make: the file has no other names.

OpenVINO numbers them (`Convolution_3341`, `166`), and its numbers go on through the life of a process. It moves images
from NHWC to NCHW, and drops the names of all tensors that it moves: the weights' too, which their values lead back to.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from edge_deploy.macs import WEIGHT_TYPES

_PORTS = ("Parameter", "Result")


def name_after_tensors(model: Any, path: Path) -> None:
    """Name each operation `<layer>/<Type>`, in place.

    The layer is that of its own tensor, or of its weights', or of what feeds it, or of what reads it. What all layers'
    names begin with says nothing and is left out. Parameters and results keep theirs.

    Args:
        model: that OpenVINO made of the file.
        path: of the file.
    """
    layers = _told(model, _weights_in(path))
    _spread(layers, model.get_ordered_ops(), _sources)
    _spread(layers, reversed(model.get_ordered_ops()), _users)
    shared = _shared(each for each in layers.values() if each)
    taken: set[str] = set()
    for op in model.get_ordered_ops():
        layer = layers.get(op.get_name())
        if layer:
            parts = layer.split("/")
            name = "/".join([*parts[min(shared, len(parts) - 1) :], op.get_type_name()])
            free = chain([name], (f"{name}_{number}" for number in count(2)))
            op.set_friendly_name(next(each for each in free if each not in taken))
            taken.add(op.get_friendly_name())


def _weights_in(path: Path) -> Mapping[int, str]:
    """The layer of each of the file's weights, by its values; those of two layers lead nowhere."""
    from openvino.frontend import FrontEndManager

    reader = FrontEndManager().load_by_framework("tflite")
    layers: dict[int, str] = {}
    for op in reader.decode(reader.load(str(path))).get_ops():
        if (values := _values(op)) is not None:
            layers[values] = _layer(op) if layers.get(values, _layer(op)) == _layer(op) else ""
    return layers


def _values(op: Any) -> int | None:
    """What weights have in common with the same weights in another order; None for anything else."""
    if op.get_type_name() != "Constant" or op.get_element_type().to_string() not in WEIGHT_TYPES or op.data.size < 2:
        return None
    return hash(np.sort(op.data, axis=None).tobytes())


def _told(model: Any, weights: Mapping[int, str]) -> dict[str, str]:
    """The layer of each operation by its tensor or its weights; empty where neither tells."""
    layers: dict[str, str] = {}
    constant: set[str] = set()  # what only constants lead to
    for op in model.get_ordered_ops():
        if op.get_type_name() in _PORTS:
            continue
        ahead = [each.get_name() for each in _sources(op)]
        moved = (_layer(user) for user in _users(op) if user.get_type_name() == "Transpose")
        known = (layers[name] for name in ahead if name in constant)
        told = (_layer(op), *moved, weights.get(_values(op) or 0, ""), *known)
        layers[op.get_name()] = next((each for each in told if each), "")
        if constant.issuperset(ahead):
            constant.add(op.get_name())
    return layers


def _spread(layers: dict[str, str], ops: Iterable[Any], neighbours: Callable[[Any], Iterable[Any]]) -> None:
    """Give operations that have no layer a neighbour's."""
    for op in ops:
        if layers.get(op.get_name()) == "":
            near = (layers.get(each.get_name(), "") for each in neighbours(op))
            layers[op.get_name()] = next((each for each in near if each), "")


def _layer(op: Any) -> str:
    """The layer of an operation's tensor: `a/conv1` for `a/conv1/BiasAdd;a/conv1/Conv2D`, which a converter fused."""
    names = sorted(name for output in op.outputs() for name in output.names)
    # TensorFlow reads a layer's variables by an operation inside it.
    name = names[0].partition(";")[0].removesuffix("/ReadVariableOp") if names else ""
    parts = [part for part in name.split("/") if part]
    return "/".join(parts[:-1] or parts)


def _sources(op: Any) -> Iterable[Any]:
    return [each.get_source_output().get_node() for each in op.inputs()]


def _users(op: Any) -> Iterable[Any]:
    return [target.get_node() for output in op.outputs() for target in output.get_target_inputs()]


def _shared(layers: Iterable[str]) -> int:
    """How many leading parts the names of several parts have in common; the last part of none is among them."""
    split = [each.split("/") for each in layers if "/" in each]
    if not split:
        return 0
    shared = 0
    while all(len(parts) > shared + 1 and parts[shared] == split[0][shared] for parts in split):
        shared += 1
    return shared
