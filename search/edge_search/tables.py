"""A front as a person reads it: modelled and measured side by side, and the budgets that a measurement breaks."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from edge_toolkit.console import table
from edge_toolkit.front import Candidate, Front, front_to_json
from edge_toolkit.measured import Measured
from edge_toolkit.specs import digest


def front_table(front: Front, measured: Measured | None) -> Table:
    """The candidates, fastest first."""
    columns = ["#", "accuracy", "latency_ms", "energy_mj", "MMACs", "k parameters", "network", "pick"]
    if measured is not None:
        columns[4:4] = [f"measured_ms ({measured.settings.device}, {measured.settings.precision})", "budget"]
    rows = []
    for index, candidate in enumerate(front.candidates):
        row: list[object] = [
            index,
            f"{candidate.accuracy:.1%}",
            f"{candidate.latency_ms:.4f}",
            f"{candidate.energy_mj:.5f}",
            f"{candidate.macs / 1e6:.2f}",
            f"{candidate.parameters / 1e3:.1f}",
            digest(candidate.architecture),
            front.names(index),
        ]
        if measured is not None:
            row[4:4] = _measured_cells(front, measured, candidate)
        rows.append(row)
    return table(columns, rows, title=f"front of {front.run}: {front.space} on {front.device}, data {front.data}")


def _measured_cells(front: Front, measured: Measured, candidate: Candidate) -> Iterator[str]:
    found = measured.candidates.get(digest(candidate.architecture))
    if found is None:
        yield from ("n/a", "not measured")
        return
    yield f"{found.latency_ms:.4f} ({found.off_by(candidate.latency_ms):+.1%})"
    yield front.budget.verdict(found.latency_ms)


def front_lines(front: Front, measured: Measured | None) -> list[str]:
    """What stands below the table: budgets, where each number comes from, and what is in brackets."""
    bounds = ", ".join(f"{name} <= {bound:.4g}" for name, bound in front.budget.bounds.items()) or "none"
    origin = front.candidates[0].origin
    origins = ", ".join(f"{name} {source}" for name, source in origin.items())
    lines = [f"budget: {bounds}; {front.evaluated} networks evaluated", f"origin: {origins}"]
    if measured is not None:
        lines.append(
            "in brackets: how far latency_ms is off the quietest of the measurements, to which other work adds least"
        )
    return lines


def front_payload(front: Front, measured: Measured | None) -> dict[str, Any]:
    """The front as JSON, each candidate with its `measured` where there is one."""
    payload = front_to_json(front)
    if measured is not None:
        for candidate, plain in zip(front.candidates, payload["candidates"], strict=True):
            found = measured.candidates.get(digest(candidate.architecture))
            plain["measured"] = asdict(found) if found is not None else None
    return payload
