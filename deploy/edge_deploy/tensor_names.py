"""Operations of a TensorFlow Lite model, named after the tensors that they make: the file has no other names.

OpenVINO numbers them (`Convolution_3341`, `166`), and its numbers go on through the life of a process.
"""

from collections.abc import Iterable
from itertools import chain, count
from typing import Any

_PORTS = ("Parameter", "Result")


def name_after_tensors(model: Any) -> None:
    """Name each operation `<layer>/<Type>`, in place.

    The layer is that of its own tensor, or of its weights', or of what reads it: OpenVINO's reader drops the tensors
    that it moves. What all layers' names begin with says nothing and is left out. Parameters and results keep theirs.
    """
    layers = _told(model)
    for op in reversed(model.get_ordered_ops()):
        if op.get_type_name() not in _PORTS and not layers[op.get_name()]:
            near = (layers.get(each.get_name(), "") for each in _users(op))
            layers[op.get_name()] = next((each for each in near if each), "")
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


def _told(model: Any) -> dict[str, str]:
    """The layer of each operation by its tensor or its weights; empty where neither tells."""
    layers: dict[str, str] = {}
    constant: dict[str, str] = {}  # what only constants lead to, and its layer
    for op in model.get_ordered_ops():
        ahead = [each.get_source_output().get_node().get_name() for each in op.inputs()]
        if op.get_type_name() in _PORTS:
            continue
        weights = (constant[name] for name in ahead if constant.get(name))
        layers[op.get_name()] = _layer(op) or next(weights, "")
        if constant.keys() >= set(ahead):
            constant[op.get_name()] = layers[op.get_name()]
    return layers


def _layer(op: Any) -> str:
    """The layer of an operation's tensor: `a/conv1` for `a/conv1/BiasAdd;a/conv1/Conv2D`, which a converter fused."""
    names = sorted(name for output in op.outputs() for name in output.names)
    parts = [part for part in names[0].partition(";")[0].split("/") if part] if names else []
    return "/".join(parts[:-1] or parts)


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
