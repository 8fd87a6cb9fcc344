"""`Roofline`: a processor as a peak rate and the share of it that each kind of layer reaches."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from edge_toolkit.constants import Closed, Constant
from edge_toolkit.layers import KINDS, Kind, LayerTable
from edge_toolkit.memory import Memory
from edge_toolkit.processors.option import Floats, Option


class Utilisation(Closed):
    """Share of the peak that each kind of layer reaches, above 0 and up to 1, and where that comes from."""

    value: Mapping[Kind, Annotated[float, Field(gt=0, le=1)]]
    source: str = Field(min_length=1)
    assumed: bool = False

    @field_validator("value")
    @classmethod
    def _every_kind(cls, value: Mapping[Kind, float]) -> Mapping[Kind, float]:
        missing = [kind for kind in KINDS if kind not in value]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing: each kind of layer needs its share")
        return value


class Roofline(Closed):
    """What multiplies: peak rate, and what of it each kind of layer reaches.

    A layer takes its start-up time and then the longest of what overlaps in it: computing, and moving activations and
    weights through on-chip memory. Layers that multiply nothing move `elements_per_cycle` elements a cycle.

    Source: Williams et al., Roofline, CACM 2009, for the longest of computing and traffic.
    """

    kind: Literal["roofline"]
    clock_mhz: Constant
    macs_per_cycle: Constant
    elements_per_cycle: Constant
    utilisation: Utilisation
    layer_start_us: Constant
    pj_per_mac: Constant
    static_mw: Constant

    @property
    def peak_gmac_s(self) -> float:
        """Multiply-accumulates in a nanosecond at full use."""
        return self.clock_mhz.value * self.macs_per_cycle.value / 1e3

    @property
    def tiles(self) -> int:
        """Weights all lie in the shared memory."""
        return 0

    def options(self, layers: LayerTable, memory: Memory, element_bytes: int) -> tuple[Option, ...]:
        """The one way of running each layer; see `Option`."""
        weight_bytes = layers.weights * element_bytes
        moved_bytes = (layers.inputs + layers.outputs) * element_bytes + weight_bytes
        moving_us = moved_bytes / (memory.on_chip_gb_s.value * 1e3)
        busy_us = np.maximum(self._compute_us(layers), moving_us) + self.layer_start_us.value
        energy_pj = layers.macs * self.pj_per_mac.value + moved_bytes * memory.on_chip_pj_per_byte.value
        return (Option("", busy_us, energy_pj, np.zeros_like(layers.weights), weight_bytes),)

    def _compute_us(self, layers: LayerTable) -> Floats:
        reached = np.array([self.utilisation.value[kind] for kind in KINDS])
        share = reached[[KINDS.index(kind) for kind in layers.kind.tolist()]]
        cycles = layers.macs / (self.macs_per_cycle.value * share)
        moved = (layers.inputs + layers.outputs) / (self.elements_per_cycle.value * share)
        us: Floats = np.where(layers.macs > 0, cycles, moved) / self.clock_mhz.value
        return us
