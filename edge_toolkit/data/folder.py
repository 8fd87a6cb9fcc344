"""`folder:DIR`: one folder of PNG or JPEG files for each class.

Either DIR holds the class folders, and is split 70/15/15 at random within each class; or DIR holds `train`, `val` and
`test`, each with the class folders. Hidden files and folders are passed over; links are followed.
"""

import re
from pathlib import Path

import numpy as np

from edge_toolkit.data.images import SUFFIXES, read_images
from edge_toolkit.data.raw import SPLITS, Raw, RawSplit
from edge_toolkit.data.splitting import stratified
from edge_toolkit.errors import InputError
from edge_toolkit.files import looked_in

SHARES = (0.70, 0.15, 0.15)
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
    by_split, root = _listed(directory, seed)
    labels = tuple(sorted({label for _, label in by_split["train"]}))
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
    problems += [
        f"class folder {folder.relative_to(directory)} holds no PNG or JPEG file; remove it, or put some in"
        for folder in _folders(root)
        if folder.name not in held
    ]
    files = [file for split in SPLITS for file, _ in by_split[split]]
    images = read_images(files, size, f"folder:{directory}", directory, problems)  # (all, channels, height, width)
    splits: dict[str, RawSplit] = {}
    start = 0
    for split in SPLITS:
        rows = slice(start, start + len(by_split[split]))
        start = rows.stop
        classes = np.array([labels.index(label) for _, label in by_split[split]])
        names = [str(file.relative_to(directory)) for file, _ in by_split[split]]
        splits[split] = RawSplit(images[rows].copy(), classes, names)
    return Raw(splits, source=f"folder {directory}", labels=labels, notes=_left_out(directory))


def parse(rest: str) -> tuple[Path, int | None]:
    """The folder and the size in `DIR` or `DIR@SIZE`.

    Raises:
        InputError: the size is not from 1 to 1024.
    """
    match = re.fullmatch(r"(.+)@([0-9]{1,9})", rest)
    if match is None or Path(rest).is_dir():  # a folder may be called photos@2
        return Path(rest), None
    size = int(match[2])
    if not 1 <= size <= 1024:
        raise InputError(f"folder:{rest}: the size {size} must be from 1 to 1024; write folder:{match[1]}@64, say")
    return Path(match[1]), size


def _listed(directory: Path, seed: int) -> tuple[dict[str, Labelled], Path]:
    """The images of each split, and the folder that holds the class folders trained on."""
    if not directory.is_dir():
        raise InputError(
            f"folder:{directory}: there is no such folder{looked_in(directory)}; give one that holds a folder for each "
            "class"
        )
    names = [folder.name for folder in _folders(directory)]
    if names and set(names) <= set(SPLIT_FOLDERS):
        return _given_splits(directory, names), directory / "train"
    return _drawn_splits(directory, seed), directory


def _given_splits(directory: Path, names: list[str]) -> dict[str, Labelled]:
    folders = {SPLIT_FOLDERS[name]: directory / name for name in names}
    missing = [split for split in SPLITS if split not in folders]
    if missing or len(folders) < len(names):
        raise InputError(
            f"folder:{directory}: holds {', '.join(names)}; it needs train, val and test, or class folders "
            "alone, which are then split at random"
        )
    return {split: _labelled(folders[split]) for split in SPLITS}


def _drawn_splits(directory: Path, seed: int) -> dict[str, Labelled]:
    every = _labelled(directory)
    if not every:
        raise InputError(
            f"folder:{directory}: holds no PNG or JPEG file in a class folder; "
            "lay it out as DIR/CLASS/IMAGE.png, or DIR/train/CLASS/IMAGE.png with val and test beside"
        )
    _, classes = np.unique([label for _, label in every], return_inverse=True)
    parts = stratified(classes, SHARES, np.random.default_rng(seed))
    return {split: [every[index] for index in part] for split, part in zip(SPLITS, parts, strict=True)}


def _labelled(directory: Path) -> Labelled:
    return [(file, folder.name) for folder in _folders(directory) for file in _images(folder)]


def _folders(directory: Path) -> list[Path]:
    return sorted(entry for entry in directory.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _images(folder: Path) -> list[Path]:
    return sorted(file for file in _visible(folder) if file.suffix.lower() in SUFFIXES)


def _visible(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_symlink() or not file.is_dir())
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)]


def _left_out(directory: Path) -> tuple[str, ...]:
    others = sorted(file for file in _visible(directory) if file.suffix.lower() not in SUFFIXES)
    if not others:
        return ()
    return (f"{len(others)} files that are no PNG or JPEG were left out, such as {others[0].relative_to(directory)}",)
