"""`Dataset`: what a search and a training may see of one data set, as frozen data.

Samples are `(channels, height, width)`; a sequence of T steps with C channels is `(C, 1, T)`. A `Dataset` holds the
training and the validation split; the test split is not in it and cannot be reached from it (`load_test` gives it).
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, with_config

from edge_toolkit.architecture import CLOSED, Shape
from edge_toolkit.data.streaming import Streamed
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked

ENOUGH = 2000
"""Images that stand for streamed data where all would not fit."""

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Samples and their classes.

    Attributes:
        x: (n, channels, height, width), float32, not normalised; or files that are decoded when they are indexed.
        y: (n,), int64, each from 0 to classes - 1.
    """

    x: Floats | Streamed
    y: Labels

    def __len__(self) -> int:
        return len(self.y)

    def some(self) -> "Split":
        """All of it; of files that stay on disk some 2,000, evenly spread, which stay there."""
        if not isinstance(self.x, Streamed):
            return self
        every = max(1, len(self) // ENOUGH)
        return Split(Streamed(self.x.files[::every], self.x.shape[-1], self.x.root), self.y[::every])

    def arrays(self) -> tuple[Floats, Labels]:
        """Samples and classes in memory, as `some` gives them."""
        split = self.some()
        return split.x[:], split.y


@with_config(CLOSED)
@dataclass(frozen=True)
class Normalisation:
    """What is taken from each channel, and what it is divided by then; it travels with a model.

    Raises:
        InputError: the two are not of one length, or hold a number that no input can be normalised with.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        problems = list(_normalisation_problems(self))
        if problems:
            raise InputError.listing("normalisation", problems)

    def apply(self, x: Floats) -> Floats:
        """`(x - mean) / std`, channel by channel.

        Args:
            x: (..., channels, height, width).

        Raises:
            InputError: `x` has another number of channels.
        """
        if x.shape[-3] != len(self.mean):
            raise InputError(
                f"input of {x.shape[-3]} channels does not fit a normalisation of {len(self.mean)}; "
                "use the data set that the model was trained on"
            )
        shape = (len(self.mean), 1, 1)
        mean, std = np.array(self.mean, np.float32).reshape(shape), np.array(self.std, np.float32).reshape(shape)
        return np.asarray((x - mean) / std, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The training and the validation split of one data set.

    Attributes:
        name: as the user asked for it, such as `watch` or `npz:gestures.npz`.
        train, validation: the splits that a search sees.
        labels: the name of each class, in the order of its number.
        source: where the samples come from, and under which licence if that is known.
        notes: what a reader of a result should know (who is in which split, what was left out).
    """

    name: str
    train: Split
    validation: Split
    labels: tuple[str, ...]
    source: str
    notes: tuple[str, ...] = ()

    @property
    def input_shape(self) -> Shape:
        """(channels, height, width) of one sample."""
        _, channels, height, width = self.train.x.shape
        return channels, height, width

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.labels)

    @cached_property
    def normalisation(self) -> Normalisation:
        """Mean and standard deviation of each channel over the training split alone; of files, over some 2,000."""
        return normalisation_of(self.train.arrays()[0])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shapes, samples and classes of both splits, in hexadecimal: the same data has the same one.

        Of streamed files, names and sizes stand for the samples.
        """
        digest = hashlib.sha256()
        for split in (self.train, self.validation):
            digest.update(repr(split.x.shape).encode())
            digest.update(split.x.fingerprint if isinstance(split.x, Streamed) else np.ascontiguousarray(split.x).data)
            digest.update(np.ascontiguousarray(split.y).data)
        return digest.hexdigest()


def normalisation_of(x: Floats) -> Normalisation:
    """The normalisation that gives each channel of `x` mean 0 and standard deviation 1.

    Args:
        x: (n, channels, height, width).
    """
    channels = [x[:, index] for index in range(x.shape[1])]
    # Rounding leaves a constant channel a deviation of about 1e-17, so constancy is seen by its range.
    return Normalisation(
        mean=tuple(float(channel.mean(dtype=np.float64)) for channel in channels),
        std=tuple(1.0 if np.ptp(channel) == 0 else float(channel.std(dtype=np.float64)) for channel in channels),
    )


def normalisation_from_json(value: Any, what: str = "normalisation") -> Normalisation:
    """The normalisation that plain data describes; `dataclasses.asdict` is the way back.

    Args:
        value: `{"mean": [...], "std": [...]}`.
        what: the input as the user named it, for the message.

    Raises:
        InputError: every rule that the data breaks, with its place.
    """
    return checked(_NORMALISATION, value, what)


def _normalisation_problems(value: Normalisation) -> Iterator[str]:
    if not value.mean or len(value.mean) != len(value.std):
        yield f"mean has {len(value.mean)} numbers and std {len(value.std)}; each needs one a channel"
    for index, mean in enumerate(value.mean):
        if not math.isfinite(mean):
            yield f"mean[{index}]={mean} must be finite"
    for index, std in enumerate(value.std):
        if not (math.isfinite(std) and std > 0):
            yield f"std[{index}]={std} must be finite and more than 0; use 1 for a constant channel"


_NORMALISATION: TypeAdapter[Normalisation] = TypeAdapter(Normalisation)
