"""`layers` and `estimate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_deploy.commands.options import TARGET, Target
from edge_toolkit.options import MODELLED, JsonTo

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer()

LISTED = "Networks in the target's place: JSON, one architecture a line, as `spaces sample` writes them."
WORKLOADS = "Single layers in the target's place: CSV, one workload a line."


@app.command("layers")
def layers_command(
    target: Target,
    json_to: JsonTo = None,
    csv_to: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the layers as CSV.")] = None,
) -> None:
    """Show what a model computes, layer by layer: what a device runs, with what it fuses inside. Counts elements."""
    from edge_deploy.layer_tables import layer_table, totals_of, write_layers_csv
    from edge_deploy.target_layers import doubts, layers_at
    from edge_toolkit.console import note, show
    from edge_toolkit.errors import InputError

    if csv_to == Path("-"):
        raise InputError("--csv -: must be a file's name; `--json -` writes to standard output")
    found = layers_at(target)
    table = found.table
    if csv_to is not None:
        write_layers_csv(csv_to, table)
        note(f"layers in {csv_to}")
    facts = {
        "target": str(target),
        "totals": totals_of(table),
        "uncounted": list(found.uncounted),
        "rows": table.rows(),
    }
    show([layer_table(table, str(target))], facts, json_to)
    for doubt in doubts(found):
        note(f"warning: {doubt}")


@app.command("estimate")
def estimate_command(
    target: Annotated[Path | None, typer.Argument(metavar="TARGET", help=TARGET, show_default=False)] = None,
    device: Annotated[str | None, typer.Option("--device", "-d", help=MODELLED)] = None,
    architectures: Annotated[Path | None, typer.Option("--architectures", metavar="FILE", help=LISTED)] = None,
    workloads: Annotated[Path | None, typer.Option("--workloads", metavar="FILE", help=WORKLOADS)] = None,
    json_to: JsonTo = None,
) -> None:
    """Show the modelled cost of a model on a device, layer by layer, of many networks, or of single layers."""
    from edge_toolkit.console import show
    from edge_toolkit.errors import InputError

    if [target, architectures, workloads].count(None) != 2:
        raise InputError("estimate: give TARGET, --architectures FILE or --workloads FILE; exactly one of them")
    if workloads is not None:
        from edge_deploy.workload_costs import workload_costs

        drawn, payload = workload_costs(workloads, device)
    elif device is None:
        raise InputError("--device is missing; give one of those that `edge-toolkit devices` lists, or a .yaml file")
    elif architectures is not None:
        drawn, payload = _many(architectures, device)
    elif target is not None:
        drawn, payload = _one(target, device)
    show(drawn, payload, json_to)


def _one(target: Path, name: str) -> "tuple[list[Table | str], dict[str, Any]]":
    from edge_deploy.layer_tables import cost_payload, cost_table, origin_line
    from edge_deploy.target_layers import doubts, layers_at
    from edge_toolkit.console import note
    from edge_toolkit.cost import estimate
    from edge_toolkit.device import load_device

    device, found = load_device(name), layers_at(target)
    cost = estimate(found.table, device)
    for doubt in doubts(found, device):
        note(f"warning: {doubt}")
    facts = {"target": str(target), "device": device.name, "uncounted": list(found.uncounted)}
    drawn: list[Table | str] = [
        cost_table(found.table, cost, f"{target} on {device.name}"),
        origin_line(device),
    ]
    return drawn, {**facts, **cost_payload(found.table, cost)}


def _many(listed: Path, name: str) -> "tuple[list[Table | str], dict[str, Any]]":
    from edge_deploy.layer_tables import network_costs, network_table, origin_line
    from edge_toolkit.console import note
    from edge_toolkit.cost import Cost, estimate
    from edge_toolkit.device import load_device
    from edge_toolkit.errors import AnswerIsNo
    from edge_toolkit.layers import layers_of
    from edge_toolkit.specs import digest, read_listed

    device = load_device(name)
    specs = read_listed(listed)
    tables = [layers_of(spec) for spec in specs]
    costs: list[Cost | None] = []
    for number, table in enumerate(tables, start=1):
        try:
            costs.append(estimate(table, device))
        except AnswerIsNo as error:
            costs.append(None)
            note(f"{listed}, line {number}: {error}")
    if not any(costs):
        raise AnswerIsNo(f"{device.name} can run none of the networks in {listed}; give a device that can")
    networks = network_costs([digest(spec) for spec in specs], tables, costs)
    drawn: list[Table | str] = [network_table(networks, f"{listed} on {device.name}"), origin_line(device)]
    return drawn, {"device": device.name, "networks": networks}
