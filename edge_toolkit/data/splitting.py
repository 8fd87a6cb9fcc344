"""Splitting samples at random, class by class, from a seed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.raw import SPLITS, Raw, RawSplit

Indices = NDArray[np.intp]


def stratified(y: NDArray[Any], shares: Sequence[float], generator: np.random.Generator) -> tuple[Indices, ...]:
    """Indices that part `y`, each class in the same shares as near as whole samples allow.

    Args:
        y: (n,), the class of each sample.
        shares: one a part, with sum 1; the first part takes a lone sample.
        generator: whence the order of each class comes.

    Returns:
        One array of indices a part, ascending; each index stands in exactly one.
    """
    parts: list[list[Indices]] = [[] for _ in shares]
    for value in np.unique(y):
        members = generator.permutation(np.flatnonzero(y == value))
        cuts = np.maximum(1, np.rint(np.cumsum(shares[:-1]) * len(members))).astype(int)
        for part, indices in zip(parts, np.split(members, cuts), strict=True):
            part.append(indices)
    return tuple(np.sort(np.concatenate(part)) if part else np.array([], np.intp) for part in parts)


def raw_of(x: NDArray[Any], y: NDArray[Any], parts: Sequence[Indices], source: str, labels: tuple[str, ...]) -> Raw:
    """A raw data set from one array and the indices of its three splits (copies, so that no split holds another)."""
    splits = {name: RawSplit(x[indices], y[indices]) for name, indices in zip(SPLITS, parts, strict=True)}
    return Raw(splits=splits, source=source, labels=labels)
