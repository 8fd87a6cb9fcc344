"""What is left to pay at least: Lagrangian bounds on a problem, and the mappings found on the way.

The largest line is at least any weighted mean of the lines, and a limit that may be broken at a price is no limit. With
weights and prices fixed, each layer adds one number, and the best mapping is a shortest path: dynamic programming over
(layer, processor). Its length is a bound for every prefix of a mapping; the best weights and prices are climbed to.

Source: Held, Wolfe, Crowder, Validation of subgradient optimization, Mathematical Programming 6, 1974.
"""

from dataclasses import dataclass

import numpy as np

from edge_toolkit.cost.cost import Floats
from edge_toolkit.cost.problem import FITS, Booleans, Problem
from edge_toolkit.processors.option import Integers

STEPS = 40
PATIENCE = 8
"""Steps without a bound that is better by a hundred-thousandth, after which the climb ends."""
CLIMBERS = 6
KEPT = 12
"""Mixes that bound the labels: not only the last and best, which are much alike and bound few of them well."""


@dataclass(frozen=True)
class Paths:
    """Shortest paths under several mixes of a problem's lines and stores.

    Attributes:
        mix: (mixes, lines + stores) weights of the lines, then prices of the stores.
        rest: (mixes, layers + 1, processors) least sum of layer `l` and all later ones, by the processor of the layer
            before.
        way: (mixes, layers, processors) the way that a layer takes on that path, by the processor of the layer before.
        total: (mixes,) the least mixed sum of a whole mapping, what the stores may hold taken off: a bound.
    """

    mix: Floats
    rest: Floats
    way: Integers
    total: Floats

    def best(self, problem: Problem) -> Integers:
        """(mixes, layers) the whole mapping of each path."""
        mixes, layers, _ = self.way.shape
        chosen = np.empty((mixes, layers), dtype=np.int64)
        rows, where = np.arange(mixes), np.zeros(mixes, dtype=np.int64)
        for layer in range(layers):
            chosen[:, layer] = self.way[rows, layer, where]
            where = problem.processor[chosen[:, layer]]
        return chosen


def paths_of(problem: Problem, mix: Floats) -> Paths:
    """The shortest paths of a problem under each mix (mixes, lines + stores) of its lines and stores."""
    count, lines = problem.processors, len(problem.offset)
    each = np.einsum("bk,kwl->bwl", mix, np.concatenate([problem.lines, problem.taken]))
    each = np.where(problem.runs, each, np.inf)
    at = [np.flatnonzero(problem.processor == index) for index in range(count)]
    own = np.stack([ways[each[:, ways].argmin(axis=1)] for ways in at], axis=-1)  # (mixes, layers, processors)
    least = np.take_along_axis(each.transpose(0, 2, 1), own, axis=2)
    into = np.einsum("bk,kpl->blp", mix[:, :lines], problem.crossing)
    change = into[:, :, None, :] * (1 - np.eye(count))  # (mixes, layers + 1, from, to)
    rest = np.empty((len(mix), problem.layers + 1, count))
    rest[:, -1] = change[:, -1, :, 0]
    step = least[:, :, None, :] + change[:, :-1]
    for layer in range(problem.layers - 1, -1, -1):
        rest[:, layer] = (step[:, layer] + rest[:, layer + 1][:, None, :]).min(axis=2)
    onto = (step + rest[:, 1:, None, :]).argmin(axis=3)  # (mixes, layers, from)
    total = mix[:, :lines] @ problem.offset - mix[:, lines:].sum(axis=1) + rest[:, 0, 0]
    return Paths(mix, rest, np.take_along_axis(own, onto, axis=2), total)


@dataclass(frozen=True)
class Climb:
    """The best mixes found, and the best mapping among their paths (None where none fits the stores)."""

    paths: Paths
    bound: float
    value: float
    chosen: Integers | None


def climb(problem: Problem, tolerance: float, mix: Floats | None = None) -> Climb:
    """Climb to weights and prices whose shortest path is longest.

    Args:
        problem: what to bound.
        tolerance: bound and value are called equal where they differ by less than this share.
        mix: (mixes, lines + stores) where to start, beside the corners.

    Returns:
        Up to `KEPT` mixes, the lower bound and the best mapping seen. It ends at once where the two meet.
    """
    lines, stores = len(problem.offset), len(problem.taken)
    scale = abs(float(paths_of(problem, _corners(lines, stores, 0.0)).total.max())) or 1.0
    mix = np.concatenate([each for each in (mix, _corners(lines, stores, scale)) if each is not None])
    chosen, value, bound, kept = None, np.inf, -np.inf, mix[:0]
    totals, raised, last = np.empty(0), -np.inf, 0
    for step in range(STEPS):
        paths = paths_of(problem, mix)
        slopes = np.empty_like(mix)
        for row, candidate in enumerate(paths.best(problem)):
            line, store = problem.sums(candidate)
            slopes[row] = np.concatenate([line, store - 1])
            if (store <= FITS).all() and line.max() < value:
                chosen, value = candidate, float(line.max())
        kept, totals = np.concatenate([kept, mix]), np.concatenate([totals, paths.total])
        best = np.argsort(-totals, kind="stable")[:KEPT]
        kept, totals = kept[best], totals[best]
        bound = float(totals[0])
        if bound > raised + 1e-5 * abs(bound):
            raised, last = bound, step
        if (chosen is not None and value - bound <= tolerance * abs(value)) or step - last > PATIENCE:
            break
        aim = min(value, bound + 0.05 * abs(bound)) if step else bound + 0.05 * abs(bound)
        order = np.argsort(-paths.total, kind="stable")[:CLIMBERS]
        mix = _stepped(mix[order], slopes[order], np.maximum(aim - paths.total[order], 0), lines, scale)
    return Climb(paths_of(problem, kept), bound, value, chosen)


def _corners(lines: int, stores: int, price: float) -> Floats:
    """Each line alone and all alike at no price, then all alike at a few prices of the stores up to a deterrent one."""
    alike = np.full((1, lines), 1 / lines)
    weights = np.concatenate([np.eye(lines), alike] + [alike] * (4 if price and stores else 0))
    prices = np.zeros((len(weights), stores))
    if price and stores:
        prices[-4:] = price * np.array([[1e-2], [1e-1], [1.0], [1e3]])
    return np.concatenate([weights, prices], axis=1)


def _stepped(mix: Floats, slopes: Floats, missing: Floats, lines: int, scale: float) -> Floats:
    """Polyak's step towards `missing` (mixes,) more, weights back on the simplex and prices above 0."""
    weights, prices = slopes[:, :lines] / scale, slopes[:, lines:]
    weights = weights - weights.mean(axis=1, keepdims=True)
    steep = (weights**2).sum(axis=1) + (prices**2).sum(axis=1)
    length = (missing / scale / np.maximum(steep, 1e-30))[:, None]
    return np.concatenate(
        [_on_simplex(mix[:, :lines] + length * weights), np.maximum(mix[:, lines:] + length * prices * scale, 0)],
        axis=1,
    )


def _on_simplex(points: Floats) -> Floats:
    """The nearest points with no coordinate below 0 and a sum of 1."""
    falling = -np.sort(-points, axis=1)
    above = (np.cumsum(falling, axis=1) - 1) / np.arange(1, points.shape[1] + 1)
    last = (falling > above).sum(axis=1) - 1
    nearest: Floats = np.maximum(points - above[np.arange(len(points)), last][:, None], 0)
    return nearest


def largest_leads(problem: Problem) -> Floats:
    """(lines, lines, layers + 1, processors): by how much the rest of one line can exceed the rest of another at most.

    `[i, j, l, p]` is the largest of (line i - line j) over layer `l` and all later ones, layer `l - 1` on processor p.
    """
    count = len(problem.offset)
    pairs = (
        np.eye(count)[None, :, :] - np.eye(count)[:, None, :]
    )  # [i, j]: line j - line i, whose least is minus the lead
    mix = np.concatenate([pairs.reshape(count * count, count), np.zeros((count * count, len(problem.taken)))], axis=1)
    leads: Floats = -paths_of(problem, mix).rest.reshape(count, count, problem.layers + 1, problem.processors)
    return leads


def relevant(problem: Problem) -> Booleans:
    """(lines,) which lines can be the largest under some mapping; of equals the first."""
    ahead = problem.offset[:, None] - problem.offset[None, :] + largest_leads(problem)[:, :, 0, 0]
    keep = np.ones(len(problem.offset), dtype=bool)
    for line in range(len(keep) - 1, -1, -1):
        others = keep.copy()
        others[line] = False
        keep[line] = not (ahead[line, others] <= 0).any()
    return keep
