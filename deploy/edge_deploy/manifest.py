"""`Manifest`: what a bundle says of itself, its file `manifest.json`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, with_config

from edge_toolkit.architecture import CLOSED, Shape
from edge_toolkit.data import Normalisation
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json

NAME = "manifest.json"
FILES = ("architecture.json", "model.bin", "model.onnx", "model.xml", "test_vectors.npz")
"""What every bundle holds beside its manifest."""


@with_config(CLOSED)
@dataclass(frozen=True)
class FileRecord:
    """A file as it was when the bundle was written."""

    sha256: str
    size_bytes: int


@with_config(CLOSED)
@dataclass(frozen=True)
class Accuracy:
    """Shares of a split that the network names rightly, and how each was found."""

    validation: float
    test: float
    origin: str


@with_config(CLOSED)
@dataclass(frozen=True)
class Parity:
    """How near the runtimes come to torch on the test split, all in float32.

    `errors` holds for each runtime max|logits - torch's| / max|torch's| over all samples, which may be `bound` at
    most; `right` counts the samples that each of torch and the runtimes names rightly.
    """

    samples: int
    bound: float
    errors: Mapping[str, float]
    right: Mapping[str, int]


@with_config(CLOSED)
@dataclass(frozen=True)
class Noise:
    """The layer whose output has the least signal to noise, decibels: 10 log10 of their energies."""

    layer: str
    snr_db: float


@with_config(CLOSED)
@dataclass(frozen=True)
class Calibration:
    """Samples of the training split that int8 took its ranges from, and the seed that drew them."""

    samples: int
    seed: int


@with_config(CLOSED)
@dataclass(frozen=True)
class Variant:
    """The network in a precision.

    Attributes:
        file: the IR that computes in it; its weights lie beside.
        size_bytes: of both.
        computed_in: what the CPU that exported it reports where this precision is asked for.
        error: max|answers - torch's| / max|torch's| over the test vectors, on the CPU that exported it.
        accuracy: on this precision's own answers; None for random weights.
        noise: against float32, of real validation samples; None for float32 itself.
        kept: blocks that stay in float32, since int8 would cost too much there.
        calibration: of int8.
    """

    file: str
    size_bytes: int
    computed_in: str
    error: float
    accuracy: Accuracy | None
    noise: Noise | None = None
    kept: tuple[str, ...] = ()
    calibration: Calibration | None = None


@with_config(CLOSED)
@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        name: the bundle's own, its folder's when it was written.
        digest: the spec's (`edge_toolkit.specs.digest`).
        input: (channels, height, width); an input is resized to it, then normalised by channel.
        labels: the name of each class, in the order of the logits.
        data, fingerprint: the data set that it was trained on.
        trained: False for random weights, whose latency counts and whose answers don't; `accuracy` is None then.
        macs, parameters: of one inference, from the layer table.
        precisions: those that it ships in, by name; f32 is one.
        versions: of what made the bundle.
        files: every file but the manifest, by name.
        baseline: the matched LSTM's bundle, `../NAME`, or None.

    Raises:
        InputError: a name leads out of the bundle's place, or a file is not recorded.
    """

    name: str
    digest: str
    input: Shape
    labels: tuple[str, ...]
    normalisation: Normalisation
    data: str
    fingerprint: str
    trained: bool
    accuracy: Accuracy | None
    parity: Parity
    macs: int
    parameters: int
    precisions: Mapping[str, Variant]
    versions: Mapping[str, str]
    files: Mapping[str, FileRecord]
    baseline: str | None
    schema: Literal[2] = 2

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise InputError.listing("manifest", problems)


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a bundle's folder.

    Raises:
        InputError: the folder holds none, or it breaks a rule.
    """
    path = folder / NAME
    if not path.is_file():
        raise InputError(f"{folder}: holds no bundle ({NAME} is missing); `edge-toolkit export` makes one")
    plain = read_json(path)
    if isinstance(plain, dict) and plain.get("schema") == 1:
        raise InputError(f"{path}: is of schema 1, from before a bundle held precisions; export the model again")
    return checked(_MANIFEST, plain, str(path))


def _problems(manifest: Manifest) -> Iterator[str]:
    for name in manifest.files:
        if not is_plain(name):
            yield f"files holds {name!r}, which is no name of a file in the bundle's folder; export the model again"
    for name in FILES:
        if name not in manifest.files:
            yield f"files lacks {name}, which every bundle has; export the model again"
    if "f32" not in manifest.precisions:
        yield "precisions lacks f32, which every bundle has; export the model again"
    for name, variant in manifest.precisions.items():
        for file in (variant.file, variant.file.removesuffix(".xml") + ".bin"):
            if file not in manifest.files or not variant.file.endswith(".xml"):
                yield f"precisions.{name} names {variant.file}, and files holds no {file}; export the model again"
    baseline = manifest.baseline
    if baseline is not None and not (baseline.startswith("../") and is_plain(baseline.removeprefix("../"))):
        yield f"baseline={baseline!r} must be a folder beside the bundle; write ../NAME, or null"


def is_plain(name: str) -> bool:
    """Whether a name stays where it is: no separator of any system, not `.` nor `..`."""
    return re.fullmatch(r"[^/\\:\0]+", name) is not None and name not in (".", "..")


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def manifest_to_json(manifest: Manifest) -> dict[str, object]:
    """Plain data for `json.dumps`."""
    return asdict(manifest)
