"""The commands of this room: `data`, `devices`, `report`. Nothing heavy is imported until a command runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from edge_toolkit.device import Device

app = typer.Typer()


@app.command("data")
def data_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A built-in name, npz:FILE, folder:DIR[@SIZE] or idx:DIR.", show_default=False
        ),
    ] = None,
    json_to: JsonTo = None,
) -> None:
    """List the data that is built in, or check and describe NAME."""
    from edge_toolkit.console import show
    from edge_toolkit.data import describe, load_dataset, load_test

    if name is None:
        drawn, payload = describe.listing()
    else:
        drawn, payload = describe.description(load_dataset(name), load_test(name))
    show(drawn, payload, json_to)


@app.command("devices")
def devices_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|FILE", help="A device that ships, or the path of a YAML file.", show_default=False
        ),
    ] = None,
    json_to: JsonTo = None,
) -> None:
    """List the devices that ship, or show every constant of NAME with its source."""
    from edge_toolkit.console import show, table
    from edge_toolkit.device import load_device, shipped_devices

    if name is not None:
        device = _device_facts(load_device(name))
        title = f"{device['name']}: {device['description']}; {device['precision']}, costs {device['origin']}"
        rows = [
            (
                constant["name"],
                _spelled(constant["value"]),
                "assumed" if constant["assumed"] else "",
                constant["source"],
            )
            for constant in device["constants"]
        ]
        show([table(("constant", "value", "assumed", "source"), rows, title)], {"device": device}, json_to)
        return
    devices = [_device_facts(load_device(each)) for each in shipped_devices()]
    columns = ("device", "precision", "peak GMAC/s", "on-chip KiB", "assumed", "description")
    lines = [
        (
            each["name"],
            each["precision"],
            f"{each['peak_gmac_s']:.4g}",
            f"{each['on_chip_kib']:.4g}",
            f"{sum(constant['assumed'] for constant in each['constants'])} of {len(each['constants'])}",
            each["description"],
        )
        for each in devices
    ]
    show(
        [table(columns, lines), "`edge-toolkit devices NAME` shows where each constant comes from."],
        {"devices": devices},
        json_to,
    )


def _device_facts(device: "Device") -> dict[str, Any]:
    constants = [{"name": name, **constant.model_dump(mode="json")} for name, constant in device.constants()]
    return {
        "name": device.name,
        "description": device.description,
        "origin": device.origin,
        "precision": device.precision,
        "peak_gmac_s": sum(processor.peak_gmac_s for processor in device.processors.values()),
        "on_chip_kib": device.memory.on_chip_kib.value,
        "constants": constants,
    }


def _spelled(value: float | dict[str, float]) -> str:
    return ", ".join(f"{kind} {share:g}" for kind, share in value.items()) if isinstance(value, dict) else f"{value:g}"


@app.command("report")
def report_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    json_to: JsonTo = None,
) -> None:
    """Write RUN/report.html, one page that opens offline, from the run's files: nothing is measured anew."""
    from edge_toolkit.extras import require

    require("search", "jinja2", "matplotlib")
    from edge_toolkit.console import note, show, table
    from edge_toolkit.report.headline import summary, summary_row
    from edge_toolkit.report.page import write_page
    from edge_toolkit.report.sources import read_evidence
    from edge_toolkit.runs import existing_run

    evidence = read_evidence(existing_run(run))
    page = write_page(evidence)
    facts = summary(evidence)
    row = summary_row(facts)
    show([table(tuple(row), [tuple(row.values())])], facts, json_to)
    for command in dict.fromkeys(facts["missing"].values()):
        note(f"missing from the page: `{command}` makes it")
    note(f"page in {page}")
