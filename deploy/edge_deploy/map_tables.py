"""How a mapping is printed, and its JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from edge_toolkit.console import table
from edge_toolkit.cost.mapping import Chosen
from edge_toolkit.cost.objective import Objective
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.cost.second import Second
from edge_toolkit.layers import LayerTable

Seconds = Sequence[Second | None]


def map_payload(
    layers: LayerTable, schedule: Schedule, chosen: Chosen, objective: Objective, seconds: Seconds | None
) -> dict[str, Any]:
    """A mapping as plain data, with a row for each layer; `second` is null where a layer can run nowhere else."""
    cost, parts = schedule.cost, schedule.parts
    columns = {
        "name": layers.name.tolist(),
        "kind": layers.kind.tolist(),
        "role": layers.role.tolist(),
        "processor": cost.processor,
        "how": cost.how,
        "latency_ms": cost.layer_latency_ms.tolist(),
        "energy_mj": cost.layer_energy_mj.tolist(),
        "transfer_ms": (parts.into_us[:-1] / 1e3).tolist(),
        "wait_ms": (parts.wait_us / 1e3).tolist(),
    }
    if seconds is not None:
        columns["second"] = [_second_facts(each, schedule, index, objective) for index, each in enumerate(seconds)]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {
        "objective": {"minimised": objective.label, "value": chosen.value, "gap": chosen.gap},
        **system_facts(schedule, objective.pipelined),
        "loads_ms": dict(schedule.loads_ms),
        "tiles": dict(schedule.tiles),
        "weights": weight_facts(schedule),
        "rows": rows,
    }


def system_facts(schedule: Schedule, pipelined: bool) -> dict[str, float]:
    """What a frame costs."""
    return {
        "latency_ms": schedule.cost.latency_ms,
        "energy_mj": schedule.energy_mj(pipelined),
        "period_ms": schedule.period_ms,
    }


def weight_facts(schedule: Schedule) -> dict[str, float]:
    """Bytes of weights that the shared memory supplies: those that stay in it, and those that stream in each frame."""
    resident = schedule.parts.resident_bytes
    stored = float(schedule.places.stored_bytes[schedule.ways, range(len(schedule.ways))].sum())
    return {"resident_bytes": resident, "streamed_bytes": stored - resident}


def _second_facts(second: Second | None, best: Schedule, layer: int, objective: Objective) -> dict[str, Any] | None:
    if second is None:
        return None
    cost = second.schedule.cost
    return {
        "processor": cost.processor[layer],
        "how": cost.how[layer],
        "more": second.more,
        "more_time_ms": second.schedule.time_ms(objective.pipelined) - best.time_ms(objective.pipelined),
        "more_energy_mj": second.schedule.energy_mj(objective.pipelined) - best.energy_mj(objective.pipelined),
        "because": second.because,
    }


def layer_table(payload: Mapping[str, Any], objective: Objective) -> Table:
    """Where each layer runs, what it costs, and what its second choice would cost the whole."""
    rows = payload["rows"]
    columns = ["layer", "kind", "on", "way", "us", "transfer", "waits", "uJ"]
    if "second" in rows[0]:
        columns += ["second choice", "decided by"]
    lines = []
    for row in rows:
        line = [row["name"], row["kind"], row["processor"], row["how"]]
        line += [f"{row['latency_ms'] * 1e3:.2f}", *(_us(row[name]) for name in ("transfer_ms", "wait_ms"))]
        line.append(f"{row['energy_mj'] * 1e3:.3f}")
        if "second" in row:
            line += _second_cells(row["second"], payload, objective)
        lines.append(line)
    return table(columns, lines)


def _second_cells(
    second: Mapping[str, Any] | None, payload: Mapping[str, Any], objective: Objective
) -> tuple[str, str]:
    if second is None:
        return "none", "only here"
    more = {
        "latency": f"+{max(second['more_time_ms'], 0) * 1e3:.2f} us",
        "energy": f"+{max(second['more_energy_mj'], 0) * 1e3:.3f} uJ",
    }.get(objective.goal, f"+{second['more'] / payload['objective']['value']:.2%}")
    where = " ".join(part for part in (second["processor"], second["how"]) if part)
    return f"{where} {more}", second["because"]


def _us(ms: float) -> str:
    return f"{ms * 1e3:.2f}" if ms else ""


def system_table(systems: Mapping[str, Mapping[str, float] | None]) -> Table:
    """A line for each system; one that can't run the network has no costs."""
    lines = [
        (name, *(("can't run it", "", "", "") if facts is None else system_cells(facts)))
        for name, facts in systems.items()
    ]
    return table(("system", "latency ms", "energy mJ", "period ms", "frames a second"), lines)


def system_cells(facts: Mapping[str, float]) -> tuple[str, str, str, str]:
    """Latency, energy, period, and how many frames a second that is."""
    period_ms = facts["period_ms"]
    return f"{facts['latency_ms']:.4f}", f"{facts['energy_mj']:.4f}", f"{period_ms:.4f}", f"{1e3 / period_ms:.1f}"


def store_lines(schedule: Schedule, chosen: Chosen) -> list[str]:
    """What is taken of weight stores and memory, what the period hangs on, and how far the answer is proven."""
    weights, limits = weight_facts(schedule), schedule.device.processors
    lines = [f"{name}: {taken} of {limits[name].tiles} tiles taken" for name, taken in schedule.tiles.items()]
    lines.append(
        f"weights from the shared memory: {weights['resident_bytes'] / 1024:.1f} KiB stay there, "
        f"{weights['streamed_bytes'] / 1024:.1f} KiB stream from DRAM in each frame"
    )
    loads = schedule.loads_ms
    busiest = max(loads, key=lambda name: loads[name])
    lines.append(
        "where frames overlap, a frame keeps "
        + ", ".join(f"{name} busy for {load:.4f} ms" for name, load in loads.items())
        + f"; {busiest} sets the period"
    )
    proven = "no mapping is better" if chosen.gap == 0 else f"a better mapping is better by {chosen.gap:.2%} at most"
    return [*lines, proven]


def sweep_table(place: str, points: Mapping[float, Mapping[str, float]]) -> Table:
    """A line for each value of a constant."""
    areas = "area_mm2" in next(iter(points.values()))
    lines = [
        (f"{value:g}", *system_cells(facts), *((f"{facts['area_mm2']:.4f}",) if areas else ()))
        for value, facts in points.items()
    ]
    columns = (place, "latency ms", "energy mJ", "period ms", "frames a second", *(("area mm2",) if areas else ()))
    return table(columns, lines)
