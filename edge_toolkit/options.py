"""Options that the commands of every room share."""

from pathlib import Path
from typing import Annotated, Any

import typer


def _drawable(path: Path | None) -> Path | None:
    """A plot's file, checked before the work starts."""
    from edge_toolkit.errors import InputError
    from edge_toolkit.extras import require

    if path is not None:
        if path.suffix not in (".png", ".svg"):
            raise InputError(f"--plot {path}: must end in .png or .svg")
        require("search", "matplotlib")
    return path


MODELLED = "A device that ships (`edge-toolkit devices`), attachments behind a +, or the path of a YAML file."
"""What a `--device` may be whose costs are looked up, not measured."""

ModelledDevice = Annotated[str, typer.Option("--device", "-d", help=MODELLED)]

JsonTo = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write JSON to FILE; - for standard output, and nothing else there."),
]


def plot_option(what: str) -> Any:
    """`--plot FILE`; `what` is drawn, for the help."""
    return typer.Option("--plot", metavar="FILE", callback=_drawable, help=f"Draw {what}, .png or .svg.")
