"""`npz:FILE`: arrays in a numpy archive, read without pickle and without believing the sizes it claims."""

import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.raw import MAX_BYTES, Raw, RawSplit
from edge_toolkit.errors import InputError
from edge_toolkit.files import looked_in

SHORT = {"train": "train", "validation": "val", "test": "test"}
NAMES = tuple(f"{letter}_{short}" for short in SHORT.values() for letter in "xy")
UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged archive raises; for an encrypted or oddly packed one that is `RuntimeError`."""


def load(path: Path, seed: int) -> Raw:
    """The arrays `x_train, y_train, x_val, y_val, x_test, y_test` of an archive, and `labels` if it is there.

    Args:
        path: a file by `numpy.savez` or `numpy.savez_compressed`; x is (n, channels, height, width), or
            (n, channels, steps) for sequences; `labels` holds text, one name a class. Other arrays are not read.
        seed: unused, since the file fixes the splits.

    Raises:
        InputError: it is no such archive, lacks an array, holds a pickled one, or is too large.
    """
    del seed
    if not path.is_file():
        raise InputError(f"{path}: there is no such file{looked_in(path)}; give the path of an .npz file")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _arrays(path, archive)
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path}: cannot be read as an .npz file ({error}); write it with numpy.savez") from error
    splits = {split: RawSplit(arrays[f"x_{short}"], arrays[f"y_{short}"]) for split, short in SHORT.items()}
    return Raw(splits, source=f"file {path}", labels=_labels(path, arrays.get("labels")))


def _arrays(path: Path, archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    held = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    problems = [f"has no array {name}; it needs {', '.join(NAMES)}" for name in NAMES if name not in held]
    wanted = [name for name in (*NAMES, "labels") if name in held]
    claimed = sum(held[name].file_size for name in wanted)
    if claimed > MAX_BYTES:
        problems.append(f"holds {claimed / 2**30:.1f} GiB; at most {MAX_BYTES / 2**30:.0f} GiB is read into memory")
    problems += [problem for name in wanted for problem in _header_problems(name, archive, held[name])]
    if problems:
        raise InputError.listing(str(path), problems)
    return {name: _read(archive, held[name]) for name in wanted}


def _header_problems(name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[str]:
    """What is wrong with an array, from its header alone: numpy would set aside whatever memory that claims."""
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            yield f"{name} is written in .npy version {version}; write it anew with numpy.savez"
            return
        shape, _, dtype = read(stream)
        size = info.file_size - stream.tell()
    if dtype.hasobject:
        yield f"{name} holds Python objects, which would need pickle; save numbers or text (astype)"
    elif math.prod(shape) * dtype.itemsize != size:
        yield f"{name} claims shape {shape} of {dtype}, but holds {size} bytes; the file is damaged"


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array


def _labels(path: Path, labels: NDArray[Any] | None) -> tuple[str, ...] | None:
    if labels is None:
        return None
    if labels.dtype.kind != "U" or labels.ndim != 1 or not labels.size:
        raise InputError(
            f"{path}: labels has shape {labels.shape} of {labels.dtype}; it must be (classes,) of text: "
            "np.array(names, dtype=str)"
        )
    return tuple(str(label) for label in labels)
