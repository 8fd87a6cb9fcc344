"""The commands of this room: `data`, `devices`, `report`. Nothing heavy is imported until a command runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from edge_toolkit.device import Attachment, Device

app = typer.Typer()


@app.command("data")
def data_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A built-in name, npz:FILE, folder:DIR[@SIZE], stream:DIR@SIZE or idx:DIR.",
            show_default=False,
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
            metavar="NAME|FILE",
            help="A device that ships, what stands beside one, both as DEVICE+ATTACHMENT, or the path of a YAML file.",
            show_default=False,
        ),
    ] = None,
    json_to: JsonTo = None,
) -> None:
    """List the devices that ship and what stands beside them, or show every constant of NAME with its source."""
    from edge_toolkit.console import show, table
    from edge_toolkit.device import is_attachment, load_attachment, load_device, shipped_attachments, shipped_devices

    if name is not None:
        notes: tuple[str, ...] = ()
        if is_attachment(name):
            kind, facts, role = "attachment", _facts(load_attachment(name)), "stands beside a device"
        else:
            device = load_device(name)
            kind, facts = "device", _device_facts(device)
            notes = device.calibration.lines() if device.calibration else ()
            role = f"costs {facts['origin']}"
        title = f"{facts['name']}: {facts['description']}; {facts['precision']}, {role}"
        rows = [
            (constant["name"], _spelled(constant["value"]), _assumed(constant), constant["source"])
            for constant in facts["constants"]
        ]
        show([table(("constant", "value", "assumed", "source"), rows, title), *notes], {kind: facts}, json_to)
        return
    attachments = [_facts(load_attachment(each)) for each in shipped_attachments()]
    devices = [_device_facts(load_device(each)) for each in shipped_devices()]
    columns = ("device", "precision", "peak GMAC/s", "on-chip KiB", "assumed", "description")
    beside = ("beside a device", "precision", "peak GMAC/s", "assumed", "description")
    lines = [_line(each, f"{each['on_chip_kib']:.4g}") for each in devices]
    show(
        [
            table(columns, lines),
            "",
            table(beside, [_line(each) for each in attachments]),
            "",
            "`edge-toolkit devices NAME` shows where each constant comes from; `--device xr-npu+cim-mram` means both.",
        ],
        {"devices": devices, "attachments": attachments},
        json_to,
    )


def _line(facts: dict[str, Any], *more: str) -> tuple[str, ...]:
    assumed = f"{sum(constant['assumed'] for constant in facts['constants'])} of {len(facts['constants'])}"
    return (facts["name"], facts["precision"], f"{facts['peak_gmac_s']:.4g}", *more, assumed, facts["description"])


def _device_facts(device: "Device") -> dict[str, Any]:
    own: dict[str, Any] = {"origin": device.origin, "on_chip_kib": device.memory.on_chip_kib.value}
    if device.calibration is not None:
        own["calibration"] = device.calibration.model_dump(mode="json")
    return _facts(device) | own


def _facts(part: "Device | Attachment") -> dict[str, Any]:
    return {
        "name": part.name,
        "description": part.description,
        "precision": part.precision,
        "peak_gmac_s": sum(processor.peak_gmac_s for processor in part.processors.values()),
        "constants": [{"name": name, **constant.model_dump(mode="json")} for name, constant in part.constants()],
    }


def _assumed(constant: dict[str, Any]) -> str:
    bounds = constant.get("range")
    told = f"{bounds[0]:g} to {bounds[1]:g}" if bounds else "assumed"
    return told if constant["assumed"] else f"no, {told}" if bounds else ""


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
