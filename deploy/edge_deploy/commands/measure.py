"""`measure`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_deploy.commands.options import Device, Precision, Threads
from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from edge_toolkit.front import Front
    from edge_toolkit.measured import Measured

app = typer.Typer()

TARGET = "A run folder with a front, a bundle, a model.onnx or a model.xml."
LISTED = "Networks to measure in its place: JSON, one architecture a line, as `spaces sample` writes them."


@app.command("measure")
def measure_command(
    target: Annotated[Path | None, typer.Argument(metavar="RUN|BUNDLE|MODEL", help=TARGET, show_default=False)] = None,
    architectures: Annotated[Path | None, typer.Option("--architectures", metavar="FILE", help=LISTED)] = None,
    device: Device = "CPU",
    precision: Precision = "f32",
    threads: Threads = 1,
    seconds: Annotated[float, typer.Option("--seconds", "-t", min=0.01, max=3600, help="Time for each model.")] = 1.0,
    json_to: JsonTo = None,
) -> None:
    """Measure latency on a device: a model's, or those of a run's front or of listed networks, all in turn in one run.

    Networks are exported with random weights, on which latency does not depend. What was measured with the same
    settings is not measured again.
    """
    from dataclasses import asdict

    from edge_deploy.manifest import NAME
    from edge_deploy.measure import front_table, measure_files, measured_table, other_than
    from edge_deploy.settings import INT8
    from edge_deploy.target import target_of
    from edge_toolkit.console import note, show
    from edge_toolkit.device import device_of_run
    from edge_toolkit.errors import InputError
    from edge_toolkit.extras import require
    from edge_toolkit.front import read_front
    from edge_toolkit.runs import RunFolder

    if (target is None) == (architectures is None):
        raise InputError("measure: give a run, a bundle or a model, or --architectures FILE; one of them")
    settings = device, precision, threads, seconds
    run = RunFolder(target) if target is not None else None
    if run is not None and not run.request.is_file():
        if run.path.is_dir() and not (run.path / NAME).is_file():
            raise InputError(
                f"{run.path}: holds neither a run ({run.request.name}) nor a bundle ({NAME}); `edge-toolkit search ... "
                f"--out {run.path}` makes a run"
            )
        found = target_of(run.path, precision)
        measured = measure_files({str(found.path): found.file}, *settings)
        show([measured_table(measured)], asdict(measured), json_to)
        return
    require("search", "matplotlib", "torch", "onnx", "onnxscript", *(["nncf"] if precision == INT8 else []))
    from edge_deploy.measure_networks import listed_record, measure_front, measure_listed

    if run is not None:
        asked = device_of_run(run.request)
        measured, front = measure_front(run, *settings), read_front(run.front)
        show([front_table(front, measured)], asdict(measured), json_to)
        _draw(front, measured, run.measured)
        if other := other_than(asked, measured.settings):
            note(f"`front off by` is between two things: {other}")
        place = f"{run.measured}, drawn beside it, and `edge-toolkit front {run.path}` shows it beside the model"
    elif architectures is not None:
        measured = measure_listed(architectures, *settings)
        show([measured_table(measured)], asdict(measured), json_to)
        place = str(listed_record(architectures))
    note(f"measured with random weights, on which latency does not depend; in {place}")


def _draw(front: "Front", measured: "Measured", beside: Path) -> None:
    """Predicted against measured latency, .png and .svg beside the file of the measurements."""
    import numpy as np

    from edge_toolkit.figures import prediction_figure, save_figure
    from edge_toolkit.specs import digest

    predicted_ms = np.array([candidate.latency_ms for candidate in front.candidates])
    taken = [measured.candidates[digest(candidate.architecture)] for candidate in front.candidates]
    measured_ms = np.array([each.quiet_ms or each.latency_ms for each in taken])
    origin = front.candidates[0].origin.get("latency_ms", "predicted")
    figure = prediction_figure(predicted_ms, measured_ms, f"front of {front.run}, {origin} on {front.device}")
    for suffix in (".png", ".svg"):
        save_figure(figure, beside.with_suffix(suffix))
