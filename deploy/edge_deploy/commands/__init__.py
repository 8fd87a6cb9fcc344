"""The commands of the device. Nothing heavy is imported until a command runs."""

import typer

from edge_deploy.commands import calibrate, costs, export, map, measure, preflight, profile

app = typer.Typer()
for part in (export, preflight, profile, measure, calibrate, costs, map):
    app.add_typer(part.app)
