"""What the processors of a device share: memory on and off the chip, and the link between processors."""

from edge_toolkit.constants import Closed, Constant


class Memory(Closed):
    """On-chip and off-chip memory: capacity, bandwidth (GB/s) and energy (pJ a byte)."""

    on_chip_kib: Constant
    on_chip_gb_s: Constant
    on_chip_pj_per_byte: Constant
    dram_gb_s: Constant
    dram_pj_per_byte: Constant


class Link(Closed):
    """What activations cross from one processor to another: bandwidth (GB/s), energy (pJ a byte), hand-over (us)."""

    gb_s: Constant
    pj_per_byte: Constant
    hand_over_us: Constant
