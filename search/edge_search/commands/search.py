"""`search` and `front`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edge_search.commands.options import RECIPE, Data, Epochs, Out, RecipeName, Space
from edge_toolkit.options import JsonTo, ModelledDevice

if TYPE_CHECKING:
    from edge_toolkit.calibration import Calibration
    from edge_toolkit.device import Device
    from edge_toolkit.front import Front
    from edge_toolkit.runs import RunFolder

app = typer.Typer()

Sampler = Literal["nsga2", "tpe", "gp", "random"]


STORAGE = "Any Optuna storage URL, in place of a journal file in the run's folder."


@app.command("search")
def search_command(
    data: Data,
    space: Space,
    device: ModelledDevice,
    out: Out,
    latency_ms: Annotated[
        float | None, typer.Option("--latency-ms", help="Bound on the latency of one inference.")
    ] = None,
    energy_mj: Annotated[
        float | None, typer.Option("--energy-mj", help="Bound on the energy of one inference.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", help="Bound on the latency as a frame rate: 90 is 11.1 ms.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", help="Networks to evaluate, all inside the budget.")] = 100,
    sampler: Annotated[Sampler, typer.Option("--sampler", help="What proposes networks.")] = "nsga2",
    seed: Annotated[int, typer.Option("--seed", min=0, help="With one job, fixes the front.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", help="Evaluations at a time.")] = 1,
    storage: Annotated[str | None, typer.Option("--storage", metavar="URL", help=STORAGE)] = None,
    recipe: RecipeName = RECIPE,
    epochs: Epochs = None,
    measure: Annotated[
        bool, typer.Option(help="Measure the front at the end, if the device was calibrated on this machine.")
    ] = True,
    json_to: JsonTo = None,
) -> None:
    """Search a space for the networks with the best accuracy inside a latency and an energy budget.

    The same command goes on where a stopped one was. Exit status 1: nothing in the space is inside the budget.
    """
    from edge_toolkit.extras import require

    require("search", "matplotlib", "moocore", "optuna", "safetensors", "torch")
    from edge_search.request import Request
    from edge_search.search import run_search
    from edge_search.space import load_space
    from edge_search.supernet.recipe import load_recipe
    from edge_toolkit.budget import budget_of
    from edge_toolkit.data import load_dataset
    from edge_toolkit.device import load_device
    from edge_toolkit.runs import RunFolder

    budget, loaded, hardware = budget_of(latency_ms, energy_mj, fps), load_space(space), load_device(device)
    dataset = load_dataset(data)
    request = Request(
        data=data,
        fingerprint=dataset.fingerprint,
        space_name=space,
        space=loaded.for_data(dataset.input_shape, dataset.classes),
        device=hardware,
        budget=budget,
        recipe=load_recipe(recipe, epochs),
        sampler=sampler,
        seed=seed,
        storage=storage,
        trials=trials,
        jobs=jobs,
    )
    run = RunFolder(out)
    front = run_search(request, dataset, run)
    if hardware.calibration is not None:
        _measure(run, hardware, hardware.calibration, measure)
    _show(front, run, json_to)


def _measure(run: "RunFolder", hardware: "Device", calibration: "Calibration", wanted: bool) -> None:
    """Hold a front's calibrated latencies against the device, or say how."""
    from edge_toolkit.cli import answer_of
    from edge_toolkit.console import note
    from edge_toolkit.errors import EdgeError

    options = {"--device": calibration.device, "--precision": hardware.precision, "--threads": calibration.threads}
    words = ["measure", str(run.path), *(str(word) for option in options.items() for word in option)]
    command = f"`edge-toolkit {' '.join(words)}`"
    if not wanted or calibration.differences():
        note(f"{command} holds these latencies, which are calibrated, against the device")
        return
    try:
        answer_of(*words)
    except EdgeError as error:
        note(f"the front is not measured: {error}; {command} does it")


@app.command("front")
def front_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")], json_to: JsonTo = None
) -> None:
    """Show the front of a run, modelled and measured side by side, and draw it."""
    from edge_toolkit.extras import require

    require("search", "matplotlib")
    from edge_toolkit.front import read_front
    from edge_toolkit.runs import existing_run

    folder = existing_run(run)
    _show(read_front(folder.front), folder, json_to)


def _show(front: "Front", run: "RunFolder", json_to: str | None) -> None:
    from edge_search.tables import front_lines, front_payload, front_table
    from edge_toolkit.console import note, show
    from edge_toolkit.figures import front_figure, save_figure
    from edge_toolkit.measured import read_measured

    measured = read_measured(run.measured) if run.measured.is_file() else None
    figure = front_figure(front)
    for suffix in (".png", ".svg"):
        save_figure(figure, run.front.with_suffix(suffix))
    show([front_table(front, measured), *front_lines(front, measured)], front_payload(front, measured), json_to)
    note(f"drawn in {run.front.with_suffix('.png')} and .svg")
