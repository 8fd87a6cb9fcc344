"""Which layer of the `LayerTable` each node of an exported graph belongs to.

A node is called `<layer>/<OpType>`, with `_2`, `_3`, ... behind the second and further ones of a layer: the name is
what an executed kernel is traced back by, on any device.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.specs import ModelSpec

ATTENTION_SUMS = ("position_add", "add", "mlp_add")
"""The residuals of an attention block, in the order in which they are computed."""


@dataclass(frozen=True)
class Node:
    """What naming needs of a graph's node: its operation, the path of its torch module, and the values it touches."""

    op: str
    module: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def layer_names(nodes: Sequence[Node], spec: ModelSpec) -> tuple[str, ...]:
    """The layer of each node.

    Args:
        nodes: the graph, in the order of execution.
        spec: the network that it was exported from.

    Returns:
        A row's name of `layers_of(spec)` where the node belongs to one, and the module's path elsewhere.
    """
    rows = {str(name) for name in layers_of(spec).name}
    if isinstance(spec, LSTMBaseline):
        return _around_lstm(nodes, rows)
    layers = [_by_module(node.module, rows) for node in nodes]
    for module in dict.fromkeys(node.module for node in nodes):
        here = [index for index, node in enumerate(nodes) if node.module == module]
        named = _by_order(module, [nodes[index] for index in here], rows)
        for index, layer in zip(here, named, strict=True):
            layers[index] = layer or layers[index]
    return tuple(layers)


def numbered(layers: Iterable[str], ops: Iterable[str]) -> Iterator[str]:
    """`<layer>/<OpType>`, numbered from the second one on."""
    seen: Counter[str] = Counter()
    for layer, op in zip(layers, ops, strict=True):
        name = f"{layer}/{op}"
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"


def _by_module(module: str, rows: set[str]) -> str:
    """The nearest module around a node that is a row: normalisation and activation belong to their convolution."""
    path = module
    while path and path not in rows:
        path = path.rpartition(".")[0]
    return path or module


def _by_order(module: str, nodes: Sequence[Node], rows: set[str]) -> Iterable[str | None]:
    """The rows of what a module computes itself, outside any child that has a row."""
    if module.endswith(".attend"):
        block = module.removesuffix(".attend")
        return (f"{block}.{part}" for part in _attend(nodes, windowed=f"{block}.partition" in rows))
    if module == "head":
        return ["head.pool"] * len(nodes)
    return _residuals(module, nodes, rows)


def _around_lstm(nodes: Sequence[Node], rows: set[str]) -> tuple[str, ...]:
    """The layers of an LSTM's network: what leads to the first LSTM, and what comes after the last, moves data."""
    recurrent = [index for index, node in enumerate(nodes) if node.op == "LSTM"]
    layers = []
    for index, node in enumerate(nodes):
        layer = "head.pool" if node.module == "head" else _by_module(node.module, rows)
        if index < recurrent[0] and layer in ("", "lstm.0"):
            layer = "sequence"
        elif layer == "":
            layer = "positions"
        layers.append(layer)
    return tuple(layers)


def _residuals(block: str, nodes: Sequence[Node], rows: set[str]) -> Iterator[str | None]:
    sums = iter([name for part in ATTENTION_SUMS if (name := f"{block}.{part}") in rows])
    for node in nodes:
        yield next(sums, None) if node.op == "Add" else None


def _attend(nodes: Sequence[Node], windowed: bool) -> Iterator[str]:
    """Parts of an attention: what leads to the first product, what stands between the two, what follows."""
    scores, mix = [index for index, node in enumerate(nodes) if node.op == "MatMul"]
    # The queries are scaled ahead of the product, unless their scale is 1.
    scaled = next((node for node in nodes if node.op == "Mul"), nodes[scores]).inputs[0]
    for index, node in enumerate(nodes):
        if index <= scores:
            makes_scores = node.op in ("MatMul", "Mul") or (node.op == "Transpose" and scaled in node.outputs)
            yield "scores" if makes_scores or not windowed else "partition"
        elif index <= mix:
            yield {"Softmax": "softmax", "Add": "scores"}.get(node.op, "mix")  # the sum is the mask of padded keys
        else:
            yield "merge" if windowed else "mix"
