"""Least squares with no coefficient below 0, from normal equations; numpy alone, for the device side has no scipy."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Gradients below this, of columns scaled to length 1, count as 0."""


def non_negative(gram: Floats, moments: Floats) -> Floats:
    """The x >= 0 that minimises |A x - b|^2.

    Args:
        gram: A' A, (n, n).
        moments: A' b, (n,).

    Returns:
        (n,); 0 for columns of A that are empty.

    Source: Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23, as Bro and de Jong (1997) write it
    for normal equations.
    """
    lengths = np.sqrt(np.diagonal(gram))
    scale = np.where(lengths > 0, lengths, 1.0)
    gram, moments = gram / np.outer(scale, scale), moments / scale
    x, free = np.zeros(len(moments)), np.zeros(len(moments), dtype=bool)
    for _ in range(30 * len(moments)):  # it ends by itself; rounding could make it turn in circles
        gradient = np.where(free, -np.inf, moments - gram @ x)
        if gradient.max() <= TOLERANCE * np.abs(moments).max():
            break
        free[gradient.argmax()] = True
        x = _feasible(gram, moments, x, free)
    return x / scale


def _feasible(gram: Floats, moments: Floats, x: Floats, free: NDArray[np.bool_]) -> Floats:
    """The least-squares solution over the free columns; those that would fall below 0 are made fast, in `free`."""
    while True:
        solved = np.zeros_like(x)
        solved[free] = np.linalg.lstsq(gram[np.ix_(free, free)], moments[free], rcond=None)[0]
        below = free & (solved <= 0)
        if not below.any():
            return solved
        step = (x[below] / (x[below] - solved[below])).min()
        x = x + step * (solved - x)
        free &= x > TOLERANCE
        x[~free] = 0
