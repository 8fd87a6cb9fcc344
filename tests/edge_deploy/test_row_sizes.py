"""The sizes of what multiplies, each by hand, and their product against `macs_of`, which counts in another way."""

from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.graph import graph_of
from edge_deploy.macs import macs_of
from edge_deploy.row_sizes import Sizes, sizes_of


def x(*shape: int) -> Any:
    return ops.parameter(list(shape), np.float32)


def w(*shape: int) -> Any:
    return ops.constant(np.ones(shape, np.float32))


def along(axes: int, stride: int = 1) -> dict[str, list[int]]:
    """A kernel of 3 with padding."""
    one = [1] * axes
    return {"strides": [stride] * axes, "pads_begin": one, "pads_end": one, "dilations": one}


STEPS = ops.constant(np.array([7], np.int32))

CASES = {
    "convolution": (
        ops.convolution(x(1, 4, 8, 10), w(6, 4, 3, 3), **along(2, 2)),
        Sizes("conv", 4 * 5, 4 * 9, 6, 1, 4, 5, 3, 3, 2, 6 * 4 * 9),
    ),
    "along-one-axis": (
        ops.convolution(x(1, 4, 10), w(6, 4, 3), **along(1)),
        Sizes("conv", 10, 4 * 3, 6, 1, 1, 10, 1, 3, 1, 6 * 4 * 3),
    ),
    "along-three-axes": (  # depth goes with the height
        ops.convolution(x(1, 4, 5, 8, 10), w(6, 4, 3, 3, 3), **along(3)),
        Sizes("conv", 400, 4 * 27, 6, 1, 40, 10, 9, 3, 1, 6 * 4 * 27),
    ),
    "of-two-images": (
        ops.convolution(x(2, 4, 8, 10), w(6, 4, 3, 3), **along(2)),
        Sizes("conv", 160, 36, 6, 1, 16, 10, 3, 3, 1, 216),
    ),
    "by-a-computed-kernel": (
        ops.convolution(x(1, 4, 8, 10), x(6, 4, 3, 3), **along(2)),
        Sizes("conv", 80, 36, 6, 1, 8, 10, 3, 3, 1, 0),
    ),
    "depthwise": (
        ops.group_convolution(x(1, 4, 8, 10), w(4, 1, 1, 3, 3), **along(2)),
        Sizes("depthwise", 80, 9, 4, 4, 8, 10, 3, 3, 1, 36),
    ),
    "depthwise-to-twice-as-many": (
        ops.group_convolution(x(1, 4, 8, 10), w(4, 2, 1, 3, 3), **along(2)),
        Sizes("conv", 80, 9, 8, 4, 8, 10, 3, 3, 1, 72),
    ),
    "grouped": (
        ops.group_convolution(x(1, 4, 8, 10), w(2, 3, 2, 3, 3), **along(2)),
        Sizes("conv", 80, 18, 6, 2, 8, 10, 3, 3, 1, 108),
    ),
    "deformable": (  # 2 offsets for each of 9 taps come in beside
        ops.deformable_convolution(x(1, 4, 8, 10), x(1, 18, 8, 10), w(6, 2, 3, 3), **along(2), group=2),
        Sizes("conv", 80, 18, 6, 2, 8, 10, 3, 3, 1, 108),
    ),
    "transposed": (  # 17 x 21 come out
        ops.convolution_backprop_data(x(1, 4, 8, 10), w(4, 6, 3, 3), strides=[2, 2]),
        Sizes("transposed", 80, 36, 6, 1, 17, 21, 3, 3, 2, 216),
    ),
    "transposed-in-groups": (
        ops.group_convolution_backprop_data(x(1, 4, 8, 10), w(2, 2, 3, 3, 3), strides=[2, 2]),
        Sizes("transposed", 80, 18, 6, 2, 17, 21, 3, 3, 2, 108),
    ),
    "matmul": (
        ops.matmul(x(2, 3, 5, 7), x(2, 3, 7, 4), False, False),
        Sizes("matmul", 5, 7, 6 * 4, 6, 1, 5),
    ),
    "matmul-a-turned": (
        ops.matmul(x(2, 7, 5), x(2, 7, 4), True, False),
        Sizes("matmul", 5, 7, 8, 2, 1, 5),
    ),
    "matmul-that-repeats-its-left": (
        ops.matmul(x(1, 5, 7), x(3, 7, 4), False, False),
        Sizes("matmul", 5, 7, 12, 3, 1, 5),
    ),
    "linear": (
        ops.matmul(x(2, 5, 7), w(4, 7), False, True),
        Sizes("linear", 10, 7, 4, 1, 1, 10, weights=28),
    ),
    "linear-of-a-vector": (ops.matmul(x(7), w(7, 4), False, False), Sizes("linear", 1, 7, 4, 1, 1, 1, weights=28)),
    "linear-with-a-vector": (ops.matmul(x(4, 7), w(7), False, False), Sizes("linear", 4, 7, 1, 1, 1, 4, weights=7)),
    "linear-from-the-left": (  # 4 x 7 weights meet 5 columns of each of 2
        ops.matmul(w(4, 7), x(2, 7, 5), False, False),
        Sizes("linear", 10, 7, 4, 1, 1, 10, weights=28),
    ),
    "linear-of-its-own-for-each-of-three": (
        ops.matmul(x(3, 5, 7), w(3, 7, 4), False, False),
        Sizes("linear", 5, 7, 12, 3, 1, 5, weights=84),
    ),
    "lstm": (
        ops.lstm_sequence(x(1, 7, 5), w(1, 1, 3), w(1, 1, 3), STEPS, w(1, 12, 5), w(1, 12, 3), w(1, 12), 3, "forward"),
        Sizes("lstm", 7, 8, 12, 1, 1, 7, weights=12 * 8 + 12),
    ),
    "gru-both-ways": (
        ops.gru_sequence(
            x(1, 7, 5), w(1, 2, 3), STEPS, w(2, 9, 5), w(2, 9, 3), w(2, 9), 3, "bidirectional"
        ),
        Sizes("gru", 7, 8, 18, 1, 1, 7, weights=18 * 8 + 18),
    ),
    "lstm-cell": (
        ops.lstm_cell(x(1, 5), w(1, 3), w(1, 3), w(12, 5), w(12, 3), w(12), 3),
        Sizes("lstm", 1, 8, 12, 1, 1, 1, weights=12 * 8 + 12),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("node", "sizes"), CASES.values(), ids=CASES)
def test_sizes_by_hand(node: Any, sizes: Sizes) -> None:
    inputs = [each.get_node() for each in node.input_values() if each.get_node().get_type_name() == "Parameter"]
    (op,) = graph_of(ov.Model([node.output(0)], inputs)).ops
    found = sizes_of(op)
    assert found == sizes
    assert sizes.m * sizes.k * sizes.n == macs_of(node)


def test_what_multiplies_nothing_has_none() -> None:
    data = x(1, 8)
    (op,) = graph_of(ov.Model([ops.softmax(data, 1)], [data])).ops
    assert sizes_of(op) is None
