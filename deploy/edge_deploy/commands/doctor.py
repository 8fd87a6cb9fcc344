"""`doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_deploy.commands.options import Shape
from edge_toolkit.options import JsonTo

app = typer.Typer()


@app.command("doctor")
def doctor_command(
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="BUNDLE|MODEL",
            help="A bundle, an .onnx, an .xml or a .tflite to ask the devices about.",
            show_default=False,
        ),
    ] = None,
    shape: Shape = None,
    json_to: JsonTo = None,
) -> None:
    """Look at the devices, drivers and the machine's state, and tell what each means for a measurement."""
    from dataclasses import asdict

    from edge_deploy.doctor import examine, examine_model
    from edge_deploy.shapes import shapes_from
    from edge_deploy.target import target_of
    from edge_toolkit.console import show, table

    shapes = () if shape is None else shapes_from(shape)
    found = target_of(target) if target is not None else None  # kept, for a packed bundle's files go with it
    signs = list(examine_model(found.file, shapes)) if found is not None else []
    signs += examine()
    rows = [(each.topic, each.found, each.state, each.meaning) for each in signs]
    show([table(("what", "found", "", "what it means"), rows)], {"signs": [asdict(each) for each in signs]}, json_to)
