"""Commands of the device: `export`, `profile` and `measure`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_deploy.calibrate_command import calibrate
from edge_toolkit.options import JsonTo

app = typer.Typer()
app.command()(calibrate)


def _upper(name: str) -> str:
    return name.upper()  # as OpenVINO names its devices


Device = Annotated[str, typer.Option("--device", "-d", callback=_upper, help="An OpenVINO device.")]
Precision = Annotated[str, typer.Option("--precision", help="f32, bf16 or f16; read back and shown.")]
Threads = Annotated[int, typer.Option("--threads", help="Threads of the CPU.")]


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder, such as RUN/models/knee.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The bundle's folder; by default RUN/bundles/PICK."),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Put the matched LSTM's bundle beside it.")
    ] = True,
    json_to: JsonTo = None,
) -> None:
    """Export a model to ONNX and OpenVINO, prove both against torch on the test data, and write a bundle."""
    from edge_toolkit.extras import require

    require("search", "torch", "onnx", "onnxscript", "onnxruntime", "safetensors")
    from edge_deploy.bundle import read_bundle
    from edge_deploy.export import export as export_model
    from edge_deploy.export_tables import parity_table
    from edge_deploy.manifest import manifest_to_json
    from edge_toolkit.console import note, show

    bundle = export_model(model, out, baseline)
    written = [bundle] if bundle.baseline is None else [bundle, read_bundle(bundle.baseline)]
    facts = [{"path": str(each.path), "manifest": manifest_to_json(each.manifest)} for each in written]
    payload = {**facts[0], "baseline": facts[1] if len(facts) > 1 else None}
    show([parity_table(each) for each in written], payload, json_to)
    note(f"bundle in {bundle.path}; `edge-toolkit profile {bundle.path}` measures it")


@app.command()
def profile(
    target: Annotated[Path, typer.Argument(metavar="BUNDLE|MODEL", help="A bundle, a model.onnx or a model.xml.")],
    device: Device = "CPU",
    precision: Precision = "f32",
    threads: Threads = 1,
    seconds: Annotated[
        float, typer.Option("--seconds", "-t", min=0.01, max=3600, help="Time to measure each model for.")
    ] = 3.0,
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="lstm|PATH", help="Compare with the LSTM of equal parameters, or a model."),
    ] = None,
    top: Annotated[int, typer.Option("--top", min=0, help="Show this many executed rows of each model.")] = 10,
    layers: Annotated[bool, typer.Option("--layers", help="Show every executed row.")] = False,
    json_to: JsonTo = None,
    csv_to: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    plot_to: Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw it, .png or .svg.")] = None,
) -> None:
    """Measure a model on a device: its latency, and where the time goes, layer by layer, against a baseline."""
    from edge_deploy.profile import profile as profile_of
    from edge_deploy.tables import profile_tables, write_csv
    from edge_deploy.target import run_profile
    from edge_toolkit.console import note, show
    from edge_toolkit.errors import InputError
    from edge_toolkit.extras import require
    from edge_toolkit.figures import profile_figure, save_figure
    from edge_toolkit.files import write_json
    from edge_toolkit.profile import doubts_of, has_baseline, profile_to_json

    if csv_to == Path("-"):
        raise InputError("--csv -: must be a file's name; `--json -` writes to standard output")
    if plot_to is not None:
        if plot_to.suffix not in (".png", ".svg"):
            raise InputError(f"--plot {plot_to}: must end in .png or .svg")
        require("search", "matplotlib")
    made = profile_of(target, device, precision, threads, seconds, baseline)
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
    show(profile_tables(made, -1 if layers else top), payload, json_to)
    for line in (*(f"warning: {doubt}" for doubt in doubts_of(made)), *written):
        note(line)


@app.command()
def measure(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder with a front.")],
    device: Device = "CPU",
    precision: Precision = "f32",
    threads: Threads = 1,
    seconds: Annotated[
        float, typer.Option("--seconds", "-t", min=0.01, max=3600, help="Time for each candidate.")
    ] = 1.0,
    json_to: JsonTo = None,
) -> None:
    """Export every candidate of a front with random weights and measure its latency on a device."""
    from dataclasses import asdict

    from edge_toolkit.extras import require

    require("search", "torch", "onnx", "onnxscript")
    from edge_deploy.measure import measure as measure_front
    from edge_deploy.measure import measured_table
    from edge_toolkit.console import note, show
    from edge_toolkit.front import read_front
    from edge_toolkit.runs import existing_run

    folder = existing_run(run)
    measured = measure_front(folder, device, precision, threads, seconds)
    show([measured_table(read_front(folder.front), measured)], asdict(measured), json_to)
    note(
        f"measured with random weights, on which latency does not depend; in {folder.measured}, and "
        f"`edge-toolkit front {run}` shows it beside the model"
    )
