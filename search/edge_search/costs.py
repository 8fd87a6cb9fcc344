"""`estimate_many`: encodings of a space straight to costs, many at a time, equal to `estimate` on each.

A layer costs what its row says, so the best passages through each of a space's few hundred segments are worked out once
(`segments.py`, `passages.py`). A candidate is then looked up: its segments, the passages that make its best mapping
(`chains.py`), the sums, the total. No mapping costs less than a regime counts for it. So where a regime's best mapping
fits every weight store, and waits and streams as the regime has it, none is better. `estimate` costs the candidates
that are left: those whose best mapping just fills the room, or shares out two weight stores.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge_search.chains import freely, within
from edge_search.passages import (
    REGIMES,
    STORED_BYTES,
    TILES,
    WAIT_US,
    Floats,
    Passages,
    Regime,
    limited_store,
    passages_of,
    totals,
)
from edge_search.segments import Booleans, Integers, checked_encodings, segments_of
from edge_search.space import SearchSpace
from edge_toolkit.architecture import Architecture
from edge_toolkit.cost import estimate
from edge_toolkit.cost.placing import places_of
from edge_toolkit.device import Device
from edge_toolkit.layers import layers_of

CHUNK = 16384
"""Candidates at a time, so that what is looked up for them takes tens of MB."""
STORE_BYTES = 2**28
"""Memory that sharing out a weight store may take at a time."""


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
        AnswerIsNo: one of the networks can't be run: its message tells which layers.
    """
    return tables_of(space, device).costs(checked_encodings(space, encodings))[0]


class CostTables:
    """The segments of a space and their costs on a device."""

    def __init__(self, space: SearchSpace, device: Device) -> None:
        self._space, self._device = space, device
        self._segments = segments_of(space)
        self._places = [places_of(table, device) for table in self._segments.tables]
        self._room_bytes = np.array([*(places.room_bytes for places in self._places), np.inf])
        self._tiles = limited_store(device)[1]
        self._kept: dict[Regime, Passages] = {}

    def costs(self, encodings: Integers) -> tuple[Costs, Booleans]:
        """Costs of encodings (n, genes), and which of them (n,) had to go through `estimate`."""
        found, hard = self._in_chunks(encodings, limited=True)
        for row in np.flatnonzero(hard):
            found.latency_ms[row], found.energy_mj[row] = self._estimated(self._space.decode(encodings[row].tolist()))
        return found, hard

    def roughly(self, encodings: Integers) -> Costs:
        """Costs of encodings (n, genes) without what takes long: as if weight stores held any number of tiles."""
        return self._in_chunks(encodings, limited=False)[0]

    def _in_chunks(self, encodings: Integers, limited: bool) -> tuple[Costs, Booleans]:
        latency_ms, energy_mj = np.empty((2, len(encodings)))
        hard = np.empty(len(encodings), dtype=np.bool_)
        for first in range(0, len(encodings), CHUNK):
            here = slice(first, first + CHUNK)
            chains = self._segments.chains(encodings[here])
            latency_ms[here], energy_mj[here], hard[here] = self._looked_up(chains, limited)
        return Costs(latency_ms, energy_mj), hard

    def cost(self, architecture: Architecture) -> tuple[float, float]:
        """Latency (ms) and energy (mJ) of one architecture of the space."""
        latency_ms, energy_mj, hard = self._looked_up(self._segments.chain(architecture)[None], limited=True)
        return self._estimated(architecture) if hard[0] else (float(latency_ms[0]), float(energy_mj[0]))

    def _estimated(self, architecture: Architecture) -> tuple[float, float]:
        cost = estimate(layers_of(architecture), self._device)
        return cost.latency_ms, cost.energy_mj

    def _looked_up(self, chains: Integers, limited: bool) -> tuple[Floats, Floats, Booleans]:
        """Latency, energy, and where they are not sure to be those of the best mapping, for chains (n, places)."""
        room_bytes = self._room_bytes[chains].min(axis=1)
        found = np.full((2, len(chains)), np.inf)
        left = np.arange(len(chains))
        for regime in REGIMES:
            sums, exact = self._mapped(chains[left], room_bytes[left], regime, limited)
            here = np.array(totals(self._device, sums, self._room_us(room_bytes[left]), room_bytes[left]))
            found[:, left] = np.where(exact | (here[0] < found[0, left]), here, found[:, left])
            left = left[~exact]
            if not len(left):
                break
        hard = np.zeros(len(chains), dtype=np.bool_)
        hard[left] = True
        return found[0], found[1], hard

    def _mapped(self, chains: Integers, room_bytes: Floats, regime: Regime, limited: bool) -> tuple[Floats, Booleans]:
        """The sums (n, columns) of a regime's best mapping of each chain, and where that is the best of all."""
        passages = self._passages(regime)
        found = freely(passages, chains)
        sums = passages.sums[found].sum(axis=1)
        if len(self._places[0].processor) == 1:  # one way for each layer, so nothing to choose
            possible = np.asarray((found >= 0).all(axis=1))
            return np.where(possible[:, None], sums, np.inf), possible
        # Limits make a mapping stream more, so that in the last regime one may hold that does not without them.
        worth = self._held(sums, room_bytes, regime) | (regime == REGIMES[-1])
        full = np.flatnonzero(worth & ~self._fits(sums)) if limited and self._tiles else ()
        step = max(1, STORE_BYTES // (8 * len(self._device.processors) * (self._tiles + 1) * chains.shape[1]))
        for first in range(0, len(full), step):
            rows = full[first : first + step]
            found[rows] = within(passages, chains[rows], self._tiles)
            sums[rows] = passages.sums[found[rows]].sum(axis=1)
        possible = np.asarray((found >= 0).all(axis=1))
        exact = self._held(sums, room_bytes, regime) & self._fits(sums) & possible
        return np.where(possible[:, None], sums, np.inf), exact

    def _passages(self, regime: Regime) -> Passages:
        if regime not in self._kept:
            lasts = [str(table.block[0]) == "head" for table in self._segments.tables]
            self._kept[regime] = passages_of(self._device, self._places, lasts, regime)
        return self._kept[regime]

    def _held(self, sums: Floats, room_bytes: Floats, regime: Regime) -> Booleans:
        """Whether mappings (n,) wait and stream as the regime has it."""
        waits, streams = sums[:, WAIT_US] - self._room_us(room_bytes), sums[:, STORED_BYTES] - room_bytes
        waiting = waits >= 0 if regime.waits else waits <= 0
        streaming = streams >= 0 if regime.streams else streams <= 0
        return np.asarray(waiting & streaming)

    def _fits(self, sums: Floats) -> Booleans:
        """Whether mappings (n,) fit every weight store."""
        sizes = [processor.tiles for processor in self._device.processors.values()]
        return np.asarray((sums[:, TILES:] <= sizes).all(axis=1))

    def _room_us(self, room_bytes: Floats) -> Floats:
        return room_bytes / (self._device.memory.dram_gb_s.value * 1e3)


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
