"""The passages of a segment: its best mappings, for each processor in front of it and behind it.

The total of a network is a closed form of few sums over its layers (`edge_toolkit.cost.placing`). All but two of its
terms add up layer by layer; the two, waiting for weights and streaming them, start where a sum exceeds the room on the
chip. In a `Regime` each of the two is either left out or counted in full, so that everything adds up, and the best
mapping of a chain is made of the best passages of its segments: for each pair of processors the best of all, and, where
a processor has a weight store of its own, the best of those that take fewer of its tiles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_search.segments import Integers
from edge_toolkit.cost.placing import Places
from edge_toolkit.device import Device

Floats = NDArray[np.float64]

LATENCY_WEIGHT, ENERGY_WEIGHT = 1.0, 1e-6
"""What `estimate` makes smallest: LATENCY_WEIGHT * latency_ms + ENERGY_WEIGHT * energy_mj."""

ROUNDING = 1e-14
"""A gain by a smaller share than this is none."""


class Regime(NamedTuple):
    """Whether a network waits for its weights, and whether it streams some of them, in each frame."""

    waits: bool
    streams: bool


REGIMES = (Regime(False, False), Regime(True, True), Regime(False, True), Regime(True, False))

BUSY_US, ENERGY_PJ, WAIT_US, STORED_BYTES, TILES = range(5)
"""What adds up over the layers of a network: columns of sums. From TILES on there is one for each processor."""


@dataclass(frozen=True)
class Passages:
    """Passages, one segment's after the other's.

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
    return Passages(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _prices(device: Device, regime: Regime) -> Floats:
    """What each column of the sums counts in the objective: `cost_of`'s terms, those of a regime in full."""
    per_us = LATENCY_WEIGHT * 1e-3 + ENERGY_WEIGHT * device.static_mw * 1e-6
    per_pj = ENERGY_WEIGHT * 1e-9
    per_streamed_byte = per_pj * device.memory.dram_pj_per_byte.value
    tiles = np.zeros(len(device.processors))
    return np.array([per_us, per_pj, per_us * regime.waits, per_streamed_byte * regime.streams, *tiles])


def _passages(
    device: Device, number: int, steps: Sequence[_Step], prices: Floats
) -> tuple[Integers, Integers, Integers, Integers, Floats, Floats]:
    """The fields of `Passages` for one segment, by dynamic programming over its layers and the tiles taken so far."""
    count = len(device.processors)
    store, size = limited_store(device)
    where = np.arange(count)
    # (in front, ways, tiles at most): nothing is taken yet, so nothing depends on the tiles
    objective = np.where(np.eye(count)[:, :, None] == 1, np.zeros(size + 1), np.inf)
    sums = np.zeros((*objective.shape, len(prices)))
    for step in steps:
        after = np.full((count, len(step.processor), size + 1), np.inf)
        sums_after = np.zeros((*after.shape, len(prices)))
        for way, (processor, added) in enumerate(zip(step.processor, step.sums, strict=True)):
            tiles = int(added[TILES + store])
            if tiles > size or not np.isfinite(added @ prices):
                continue
            changes = where != processor
            add = added + np.where(changes[:, None], step.crossing, 0)  # (ways before, columns)
            left = size + 1 - tiles
            total = objective[:, :, :left] + (add @ prices)[:, None]
            best = total.argmin(axis=1)[:, None]  # (in front, 1, tiles at most)
            after[:, way, tiles:] = np.take_along_axis(total, best, axis=1)[:, 0]
            carried = np.take_along_axis(sums[:, :, :left], best[..., None], axis=1)[:, 0]
            sums_after[:, way, tiles:] = carried + add[best[:, 0]]
        objective, sums, where = after, sums_after, step.processor
    fewer = np.concatenate([np.full_like(objective[:, :, :1], np.inf), objective[:, :, :-1]], axis=2)
    front, behind, tiles = np.nonzero(objective < fewer * (1 - ROUNDING))
    kept = (front, behind, tiles)
    return np.full(len(front), number), front, behind, tiles, objective[kept], sums[kept]


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
