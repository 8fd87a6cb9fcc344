"""What a network costs on a device: latency and energy, layer by layer, under the best mapping to its processors."""

from edge_toolkit.cost.cost import Cost
from edge_toolkit.cost.estimate import estimate

__all__ = ["Cost", "estimate"]
