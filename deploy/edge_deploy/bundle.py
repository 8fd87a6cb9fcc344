"""`Bundle`: what ships, a folder that proves itself. Reading one needs neither torch nor onnx.

manifest.json       `edge_deploy.manifest.Manifest`, with the hash of every other file
model.xml, .bin     OpenVINO's IR, float32
f16.xml, int8.xml   the same in half precision, and quantised, where they were asked for, each with its .bin
model.onnx          the same network, opset 20, weights inside
stream.xml, .bin    of an LSTM on sequences: the same one step a request, its state carried on
architecture.json   the spec (`edge_toolkit.specs`)
sensitivity.json    how int8 came about, where some blocks had to stay in float32
test_vectors.npz    real inputs and what torch answers to them
"""

import hashlib
import io
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from edge_deploy.manifest import NAME, FileRecord, Manifest, manifest_to_json, read_manifest
from edge_deploy.packed import unpacked
from edge_deploy.settings import INT8
from edge_toolkit.errors import AnswerIsNo, InputError, MissingError
from edge_toolkit.files import write_json, writing
from edge_toolkit.specs import ModelSpec, digest, read_spec

MAX_VECTORS = 16
"""Most samples in `test_vectors.npz`."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Test inputs with the expected answers.

    Attributes:
        inputs: (n, channels, height, width), float32, resized and normalised.
        expected: (n, classes), float32, torch's logits.
        labels: (n,), int64, the true classes.
    """

    inputs: NDArray[np.float32]
    expected: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose files were found to be those that its manifest records.

    Attributes:
        path: what a user points at: a folder, or a .zip.
        manifest: what it says of itself.
        spec: the network.
        folder: where its files lie; for a .zip a temporary one, which is there as long as the bundle.
    """

    path: Path
    manifest: Manifest
    spec: ModelSpec
    folder: Path

    @property
    def ir(self) -> Path:
        """OpenVINO's model in float32; its weights lie beside it."""
        return self.ir_in("f32")

    def ir_in(self, precision: str) -> Path:
        """OpenVINO's model for a precision; float32's where a device makes do with that.

        Raises:
            MissingError: int8 is asked for, which the bundle was not exported in.
        """
        variant = self.manifest.precisions.get(precision)
        if variant is None and precision == INT8:
            held = ", ".join(self.manifest.precisions)
            raise MissingError(
                f"--precision {precision}: {self.path} holds {held}; run `edge-toolkit export MODEL --precision int8`"
            )
        return self.folder / (variant or self.manifest.precisions["f32"]).file

    @property
    def onnx(self) -> Path:
        """The ONNX model."""
        return self.folder / "model.onnx"

    @property
    def stream(self) -> Path | None:
        """The model that sees one step a request; None where the network has no such form."""
        return self.folder / "stream.xml" if "stream.xml" in self.manifest.files else None

    @property
    def baseline(self) -> Path | None:
        """The matched LSTM's bundle, packed as this one is."""
        if self.manifest.baseline is None:
            return None
        name = Path(self.manifest.baseline).name + ("" if self.path == self.folder else self.path.suffix)
        near = self.path.parent / name  # as the user spelled it, unless that leads elsewhere: `.`, a link
        beside = self.path.resolve().parent / name
        return near if near.resolve() == beside else beside

    def vectors(self) -> Vectors:
        """The test inputs and what torch answers to them.

        Raises:
            InputError: the file holds something else.
        """
        path = self.folder / "test_vectors.npz"
        try:
            with np.load(path, allow_pickle=False) as arrays:
                vectors = Vectors(arrays["inputs"], arrays["expected"], arrays["labels"])
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{path}: holds no test vectors ({error}); export the model again") from error
        count, classes = len(vectors.labels), len(self.manifest.labels)
        found, rule = (vectors.inputs.shape, vectors.expected.shape), ((count, *self.manifest.input), (count, classes))
        if found != rule:
            raise InputError(f"{path}: has the shapes {found}, but {rule} fit the manifest; export the model again")
        return vectors


def vectors_file(vectors: Vectors) -> bytes:
    """`test_vectors.npz`; the same vectors give the same bytes."""
    file = io.BytesIO()
    np.savez(file, inputs=vectors.inputs, expected=vectors.expected, labels=vectors.labels)
    return file.getvalue()


def records_of(contents: Mapping[str, bytes]) -> dict[str, FileRecord]:
    """What a manifest says of its files."""
    return {name: FileRecord(_sha256(data), len(data)) for name, data in sorted(contents.items())}


def write_bundle(folder: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> Bundle:
    """Write a bundle beside its place, read it back, and rename it into place; an older bundle there goes away.

    Args:
        folder: where it shall lie.
        manifest: what it says of itself; its `files` are `records_of(contents)`.
        contents: its files, by name.

    Raises:
        InputError: something that is no bundle lies there.
        AnswerIsNo: the manifest records other files.
    """
    check_place(folder)
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The older bundle is in the way of a rename, so it moves into this folder, and vanishes with it.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
            new, old = Path(beside) / "new", Path(beside) / "old"
            new.mkdir()
            for name, data in contents.items():
                (new / name).write_bytes(data)
            write_json(new / NAME, manifest_to_json(manifest))
            bundle = read_bundle(new)
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                if old.exists():  # else it would vanish with the folder around it
                    old.rename(folder)
                raise
    return replace(bundle, path=folder, folder=folder)


def check_place(folder: Path) -> None:
    """See that a bundle may be written to `folder`.

    Raises:
        InputError: something lies there that is neither a bundle nor an empty folder, or no folder can be made there.
    """
    above = next(path for path in folder.absolute().parents if path.exists())
    if not (above.is_dir() and os.access(above, os.W_OK)):
        raise InputError(
            f"{folder}: cannot be made, since {above} is no folder that can be written to; give another place"
        )
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder}: is no folder, and a bundle is one; give another place")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / NAME).is_file():
        raise InputError(f"{folder}: holds something other than a bundle, which would be lost; give another place")


def read_bundle(path: Path) -> Bundle:
    """The bundle in a folder or a .zip, once every file is found to be the one that was exported.

    Raises:
        InputError: there is no bundle, or its manifest breaks a rule.
        AnswerIsNo: a file is missing, was changed, or leads out of the folder.
    """
    if not is_packed(path):
        return _read(path)
    with unpacked(path) as folder:
        bundle = replace(_read(folder), path=path)
    weakref.finalize(bundle, shutil.rmtree, folder, ignore_errors=True)
    return bundle


def is_packed(path: Path) -> bool:
    """Whether a path is a bundle in one file."""
    return path.suffix == ".zip" and path.is_file()


def _read(folder: Path) -> Bundle:
    manifest = read_manifest(folder)
    for name, record in manifest.files.items():
        _check_file(folder, name, record)
    spec = read_spec(folder / "architecture.json")
    if (digest(spec), spec.input) != (manifest.digest, manifest.input):
        raise AnswerIsNo(
            f"{folder}: the manifest is of {manifest.digest} with input {manifest.input}, but architecture.json of "
            f"{digest(spec)} with input {spec.input}; export the model again"
        )
    return Bundle(folder, manifest, spec, folder)


def _check_file(folder: Path, name: str, record: FileRecord) -> None:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise AnswerIsNo(f"{path}: is missing or no plain file, but the manifest records it; export the model again")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != record.sha256:
        raise AnswerIsNo(
            f"{path}: was changed after the export (SHA-256 {found[:12]}..., the manifest records "
            f"{record.sha256[:12]}...); export the model again"
        )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
