"""`estimate`: what a network costs on a device, layer by layer."""

import numpy as np

from edge_toolkit.cost.cost import Cost
from edge_toolkit.cost.placing import cost_of, places_of
from edge_toolkit.device import Device
from edge_toolkit.layers import LayerTable


def estimate(layers: LayerTable, device: Device) -> Cost:
    """The cost of a network on a device; `edge_toolkit.cost.placing` says how it comes about.

    Args:
        layers: the network, as columns.
        device: the hardware, as constants.

    Returns:
        Its cost, columns as long as `layers`.
    """
    return cost_of(device, places_of(layers, device), np.zeros(len(layers), dtype=np.int64))
