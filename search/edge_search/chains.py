"""The best mapping of many chains of segments at a time, as passages from the first processor and back to it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_search.passages import Floats, Passages
from edge_search.segments import Integers


def freely(passages: Passages, chains: Integers) -> Integers:
    """The best passages of each chain with no limit to the weight stores, by Viterbi's algorithm.

    Args:
        passages: of all segments, in one regime.
        chains: (n, places) segments.

    Returns:
        (n, places) passages.
    """
    segments, count = int(passages.segment[-1]) + 1, int(passages.front.max()) + 1
    # Those of a pair of processors are sorted by tiles, so that the last of them is the best.
    cheapest = np.full((count, count, segments), -1)
    cheapest[passages.front, passages.behind, passages.segment] = np.arange(len(passages.segment))
    if count == 1:
        return cheapest[0, 0][chains]
    cost = np.where(cheapest < 0, np.inf, passages.objective[cheapest])
    reached = np.full((count, len(chains)), np.inf)
    reached[0] = 0
    fronts = []
    for segment in chains.T:
        total = reached[:, None] + cost[:, :, segment]  # (in front, behind, n)
        fronts.append(total.argmin(axis=0))
        reached = total.min(axis=0)
    found = np.empty(chains.shape, dtype=np.int64)
    behind, candidates = np.zeros(len(chains), dtype=np.int64), np.arange(len(chains))
    for place in reversed(range(chains.shape[1])):
        front = fronts[place][behind, candidates]
        found[:, place] = cheapest[front, behind, chains[:, place]]
        behind = front
    return found


@dataclass(frozen=True)
class _Reached:
    """The least objective with which the distinct beginnings of the chains reach a place.

    Attributes:
        objective: (processors, tiles + 1, beginnings) on each processor, with as many tiles taken at most.
        beginning: (n,) which one each chain has.
    """

    objective: Floats
    beginning: Integers


def within(passages: Passages, chains: Integers, tiles: int) -> Integers:
    """The best passages of each chain that take so many tiles at most: a knapsack at the end of Viterbi's algorithm.

    Chains that begin alike are worked out together, which is most of them for half of the way.

    Args:
        passages: of all segments, in one regime.
        chains: (n, places) segments.
        tiles: of the one weight store.

    Returns:
        (n, places) passages.
    """
    count = int(passages.front.max()) + 1
    start = np.full((count, tiles + 1, 1), np.inf)
    start[0] = 0
    reached = [_Reached(start, np.zeros(len(chains), dtype=np.int64))]
    for segment in chains.T:
        reached.append(_next(passages, reached[-1], segment))
    found = np.empty(chains.shape, dtype=np.int64)
    behind, left = np.zeros((2, len(chains)), dtype=np.int64)
    left[:] = tiles
    for place in reversed(range(chains.shape[1])):
        found[:, place] = _last(passages, reached[place], chains[:, place], behind, left)
        behind = passages.front[found[:, place]]
        left = left - passages.tiles[found[:, place]]
    return found


def _next(passages: Passages, before: _Reached, segment: Integers) -> _Reached:
    """What is reached behind one more segment, (n,)."""
    count, tiles, beginnings = before.objective.shape
    distinct, beginning = np.unique(segment * beginnings + before.beginning, return_inverse=True)
    objective = np.full((count, tiles, len(distinct)), np.inf)
    for here, of_segment in _groups(passages, distinct // beginnings):
        came = before.objective[:, :, distinct[here] % beginnings]
        for passage in of_segment:
            taken = passages.tiles[passage]
            end = objective[passages.behind[passage], taken:, here]
            with_it = came[passages.front[passage], : tiles - taken] + passages.objective[passage]
            np.minimum(end, with_it, out=end)
    return _Reached(objective, beginning)


def _last(passages: Passages, before: _Reached, segment: Integers, behind: Integers, left: Integers) -> Integers:
    """The passage (n,) by which each chain came to the processor behind a segment, with the tiles left for it."""
    found = np.empty(len(segment), dtype=np.int64)
    order = np.argsort(segment, kind="stable")
    for here, of_segment in _groups(passages, segment[order]):
        rows, numbers = order[here], np.arange(of_segment.start, of_segment.stop)[:, None]
        ahead = left[rows] - passages.tiles[numbers]  # (passages, candidates)
        came = before.objective[passages.front[numbers], np.maximum(ahead, 0), before.beginning[rows]]
        total = np.where(
            (ahead >= 0) & (passages.behind[numbers] == behind[rows]), came + passages.objective[numbers], np.inf
        )
        found[rows] = of_segment.start + total.argmin(axis=0)
    return found


def _groups(passages: Passages, segments: Integers) -> Iterator[tuple[slice, range]]:
    """Runs of one segment in an ascending array of them, each with the passages of the segment."""
    firsts = np.flatnonzero(np.diff(segments, prepend=-1))
    bounds = np.append(firsts, len(segments))
    begin, end = (np.searchsorted(passages.segment, segments[firsts], side=side) for side in ("left", "right"))
    for index in range(len(firsts)):
        yield slice(bounds[index], bounds[index + 1]), range(begin[index], end[index])
