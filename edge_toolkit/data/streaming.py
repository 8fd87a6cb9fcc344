"""Images that stay on disk and are decoded when they are asked for, for data that no memory holds."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.images import read_images

Floats = NDArray[np.float32]
THREADS = min(8, cpu_count() or 1)
"""Threads that decode; Pillow lets go of Python's lock while it does."""


class Streamed:
    """Image files that are indexed like an array of (n, 3, size, size), float32 from 0 to 1.

    Args:
        files: PNG or JPEG.
        size: each is resized to `size` x `size`, RGB.
        root: the folder that file names are told from.
    """

    def __init__(self, files: Sequence[Path], size: int, root: Path) -> None:
        self.files, self.root = tuple(files), root
        self.shape = (len(self.files), 3, size, size)
        self._pool = ThreadPoolExecutor(THREADS)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: slice | NDArray[np.integer]) -> Floats:
        """The images at some places, (k, 3, size, size).

        Raises:
            InputError: a file can't be read; it is named.
        """
        chosen = self.files[index] if isinstance(index, slice) else tuple(self.files[at] for at in index)
        found = list(self._pool.map(self._one, chosen))
        return np.concatenate(found) if found else np.empty((0, *self.shape[1:]), np.float32)

    def _one(self, file: Path) -> Floats:
        return read_images([file], self.shape[-1], f"stream:{self.root}", self.root)

    @property
    def fingerprint(self) -> bytes:
        """Digest of the files' names and sizes, since to read them all would take hours."""
        digest = hashlib.sha256(repr(self.shape).encode())
        for file in self.files:
            digest.update(f"{file.relative_to(self.root)} {file.stat().st_size}\n".encode())
        return digest.digest()
