"""`folder:DIR` and `stream:DIR@SIZE`: one folder of PNG or JPEG files for each class, in memory or left on disk.

Either DIR holds the class folders, and is split 70/15/15 at random within each class; or DIR holds `train`, `val` and
`test`, each with the class folders. Where there are `train` and one of the two alone, as in ImageNet, that one is the
test split, and a tenth of each class in `train` validates. Hidden files and folders are passed over; links followed.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.checks import Parts
from edge_toolkit.data.dataset import Split
from edge_toolkit.data.images import SUFFIXES, read_images
from edge_toolkit.data.raw import SPLITS, Raw, RawSplit
from edge_toolkit.data.splitting import stratified
from edge_toolkit.data.streaming import Streamed
from edge_toolkit.errors import InputError
from edge_toolkit.files import looked_in

LOOKED_AT = 50
"""Images of each split that are read when a stream is opened."""
SHARES = (0.70, 0.15, 0.15)
HELD_OUT = 0.1
"""Share of `train` that validates where a folder has two splits."""
SPLIT_FOLDERS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}

Labelled = list[tuple[Path, str]]
"""Files with the name of their class, in order."""


def load(directory: Path, seed: int, size: int | None = None) -> Raw:
    """Images of (1, height, width) where all are grey, (3, height, width) where all are RGB, from 0 to 1.

    Args:
        directory: the folder, of either layout.
        seed: of the split, where the folder has none.
        size: resize all to `size` x `size`, RGB; None demands that they agree.

    Raises:
        InputError: the folder is laid out in another way, or an image does not fit; all problems are told.
    """
    by_split, root = listed(directory, seed)
    labels, problems = labels_of(by_split), class_problems(by_split, directory, root)
    files = [file for split in SPLITS for file, _ in by_split[split]]
    images = read_images(files, size, f"folder:{directory}", directory, problems)  # (all, channels, height, width)
    splits: dict[str, RawSplit] = {}
    start = 0
    for split in SPLITS:
        rows = slice(start, start + len(by_split[split]))
        start = rows.stop
        names = [str(file.relative_to(directory)) for file, _ in by_split[split]]
        splits[split] = RawSplit(images[rows].copy(), numbers_of(by_split[split], labels), names)
    return Raw(splits, source=f"folder {directory}", labels=labels, notes=left_out(directory))


def stream(directory: Path, seed: int, size: int) -> Parts:
    """The same as trusted splits of RGB images that stay on disk.

    Classes and some images of each split are checked here; another image that can't be read is told when it is met.

    Args:
        directory: the folder, of any layout.
        seed: of the split, where the folder has none.
        size: each image is resized to `size` x `size`.

    Raises:
        InputError: the folder is laid out in another way, or an image does not fit; all problems are told.
    """
    by_split, root = listed(directory, seed, "stream")
    labels, problems = labels_of(by_split), class_problems(by_split, directory, root)
    if len(labels) < 2:
        problems.append("train: has fewer than two classes; a classifier needs two or more")
    some = [files[:: max(1, len(files) // LOOKED_AT)] for files in by_split.values()]
    read_images([file for files in some for file, _ in files], size, f"stream:{directory}", directory, problems)
    splits = {
        split: Split(Streamed([file for file, _ in files], size, directory), numbers_of(files, labels))
        for split, files in by_split.items()
    }
    return Parts(splits, labels, f"folder {directory}", left_out(directory))


def labels_of(by_split: dict[str, Labelled]) -> tuple[str, ...]:
    """The names of the classes that are trained, in order."""
    return tuple(sorted({label for _, label in by_split["train"]}))


def numbers_of(files: Labelled, labels: tuple[str, ...]) -> NDArray[np.int64]:
    """The number of each file's class, (n,); -1 for one that is not trained."""
    number = {label: index for index, label in enumerate(labels)}
    return np.array([number.get(label, -1) for _, label in files], np.int64)


def class_problems(by_split: dict[str, Labelled], directory: Path, root: Path) -> list[str]:
    """What keeps the classes from being learnt and judged, one line each.

    Args:
        by_split: the images of each split.
        directory: the folder that names are told from.
        root: holds the class folders that are trained on.
    """
    labels = labels_of(by_split)
    problems = [
        f"class {label!r} is in {split} and not in train; a class needs training images"
        for split in SPLITS[1:]
        for label in sorted({label for _, label in by_split[split]} - set(labels))
    ]
    problems += [
        f"{split} gets no PNG or JPEG file; every split needs some, so add them"
        for split in SPLITS
        if not by_split[split]
    ]
    held = {label for part in by_split.values() for _, label in part}
    return problems + [
        f"class folder {folder.relative_to(directory)} holds no PNG or JPEG file; remove it, or put some in"
        for folder in _folders(root)
        if folder.name not in held
    ]


def parse(rest: str, word: str = "folder") -> tuple[Path, int | None]:
    """The folder and the size in `DIR` or `DIR@SIZE`; `word` stands before the colon.

    Raises:
        InputError: the size is not from 1 to 1024.
    """
    match = re.fullmatch(r"(.+)@([0-9]{1,9})", rest)
    if match is None or Path(rest).is_dir():  # a folder may be called photos@2
        return Path(rest), None
    size = int(match[2])
    if not 1 <= size <= 1024:
        raise InputError(f"{word}:{rest}: the size {size} must be from 1 to 1024; write {word}:{match[1]}@64, say")
    return Path(match[1]), size


def listed(directory: Path, seed: int, word: str = "folder") -> tuple[dict[str, Labelled], Path]:
    """The images of each split, and the folder that holds the class folders trained on; problems begin with `word`."""
    if not directory.is_dir():
        raise InputError(
            f"{word}:{directory}: there is no such folder{looked_in(directory)}; give one that holds a folder for each "
            "class"
        )
    names = [folder.name for folder in _folders(directory)]
    if names and set(names) <= set(SPLIT_FOLDERS):
        return _given_splits(directory, names, seed, word), directory / "train"
    return _drawn_splits(directory, seed, word), directory


def _given_splits(directory: Path, names: list[str], seed: int, word: str) -> dict[str, Labelled]:
    folders = {SPLIT_FOLDERS[name]: directory / name for name in names}
    if "train" not in folders or len(folders) < 2 or len(folders) < len(names):
        raise InputError(
            f"{word}:{directory}: holds {', '.join(names)}; it needs train, val and test, or train and one of the two, "
            "or class folders alone, which are then split at random"
        )
    found = {split: _labelled(folders[split]) for split in folders}
    if len(found) < len(SPLITS):
        unseen = next(found[split] for split in SPLITS[1:] if split in found)
        train, validation = _parted(found["train"], (1 - HELD_OUT, HELD_OUT), seed) if found["train"] else ([], [])
        found = {"train": train, "validation": validation, "test": unseen}
    return found


def _drawn_splits(directory: Path, seed: int, word: str) -> dict[str, Labelled]:
    every = _labelled(directory)
    if not every:
        raise InputError(
            f"{word}:{directory}: holds no PNG or JPEG file in a class folder; "
            "lay it out as DIR/CLASS/IMAGE.png, or DIR/train/CLASS/IMAGE.png with val and test beside"
        )
    return dict(zip(SPLITS, _parted(every, SHARES, seed), strict=True))


def _parted(files: Labelled, shares: Sequence[float], seed: int) -> list[Labelled]:
    _, classes = np.unique([label for _, label in files], return_inverse=True)
    return [[files[index] for index in part] for part in stratified(classes, shares, np.random.default_rng(seed))]


def _labelled(directory: Path) -> Labelled:
    return [(file, folder.name) for folder in _folders(directory) for file in _images(folder)]


def _folders(directory: Path) -> list[Path]:
    return sorted(entry for entry in directory.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(file for file in _visible(folder) if file.suffix.lower() in SUFFIXES)


def _visible(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_symlink() or not file.is_dir())
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]


def left_out(directory: Path) -> tuple[str, ...]:
    others = sorted(file for file in _visible(directory) if file.suffix.lower() not in SUFFIXES)
    if not others:
        return ()
    return (f"{len(others)} files that are no PNG or JPEG were left out, such as {others[0].relative_to(directory)}",)
