"""`Systolic`: a processor whose array multiplies blocks of pixels by blocks of channels, step by step."""

from typing import Literal

import numpy as np

from edge_toolkit.constants import Closed, Constant, Count, Share
from edge_toolkit.layers import LayerTable
from edge_toolkit.memory import Memory
from edge_toolkit.processors.option import Floats, Option
from edge_toolkit.processors.systolic_layers import ROWS, VECTOR_KINDS, runs_of, shared_out
from edge_toolkit.workloads import Workloads

BLOCK_BYTES = 32
"""Bytes of channels that each pixel, or each output channel's weights, gives the array in one block.

Source: fitted; depthwise layers take as long with 16 channels of 16 bit as with 32 of 8 bit (docs/benchmarks.md).
"""

CHANNEL_STEP = 16
"""Input channels are multiplied in multiples of this.

Source: Intel, npu-nn-cost-model, README: channels come in multiples of 16.
"""

PASSES = ((4, 4), (4, 2), (2, 2))
"""Shapes of a pass, in blocks of pixels across and down; blocks of channels take what accumulators that leaves.

Source: Intel, npu-nn-cost-model, include/vpu/dpu_types_info.h: 16 x 16 pixels and 64 channels (CUBOID_16x16), 16 x 8
and 128 (8x16), 8 x 8 and 256 (4x16).
"""


class Systolic(Closed):
    """An array of `pixels_wide x pixels_high` pixels by `channels` output channels, `lanes` bytes of products a cycle.

    A convolution goes tap by tap over blocks of pixels and channels, in passes of as many blocks as there are
    accumulators. Three things overlap in it, and the slowest leads: multiplying; reading, of the pixels' blocks anew
    for each tap and each pass over the channels, of the weights' anew for each pass over the pixels; and writing.
    Each pass takes some cycles to turn over, and the output of the last one is written when nothing is left to
    overlap with. Depthwise layers, pooling and sums don't sum over channels, so that the array does little with a
    block: they take the time of reading, `depthwise_block_cycles` for each tap.

    Several engines share a layer by rows or columns of pixels, by channels (what is then written goes to all of them)
    or by groups, and tokens are laid out in 4 rows or in 16: whichever is fastest. Softmax and normalisation run on a
    vector unit beside each array, LSTM and GRU step by step. `start_cycles` are those of one workload;
    `layer_start_us` is what dispatching a layer takes besides. How fast memory on the chip is stands in the cycles of
    blocks and the bytes a cycle written: a device's `on_chip_gb_s` is not read here.

    Source: a form of our own, fitted by benchmarks/npu_fit.py; docs/benchmarks.md has its errors. The grid of pixels
    and channels, the passes and the ports and words of the memory are those of Intel's npu-nn-cost-model, include/vpu.
    """

    kind: Literal["systolic"]
    clock_mhz: Constant
    engines: Count
    pixels_wide: Count
    pixels_high: Count
    channels: Count
    lanes: Count
    accumulators: Count
    pixel_block_cycles: Constant
    weight_block_cycles: Constant
    depthwise_block_cycles: Constant
    depthwise_3x3_block_cycles: Constant
    half_block_share: Share
    padded_tap_share: Share
    written_bytes_per_cycle: Constant
    broadcast_bytes_per_cycle: Constant
    overlap: Constant
    pass_cycles: Constant
    start_cycles: Constant
    vector_elements_per_cycle: Constant
    layer_start_us: Constant
    pj_per_mac: Constant
    static_mw: Constant

    @property
    def peak_gmac_s(self) -> float:
        """Multiply-accumulates of one byte in a nanosecond, all engines at full use."""
        array = self.pixels_wide.value * self.pixels_high.value * self.channels.value * self.lanes.value
        return self.clock_mhz.value * self.engines.value * array / 1e3

    @property
    def tiles(self) -> int:
        """Weights all lie in the shared memory."""
        return 0

    def options(self, layers: LayerTable, memory: Memory, element_bytes: int) -> tuple[Option, ...]:
        """The one way of running each layer; see `Option`."""
        engines = int(self.engines.value)
        ways = [runs_of(layers, element_bytes, rows) for rows in ROWS]
        shares = [
            self.cycles(share.workloads) * share.repeats
            for runs in ways
            for share in shared_out(runs, engines, self._channels)
        ]
        runs = ways[0]
        on_vector = np.isin(layers.kind, VECTOR_KINDS)
        cycles = np.where(on_vector, 0.0, np.min(shares, axis=0))
        cycles += runs.vector_elements / (self.vector_elements_per_cycle.value * engines)
        read_bytes = np.where(on_vector, layers.inputs * element_bytes, self._read_bytes(runs.workloads) * runs.repeats)
        moved_bytes = read_bytes + layers.outputs * element_bytes
        return (
            Option(
                how="",
                busy_us=cycles / self.clock_mhz.value + self.layer_start_us.value,
                energy_pj=layers.macs * self.pj_per_mac.value + moved_bytes * memory.on_chip_pj_per_byte.value,
                tiles=np.zeros_like(layers.weights),
                stored_bytes=layers.weights * element_bytes,
            ),
        )

    def cycles(self, workloads: Workloads) -> Floats:
        """Cycles of each workload on one engine, its inputs and weights in that engine's memory.

        Args:
            workloads: geometry, as columns; those that name no order of passes take the fastest.

        Returns:
            (workloads,) cycles.
        """
        orders = np.array([self._in_passes(workloads, across, down) for across, down in PASSES])
        chooses = np.isin(workloads.op, ("convolution", "elementwise"))  # the others always take the first
        free = np.where(chooses, orders.min(axis=0), orders[0])
        named = orders[np.maximum(workloads.order, 0), np.arange(len(workloads))]
        cycles: Floats = np.where(workloads.order < 0, free, named)
        return cycles

    def _in_passes(self, workloads: Workloads, across: int, down: int) -> Floats:
        """Cycles in passes of `across x down` blocks of pixels."""
        extents, output = self._extents(across, down), _output(workloads)
        over_width, over_height, over_channels = np.ceil(output / extents)
        pixel_blocks, weight_blocks = self._blocks(workloads)
        reading = np.where(
            workloads.op == "convolution",
            pixel_blocks * over_channels * self.pixel_block_cycles.value
            + weight_blocks * over_width * over_height * self.weight_block_cycles.value,
            self._channelwise(workloads, pixel_blocks),
        )
        broadcasts = workloads.write_tiles > 1
        rate = np.where(broadcasts, self.broadcast_bytes_per_cycle.value, self.written_bytes_per_cycle.value)
        writing = output.prod(axis=0) * workloads.element_bytes / rate
        last = np.minimum(output, extents).prod(axis=0) * workloads.element_bytes / rate
        turning = over_width * over_height * over_channels * self.pass_cycles.value
        terms = np.array([self._multiplying(workloads), reading, writing])
        slowest = terms.max(axis=0)  # taken out, so that no power overflows
        overlap = self.overlap.value
        together: Floats = slowest * ((terms / slowest) ** overlap).sum(axis=0) ** (1 / overlap)
        cycles: Floats = together + turning + last + self.start_cycles.value
        return cycles

    @property
    def _channels(self) -> int:
        return int(self.channels.value)

    def _extents(self, across: int, down: int) -> Floats:
        """(3, 1) width, height and channels of a pass, in pixels and channels."""
        deep = self.accumulators.value / (across * down) * self.channels.value
        return np.array([[across * self.pixels_wide.value], [down * self.pixels_high.value], [deep]])

    def _pixel_steps(self, workloads: Workloads) -> Floats:
        """Blocks of pixels, each tap counted."""
        across = np.ceil(workloads.width / self.pixels_wide.value)
        down = np.ceil(workloads.height / self.pixels_high.value)
        steps: Floats = across * down * (workloads.kernel_w * workloads.kernel_h)
        return steps

    def _multiplying(self, workloads: Workloads) -> Floats:
        """Cycles of the array in a convolution, idle pixels and channels counted."""
        products = np.ceil(workloads.channels_in / CHANNEL_STEP) * CHANNEL_STEP * workloads.element_bytes
        blocks = self._pixel_steps(workloads) * np.ceil(workloads.channels_out / self.channels.value)
        cycles: Floats = np.where(workloads.op == "convolution", blocks * products / self.lanes.value, 0.0)
        return cycles

    def _blocks(self, workloads: Workloads) -> tuple[Floats, Floats]:
        """Blocks of pixels and of weights that one pass over all channels and pixels reads."""
        depth = np.ceil(workloads.channels_in * workloads.element_bytes / BLOCK_BYTES)
        taps = workloads.kernel_w * workloads.kernel_h
        weight_blocks = np.ceil(workloads.channels_out / self.channels.value) * taps * depth
        convolves = workloads.op == "convolution"
        return self._pixel_steps(workloads) * depth * workloads.operands, np.where(convolves, weight_blocks, 0.0)

    def _channelwise(self, workloads: Workloads, pixel_blocks: Floats) -> Floats:
        """Cycles of reading where no sum goes over the channels."""
        kernel_3x3 = (workloads.kernel_w == 3) & (workloads.kernel_h == 3) & (workloads.stride == 1)
        block_cycles = np.select(
            [workloads.op == "elementwise", (workloads.op == "depthwise") & kernel_3x3],
            [self.pixel_block_cycles.value, self.depthwise_3x3_block_cycles.value],
            self.depthwise_block_cycles.value,
        )
        pixel_bytes = workloads.channels_in * workloads.element_bytes
        depth = np.ceil(pixel_bytes / BLOCK_BYTES)
        half = (pixel_bytes - 1) % BLOCK_BYTES < BLOCK_BYTES // 2  # the last block
        whole = depth - half * (1 - self.half_block_share.value)
        kept = workloads.real_share + (1 - workloads.real_share) * self.padded_tap_share.value
        cycles: Floats = pixel_blocks / depth * whole * block_cycles * kept
        return cycles

    def _read_bytes(self, workloads: Workloads) -> Floats:
        """What is read from the engine's memory in the first order of passes, what is read again counted again."""
        convolves = workloads.op == "convolution"
        over_width, over_height, over_channels = np.ceil(_output(workloads) / self._extents(*PASSES[0]))
        values = workloads.kernel_w * workloads.kernel_h * workloads.channels_in * workloads.element_bytes
        pixels = workloads.width * workloads.height * workloads.operands * np.where(convolves, over_channels, 1.0)
        weights = workloads.channels_out * over_width * over_height
        read: Floats = values * (pixels + np.where(convolves, weights, 0.0))
        return read


def _output(workloads: Workloads) -> Floats:
    """(3, workloads) width, height and channels of what is written."""
    return np.array([workloads.width, workloads.height, workloads.channels_out], dtype=np.float64)
