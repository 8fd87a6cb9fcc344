"""The commands of this room. Nothing heavy is imported until a command runs."""

from typing import Annotated

import typer

from edge_toolkit.options import JsonTo

app = typer.Typer()


@app.command("data")
def data_command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A built-in name, npz:FILE, folder:DIR[@SIZE] or idx:DIR.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of a split that the data does not fix.")] = 0,
    json_to: JsonTo = None,
) -> None:
    """List the data that is built in, or check and describe NAME."""
    from edge_toolkit.console import show
    from edge_toolkit.data import describe, load_dataset, load_test

    if name is None:
        drawn, payload = describe.listing()
    else:
        drawn, payload = describe.description(load_dataset(name, seed), load_test(name, seed), seed)
    show(drawn, payload, json_to)
