"""`calibrate`."""

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_deploy.commands.options import Device, Precision, Threads
from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_deploy.calibration.kit import Kit
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
    networks: Annotated[int | None, typer.Option("--networks", min=2, help="How many to measure, if not 40.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Draws what the sample is chosen from; 0 if not given.")
    ] = None,
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
    import shutil

    from edge_deploy.calibration.calibrate import beside
    from edge_deploy.calibration.calibrate import calibrate as calibrate_device
    from edge_deploy.calibration.kit import read_kit
    from edge_deploy.calibration.report import calibration_tables
    from edge_deploy.measure import settings_of
    from edge_deploy.runtime import INT8, check_options
    from edge_toolkit.console import note, show
    from edge_toolkit.extras import require
    from edge_toolkit.figures import prediction_figure, save_figure

    check_options(precision, threads)
    asked = _Asked(space, architectures, networks, seed, precision == INT8)
    place = _checked(asked, _Written(out, plot_to, json_to), prepare, run)
    if prepare is not None:
        kit = _prepared(place, asked)
        options = f"--run {prepare}{' --precision int8' if asked.int8 else ''} --out my-device.yaml"
        note(f"{len(kit.names)} networks in {prepare}; `edge-toolkit calibrate {options}`")
        return
    if plot_to is not None:
        require("search", "matplotlib")
    settings = settings_of(device, precision, threads)
    folder = run if run is not None else beside(place) / "kit"
    kit = read_kit(folder, asked.int8) if run is not None else _prepared(folder, asked)
    done = calibrate_device(folder, kit, place, settings)
    if plot_to is not None:
        what = f"{len(kit.names)} networks of {kit.plan.space}, each predicted from the others"
        save_figure(prediction_figure(done.predicted_us / 1e3, done.measured_us / 1e3, what), plot_to)
        note(f"plot in {plot_to}")
    payload = {"device": done.device.model_dump(mode="json", by_alias=True)}
    show(calibration_tables(done.calibration, precision), payload, json_to)
    shutil.rmtree(beside(place))  # not before: what is written last may have failed
    note(f"device in {place}; `edge-toolkit search --device {place}` predicts latencies by it")


@dataclass(frozen=True)
class _Asked:
    """Which networks."""

    space: str | None
    architectures: Path | None
    networks: int | None
    seed: int | None
    int8: bool


@dataclass(frozen=True)
class _Written:
    """What is to be written."""

    out: Path | None
    plot: Path | None
    json: str | None


def _checked(asked: _Asked, written: _Written, prepare: Path | None, run: Path | None) -> Path:
    """The folder of `--prepare`, else the device's file."""
    from edge_toolkit.errors import InputError

    sources = [asked.space, asked.architectures, run]
    problems = []
    if sum(source is not None for source in sources) != 1:
        problems.append("give one of --space, --architectures and --run: where the networks come from")
    if prepare is not None and (run is not None or any((written.out, written.plot, written.json))):
        problems.append("--prepare measures nothing; leave --out, --plot, --json and --run out")
    if run is not None and (asked.networks is not None or asked.seed is not None):
        problems.append("--run measures the networks of its folder; leave --networks and --seed out")
    if prepare is None and written.out is None:
        problems.append("--out is missing; give the device's file, such as my-cpu.yaml")
    if written.out is not None and written.out.suffix not in (".yaml", ".yml"):
        problems.append(f"--out {written.out} must end in .yaml or .yml")
    if written.plot is not None and written.plot.suffix not in (".png", ".svg"):
        problems.append(f"--plot {written.plot} must end in .png or .svg")
    place = prepare or written.out
    if problems or place is None:
        raise InputError.listing("calibrate", problems)
    return place


def _prepared(folder: Path, asked: _Asked) -> "Kit":
    from edge_toolkit.extras import require

    require("search", *WORKSTATION, *(["nncf"] if asked.int8 else []))
    from edge_deploy.calibration.design import Candidates, designed, drawn_from
    from edge_deploy.calibration.kit import Plan, prepared
    from edge_deploy.convert import random_ir
    from edge_toolkit.files import read_text
    from edge_toolkit.specs import read_listed

    source, count = asked.space or str(asked.architectures), asked.networks or 40
    content = sha256(read_text(Path(source)).encode()).hexdigest() if Path(source).is_file() else ""
    plan = Plan(source, count, asked.seed or 0, asked.int8, content)

    def draw() -> "Sequence[ModelSpec]":
        listed = asked.architectures
        candidates = drawn_from(plan.space, plan.seed) if listed is None else Candidates(read_listed(listed))
        return designed(candidates, plan.networks)

    return prepared(folder, plan, draw, partial(random_ir, int8=asked.int8))
