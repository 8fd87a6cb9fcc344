"""`idx:DIR`: the four files of the MNIST family (MNIST, Fashion-MNIST, KMNIST, ...), gzipped or not.

Source of the format: https://yann.lecun.org/exdb/mnist/ - four bytes 0, 0, type, dimensions; each dimension as a
big-endian 32-bit number; then the values. The family has unsigned bytes (type 8) alone.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.raw import MAX_BYTES, Raw, RawSplit
from edge_toolkit.data.splitting import stratified
from edge_toolkit.errors import InputError
from edge_toolkit.files import looked_in

VALIDATION_SHARE = 1 / 6  # as large a part of MNIST's training file as its test file is
UNSIGNED_BYTE = 8
FILES = {
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}
"""Each file and its number of dimensions; some copies have a dot before `idx`, and `.gz` may follow."""


def load(directory: Path, seed: int) -> Raw:
    """Images of (1, rows, columns) from 0 to 1; the label values that occur are the classes, in ascending order.

    Args:
        directory: holds the four files under their usual names.
        seed: of the validation split, a sixth of each class of the training file.

    Raises:
        InputError: a file is missing, damaged or of another kind; all are told.
    """
    held = _files(directory)
    problems: list[str] = []
    images, classes, test_images, test_classes = (_array(held[name], FILES[name], problems) for name in FILES)
    for split, x, y in (("training", images, classes), ("test", test_images, test_classes)):
        if not problems and len(x) != len(y):
            problems.append(f"holds {len(x)} {split} images and {len(y)} {split} labels; they belong to other files")
    for split, mine, others in (("training", classes, test_classes), ("test", test_classes, classes)):
        alone = np.setdiff1d(mine, others)
        if len(alone) and len(others):  # a file that could not be read has none
            problems.append(
                f"the {split} file alone has the labels {', '.join(map(str, alone))} ({np.isin(mine, alone).sum()} "
                "samples), and both need the same classes; get the damaged file anew, or drop those samples"
            )
    if problems:
        raise InputError.listing(str(directory), problems)
    train, validation = stratified(classes, (1 - VALIDATION_SHARE, VALIDATION_SHARE), np.random.default_rng(seed))
    values = np.union1d(classes, test_classes)
    parts = {
        "train": (images[train], classes[train]),
        "validation": (images[validation], classes[validation]),
        "test": (test_images, test_classes),
    }
    splits = {name: RawSplit(_scaled(x), np.searchsorted(values, y)) for name, (x, y) in parts.items()}
    return Raw(splits, source=f"folder {directory}", labels=tuple(str(value) for value in values))


def _scaled(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return images[:, None].astype(np.float32) / np.float32(255)  # (n, 1, rows, columns)


def _files(directory: Path) -> dict[str, Path]:
    if not directory.is_dir():
        here = looked_in(directory)
        raise InputError(f"{directory}: there is no such folder{here}; give the one with train-images-idx3-ubyte[.gz]")
    found = {name: _spellings(directory, name) for name in FILES}
    problems = [f"holds no {name}, gzipped or not" for name, paths in found.items() if not paths]
    problems += [
        f"holds {' and '.join(path.name for path in paths)}, which are one file; keep one of them"
        for paths in found.values()
        if len(paths) > 1
    ]
    if problems:
        raise InputError.listing(str(directory), problems)
    return {name: paths[0] for name, paths in found.items()}


def _spellings(directory: Path, name: str) -> list[Path]:
    spellings = (name, name.replace("-idx", ".idx"))
    paths = (directory / f"{spelling}{suffix}" for spelling in spellings for suffix in ("", ".gz"))
    return [path for path in paths if path.is_file()]


def _array(path: Path, dimensions: int, problems: list[str]) -> NDArray[np.uint8]:
    """The bytes of one file in their shape; what is wrong with it goes to `problems`."""
    try:
        return _parsed(path, dimensions)
    except InputError as error:
        problems.append(f"{path.name} {error}")
    except (OSError, EOFError, zlib.error) as error:
        problems.append(f"{path.name} cannot be read ({error}); fetch it anew")
    return np.empty((0,) * dimensions, np.uint8)


def _parsed(path: Path, dimensions: int) -> NDArray[np.uint8]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        magic = stream.read(4)
        if magic != bytes((0, 0, UNSIGNED_BYTE, dimensions)):
            expected = f"0000{UNSIGNED_BYTE:02x}{dimensions:02x}"
            raise InputError(
                f"begins with {magic.hex() or 'nothing'}, not {expected}; it is not what its name says; get it anew"
            )
        header = stream.read(4 * dimensions)
        if len(header) < 4 * dimensions:
            raise InputError("ends within its header; fetch it anew")
        shape = struct.unpack(f">{dimensions}I", header)
        size = math.prod(shape)
        if size * np.dtype(np.float32).itemsize > MAX_BYTES:
            raise InputError(
                f"claims shape {shape}; at most {MAX_BYTES / 2**30:.0f} GiB of float32 is read into memory"
            )
        values = stream.read(size + 1)  # one more, to see that nothing follows (and gzip's checksum is read)
    if len(values) != size:
        held = f"{len(values)}" if len(values) < size else "more"
        raise InputError(f"claims {size} values of shape {shape}, but holds {held}; fetch it anew")
    return np.frombuffer(values, np.uint8).reshape(shape)
