"""Small models made of OpenVINO's own operations, saved as IRs, whose answers numpy tells."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

KERNEL = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
"""Of `convolution`: (out, in, height, width)."""

TABLE = np.arange(6, dtype=np.float32).reshape(2, 3) + 1
"""What `embedding` looks up: row 0 is 1, 2, 3 and row 1 is 4, 5, 6."""


def save(path: Path, outputs: Sequence[Any], inputs: Sequence[Any], sinks: Sequence[Any] = ()) -> Path:
    """A model as an IR at f32; outputs are named y0, y1, ..."""
    results = [ops.result(each, name=f"y{index}") for index, each in enumerate(outputs)]
    for index, result in enumerate(results):
        result.output(0).get_tensor().set_names({f"y{index}"})
    ov.save_model(ov.Model(results=results, sinks=list(sinks), parameters=list(inputs)), path, compress_to_fp16=False)
    return path


def scaling(path: Path, shape: Sequence[int] = (1, 4), factor: float = 2.0) -> Path:
    """y = factor x; -1 leaves a size open."""
    x = ops.parameter(list(shape), np.float32, name="x")
    return save(path, [ops.multiply(x, ops.constant(np.float32(factor)))], [x])


def convolution(path: Path) -> Path:
    """x (1, 3, 8, 8) -> (1, 4, 8, 8): 3 x 3 kernels, a bias of 1, and ReLU."""
    x = ops.parameter([1, 3, 8, 8], np.float32, name="x")
    product = ops.convolution(x, ops.constant(KERNEL), [1, 1], [1, 1], [1, 1], [1, 1], name="conv")
    total = ops.add(product, ops.constant(np.ones((1, 4, 1, 1), np.float32)), name="bias")
    return save(path, [ops.relu(total, name="act")], [x])


def two_inputs(path: Path, wide: int = 2) -> Path:
    """y0 = a + 10 b and y1 = the sum of both over all: a (1, 3), b (wide, 3)."""
    a, b = (ops.parameter([size, 3], np.float32, name=name) for size, name in ((1, "a"), (wide, "b")))
    total = ops.add(a, ops.multiply(b, ops.constant(np.float32(10))))
    return save(path, [total, ops.reduce_sum(total, ops.constant(np.array([0, 1])), False)], [a, b])


def embedding(path: Path) -> Path:
    """y (1, 5, 3) = the rows of `TABLE` at ids (1, 5), i64."""
    ids = ops.parameter([1, 5], np.int64, name="ids")
    return save(path, [ops.gather(ops.constant(TABLE), ids, ops.constant(np.int64(0)))], [ids])


def running_sum(path: Path) -> Path:
    """y (1, 4) = x + everything that the model was asked since its state was reset."""
    x = ops.parameter([1, 4], np.float32, name="x")
    so_far = ops.read_value(ops.constant(np.zeros((1, 4), np.float32)), "so far", ov.Type.f32, [1, 4])
    total = ops.add(x, so_far)
    return save(path, [total], [x], [ops.assign(total, "so far")])


def root(path: Path) -> Path:
    """y = sqrt(x), which is no number for what is negative."""
    x = ops.parameter([1, 4], np.float32, name="x")
    return save(path, [ops.sqrt(x)], [x])


def lstm_step(path: Path) -> Path:
    """One step of an LSTM, its state in and out: x (1, 3), hidden (1, 2), cell (1, 2) -> both new ones."""
    x, hidden, cell = (
        ops.parameter([1, size], np.float32, name=name) for size, name in ((3, "x"), (2, "hidden"), (2, "cell"))
    )
    generator = np.random.default_rng(0)
    weights = [ops.constant(generator.normal(size=size).astype(np.float32)) for size in ((8, 3), (8, 2), (8,))]
    step = ops.lstm_cell(x, hidden, cell, *weights, 2)
    return save(path, [step.output(0), step.output(1)], [x, hidden, cell])


def convolved(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """What `convolution` answers, sample by sample and point by point: (n, 3, 8, 8) -> (n, 4, 8, 8)."""
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.ones((len(x), 4, 8, 8))
    for row in range(8):
        for column in range(8):
            patch = padded[:, :, row : row + 3, column : column + 3]
            y[:, :, row, column] += np.einsum("nihw,oihw->no", patch, KERNEL.astype(np.float64))
    return np.maximum(y, 0)
