"""Exact choice by labels: every partial mapping that may still become the best one, layer after layer.

A label is the vector of sums of a partial mapping. It is dropped where a bound shows that it can't beat the best
mapping known (`bounds.py`), and where another label on the same processor is nowhere worse. Each label is also
completed along the paths of the bounds, so that the best mapping known is soon the best one there is.

Source: Irnich and Desaulniers, Shortest path problems with resource constraints, in Column Generation, Springer 2005.
"""

from dataclasses import dataclass

import numpy as np

from edge_toolkit.cost.bounds import Climb, Paths, largest_leads
from edge_toolkit.cost.cost import Floats
from edge_toolkit.cost.problem import FITS, Booleans, Problem
from edge_toolkit.processors.option import Integers

MOST_LABELS = 5_000
BLOCK = 256
FRONT = 1024
COMPLETED = 128


@dataclass(frozen=True)
class Labels:
    """Partial mappings up to a layer: sums of lines and stores, the last processor, and where they come from."""

    lines: Floats  # (lines, labels)
    stores: Floats  # (stores, labels)
    where: Integers  # (labels,)
    parent: Integers  # (labels,) in the labels of the layer before
    way: Integers  # (labels,)

    def __len__(self) -> int:
        return len(self.where)

    def take(self, which: Integers | Booleans) -> "Labels":
        """Some of them."""
        return Labels(
            self.lines[:, which], self.stores[:, which], self.where[which], self.parent[which], self.way[which]
        )


@dataclass(frozen=True)
class Found:
    """The best mapping (None where none fits), its value, and a bound that no mapping is below."""

    chosen: Integers | None
    value: float
    bound: float


def search(problem: Problem, start: Climb, tolerance: float, most_labels: int = MOST_LABELS) -> Found:
    """The best mapping of a problem.

    Args:
        problem: what to choose.
        start: bounds on it, and a mapping to beat.
        tolerance: share by which a mapping must be better to be looked for.
        most_labels: kept after each layer; beyond it those of the least bounds are, and `bound` tells what was lost.

    Returns:
        The best mapping; `bound` equals its value, less the tolerance, unless labels were lost.
    """
    rests, leads = _rests(problem, start.paths), largest_leads(problem)
    most_rest = _most_rest(problem)
    chosen, value, lost = start.chosen, start.value, np.inf
    none = np.zeros(1, dtype=np.int64)
    labels = Labels(problem.offset[:, None], np.zeros((len(problem.taken), 1)), none, none, none)
    history: list[Labels] = []
    for layer in range(problem.layers):
        labels = _extended(problem, labels, layer)
        bound = _bounds(start.paths, labels, layer + 1)
        order = np.argsort(bound, kind="stable")
        labels, bound = labels.take(order), bound[order]
        # At the end all: bounds are no values even there, for they take what a store has left as a gain.
        most = len(labels) if layer + 1 == problem.layers else min(COMPLETED, len(labels))
        better = _completed(rests, labels.take(np.arange(most)), layer + 1)
        if better is not None and better[0] < value:
            value, label, mix = better
            chosen = _traced(problem, start.paths, [*history, labels], label, mix)
        within = bound < (value * (1 - tolerance) if chosen is not None else np.inf)
        labels, bound = labels.take(within), bound[within]
        kept = _undominated(labels, bound, leads[:, :, layer + 1], most_rest[:, layer + 1], problem.processors)
        labels, bound = labels.take(kept), bound[kept]
        if len(labels) > most_labels:
            lost = min(lost, float(bound[most_labels]))
            labels = labels.take(np.arange(most_labels))
        history.append(labels)
        if not len(labels):
            break
    return Found(chosen, value, min(value, lost))


def _extended(problem: Problem, labels: Labels, layer: int) -> Labels:
    """Every label with every way of a layer that the stores have room for."""
    parts = []
    for way in np.flatnonzero(problem.runs[:, layer]):
        onto = problem.processor[way]
        changes = labels.where != onto
        stores = labels.stores + problem.taken[:, way, layer][:, None]
        fits = np.flatnonzero((stores <= FITS).all(axis=0))
        lines = (
            labels.lines + problem.lines[:, way, layer][:, None] + problem.crossing[:, onto, layer][:, None] * changes
        )
        full = np.full(len(fits), onto), fits, np.full(len(fits), way)
        parts.append(Labels(lines[:, fits], stores[:, fits], *full))
    return Labels(
        np.concatenate([each.lines for each in parts], axis=1),
        np.concatenate([each.stores for each in parts], axis=1),
        np.concatenate([each.where for each in parts]),
        np.concatenate([each.parent for each in parts]),
        np.concatenate([each.way for each in parts]),
    )


def _bounds(paths: Paths, labels: Labels, layer: int) -> Floats:
    """(labels,) what a whole mapping that begins so costs at least."""
    lines = len(labels.lines)
    sums = paths.mix @ np.concatenate([labels.lines, labels.stores]) + paths.rest[:, layer][:, labels.where]
    bounds: Floats = (sums - paths.mix[:, lines:].sum(axis=1)[:, None]).max(axis=0)
    return bounds


def _rests(problem: Problem, paths: Paths) -> Floats:
    """(lines + stores, mixes, layers + 1, processors): what each path adds to each line and store from a layer on."""
    mixes, layers, count = paths.way.shape
    both = np.concatenate([problem.lines, problem.taken])
    into = np.concatenate([problem.crossing, np.zeros((len(problem.taken), *problem.crossing.shape[1:]))])
    rests = np.zeros((len(both), mixes, layers + 1, count))
    rests[:, :, layers] = (into[:, 0, layers][:, None] * (np.arange(count) != 0))[:, None]
    onto = problem.processor[paths.way]  # (mixes, layers, from)
    changes = onto != np.arange(count)
    at = np.arange(layers)[None, :, None]
    step = both[:, paths.way, at] + into[:, onto, at] * changes
    rows = np.arange(mixes)[:, None]
    for layer in range(layers - 1, -1, -1):
        rests[:, :, layer] = step[:, :, layer] + rests[:, rows, layer + 1, onto[:, layer]]
    return rests


def _most_rest(problem: Problem) -> Floats:
    """(stores, layers + 1): the most that a layer and all later ones can take of each store."""
    each = problem.taken.max(axis=1)
    return np.concatenate([each[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((len(each), 1))], axis=1)


def _completed(rests: Floats, labels: Labels, layer: int) -> tuple[float, int, int] | None:
    """The best of the labels completed along each path: value, label and mix."""
    lines = len(labels.lines)
    rest = rests[:, :, layer][:, :, labels.where]  # (lines + stores, mixes, labels)
    values = (labels.lines[:, None] + rest[:lines]).max(axis=0)
    fits = (labels.stores[:, None] + rest[lines:] <= FITS).all(axis=0)
    values = np.where(fits, values, np.inf)
    if not np.isfinite(values).any():
        return None
    mix, label = np.unravel_index(values.argmin(), values.shape)
    return float(values[mix, label]), int(label), int(mix)


def _traced(problem: Problem, paths: Paths, history: list[Labels], label: int, mix: int) -> Integers:
    """The whole mapping of a label that is completed along a path."""
    chosen = np.empty(problem.layers, dtype=np.int64)
    where = int(history[-1].where[label])
    for layer in range(len(history), problem.layers):
        chosen[layer] = paths.way[mix, layer, where]
        where = int(problem.processor[chosen[layer]])
    for layer in range(len(history) - 1, -1, -1):
        chosen[layer] = history[layer].way[label]
        label = int(history[layer].parent[label])
    return chosen


def _undominated(labels: Labels, bound: Floats, leads: Floats, most_rest: Floats, processors: int) -> Integers:
    """Which labels, in their order, are not nowhere better than another one on the same processor.

    A line that no rest can bring to the top counts as low as it may without getting there, and a store that can't
    overflow any more counts as the fullest of those: what can't matter decides nothing.
    """
    kept = []
    for index in range(processors):
        mine = np.flatnonzero(labels.where == index)
        if len(mine):
            lines = (labels.lines[None, :, mine] - leads[:, :, index, None]).max(axis=1)
            stores = np.maximum(labels.stores[:, mine], 1 - most_rest[:, None])
            kept.append(mine[_front(np.concatenate([lines, stores]))])
    return np.sort(np.concatenate(kept)) if kept else np.empty(0, dtype=np.int64)


def _front(points: Floats) -> Integers:
    """Indices of points (numbers, points) that no other one is at or below in every number; of equals the first.

    Of three numbers and more not each is held against each: with many, some that could go stay, which costs time and
    nothing else.
    """
    points = points[np.ptp(points, axis=1) > 0]
    if len(points) < 3:
        return _stairs(points)
    order = np.argsort(points.sum(axis=0), kind="stable")
    kept = np.empty(0, dtype=np.int64)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        block = block[~_below(points[:, kept[:FRONT]], points[:, block]).any(axis=0)]
        below = np.triu(_below(points[:, block], points[:, block]), 1)  # earlier ones, whose sum is less
        kept = np.concatenate([kept, block[~below.any(axis=0)]])
    return kept


def _stairs(points: Floats) -> Integers:
    """`_front` of points of two numbers or fewer, each held against each."""
    if not len(points):
        return np.zeros(1, dtype=np.int64)
    order = np.lexsort(points[::-1])
    second = points[-1, order]
    lowest = np.append(np.inf, np.minimum.accumulate(second)[:-1])
    return np.asarray(order[second < lowest])


def _below(winners: Floats, points: Floats) -> Booleans:
    """(winners, points) whether a winner is at or below a point in every number."""
    below: Booleans = np.less_equal.outer(winners[0], points[0])
    for winner, point in zip(winners[1:], points[1:], strict=True):
        below &= winner[:, None] <= point
    return below
