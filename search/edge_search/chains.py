"""The best mapping of many chains of segments at a time, as passages from the first processor and back to it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_search.passages import Floats, Passages
from edge_search.segments import Booleans, Integers

BLOCK = 256
"""Chains at a time, so that what numpy works on stays in the cache."""


def freely(passages: Passages, chains: Integers) -> Integers:
    """The best passages of each chain with no limit to the weight stores, by Viterbi's algorithm.

    Args:
        passages: of all segments, in one regime.
        chains: (n, places) segments.

    Returns:
        (n, places) passages; -1 where a chain has no mapping.
    """
    cheapest = np.moveaxis(passages.cheapest, 0, -1)  # (in front, behind, segments): numpy is quick along the last
    count = len(cheapest)
    if count == 1:
        return np.asarray(cheapest[0, 0][chains])
    cost = np.where(cheapest < 0, np.inf, passages.objective[cheapest])
    reached = np.full((count, len(chains)), np.inf)
    reached[0] = 0
    fronts = []
    for segment in chains.T:
        total = reached[:, None] + cost[:, :, segment]  # (in front, behind, n)
        fronts.append(total.argmin(axis=0))
        reached = total.min(axis=0)
    found = np.empty_like(chains)
    behind, candidates = np.zeros(len(chains), dtype=np.int64), np.arange(len(chains))
    for place in reversed(range(chains.shape[1])):
        front = fronts[place][behind, candidates]
        found[:, place] = cheapest[front, behind, chains[:, place]]
        behind = front
    return found


def within(passages: Passages, chains: Integers, tiles: int) -> Integers:
    """The best passages of each chain that take so many tiles at most: a knapsack at each step of Viterbi's algorithm.

    It goes from both ends to the middle: chains that begin alike are worked out together, and those that end alike.

    Args:
        passages: of all segments, in one regime.
        chains: (n, places) segments.
        tiles: of the one weight store; no single passage takes more.

    Returns:
        (n, places) passages; -1 where a chain has no such mapping.
    """
    begins, ends = _beginnings(chains), _beginnings(chains[:, ::-1])
    work = [np.cumsum([len(each.segment) for each in side]) for side in (begins, ends)]
    middle = int((work[0] + work[1][::-1]).argmin())
    turned = replace(passages, front=passages.behind, behind=passages.front)
    ahead = _reached(passages, begins[: middle + 1], tiles)
    back = _reached(turned, ends[: len(ends) - middle], tiles)
    where, taken, possible = _meeting(ahead[-1], begins[middle].chain, back[-1], ends[len(ends) - 1 - middle].chain)
    first = _retraced(passages, ahead, begins, chains[:, :middle], where, taken)
    second = _retraced(turned, back, ends, chains[:, middle:][:, ::-1], where, tiles - taken)
    return np.where(possible[:, None], np.concatenate([first, second[:, ::-1]], axis=1), -1)


@dataclass(frozen=True)
class _Beginnings:
    """The distinct beginnings of chains up to a place.

    Attributes:
        segment: (beginnings,) the last segment of each, ascending.
        shorter: (beginnings,) what is in front of it, one of the distinct beginnings up to the place before.
        chain: (n,) the beginning of each chain.
    """

    segment: Integers
    shorter: Integers
    chain: Integers


def _beginnings(chains: Integers) -> tuple[_Beginnings, ...]:
    """Those before the first place, and up to each of them."""
    nothing = np.zeros(1, dtype=np.int64)
    found = [_Beginnings(nothing, nothing, np.zeros(len(chains), dtype=np.int64))]
    for segment in chains.T:
        shorter = len(found[-1].segment)
        distinct, chain = np.unique(segment * shorter + found[-1].chain, return_inverse=True)
        found.append(_Beginnings(*divmod(distinct, shorter), chain))
    return tuple(found)


def _reached(passages: Passages, begins: Sequence[_Beginnings], tiles: int) -> list[Floats]:
    """The least objective of each beginning on each processor, with as many tiles taken at most.

    Returns:
        (processors, tiles + 1, beginnings) for each of `begins`.
    """
    count = int(passages.front.max()) + 1
    start = np.full((count, tiles + 1, 1), np.inf)
    start[0] = 0
    reached = [start]
    for begin in begins[1:]:
        before, after = reached[-1], np.full((count, tiles + 1, len(begin.segment)), np.inf)
        for here, of_segment in _groups(passages, begin.segment):
            _extend(passages, of_segment, before[:, :, begin.shorter[here]], after[:, :, here])
        reached.append(after)
    return reached


def _extend(passages: Passages, of_segment: range, before: Floats, after: Floats) -> None:
    """Lower what is reached `after` a segment, (processors, tiles + 1, beginnings), to what its passages lead to."""
    size, through = before.shape[1], np.empty(before.shape[1:])
    for passage in of_segment:
        tiles = passages.tiles[passage]
        came, went = before[passages.front[passage], : size - tiles], after[passages.behind[passage], tiles:]
        np.add(came, passages.objective[passage], out=through[tiles:])
        np.minimum(went, through[tiles:], out=went)


def _meeting(ahead: Floats, begin: Integers, back: Floats, end: Integers) -> tuple[Integers, Integers, Booleans]:
    """Where the best mapping of each chain (n,) passes its middle: the processor, the tiles taken before it, if any."""
    count, size, _ = ahead.shape
    found, possible = np.empty(len(begin), dtype=np.int64), np.empty(len(begin), dtype=np.bool_)
    for first in range(0, len(begin), BLOCK):
        here = slice(first, first + BLOCK)
        total = (ahead[:, :, begin[here]] + back[:, ::-1, end[here]]).reshape(count * size, -1)
        found[here], possible[here] = total.argmin(axis=0), np.isfinite(total.min(axis=0))
    return found // size, found % size, possible


def _retraced(
    passages: Passages, reached: Sequence[Floats], begins: Sequence[_Beginnings], chains: Integers,
    behind: Integers, left: Integers,
) -> Integers:  # fmt: skip
    """The passages (n, places) by which each chain came to a processor (n,) with so many tiles (n,) at most."""
    found = np.empty_like(chains)
    for place in reversed(range(chains.shape[1])):
        order = np.argsort(chains[:, place], kind="stable")
        for here, of_segment in _groups(passages, chains[order, place]):
            rows, numbers = order[here], np.arange(of_segment.start, of_segment.stop)[:, None]
            before = left[rows] - passages.tiles[numbers]  # (passages, chains)
            came = reached[place][passages.front[numbers], np.maximum(before, 0), begins[place].chain[rows]]
            may = (before >= 0) & (passages.behind[numbers] == behind[rows])
            found[rows, place] = of_segment.start + np.where(may, came + passages.objective[numbers], np.inf).argmin(
                axis=0
            )
        left = left - passages.tiles[found[:, place]]
        behind = passages.front[found[:, place]]
    return found


def _groups(passages: Passages, segments: Integers) -> Iterator[tuple[slice, range]]:
    """Blocks of one segment in an ascending array of them, each with the passages of the segment."""
    firsts = np.flatnonzero(np.diff(segments, prepend=-1))
    bounds = np.append(firsts, len(segments))
    begin, end = (np.searchsorted(passages.segment, segments[firsts], side=side) for side in ("left", "right"))
    for index in range(len(firsts)):
        for first in range(bounds[index], bounds[index + 1], BLOCK):
            yield slice(first, min(first + BLOCK, bounds[index + 1])), range(begin[index], end[index])
