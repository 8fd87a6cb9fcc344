"""What a command is pointed at: a bundle, or a bare model."""

from dataclasses import dataclass
from pathlib import Path

from edge_deploy.bundle import Bundle, is_packed, read_bundle
from edge_toolkit.errors import InputError
from edge_toolkit.files import from_here
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec


@dataclass(frozen=True)
class Target:
    """A model's file, and the network that it was exported from and its baseline's bundle where those are known.

    `stream` is the same network as one that sees a step a request, where there is such; `bundle` keeps the files of a
    packed one there.
    """

    path: Path
    file: Path
    spec: ModelSpec | None
    baseline: Path | None = None
    stream: Path | None = None
    bundle: Bundle | None = None


def target_of(path: Path, precision: str = "f32") -> Target:
    """The model at a path: a bundle's folder or .zip, or a model's file.

    Args:
        path: what a user points at.
        precision: that it shall compute in; a bundle may have a file of its own for that.

    Raises:
        InputError: there is nothing, or something else.
        MissingError: the bundle was not exported in int8.
        AnswerIsNo: a file of the bundle was changed.
    """
    if path.is_dir() or is_packed(path):
        bundle = read_bundle(path)
        return Target(path, bundle.ir_in(precision), bundle.spec, bundle.baseline, bundle.stream, bundle)
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder; give a bundle, an .onnx, an .xml or a .tflite")
    return Target(path, path, None)


def run_profile(path: Path) -> Path | None:
    """Where a run keeps the profile of this bundle; None for a path that is no bundle inside a run folder."""
    bundle = path.resolve()
    run = RunFolder(bundle.parent.parent)
    if bundle.is_dir() and run.bundle(bundle.name) == bundle and run.request.is_file():
        return from_here(run.profile(bundle.name))
    return None
