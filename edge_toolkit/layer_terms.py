"""What a layer's time on a real processor is made of: counts, by kind of layer, that a calibration finds a time for.

A layer takes the sum of its terms, each times its own non-negative coefficient: starting it, its multiplications in
whole vectors, what it reads and writes. Which terms a kind has was chosen by the error on networks that the fit had not
seen, and by how the executed nodes of OpenVINO's CPU plugin behave (docs/lab-log.md). All of a layer's terms come from
its own row of a `LayerTable`, so that a network costs the sum of its rows.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.layers import Kind, LayerTable

Floats = NDArray[np.float64]
Term = Callable[[LayerTable], NDArray[np.generic]]

VECTOR = 16
"""Channels that are computed together: 24 take as long as 32.

Source: measured, pointwise convolutions of 24 and 32 channels at equal size; an AVX-512 register holds 16 floats.
"""


def _whole(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts in whole vectors."""
    return -(-count // VECTOR) * VECTOR


def _columns(layers: LayerTable) -> NDArray[np.int64]:
    """Columns of each product of a matmul."""
    return layers.n // layers.groups


def _start(layers: LayerTable) -> NDArray[np.int64]:
    return np.ones_like(layers.m)


def _vector_macs(layers: LayerTable) -> NDArray[np.int64]:
    return layers.m * layers.k * _whole(layers.n)


_CONV: Mapping[str, Term] = {
    "start": _start,
    "macs": _vector_macs,
    "outputs": lambda layers: layers.m * _whole(layers.n),
    "weights": lambda layers: layers.k * _whole(layers.n),
    "positions": lambda layers: layers.m,
    "spatial_positions": lambda layers: layers.m * (layers.kernel_h * layers.kernel_w > 1),
    # Queries, keys and values are reordered for the products, and outputs back.
    "attention_outputs": lambda layers: layers.m * layers.n * (layers.role == "attention"),
    # The GELU runs inside the convolution before it.
    "mlp_outputs": lambda layers: layers.m * layers.n * (layers.role == "mlp"),
}
_DEPTHWISE: Mapping[str, Term] = {
    "start": _start,
    "macs": _vector_macs,
    "outputs": lambda layers: layers.m * _whole(layers.n),
    "strided_macs": lambda layers: _vector_macs(layers) * (layers.stride > 1),
}
_MATMUL: Mapping[str, Term] = {
    "start": _start,
    "products": lambda layers: layers.groups,
    "rows": lambda layers: layers.m * layers.groups,
    "macs": lambda layers: layers.macs,
    "wide_macs": lambda layers: layers.groups * layers.m * layers.k * _whole(_columns(layers)),
    "deep_macs": lambda layers: layers.groups * layers.m * _whole(layers.k) * _whole(_columns(layers)),
    "inputs": lambda layers: layers.inputs,
    "outputs": lambda layers: layers.outputs,
}
_TRAFFIC: Mapping[str, Term] = {
    "start": _start,
    "inputs": lambda layers: layers.inputs,
    "outputs": lambda layers: layers.outputs,
}
_RECURRENT: Mapping[str, Term] = {"start": _start, "steps": lambda layers: layers.m, "macs": _vector_macs}

TERMS: Mapping[Kind, Mapping[str, Term]] = {
    "conv": _CONV,
    "depthwise": _DEPTHWISE,
    "transposed": _CONV,
    "linear": {"start": _start, "macs": lambda layers: layers.macs},
    "matmul": _MATMUL,
    "lstm": _RECURRENT,
    "gru": _RECURRENT,
    "softmax": {"start": _start, "outputs": lambda layers: layers.outputs},
    "normalisation": _TRAFFIC,
    "pool": {"start": _start, "inputs": lambda layers: layers.inputs},
    "elementwise": {"start": _start, "outputs": lambda layers: layers.outputs},
    "layout": _TRAFFIC,
}
"""The terms of each kind."""

NAMES: tuple[tuple[Kind, str], ...] = tuple((kind, term) for kind, terms in TERMS.items() for term in terms)
"""The columns of `terms_of`."""


def terms_of(layers: LayerTable) -> Floats:
    """The terms of each layer.

    Args:
        layers: of one network or of several, one below the other.

    Returns:
        (layers, len(NAMES)) counts; 0 in the columns of other kinds than the layer's own.
    """
    columns = []
    for kind, terms in TERMS.items():
        here = layers.kind == kind
        columns += (
            [np.where(here, term(layers), 0) for term in terms.values()] if here.any() else [0 * here] * len(terms)
        )
    return np.stack(columns, axis=1).astype(np.float64)
