"""Options that the commands of every room share."""

from typing import Annotated

import typer

MODELLED = "A device that ships (`edge-toolkit devices`), attachments behind a +, or the path of a YAML file."
"""What a `--device` may be whose costs are looked up, not measured."""

ModelledDevice = Annotated[str, typer.Option("--device", "-d", help=MODELLED)]

JsonTo = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write JSON to FILE; - for standard output, and nothing else there."),
]
