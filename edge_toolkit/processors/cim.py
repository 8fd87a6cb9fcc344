"""`Cim`: macros that compute where weights are stored, so that weights stay and activations come to them.

A macro stores `depth` tiles of rows x columns weights (see `cim_tiles`), of which one computes at a time.

- Tiles are dealt to the macros in turn, layer after layer. So no macro has more than ceil(tiles / macros) of a layer,
  and layers whose tiles are no more than macros * depth together always fit.
- Macros compute at the same time, the tiles of one macro in turn. All M input vectors pass through a tile before
  the next one computes; in a recurrent layer, where a step waits for the step before, each step passes through all.
- Of r copies of a layer each takes ceil(M / r) input vectors. Copies don't help a recurrent layer.
- Weights that are rewritten in each frame pass through one more tile, which each macro has beside its `depth`. They are
  written before they compute, into as many macros at once as there are copies. A recurrent layer needs all its tiles
  at each step, so it can be rewritten only where it has a macro for each.
- The output of a column leaves the macro with its bias and activation applied. Activations are read from the shared
  memory once and written to it once, while the macros compute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import model_validator

from edge_toolkit.constants import Closed, Constant, Count
from edge_toolkit.layers import LayerTable
from edge_toolkit.memory import Memory
from edge_toolkit.processors.cim_circuits import Circuit, Size, TileCost
from edge_toolkit.processors.cim_tiles import RECURRENT, Mask, Tiles, ceil_of, tiles_of
from edge_toolkit.processors.option import Floats, Integers, Option

ROUNDING = 1e-12
"""Copies that are faster by a smaller share are as fast: sums in another order differ by so much."""


class Cim(Closed):
    """Compute-in-memory macros, all alike.

    `write_gb_s` of all macros together and `write_pj_per_byte` are left out where weights are written once for all.
    Static power and area are those of one macro; area is left out where no source gives it.
    """

    kind: Literal["cim"]
    rows: Count
    columns: Count
    depth: Count
    macros: Count
    circuit: Circuit
    layer_start_us: Constant
    write_gb_s: Constant | None = None
    write_pj_per_byte: Constant | None = None
    macro_static_mw: Constant
    macro_mm2: Constant | None = None

    @model_validator(mode="after")
    def _writing(self) -> "Cim":
        if (self.write_gb_s is None) != (self.write_pj_per_byte is None):
            raise ValueError("write_gb_s and write_pj_per_byte stand together: give both, or neither")
        return self

    @property
    def static_mw(self) -> Constant:
        """Power of all macros when nothing runs."""
        mw = self.macros.value * self.macro_static_mw.value
        return self.macro_static_mw.model_copy(update={"value": mw, "range": None})

    @property
    def area_mm2(self) -> float | None:
        """Area of all macros, None where no source gives it."""
        return None if self.macro_mm2 is None else self.macros.value * self.macro_mm2.value

    @property
    def tiles(self) -> int:
        """Tiles that all macros store."""
        return int(self.macros.value * self.depth.value)

    @property
    def peak_gmac_s(self) -> float:
        """8-bit multiply-accumulates in a nanosecond with every cell in use."""
        cost = self._cost(1)
        return self.macros.value * self.rows.value * self.columns.value * cost.at_once / cost.pass_ns

    def options(self, layers: LayerTable, memory: Memory, element_bytes: int) -> tuple[Option, ...]:
        """The ways of running each layer; see `Option`.

        `resident`, `resident x2`, `resident x4` and so on up to the number of macros: in so many copies, which stay
        from frame to frame; offered where they fit the store and are faster than with fewer. And `rewritten` in each
        frame, with as many copies as there are macros for, where macros can be written.
        """
        run = _Run(self, self._cost(element_bytes), layers, memory, element_bytes)
        resident = tuple(run.resident())
        if self.write_gb_s is None or self.write_pj_per_byte is None:
            return resident
        return (*resident, run.rewritten(self.write_gb_s.value, self.write_pj_per_byte.value))

    def _cost(self, element_bytes: int) -> TileCost:
        size = Size(int(self.rows.value), int(self.columns.value), int(self.depth.value), 8 * element_bytes)
        return self.circuit.cost(size)


@dataclass(frozen=True)
class _Run:
    """A network on macros."""

    cim: Cim
    cost: TileCost
    layers: LayerTable
    memory: Memory
    element_bytes: int

    def resident(self) -> Iterator[Option]:
        """A way for each number of copies."""
        count = self.tiles.count
        fastest_us = np.full(len(self.layers), np.inf)
        for copies in _copies(int(self.cim.macros.value)):
            each = np.full(len(self.layers), copies)
            busy_us = self.busy_us(each)
            offered = self.tiles.stored & (copies * count <= self.cim.tiles) & (busy_us < fastest_us * (1 - ROUNDING))
            if copies > 1:
                offered &= ~self.recurrent
            fastest_us = np.where(offered, busy_us, fastest_us)
            yield Option(
                how="resident" if copies == 1 else f"resident x{copies}",
                busy_us=np.where(offered, busy_us, np.inf),
                energy_pj=np.where(offered, self.energy_pj(each), np.inf),
                tiles=np.where(offered, copies * count, 0),
                stored_bytes=np.zeros_like(count),
            )

    def rewritten(self, gb_s: float, pj_per_byte: float) -> Option:
        """The way with weights that are written in each frame."""
        count, macros = self.tiles.count, int(self.cim.macros.value)
        offered = self.tiles.stored & ~(self.recurrent & (count > macros))
        most = np.clip(macros // np.maximum(count, 1), 1, np.maximum(self.layers.m, 1))
        copies = np.where(self.recurrent, 1, most)
        written = np.where(offered, self.layers.weights * self.element_bytes, 0)
        written_pj = written * (self.memory.on_chip_pj_per_byte.value + copies * pj_per_byte)
        return Option(
            how="rewritten",
            busy_us=np.where(offered, self.busy_us(copies) + written / (gb_s * 1e3), np.inf),
            energy_pj=np.where(offered, self.energy_pj(copies) + written_pj, np.inf),
            tiles=np.zeros_like(count),
            stored_bytes=written,
        )

    @cached_property
    def tiles(self) -> Tiles:
        return tiles_of(self.layers, int(self.cim.rows.value), int(self.cim.columns.value))

    @cached_property
    def recurrent(self) -> Mask:
        return np.isin(self.layers.kind, RECURRENT)

    @cached_property
    def moved_bytes(self) -> Integers:
        return (self.layers.inputs + self.layers.outputs) * self.element_bytes

    def in_turn(self, copies: Integers) -> Integers:
        """(layers,) tiles of a layer that the fullest macro has."""
        return ceil_of(copies * self.tiles.count, int(self.cim.macros.value))

    def loads(self, copies: Integers) -> Integers:
        """(layers,) how often a tile is loaded: anew at each step where a recurrent layer's tiles take turns."""
        return np.where(self.recurrent & (self.in_turn(copies) > 1), self.layers.m, 1)

    def busy_us(self, copies: Integers) -> Floats:
        """(layers,) the start, then the longer of computing and of moving activations."""
        vectors = ceil_of(self.layers.m, copies)
        passes = np.where(self.recurrent, vectors, ceil_of(vectors, self.cost.at_once))
        tile_ns = self.loads(copies) * self.cost.load_ns + passes * self.cost.pass_ns
        moving_us = self.moved_bytes / (self.memory.on_chip_gb_s.value * 1e3)
        busy_us: Floats = np.maximum(self.in_turn(copies) * tile_ns / 1e3, moving_us)
        return self.cim.layer_start_us.value + busy_us

    def energy_pj(self, copies: Integers) -> Floats:
        """(layers,) of computing, and of activations read and written once."""
        cost, tiles = self.cost, self.tiles
        vector_pj = (
            tiles.count * cost.tile_pj
            + tiles.rows * cost.row_pj
            + tiles.columns * cost.column_pj
            + tiles.cells * cost.cell_pj
            + (tiles.columns - tiles.outputs) * cost.sum_pj
        )
        loaded_pj = copies * tiles.count * self.loads(copies) * cost.load_pj
        moved_pj = self.moved_bytes * self.memory.on_chip_pj_per_byte.value
        energy_pj: Floats = self.layers.m * vector_pj + loaded_pj + moved_pj
        return energy_pj


def _copies(macros: int) -> Iterator[int]:
    """1, 2, 4, ..., and the number of macros, with which every macro has as much to do."""
    copies = 1
    while copies < macros:
        yield copies
        copies *= 2
    yield macros
