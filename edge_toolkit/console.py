"""What a command prints: tables and JSON on standard output; progress, warnings and hints on standard error."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from edge_toolkit.files import write_json

SCHEMA = 1
"""Version of the JSON that commands write; it rises when a field goes or changes its meaning."""


class Advance(Protocol):
    """Tells a progress bar that a step is done, and what to show beside it."""

    def __call__(self, remark: str = "") -> None: ...


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> Table:
    """A plain table; columns of numbers are set right."""
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    numeric = [all(_looks_numeric(str(row[index])) for row in rows) for index in range(len(columns))]
    for name, right in zip(columns, numeric, strict=True):
        drawn.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    return drawn


def _looks_numeric(text: str) -> bool:
    return not text or text[0] in "0123456789-+.<" or text == "n/a"


def show(drawn: Sequence[Table | str], payload: Mapping[str, Any], json_to: str | None) -> None:
    """Print what a person reads, or write what a program reads.

    Args:
        drawn: tables and lines for standard output.
        payload: plain data; `schema` is added.
        json_to: None for the tables alone; a file's path for the tables and the file; `-` for the JSON alone, on
            standard output, which then carries nothing else.
    """
    whole = {"schema": SCHEMA, **payload}
    if json_to == "-":
        sys.stdout.write(json.dumps(whole, indent=2, allow_nan=False) + "\n")
        return
    if json_to is not None:  # first, since a reader such as `head` may close the pipe
        write_json(Path(json_to), whole)
        note(f"JSON in {json_to}")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for item in drawn:
        console.print(item, soft_wrap=isinstance(item, str), markup=False)


def note(text: str) -> None:
    """One line on standard error: a hint, a warning, what was written where."""
    Console(stderr=True, highlight=False).print(text, soft_wrap=True, markup=False)


@contextmanager
def progress(what: str, total: int, done: int = 0) -> Iterator[Advance]:
    """A progress bar with its ETA on standard error; a line after each tenth of the steps where that is no terminal.

    Args:
        what: the work, in a few words.
        total: its steps.
        done: those that an earlier run did.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("eta"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=total, completed=done, note="")

        def advance(remark: str = "") -> None:
            bar.update(task, advance=1, note=remark)
            done = int(bar.tasks[task].completed)
            if not console.is_terminal and 10 * done // total > 10 * (done - 1) // total:
                note(f"{what}: {done} of {total}{remark and ', '}{remark}")

        yield advance
