"""`export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_deploy.precision import CALIBRATION, MAX_DROP
from edge_toolkit.options import JsonTo, plot_option

if TYPE_CHECKING:
    from rich.table import Table

    from edge_deploy.precision.mix import Sweep

app = typer.Typer()


@app.command("export")
def export_command(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A model folder, such as RUN/models/knee.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The bundle's folder; by default RUN/bundles/PICK."),
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Put the matched LSTM's bundle beside it.")
    ] = True,
    precision: Annotated[
        list[str] | None,
        typer.Option("--precision", help="f16, bf16 or int8 besides f32, several times for several."),
    ] = None,
    max_drop: Annotated[
        float, typer.Option("--max-drop", help="Share of the validation split that int8 may lose, such as 0.01.")
    ] = MAX_DROP,
    samples: Annotated[
        int, typer.Option("--calibration-samples", help="Of the training split, for int8's ranges.")
    ] = CALIBRATION,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the samples for calibration.")] = 0,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Write each bundle as one file beside its folder, too: BUNDLE.zip.")
    ] = False,
    plot_to: Annotated[Path | None, plot_option("how sensitive each block is to int8")] = None,
    json_to: JsonTo = None,
) -> None:
    """Export a model to ONNX and OpenVINO, prove both against torch on the test data, and write a bundle.

    int8 comes by NNCF. Where it costs more accuracy than --max-drop, the most sensitive blocks stay in f32, fewest
    first; where no mix will do, nothing is written.
    """
    from dataclasses import asdict

    from edge_deploy.precision.variants import BoundMissed, PrecisionsAsked
    from edge_deploy.settings import INT8
    from edge_toolkit.extras import require

    asked = PrecisionsAsked(tuple(precision or ()), max_drop, samples, seed)
    nncf = ["nncf"] if INT8 in asked.others else []
    require("search", "torch", "onnx", "onnxscript", "onnxruntime", "safetensors", *nncf)
    from edge_deploy.bundle import read_bundle
    from edge_deploy.export import default_place, export
    from edge_deploy.export_tables import parity_table, precision_table
    from edge_deploy.manifest import manifest_to_json
    from edge_deploy.packed import check_packed_places, pack
    from edge_deploy.precision.sweep import SWEEP, read_sweep
    from edge_toolkit.console import note, show

    if zipped:
        check_packed_places(default_place(model) if out is None else out, baseline)
    try:
        bundle = export(model, out, baseline, asked)
    except BoundMissed as missed:
        show(_sweep(missed.quantised.sweep, plot_to), {"sweep": asdict(missed.quantised.sweep)}, json_to)
        raise
    written = [bundle] if bundle.baseline is None else [bundle, read_bundle(bundle.baseline)]
    packed = [each.path.with_name(f"{each.path.name}.zip") for each in written] if zipped else []
    for each, place in zip(written, packed, strict=False):
        pack(each.folder, place)
    facts = [{"path": str(each.path), "manifest": manifest_to_json(each.manifest)} for each in written]
    payload = {**facts[0], "baseline": facts[1] if len(facts) > 1 else None}
    tables = [make(each) for each in written for make in (parity_table, precision_table)]
    swept = [read_sweep(each.folder / SWEEP) for each in written[:1] if SWEEP in each.manifest.files]
    drawn = [each for each in tables if each is not None] + [part for each in swept for part in _sweep(each, plot_to)]
    show(drawn, payload, json_to)
    note(f"bundle in {bundle.path}; `edge-toolkit profile {bundle.path}` measures it")
    for place in packed:
        note(f"in one file: {place}")


def _sweep(found: "Sweep", plot_to: Path | None) -> "list[Table | str]":
    """The tables of a sweep, drawn too where that is asked for; none where plain quantisation did."""
    from edge_deploy.precision.sweep import sweep_figure, sweep_tables
    from edge_toolkit.console import note
    from edge_toolkit.figures import save_figure

    if not found.sensitivities:
        if plot_to is not None:
            note("plain quantisation keeps the bound: there is no sweep to draw")
        return []
    if plot_to is not None:
        save_figure(sweep_figure(found), plot_to)
        note(f"plot in {plot_to}")
    return ["", *sweep_tables(found)]
