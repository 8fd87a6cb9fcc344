"""Inputs that a model is asked: random ones, or a user's from an .npz file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

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
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, BadZipFile, AttributeError) as error:
        raise InputError(f"--inputs {path}: is no .npz of plain arrays ({error}); write it by numpy.savez") from error
    problems, columns = [], []
    for each in inputs:
        array = found.get(each.name)
        if array is None:
            problems.append(f"has no array {each.name}, only {', '.join(found) or 'none'}")
            continue
        shape = (len(array), *each.shape) if array.ndim else ()
        if array.shape != shape and array.shape != (len(array) if array.ndim else 0, *each.shape[1:]):
            problems.append(f"{each.name} has the shape {array.shape}, and (samples, *{each.shape}) is asked")
            continue
        columns.append(array.reshape(shape))
    if not problems and (not columns or len({len(each) for each in columns}) != 1 or not len(columns[0])):
        problems.append("must have the same number of samples for each input, at least 1")
    if problems:
        raise InputError.listing(f"--inputs {path}", problems)
    return list(zip(*columns, strict=True))
