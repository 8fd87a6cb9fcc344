"""A model's graph as plain data: the operations that do something at run time, and the values that pass between them.

What only constants lead to is worked out once and is no operation here. What only gives the same elements another shape
(a reshape, a transpose that moves axes of one element, a slice of everything) moves nothing: its output is its input.
Nor does what takes elements that lie in one piece: its output is a part of its input. And what quantises a value tells
in which type a device writes it: its output is its input, too.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from edge_deploy.macs import WEIGHT_TYPES
from edge_toolkit.errors import InputError

Shape = tuple[int, ...]

OUTPUT, PART = -1, -2
"""Stand among the users of a value that leaves the model, and of one that is also read in parts."""

_VIEWS = ("FakeConvert", "FakeQuantize", "Identity", "Reshape", "Squeeze", "Unsqueeze")
_RESIZES = ("Broadcast", "Concat", "Pad", "Slice", "Split", "StridedSlice", "Tile", "VariadicSplit")
"""Operations that leave the elements as they are where their number stays the same."""
_CUTS = ("Gather", "Slice", "Split", "VariadicSplit")


class Value(NamedTuple):
    """An output of an operation, by the operation's index; -1 and a port of its own for an input of the model.

    `part` tells pieces of one output from each other; 0 for all of it.
    """

    op: int
    port: int
    part: int = 0


class Operand(NamedTuple):
    """What an operation reads: a value, or None for a constant, its shape there, and OpenVINO's element type."""

    value: Value | None
    shape: Shape
    type: str


@dataclass(frozen=True)
class Op:
    """An operation; `node` is the `openvino.Node`, for its attributes."""

    index: int
    name: str
    kind: str
    node: Any
    operands: tuple[Operand, ...]
    outputs: tuple[Shape, ...]

    @property
    def computed(self) -> tuple[Value, ...]:
        """The distinct values that it reads."""
        return tuple(dict.fromkeys(each.value for each in self.operands if each.value is not None))

    @property
    def constants(self) -> tuple[Shape, ...]:
        """The shapes of the weights that it reads: constants other than axes, sizes and indices."""
        return tuple(each.shape for each in self.operands if each.value is None and each.type in WEIGHT_TYPES)

    @property
    def attributes(self) -> dict[str, Any]:
        """What OpenVINO says of it."""
        return dict(self.node.get_attributes())


@dataclass(frozen=True)
class Graph:
    """Operations in the order of execution; `users` lists the operations that read each value, `OUTPUT` among them."""

    ops: tuple[Op, ...]
    users: Mapping[Value, tuple[int, ...]]


def graph_of(model: Any, constant_inputs: Collection[int] = ()) -> Graph:
    """The graph of a model.

    Args:
        model: an `openvino.Model` with static shapes.
        constant_inputs: indices of inputs that are constants, as those of a loop's body may be.

    Raises:
        InputError: an operation's output has a shape that only running it tells.
    """
    sources: dict[tuple[str, int], Value | None] = {}
    ops: list[Op] = []
    users: dict[Value, list[int]] = {}
    parts = 0
    for port, parameter in enumerate(model.get_parameters()):
        sources[parameter.get_name(), 0] = None if port in constant_inputs else Value(-1, port)
    for node in model.get_ordered_ops():
        kind, name = node.get_type_name(), node.get_name()
        if kind == "Parameter":
            continue
        read = [sources[each.get_node().get_name(), each.get_index()] for each in node.input_values()]
        if kind == "Result":
            if read[0] is not None:
                users.setdefault(read[0], []).append(OUTPUT)
        elif kind in ("Constant", "ShapeOf") or (read and all(each is None for each in read)):
            sources |= {(name, port): None for port in range(node.get_output_size())}
        elif read and read[0] is not None and _moves_nothing(node, kind):
            sources[name, 0] = read[0]
        elif read and read[0] is not None and _takes_one_piece(node, kind):
            users.setdefault(read[0], []).append(PART)
            for port in range(node.get_output_size()):
                parts += 1
                sources[name, port] = read[0]._replace(part=parts)
        else:
            op = _op(node, len(ops), read)
            ops.append(op)
            sources |= {(name, port): Value(op.index, port) for port in range(len(op.outputs))}
            for value in op.computed:
                users.setdefault(value, []).append(op.index)
    return Graph(tuple(ops), {value: tuple(dict.fromkeys(indices)) for value, indices in users.items()})


def _op(node: Any, index: int, read: list[Value | None]) -> Op:
    name = str(node.get_friendly_name())
    for port in (*node.inputs(), *node.outputs()):
        if port.get_partial_shape().is_dynamic:
            raise InputError(
                f"{name}: has a value of the shape {port.get_partial_shape()}, and only static shapes can be counted; "
                "export the model with fixed sizes"
            )
    ports = [(tuple(each.get_shape()), each.get_element_type().to_string()) for each in node.inputs()]
    return Op(
        index=index,
        name=name,
        kind=node.get_type_name(),
        node=node,
        operands=tuple(Operand(value, *port) for value, port in zip(read, ports, strict=True)),
        outputs=tuple(tuple(each.get_shape()) for each in node.outputs()),
    )


def _moves_nothing(node: Any, kind: str) -> bool:
    if kind in _VIEWS:
        return True
    if kind == "Transpose":
        axes = axes_of(node)
        shape = node.input(0).get_partial_shape()
        if axes is None or shape.is_dynamic:
            return False
        moved = [axis for axis in axes if shape.to_shape()[axis] != 1]
        return moved == sorted(moved)
    if kind not in _RESIZES or node.get_output_size() != 1 or not _keeps_order(node, kind):
        return False
    before, after = node.input(0).get_partial_shape(), node.output(0).get_partial_shape()
    return bool(before.is_static and after.is_static and prod(before.to_shape()) == prod(after.to_shape()))


def _keeps_order(node: Any, kind: str) -> bool:
    """Whether a slice goes forwards, and a pad cuts nothing."""
    ports = {"Slice": (3,), "StridedSlice": (3,), "Pad": (1, 2)}.get(kind, ())
    numbers = [_numbers(node, port) for port in ports if port < node.get_input_size()]
    return all(each is not None and min(each, default=0) >= 0 for each in numbers)


def _takes_one_piece(node: Any, kind: str) -> bool:
    """Whether each output is a run of the input's elements: cut along the first axis of more than one."""
    if kind not in _CUTS or any(port.get_partial_shape().is_dynamic for port in node.inputs()):
        return False
    shape = tuple(node.input(0).get_shape())
    first = next((axis for axis, size in enumerate(shape) if size > 1), 0)
    if kind == "Slice":
        steps, axes = _numbers(node, 3), _numbers(node, 4) if node.get_input_size() > 4 else range(len(shape))
        return steps is not None and set(steps) == {1} and axes is not None and _only(first, axes, shape)
    axis = _numbers(node, 2 if kind == "Gather" else 1)
    one = kind != "Gather" or prod(node.input(1).get_shape()) == 1
    return one and axis is not None and _only(first, axis, shape)


def _only(first: int, axes: Iterable[int], shape: Shape) -> bool:
    """Whether no other axis of more than one element is among those."""
    return all(axis % len(shape) == first or shape[axis] == 1 for axis in axes)


def _numbers(node: Any, port: int) -> tuple[int, ...] | None:
    """The whole numbers that an operation reads; None where they are computed."""
    constant = node.input_value(port).get_node()
    if constant.get_type_name() != "Constant":
        return None
    return tuple(int(each) for each in constant.get_data().ravel())


def axes_of(transpose: Any) -> tuple[int, ...] | None:
    """The order in which a transpose puts the axes; None where that is computed."""
    axes = _numbers(transpose, 1)
    every = reversed(range(len(transpose.input(0).get_partial_shape())))
    return None if axes is None else axes or tuple(every)  # empty: all of them, the last one first
