"""Options that the commands of every room share."""

from typing import Annotated

import typer

JsonTo = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write JSON to FILE; - for standard output, and nothing else there."),
]
