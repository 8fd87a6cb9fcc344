"""`Cost`: latency and energy of one inference, layer by layer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """Latency (ms) and energy (mJ) of one inference at batch 1: an entry for each layer, and where they come from.

    `processor` and `how` say where and in which way each layer runs. `latency_origin` and `energy_origin` are
    `measured`, `calibrated` or `modelled`; sums never mix origins.
    """

    device: str
    processor: tuple[str, ...]
    how: tuple[str, ...]
    layer_latency_ms: Floats
    layer_energy_mj: Floats
    latency_origin: str
    energy_origin: str

    @property
    def latency_ms(self) -> float:
        """Latency of the network: its layers run one after the other."""
        return float(self.layer_latency_ms.sum())

    @property
    def energy_mj(self) -> float:
        """Energy of the network."""
        return float(self.layer_energy_mj.sum())
