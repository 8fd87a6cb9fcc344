"""The best mapping of a network's layers to a device's processors: in which way each layer runs.

It is exact: a shortest path where that happens to fit, else a search by labels (`labels.py`). The record
`docs/decisions/0008-exact-mapping.md` says why and how, and what the model leaves out.
"""

from dataclasses import dataclass, replace

import numpy as np

from edge_toolkit.cost.bounds import climb, relevant
from edge_toolkit.cost.cost import Floats
from edge_toolkit.cost.labels import MOST_LABELS, search
from edge_toolkit.cost.objective import TIE, Objective
from edge_toolkit.cost.placing import Places
from edge_toolkit.cost.problem import Booleans, Problem, problem_of
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.device import Device
from edge_toolkit.errors import AnswerIsNo
from edge_toolkit.processors.option import Integers

TOLERANCE = 1e-9
"""Two values that differ by less, as a share, are one: sums of some hundred rounded numbers."""


@dataclass(frozen=True)
class Chosen:
    """The best mapping: (layers,) a way for each layer, its value, and what no mapping is below.

    `bound` equals `value` but for rounding, unless the search was cut short (`labels.MOST_LABELS`). `mix` holds the
    weights of the bounds, from which a search for a similar problem may start.
    """

    ways: Integers
    value: float
    bound: float
    mix: Floats | None = None

    @property
    def gap(self) -> float:
        """By what share a better mapping could be better at most; 0 where there is none."""
        gap = (self.value - self.bound) / self.value if self.value else 0.0
        return gap if gap > 10 * TOLERANCE else 0.0


def best_ways(device: Device, places: Places, objective: Objective, like: Chosen | None = None) -> Chosen:
    """The mapping of least value.

    Args:
        device: the hardware.
        places: every way of running each layer on it.
        objective: what is minimised.
        like: the best mapping of a similar problem, which shortens the search.

    Returns:
        A way for each layer.

    Raises:
        AnswerIsNo: no mapping fits the processors' weight stores.
    """
    if objective.goal == "edp":
        return _least_product(device, places, objective)
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


@dataclass(frozen=True)
class _Point:
    """A mapping by its time and energy, and the weights for which it is the best one."""

    time_ms: float
    energy_mj: float
    per_ms: float
    per_mj: float
    chosen: Chosen


def _least_product(device: Device, places: Places, objective: Objective) -> Chosen:
    """The mapping of least time x energy.

    A product of two positive numbers is least at a corner of the convex hull of all (time, energy), and a corner is
    best for some weights. So corners are looked for between two that are known, as long as the tangents at these leave
    room for a smaller product: they meet in a point that is below and left of all between.

    Source: Aneja and Nair, Bicriteria transportation problem, Management Science 25, 1979.
    """

    def corner(per_ms: float, per_mj: float) -> _Point:
        chosen = solve(problem_of(device, places, per_ms, per_mj, objective.pipelined))
        schedule = Schedule(device, places, chosen.ways)
        time, energy = schedule.time_ms(objective.pipelined), schedule.energy_mj(objective.pipelined)
        return _Point(time, energy, per_ms, per_mj, chosen)

    fastest, thriftiest = corner(1.0, TIE), corner(TIE, 1.0)
    best = min(fastest, thriftiest, key=lambda point: point.time_ms * point.energy_mj)
    bound = best.time_ms * best.energy_mj
    gap = max(fastest.chosen.gap, thriftiest.chosen.gap)
    between = [(fastest, thriftiest)]
    while between:
        left, right = between.pop()
        if _meeting(left, right) >= bound * (1 - TOLERANCE):
            continue
        found = corner(left.energy_mj - right.energy_mj, right.time_ms - left.time_ms)
        gap = max(gap, found.chosen.gap)
        if found.time_ms * found.energy_mj < bound:
            best, bound = found, found.time_ms * found.energy_mj
        if _below(found, left, right):
            between += [(left, found), (found, right)]
    return Chosen(best.chosen.ways, bound, bound * (1 - gap) ** 2)  # each tangent may lie lower by that share


def _meeting(left: _Point, right: _Point) -> float:
    """The product of time and energy where the tangents of two corners meet."""
    a, b = left.per_ms, left.per_mj
    c, d = right.per_ms, right.per_mj
    determinant = a * d - b * c
    if determinant <= 0 or left.time_ms >= right.time_ms or left.energy_mj <= right.energy_mj:
        return np.inf
    first, second = a * left.time_ms + b * left.energy_mj, c * right.time_ms + d * right.energy_mj
    return (first * d - b * second) / determinant * ((a * second - c * first) / determinant)


def _below(found: _Point, left: _Point, right: _Point) -> bool:
    """Whether a point lies below the line through two others."""
    per_ms, per_mj = found.per_ms, found.per_mj
    line = per_ms * left.time_ms + per_mj * left.energy_mj
    return per_ms * found.time_ms + per_mj * found.energy_mj < line * (1 - TOLERANCE)
