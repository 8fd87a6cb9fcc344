"""How the layers of a network run on an array: the workloads of each, how often, and shared between engines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.layers import LayerTable
from edge_toolkit.processors.option import Floats, Integers
from edge_toolkit.workloads import Workloads, real_taps

Booleans = NDArray[np.bool_]

VECTOR_KINDS = ("softmax", "normalisation")
"""What the vector unit does alone; it also does the gates of an LSTM or GRU."""

ROWS = (4, 16)
"""Rows in which tokens, which have no grid of their own, may be laid out: as tall as a block of pixels or as a pass."""

_DEEP = 64
"""Channels in which elements without a shape are laid out."""


@dataclass(frozen=True)
class Runs:
    """What an array does for each layer: one workload, `repeats` times, one after the other.

    Attributes:
        workloads: (layers,) as columns.
        repeats: (layers,) groups of a convolution or product, or steps of an LSTM or GRU.
        independent: (layers,) whether the repeats don't wait for each other.
        vector_elements: (layers,) that the vector unit works on besides.
    """

    workloads: Workloads
    repeats: Integers
    independent: Booleans
    vector_elements: Integers


def runs_of(layers: LayerTable, element_bytes: int, rows: int) -> Runs:
    """The layers as workloads.

    Convolutions run on the grid of their outputs, transposed ones too (on inputs spread by zeros); grouped ones and
    products of heads group by group. Positions that have no grid, or one of a single row and a kernel of one tap, are
    laid out in `rows`. Pooling is depthwise; sums and layout are sums of as many maps as they read.
    """
    kind = layers.kind
    depthwise, pools = kind == "depthwise", kind == "pool"
    recurrent = np.isin(kind, ("lstm", "gru"))
    moves = np.isin(kind, ("elementwise", "layout", *VECTOR_KINDS))
    taps = layers.kernel_h * layers.kernel_w
    over_all = pools & (taps == 1)  # the whole map, whose size the row does not have
    groups = np.where(depthwise, 1, layers.groups)
    width, height = _grid(layers, moves, over_all, recurrent, rows)
    channels_out = np.select(
        [moves, pools, depthwise],
        [_DEEP, -(-layers.outputs // np.where(over_all, 1, layers.out_h * layers.out_w)), layers.n],
        layers.n // groups,
    )
    # Whole maps: a map that is cut or padded is one, and so is one with a gate beside it.
    maps_read = np.maximum(np.rint(layers.inputs / np.maximum(layers.outputs, 1)).astype(np.int64), 1)
    stride = np.where(kind == "transposed", 1, layers.stride)
    workloads = Workloads(
        op=np.select([depthwise, pools, moves], ["depthwise", "pool", "elementwise"], "convolution"),
        width=width,
        height=height,
        channels_in=np.where(moves | pools | depthwise, channels_out, layers.k // taps),
        channels_out=channels_out,
        kernel_w=np.where(over_all, maps_read, layers.kernel_w),
        kernel_h=layers.kernel_h,
        stride=stride,
        element_bytes=np.full(len(layers), element_bytes),
        operands=np.where(moves, maps_read, 1),
        real_share=_real(width, layers.kernel_w, stride) * _real(height, layers.kernel_h, stride),
        write_tiles=np.ones(len(layers), dtype=np.int64),
        order=np.full(len(layers), -1),
    )
    vector_elements = np.select([recurrent, np.isin(kind, VECTOR_KINDS)], [layers.m * layers.n, layers.inputs], 0)
    return Runs(workloads, np.where(recurrent, layers.m, groups), ~recurrent, vector_elements)


def _grid(
    layers: LayerTable, moves: Booleans, over_all: Booleans, recurrent: Booleans, rows: int
) -> tuple[Integers, Integers]:
    """Width and height of what each workload writes, in pixels."""
    in_a_row = (layers.out_h == 1) & (layers.kernel_h * layers.kernel_w == 1)
    gridded = np.isin(layers.kind, ("conv", "transposed", "pool")) & ~in_a_row & ~over_all
    gridded |= layers.kind == "depthwise"
    places = np.select([moves, over_all, recurrent], [-(-layers.outputs // _DEEP), 1, 1], layers.m)
    tall = np.where(moves, ROWS[-1], rows)
    width = np.where(gridded, layers.out_w, -(-places // tall))
    return width, np.where(gridded, layers.out_h, np.minimum(places, tall))


def _real(outputs: Integers, kernel: Integers, stride: Integers) -> Floats:
    """The share of real taps where the padding keeps the size, since a table does not have the padding."""
    return real_taps(outputs, kernel, stride, (kernel - 1) // 2, outputs * stride)


def shared_out(runs: Runs, engines: int, channel_step: int) -> Iterator[Runs]:
    """One engine's share of each layer, in each of the ways of sharing: by rows, columns, channels, repeats.

    Args:
        runs: whole layers.
        engines: that share them.
        channel_step: output channels are shared in multiples of it.
    """
    whole = runs.workloads
    if engines == 1:
        yield runs
        return
    yield replace(runs, workloads=replace(whole, height=-(-whole.height // engines)))
    yield replace(runs, workloads=replace(whole, width=-(-whole.width // engines)))
    steps = -(-whole.channels_out // channel_step)
    channels_out = np.minimum(-(-steps // engines) * channel_step, whole.channels_out)
    channels_in = np.where(whole.op == "convolution", whole.channels_in, channels_out)
    tiles = np.full_like(whole.write_tiles, engines)
    yield replace(runs, workloads=replace(whole, channels_in=channels_in, channels_out=channels_out, write_tiles=tiles))
    yield replace(runs, repeats=np.where(runs.independent, -(-runs.repeats // engines), runs.repeats))
