"""A small TensorFlow Lite file, laid down field by field, and numpy's answer to it.

`flatbuffers` is no dependency of ours: onnxruntime, which the tests need anyway, brings it.
Source: tensorflow/lite/schema/schema.fbs, version 3; the numbers of slots, types and operators below are its.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Field = Callable[[flatbuffers.Builder, int], None]

_generator = np.random.default_rng(7)
KERNEL: Floats = _generator.normal(size=(4, 3, 3, 2)).astype(np.float32)  # (out, height, width, in)
BIAS: Floats = _generator.normal(size=4).astype(np.float32)
DEPTHWISE: Floats = _generator.normal(size=(1, 3, 3, 4)).astype(np.float32)  # (1, height, width, channels)
NO_BIAS: Floats = np.zeros(4, np.float32)
DENSE: Floats = _generator.normal(size=(5, 36)).astype(np.float32)  # (out, in)

INPUT_SHAPE = (1, 6, 6, 2)
FLOAT32, SAME, VALID, NONE, RELU = 0, 0, 1, 0, 1
ADD, AVERAGE_POOL, CONV, DEPTHWISE_CONV, DENSE_CODE, LOGISTIC = 0, 1, 3, 4, 9, 14
CODES = (CONV, DEPTHWISE_CONV, ADD, AVERAGE_POOL, DENSE_CODE, LOGISTIC)
CONV_OPTIONS, DEPTHWISE_OPTIONS, POOL_OPTIONS, DENSE_OPTIONS, ADD_OPTIONS, NO_OPTIONS = 1, 2, 5, 8, 11, 0

TENSORS: tuple[tuple[str, tuple[int, ...], Floats | None], ...] = (
    ("serving_default_frame:0", INPUT_SHAPE, None),
    ("model/conv2d_1/Conv2D", KERNEL.shape, KERNEL),
    ("model/conv2d_1/BiasAdd/ReadVariableOp", BIAS.shape, BIAS),
    ("model/conv2d_1/Relu;model/conv2d_1/BiasAdd;model/conv2d_1/Conv2D", (1, 6, 6, 4), None),
    ("model/depthwise_2/depthwise", DEPTHWISE.shape, DEPTHWISE),
    ("model/depthwise_2/zeros", NO_BIAS.shape, NO_BIAS),
    ("model/depthwise_2/BiasAdd;model/depthwise_2/depthwise", (1, 6, 6, 4), None),
    ("model/add_3/add", (1, 6, 6, 4), None),
    ("model/pool_4/AvgPool", (1, 3, 3, 4), None),
    ("model/dense_5/MatMul", DENSE.shape, DENSE),
    ("model/dense_5/MatMul;model/dense_5/Relu", (1, 5), None),
    ("StatefulPartitionedCall:0", (1, 5), None),
)


def write_tflite(path: Path) -> Path:
    """x (1, 6, 6, 2) -> conv2d_1 with ReLU -> depthwise_2 -> added to conv2d_1 -> means of 2 x 2 -> dense_5: (1, 5)."""
    builder = flatbuffers.Builder(0)
    data = [b""] + [b"" if value is None else value.tobytes() for _, _, value in TENSORS]
    buffers = [_table(builder, {0: _bytes(builder, each)} if each else {}) for each in data]
    tensors = [
        _table(builder, {0: _ints(builder, shape), 1: _int8(FLOAT32), 2: _uint32(index), 3: _text(builder, name)})
        for index, (name, shape, _) in enumerate(TENSORS, start=1)
    ]
    codes = [_table(builder, {0: _int8(code), 2: _int32(1)}) for code in CODES]
    conv = _table(builder, {0: _int8(SAME), 1: _int32(1), 2: _int32(1), 3: _int8(RELU)})
    depthwise = _table(builder, {0: _int8(SAME), 1: _int32(1), 2: _int32(1), 3: _int32(1), 4: _int8(NONE)})
    add = _table(builder, {0: _int8(NONE)})
    pool = _table(builder, {0: _int8(VALID), **{slot: _int32(2) for slot in (1, 2, 3, 4)}, 5: _int8(NONE)})
    dense = _table(builder, {0: _int8(RELU)})
    operators = [
        _operator(builder, 0, (0, 1, 2), 3, CONV_OPTIONS, conv),
        _operator(builder, 1, (3, 4, 5), 6, DEPTHWISE_OPTIONS, depthwise),
        _operator(builder, 2, (3, 6), 7, ADD_OPTIONS, add),
        _operator(builder, 3, (7,), 8, POOL_OPTIONS, pool),
        _operator(builder, 4, (8, 9, -1), 10, DENSE_OPTIONS, dense),
        _operator(builder, 5, (10,), 11, NO_OPTIONS, _table(builder, {})),
    ]
    graph = {
        0: _tables(builder, tensors),
        1: _ints(builder, (0,)),
        2: _ints(builder, (11,)),
        3: _tables(builder, operators),
    }
    graphs = _tables(builder, [_table(builder, graph)])
    model = {0: _uint32(3), 1: _tables(builder, codes), 2: graphs, 4: _tables(builder, buffers)}
    builder.Finish(_table(builder, model).at, file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def answer(x: Floats) -> Floats:
    """x: (1, 6, 6, 2) -> (1, 5), as the file should."""
    first = np.maximum(_convolved(x, KERNEL.transpose(1, 2, 3, 0)) + BIAS, 0)
    channels = [_convolved(first[..., [each]], DEPTHWISE[0, :, :, each, None, None]) for each in range(4)]
    total = first + np.concatenate(channels, axis=-1)
    pooled = total.reshape(1, 3, 2, 3, 2, 4).mean((2, 4))
    return 1 / (1 + np.exp(-np.maximum(pooled.reshape(1, 36) @ DENSE.T, 0)))


def _convolved(x: Floats, kernel: Floats) -> Floats:
    """x: (1, h, w, in), kernel: (3, 3, in, out) -> (1, h, w, out), padded by zeros."""
    _, height, width, _ = x.shape
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = [(row, column) for row in range(3) for column in range(3)]
    return np.add.reduce([padded[:, r : r + height, c : c + width] @ kernel[r, c] for r, c in places])


def _operator(
    builder: flatbuffers.Builder, code: int, inputs: Sequence[int], output: int, kind: int, options: Field
) -> Field:
    fields = {0: _uint32(code), 1: _ints(builder, inputs), 2: _ints(builder, (output,)), 3: _uint8(kind), 4: options}
    return _table(builder, fields)


class _Offset:
    """Something that lies in the file already."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self, builder: flatbuffers.Builder, slot: int) -> None:
        builder.PrependUOffsetTRelativeSlot(slot, self.at, 0)


def _table(builder: flatbuffers.Builder, fields: Mapping[int, Field]) -> _Offset:
    builder.StartObject(max(fields, default=-1) + 1)
    for slot, put in fields.items():
        put(builder, slot)
    return _Offset(builder.EndObject())


def _tables(builder: flatbuffers.Builder, tables: Sequence[_Offset]) -> _Offset:
    builder.StartVector(4, len(tables), 4)
    for each in reversed(tables):
        builder.PrependUOffsetTRelative(each.at)
    return _Offset(builder.EndVector())


def _ints(builder: flatbuffers.Builder, values: Sequence[int]) -> _Offset:
    return _Offset(builder.CreateNumpyVector(np.array(values, np.int32)))


def _bytes(builder: flatbuffers.Builder, data: bytes) -> _Offset:
    builder.StartVector(1, len(data), 16)  # which the schema asks of a buffer
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return _Offset(builder.EndVector())


def _text(builder: flatbuffers.Builder, text: str) -> _Offset:
    return _Offset(builder.CreateString(text))


def _int8(value: int) -> Field:
    return lambda builder, slot: builder.PrependInt8Slot(slot, value, 0)


def _uint8(value: int) -> Field:
    return lambda builder, slot: builder.PrependUint8Slot(slot, value, 0)


def _int32(value: int) -> Field:
    return lambda builder, slot: builder.PrependInt32Slot(slot, value, 0)


def _uint32(value: int) -> Field:
    return lambda builder, slot: builder.PrependUint32Slot(slot, value, 0)
