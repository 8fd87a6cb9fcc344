"""The supernet: shared weights of all networks of a space, and how they are trained."""

from edge_search.supernet.weights import Supernet

__all__ = ["Supernet"]
