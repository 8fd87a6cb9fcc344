"""Small systems of processors for tests, with numbers that are easy to follow."""

from typing import Any

import numpy as np

from edge_toolkit.constants import Constant
from edge_toolkit.cost.placing import Places
from edge_toolkit.device import Device
from edge_toolkit.layers import KINDS
from edge_toolkit.memory import Memory
from edge_toolkit.processors import Roofline


class Storing(Roofline):
    """A processor with a weight store of its own."""

    cells: int = 0

    @property
    def tiles(self) -> int:
        return self.cells


def roofline(**changes: Any) -> dict[str, Any]:
    """The file's form of a processor."""
    values = {
        "clock_mhz": 100,
        "macs_per_cycle": 10,
        "elements_per_cycle": 2,
        "layer_start_us": 1,
        "pj_per_mac": 2,
        "static_mw": 5,
    }
    constants = {name: {"value": changes.get(name, value), "source": "by hand"} for name, value in values.items()}
    reached = dict.fromkeys(KINDS, 1.0) | changes.get("utilisation", {})
    return {"kind": "roofline", **constants, "utilisation": {"value": reached, "source": "by hand"}}


def system(processors: dict[str, dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The file's form of a device with these processors."""
    memory = {
        "on_chip_kib": 1000,
        "on_chip_gb_s": 1,
        "on_chip_pj_per_byte": 3,
        "dram_gb_s": 0.5,
        "dram_pj_per_byte": 7,
    }
    link = {"gb_s": 1, "pj_per_byte": 2, "hand_over_us": 1}
    parts = {
        part: {name: {"value": changes.get(name, value), "source": "by hand"} for name, value in values.items()}
        for part, values in (("memory", memory), ("link", link))
    }
    named = {"schema": 2, "name": "system", "description": "by hand", "origin": "modelled", "precision": "int8"}
    return {**named, "processors": processors, **parts}


def device_with(cells: tuple[int, ...], static_mw: float = 5, dram_gb_s: float = 0.001) -> Device:
    """A device whose processors have weight stores of so many tiles; for places made by hand."""
    names = [f"p{index}" for index in range(len(cells))]
    device = Device.model_validate(system({name: roofline(static_mw=static_mw) for name in names}))
    stores = {
        name: Storing(**dict(device.processors[name]), cells=size) for name, size in zip(names, cells, strict=True)
    }
    values = {**dict(device.memory), "dram_gb_s": Constant(value=dram_gb_s, source="by hand")}
    return device.model_copy(update={"processors": stores, "memory": Memory(**values)})


def places_by_hand(processor: list[int], busy_us: Any, **others: Any) -> Places:
    """Places from nested lists (ways, layers); what is left out is 0."""
    busy = np.array(busy_us, dtype=float)
    ways, layers = busy.shape
    zeros = np.zeros((ways, layers))
    shapes = {
        "energy_pj": zeros,
        "tiles": zeros.astype(int),
        "stored_bytes": zeros.astype(int),
        "wait_us": zeros,
        "cross_us": np.zeros(layers + 1),
        "cross_pj": np.zeros(layers + 1),
        "spilled_bytes": np.zeros(layers),
    }
    given = {name: np.array(others.get(name, default), dtype=default.dtype) for name, default in shapes.items()}
    given["energy_pj"] = np.where(np.isfinite(busy), given["energy_pj"], np.inf)
    return Places(
        processor=np.array(processor),
        how=tuple(others.get("how", [f"w{index}" for index in range(ways)])),
        busy_us=busy,
        room_bytes=float(others.get("room_bytes", 0)),
        **given,
    )
