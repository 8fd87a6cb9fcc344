"""Inputs that a model is asked: random ones, or a user's from an .npz file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from edge_deploy.packed import BROKEN
from edge_deploy.runtime import random_inputs
from edge_toolkit.errors import InputError
from edge_toolkit.profile import Input

Questions = Sequence[tuple[NDArray[Any], ...]]
"""For each sample an array an input, in the model's order."""


def random_questions(inputs: Sequence[Input], samples: int) -> Questions:
    """Questions that are the same each time; see `edge_deploy.runtime.random_inputs`."""
    return [random_inputs(inputs, seed) for seed in range(samples)]


def questions_in(path: Path, inputs: Sequence[Input]) -> Questions:
    """A user's questions.

    Args:
        path: an .npz with an array of each input's name, (samples, *shape), or (samples, *shape[1:]) at batch 1.
        inputs: of the model.

    Raises:
        InputError: the file is missing, is something else, or an array does not fit.
    """
    found = _arrays(path)
    problems, columns = [], []
    for each in inputs:
        array = found.get(each.name)
        if array is None:
            problems.append(f"has no array {each.name}, only {', '.join(found) or 'none'}")
            continue
        shapes = [each.shape, each.shape[1:]] if each.shape[:1] == (1,) else [each.shape]
        if array.ndim == 0 or array.shape[1:] not in shapes:
            problems.append(f"{each.name} has the shape {array.shape}, and (samples, *{each.shape}) is asked")
            continue
        if not _fits(array, each):
            problems.append(f"{each.name} holds {array.dtype}, and not all of it is {each.type}")
            continue
        columns.append(array.reshape(len(array), *each.shape))
    if not problems and (not columns or len({len(each) for each in columns}) != 1 or not len(columns[0])):
        problems.append("must have the same number of samples for each input, at least 1")
    if problems:
        raise InputError.listing(f"--inputs {path}", problems)
    return list(zip(*columns, strict=True))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz.

    Raises:
        InputError: it is something else.
    """
    try:
        if not is_zipfile(path):  # numpy reads lone arrays, too
            path.open("rb").close()  # tells why, where it can't be read
            raise ValueError("is no zip archive")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except (*BROKEN, ValueError, TypeError) as problem:
        raise InputError(
            f"--inputs {path}: is no .npz of plain arrays ({problem}); write it by numpy.savez"
        ) from problem


def _fits(array: NDArray[Any], asked: Input) -> bool:
    """Whether an input can take the values as they are; floats are rounded."""
    import openvino as ov

    dtype = np.dtype(getattr(ov.Type, asked.type).to_dtype())
    if array.dtype.kind not in "biuf":
        return False
    with np.errstate(invalid="ignore"):  # NaN is no integer, and unequal to any
        return dtype.kind == "f" or bool(np.array_equal(array.astype(dtype), array))
