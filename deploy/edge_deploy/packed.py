"""A bundle in one file: a .zip that is read without anybody unpacking it, and believed no more than a folder."""

import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from edge_deploy.manifest import NAME, Manifest, is_plain, read_manifest
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.files import replacing

LONGEST_MANIFEST = 2**22
"""Bytes: some thousand times what a manifest has."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of each file in the .zip, so that the same bundle gives the same bytes; the format knows none before."""

CHUNK = 2**20

BROKEN = (BadZipFile, EOFError, LZMAError, OSError, RuntimeError, zlib.error)
"""What `zipfile` raises at what is damaged; a RuntimeError where it is encrypted, or packed in a way unknown to it."""


def check_packed_places(folder: Path, baseline: bool) -> None:
    """See that a bundle's .zip, and its baseline's, may be written beside its folder.

    Raises:
        InputError: a file lies there that is no bundle, and would be lost.
    """
    for name in (folder.name, *([f"{folder.name}-lstm"] if baseline else [])):
        place = folder.with_name(f"{name}.zip")
        if place.exists() and not _is_bundle(place):
            raise InputError(f"{place}: is no bundle, and would be lost; move it, or give another --out")


def _is_bundle(place: Path) -> bool:
    try:
        with ZipFile(place) as file:
            return NAME in file.namelist()
    except BROKEN:
        return False


def pack(folder: Path, place: Path) -> None:
    """Write a bundle's folder as one file, uncompressed: weights are noise, and a stored file is read as fast as any.

    Raises:
        InputError: the place cannot be written to.
    """
    names = [NAME, *sorted(read_manifest(folder).files)]
    with replacing(place) as beside, ZipFile(beside, "w", ZIP_STORED) as file:
        for name in names:
            info = ZipInfo(name, EPOCH)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            file.writestr(info, (folder / name).read_bytes())


def unpack(path: Path, folder: Path) -> None:
    """Put the files of a packed bundle into a folder, once each is found to be one that the manifest records.

    What they hold, `read_bundle` checks.

    Args:
        path: the .zip.
        folder: an empty one.

    Raises:
        InputError: it is no .zip, or its manifest breaks a rule.
        AnswerIsNo: it holds something that its manifest does not record, or lacks what it does.
    """
    try:
        with ZipFile(path) as file:
            entries = file.infolist()
            problems = list(_strange(entries))
            if problems:
                raise AnswerIsNo(f"{path}: {problems[0]}; get the bundle anew, `export --zip` makes no such")
            sizes = {entry.filename: entry.file_size for entry in entries}
            if not 0 < sizes.get(NAME, 0) <= LONGEST_MANIFEST:
                raise InputError(f"{path}: holds no bundle ({NAME} is missing, empty or too long); get the bundle anew")
            _copy(file, NAME, folder, sizes[NAME])
            manifest = read_manifest(folder)
            _check_sizes(path, manifest, sizes)
            for name in manifest.files:
                _copy(file, name, folder, sizes[name])
    except BROKEN as error:
        raise InputError(f"{path}: is no .zip that can be read ({error}); get the bundle anew") from error


def _strange(entries: list[ZipInfo]) -> Iterator[str]:
    seen: set[str] = set()
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not is_plain(entry.filename) or entry.is_dir():
            yield f"holds {entry.filename!r}, which leads out of it"
        elif kind not in (0, stat.S_IFREG):
            yield f"holds {entry.filename!r}, which is no plain file"
        elif entry.filename in seen:
            yield f"holds {entry.filename!r} twice"
        elif entry.flag_bits & 1:
            yield f"holds {entry.filename!r}, which is encrypted"
        seen.add(entry.filename)


def _check_sizes(path: Path, manifest: Manifest, sizes: dict[str, int]) -> None:
    for name in sizes.keys() - manifest.files.keys() - {NAME}:
        raise AnswerIsNo(f"{path}: holds {name!r}, which its manifest does not record; get the bundle anew")
    for name, record in manifest.files.items():
        if sizes.get(name) != record.size_bytes:
            found = f"{sizes[name]} bytes" if name in sizes else "missing"
            raise AnswerIsNo(
                f"{path}: {name} is {found}, and the manifest records {record.size_bytes} bytes; get the bundle anew"
            )


def _copy(file: ZipFile, name: str, folder: Path, size: int) -> None:
    """Copy a file, and no byte more than its size: what a .zip says of itself need not be true."""
    left = size
    with file.open(name) as source, (folder / name).open("wb") as target:
        try:
            while left > 0 and (part := source.read(min(CHUNK, left))):
                target.write(part)
                left -= len(part)
        except BadZipFile as error:  # the rest of it can be read
            raise AnswerIsNo(f"{folder / name}: was changed or damaged ({error}); get the bundle anew") from error


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A new temporary folder with the files of a packed bundle, which stays if the block ends well.

    What goes wrong is told of the .zip, for nobody knows the folder.

    Raises:
        InputError, AnswerIsNo: see `unpack`.
    """
    folder = Path(tempfile.mkdtemp(prefix="edge-toolkit-bundle-"))
    try:
        unpack(path, folder)
        yield folder
    except (InputError, AnswerIsNo) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise type(error)(str(error).replace(f"{folder}/", f"{path}/").replace(str(folder), str(path))) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
