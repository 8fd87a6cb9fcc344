"""The executed rows of a profile: what ran, how long it took, and which part of the network it is.

OpenVINO's counters add up the times of each executed node since the model was compiled, in whole microseconds, and
give their mean, in whole microseconds again, both rounded down. So a row reads low, by less than `LOST_US`, and what
the rows lack is part of the `runtime` row. Nothing is scaled.
Source: openvino, src/plugins/intel_cpu/src/perf_count.h. Requests of the largest networks of `imu-s` (284 us) and
`image-s` (1872 us), of 96 nodes each, took 0.69 and 0.72 us a node more than their rows (AMD EPYC, one thread): what
is lost goes with the count of the nodes, not with their time.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from edge_deploy.origins import Origin, consumers, producers, role_of_kind
from edge_deploy.runtime import Compiled, runtime_info, with_counters
from edge_toolkit.profile import QUIET, Row

WINDOWS = 9
"""Times that the model is compiled and counted anew, at least."""

KEPT = 5
"""Windows that count: those whose median request is nearest to what it is uncounted."""

PATIENCE = 3
"""Times `WINDOWS` that are counted at most, where fewer than `KEPT` were quiet."""

HASTE = 10
"""Times the seconds asked for after which no window is begun, however few there are: a slow model needs fewer."""

WARM = 10
"""Requests before a window, taken out of its mean."""

LEAST = 50
"""Fewest requests of a window: the fewer, the more of the mean's lost fraction is the window's."""

LOST_US = 1 + (WARM + LEAST) / LEAST
"""Bound of what a row can lack: a request's fraction, and the mean's."""

CONSTANT = ("Const", "Constant")
VIEWS = ("Reshape", "Squeeze", "Unsqueeze")
"""Kinds of node that give the same bytes another shape."""
PORTS = ("Input", "Output", "Parameter", "Result")
"""Kinds of node that cost a request nothing."""


@dataclass(frozen=True)
class Node:
    """An executed node. `near` are the names of its neighbours, the one that it was made for first.

    `bytes` is what it reads, its weights among that, and what it writes.
    """

    name: str
    kind: str
    kernel: str
    precision: str
    originals: tuple[str, ...]
    near: tuple[str, ...]
    time_us: float
    bytes: int = 0


@dataclass(frozen=True)
class Counted:
    """Executed nodes with their mean times, and the median time of a request while counting, us."""

    nodes: tuple[Node, ...]
    request_us: float


def count(ready: Compiled, request_us: float, seconds: float) -> Counted:
    """Run a model with counters, in fresh windows.

    Args:
        ready: what was measured without counters.
        request_us: how long a request takes without them.
        seconds: for all windows together, up to three times as much on a busy machine; a slow model takes longer,
            until ten times as much are over.
    """

    def off(window: Counted) -> float:
        return abs(window.request_us / request_us - 1)

    windows: list[Counted] = []
    begin = time.perf_counter()
    while len(windows) < WINDOWS or (len(windows) < PATIENCE * WINDOWS and off(windows[KEPT - 1]) > QUIET):
        windows = sorted([*windows, window_of(ready, seconds / WINDOWS)], key=off)
        if time.perf_counter() - begin > HASTE * seconds:
            break
    return middle_of(windows[:KEPT])


def middle_of(windows: Sequence[Counted]) -> Counted:
    """Several counts of one model as one, each time the median of theirs."""
    times = np.median([[node.time_us for node in window.nodes] for window in windows], axis=0)
    nodes = tuple(replace(node, time_us=float(each)) for node, each in zip(windows[0].nodes, times, strict=True))
    return Counted(nodes, float(np.median([window.request_us for window in windows])))


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
    places = places_of(counted.nodes, origins)
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
            bytes=node.bytes,
        )
        rows.append(row)
    runtime_us = request_us - sum(row.time_us for row in rows)
    return (*rows, _rest("runtime", runtime_us, wall_us), _rest("binding", wall_us - request_us, wall_us))


def _rest(name: str, time_us: float, wall_us: float) -> Row:
    return Row(name, name, name, name, time_us, time_us / wall_us, 0, "", "", ())


def window_of(ready: Compiled, seconds: float) -> Counted:
    """What a model executes and how long that takes, from one window of at least `LEAST` requests, freshly compiled."""
    counting = with_counters(ready)
    for _ in range(WARM):
        counting.infer()
    before = [read for _, read in _executed(counting)]
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < LEAST or time.perf_counter() - begin < seconds:
        counting.infer()
        times.append(counting.request_ms)
    nodes = tuple(
        _node(op, window_mean(early, WARM, late, WARM + len(times)))
        for early, (op, late) in zip(before, _executed(counting), strict=True)
    )
    return Counted(nodes, 1000 * float(np.median(times)))


def _executed(counting: Compiled) -> list[tuple[Any, int]]:
    """The nodes that a request executes, in order, and what their counters read, us."""
    constant: set[str] = set()
    executed = []
    for op in counting.compiled.get_runtime_model().get_ordered_ops():
        ahead = [each.get_friendly_name() for each in producers(op)]
        kind = runtime_info(op, "layerType")
        # What only constants lead to, such as reshaped weights, is worked out once, at compilation.
        if kind in CONSTANT or (ahead and constant.issuperset(ahead)):
            constant.add(op.get_friendly_name())
        elif kind not in PORTS:
            executed.append((op, _counter(op)))
    return executed


def _counter(op: Any) -> int:
    text = runtime_info(op, "execTimeMcs")
    return int(text) if text.isdecimal() else 0  # `not_executed` where it would be 0


def _node(op: Any, time_us: float) -> Node:
    kind = runtime_info(op, "layerType")
    # A reorder is made for the node that reads it; anything else without a name belongs to what feeds it.
    ahead, behind = (consumers(op), producers(op)) if kind == "Reorder" else (producers(op), consumers(op))
    return Node(
        name=op.get_friendly_name(),
        kind=kind,
        kernel=runtime_info(op, "primitiveType"),
        precision=runtime_info(op, "runtimePrecision"),
        originals=tuple(name for name in runtime_info(op, "originalLayersNames").split(",") if name),
        near=tuple(each.get_friendly_name() for each in (*ahead, *behind)),
        time_us=time_us,
        bytes=0 if kind in VIEWS else _bytes(op),
    )


def _bytes(op: Any) -> int:
    """What a node reads and writes; its weights as wide as what it computes in, for it keeps them so."""
    import openvino as ov

    own = getattr(ov.Type, runtime_info(op, "runtimePrecision"), ov.Type.f32).bitwidth
    bits = sum(prod(port.get_shape()) * port.get_element_type().bitwidth for port in op.outputs() if _static(port))
    for port in op.inputs():
        if _static(port):
            width = port.get_element_type().bitwidth
            stored = runtime_info(port.get_source_output().get_node(), "layerType") in CONSTANT
            bits += prod(port.get_shape()) * (min(width, own) if stored else width)
    return int(bits // 8)


def _static(port: Any) -> bool:
    return bool(port.get_partial_shape().is_static)


def places_of(nodes: Sequence[Node], origins: Mapping[str, Origin]) -> dict[str, Origin]:
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
    # A linear layer's node lists the sum with its bias alone, which tells little where no architecture does.
    return kind if place.role == "elementwise" else place.role


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
