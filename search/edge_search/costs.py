"""`estimate_many`: encodings of a space straight to costs, many at a time, equal to `estimate` on each.

A layer costs what its row says, so the best way through each of a space's few hundred segments is worked out once
(`segments.py`, `transitions.py`). A candidate is then looked up: its segments, the processors between them by Viterbi's
algorithm where there are several, the sums, the total. Such a mapping ignores how many weights fit a processor's own
store, and counts waiting and streaming in full or not at all. Where it turns out to fit, and to be on its regime's side of
the room on the chip, nothing can be better and it is exact; the candidates where no regime is go through `estimate`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_search.chains import freely, within
from edge_search.passages import (
    BUSY_US, ENERGY_PJ, REGIMES, STORED_BYTES, TILES, WAIT_US, Floats, Passages, Regime, limited_store, passages_of,
)  # fmt: skip
from edge_search.segments import Integers, checked_encodings, segments_of
from edge_search.space import SearchSpace
from edge_toolkit.cost import estimate
from edge_toolkit.cost.placing import places_of
from edge_toolkit.device import Device
from edge_toolkit.layers import layers_of

Booleans = NDArray[np.bool_]

CHUNK = 16384
"""Candidates at a time, which bounds the memory that is taken: a few hundred MB with large weight stores."""


class Costs(NamedTuple):
    """Latency (ms) and energy (mJ) of candidates, (n,) each."""

    latency_ms: Floats
    energy_mj: Floats


def estimate_many(space: SearchSpace, encodings: object, device: Device) -> Costs:
    """What many networks of a space cost on a device, each under its best mapping.

    Args:
        space: the space.
        encodings: (n, genes) whole numbers, a vector of `SearchSpace.decode` in each row.
        device: the hardware. What is worked out for it and the space is kept for the next call.

    Returns:
        Latency (ms) and energy (mJ) of one inference, (n,) each: those of `estimate`, to within rounding.

    Raises:
        InputError: the encodings have another shape, hold something else, or an index is out of range.
    """
    tables = tables_of(space, device)
    return tables.costs(checked_encodings(space, encodings))[0]


class CostTables:
    """The segments of a space and their costs on a device."""

    def __init__(self, space: SearchSpace, device: Device) -> None:
        self._space, self._device = space, device
        self._segments = segments_of(space)
        self._places = [places_of(table, device) for table in self._segments.tables]
        self._room_bytes = np.array([*(places.room_bytes for places in self._places), np.inf])
        self._tiles = limited_store(device)[1]
        self._kept: dict[Regime, Passages] = {}

    @property
    def one_way(self) -> bool:
        """Whether there is nothing to choose: each layer runs in one way, on one processor."""
        return len(self._places[0].processor) == 1

    def costs(self, encodings: Integers) -> tuple[Costs, Booleans]:
        """Costs of encodings (n, genes), and which of them (n,) had to go through `estimate`."""
        latency_ms, energy_mj = np.empty((2, len(encodings)))
        hard = np.empty(len(encodings), dtype=np.bool_)
        for first in range(0, len(encodings), CHUNK):
            here = slice(first, first + CHUNK)
            latency_ms[here], energy_mj[here], hard[here] = self._looked_up(self._segments.chains(encodings[here]))
        for row in np.flatnonzero(hard):
            cost = estimate(layers_of(self._space.decode(encodings[row].tolist())), self._device)
            latency_ms[row], energy_mj[row] = cost.latency_ms, cost.energy_mj
        return Costs(latency_ms, energy_mj), hard

    def _looked_up(self, chains: Integers) -> tuple[Floats, Floats, Booleans]:
        """Latency, energy, and where they are not sure to be those of the best mapping, for chains (n, places)."""
        room_bytes = self._room_bytes[chains].min(axis=1)
        latency_ms, energy_mj = np.empty((2, len(chains)))
        left = np.arange(len(chains))
        for regime in REGIMES:
            passages = self._passages(regime)
            found = freely(passages, chains[left])
            fits, holds = self._exact(passages.sums[found].sum(axis=1), room_bytes[left], regime)
            if self._tiles:
                full = np.flatnonzero(holds & ~fits)
                found[full] = within(passages, chains[left[full]], self._tiles)
            sums = passages.sums[found].sum(axis=1)
            latency_ms[left], energy_mj[left] = self._totals(sums, room_bytes[left])
            if self.one_way:
                return latency_ms, energy_mj, np.zeros(len(chains), dtype=np.bool_)
            fits, holds = self._exact(sums, room_bytes[left], regime)
            left = left[~(fits & holds)]
            if not len(left):
                break
        hard = np.zeros(len(chains), dtype=np.bool_)
        hard[left] = True
        return latency_ms, energy_mj, hard

    def _passages(self, regime: Regime) -> Passages:
        if regime not in self._kept:
            lasts = [str(table.block[0]) == "head" for table in self._segments.tables]
            self._kept[regime] = passages_of(self._device, self._places, lasts, regime)
        return self._kept[regime]

    def _totals(self, sums: Floats, room_bytes: Floats) -> tuple[Floats, Floats]:
        """Latency (ms) and energy (mJ) of sums (n, columns): `cost_of`'s rules."""
        memory = self._device.memory
        room_us = room_bytes / (memory.dram_gb_s.value * 1e3)
        latency_us = sums[:, BUSY_US] + np.maximum(sums[:, WAIT_US] - room_us, 0)
        streamed = np.maximum(sums[:, STORED_BYTES] - room_bytes, 0)
        dynamic_pj = sums[:, ENERGY_PJ] + streamed * memory.dram_pj_per_byte.value
        return latency_us / 1e3, dynamic_pj * 1e-9 + self._device.static_mw * latency_us * 1e-6

    def _exact(self, sums: Floats, room_bytes: Floats, regime: Regime) -> tuple[Booleans, Booleans]:
        """Whether a regime's best mapping (n,) fits the weight stores, and is on the regime's side of the room."""
        room_us = room_bytes / (self._device.memory.dram_gb_s.value * 1e3)
        waits, streams = sums[:, WAIT_US] - room_us, sums[:, STORED_BYTES] - room_bytes
        holds = (waits >= 0 if regime.waits else waits <= 0) & (streams >= 0 if regime.streams else streams <= 0)
        fits = np.ones(len(sums), dtype=np.bool_)
        for index, processor in enumerate(self._device.processors.values()):
            if processor.tiles:
                fits &= sums[:, TILES + index] <= processor.tiles
        return fits, holds


@dataclass(frozen=True)
class _System:
    """A device as the key of a cache: its processors stand in a dict, which has no hash."""

    device: Device

    def __hash__(self) -> int:
        return hash(self.device.name)


def tables_of(space: SearchSpace, device: Device) -> CostTables:
    """The tables of a space and a device, kept for the next call."""
    return _kept(space, _System(device))


@lru_cache(maxsize=8)
def _kept(space: SearchSpace, system: _System) -> CostTables:
    return CostTables(space, system.device)
