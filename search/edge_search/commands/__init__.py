"""The commands of the workstation. Nothing heavy is imported until a command runs."""

import typer

from edge_search.commands import search, spaces, supernet, train

app = typer.Typer()
for part in (spaces, supernet, search, train):
    app.add_typer(part.app)
