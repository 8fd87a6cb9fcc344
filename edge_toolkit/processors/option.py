"""`Option`: one way in which a processor can run layers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Option:
    """One way of running each layer on a processor: an entry for each layer, inf where it can't be run so.

    Attributes:
        how: what tells this way from the processor's others, such as `resident x2`; empty where there is one.
        busy_us: (layers,) time from start to end, activations on chip and weights at hand.
        energy_pj: (layers,) dynamic energy of that, on-chip traffic included, DRAM and static power left out.
        tiles: (layers,) of the processor's own weight store that stay taken from frame to frame.
        stored_bytes: (layers,) weights that the shared memory must supply for each frame: those that find room on the
            chip stay there, the others stream from DRAM.
        measured: whether `busy_us` is that of a real processor, with all that its memory takes.
    """

    how: str
    busy_us: Floats
    energy_pj: Floats
    tiles: Integers
    stored_bytes: Integers
    measured: bool = False
