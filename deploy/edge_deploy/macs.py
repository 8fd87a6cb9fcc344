"""Multiply-accumulates of a model, from its own operations (an `openvino.Model`, of any origin)."""

from collections.abc import Callable
from math import prod
from typing import Any

OPAQUE = ("TensorIterator", "Loop", "If", "Einsum", "BinaryConvolution")
"""Operations that multiply inside, in a body or by a formula, which is not counted."""

WEIGHT_TYPES = ("f32", "f16", "bf16", "f64", "i8", "u8")
"""Types of the constants that are weights; shapes, axes and indices have others."""


def macs_of(op: Any) -> int:
    """Multiply-accumulates of one operation; 0 for one that multiplies nothing.

    Args:
        op: an `openvino.Node`. Where a shape is only known when it runs, nothing is counted.
    """
    count = _COUNTS.get(op.get_type_name())
    return count(op) if count and _is_static(op) else 0


def model_macs(model: Any) -> int:
    """Multiply-accumulates of a whole model. What `uncounted` names is left out."""
    return sum(macs_of(op) for op in model.get_ops())


def uncounted(model: Any) -> tuple[str, ...]:
    """The names of the operations that multiply and are not counted."""
    return tuple(
        op.get_friendly_name()
        for op in model.get_ops()
        if op.get_type_name() in OPAQUE or (op.get_type_name() in _COUNTS and not _is_static(op))
    )


def _is_static(op: Any) -> bool:
    return not any(port.get_partial_shape().is_dynamic for port in (*op.inputs(), *op.outputs()))


def model_parameters(model: Any) -> int:
    """Elements of a model's weights: constants of a floating or 8-bit type; shapes, axes and scalars are none."""
    constants = (op.output(0) for op in model.get_ops() if op.get_type_name() == "Constant")
    return sum(
        prod(each.shape) for each in constants if prod(each.shape) > 1 and each.element_type.to_string() in WEIGHT_TYPES
    )


def _shape(op: Any, index: int) -> tuple[int, ...]:
    return tuple(op.input(index).get_shape())


def _output(op: Any) -> tuple[int, ...]:
    return tuple(op.output(0).get_shape())


def _convolution(op: Any) -> int:
    return prod(_output(op)) * prod(_shape(op, 1)[1:])  # weights: (out, in, kernel...)


def _deformable_convolution(op: Any) -> int:
    return prod(_output(op)) * prod(_shape(op, 2)[1:])  # weights: (out, in / groups, kernel...), behind the offsets


def _group_convolution(op: Any) -> int:
    return prod(_output(op)) * prod(_shape(op, 1)[2:])  # weights: (groups, out / groups, in / groups, kernel...)


def _transposed_convolution(op: Any) -> int:
    return prod(_shape(op, 0)) * prod(_shape(op, 1)[1:])  # weights: (in, out, kernel...)


def _transposed_group_convolution(op: Any) -> int:
    return prod(_shape(op, 0)) * prod(_shape(op, 1)[2:])  # weights: (groups, in / groups, out / groups, kernel...)


def _matmul(op: Any) -> int:
    left = _shape(op, 0)
    inner = left[-2] if op.get_attributes()["transpose_a"] and len(left) > 1 else left[-1]
    return prod(_output(op)) * inner


def _attention(op: Any) -> int:
    queries, keys, values = _shape(op, 0), _shape(op, 1), _shape(op, 2)  # (..., tokens, features)
    return prod(queries[:-1]) * keys[-2] * (queries[-1] + values[-1])


def _sequence(weights: int) -> Callable[[Any], int]:
    """x: (batch, steps, features); each step reads both weight matrices once, at index `weights` and the next."""
    return lambda op: prod(_shape(op, 0)[:2]) * (prod(_shape(op, weights)) + prod(_shape(op, weights + 1)))


def _cell(weights: int) -> Callable[[Any], int]:
    """x: (batch, features)."""
    return lambda op: _shape(op, 0)[0] * (prod(_shape(op, weights)) + prod(_shape(op, weights + 1)))


_COUNTS: dict[str, Callable[[Any], int]] = {
    "Convolution": _convolution,
    "DeformableConvolution": _deformable_convolution,
    "GroupConvolution": _group_convolution,
    "ConvolutionBackpropData": _transposed_convolution,
    "GroupConvolutionBackpropData": _transposed_group_convolution,
    "MatMul": _matmul,
    "ScaledDotProductAttention": _attention,
    "LSTMSequence": _sequence(4),  # x, hidden, cell, lengths, W, R, B
    "GRUSequence": _sequence(3),
    "RNNSequence": _sequence(3),
    "LSTMCell": _cell(3),
    "GRUCell": _cell(2),
    "RNNCell": _cell(2),
}
