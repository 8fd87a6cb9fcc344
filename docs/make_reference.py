"""Writes docs/reference.md from the commands' own help; a test sees that it is current.

python docs/make_reference.py
"""

from pathlib import Path

import typer
from typer.testing import CliRunner

from edge_toolkit.cli import build_app

PAGE = Path(__file__).with_name("reference.md")
INTRODUCTION = """# Reference: the command line

Made from `edge-toolkit COMMAND --help` by `python docs/make_reference.py`.

Exit status: 0 done; 1 the work was done and the answer is no (a budget missed, a parity check failed, a tampered
bundle); 2 the request can't be served, in one message that names the value, the rule and the remedy.
`edge-toolkit --debug COMMAND` shows the traceback. With `--json -` standard output carries nothing but JSON; progress
and notes go to standard error.
"""


def reference() -> str:
    """The whole page."""
    app = build_app()
    parts = [INTRODUCTION]
    for path in _commands(typer.main.get_command(app), ()):
        result = CliRunner().invoke(app, [*path, "--help"], prog_name="edge-toolkit", env={"COLUMNS": "110"})
        parts.append(f"## edge-toolkit {' '.join(path)}\n\n```\n{result.output.strip()}\n```\n")
    return "\n".join(parts)


def _commands(command: object, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    below = getattr(command, "commands", {})
    here = [path] if path else []
    return here + [each for name in sorted(below) for each in _commands(below[name], (*path, name))]


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
