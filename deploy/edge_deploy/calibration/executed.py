"""What a device executed of a network, layer by layer."""

from collections.abc import Mapping, Sequence

import numpy as np

from edge_deploy.origins import Origin, origins_of
from edge_deploy.rows import Node, places_of, window_of
from edge_deploy.runtime import Compiled
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import ModelSpec

WINDOW_S = 0.05
"""Length of a counted window, at least."""

RENAMES = ("Reshape",)
"""Kinds of node that copy nothing."""


def rows_executed(ready: Compiled, spec: ModelSpec) -> dict[str, tuple[float, ...]] | None:
    """The executed rows of a network, as columns of `fit.Rows`; None where the device tells none.

    Args:
        ready: compiled from the network's IR.
        spec: the network.
    """
    try:
        ready.compiled.get_runtime_model()
    except RuntimeError:  # what a plugin without a runtime graph raises
        return None
    nodes = window_of(ready, WINDOW_S).nodes
    names = layers_of(spec).name.tolist()
    return _columns(nodes, layers_by_node(nodes, origins_of(ready.model, spec)), names)


def layers_by_node(nodes: Sequence[Node], origins: Mapping[str, Origin]) -> dict[str, tuple[str, ...]]:
    """The layers that each node executes: those of its operations, else that of the node that it serves."""
    places = places_of(nodes, origins)
    found = {}
    for node in nodes:
        fused = dict.fromkeys(origins[name].layer for name in node.originals if name in origins)
        found[node.name] = tuple(fused) or ((places[node.name].layer,) if node.name in places else ())
    return found


def _columns(
    nodes: Sequence[Node], layers: Mapping[str, tuple[str, ...]], names: Sequence[str]
) -> dict[str, tuple[float, ...]]:
    row_of = {name: row for row, name in enumerate(names)}
    executed_by = np.arange(len(names))
    time_us, count = np.zeros(len(names)), np.zeros(len(names), dtype=np.int64)
    for node in nodes:
        rows = [row_of[layer] for layer in layers[node.name]]
        if rows:
            owners = np.unique(executed_by[rows])
            here, others = owners[0], owners[1:]
            executed_by[np.isin(executed_by, others)] = here
            time_us[here] += node.time_us + time_us[others].sum()
            count[here] += (node.kind not in RENAMES) + count[others].sum()
            time_us[others] = count[others] = 0
    return {
        "executed_by": tuple(executed_by.tolist()),
        "time_us": tuple(time_us.round(3).tolist()),
        "nodes": tuple(count.tolist()),
    }
