"""How layer tables and modelled costs are printed, as tables, JSON and CSV."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from edge_toolkit.console import table
from edge_toolkit.cost import Cost
from edge_toolkit.device import Device
from edge_toolkit.files import replacing
from edge_toolkit.layers import LayerTable

SUMS = ("macs", "parameters", "weights", "inputs", "outputs")
"""Columns that add up."""


def totals_of(layers: LayerTable) -> dict[str, int]:
    """The sums of a table's columns, and its length."""
    return {"layers": len(layers), **{name: int(getattr(layers, name).sum()) for name in SUMS}}


def layer_table(layers: LayerTable, title: str) -> Table:
    """The layers with their sizes, the sums last."""
    columns = ("layer", "kind", "m", "k", "n", "groups", "kernel", "stride", "kMACs", "weights", "inputs", "outputs")
    lines: list[tuple[object, ...]] = [
        (
            row["name"],
            row["kind"],
            *((row["m"], row["k"], row["n"], row["groups"]) if row["m"] else ("", "", "", "")),
            f"{row['kernel_h']}x{row['kernel_w']}" if row["kernel_h"] * row["kernel_w"] > 1 else "",
            row["stride"] if row["stride"] > 1 else "",
            _thousands(row["macs"]),
            row["weights"] or "",
            row["inputs"],
            row["outputs"],
        )
        for row in layers.rows()
    ]
    sums = totals_of(layers)
    kmacs = _thousands(sums["macs"])
    lines.append(("all", *[""] * 7, kmacs, sums["weights"], sums["inputs"], sums["outputs"]))
    return table(columns, lines, title)


def write_layers_csv(path: Path, layers: LayerTable) -> None:
    """Write a table as CSV, every column of it and the MACs."""
    rows = layers.rows()
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def cost_payload(layers: LayerTable, cost: Cost) -> dict[str, Any]:
    """A cost as plain data, with a row for each layer."""
    columns = (
        layers.name.tolist(),
        layers.kind.tolist(),
        layers.macs.tolist(),
        cost.processor,
        cost.how,
        cost.layer_latency_ms.tolist(),
        cost.layer_energy_mj.tolist(),
    )
    names = ("name", "kind", "macs", "processor", "how", "latency_ms", "energy_mj")
    return {**_headline(cost), "rows": [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]}


def cost_table(layers: LayerTable, cost: Cost, title: str) -> Table:
    """What each layer costs and where it runs, the sums last."""
    payload = cost_payload(layers, cost)
    lines = [
        (
            row["name"],
            row["kind"],
            _thousands(row["macs"]),
            row["processor"],
            row["how"],
            *_costs(row["latency_ms"], row["energy_mj"]),
            f"{row['latency_ms'] / cost.latency_ms:.1%}",
        )
        for row in payload["rows"]
    ]
    kmacs = _thousands(int(layers.macs.sum()))
    lines.append(("all", "", kmacs, "", "", *_costs(cost.latency_ms, cost.energy_mj), "100.0%"))
    return table(("layer", "kind", "kMACs", "processor", "way", "us", "uJ", "of the latency"), lines, title)


def network_costs(
    names: Sequence[str], tables: Sequence[LayerTable], costs: Sequence[Cost | None]
) -> list[dict[str, Any]]:
    """What each of several networks costs, as plain data; one that the device can't run has no cost."""
    nothing = {"latency_ms": None, "energy_mj": None}
    return [
        {"network": name, **totals_of(layers), **(nothing if cost is None else _headline(cost))}
        for name, layers, cost in zip(names, tables, costs, strict=True)
    ]


COSTS = ("latency_ms", "energy_mj")


def network_table(costs: Sequence[dict[str, Any]], title: str) -> Table:
    """Several networks, one a line, in their order."""
    lines = [
        (
            number,
            each["network"],
            _thousands(each["macs"]),
            each["weights"],
            *(("can't run", "") if each["latency_ms"] is None else (f"{each[name]:.4f}" for name in COSTS)),
        )
        for number, each in enumerate(costs, start=1)
    ]
    return table(("line", "network", "kMACs", "weights", "ms", "mJ"), lines, title)


def origin_line(device: Device) -> str:
    """Where the numbers come from."""
    constants = [value for _, value in device.constants()]
    assumed = sum(value.assumed for value in constants)
    return (
        f"latency {device.origin}, energy modelled, at {device.precision}; {assumed} of "
        f"{len(constants)} constants are assumed (`edge-toolkit devices`)"
    )


def _headline(cost: Cost) -> dict[str, Any]:
    return {
        "latency_ms": cost.latency_ms,
        "energy_mj": cost.energy_mj,
        "latency_origin": cost.latency_origin,
        "energy_origin": cost.energy_origin,
    }


def _costs(latency_ms: float, energy_mj: float) -> tuple[str, str]:
    return f"{latency_ms * 1e3:.2f}", f"{energy_mj * 1e3:.3f}"


def _thousands(macs: int) -> str:
    return f"{macs / 1e3:.1f}" if macs else ""
