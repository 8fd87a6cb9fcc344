"""Samples at a network's input size, without torch: what a device does before the network."""

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.dataset import Floats


def resized(x: Floats, height: int, width: int) -> Floats:
    """Samples at another size, bilinear; exactly as they are where the size fits.

    Equals `torch.nn.functional.interpolate(x, mode="bilinear", align_corners=False)` up to rounding: pixel centres
    are kept, edges repeated, and nothing is smoothed before it shrinks.

    Args:
        x: (n, channels, any height, any width), float32.
        height: of the result.
        width: of the result.

    Returns:
        (n, channels, height, width), float32.
    """
    if x.shape[-2:] == (height, width):
        return x
    rows, columns = _matrix(x.shape[-2], height), _matrix(x.shape[-1], width)
    return np.asarray(rows @ x @ columns.T, dtype=np.float32)


def _matrix(size: int, wanted: int) -> NDArray[np.float32]:
    """(wanted, size): each new point as a weighted sum of its two neighbours along an axis."""
    centres = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(size)))
    matrix: NDArray[np.float32] = weights.astype(np.float32)
    return matrix
