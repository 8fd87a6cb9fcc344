"""The checks of the rules that need more than a list of operations, by the rule's id."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from edge_deploy.origins import producers
from edge_deploy.preflight.graph import Graph, grows
from edge_deploy.preflight.rules import Rule

Trip = tuple[Any, dict[str, object]]
"""An operation that breaks a rule, and what fills the rule's sentences."""

Check = Callable[[Graph, Rule], Iterator[Trip]]


def listed(graph: Graph, rule: Rule) -> Iterator[Trip]:
    """Operations of the types that the rule lists: the check of every rule that has none of its own."""
    for op in graph.executed:
        if op.get_type_name() in rule.operations:
            yield op, {"kind": op.get_type_name()}


def _dynamic_shape(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.executed:
        if grows(op):
            yield op, {"shape": op.output(0).get_partial_shape()}


def _element_type(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.executed:
        odd = [kind for kind in _types(op) if kind not in rule.types]
        if odd:
            yield op, {"type": odd[0]}


def _float64(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.executed:
        if any(each.get_element_type().to_string() in rule.types for each in op.outputs()):
            yield op, {}


def _types(op: Any) -> list[str]:
    return [each.get_element_type().to_string() for each in (*op.inputs(), *op.outputs())]


def _computed_factors(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.of(rule.operations):
        if all(each.get_friendly_name() not in graph.folded for each in producers(op)):
            yield op, {"kind": op.get_type_name()}


def _lstm_hidden_size(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.of(["LSTMSequence"]):
        hidden, steps = op.input(1).get_shape()[-1], op.input(0).get_shape()[1]  # x: (batch, steps, features)
        if hidden % rule.limit:
            yield op, {"hidden": hidden, "steps": steps, "limit": rule.limit}


def _batch(graph: Graph, rule: Rule) -> Iterator[Trip]:
    """Where the documentation says that a batch is taken apart: all inputs and outputs begin with the same size."""
    inputs, outputs = graph.model.inputs, graph.model.outputs
    shapes = [port.partial_shape for port in (*inputs, *outputs)]
    if all(shape.is_static and len(shape) > 1 for shape in shapes):
        sizes = {shape.to_shape()[0] for shape in shapes}
        if len(sizes) == 1 and (batch := sizes.pop()) > rule.limit:
            yield inputs[0].get_node(), {"batch": batch}


_WINDOWS: dict[str, Callable[[Any], tuple[int, ...]]] = {
    "Convolution": lambda op: tuple(op.input(1).get_shape()[2:]),  # weights: (out, in, kernel...)
    "GroupConvolution": lambda op: tuple(op.input(1).get_shape()[3:]),  # (groups, out / groups, in / groups, kernel...)
    "MaxPool": lambda op: tuple(op.get_attributes()["kernel"]),
    "AvgPool": lambda op: tuple(op.get_attributes()["kernel"]),
}


def _large_kernel(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.of(_WINDOWS):
        if (size := max(_WINDOWS[op.get_type_name()](op))) > rule.limit:
            yield op, {"size": size, "limit": rule.limit}


def _large_stride(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.of(_WINDOWS):
        if (size := max(op.get_attributes()["strides"])) > rule.limit:
            yield op, {"size": size, "limit": rule.limit}


def _large_dimension(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.of(rule.operations):
        size = max((*op.input(0).get_shape(), *op.output(0).get_shape()), default=0)
        if size > rule.limit:
            yield op, {"size": size, "limit": rule.limit}


def _padded_channels(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.of(rule.operations):
        channels = op.output(0).get_shape()[1]
        padded = -(-channels // rule.limit) * rule.limit
        if padded > channels:
            yield op, {"channels": channels, "padded": padded, "limit": rule.limit}


def _rank(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.still:
        rank = max((len(each.get_partial_shape()) for each in op.outputs()), default=0)
        if rank > rule.limit:
            yield op, {"rank": rank}


def _float16_range(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.ordered:
        if op.get_type_name() == "Constant" and op.get_element_type().to_string() in ("f32", "f64"):
            values = op.get_data().ravel()
            values = values[np.isfinite(values)]  # an infinity stays one
            largest = values[np.abs(values).argmax()] if values.size else 0
            if abs(largest) > rule.limit:
                yield op, {"value": f"{largest:.4g}"}


def _unlisted_operation(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.executed:
        if op.get_type_name() not in rule.operations:
            yield op, {"kind": op.get_type_name(), "version": op.get_type_info().version_id}


def _newer_opset(graph: Graph, rule: Rule) -> Iterator[Trip]:
    for op in graph.executed:
        version = op.get_type_info().version_id
        number = re.fullmatch(r"opset(\d+)", version)
        if number is not None and int(number[1]) >= rule.limit:
            yield op, {"kind": op.get_type_name(), "version": version}


def _same_name(graph: Graph, rule: Rule) -> Iterator[Trip]:
    counts = Counter(op.get_friendly_name() for op in graph.ordered)
    for op in graph.ordered:
        if (count := counts.pop(op.get_friendly_name(), 1)) > 1:
            yield op, {"count": count}


CHECKS: dict[str, Check] = {
    "dynamic-shape": _dynamic_shape,
    "element-type": _element_type,
    "computed-factors": _computed_factors,
    "lstm-hidden-size": _lstm_hidden_size,
    "batch": _batch,
    "large-kernel": _large_kernel,
    "large-stride": _large_stride,
    "large-dimension": _large_dimension,
    "padded-channels": _padded_channels,
    "unlisted-operation": _unlisted_operation,
    "rank": _rank,
    "float16-range": _float16_range,
    "float64": _float64,
    "newer-opset": _newer_opset,
    "same-name": _same_name,
}
