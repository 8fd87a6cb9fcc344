"""`estimate`: what a network costs on a device, layer by layer."""

import numpy as np

from edge_toolkit.cost.cost import Cost
from edge_toolkit.cost.mapping import best_schedule
from edge_toolkit.cost.objective import objective_of
from edge_toolkit.cost.placing import cost_of, places_of
from edge_toolkit.device import Device
from edge_toolkit.layers import LayerTable


def estimate(layers: LayerTable, device: Device) -> Cost:
    """The cost of a network on a device, mapped for latency; `edge_toolkit.cost.placing` says how it comes about.

    Args:
        layers: the network, as columns.
        device: the hardware, as constants.

    Returns:
        Its cost, columns as long as `layers`.

    Raises:
        AnswerIsNo: a layer runs on none of the processors, or no mapping fits their weight stores.
    """
    places = places_of(layers, device)
    if len(places.processor) == 1 and np.isfinite(places.busy_us).all():
        return cost_of(device, places, np.zeros(len(layers), dtype=np.int64))
    schedule, _ = best_schedule(layers, device, objective_of("latency"))
    return schedule.cost
