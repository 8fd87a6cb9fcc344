"""What runs as one layer, on small graphs whose rows are written down by hand.

A row is `kind weights inputs>outputs`; the data are (1, 4, 8, 8) unless said otherwise, 256 elements.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.graph import graph_of
from edge_deploy.model_rows import rows_of
from edge_toolkit.errors import InputError

Build = Callable[[Any], Any]
KERNEL = {"strides": [1, 1], "pads_begin": [0, 0], "pads_end": [0, 0], "dilations": [1, 1]}


def w(*shape: int) -> Any:
    return ops.constant(np.full(shape, 0.5, np.float32))


def i(*values: int) -> Any:
    return ops.constant(np.array(values, np.int64))


def one(value: float) -> Any:
    return ops.constant(np.float32(value))


def conv(data: Any) -> Any:
    """4 x 4 weights."""
    return ops.convolution(data, w(4, 4, 1, 1), **KERNEL)


def rows(build: Build, *shape: int) -> list[str]:
    data = ops.parameter(list(shape or (1, 4, 8, 8)), np.float32)
    made = build(data)
    outputs = list(made) if isinstance(made, tuple) else [made]
    found, uncounted = rows_of(graph_of(ov.Model(outputs, [data])))
    assert not uncounted
    return [f"{row.layer.kind} {row.layer.weights} {row.layer.inputs}>{row.layer.outputs}" for row in found]


def written_out_norm(x: Any) -> Any:
    """Layer normalisation as frameworks without one write it."""
    apart = ops.subtract(x, ops.reduce_mean(x, i(-1), keep_dims=True))
    spread = ops.reduce_mean(ops.power(apart, one(2)), i(-1), keep_dims=True)
    scaled = ops.divide(apart, ops.sqrt(ops.add(spread, one(1e-6))))
    return ops.add(ops.multiply(scaled, w(8)), w(8))


def turned_round(x: Any) -> Any:
    return ops.strided_slice(x, i(0, 0, 0, -1), i(1, 4, 8, -9), i(1, 1, 1, -1), [1, 1, 1, 0], [1, 1, 1, 0])


def shifted(x: Any) -> Any:
    """A row of padding on one side, a row cut off at the other."""
    return ops.pad(x, i(0, 0, 0, 1), i(0, 0, 0, -1), "constant", arg_pad_value=one(0))


def root_mean_square_norm(x: Any) -> Any:
    spread = ops.reduce_mean(ops.multiply(x, x), i(-1), keep_dims=True)
    return ops.multiply(ops.multiply(x, ops.power(ops.add(spread, one(1e-6)), one(-0.5))), w(8))


def written_out_softmax(x: Any) -> Any:
    raised = ops.exp(ops.subtract(x, ops.reduce_max(x, i(-1), keep_dims=True)))
    return ops.divide(raised, ops.reduce_sum(raised, i(-1), keep_dims=True))


def gelu_by_tanh(x: Any) -> Any:
    inner = ops.multiply(one(0.8), ops.add(x, ops.multiply(one(0.04), ops.power(x, one(3)))))
    return ops.multiply(ops.multiply(one(0.5), x), ops.add(one(1), ops.tanh(inner)))


def hard_swish(x: Any) -> Any:
    return ops.multiply(x, ops.divide(ops.clamp(ops.add(x, one(3)), 0, 6), one(6)))


def silu(x: Any) -> Any:
    return ops.multiply(x, ops.sigmoid(x))


def batch_norm(x: Any) -> Any:
    return ops.batch_norm_inference(x, w(4), w(4), w(4), w(4), 1e-5)


def scaled_and_shifted(x: Any) -> Any:
    return ops.add(ops.multiply(ops.add(x, w(1, 4, 1, 1)), w(1, 4, 1, 1)), w(1, 4, 1, 1))


def fake_quantised(x: Any) -> Any:
    return ops.fake_quantize(x, one(-1), one(1), one(-1), one(1), 256)


def squeeze_and_excite(x: Any) -> Any:
    pooled = ops.reduce_mean(x, i(2, 3), keep_dims=True)
    return ops.multiply(x, ops.sigmoid(conv(ops.relu(conv(pooled)))))


def gated(x: Any) -> Any:
    """The halves lie one behind the other, so that nothing moves."""
    halves = ops.split(conv(x), ops.constant(np.int64(1)), 2)
    return ops.multiply(halves.output(0), ops.sigmoid(halves.output(1)))


def attention(x: Any) -> Any:
    """x: (1, 4, 8, 8) is (batch, heads, tokens, channels); its own keys and values."""
    query = ops.multiply(x, one(0.5))
    scores = ops.matmul(query, ops.transpose(ops.relu(x), i(0, 1, 3, 2)), False, False)
    return ops.matmul(ops.softmax(scores, -1), ops.tanh(x), False, False)


def in_windows(x: Any) -> Any:
    """(1, 4, 8, 8) -> (4, 4, 4, 4): two transposes behind each other, and a reshape in between."""
    cut = ops.transpose(ops.reshape(x, i(4, 2, 4, 8), False), i(1, 0, 2, 3))
    return ops.transpose(ops.reshape(cut, i(2, 16, 2, 4), False), i(0, 2, 1, 3))


def unit_axes(x: Any) -> Any:
    """(1, 4, 1, 8): only the axes of one element change places."""
    return ops.relu(ops.unsqueeze(ops.transpose(x, i(1, 0, 3, 2)), i(0)))


CONV = "conv 20 256>256"  # 16 weights and a bias
CASES: dict[str, tuple[Build, list[str]]] = {
    "bias-and-activation": (lambda x: ops.relu(ops.add(conv(x), w(1, 4, 1, 1))), [CONV]),
    "batch-norm": (lambda x: ops.relu(batch_norm(conv(x))), [CONV]),
    "bias-scale-and-shift": (lambda x: scaled_and_shifted(conv(x)), [CONV]),
    "a-shift-for-each-position": (lambda x: ops.add(conv(x), w(1, 4, 8, 8)), ["conv 272 256>256"]),
    "batch-norm-behind-the-activation": (lambda x: batch_norm(ops.relu(conv(x))), ["conv 24 256>256"]),
    "batch-norm-ahead": (
        lambda x: conv(ops.relu(batch_norm(x))),
        ["normalisation 8 256>256", "conv 16 256>256"],
    ),
    "prelu": (lambda x: ops.prelu(conv(x), w(4)), [CONV]),
    "silu": (lambda x: silu(conv(x)), ["conv 16 256>256"]),
    "hard-swish": (lambda x: hard_swish(conv(x)), ["conv 16 256>256"]),
    "gelu-by-tanh": (lambda x: gelu_by_tanh(conv(x)), ["conv 16 256>256"]),
    "quantised": (
        lambda x: fake_quantised(
            ops.relu(ops.convolution(fake_quantised(x), fake_quantised(w(4, 4, 1, 1)), **KERNEL))
        ),
        ["conv 16 256>256"],
    ),
    "residual": (lambda x: ops.relu(ops.add(x, conv(x))), ["conv 16 256>256", "elementwise 0 512>256"]),
    "two-readers": (
        lambda x: ops.add(made := conv(x), conv(ops.relu(made))),
        ["conv 16 256>256", "elementwise 0 256>256", "conv 16 256>256", "elementwise 0 512>256"],
    ),
    "an-output-of-the-model": (
        lambda x: (made := conv(x), ops.relu(made)),
        ["conv 16 256>256", "elementwise 0 256>256"],
    ),
    "squeeze-and-excite": (
        squeeze_and_excite,
        ["pool 0 256>4", "conv 16 4>4", "conv 16 4>4", "elementwise 0 260>256"],
    ),
    "gated-by-its-other-half": (
        gated,
        ["conv 16 256>256", "elementwise 0 128>128", "elementwise 0 256>128"],
    ),
    "layer-norm": (written_out_norm, ["normalisation 16 256>256"]),
    "layer-norm-behind-a-convolution": (
        lambda x: written_out_norm(conv(x)),
        ["conv 16 256>256", "normalisation 16 256>256"],
    ),
    "root-mean-square-norm": (root_mean_square_norm, ["normalisation 8 256>256"]),
    "softmax": (written_out_softmax, ["softmax 0 256>256"]),
    "exponentials-of-a-normalisation": (lambda x: ops.exp(written_out_norm(x)), ["normalisation 16 256>256"]),
    "turned-round": (turned_round, ["layout 0 256>256"]),
    "shifted": (shifted, ["layout 0 256>256"]),
    "attention": (
        attention,
        # The scale and the turn are the product's; relu and tanh are read in two places each with x.
        ["elementwise 0 256>256", "matmul 0 512>256", "softmax 0 256>256", "elementwise 0 256>256", "matmul 0 512>256"],
    ),
    "windows": (in_windows, ["layout 0 256>256"]),
    "padded-and-cropped": (
        lambda x: ops.slice(
            ops.transpose(ops.pad(x, i(0, 0, 0, 0), i(0, 0, 1, 1), "constant"), i(0, 1, 3, 2)),
            i(0), i(4), i(1), i(2),
        ),
        ["layout 0 256>144"],
    ),
    "two-into-one": (lambda x: ops.concat([conv(x), x], 1), ["conv 16 256>256", "layout 0 512>512"]),
    "activation-behind-a-move": (
        lambda x: ops.relu(ops.transpose(x, i(0, 2, 3, 1))),
        ["layout 0 256>256", "elementwise 0 256>256"],
    ),
    "a-part-in-one-piece": (lambda x: ops.tanh(ops.gather(x, i(1), i(1))), ["elementwise 0 64>64"]),
    "a-part-in-many-pieces": (lambda x: ops.tanh(ops.gather(x, i(1), i(2))), ["layout 0 32>32", "elementwise 0 32>32"]),
    "two-channels-of-four": (
        lambda x: ops.tanh(ops.slice(conv(x), i(1), i(3), i(1), i(1))),
        ["conv 16 256>256", "elementwise 0 128>128"],
    ),
    "every-second-channel": (
        lambda x: ops.tanh(ops.slice(x, i(0), i(4), i(2), i(1))),
        ["layout 0 128>128", "elementwise 0 128>128"],
    ),
    "embedding": (
        lambda x: ops.gather(w(10, 6), ops.convert(x, "i64"), i(0)),
        ["elementwise 0 256>256", "layout 60 256>1536"],
    ),
    "pooling": (lambda x: ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0), ["pool 0 256>64"]),
}  # fmt: skip


@pytest.mark.parametrize(("build", "expected"), CASES.values(), ids=CASES)
def test_rows_by_hand(build: Build, expected: list[str]) -> None:
    assert rows(build) == expected


def test_axes_of_one_element_move_nothing() -> None:
    assert rows(lambda x: unit_axes(ops.tanh(x)), 1, 4, 1, 8) == ["elementwise 0 32>32"]


def test_an_attention_in_one_operation_is_three_rows() -> None:
    """6 queries, 4 keys, 2 heads; 8 channels in, 5 out; a mask of 24 is stored."""

    def build(x: Any) -> Any:
        keys, values = ops.relu(x), ops.matmul(x, w(8, 5), False, False)
        queries = ops.matmul(w(2, 6, 4), x, False, False)
        return ops.scaled_dot_product_attention(queries, keys, values, w(6, 4))

    assert rows(build, 1, 2, 4, 8) == [
        "linear 48 64>96",
        "elementwise 0 64>64",
        "linear 40 64>40",
        "matmul 24 160>48",
        "softmax 0 48>48",
        "matmul 0 88>60",
    ]


def test_a_loop_counts_each_step_and_its_weights_once() -> None:
    """7 steps of an LSTM's cell: 5 features, 3 units; each step reads its input and both states."""
    x = ops.parameter([1, 7, 5], np.float32)
    step, hidden, memory = (ops.parameter(shape, np.float32) for shape in ([1, 1, 5], [1, 3], [1, 3]))
    into, recurrent = ops.parameter([12, 5], np.float32), w(12, 3)
    cell = ops.lstm_cell(ops.squeeze(step, i(1)), hidden, memory, into, recurrent, w(12), 3)
    out = ops.unsqueeze(cell.output(0), i(1))
    loop = ops.tensor_iterator()
    loop.set_body(ov.Model([cell.output(0), cell.output(1), out.output(0)], [step, hidden, memory, into]))
    loop.set_sliced_input(step, x.output(0), 0, 1, 1, -1, 1)
    loop.set_merged_input(hidden, w(1, 3).output(0), cell.output(0))
    loop.set_merged_input(memory, w(1, 3).output(0), cell.output(1))
    loop.set_invariant_input(into, w(12, 5).output(0))
    model = ov.Model([loop.get_concatenated_slices(out.output(0), 0, 1, 1, -1, 1)], [x])
    (row,), uncounted = rows_of(graph_of(model))
    layer = row.layer
    assert (layer.kind, layer.m, layer.k, layer.n, layer.weights) == ("lstm", 7, 5 + 3, 12, 12 * 8 + 12)
    assert (layer.inputs, layer.outputs) == (7 * (5 + 3 + 3), 7 * (3 + 3))
    assert not uncounted


def test_what_is_not_counted_is_named() -> None:
    left, right = (ops.parameter(shape, np.float32) for shape in ([5, 2, 3], [5, 3, 4]))
    product = ops.einsum([left, right], "bij,bjk->bik")
    product.set_friendly_name("product")
    (row,), uncounted = rows_of(graph_of(ov.Model([product], [left, right])))
    assert (row.layer.m, uncounted) == (0, ["product"])


def test_a_shape_that_only_running_tells_is_refused() -> None:
    x = ops.parameter([4, 4], np.float32)
    found = ops.non_zero(x)
    found.set_friendly_name("found")
    with pytest.raises(InputError, match=r"found: has a value of the shape \[2,\.\.16\], and only static shapes"):
        graph_of(ov.Model([found], [x]))
