"""`train-supernet`."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_search.commands.options import RECIPE, Data, Epochs, Out, RecipeName, Space
from edge_toolkit.options import JsonTo, plot_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from edge_search.supernet.log import Entry

app = typer.Typer()


@app.command("train-supernet")
def train_supernet_command(
    data: Data,
    space: Space,
    out: Out,
    recipe: RecipeName = RECIPE,
    epochs: Epochs = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Fixes initial weights, order and subnets.")] = 0,
    plot: Annotated[Path | None, plot_option("the cosines of gradients over the epochs")] = None,
    json_to: JsonTo = None,
) -> None:
    """Train the weights that all networks of a space share, and tell how far attention pulls them another way.

    The same command goes on where a stopped one was; `search` with the same data, space, recipe, epochs, seed and --out
    takes them as they are. `torchrun --nproc-per-node N --no-python edge-toolkit train-supernet ...` trains them with N
    processes, each with its share of every batch.
    """
    from edge_toolkit.extras import require

    require("search", "safetensors", "torch")
    from edge_search.lock import alone
    from edge_search.search import inherited, trained_supernet
    from edge_search.space import load_space
    from edge_search.supernet.checkpoint import Origin, entries_in
    from edge_search.supernet.conflict import has_conflict
    from edge_search.supernet.parallel import rank, together
    from edge_search.supernet.recipe import load_recipe
    from edge_search.supernet.sampling import landmarks
    from edge_toolkit.console import note, show
    from edge_toolkit.data import load_dataset
    from edge_toolkit.errors import InputError
    from edge_toolkit.runs import RunFolder

    chosen, loaded, run = load_recipe(recipe, epochs), load_space(space), RunFolder(out)
    with together(), ExitStack() as held:
        dataset = load_dataset(data)
        bound = loaded.for_data(dataset.input_shape, dataset.classes)
        if plot is not None and not has_conflict(bound):
            raise InputError(
                f"--plot {plot}: {space} has no networks with and without attention that are alike otherwise, so there "
                "is no conflict to draw; leave it out"
            )
        if rank() == 0:
            held.enter_context(alone(out))
        done = len(entries_in(run.supernet))
        supernet = trained_supernet(Origin(bound, chosen, dataset.fingerprint, seed), dataset, run)
        if rank() > 0:
            return
    judge = inherited(supernet, dataset, seed)
    accuracies = {name: judge.accuracy(network) for name, network in landmarks(bound).items()}
    entries = entries_in(run.supernet)
    payload = {
        "recipe": chosen.model_dump(mode="json"),
        "validation_accuracy": accuracies,
        "epochs": [asdict(entry) for entry in entries],
    }
    show([*_told(entries), *_judged(accuracies)], payload, json_to)
    if plot is not None:
        from edge_search.supernet.conflict_figure import conflict_figure
        from edge_toolkit.figures import save_figure

        save_figure(conflict_figure(entries, f"{recipe}: {space} on {data}"), plot)
        note(f"drawn in {plot}")
    already = ", trained to the end by an earlier command" if done == chosen.epochs else ""
    note(f"shared weights in {run.supernet}{already}")


def _told(entries: "Sequence[Entry]") -> "list[Table | str]":
    """The epochs after which the conflict was measured, and the last one."""
    from edge_toolkit.console import table

    shown = [entry for entry in entries if entry.conflict is not None or entry is entries[-1]]
    parts = list(next((entry.conflict for entry in shown if entry.conflict), {}))
    rows = [
        (
            entry.epoch,
            entry.phase,
            f"{entry.loss:.3f}",
            f"{entry.seconds:.0f}",
            *(_cosines(entry.conflict[part]) if entry.conflict else "" for part in parts),
        )
        for entry in shown
    ]
    drawn: list[Table | str] = [table(("epoch", "phase", "loss", "seconds", *parts), rows)]
    if parts:
        drawn.append(
            "behind each part: cosine of the gradients that networks without and with attention leave on its weights, "
            "and in brackets that of two networks of one sort"
        )
    return drawn


def _cosines(cosine: "Mapping[str, float]") -> str:
    return f"{cosine['between']:.2f} ({cosine['within']:.2f})"


def _judged(accuracies: "Mapping[str, float]") -> list[str]:
    told = ", ".join(f"{name} {accuracy:.1%}" for name, accuracy in accuracies.items())
    return [f"inherited accuracy, validation: {told}"]
