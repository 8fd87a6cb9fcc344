"""`profile`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from edge_toolkit.profile import Profile

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
        float, typer.Option("--fps", min=0, help="Run it at this pace besides, and count late frames.")
    ] = 0.0,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.001, max=1440, help="How long to run at the pace of --fps.")
    ] = 1.0,
    load: Annotated[
        int, typer.Option("--load", min=0, max=256, help="Busy neighbours: processes that compute meanwhile.")
    ] = 0,
    tree: Annotated[bool, typer.Option("--tree", help="Show the rows below their blocks, in order.")] = False,
    top: Annotated[int, typer.Option("--top", min=0, help="Show this many executed rows of each model.")] = 10,
    layers: Annotated[bool, typer.Option("--layers", help="Show every executed row.")] = False,
    json_to: JsonTo = None,
    csv_to: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    plot_to: Annotated[Path | None, plot_option("where the time goes, block by block")] = None,
    trace_to: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Write a trace for Perfetto or chrome://tracing.")
    ] = None,
    html_to: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page to look around in, which opens offline.")
    ] = None,
) -> None:
    """Measure a model on a device: its latency, and where the time goes, layer by layer, against a baseline."""
    from edge_deploy.profile import Pace, profile
    from edge_deploy.tables import profile_tables
    from edge_deploy.target import run_profile
    from edge_toolkit.console import note, show
    from edge_toolkit.errors import InputError
    from edge_toolkit.files import check_places
    from edge_toolkit.profile import doubts_of, profile_to_json

    for option, path in (("--csv", csv_to), ("--trace", trace_to), ("--html", html_to)):
        if path == Path("-"):
            raise InputError(f"{option} -: must be a file's name; `--json -` writes to standard output")
    pace = Pace(fps, 60 * minutes, load)
    check_places([csv_to, plot_to, trace_to, html_to, None if json_to in (None, "-") else Path(json_to)])
    asked = asked_of(device, precision, threads, streams, hint, cache_dir, shape)
    made = profile(target, asked, seconds, baseline, requests, pace)
    payload = profile_to_json(made)
    # Before anything is printed, since a reader such as `head` may close the pipe.
    written = list(_write_files(made, csv_to, plot_to, trace_to, html_to))
    kept = run_profile(target)
    if kept is not None:
        written.append(_keep(kept, made, usual=load == 0 and hint == "none" and precision == "f32"))
    show(profile_tables(made, -1 if layers else top, tree), payload, json_to)
    for line in (*(f"warning: {doubt}" for doubt in doubts_of(made)), *written):
        note(line)


def _keep(kept: Path, made: "Profile", usual: bool) -> str:
    """Keep a profile with its run, unless one is there that the report would rather have; and what became of it."""
    from edge_toolkit.files import write_json
    from edge_toolkit.profile import has_baseline, profile_to_json

    if not usual:
        return f"{kept} stays as it is: it is for f32, without a hint or busy neighbours"
    if made.baseline is None and has_baseline(kept):
        return f"{kept} stays as it is: it has a baseline, and this profile has none"
    write_json(kept, profile_to_json(made))
    return f"profile kept in {kept}, where `edge-toolkit report` finds it"


def _write_files(
    made: "Profile", csv_to: Path | None, plot_to: Path | None, trace_to: Path | None, html_to: Path | None
) -> Iterator[str]:
    """Write what was asked for, and tell what stands where."""
    from edge_deploy.tables import write_csv
    from edge_toolkit.figures import profile_figure, save_figure
    from edge_toolkit.files import write_json, write_text
    from edge_toolkit.profile_page import profile_page
    from edge_toolkit.trace import trace_of

    if csv_to is not None:
        write_csv(csv_to, made)
        yield f"rows in {csv_to}"
    if plot_to is not None:
        save_figure(profile_figure(made), plot_to)
        yield f"plot in {plot_to}"
    if trace_to is not None:
        write_json(trace_to, trace_of(made))
        yield f"trace in {trace_to}, which ui.perfetto.dev and chrome://tracing open"
    if html_to is not None:
        write_text(html_to, profile_page(made))
        yield f"page in {html_to}"
