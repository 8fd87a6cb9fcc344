"""`Schedule`: a network on a device under one mapping: what it costs a frame, in sequence and where frames overlap.

In a pipeline a frame takes as long as in sequence, and the next one is done a period later. The period is the load of
what is busiest: a processor with its layers and what crosses to it, the link with all that crosses, the DRAM with all
that spills and streams. A period of that length can be kept where there is room for the activations of the frames in
flight, which the model doesn't hold against the chip. Static power is then paid over the period.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge_toolkit.cost.cost import Cost
from edge_toolkit.cost.placing import Parts, Places, cost_of, parts_of
from edge_toolkit.device import Device
from edge_toolkit.processors.option import Integers

LINK, DRAM = "link", "DRAM"


@dataclass(frozen=True, eq=False)
class Schedule:
    """A device, the ways of running a network on it, and the one chosen for each layer (layers,)."""

    device: Device
    places: Places
    ways: Integers

    @cached_property
    def cost(self) -> Cost:
        """Of one frame in sequence."""
        return cost_of(self.device, self.places, self.ways)

    @cached_property
    def parts(self) -> Parts:
        """What that is made of."""
        return parts_of(self.device, self.places, self.ways)

    @cached_property
    def loads_ms(self) -> Mapping[str, float]:
        """How long a frame keeps each processor, the link and the DRAM busy."""
        parts, device = self.parts, self.device
        to = np.append(parts.where, 0)
        loads = {
            name: float(parts.busy_us[parts.where == index].sum() + parts.into_us[to == index].sum()) / 1e3
            for index, name in enumerate(device.processors)
        }
        if device.link is not None:
            loads[LINK] = float(parts.into_us.sum()) / 1e3
        loads[DRAM] = float(parts.dram_bytes.sum()) / (device.memory.dram_gb_s.value * 1e6)
        return loads

    @property
    def period_ms(self) -> float:
        """From one frame's end to the next one's, where frames overlap."""
        return max(self.loads_ms.values())

    @property
    def tiles(self) -> Mapping[str, int]:
        """What is taken of each processor's own weight store, of those that have one."""
        taken = self.places.tiles[self.ways, np.arange(len(self.ways))]
        return {
            name: int(taken[self.parts.where == index].sum())
            for index, (name, processor) in enumerate(self.device.processors.items())
            if processor.tiles
        }

    def time_ms(self, pipelined: bool) -> float:
        """The period where frames overlap, else the latency."""
        return self.period_ms if pipelined else self.cost.latency_ms

    def energy_mj(self, pipelined: bool) -> float:
        """Energy of a frame, static power over `time_ms`."""
        saved_ms = self.cost.latency_ms - self.time_ms(pipelined)
        return self.cost.energy_mj - self.device.static_mw * saved_ms * 1e-3
