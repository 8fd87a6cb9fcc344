"""`calibrate`."""

from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_deploy.commands.options import Device, Precision, Threads
from edge_toolkit.options import JsonTo, plot_option

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
    plot_to: Annotated[Path | None, plot_option("what was predicted against what was measured")] = None,
    json_to: JsonTo = None,
) -> None:
    """Measure networks on a device and fit a predictor of latency to them: a device for `search` and `estimate`.

    A stopped calibration goes on with the same command. For a device without torch: `--prepare DIR` on the workstation,
    then `--run DIR` on the device.
    """
    from edge_deploy.measure import settings_of
    from edge_deploy.settings import INT8, Asked
    from edge_toolkit.console import note

    Asked(device, precision, threads)  # its rules
    asked = _Asked(space, architectures, networks, seed, precision == INT8)
    place = _checked(asked, out, prepare, run, written=plot_to is not None or json_to is not None)
    if prepare is None:
        _calibrate(place, asked, run, settings_of(device, precision, threads), plot_to, json_to)
        return
    kit = _prepared(place, asked)
    options = f"--run {place}{' --precision int8' if asked.int8 else ''} --out my-device.yaml"
    note(f"{len(kit.names)} networks in {place}; `edge-toolkit calibrate {options}`")


@dataclass(frozen=True)
class _Asked:
    """Which networks."""

    space: str | None
    architectures: Path | None
    networks: int | None
    seed: int | None
    int8: bool


def _checked(asked: _Asked, out: Path | None, prepare: Path | None, run: Path | None, written: bool) -> Path:
    """The folder of `--prepare`, else the device's file; `written` tells whether a plot or JSON is asked for."""
    from edge_toolkit.errors import InputError

    sources = [asked.space, asked.architectures, run]
    problems = []
    if sum(source is not None for source in sources) != 1:
        problems.append("give one of --space, --architectures and --run: where the networks come from")
    if prepare is not None and (run is not None or out is not None or written):
        problems.append("--prepare measures nothing; leave --out, --plot, --json and --run out")
    if run is not None and (asked.networks is not None or asked.seed is not None):
        problems.append("--run measures the networks of its folder; leave --networks and --seed out")
    if prepare is None and out is None:
        problems.append("--out is missing; give the device's file, such as my-cpu.yaml")
    if out is not None and out.suffix not in (".yaml", ".yml"):
        problems.append(f"--out {out} must end in .yaml or .yml")
    place = prepare or out
    if problems or place is None:
        raise InputError.listing("calibrate", problems)
    return place


def _calibrate(
    out: Path, asked: _Asked, run: Path | None, settings: "Settings", plot_to: Path | None, json_to: str | None
) -> None:
    import shutil

    from edge_deploy.calibration.calibrate import beside, calibrate
    from edge_deploy.calibration.kit import read_kit
    from edge_deploy.calibration.report import calibration_tables
    from edge_toolkit.console import note, show
    from edge_toolkit.figures import prediction_figure, save_figure

    folder = run if run is not None else beside(out) / "kit"
    kit = read_kit(folder, asked.int8) if run is not None else _prepared(folder, asked)
    done = calibrate(folder, kit, out, settings)
    if plot_to is not None:
        what = f"{len(kit.names)} networks of {kit.plan.space}, each predicted from the others"
        save_figure(prediction_figure(done.predicted_us / 1e3, done.measured_us / 1e3, what), plot_to)
        note(f"plot in {plot_to}")
    payload = {"device": done.device.model_dump(mode="json", by_alias=True)}
    show(calibration_tables(done.calibration, settings.precision), payload, json_to)
    shutil.rmtree(beside(out))  # not before: what is written last may have failed
    note(f"device in {out}; `edge-toolkit search --device {out}` predicts latencies by it")


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
