"""The executed rows of a profile: what ran, how long it took, and which part of the network it is.

OpenVINO's counters hold, for each executed node, the mean of its times since the model was compiled, in microseconds,
with the fraction of each dropped; a node under 1 us reads 0. So rows are lower bounds, by up to 1 us each, and what
they lack is part of the `runtime` row. Nothing is scaled.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_deploy.origins import Origin, consumers, producers, role_of_kind
from edge_deploy.runtime import Compiled, with_counters

WINDOWS = 3
"""Times that the model is compiled and counted anew; a row is the median, so that one disturbance does not stay."""

WARM = 20
"""Requests before a window, taken out of its mean."""

LEAST = 100
"""Fewest requests of a window: a running mean that lost its fraction is exact to (WARM + LEAST) / LEAST us."""

NOT_EXECUTED = ("Const", "Constant", "Input", "Output", "Parameter", "Result")
"""Node kinds that cost a request nothing: constants are worked out once, the others are ports."""


@dataclass(frozen=True)
class Node:
    """An executed node. `near` are the names of its neighbours, the one that it was made for first."""

    name: str
    kind: str
    kernel: str
    precision: str
    originals: tuple[str, ...]
    near: tuple[str, ...]
    time_us: float


@dataclass(frozen=True)
class Row:
    """One line of a profile: an executed node with what was fused into it, or `runtime`, or `binding`.

    `share` is of the wall time. `originals` are the operations of the model that this node executes.
    """

    name: str
    role: str
    block: str
    kind: str
    time_us: float
    share: float
    macs: int
    kernel: str
    precision: str
    originals: tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    """Executed nodes with their mean times, and the median time of a request while counting, us."""

    nodes: tuple[Node, ...]
    request_us: float


def count(ready: Compiled, seconds: float) -> Counted:
    """Run a model with counters, in fresh windows.

    Args:
        ready: what was measured without counters.
        seconds: for all windows together.
    """
    windows = [_window(ready, seconds / WINDOWS) for _ in range(WINDOWS)]
    times = np.median([[node.time_us for node in nodes] for nodes, _ in windows], axis=0)
    first = windows[0][0]
    nodes = tuple(
        Node(node.name, node.kind, node.kernel, node.precision, node.originals, node.near, float(each))
        for node, each in zip(first, times, strict=True)
    )
    return Counted(nodes, float(np.median([request for _, request in windows])))


def window_mean(before: float, warm: int, after: float, total: int) -> float:
    """Mean of the requests after `warm` of `total`, from two readings of a running mean; never below 0.

    Args:
        before: the mean over the first `warm` requests.
        warm: how many those are.
        after: the mean over all `total` requests.
        total: how many in all, more than `warm`.
    """
    return max(0.0, (total * after - warm * before) / (total - warm))


def rows_of(
    counted: Counted, model: Any, origins: Mapping[str, Origin], request_us: float, wall_us: float
) -> tuple[Row, ...]:
    """The rows of a profile, in the order of execution; with `runtime` and `binding` they sum to the wall time.

    Args:
        counted: what was executed, with times.
        model: the `openvino.Model` that was compiled.
        origins: of its operations.
        request_us: median time of a request, taken without counters.
        wall_us: median time of the Python call around it.

    Returns:
        A row for each node, then `runtime` (the request minus the rows: scheduling, and the fractions that the
        counters drop; below 0 where counting slowed the nodes by more than that) and `binding` (the call minus the
        request).
    """
    macs = _macs_by_node(counted.nodes, model, origins)
    places = _places(counted.nodes, origins)
    rows = []
    for node in counted.nodes:
        place = places.get(node.name)
        row = Row(
            name=node.name,
            role=_role(node, place),
            block=place.block if place else "model",
            kind=node.kind,
            time_us=node.time_us,
            share=node.time_us / wall_us,
            macs=macs.get(node.name, 0),
            kernel=node.kernel,
            precision=node.precision,
            originals=node.originals,
        )
        rows.append(row)
    runtime_us = request_us - sum(row.time_us for row in rows)
    return (*rows, _rest("runtime", runtime_us, wall_us), _rest("binding", wall_us - request_us, wall_us))


def _rest(name: str, time_us: float, wall_us: float) -> Row:
    return Row(name, name, name, name, time_us, time_us / wall_us, 0, "", "", ())


def _window(ready: Compiled, seconds: float) -> tuple[list[Node], float]:
    """Nodes with their mean times over one window, and the median time of a request in it, us."""
    counting = with_counters(ready)
    for _ in range(WARM):
        counting.infer()
    before = [read for _, read in _executed(counting)]
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < LEAST or (time.perf_counter() - begin < seconds):
        counting.infer()
        times.append(counting.request_ms)
    nodes = [
        _node(op, window_mean(early, WARM, late, WARM + len(times)))
        for early, (op, late) in zip(before, _executed(counting), strict=True)
    ]
    return nodes, 1000 * float(np.median(times))


def _executed(counting: Compiled) -> list[tuple[Any, int]]:
    """The executed nodes of a compiled model, in order, and what their counters read, us."""
    ops = counting.compiled.get_runtime_model().get_ordered_ops()
    return [(op, _counter(op)) for op in ops if _text(op, "layerType") not in NOT_EXECUTED]


def _counter(op: Any) -> int:
    text = _text(op, "execTimeMcs")
    return int(text) if text.isdecimal() else 0  # `not_executed` below 1 us


def _text(op: Any, key: str) -> str:
    return str(op.rt_info[key].astype(str)) if key in op.rt_info else ""


def _node(op: Any, time_us: float) -> Node:
    kind = _text(op, "layerType")
    # A reorder is made for the node that reads it; anything else without a name belongs to what feeds it.
    ahead, behind = (consumers(op), producers(op)) if kind == "Reorder" else (producers(op), consumers(op))
    return Node(
        name=op.get_friendly_name(),
        kind=kind,
        kernel=_text(op, "primitiveType"),
        precision=_text(op, "runtimePrecision"),
        originals=tuple(name for name in _text(op, "originalLayersNames").split(",") if name),
        near=tuple(each.get_friendly_name() for each in (*ahead, *behind)),
        time_us=time_us,
    )


def _places(nodes: Sequence[Node], origins: Mapping[str, Origin]) -> dict[str, Origin]:
    """The place of each node: that of the operation with the most MACs in it, or a neighbour's."""
    places = {}
    for node in nodes:
        known = [origins[name] for name in (*node.originals, node.name) if name in origins]
        if known:
            places[node.name] = max(known, key=lambda origin: origin.macs)
    while True:
        found = {
            node.name: next(places[name] for name in node.near if name in places)
            for node in nodes
            if node.name not in places and not places.keys().isdisjoint(node.near)
        }
        if not found:
            return places
        places |= found


def _role(node: Node, place: Origin | None) -> str:
    """What a node is for: moving data wherever it stands, else its layer's role, else what its kind tells."""
    kind = role_of_kind(node.kind)
    if kind == "layout" or place is None or not node.originals:
        return kind
    return place.role


def _macs_by_node(nodes: Sequence[Node], model: Any, origins: Mapping[str, Origin]) -> dict[str, int]:
    """MACs of each node, those of the operations fused into it included; each operation is counted once.

    An operation that no node lists (the product of a linear layer, listed by its sum) goes to the nearest node after
    it, or before it.
    """
    runs = {name: node.name for node in reversed(nodes) for name in (*node.originals, node.name)}
    total: dict[str, int] = {}
    for op in model.get_ordered_ops():
        origin = origins.get(op.get_friendly_name())
        if origin is None or not origin.macs:
            continue
        node = _nearest(op, runs, consumers) or _nearest(op, runs, producers)
        if node is not None:
            total[node] = total.get(node, 0) + origin.macs
    return total


def _nearest(op: Any, runs: Mapping[str, str], neighbours: Callable[[Any], Iterable[Any]]) -> str | None:
    """The node that runs an operation, or the nearest one along `neighbours`, breadth first."""
    queue, seen = [op], set()
    while queue:
        here = queue.pop(0)
        name = here.get_friendly_name()
        if name in runs:
            return runs[name]
        if name not in seen:
            seen.add(name)
            queue.extend(neighbours(here))
    return None
