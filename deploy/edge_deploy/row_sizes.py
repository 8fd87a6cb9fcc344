"""The sizes of a layer that multiplies, from its operation: what `edge_toolkit.layers` calls m, k, n and so on."""

from collections.abc import Callable
from math import prod
from typing import NamedTuple

from edge_deploy.graph import Op, Operand, Shape
from edge_toolkit.layers import Kind


class Sizes(NamedTuple):
    """Sizes of a row; `weights` are those of the operation itself."""

    kind: Kind
    m: int
    k: int
    n: int
    groups: int = 1
    out_h: int = 1
    out_w: int = 0
    kernel_h: int = 1
    kernel_w: int = 1
    stride: int = 1
    weights: int = 0


def sizes_of(op: Op) -> Sizes | None:
    """The sizes of an operation that multiplies; None for any other."""
    made = _SIZES.get(op.kind)
    if made is None:
        return None
    sizes = made(op)
    return sizes if sizes.out_w else sizes._replace(out_w=sizes.m)


def _convolution(op: Op) -> Sizes:
    out, into, *kernel = op.operands[1].shape
    return _windows(op, out, into, 1, kernel, op.operands[1])


def _group_convolution(op: Op) -> Sizes:
    groups, out, into, *kernel = op.operands[1].shape
    return _windows(op, groups * out, into, groups, kernel, op.operands[1])


def _deformable_convolution(op: Op) -> Sizes:
    out, into, *kernel = op.operands[2].shape
    return _windows(op, out, into, op.attributes.get("group", 1), kernel, op.operands[2])


def _windows(op: Op, out: int, into: int, groups: int, kernel: list[int], weights: Operand) -> Sizes:
    kernel_h, kernel_w = _grid(kernel)
    batch, _, *places = op.outputs[0]
    out_h, out_w = _grid(places)
    return Sizes(
        kind="depthwise" if groups == out > 1 and into == 1 else "conv",
        m=batch * out_h * out_w,
        k=into * kernel_h * kernel_w,
        n=out,
        groups=groups,
        out_h=batch * out_h,
        out_w=out_w,
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride=max(op.attributes["strides"]),
        weights=prod(weights.shape) if weights.value is None else 0,
    )


def _transposed(op: Op) -> Sizes:
    into, out, *kernel = op.operands[1].shape
    return _spread(op, into, out, 1, kernel)


def _transposed_groups(op: Op) -> Sizes:
    groups, into, out, *kernel = op.operands[1].shape
    return _spread(op, into, groups * out, groups, kernel)


def _spread(op: Op, into: int, out: int, groups: int, kernel: list[int]) -> Sizes:
    """Each position that comes in meets the whole kernel, wherever its products go."""
    kernel_h, kernel_w = _grid(kernel)
    batch, _, *places = op.operands[0].shape
    out_h, out_w = _grid(list(op.outputs[0][2:]))
    return Sizes(
        kind="transposed",
        m=batch * prod(places),
        k=into * kernel_h * kernel_w,
        n=out,
        groups=groups,
        out_h=batch * out_h,
        out_w=out_w,
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride=max(op.attributes["strides"]),
        weights=prod(op.operands[1].shape) if op.operands[1].value is None else 0,
    )


def _grid(sizes: list[int]) -> tuple[int, int]:
    """Height and width of one, two or three axes; depth goes with the height."""
    return prod(sizes[:-1]), sizes[-1] if sizes else 1


def _matmul(op: Op) -> Sizes:
    """Rows of a constant's product are the positions of all axes; a product of two values has groups of them."""
    attributes = op.attributes
    left, right = op.operands
    rows, inner = _matrix(left.shape, bool(attributes["transpose_a"]))
    columns, _ = _matrix(right.shape, not attributes["transpose_b"])
    groups = prod(op.outputs[0]) // (rows * columns)
    if left.value is None:  # W x: the columns are what comes in
        batch = prod(left.shape) // (rows * inner)
        return Sizes("linear", columns * (groups // batch), inner, batch * rows, batch, weights=prod(left.shape))
    if right.value is None:
        batch = prod(right.shape) // (inner * columns)
        return Sizes("linear", rows * (groups // batch), inner, batch * columns, batch, weights=prod(right.shape))
    return Sizes("matmul", rows, inner, groups * columns, groups)


def _matrix(shape: Shape, turned: bool) -> tuple[int, int]:
    """Rows and columns of the last two axes; a vector is one row."""
    rows, columns = (1, *shape)[-2:]
    return (columns, rows) if turned and len(shape) > 1 else (rows, columns)


def _sequence(kind: Kind, weights: int) -> Callable[[Op], Sizes]:
    """x: (batch, steps, features); W (directions, gates * hidden, features), R, B from the operand `weights` on."""
    return lambda op: _recurrent(op, kind, prod(op.operands[0].shape[:2]), weights)


def _cell(kind: Kind, weights: int) -> Callable[[Op], Sizes]:
    """x: (batch, features); W (gates * hidden, features), R, B from the operand `weights` on."""
    return lambda op: _recurrent(op, kind, op.operands[0].shape[0], weights)


def _recurrent(op: Op, kind: Kind, steps: int, weights: int) -> Sizes:
    stored = op.operands[weights : weights + 3]
    *_, features = stored[0].shape
    *gates, hidden = stored[1].shape
    return Sizes(
        kind,
        steps,
        features + hidden,
        prod(gates),
        weights=sum(prod(each.shape) for each in stored if each.value is None),
    )


_SIZES: dict[str, Callable[[Op], Sizes]] = {
    "Convolution": _convolution,
    "GroupConvolution": _group_convolution,
    "DeformableConvolution": _deformable_convolution,
    "ConvolutionBackpropData": _transposed,
    "GroupConvolutionBackpropData": _transposed_groups,
    "MatMul": _matmul,
    "LSTMSequence": _sequence("lstm", 4),  # x, hidden, cell, lengths, W, R, B
    "GRUSequence": _sequence("gru", 3),
    "RNNSequence": _sequence("gru", 3),
    "LSTMCell": _cell("lstm", 3),
    "GRUCell": _cell("gru", 2),
    "RNNCell": _cell("gru", 2),
}
