"""`estimate`: what a network costs on a modelled device, layer by layer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.device import Device
from edge_toolkit.layers import KINDS, LayerTable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """Latency (ms) and energy (mJ) of one inference at batch 1: an entry for each layer, and where they come from.

    `latency_origin` and `energy_origin` are `measured`, `calibrated` or `modelled`; sums never mix origins.
    """

    device: str
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


def estimate(layers: LayerTable, device: Device) -> Cost:
    """The cost of a network on a modelled device.

    A layer takes its start-up time and then the longest of what overlaps in it: computing, moving activations through
    on-chip memory, streaming weights. Weights stay on chip between frames where all of the network's fit beside its
    largest layer's activations, and stream from DRAM for every frame where they don't; activations that exceed the
    chip spill to DRAM. Energy is that of the products, of the bytes moved, and of the static power over the latency.

    Args:
        layers: the network, as columns.
        device: the hardware, as constants.

    Returns:
        Its cost, columns as long as `layers`.

    Source: Williams et al., Roofline, CACM 2009, for the longest of computing and traffic.
    """
    processor, memory = device.processor, device.memory
    activation_bytes = (layers.inputs + layers.outputs) * device.element_bytes
    weight_bytes = layers.weights * device.element_bytes
    capacity = memory.on_chip_kib.value * 1024
    resident = weight_bytes.sum() + activation_bytes.max() <= capacity
    spilled_bytes = np.maximum(activation_bytes - capacity, 0)
    dram_bytes = spilled_bytes + (0 if resident else weight_bytes)
    on_chip_bytes = activation_bytes + weight_bytes

    busy_us = np.maximum.reduce(
        [
            _compute_us(layers, device),
            on_chip_bytes / (memory.on_chip_gb_s.value * 1e3),
            dram_bytes / (memory.dram_gb_s.value * 1e3),
        ]
    )
    latency_ms = (busy_us + processor.layer_start_us.value) / 1e3
    dynamic_pj = (
        layers.macs * processor.pj_per_mac.value
        + on_chip_bytes * memory.on_chip_pj_per_byte.value
        + dram_bytes * memory.dram_pj_per_byte.value
    )
    energy_mj = dynamic_pj * 1e-9 + processor.static_mw.value * latency_ms * 1e-3
    return Cost(device.name, latency_ms, energy_mj, latency_origin=device.origin, energy_origin=device.origin)


def _compute_us(layers: LayerTable, device: Device) -> Floats:
    processor = device.processor
    reached = np.array([processor.utilisation.value[kind] for kind in KINDS])
    share = reached[[KINDS.index(kind) for kind in layers.kind.tolist()]]
    cycles = layers.macs / (processor.macs_per_cycle.value * share)
    moved = (layers.inputs + layers.outputs) / (processor.elements_per_cycle.value * share)
    us: Floats = np.where(layers.macs > 0, cycles, moved) / processor.clock_mhz.value
    return us
