"""`map`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edge_deploy.commands.options import Target
from edge_toolkit.options import JsonTo, ModelledDevice, plot_option

if TYPE_CHECKING:
    from edge_toolkit.cost.objective import Objective

app = typer.Typer()

OBJECTIVE = "What is minimised: latency, energy, edp (their product) or weighted."
WEIGHT = "For `weighted`: what a millisecond and what a millijoule count for."
PIPELINED = "Frames overlap: the time that counts is the period from one frame to the next."
WEIGHTS = "Whether weights that find room in the shared memory stay there between frames, or all stream in each."
SECOND = "Solve for the second choice of each layer, too."
SWEEP = "Set a constant of the device to one value after another, such as cim.macros=1,2,4,8."


@app.command("map")
def map_command(
    target: Target,
    device: ModelledDevice,
    objective: Annotated[str, typer.Option("--objective", help=OBJECTIVE)] = "latency",
    weight: Annotated[str | None, typer.Option("--weight", metavar="MS,MJ", help=WEIGHT)] = None,
    pipelined: Annotated[bool, typer.Option("--pipelined", help=PIPELINED)] = False,
    weights: Annotated[Literal["resident", "streamed"], typer.Option("--weights", help=WEIGHTS)] = "resident",
    second: Annotated[bool, typer.Option("--second/--no-second", help=SECOND)] = True,
    sweep: Annotated[str | None, typer.Option("--sweep", metavar="PLACE=V1,V2,...", help=SWEEP)] = None,
    plot_to: Annotated[Path | None, plot_option("when each processor runs what, or the sweep")] = None,
    json_to: JsonTo = None,
) -> None:
    """Map a model's layers to the processors of a device in the best way; show where each runs, and why."""
    from edge_deploy.mapped import Request, mapped, swept
    from edge_deploy.target_layers import doubts, layers_at
    from edge_toolkit.console import note, show
    from edge_toolkit.device import load_device
    from edge_toolkit.figures import save_figure
    from edge_toolkit.sweep import sweep_of

    goal, values = _objective(objective, weight, pipelined), None if sweep is None else sweep_of(sweep)
    loaded = load_device(device)
    found = layers_at(target)
    request = Request(str(target), found.table, loaded, goal, weights == "streamed")
    made = (
        mapped(request, second, plot_to is not None) if values is None else swept(request, values, plot_to is not None)
    )
    if plot_to is not None and made.figure is not None:
        save_figure(made.figure, plot_to)
        note(f"plot in {plot_to}")
    show(made.drawn, made.payload, json_to)
    for doubt in doubts(found, loaded):
        note(f"warning: {doubt}")


def _objective(goal: str, weight: str | None, pipelined: bool) -> "Objective":
    from edge_toolkit.cost.objective import objective_of
    from edge_toolkit.errors import InputError

    if weight is None:
        return objective_of(goal, None, pipelined)
    try:
        per_ms, per_mj = (float(each) for each in weight.split(","))
    except ValueError as error:
        raise InputError(
            f"--weight {weight}: give two numbers, for a millisecond and a millijoule, such as 1,2"
        ) from error
    return objective_of(goal, (per_ms, per_mj), pipelined)
