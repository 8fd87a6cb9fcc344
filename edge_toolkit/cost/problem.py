"""`Problem`: the choice of a way for each layer, as sums over layers and the largest of them.

Both objectives that are no product are the largest of a few sums (`lines`), each of which grows with every layer:

- In sequence, the waits `max(0, sum of waits - room)` and the bytes streamed `max(0, sum stored - room)` are either 0
  or linear, so that time and energy weighted are the largest of four lines: with and without each of the two.
- In a pipeline the period is the load of the busiest of the processors, the link and the DRAM: a line for each.

Weight stores are sums too, each with a limit. So a partial mapping is known by one vector of sums.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.cost.cost import Floats
from edge_toolkit.cost.placing import Places
from edge_toolkit.device import Device
from edge_toolkit.processors.option import Integers

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Problem:
    """Choose a way for each layer so that the largest line is smallest and no store overflows.

    Attributes:
        processor: (ways,) index of the processor that a way runs on, below `processors`.
        processors: how many there are; work starts and ends at the first.
        runs: (ways, layers) whether a layer may run so.
        lines: (lines, ways, layers) what a layer adds to each line, 0 where it can't run.
        crossing: (lines, processors, layers + 1) what changing to a processor adds before each layer and at the end.
        offset: (lines,) what each line begins with.
        taken: (stores, ways, layers) share of each limited weight store that a layer takes; the sum is at most 1.
    """

    processor: Integers
    processors: int
    runs: Booleans
    lines: Floats
    crossing: Floats
    offset: Floats
    taken: Floats

    @property
    def layers(self) -> int:
        """How many choices there are."""
        return int(self.runs.shape[1])

    def sums(self, chosen: Integers) -> tuple[Floats, Floats]:
        """Every line (lines,) and every store's share (stores,) under a choice (layers,)."""
        layers = np.arange(self.layers)
        where = np.append(self.processor[chosen], 0)
        changes = np.diff(where, prepend=0) != 0
        crossing = self.crossing[:, where, np.arange(self.layers + 1)] * changes
        lines = self.offset + self.lines[:, chosen, layers].sum(axis=1) + crossing.sum(axis=1)
        return lines, self.taken[:, chosen, layers].sum(axis=1)

    def only(self, layer: int, ways: Booleans) -> "Problem":
        """The same with a layer held to some of its ways."""
        runs = self.runs.copy()
        runs[:, layer] &= ways
        return replace(self, runs=runs)

    def without_losers(self) -> "Problem":
        """The same without ways that are nowhere better than another way of their layer on the same processor."""
        costs = np.concatenate([self.lines, self.taken])
        runs = self.runs.copy()
        for loser, winner in product(range(len(self.processor)), repeat=2):
            if loser != winner and self.processor[loser] == self.processor[winner]:
                better = costs[:, winner] <= costs[:, loser]
                runs[loser] &= ~(runs[winner] & better.all(axis=0))  # of two equals the first to be looked at goes
        return replace(self, runs=runs)


FITS = 1 + 1e-9
"""Shares of a store are sums of rounded fractions."""


def problem_of(device: Device, places: Places, per_ms: float, per_mj: float, pipelined: bool) -> Problem:
    """The choice of a way for each layer that minimises `per_ms` * time + `per_mj` * energy."""
    processors = tuple(device.processors.values())
    limits = [
        (index, each.tiles)
        for index, each in enumerate(processors)
        if (places.tiles > 0)[places.processor == index].any()
    ]
    taken = np.array(
        [np.where(places.processor[:, None] == index, places.tiles, 0) / max(limit, 0.5) for index, limit in limits]
    ).reshape(len(limits), *places.tiles.shape)
    runs = np.isfinite(places.busy_us) & (taken <= FITS).all(axis=0)
    finite = [np.where(runs, each, 0.0) for each in (places.busy_us, places.energy_pj)]
    places = replace(places, busy_us=finite[0], energy_pj=finite[1])
    lines, crossing, offset = zip(*(_pipeline if pipelined else _sequence)(device, places, per_ms, per_mj), strict=True)
    return Problem(
        processor=places.processor,
        processors=len(processors),
        runs=runs,
        lines=np.where(runs, np.array(lines), 0),
        crossing=np.array(crossing),
        offset=np.array(offset),
        taken=np.where(runs, taken, 0),
    )


Line = tuple[Floats, Floats, float]
"""A line of a problem: (ways, layers), (processors, layers + 1), offset."""


def _sequence(device: Device, places: Places, per_ms: float, per_mj: float) -> Iterator[Line]:
    memory, everywhere = device.memory, np.ones((len(device.processors), 1))
    per_us = per_ms * 1e-3 + per_mj * device.static_mw * 1e-6
    per_pj = per_mj * 1e-9
    per_byte = per_pj * memory.dram_pj_per_byte.value
    room_us = places.room_bytes / (memory.dram_gb_s.value * 1e3)
    crossing = everywhere * (per_us * places.cross_us + per_pj * places.cross_pj)
    for waits, streams in product((0, 1), repeat=2):
        yield (
            per_us * (places.busy_us + waits * places.wait_us)
            + per_pj * places.energy_pj
            + streams * per_byte * places.stored_bytes,
            crossing,
            per_byte * (places.spilled_bytes.sum() - streams * places.room_bytes) - waits * per_us * room_us,
        )


def _pipeline(device: Device, places: Places, per_ms: float, per_mj: float) -> Iterator[Line]:
    memory, count = device.memory, len(device.processors)
    per_us = per_ms * 1e-3 + per_mj * device.static_mw * 1e-6
    per_pj = per_mj * 1e-9
    per_byte = per_pj * memory.dram_pj_per_byte.value
    us_per_byte = 1 / (memory.dram_gb_s.value * 1e3)
    nothing: Floats = np.zeros(places.busy_us.shape)
    storing: Floats = places.stored_bytes.astype(np.float64) * us_per_byte
    nowhere: Floats = np.zeros((count, len(places.cross_us)))
    spilled = float(places.spilled_bytes.sum())
    loads: list[Line] = [
        (
            np.where(places.processor[:, None] == index, places.busy_us, 0.0),
            np.eye(count)[:, [index]] * places.cross_us,
            0.0,
        )
        for index in range(count)
    ]
    loads.append((nothing, nowhere + places.cross_us, 0.0))
    loads.append((storing, nowhere, (spilled - places.room_bytes) * us_per_byte))
    loads.append((nothing, nowhere, spilled * us_per_byte))
    for (load, crossing, offset), streams in product(loads, (0, 1)):
        yield (
            per_us * load + per_pj * places.energy_pj + streams * per_byte * places.stored_bytes,
            per_us * crossing + per_pj * places.cross_pj,
            per_us * offset + per_byte * (spilled - streams * places.room_bytes),
        )
