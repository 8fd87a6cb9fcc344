"""How near answers are to the expected ones, and how near they have to be in each precision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BOUNDS = {"f32": 1e-4, "f16": 1e-2, "bf16": 5e-2, "int8": 0.25}
"""Largest max|difference| / max|expected| over all samples that passes.

float32 differs by the order of its sums alone. The others are sized by their units in the last place (2^-11, 2^-8, half
a step of 127), some tens of layers deep: they tell a broken kernel from rounding, and no more. What a precision does to
a network's accuracy, and how far its answers are, the export measures.
"""


def relative_error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """max|found - expected| / max|expected|, over all samples; NaN where one is no number."""
    scale = max(float(np.abs(expected).max(initial=0)), float(np.finfo(np.float32).tiny))
    return float(np.abs(found - expected).max(initial=0)) / scale


def snr_db(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Signal to noise: 10 log10 of the energy of what is expected over that of the difference; 300 dB at most."""
    signal = max(float((np.asarray(expected, np.float64) ** 2).sum()), 1e-300)
    noise = float(((np.asarray(found, np.float64) - expected) ** 2).sum())
    return 10 * float(np.log10(signal / max(noise, 1e-30 * signal)))
