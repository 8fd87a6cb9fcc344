"""The row of a `LayerTable` that operations make together."""

import re
from dataclasses import dataclass
from math import prod

from edge_deploy.fusing import MOVES, Fused, fused, reads, written
from edge_deploy.graph import Graph, Op, graph_of
from edge_deploy.macs import OPAQUE
from edge_deploy.origins import ROLE_OF_KIND, SUFFIX, guessed_block, role_of
from edge_deploy.row_sizes import Sizes, sizes_of
from edge_deploy.stored import stored_beside
from edge_toolkit.layers import Kind, Layer

_KINDS: dict[str, Kind] = {"normalisation": "normalisation", "pooling": "pool"}
"""Kinds of layer by the role that an operation's type has."""


@dataclass(frozen=True)
class Row:
    """A row, and the names of its operations, the one that it is for first."""

    layer: Layer
    names: tuple[str, ...]


def rows_of(graph: Graph) -> tuple[list[Row], list[str]]:
    """The rows of a graph.

    Returns:
        Its rows in the order of execution, and the names of operations that multiply in a way that is not counted.
    """
    rows: list[Row] = []
    uncounted: list[str] = []
    for each in fused(graph):
        steps = _steps(each.head)
        if steps:
            inside, missed = _repeated(each.head, steps)
            rows, uncounted = rows + inside, uncounted + missed
        else:
            rows += _rows(graph, each)
            uncounted += [op.name for op in each.ops if op.kind in OPAQUE]
    return rows, uncounted


def _steps(op: Op) -> int:
    """How often a loop runs its body, where the file tells; else 0."""
    return max(int(op.node.get_num_iterations()), 0) if op.kind == "TensorIterator" else 0


def _repeated(op: Op, steps: int) -> tuple[list[Row], list[str]]:
    """The rows of a loop's body, all its steps together; weights are stored once."""
    from openvino.op.util import InvariantInputDescription

    constant = [
        each.body_parameter_index
        for each in op.node.get_input_descriptions()
        if isinstance(each, InvariantInputDescription) and op.operands[each.input_index].value is None
    ]
    rows, uncounted = rows_of(graph_of(op.node.get_function(), constant))
    name = _names(op, (op,))[0]
    repeated = []
    for row in rows:
        layer, outputs = row.layer, steps * row.layer.outputs
        m = steps * layer.m
        layer = layer._replace(m=m, out_h=1, out_w=m or outputs, inputs=steps * layer.inputs, outputs=outputs)
        names = tuple(f"{name}/{each}" for each in row.names)
        repeated.append(Row(layer._replace(name=names[0], block=name), names))
    return repeated, [f"{name}/{each}" for each in uncounted]


def _rows(graph: Graph, fused: Fused) -> list[Row]:
    """The rows of what runs as one layer: one, or the three of an attention that is one operation."""
    head = fused.head
    names = _names(head, fused.ops)
    outputs = sum(written(graph, fused.ops).values())
    if head.kind == "ScaledDotProductAttention":
        return [Row(layer, (layer.name,)) for layer in _attention(head, names[0], outputs)]
    sizes = sizes_of(head)
    inputs = sum(reads(graph, fused.ops).values())
    if sizes is None:
        weights = stored_beside(fused.ops, channels=0)
        layer = _layer(head, names[0], _traffic(fused, outputs), weights, inputs, outputs)
    else:
        beside = [op for op in fused.ops if op.index > head.index]
        weights = sizes.weights + stored_beside(beside, channels=sizes.n if sizes.weights else 0)
        layer = _layer(head, names[0], sizes, weights, inputs, outputs)
    return [Row(layer, names)]


def _names(head: Op, ops: tuple[Op, ...]) -> tuple[str, ...]:
    """Names that the model's author gave, the head's first; OpenVINO's own numbers differ from run to run."""
    behind = sorted(ops, key=lambda op: (op.index < head.index, op.index))
    named = [op for op in (head, *behind) if not re.fullmatch(rf"{op.kind}_\d+", op.name)]
    return tuple(dict.fromkeys(op.name.removesuffix(SUFFIX) for op in named)) or (head.kind,)


def _layer(op: Op, name: str, sizes: Sizes, weights: int, inputs: int, outputs: int) -> Layer:
    return Layer(
        name=name,
        block=guessed_block(op.node),
        role=role_of(op.node),
        kind=sizes.kind,
        m=sizes.m,
        k=sizes.k,
        n=sizes.n,
        groups=sizes.groups,
        out_h=sizes.out_h,
        out_w=sizes.out_w,
        kernel_h=sizes.kernel_h,
        kernel_w=sizes.kernel_w,
        stride=sizes.stride,
        parameters=weights,
        weights=weights,
        inputs=inputs,
        outputs=outputs,
    )


def _traffic(fused: Fused, outputs: int) -> Sizes:
    """A row that multiplies nothing."""
    op = fused.head
    if op.kind in ("AvgPool", "MaxPool"):
        kernel, (batch, _, *places) = op.attributes["kernel"], op.outputs[0]
        return Sizes(
            kind="pool",
            m=0,
            k=0,
            n=0,
            out_h=batch * prod(places[:-1]),
            out_w=places[-1],
            kernel_h=prod(kernel[:-1]),
            kernel_w=kernel[-1],
            stride=max(op.attributes["strides"]),
        )
    return Sizes(_kind(fused), 0, 0, 0, out_w=outputs)


def _kind(fused: Fused) -> Kind:
    op = fused.head
    if fused.parts[0].normalises:
        last = max(index for index, part in enumerate(fused.parts) if part.normalises)
        inside = [op.kind for part in fused.parts[: last + 1] for op in part.ops]
        return "softmax" if "Exp" in inside else "normalisation"
    if op.kind in ("LogSoftmax", "Softmax"):
        return "softmax"
    if op.kind.startswith("Reduce") or op.kind.endswith("Pool"):
        return "pool"
    if op.kind in MOVES:
        return "layout"
    return _KINDS.get(ROLE_OF_KIND.get(op.kind, ""), "elementwise")


def _attention(op: Op, name: str, outputs: int) -> list[Layer]:
    """Scores, softmax and mix of an attention in one operation; a mask is read or stored with the scores."""
    queries, keys, values, *others = op.operands
    groups, tokens, inner = prod(queries.shape[:-2]), *queries.shape[-2:]
    seen, wide = values.shape[-2:]
    scores = groups * tokens * seen
    mask, stored = others[0] if others else None, 0
    read = prod(queries.shape) + prod(keys.shape)
    if mask is not None:
        read += prod(mask.shape) if mask.value is not None else 0
        stored += prod(mask.shape) if mask.value is None and prod(mask.shape) > 1 else 0
    first = Sizes("matmul", tokens, inner, groups * seen, groups, out_w=tokens)
    last = Sizes("matmul", tokens, seen, groups * wide, groups, out_w=tokens)
    return [
        _layer(op, f"{name}.scores", first, stored, read, scores),
        _layer(op, f"{name}.softmax", Sizes("softmax", 0, 0, 0, out_w=scores), 0, scores, scores),
        _layer(op, f"{name}.mix", last, 0, scores + prod(values.shape), outputs),
    ]
