"""How the weights of layers are cut into the tiles of compute-in-memory macros.

A tile is rows x columns weights that a macro multiplies at once: a row takes an input, a column adds up an output.

- A layer with K x N weights is cut into ceil(K / rows) * ceil(N / columns) tiles.
- The groups of a grouped convolution, K x n weights each, lie along the diagonal of a tile with zeros beside them:
  min(rows // K, columns // n) groups to a tile. So a depthwise layer has min(rows // (kernel_h * kernel_w), columns)
  channels in a tile. A group that is larger than a tile is cut like a layer of its own.
- A product of two activations has no weights to store, and neither have layers that multiply nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.layers import LayerTable
from edge_toolkit.processors.option import Integers

Mask = NDArray[np.bool_]

STORED = ("conv", "depthwise", "transposed", "linear", "lstm", "gru")
"""Kinds of layer with constant weights, which a macro can store."""

RECURRENT = ("lstm", "gru")


@dataclass(frozen=True)
class Tiles:
    """One copy of each layer's weights, cut into tiles; an entry for each layer.

    Attributes:
        stored: (layers,) whether a macro can store the layer's weights; where not, `count` is 0.
        count: (layers,) tiles.
        rows: (layers,) rows that are used, summed over the tiles; `columns` likewise.
        cells: (layers,) cells that hold a weight, summed over the tiles.
        outputs: (layers,) columns that are used in one tile from top to bottom of a layer, which are its outputs.
    """

    stored: Mask
    count: Integers
    rows: Integers
    columns: Integers
    cells: Integers
    outputs: Integers


def tiles_of(layers: LayerTable, rows: int, columns: int) -> Tiles:
    """The weights of each layer, cut into tiles of rows x columns."""
    stored = np.isin(layers.kind, STORED)
    groups, k = np.maximum(layers.groups, 1), np.maximum(layers.k, 1)
    n = np.maximum(layers.n // groups, 1)  # outputs of one group
    down, across = ceil_of(k, rows), ceil_of(n, columns)
    together = np.minimum(rows // k, columns // n)  # groups along the diagonal of one tile
    count = np.where(together > 0, ceil_of(groups, np.maximum(together, 1)), groups * down * across)
    return Tiles(
        stored=stored,
        count=np.where(stored, count, 0),
        rows=groups * k * across,
        columns=groups * n * down,
        cells=groups * k * n,
        outputs=groups * n,
    )


def ceil_of(amount: Integers, size: Integers | int) -> Integers:
    """amount / size, rounded up."""
    rounded: Integers = -(-amount // size)
    return rounded
