"""`Calibrated`: a processor whose layers' times were fitted to networks measured on it."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from edge_toolkit.constants import Closed, Constant
from edge_toolkit.layer_terms import NAMES, TERMS, terms_of
from edge_toolkit.layers import Kind, LayerTable
from edge_toolkit.memory import Memory
from edge_toolkit.processors.option import Floats, Option

Nanoseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Calibrated(Closed):
    """A real processor, as `edge-toolkit calibrate` found it.

    `ns` holds, for each kind of layer that the measured networks have, what each of its terms
    (`edge_toolkit.layer_terms`) takes; a term that is left out takes nothing. The times hold where they were measured:
    caches, reorders and dispatch are in them, and so is what a request costs beyond its layers. Every measured network
    has one linear layer and one pool, so that the latter can't be told from those two's start, and is counted there.

    Energy is modelled: `pj_per_mac` and `static_mw` are constants from elsewhere.
    """

    kind: Literal["calibrated"]
    ns: Mapping[Kind, Mapping[str, Nanoseconds]]
    pj_per_mac: Constant
    static_mw: Constant

    @field_validator("ns")
    @classmethod
    def _known(cls, ns: Mapping[Kind, Mapping[str, float]]) -> Mapping[Kind, Mapping[str, float]]:
        unknown = [f"{kind}.{term}" for kind, terms in ns.items() for term in terms if term not in TERMS[kind]]
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such term; calibrate again, with this version of the toolkit")
        return ns

    @property
    def peak_gmac_s(self) -> float:
        """Multiply-accumulates in a nanosecond that its fastest kind of layer would approach, the larger it grows."""
        rates = [1 / terms["macs"] for terms in self.ns.values() if terms.get("macs")]
        return max(rates, default=0.0)

    @property
    def tiles(self) -> int:
        """Weights all lie in the shared memory."""
        return 0

    def options(self, layers: LayerTable, memory: Memory, element_bytes: int) -> tuple[Option, ...]:
        """The one way of running each layer, its weights at hand: fetching them is in the measured times.

        A layer of a kind that no measured network had can't be run: nothing is known of it.
        """
        known = np.isin(layers.kind, list(self.ns))
        moved_bytes = (layers.inputs + layers.outputs + layers.weights) * element_bytes
        energy_pj = layers.macs * self.pj_per_mac.value + moved_bytes * memory.on_chip_pj_per_byte.value
        nothing = np.zeros_like(layers.weights)
        busy_us = np.where(known, terms_of(layers) @ self._coefficients_us(), np.inf)
        return (Option("", busy_us, np.where(known, energy_pj, np.inf), nothing, nothing, measured=True),)

    def _coefficients_us(self) -> Floats:
        return np.array([self.ns.get(kind, {}).get(term, 0.0) for kind, term in NAMES]) / 1e3
