"""What one tile of a compute-in-memory macro costs: digital and analog in SRAM, and beside MRAM.

Source for SRAM: Sun, Houshmand and Verhelst, Analog or Digital In-Memory Computing? Benchmarking Through Quantitative
Modeling, ICCAD 2023 (arXiv 2405.14978), and Houshmand, Sun and Verhelst, Benchmarking and modeling of analog and
digital SRAM in-memory computing architectures (arXiv 2305.18335): which gates and converters there are, how many of
them switch, and the longest path. `benchmarks/cim_against_zigzag.py` holds this file against the authors' own program.
"""

from dataclasses import dataclass
from math import ceil, log2
from typing import Annotated, Literal

from pydantic import Discriminator

from edge_toolkit.constants import Closed, Constant, Count

# In units of a two-input NAND gate (same source): capacitance of an XOR, of a flip-flop, of a full adder, and of a
# cell's share of its word line or bit line; delay of an XOR.
XOR, FLIP_FLOP, FULL_ADDER, LINE = 1.5, 3.0, 3 + 2 * 1.5, 0.5
XOR_DELAY = 2.4
INTO_CARRY, CARRY = XOR_DELAY + 2, 2  # delay of an adder from an input to its carry, and from carry to carry
SUM_BYTES = 4  # of a partial sum


@dataclass(frozen=True)
class Size:
    """Rows and columns of a tile, `depth` tiles in a macro, and the bits of an input and of a weight."""

    rows: int
    columns: int
    depth: int
    bits: int


@dataclass(frozen=True)
class TileCost:
    """What a tile costs, in time and energy.

    Attributes:
        pass_ns: from one input vector to the next.
        load_ns: to make a tile the one that computes; `load_pj` the energy of that.
        at_once: input vectors that pass together.
        tile_pj: for each input vector that passes a tile, however much of it is used.
        row_pj: and for each row that is used in it, `column_pj` for each column, `cell_pj` for each weight.
        sum_pj: for each input vector and output, to add a further tile's part to the sum so far.
    """

    pass_ns: float
    load_ns: float = 0.0
    load_pj: float = 0.0
    at_once: int = 1
    tile_pj: float = 0.0
    row_pj: float = 0.0
    column_pj: float = 0.0
    cell_pj: float = 0.0
    sum_pj: float = 0.0


class Digital(Closed):
    """Digital compute in SRAM: each cell multiplies its weight bit with an input bit, and adder trees sum up columns.

    One input bit a cycle. `activity` is the share of these gates that switch in a cycle: 1 is what the closed form
    says, and measured chips are far below.
    """

    kind: Literal["digital"]
    gate_ff: Constant
    gate_ns: Constant
    supply_v: Constant
    activity: Constant
    buffer_pj_per_byte: Constant

    def cost(self, size: Size) -> TileCost:
        """What a tile of this size costs."""
        bits, levels = size.bits, ceil(log2(size.rows))
        tree = size.rows * (bits + 1) - (bits + levels + 1)  # full adders under one column of weights
        summed = bits + levels  # bits that leave the tree
        width = bits + summed  # of the accumulator that shifts and adds input bits
        gate_pj = self.gate_ff.value * self.supply_v.value**2 * 1e-3
        active_pj = self.activity.value * gate_pj
        buffer_pj = self.buffer_pj_per_byte.value
        tree_delay = (levels - 1) * 2 * XOR_DELAY + INTO_CARRY + (summed - 2) * CARRY
        cycle = 1 + tree_delay + INTO_CARRY + (width - summed - 1) * CARRY
        # A used row drives a gate in each of its cells, whose other input, the weight, stands still.
        row_pj = bits * (FLIP_FLOP * gate_pj + 0.5 * bits * size.columns * active_pj)
        return TileCost(
            pass_ns=bits * cycle * self.gate_ns.value,
            load_pj=_load_pj(size, gate_pj),
            row_pj=row_pj + bits / 8 * buffer_pj,
            column_pj=bits * width * (FULL_ADDER + FLIP_FLOP) * active_pj,
            cell_pj=bits * tree / size.rows * FULL_ADDER * active_pj,
            sum_pj=2 * SUM_BYTES * buffer_pj,
        )


class Analog(Closed):
    """Analog compute in SRAM: cells add up charge on their bit lines, each of which has a converter of `adc_bits`.

    Inputs go in `dac_bits` a cycle. What converters round off costs accuracy, which isn't modelled.
    """

    kind: Literal["analog"]
    gate_ff: Constant
    gate_ns: Constant
    supply_v: Constant
    dac_bits: Count
    dac_ff_per_bit: Constant
    adc_bits: Count
    adc_ff_per_bit: Constant
    adc_ff_per_4_to_bits: Constant
    adc_ns_per_bit: Constant
    adc_ns_per_bit_row: Constant
    buffer_pj_per_byte: Constant

    def cost(self, size: Size) -> TileCost:
        """What a tile of this size costs."""
        bits, read_bits = size.bits, int(self.adc_bits.value)
        cycles = ceil(bits / self.dac_bits.value)
        pj_per_ff = self.supply_v.value**2 * 1e-3
        gate_pj = self.gate_ff.value * pj_per_ff
        dac_ff = self.dac_ff_per_bit.value * self.dac_bits.value if self.dac_bits.value > 1 else 0.0
        adc_ff = self.adc_ff_per_bit.value * read_bits + self.adc_ff_per_4_to_bits.value * 4**read_bits
        # The bit lines of one column of weights are shifted and added, and so are the cycles.
        adders = read_bits * (bits - 1) + bits * (log2(bits) - 0.5)
        width = 2 * bits + read_bits
        digital_pj = (adders * FULL_ADDER + width * (FULL_ADDER + FLIP_FLOP)) * gate_pj
        line_pj = size.rows * LINE * gate_pj
        buffer_pj = self.buffer_pj_per_byte.value
        return TileCost(
            pass_ns=cycles * self._cycle_ns(size),
            load_pj=_load_pj(size, gate_pj),
            row_pj=cycles * (dac_ff * pj_per_ff + 0.5 * bits * size.columns * gate_pj) + bits / 8 * buffer_pj,
            column_pj=cycles * (bits * (adc_ff * pj_per_ff + line_pj) + digital_pj),
            sum_pj=2 * SUM_BYTES * buffer_pj,
        )

    def _cycle_ns(self, size: Size) -> float:
        """Through a cell, a converter, the adders of the bit lines and the accumulator."""
        converter_ns = self.adc_bits.value * (self.adc_ns_per_bit.value + size.rows * self.adc_ns_per_bit_row.value)
        adders = (log2(size.bits) - 1) * 2 * XOR_DELAY + INTO_CARRY + (size.bits - 1) * CARRY
        accumulator = INTO_CARRY + (size.bits - 1) * CARRY
        return converter_ns + (1 + adders + accumulator) * self.gate_ns.value


class NearMemory(Closed):
    """Compute beside banks of memory, which are the macros here.

    One read of a bank brings a tile to the bank's compute units, where it stays until its input vectors have passed,
    one at each of the `units` at a time. Energy is `fj_per_mac` for every cell of a tile, used or not, as chips are
    measured on full tiles, and `read_pj_per_byte` for each time that a tile is read.
    """

    kind: Literal["near-memory"]
    units: Count
    cycle_ns: Constant
    fj_per_mac: Constant
    read_ns: Constant
    read_pj_per_byte: Constant

    def cost(self, size: Size) -> TileCost:
        """What a tile of this size costs."""
        cells = size.rows * size.columns
        return TileCost(
            pass_ns=self.cycle_ns.value,
            load_ns=self.read_ns.value,
            load_pj=cells * size.bits / 8 * self.read_pj_per_byte.value,
            at_once=int(self.units.value),
            tile_pj=cells * self.fj_per_mac.value * 1e-3,
        )


Circuit = Annotated[Digital | Analog | NearMemory, Discriminator("kind")]


def _load_pj(size: Size, gate_pj: float) -> float:
    """To choose one tile of those that share the gates: word lines, and bit lines as long as the macro is deep."""
    if size.depth == 1:
        return 0.0
    return size.rows * size.columns * size.bits * LINE * (1 + size.depth) * gate_pj
