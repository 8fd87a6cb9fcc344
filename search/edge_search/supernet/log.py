"""The log of a supernet's training: one JSON line an epoch, for whoever watches; the checkpoint holds the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_toolkit.files import write_text


@dataclass(frozen=True)
class Entry:
    """One epoch.

    `phase` counts from 1; `loss` is the mean of the largest networks' losses; `seconds` have gone by since the training
    began; `conflict` holds, where it was measured, for each part of the network the cosines `between` and `within`
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


def write_log(path: Path, entries: Sequence[Entry]) -> None:
    """Write a whole log, in place of the one that is there."""
    write_text(path, "".join(json.dumps(asdict(entry)) + "\n" for entry in entries))
