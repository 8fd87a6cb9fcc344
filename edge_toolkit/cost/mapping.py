"""The best mapping of a network's layers to a device's processors: in which way each layer runs.

It is exact: a shortest path where that happens to fit, else a search by labels (`labels.py`). The record
`docs/decisions/0008-exact-mapping.md` says why and how, and what the model leaves out.
"""

from dataclasses import dataclass, replace

import numpy as np

from edge_toolkit.cost.bounds import climb, relevant
from edge_toolkit.cost.cost import Floats
from edge_toolkit.cost.labels import MOST_LABELS, search
from edge_toolkit.cost.objective import Objective
from edge_toolkit.cost.placing import Places, places_of
from edge_toolkit.cost.problem import Booleans, Problem, problem_of
from edge_toolkit.cost.products import Tangent, least_product
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.device import Device
from edge_toolkit.errors import AnswerIsNo
from edge_toolkit.layers import LayerTable
from edge_toolkit.processors.option import Integers

TOLERANCE = 1e-9
"""Two values that differ by less, as a share, are one: sums of some hundred rounded numbers."""


@dataclass(frozen=True)
class Chosen:
    """The best mapping: (layers,) a way for each layer, its value, and what no mapping is below.

    `bound` equals `value` but for rounding, unless the search was cut short (`labels.MOST_LABELS`). `mix` holds the
    weights of the bounds, and `tangents` those of a product, from which a search for the same problem with fewer ways
    may start.
    """

    ways: Integers
    value: float
    bound: float
    mix: Floats | None = None
    tangents: tuple[Tangent, ...] = ()

    @property
    def gap(self) -> float:
        """By what share a better mapping could be better at most; 0 where there is none."""
        gap = (self.value - self.bound) / self.value if self.value else 0.0
        return gap if gap > 10 * TOLERANCE else 0.0


def best_schedule(
    layers: LayerTable, device: Device, objective: Objective, streamed: bool = False
) -> tuple[Schedule, Chosen]:
    """The best mapping of a network to a device.

    Args:
        layers: the network.
        device: the hardware.
        objective: what is minimised.
        streamed: no weights stay in the shared memory from frame to frame; those in a macro's own store do.

    Returns:
        Its schedule, and how it was found.

    Raises:
        AnswerIsNo: a layer runs on none of the processors, or no mapping fits their weight stores.
    """
    places = places_of(layers, device)
    see_that_all_run(layers, device, places)
    if streamed:
        places = replace(places, room_bytes=0.0)
    chosen = best_ways(device, places, objective)
    return Schedule(device, places, chosen.ways), chosen


def see_that_all_run(layers: LayerTable, device: Device, places: Places) -> None:
    """See that each layer runs somewhere, whatever the others do.

    Raises:
        AnswerIsNo: some don't; the message tells which.
    """
    stuck = np.flatnonzero(~np.isfinite(places.busy_us).any(axis=0))
    if len(stuck) == 0:
        return
    named = ", ".join(layers.name[stuck[:5]]) + (f" and {len(stuck) - 5} more" if len(stuck) > 5 else "")
    room = ", or has room for its weights" if any(each.tiles for each in device.processors.values()) else ""
    why = f"none of {', '.join(device.processors)} computes a layer of kind {layers.kind[stuck[0]]}{room}"
    remedy = "add a processor that can"
    if device.origin == "calibrated":
        remedy = "calibrate it on networks that have such layers (`edge-toolkit calibrate --architectures FILE`)"
    raise AnswerIsNo(f"{device.name} can't run {named}: {why}; {remedy}")


def best_ways(device: Device, places: Places, objective: Objective, like: Chosen | None = None) -> Chosen:
    """The mapping of least value.

    Args:
        device: the hardware.
        places: every way of running each layer on it.
        objective: what is minimised.
        like: the best mapping where there are these ways and more, which shortens the search.

    Returns:
        A way for each layer.

    Raises:
        AnswerIsNo: no mapping fits the processors' weight stores.
    """
    if objective.goal == "edp":
        return _least_product(device, places, objective, like)
    problem = problem_of(device, places, objective.per_ms, objective.per_mj, objective.pipelined)
    return solve(problem, None if like is None else like.mix)


def solve(problem: Problem, mix: Floats | None = None, most_labels: int = MOST_LABELS) -> Chosen:
    """The choice whose largest line is smallest.

    Args:
        problem: what to choose.
        mix: (mixes, lines + stores) bounds' weights to start from.
        most_labels: see `labels.search`.

    Raises:
        AnswerIsNo: none fits the stores.
    """
    if not problem.runs.any(axis=0).all():
        raise AnswerIsNo(f"{NO_MAPPING}; layer {int(problem.runs.any(axis=0).argmin()) + 1} fits nowhere")
    problem = problem.without_losers()
    keep = relevant(problem)
    kept = replace(problem, lines=problem.lines[keep], crossing=problem.crossing[keep], offset=problem.offset[keep])
    start = climb(kept, TOLERANCE, None if mix is None else _narrowed(mix, keep))
    whole = np.zeros((len(start.paths.mix), len(keep) + len(problem.taken)))
    whole[:, np.append(keep, np.ones(len(problem.taken), dtype=bool))] = start.paths.mix
    ways, value, bound = start.chosen, start.value, start.bound
    if ways is None or value - bound > TOLERANCE * abs(value):
        found = search(kept, start, TOLERANCE, most_labels)
        ways, value, bound = found.chosen, found.value, found.bound
    if ways is None:
        raise AnswerIsNo(NO_MAPPING)
    return Chosen(ways, value, bound, whole)


NO_MAPPING = "no mapping fits the weight stores of the processors; enlarge them, or add a processor without one"


def _narrowed(mix: Floats, keep: Booleans) -> Floats | None:
    """A problem's mixes for some of its lines, weights adding up to 1 again; None where no line of theirs is left."""
    weights = mix[:, : len(keep)][:, keep]
    total = weights.sum(axis=1)
    narrowed = np.concatenate([weights / np.where(total, total, 1)[:, None], mix[:, len(keep) :]], axis=1)[total > 0]
    return narrowed if len(narrowed) else None


def _least_product(device: Device, places: Places, objective: Objective, like: Chosen | None) -> Chosen:
    """The mapping of least time x energy."""
    mix, gap = (None, 0.0) if like is None else (like.mix, like.gap)
    ways: dict[Tangent, Integers] = {}

    def touch(per_ms: float, per_mj: float) -> Tangent:
        nonlocal mix, gap
        found = solve(problem_of(device, places, per_ms, per_mj, objective.pipelined), mix)
        schedule = Schedule(device, places, found.ways)
        at = schedule.time_ms(objective.pipelined), schedule.energy_mj(objective.pipelined)
        tangent = Tangent(per_ms, per_mj, per_ms * at[0] + per_mj * at[1], at)
        mix, gap, ways[tangent] = found.mix, max(gap, found.gap), found.ways
        return tangent

    best, tangents = least_product(touch, () if like is None else like.tangents)
    value = best.product
    return Chosen(ways[best], value, value * (1 - gap) ** 2, mix, tangents)  # each may lie lower by the share `gap`
