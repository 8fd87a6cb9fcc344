"""`train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edge_toolkit.options import JsonTo

if TYPE_CHECKING:
    from edge_toolkit.model_folder import Model

app = typer.Typer()

PICK = "A name of the front (knee, fastest, most-accurate, least-energy) or an index."


@app.command("train")
def train_command(
    run: Annotated[Path | None, typer.Argument(metavar="[RUN]", help="A run's folder.", show_default=False)] = None,
    pick: Annotated[str | None, typer.Option("--pick", help=PICK)] = None,
    baseline: Annotated[Literal["lstm"] | None, typer.Option("--baseline", help="Train it beside --like.")] = None,
    like: Annotated[Path | None, typer.Option("--like", metavar="MODEL", help="The model that it matches.")] = None,
    match: Annotated[
        Literal["parameters", "macs"], typer.Option("--match", help="What the two have equal.")
    ] = "parameters",
    epochs: Annotated[int, typer.Option("--epochs", help="Epochs of training.")] = 20,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Start from random weights.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Fixes initial weights, order and augmentation.")] = 0,
    json_to: JsonTo = None,
) -> None:
    """Train a pick of a run, or the LSTM baseline of a model, and judge it once on the test split.

    `train RUN --pick knee` writes RUN/models/knee; `train --baseline lstm --like MODEL` writes MODEL-lstm beside it.
    """
    from edge_toolkit.extras import require

    require("search", "safetensors", "torch")
    from edge_search.picks import train_baseline, train_pick
    from edge_search.recipe import Recipe
    from edge_toolkit.errors import InputError
    from edge_toolkit.runs import existing_run

    if baseline is not None:
        if like is None or run is not None or pick is not None:
            raise InputError("--baseline: write `train --baseline lstm --like MODEL`, without RUN and --pick")
        folder, model = train_baseline(like, match, Recipe(epochs), seed)
    elif run is None or pick is None or like is not None:
        raise InputError("train: write `train RUN --pick NAME`, or `train --baseline lstm --like MODEL`")
    else:
        folder, model = train_pick(existing_run(run), pick, Recipe(epochs), from_scratch, seed)
    _show(folder, model, json_to)


@app.command("extract")
def extract_command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    pick: Annotated[str, typer.Option("--pick", help=PICK)],
    json_to: JsonTo = None,
) -> None:
    """Write a pick of a run with the weights that it inherits, not trained further, as RUN/models/PICK-inherited.

    It computes what the search judged it by, to the last bit, and is exported like any other model.
    """
    from edge_toolkit.extras import require

    require("search", "safetensors", "torch")
    from edge_search.picks import extract_pick
    from edge_toolkit.runs import existing_run

    folder, model = extract_pick(existing_run(run), pick)
    _show(folder, model, json_to)


def _show(folder: Path, model: "Model", json_to: str | None) -> None:
    from edge_toolkit.console import note, show, table
    from edge_toolkit.layers import layers_of
    from edge_toolkit.specs import digest

    training, layers = model.training, layers_of(model.spec)
    facts = {
        "model": folder.name,
        "network": digest(model.spec),
        "kind": model.spec.kind,
        "start": training.start,
        "epochs": training.epochs,
        "validation_accuracy": training.validation_accuracy,
        "test_accuracy": training.test_accuracy,
        "macs": int(layers.macs.sum()),
        "parameters": int(layers.parameters.sum()),
        "seconds": training.seconds,
    }
    row = (
        folder.name,
        model.spec.kind,
        training.start,
        training.epochs,
        f"{training.validation_accuracy:.1%}",
        f"{training.test_accuracy:.1%}",
        f"{layers.macs.sum() / 1e6:.2f}",
        f"{layers.parameters.sum() / 1e3:.1f}",
        f"{training.seconds:.0f}",
    )
    columns = ("model", "kind", "start", "epochs", "validation", "test", "MMACs", "k parameters", "seconds")
    show([table(columns, [row])], facts, json_to)
    note(f"model in {folder}")
