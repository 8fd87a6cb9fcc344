"""The commands of the device. Nothing heavy is imported until a command runs."""

import typer

from edge_deploy.commands import (
    calibrate,
    compare,
    costs,
    doctor,
    export,
    map,
    measure,
    preflight,
    profile,
    verify,
)

app = typer.Typer()
for part in (export, preflight, verify, profile, compare, doctor, measure, calibrate, costs, map):
    app.add_typer(part.app)
