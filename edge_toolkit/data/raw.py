"""What a source hands to the door: arrays as they came, before anything is believed of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
"""The three splits that every source gives, in the order in which they are told."""

MAX_BYTES = 4 << 30
"""The largest data set that is taken into memory, in bytes of its arrays: a small file can claim any size."""


@dataclass(frozen=True, eq=False)
class RawSplit:
    """One split, unchecked.

    Attributes:
        x: should be (n, channels, height, width), or (n, channels, steps) for sequences.
        y: should be (n,), integers.
        names: what to call each sample in a message, such as its file; its index if there are none.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    names: Sequence[str] | None = None


@dataclass(frozen=True, eq=False)
class Raw:
    """A whole data set, unchecked.

    Attributes:
        splits: one entry for each of `SPLITS`.
        source: where it comes from.
        labels: the name of each class; None numbers them from 0 to the largest in training.
        notes: what a reader of a result should know.
    """

    splits: Mapping[str, RawSplit]
    source: str
    labels: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
