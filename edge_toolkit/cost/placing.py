"""Where each layer may run on a device, and what a choice of places costs in all.

The system, in four rules:

- Layers run one after the other, and activations lie in the shared memory. Where a layer runs on another processor than
  the one before it, its inputs cross the link first. The network's input lies at the device's first processor, and its
  output goes back there.
- Weights that the shared memory supplies (`Option.stored_bytes`) share what of it the largest layer's activations leave
  free. What finds room stays there from frame to frame; the rest streams from DRAM in each, while its layer computes.
  The room goes to where it saves time first, so that a network waits `max(0, sum of waits - room / bandwidth)`, where a
  layer's wait is what streaming all its weights would take beyond its own time.
- Activations of a layer that exceed the chip spill to DRAM.
- Energy is that of the layers, of the bytes that cross the link and come from DRAM, and of the static power of all
  processors over the latency.
"""

from dataclasses import dataclass

import numpy as np

from edge_toolkit.cost.cost import Cost, Floats
from edge_toolkit.device import Device
from edge_toolkit.layers import LayerTable
from edge_toolkit.processors.option import Integers


@dataclass(frozen=True)
class Places:
    """Every way of running each layer on any of a device's processors.

    Attributes:
        processor: (ways,) index of the processor in the device.
        how: (ways,) what tells a way from the processor's others.
        busy_us: (ways, layers), inf where a layer can't be run so; `energy_pj`, `tiles`, `stored_bytes` likewise, as in
            `Option`.
        wait_us: (ways, layers) what streaming all of the layer's weights from DRAM takes beyond `busy_us`.
        cross_us: (layers + 1,) time for the inputs of each layer, and at the end for the output, to change processor.
        cross_pj: (layers + 1,) energy of that.
        spilled_bytes: (layers,) activations that go to DRAM and back.
        room_bytes: what the largest activations leave free of the shared memory.
    """

    processor: Integers
    how: tuple[str, ...]
    busy_us: Floats
    energy_pj: Floats
    tiles: Integers
    stored_bytes: Integers
    wait_us: Floats
    cross_us: Floats
    cross_pj: Floats
    spilled_bytes: Floats
    room_bytes: float


def places_of(layers: LayerTable, device: Device) -> Places:
    """The ways of running each layer of a network on a device."""
    memory = device.memory
    ways = [
        (index, option)
        for index, processor in enumerate(device.processors.values())
        for option in processor.options(layers, memory, device.element_bytes)
    ]
    activation_bytes = (layers.inputs + layers.outputs) * device.element_bytes
    capacity = memory.on_chip_kib.value * 1024
    spilled_bytes = np.maximum(activation_bytes - capacity, 0.0)
    modelled = np.array([[not option.measured] for _, option in ways])  # what was measured holds its waits for memory
    dram_us_per_byte = modelled / (memory.dram_gb_s.value * 1e3)
    busy_us = np.maximum([option.busy_us for _, option in ways], spilled_bytes * dram_us_per_byte)
    stored_bytes = np.array([option.stored_bytes for _, option in ways])
    with np.errstate(invalid="ignore"):
        wait_us = np.maximum((stored_bytes + spilled_bytes) * dram_us_per_byte - busy_us, 0)
    crossing = np.append(layers.inputs, layers.outputs[-1]) * device.element_bytes
    link = device.link
    return Places(
        processor=np.array([index for index, _ in ways]),
        how=tuple(option.how for _, option in ways),
        busy_us=busy_us,
        energy_pj=np.array([option.energy_pj for _, option in ways]),
        tiles=np.array([option.tiles for _, option in ways]),
        stored_bytes=stored_bytes,
        wait_us=wait_us,
        cross_us=crossing / (link.gb_s.value * 1e3) + link.hand_over_us.value if link else np.zeros(len(crossing)),
        cross_pj=crossing * link.pj_per_byte.value if link else np.zeros(len(crossing)),
        spilled_bytes=spilled_bytes,
        room_bytes=float(max(capacity - activation_bytes.max(), 0)),
    )


@dataclass(frozen=True)
class Parts:
    """What a choice of ways is made of; columns of layers, and of layers and the end where a crossing is meant.

    Attributes:
        where: (layers,) index of the processor.
        busy_us: (layers,) time on it, and `energy_pj` of it.
        into_us: (layers + 1,) time for the inputs of each layer, and at the end for the output, to cross the link;
            `into_pj` their energy.
        wait_us: (layers,) for weights that don't find room.
        dram_bytes: (layers,) activations that spill and weights that stream.
        resident_bytes: weights that stay in the shared memory.
    """

    where: Integers
    busy_us: Floats
    energy_pj: Floats
    into_us: Floats
    into_pj: Floats
    wait_us: Floats
    dram_bytes: Floats
    resident_bytes: float


def parts_of(device: Device, places: Places, chosen: Integers) -> Parts:
    """What a choice (layers,) of a way for each layer is made of.

    Room for weights goes to all layers that would wait, in proportion to how long, and then to all in proportion to
    what they still stream.
    """
    at = (chosen, np.arange(len(chosen)))
    where = places.processor[chosen]
    crosses = np.diff(where, prepend=0, append=0) != 0
    bytes_per_us = device.memory.dram_gb_s.value * 1e3
    wait_us, stored = places.wait_us[at], places.stored_bytes[at]
    waited_bytes = float(wait_us.sum()) * bytes_per_us
    spared = min(places.room_bytes / waited_bytes, 1.0) if waited_bytes else 1.0
    streamed = stored - spared * wait_us * bytes_per_us
    resident_bytes = min(float(stored.sum()), places.room_bytes)
    left = streamed.sum()
    if left:
        streamed *= (stored.sum() - resident_bytes) / left
    return Parts(
        where=where,
        busy_us=places.busy_us[at],
        energy_pj=places.energy_pj[at],
        into_us=np.where(crosses, places.cross_us, 0),
        into_pj=np.where(crosses, places.cross_pj, 0),
        wait_us=(1 - spared) * wait_us,
        dram_bytes=places.spilled_bytes + streamed,
        resident_bytes=resident_bytes,
    )


def cost_of(device: Device, places: Places, chosen: Integers) -> Cost:
    """What a network costs where each layer runs in the way chosen for it.

    Args:
        device: the hardware.
        places: of the network on it.
        chosen: (layers,) index of a way for each layer.

    Returns:
        Its cost. A crossing is told with the layer whose inputs cross, the last one with the last layer.
    """
    parts = parts_of(device, places, chosen)
    latency_us = parts.busy_us + _with_last(parts.into_us) + parts.wait_us
    dynamic_pj = parts.energy_pj + _with_last(parts.into_pj) + parts.dram_bytes * device.memory.dram_pj_per_byte.value
    names = list(device.processors)
    return Cost(
        device=device.name,
        processor=tuple(names[index] for index in parts.where),
        how=tuple(places.how[way] for way in chosen),
        layer_latency_ms=latency_us / 1e3,
        layer_energy_mj=dynamic_pj * 1e-9 + device.static_mw * latency_us * 1e-6,
        latency_origin=device.origin,
        energy_origin="modelled",
    )


def _with_last(crossing: Floats) -> Floats:
    """A value for each layer from one for each layer and the end."""
    folded = crossing[:-1].copy()
    folded[-1] += crossing[-1]
    return folded
