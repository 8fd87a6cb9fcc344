"""`preflight`."""

from typing import Annotated

import typer

from edge_toolkit.options import JsonTo

app = typer.Typer()

TARGET = "A bundle, a model's file, a model folder, an architecture.json, or a search space: its name or a YAML file."
SAMPLE = "Networks drawn from a search space, beside its smallest and its largest; 20 if not given."


@app.command("preflight")
def preflight_command(
    target: Annotated[str, typer.Argument(metavar="TARGET", help=TARGET)],
    on: Annotated[str, typer.Option("--target", metavar="NAME", help="What it shall run on; npu is Intel's.")] = "npu",
    sample: Annotated[int | None, typer.Option("--sample", min=0, help=SAMPLE)] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Draws the sample; 0 if not given.")] = None,
    json_to: JsonTo = None,
) -> None:
    """Tell whether a network will go on an NPU, and what would be slow there, before an export or a search is paid for.

    Nothing is run: the model is held against what Intel's compiler and documentation say, and the device is asked where
    OpenVINO has one. Networks that are only described are exported with random weights.
    """
    from edge_deploy.preflight.networks import networks_at
    from edge_deploy.preflight.preflight import preflight
    from edge_deploy.preflight.report import preflight_tables, preflight_to_json, verdict
    from edge_deploy.preflight.rules import load_rules
    from edge_toolkit.console import show
    from edge_toolkit.errors import AnswerIsNo

    rules = load_rules(on)
    made = preflight(target, networks_at(target, sample, seed), rules)
    show(preflight_tables(made, rules), preflight_to_json(made, rules), json_to)
    if made.refused:
        raise AnswerIsNo(f"{target}: {verdict(made)}; change what `what would help` says, and ask again")
