"""`profile`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_deploy.commands.options import (
    CacheDir,
    Device,
    Hint,
    Precision,
    Requests,
    Seconds,
    Shape,
    StreamsOrHint,
    ThreadsOrHint,
    asked_of,
)
from edge_toolkit.options import JsonTo, plot_option

app = typer.Typer()


@app.command("profile")
def profile_command(
    target: Annotated[Path, typer.Argument(metavar="BUNDLE|MODEL", help="A bundle, an .onnx, an .xml or a .tflite.")],
    device: Device = "CPU",
    precision: Precision = "f32",
    threads: ThreadsOrHint = None,
    streams: StreamsOrHint = None,
    hint: Hint = "none",
    cache_dir: CacheDir = None,
    shape: Shape = None,
    seconds: Seconds = 3.0,
    requests: Requests = None,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="lstm|PATH", help="Compare with the LSTM of equal parameters, or a model."),
    ] = None,
    fps: Annotated[
        float, typer.Option("--fps", min=0, max=10_000, help="Run it at this pace besides, and count late frames.")
    ] = 0.0,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.001, max=1440, help="How long to run at the pace of --fps.")
    ] = 1.0,
    load: Annotated[int, typer.Option("--load", min=0, max=256, help="Busy neighbours, a core each, meanwhile.")] = 0,
    tree: Annotated[bool, typer.Option("--tree", help="Show the rows below their blocks, in order.")] = False,
    top: Annotated[int, typer.Option("--top", min=0, help="Show this many executed rows of each model.")] = 10,
    layers: Annotated[bool, typer.Option("--layers", help="Show every executed row.")] = False,
    json_to: JsonTo = None,
    csv_to: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    plot_to: Annotated[Path | None, plot_option("where the time goes, block by block")] = None,
) -> None:
    """Measure a model on a device: its latency, and where the time goes, layer by layer, against a baseline."""
    from edge_deploy.profile import Pace, profile
    from edge_deploy.tables import profile_tables, write_csv
    from edge_deploy.target import run_profile
    from edge_toolkit.console import note, show
    from edge_toolkit.errors import InputError
    from edge_toolkit.figures import profile_figure, save_figure
    from edge_toolkit.files import write_json
    from edge_toolkit.profile import doubts_of, has_baseline, profile_to_json

    if csv_to == Path("-"):
        raise InputError("--csv -: must be a file's name; `--json -` writes to standard output")
    asked = asked_of(device, precision, threads, streams, hint, cache_dir, shape)
    made = profile(target, asked, seconds, baseline, requests, Pace(fps, 60 * minutes, load))
    payload = profile_to_json(made)
    written = []  # before anything is printed, since a reader such as `head` may close the pipe
    if csv_to is not None:
        write_csv(csv_to, made)
        written.append(f"rows in {csv_to}")
    if plot_to is not None:
        save_figure(profile_figure(made), plot_to)
        written.append(f"plot in {plot_to}")
    kept = run_profile(target)
    if kept is not None and made.baseline is None and has_baseline(kept):
        written.append(f"{kept} stays as it is: it has a baseline, and this profile has none")
    elif kept is not None:
        write_json(kept, payload)
        written.append(f"profile kept in {kept}, where `edge-toolkit report` finds it")
    show(profile_tables(made, -1 if layers else top, tree), payload, json_to)
    for line in (*(f"warning: {doubt}" for doubt in doubts_of(made)), *written):
        note(line)
