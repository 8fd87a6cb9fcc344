"""The log of a supernet's training: one JSON line an epoch."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_text, write_text


@dataclass(frozen=True)
class Entry:
    """One epoch.

    `loss` is the mean of the largest networks' losses; `seconds` have gone by since the training began; `conflict`
    holds, where it was measured, for each part of the network the cosines `between` and `within`
    (`edge_search.supernet.conflict`).
    """

    epoch: int
    step: int
    phase: int
    learning_rate: float
    loss: float
    seconds: float
    conflict: Mapping[str, Mapping[str, float]] | None = None


def log_of(checkpoint: Path) -> Path:
    """Where the log beside a checkpoint lies."""
    return checkpoint.with_suffix(".jsonl")


def read_log(path: Path) -> tuple[Entry, ...]:
    """The entries of a log, from the first epoch to the last.

    Raises:
        InputError: the file is missing or is no log.
    """
    lines = read_text(path).splitlines()
    try:
        found = [json.loads(line) for line in lines]
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is no log of a supernet ({error.msg}); train it again") from error
    return checked(_ENTRIES, found, str(path))


def epochs_in(path: Path) -> int:
    """How many epochs a log tells of; 0 where there is none."""
    return len(read_log(path)) if path.is_file() else 0


def write_log(path: Path, entries: tuple[Entry, ...]) -> None:
    """Write a whole log, in place of the one that is there."""
    write_text(path, "".join(json.dumps(asdict(entry)) + "\n" for entry in entries))


_ENTRIES: TypeAdapter[tuple[Entry, ...]] = TypeAdapter(tuple[Entry, ...])
