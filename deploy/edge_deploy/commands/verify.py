"""`verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_deploy.commands.options import Shape
from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from rich.table import Table

    from edge_deploy.verify import Verification

app = typer.Typer()


@app.command("verify")
def verify_command(
    target: Annotated[Path, typer.Argument(metavar="BUNDLE|MODEL", help="A bundle, an .onnx, an .xml or a .tflite.")],
    device: Annotated[
        list[str] | None,
        typer.Option(
            "--device", "-d", help="A device to ask, several times for several; by default all that are here."
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option("--precision", "-infer_precision", help="f32, bf16, f16 or int8, several times for several."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="MODEL", help="Expect the answers of another model.")
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", metavar="FILE", help="An .npz with samples for each input.")
    ] = None,
    bound: Annotated[
        float | None,
        typer.Option("--bound", min=0, help="Largest relative error that passes; by default each precision's own."),
    ] = None,
    shape: Shape = None,
    json_to: JsonTo = None,
) -> None:
    """Hold the answers of the devices here against the expected ones; see that a bundle is what was exported."""
    from dataclasses import asdict

    from edge_deploy.settings import Asked
    from edge_deploy.shapes import shapes_from
    from edge_deploy.verify import verify
    from edge_toolkit.console import note, show
    from edge_toolkit.errors import AnswerIsNo

    asked = Asked(shapes=() if shape is None else shapes_from(shape))
    devices = [each.upper() for each in device or ()]
    made = verify(target, asked, devices, precision or (), against, inputs, bound)
    payload = {**asdict(made), "checks": [each.to_json() for each in made.checks], "passed": made.passed}
    show([f"{made.target}: {made.samples} samples, held against {made.reference}", _table(made)], payload, json_to)
    for changed in made.changed:
        note(f"note: {changed}")
    failed = [f"{each.device} at {each.precision}" for each in made.checks if not each.passed]
    if failed:
        raise AnswerIsNo(
            f"{target}: {', '.join(failed)} answers otherwise than expected (the table tells by how much); try "
            "--inputs with real samples, another precision, or --bound where that is near enough"
        )


def _table(made: "Verification") -> "Table":
    from edge_toolkit.console import table

    rows = [
        (
            each.device,
            each.precision,
            each.computed_in or "n/a",
            f"{each.error:.1e}",
            f"{each.bound:.0e}",
            f"{each.cosine:.6f}",
            "n/a" if each.top1 is None else f"{each.top1:.1%}",
            "passed" if each.passed else "FAILED",
        )
        for each in made.checks
    ]
    heads = ("device", "asked", "computed in", "relative error", "at most", "least cosine", "top-1 agrees", "")
    return table(heads, rows)
