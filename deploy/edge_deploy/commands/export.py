"""`export`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_toolkit.options import JsonTo

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
    zipped: Annotated[
        bool, typer.Option("--zip", help="Write each bundle as one file beside its folder, too: BUNDLE.zip.")
    ] = False,
    json_to: JsonTo = None,
) -> None:
    """Export a model to ONNX and OpenVINO, prove both against torch on the test data, and write a bundle."""
    from edge_toolkit.extras import require

    require("search", "torch", "onnx", "onnxscript", "onnxruntime", "safetensors")
    from edge_deploy.bundle import read_bundle
    from edge_deploy.export import export
    from edge_deploy.export_tables import parity_table
    from edge_deploy.manifest import manifest_to_json
    from edge_deploy.packed import pack
    from edge_toolkit.console import note, show

    bundle = export(model, out, baseline)
    written = [bundle] if bundle.baseline is None else [bundle, read_bundle(bundle.baseline)]
    packed = [each.path.with_name(f"{each.path.name}.zip") for each in written] if zipped else []
    for each, place in zip(written, packed, strict=False):
        pack(each.folder, place)
    facts = [{"path": str(each.path), "manifest": manifest_to_json(each.manifest)} for each in written]
    payload = {**facts[0], "baseline": facts[1] if len(facts) > 1 else None}
    show([parity_table(each) for each in written], payload, json_to)
    note(f"bundle in {bundle.path}; `edge-toolkit profile {bundle.path}` measures it")
    for place in packed:
        note(f"in one file: {place}")
