"""`watch`: seven shoulder exercises of ten people, as a smartwatch's inertial sensor saw them.

Each of the 140 recordings (10 people, 2 arms, 7 exercises) is cut into windows of 4 s, one each second. Windows
overlap, so a split by window would show the test's samples to the training; the split is by person.

The durations and the pace of the recordings tell that people came in pairs and exercised together: 1 with 2, 3 with 4,
5 with 6, 7 with 10, 8 with 9 (each exercise lasts about as long for both, and their motion correlates far more than
that of other pairs). So a pair stays together: 1 to 6 train, 7 and 10 validate, 8 and 9 test.

Source: Burns et al., Shoulder physiotherapy exercise recognition, Physiological Measurement 39 (2018),
https://arxiv.org/abs/1802.01489; data as the package seglearn 1.2.5 ships it, BSD-3-Clause.
"""

import hashlib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.raw import Raw, RawSplit
from edge_toolkit.data.unpickling import read_pickled_npy
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.extras import remedy

PACKAGE, VERSION, FILE = "seglearn", "1.2.5", "seglearn/data/watch_dataset.npy"
SHA256 = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"
PEOPLE = {"train": (1, 2, 3, 4, 5, 6), "validation": (7, 10), "test": (8, 9)}
RATE_HZ, WINDOW, STEP = 50, 200, 50
SOURCE = "Burns et al. 2018 (arXiv:1802.01489), in the package seglearn 1.2.5; BSD-3-Clause"


def load(seed: int) -> Raw:
    """Windows of (6, 1, 200): acceleration and rotation along x, y, z at 50 Hz, as they were recorded.

    Args:
        seed: unused, since the split is fixed by person.

    Raises:
        MissingError: the package seglearn is not installed.
        InputError: its file is not the one whose hash is pinned here.
    """
    del seed
    recordings = read_pickled_npy(_content(), PACKAGE)
    return Raw(
        splits={split: _windows_of(recordings, people) for split, people in PEOPLE.items()},
        source=SOURCE,
        labels=tuple(str(label) for label in recordings["y_labels"]),
        notes=(f"split by person: {_told(PEOPLE)}", f"windows of {WINDOW} samples at {RATE_HZ} Hz, one each {STEP}"),
    )


def locate() -> Path:
    """Where the installed package keeps the recordings (found by its metadata: nothing of it is imported).

    Raises:
        MissingError: the package, or its file, is not installed.
    """
    try:
        path = Path(str(distribution(PACKAGE).locate_file(FILE)))
    except PackageNotFoundError:
        path = Path()
    if not path.is_file():
        raise MissingError(
            f"watch: the package {PACKAGE} {VERSION}, which ships the recordings, is not installed; {remedy('demo')}"
        )
    return path


def _content() -> bytes:
    path = locate()
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise InputError(
            f"{path}: has SHA-256 {found[:12]}..., not {SHA256[:12]}... as in {PACKAGE} {VERSION}; "
            f"run pip install --force-reinstall {PACKAGE}=={VERSION}"
        )
    return content


def _windows_of(recordings: dict[str, Any], people: tuple[int, ...]) -> RawSplit:
    chosen = np.flatnonzero(np.isin(recordings["subject"], people))
    parts = [windows(recordings["X"][index]) for index in chosen]
    classes = np.repeat(recordings["y"][chosen], [len(part) for part in parts])
    return RawSplit(np.concatenate(parts), classes)


def windows(recording: NDArray[Any]) -> NDArray[Any]:
    """Cut one recording (steps, channels) into windows (n, channels, 1, WINDOW), each STEP; the rest is left out."""
    cut = np.lib.stride_tricks.sliding_window_view(recording, WINDOW, axis=0)[::STEP]  # (n, channels, WINDOW)
    return cut[:, :, None, :]


def _told(people: dict[str, tuple[int, ...]]) -> str:
    return "; ".join(f"{split} {', '.join(map(str, numbers))}" for split, numbers in people.items())
