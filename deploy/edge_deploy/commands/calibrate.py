"""`calibrate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_deploy.commands.options import Device, Precision, Threads
from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_deploy.calibration.kit import Kit
    from edge_toolkit.measured import Settings
    from edge_toolkit.specs import ModelSpec

app = typer.Typer()

WORKSTATION = ("torch", "onnx", "onnxscript")
"""What the export of a network needs."""


@app.command("calibrate")
def calibrate_command(
    space: Annotated[
        str | None, typer.Option("--space", help="Sample this space: one that ships, or a YAML file.")
    ] = None,
    architectures: Annotated[
        Path | None, typer.Option("--architectures", metavar="FILE", help="Or these networks, one JSON a line.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The device's file, .yaml.")] = None,
    device: Device = "CPU",
    precision: Precision = "f32",
    threads: Threads = 1,
    networks: Annotated[int, typer.Option("--networks", min=2, help="How many to measure.")] = 40,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws what the sample is chosen from.")] = 0,
    prepare: Annotated[
        Path | None, typer.Option("--prepare", metavar="DIR", help="Write the networks there; measure nothing.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="Measure the networks that --prepare wrote.")
    ] = None,
    plot_to: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw predicted against measured, .png or .svg.")
    ] = None,
    json_to: JsonTo = None,
) -> None:
    """Measure networks on a device and fit a predictor of latency to them: a device for `search` and `estimate`.

    A stopped calibration goes on with the same command. For a device without torch: `--prepare DIR` on the workstation,
    then `--run DIR` on the device.
    """
    from edge_deploy.calibration.calibrate import beside
    from edge_deploy.calibration.calibrate import calibrate as calibrate_device
    from edge_deploy.calibration.kit import read_kit
    from edge_deploy.calibration.report import calibration_tables
    from edge_toolkit.console import note, show
    from edge_toolkit.extras import require
    from edge_toolkit.figures import prediction_figure, save_figure

    asked = _Asked(space, architectures, networks, seed)
    _check(asked, out, prepare, run, plot_to)
    if prepare is not None:
        kit = _prepared(prepare, asked)
        note(f"{len(kit.names)} networks in {prepare}; `edge-toolkit calibrate --run {prepare} --out my-device.yaml`")
        return
    if plot_to is not None:
        require("search", "matplotlib")
    settings = _settings(device, precision, threads)
    if out is None:
        raise AssertionError("`_check` sees to it")
    folder = run if run is not None else beside(out) / "kit"
    kit = read_kit(folder) if run is not None else _prepared(folder, asked)
    done = calibrate_device(folder, kit, out, settings)
    if plot_to is not None:
        what = f"{len(kit.names)} networks of {kit.plan.space}, each predicted from the others"
        save_figure(prediction_figure(done.predicted_us / 1e3, done.measured_us / 1e3, what), plot_to)
        note(f"plot in {plot_to}")
    show(calibration_tables(done.device), {"device": done.device.model_dump(mode="json", by_alias=True)}, json_to)
    note(f"device in {out}; `edge-toolkit search --device {out}` predicts latencies by it")


@dataclass(frozen=True)
class _Asked:
    """Which networks."""

    space: str | None
    architectures: Path | None
    networks: int
    seed: int


def _check(asked: _Asked, out: Path | None, prepare: Path | None, run: Path | None, plot_to: Path | None) -> None:
    from edge_toolkit.errors import InputError

    sources = [asked.space, asked.architectures, run]
    problems = []
    if sum(source is not None for source in sources) != 1:
        problems.append("give one of --space, --architectures and --run: where the networks come from")
    if prepare is not None and (out is not None or run is not None):
        problems.append("--prepare measures nothing; leave --out and --run out")
    if prepare is None and out is None:
        problems.append("--out is missing; give the device's file, such as my-cpu.yaml")
    if out is not None and out.suffix not in (".yaml", ".yml"):
        problems.append(f"--out {out} must end in .yaml or .yml")
    if plot_to is not None and plot_to.suffix not in (".png", ".svg"):
        problems.append(f"--plot {plot_to} must end in .png or .svg")
    if problems:
        raise InputError.listing("calibrate", problems)


def _settings(device: str, precision: str, threads: int) -> "Settings":
    from edge_deploy.measure import settings_of
    from edge_toolkit.errors import InputError

    if precision == "int8":
        raise InputError("--precision int8: networks are not quantised yet; use f32, bf16 or f16")
    return settings_of(device, precision, threads)


def _prepared(folder: Path, asked: _Asked) -> "Kit":
    from edge_toolkit.extras import require

    require("search", *WORKSTATION)
    from edge_deploy.calibration.design import Candidates, designed, drawn_from
    from edge_deploy.calibration.kit import Plan, prepared
    from edge_deploy.convert import random_ir
    from edge_toolkit.specs import read_listed

    plan = Plan(asked.space or str(asked.architectures), asked.networks, asked.seed)

    def draw() -> "Sequence[ModelSpec]":
        listed = asked.architectures
        candidates = drawn_from(plan.space, asked.seed) if listed is None else Candidates(read_listed(listed))
        return designed(candidates, asked.networks)

    return prepared(folder, plan, draw, random_ir)
