"""The passages of a segment: its best mappings, for each processor in front of it and behind it.

The total of a network is a closed form of few sums over its layers (`edge_toolkit.cost.placing`). All but two of its
terms add up layer by layer; the two, waiting for weights and streaming them, start where a sum exceeds the room on the
chip. In a `Regime` each of the two is either left out or counted in full, so that everything adds up, and the best
mapping of a chain is made of the best passages of its segments: for each pair of processors the best of all, and, where
a processor has a weight store of its own, the best of those that take fewer of its tiles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_search.segments import Booleans, Integers
from edge_toolkit.cost.objective import objective_of
from edge_toolkit.cost.placing import Places
from edge_toolkit.device import Device

Floats = NDArray[np.float64]

OBJECTIVE = objective_of("latency")
"""What `estimate` makes smallest."""

ROUNDING = 1e-14
"""A gain by a smaller share than this is none."""


class Regime(NamedTuple):
    """Whether a network waits for its weights, and whether it streams some of them, in each frame."""

    waits: bool
    streams: bool


REGIMES = (Regime(False, False), Regime(True, True), Regime(False, True))
"""A network that waits streams as well: no layer waits longer than its weights take to stream."""

BUSY_US, ENERGY_PJ, WAIT_US, STORED_BYTES, TILES = range(5)
"""What adds up over the layers of a network: columns of sums. From TILES on there is one for each processor."""


@dataclass(frozen=True)
class Passages:
    """Passages, one segment's after the other's, sorted by the processors and by tiles: the more, the better.

    Attributes:
        segment: (passages,) the segment.
        front: (passages,) the processor in front of it.
        behind: (passages,) the processor behind it.
        tiles: (passages,) what it takes of the weight store that has a limit.
        objective: (passages,) what it adds to the objective of its regime.
        sums: (passages, columns) what it adds to the sums.
    """

    segment: Integers
    front: Integers
    behind: Integers
    tiles: Integers
    objective: Floats
    sums: Floats

    @cached_property
    def cheapest(self) -> Integers:
        """(segments, processors in front, processors behind) the best passage of each, -1 where there is none."""
        count = int(self.front.max()) + 1
        found = np.full((int(self.segment[-1]) + 1, count, count), -1)
        found[self.segment, self.front, self.behind] = np.arange(len(self.front))  # the last by tiles is the best
        return found


@dataclass(frozen=True)
class _Step:
    """A layer, or the end of a segment, as what may follow what came before it.

    Attributes:
        processor: (ways,) where each way runs.
        sums: (ways, columns) what a way adds.
        crossing: (columns,) what is added where the processor changes; inf where it can't.
    """

    processor: Integers
    sums: Floats
    crossing: Floats


def totals(device: Device, sums: Floats, room_us: Floats | float, room_bytes: Floats | float) -> tuple[Floats, Floats]:
    """Latency (ms) and energy (mJ) of networks by their sums: the rules of `edge_toolkit.cost.placing`.

    Args:
        device: the hardware.
        sums: (n, columns).
        room_us: (n,) time that the room on the chip saves of waiting.
        room_bytes: (n,) weights that it keeps from streaming.
    """
    latency_us = sums[:, BUSY_US] + np.maximum(sums[:, WAIT_US] - room_us, 0)
    streamed_bytes = np.maximum(sums[:, STORED_BYTES] - room_bytes, 0)
    dynamic_pj = sums[:, ENERGY_PJ] + streamed_bytes * device.memory.dram_pj_per_byte.value
    return latency_us / 1e3, dynamic_pj * 1e-9 + device.static_mw * latency_us * 1e-6


def limited_store(device: Device) -> tuple[int, int]:
    """The processor whose weight store is shared out exactly, and its tiles: the last one that has a store."""
    sizes = [processor.tiles for processor in device.processors.values()]
    index = max((index for index, tiles in enumerate(sizes) if tiles), default=0)
    return index, sizes[index]


def passages_of(device: Device, segments: Sequence[Places], lasts: Sequence[bool], regime: Regime) -> Passages:
    """The passages of all segments in a regime, and of one without layers behind them.

    Args:
        device: the hardware.
        segments: the ways of running each segment's layers.
        lasts: whether the network ends with a segment, and its output goes back to the first processor.
        regime: what counts.
    """
    prices = _prices(device, regime)
    parts = [
        _passages(device, number, list(_steps(device, places, last)), prices)
        for number, (places, last) in enumerate(zip(segments, lasts, strict=True))
    ]
    parts.append(_passages(device, len(segments), [_end(device, None)], prices))
    return Passages(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Passages)))


def _prices(device: Device, regime: Regime) -> Floats:
    """What each column of the sums counts in the objective, which is linear in a regime: no room, or no end of it."""
    each = np.eye(TILES + len(device.processors))
    room_us, room_bytes = (0.0 if counts else np.inf for counts in regime)
    latency_ms, energy_mj = totals(device, each, room_us, room_bytes)
    return OBJECTIVE.per_ms * latency_ms + OBJECTIVE.per_mj * energy_mj


def _passages(device: Device, number: int, steps: Sequence[_Step], prices: Floats) -> Passages:
    """The passages of one segment, by its layers in turn: the partial mappings that no other one is better than."""
    processors = np.arange(len(device.processors))
    store, size = limited_store(device)
    nothing = np.zeros(len(processors))
    found = Passages(
        np.full(len(processors), number), processors, processors, nothing.astype(np.int64), nothing,
        np.zeros((len(processors), len(prices))),
    )  # fmt: skip
    for step in steps:
        before, way = (each.ravel() for each in np.indices((len(found.front), len(step.processor))))
        behind = step.processor[way]
        added = step.sums[way] + np.where((found.behind[before] != behind)[:, None], step.crossing, 0)
        sums = found.sums[before] + added
        objective = found.objective[before] + added @ prices
        tiles = sums[:, TILES + store].astype(np.int64)
        longer = Passages(found.segment[before], found.front[before], behind, tiles, objective, sums)
        found = _undominated(longer, np.isfinite(objective) & (tiles <= size))
    return found


def _undominated(passages: Passages, possible: Booleans) -> Passages:
    """The possible ones that none beats which takes no more tiles, sorted by processors and tiles."""
    order = np.lexsort((passages.objective, passages.tiles, passages.behind, passages.front))
    order = order[possible[order]]
    kept: list[int] = []
    pair, least = (-1, -1), np.inf
    ends = zip(passages.front[order].tolist(), passages.behind[order].tolist(), strict=True)
    for index, here, objective in zip(order.tolist(), ends, passages.objective[order].tolist(), strict=True):
        if here != pair:
            pair, least = here, np.inf
        if objective < least * (1 - ROUNDING):
            least = objective
            kept.append(index)
    return Passages(*(getattr(passages, field.name)[kept] for field in fields(Passages)))


def _steps(device: Device, places: Places, last: bool) -> Iterator[_Step]:
    processors = np.arange(len(device.processors))
    unused = np.zeros(2 + len(processors))
    tiles = np.where(places.processor[:, None, None] == processors, places.tiles[:, :, None], 0)
    spilled_pj = places.spilled_bytes * device.memory.dram_pj_per_byte.value
    columns = [places.busy_us, places.energy_pj + spilled_pj, places.wait_us, places.stored_bytes]
    sums = np.concatenate([np.stack(columns, axis=2), tiles], axis=2)  # (ways, layers, columns)
    for layer in range(sums.shape[1]):
        crossing = np.array([places.cross_us[layer], places.cross_pj[layer], *unused])
        yield _Step(places.processor, sums[:, layer], crossing)
    yield _end(device, np.array([places.cross_us[-1], places.cross_pj[-1], *unused]) if last else None)


def _end(device: Device, crossing: Floats | None) -> _Step:
    """The end of a segment, on the processor of its last layer; that of a network: back on the first, by `crossing`."""
    count = len(device.processors)
    columns = TILES + count
    if crossing is None:
        return _Step(np.arange(count), np.zeros((count, columns)), np.array([np.inf] + [0.0] * (columns - 1)))
    return _Step(np.zeros(1, dtype=np.int64), np.zeros((1, columns)), crossing)
