"""Options that several commands of the workstation share."""

from pathlib import Path
from typing import Annotated

import typer

RECIPE = "projected"
"""The recipe that did best, by benchmarks/supernet.py."""

DATA = "A built-in name, npz:FILE, folder:DIR[@SIZE], stream:DIR@SIZE or idx:DIR; `edge-toolkit data` lists them."
SPACE = "A space that ships (`edge-toolkit spaces`), or the path of a YAML file."
RECIPES = "How shared weights are trained: projected, labels, two-phase, single-phase, or the path of a YAML file."

Data = Annotated[str, typer.Option("--data", help=DATA)]
Space = Annotated[str, typer.Option("--space", help=SPACE)]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The run's folder; a stopped run goes on.")]
RecipeName = Annotated[str, typer.Option("--recipe", help=RECIPES)]
Epochs = Annotated[
    int | None,
    typer.Option("--supernet-epochs", help="Epochs that train the shared weights; the recipe's unless given."),
]
