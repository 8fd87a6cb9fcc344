"""Small models, built by hand, each of which has something that an NPU has an opinion about."""

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops


def x(*shape: int, kind: Any = np.float32) -> Any:
    return ops.parameter(list(shape), kind, name="x")


def w(*shape: int, value: float = 0.5) -> Any:
    return ops.constant(np.full(shape, value, np.float32))


def model_of(made: Any, *inputs: Any) -> ov.Model:
    made.set_friendly_name("made")
    return ov.Model([made.output(0)], list(inputs))


def one(function: Callable[..., Any], data: Any, *arguments: Any, **options: Any) -> ov.Model:
    """A model of one operation, called `made`, on the input `data`."""
    return model_of(function(data, *arguments, **options), data)


def convolution(channels: int = 16, kernel: int = 3, stride: int = 1, width: int = 40) -> ov.Model:
    pads = [0, kernel // 2]
    weights = w(channels, 16, 1, kernel)
    return one(ops.convolution, x(1, 16, 1, width), weights, [1, stride], pads, pads, [1, 1])


def pooling(kernel: int, stride: int) -> ov.Model:
    return one(ops.avg_pool, x(1, 16, 1, 40), [1, stride], [0, 0], [0, 0], [1, kernel], True)


def lstm(hidden: int, steps: int = 7) -> ov.Model:
    data, state = x(1, steps, 5), w(1, 1, hidden)
    weights = w(1, 4 * hidden, 5), w(1, 4 * hidden, hidden), w(1, 4 * hidden)
    lengths = ops.constant(np.array([steps], np.int32))
    return model_of(ops.lstm_sequence(data, state, state, lengths, *weights, hidden, "forward"), data)


def rnn() -> ov.Model:
    return one(ops.rnn_cell, x(1, 5), w(1, 16), w(16, 5), w(16, 16), w(16), 16, ["tanh"], [], [])


def loop() -> ov.Model:
    data, step, state = x(1, 7, 16), ops.parameter([1, 1, 16], np.float32), ops.parameter([1, 1, 16], np.float32)
    added = ops.add(step, state)
    made = ops.tensor_iterator()
    made.set_body(ov.Model([added.output(0)], [step, state]))
    made.set_sliced_input(step, data.output(0), 0, 1, 1, -1, 1)
    made.set_merged_input(state, w(1, 1, 16).output(0), added.output(0))
    made.set_friendly_name("made")
    return ov.Model([made.get_iter_value(added.output(0), -1)], [data])


def branches() -> ov.Model:
    data, which = x(1, 16), ops.parameter([1], np.bool_)
    made = ops.if_op(which.output(0))
    inner = [ops.parameter([1, 16], np.float32) for _ in range(2)]
    results = [ops.result(function(each)) for function, each in zip((ops.relu, ops.negative), inner, strict=True)]
    bodies = [ov.Model([result], [each]) for result, each in zip(results, inner, strict=True)]
    made.set_then_body(bodies[0])
    made.set_else_body(bodies[1])
    made.set_input(data.output(0), inner[0], inner[1])
    made.set_output(results[0], results[1])
    made.set_friendly_name("made")
    return ov.Model([made.output(0)], [data, which])


def twins() -> ov.Model:
    data = x(1, 16)
    first = ops.relu(data)
    first.set_friendly_name("made")
    return model_of(ops.relu(first), data)


def squared(function: Callable[..., Any]) -> ov.Model:
    data = x(1, 16)
    return model_of(function(data, ops.relu(data)), data)


def max_pool(opset: Any) -> ov.Model:
    return one(opset.max_pool, x(1, 16, 1, 40), [1, 2], [1, 1], [0, 0], [0, 0], [1, 2])
