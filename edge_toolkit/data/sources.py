"""Where data comes from: one table, from the word before the colon to what reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_toolkit.console import note
from edge_toolkit.data import digits, folder, idx, npz, recall, watch
from edge_toolkit.data.checks import Parts, check
from edge_toolkit.data.dataset import Dataset, Split
from edge_toolkit.data.raw import Raw
from edge_toolkit.errors import InputError


@dataclass(frozen=True)
class Builtin:
    """One data set that needs no file of the user's, for a listing."""

    name: str
    what: str
    shape: str
    classes: int
    source: str


@dataclass(frozen=True)
class Source:
    """One way to name data.

    Attributes:
        form: how it is written.
        read: from what stands behind the colon, and the seed; what is too large to be checked whole comes checked.
        needs: whether something must stand behind the colon (True), may (None), or must not (False).
    """

    form: str
    read: Callable[[str, int], Raw | Parts]
    needs: bool | None


SOURCES = {
    "digits": Source("digits", lambda _, seed: digits.load(seed), False),
    "recall": Source("recall[:STEPS]", lambda rest, seed: recall.load(recall.steps_of(rest), seed), None),
    "watch": Source("watch", lambda _, seed: watch.load(seed), False),
    "folder": Source("folder:DIR[@SIZE]", lambda rest, seed: _folder(rest, seed), True),
    "stream": Source("stream:DIR@SIZE", lambda rest, seed: _stream(rest, seed), True),
    "idx": Source("idx:DIR", lambda rest, seed: idx.load(Path(rest), seed), True),
    "npz": Source("npz:FILE", lambda rest, seed: npz.load(Path(rest), seed), True),
}

_BUILTIN = (
    Builtin("digits", "handwritten digits, enlarged from 8x8", f"1x{digits.SIZE}x{digits.SIZE}", 10, digits.SOURCE),
    Builtin(
        "recall",
        "associative recall over a long sequence; recall:256 sets its steps",
        f"{recall.CHANNELS}x1x{recall.STEPS}",
        recall.VALUES,
        recall.SOURCE,
    ),
    Builtin("watch", "shoulder exercises by a smartwatch's IMU, split by person", "6x1x200", 7, watch.SOURCE),
)


def list_builtin() -> tuple[Builtin, ...]:
    """The data sets that are built in, by name; nothing is loaded."""
    return _BUILTIN


def load_dataset(name: str, seed: int = 0) -> Dataset:
    """The training and the validation split of a data set, checked; what is worth a warning goes to standard error.

    Args:
        name: a built-in name, or one of the forms `npz:FILE`, `folder:DIR[@SIZE]`, `stream:DIR@SIZE`, `idx:DIR`.
        seed: of a split that the source does not fix, and of made-up data.

    Raises:
        InputError: there is no such source, or its data breaks a rule (every one is told).
        MissingError: a package that the source needs is not installed.
    """
    parts, found = _load(name, seed)
    for text in found:
        note(f"{name}: {text}")
    train, validation = parts.splits["train"], parts.splits["validation"]
    return Dataset(name, train, validation, parts.labels, parts.source, parts.notes)


def load_test(name: str, seed: int = 0) -> Split:
    """The test split of a data set: for final figures and for what ships with a model, never for a choice.

    Args:
        name, seed: those that `load_dataset` was given, so that the splits belong together.

    Raises:
        InputError, MissingError: as for `load_dataset`.
    """
    return _load(name, seed)[0].splits["test"]


def _load(name: str, seed: int) -> tuple[Parts, tuple[str, ...]]:
    """The checked data set, and what the check found worth a warning."""
    if seed < 0:
        raise InputError(f"seed={seed} must be 0 or more")
    word, colon, rest = name.partition(":")
    source = SOURCES.get(word)
    if source is None:
        raise InputError(_unknown(name))
    if (source.needs is True and not rest) or (source.needs is False and colon) or (colon and not rest):
        raise InputError(f"{name}: must be written {source.form}")
    raw = source.read(rest, seed)
    if isinstance(raw, Parts):
        return raw, ()
    parts = check(name, raw)
    return parts, parts.notes[len(raw.notes) :]


def _folder(rest: str, seed: int) -> Raw:
    directory, size = folder.parse(rest)
    return folder.load(directory, seed, size)


def _stream(rest: str, seed: int) -> Parts:
    directory, size = folder.parse(rest, "stream")
    if size is None:
        raise InputError(f"stream:{rest}: needs a size that images are resized to; write stream:{directory}@224, say")
    return folder.stream(directory, seed, size)


def _unknown(name: str) -> str:
    forms = ", ".join(source.form for source in SOURCES.values())
    path = Path(name)
    if path.suffix == ".npz":
        return f"{name}: is not a data set by itself; write npz:{name}"
    if name and path.is_dir():
        return f"{name}: is a folder; write folder:{name} (class folders) or idx:{name} (MNIST's files)"
    return f"{name}: no such data set; use one of {forms}"
