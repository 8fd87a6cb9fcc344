"""The door: every data set is checked here, once and in full, and is trusted from here on."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.dataset import Floats, Split
from edge_toolkit.data.raw import MAX_BYTES, SPLITS, Raw, RawSplit
from edge_toolkit.errors import InputError

MAX_OVERLAP = 0.01
"""Largest share of the smaller of two splits that may also be in the other.

Collected images hold a few true repeats, which are told and change no figure; more than that is a mistake in splitting.
"""


@dataclass(frozen=True, eq=False)
class Parts:
    """A data set that has passed the door, with its test split: for `load_dataset` and `load_test` alone."""

    splits: Mapping[str, Split]
    labels: tuple[str, ...]
    source: str
    notes: tuple[str, ...]


def check(what: str, raw: Raw) -> Parts:
    """A raw data set as a trusted one.

    Args:
        what: the data set as the user named it.
        raw: what its source read; sequences (n, channels, steps) become (n, channels, 1, steps).

    Raises:
        InputError: every rule that the data breaks.
    """
    problems = list(_label_name_problems(raw.labels))
    splits: dict[str, Split] = {}
    for name in SPLITS:
        part = raw.splits[name]
        found = [*_sample_problems(name, part.x), *_class_problems(name, part)]
        problems += found
        if not found:
            splits[name] = Split(x=_samples(part.x), y=part.y.astype(np.int64))
    for name, split in splits.items():
        problems += _finite_problems(name, split.arrays()[0], raw.splits[name].x.ndim)
    classes = {name: part.y for name, part in raw.splits.items() if _are_classes(part.y)}
    labels = raw.labels
    if "train" in classes:
        labels = labels or _numbered(classes["train"])
        problems += _range_problems(classes, len(labels))
        problems += _learnable_problems(classes["train"], labels)
    problems += _shape_problems(splits)
    shared = list(_overlaps(splits, raw)) if len(splits) == len(SPLITS) else []
    problems += [text for text, share in shared if share > MAX_OVERLAP]
    if problems or labels is None:
        raise InputError.listing(what, problems)
    notes = (*raw.notes, *(text for text, _ in shared), *_absent_notes(splits, labels))
    return Parts(splits=splits, labels=labels, source=raw.source, notes=notes)


def _label_name_problems(labels: tuple[str, ...] | None) -> Iterator[str]:
    if labels is None:
        return
    for name in sorted({name for name in labels if labels.count(name) > 1}):
        yield f"labels: {name!r} stands {labels.count(name)} times; each class needs a name of its own"
    if "" in labels:
        yield f"labels[{labels.index('')}] is empty; each class needs a name"


def _sample_problems(split: str, x: NDArray[Any]) -> Iterator[str]:
    if x.dtype.kind not in "biuf":
        yield f"{split}: x has dtype {x.dtype}; it must be numbers (float or integer)"
    if x.ndim not in (3, 4):
        yield (
            f"{split}: x has shape {x.shape}; it must be (n, channels, height, width), "
            "or (n, channels, steps) for sequences"
        )
    elif not x.size:
        yield f"{split}: x is empty, of shape {x.shape}; every split needs samples"
    elif x.size * np.dtype(np.float32).itemsize > MAX_BYTES:
        yield f"{split}: x has shape {x.shape}; at most {MAX_BYTES / 2**30:.0f} GiB of float32 is kept in memory"


def _class_problems(split: str, part: RawSplit) -> Iterator[str]:
    y = part.y
    if y.dtype.kind not in "iu":
        yield f"{split}: y has dtype {y.dtype}; it must be integers, the number of each sample's class"
    if y.ndim != 1:
        yield f"{split}: y has shape {y.shape}; it must be (n,), one class a sample (y.ravel() or y.argmax(1))"
    elif len(y) != (len(part.x) if part.x.ndim else 0):
        yield f"{split}: x has {len(part.x) if part.x.ndim else 0} samples and y {len(y)}; they must be as many"


def _samples(x: NDArray[Any]) -> Floats:
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is told as that
        narrow = np.ascontiguousarray(x, dtype=np.float32)
    return narrow[:, :, None, :] if x.ndim == 3 else narrow


def _are_classes(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "iu" and y.ndim == 1 and len(y) > 0


def _finite_problems(split: str, x: Floats, dimensions: int) -> Iterator[str]:
    good = np.isfinite(x)
    if not good.all():
        index = [int(at) for at in np.argwhere(~good)[0]]
        if dimensions == 3:
            del index[2]  # the height that a sequence was given
        yield (
            f"{split}: x has {int((~good).sum())} values that are NaN or infinite as float32, "
            f"the first at {index}; drop or mend those samples"
        )


def _numbered(y: NDArray[Any]) -> tuple[str, ...]:
    # More classes than samples means a gap at least, and a stray label must not make a million names.
    return tuple(str(index) for index in range(min(max(int(y.max()), 0) + 1, len(y))))


def _range_problems(splits: Mapping[str, NDArray[Any]], classes: int) -> Iterator[str]:
    for name, y in splits.items():
        outside = np.flatnonzero((y < 0) | (y >= classes))
        if len(outside):
            yield (
                f"{name}: y[{outside[0]}]={y[outside[0]]} is outside 0 to {classes - 1} "
                f"({len(outside)} such); number the classes from 0, the same in every split, up to the last name"
            )


def _learnable_problems(y: NDArray[Any], labels: tuple[str, ...]) -> Iterator[str]:
    present = np.unique(y)
    if present[0] < 0 or present[-1] >= len(labels):
        return  # told as out of range, which hides what else is true of the classes
    if len(present) < 2:
        yield f"train: every sample is of class {labels[present[0]]!r}; a classifier needs two classes or more"
    elif len(present) < len(labels):
        absent = [labels[index] for index in _missing(y, len(labels))]
        yield (
            f"train: no sample of {len(absent)} of {len(labels)} classes ({_some(absent)}); "
            "number the classes without gaps (np.unique(y, return_inverse=True)) or add samples"
        )


def _shape_problems(splits: Mapping[str, Split]) -> Iterator[str]:
    shapes = {name: split.x.shape[1:] for name, split in splits.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        yield f"samples differ in shape: {told}; every split needs the same (channels, height, width)"


def _overlaps(splits: Mapping[str, Split], raw: Raw) -> Iterator[tuple[str, float]]:
    """Each pair of splits with samples in common: a line, and their share of the smaller split."""
    places = {name: _places(split.arrays()[0]) for name, split in splits.items()}
    for one, other in combinations(SPLITS, 2):
        both = [key for key in places[one] if key in places[other]]
        if not both:
            continue
        small = min(one, other, key=lambda name: len(splits[name]))
        count = sum(len(places[small][key]) for key in both)
        share = count / len(splits[small])
        first, second = (_sample_name(raw, name, places[name][both[0]][0]) for name in (one, other))
        yield (
            f"{one} and {other} share samples: {count} of {small} ({share:.2%}) are also in the other, "
            f"such as {first} = {second}; up to {MAX_OVERLAP:.0%} is borne, remove them from one split",
            share,
        )


def _places(x: Floats) -> dict[bytes, list[int]]:
    """Where each distinct sample stands, by a hash of its bytes."""
    places: dict[bytes, list[int]] = {}
    for index, sample in enumerate(x):
        places.setdefault(hashlib.sha256(sample.tobytes()).digest(), []).append(index)
    return places


def _sample_name(raw: Raw, split: str, index: int) -> str:
    names = raw.splits[split].names
    return names[index] if names else f"{split}[{index}]"


def _absent_notes(splits: Mapping[str, Split], labels: tuple[str, ...]) -> Iterator[str]:
    for name in ("validation", "test"):
        absent = [labels[index] for index in _missing(splits[name].y, len(labels))]
        if absent:
            yield f"{name} has no sample of {len(absent)} of {len(labels)} classes ({_some(absent)})"


def _missing(y: NDArray[Any], classes: int) -> list[int]:
    return [int(index) for index in np.setdiff1d(np.arange(classes), y)]


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
