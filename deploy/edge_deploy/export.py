"""`export`: a model folder becomes a bundle, checked on the test split, with the matched LSTM's beside it."""

import json
import platform
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edge_deploy.bundle import MAX_VECTORS, Bundle, Vectors, check_place, records_of, vectors_file, write_bundle
from edge_deploy.convert import converted, random_weights, streamed
from edge_deploy.ir import IR
from edge_deploy.manifest import Accuracy, FileRecord, Manifest, Parity, Variant
from edge_deploy.onnx_export import network
from edge_deploy.parity import REFERENCE, answers, parity_of
from edge_deploy.precision.judge import Floats, Labelled
from edge_deploy.precision.sweep import SWEEP, sweep_file
from edge_deploy.precision.variants import Evidence, PrecisionsAsked, variants_of
from edge_toolkit import __version__
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import note
from edge_toolkit.data import Dataset, Split, load_dataset, load_test
from edge_toolkit.data.resize import resized
from edge_toolkit.errors import InputError
from edge_toolkit.files import from_here
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.matching import TOLERANCE, matched_lstm, size_of
from edge_toolkit.model_folder import Model, Preprocessing, Training, Weights, read_model
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec, digest, spec_to_json

SUSPECT = 0.01
"""Difference from the accuracy that training reported which is worth a warning."""
PACKAGES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino")


@dataclass(frozen=True)
class Part:
    """One network to export; `training` is None where its weights are random."""

    spec: ModelSpec
    weights: Weights
    preprocessing: Preprocessing
    training: Training | None


@dataclass(frozen=True, eq=False)
class Splits:
    """The data that belongs to a model; `dataset` is its training and validation split."""

    dataset: Dataset
    test: Split


def export(
    model_folder: Path, out: Path | None = None, baseline: bool = True, asked: PrecisionsAsked | None = None
) -> Bundle:
    """Export a model to ONNX and OpenVINO, prove that both answer as torch does, and write a bundle.

    Args:
        model_folder: what `edge-toolkit train` wrote.
        out: the bundle's folder; by default `RUN/bundles/PICK` for `RUN/models/PICK`, else `MODEL-bundle` beside it.
        baseline: whether the matched LSTM goes beside it, as `OUT-lstm`: the trained `MODEL-lstm` where that exists,
            else one with random weights, whose latency is the same.
        asked: the precisions that it ships in besides f32, and the bound of int8.

    Returns:
        The bundle as it lies on disk.

    Raises:
        InputError: the model folder, its data or `out` breaks a rule.
        AnswerIsNo: a runtime answers otherwise than torch, or an LSTM did not stay one.
        BoundMissed: int8 loses more than the bound.
    """
    asked = asked or PrecisionsAsked()
    model = read_model(model_folder)
    place = default_place(model_folder) if out is None else out
    place = place if place.name not in ("", "..") else place.resolve()
    check_place(place)
    splits = _splits(model)
    part = Part(model.spec, model.weights, model.preprocessing, model.training)
    beside, at = None, place.with_name(f"{place.name}-lstm")
    if baseline and isinstance(model.spec, Architecture):
        check_place(at)
        lstm = _baseline(model_folder.resolve(), model, model.spec)
        beside = _made(lstm, at.name, splits, replace(asked, max_drop=1.0), None)  # the bound is the model's
    own = _made(part, place.name, splits, asked, None if beside is None else f"../{at.name}")
    # Written once both are made, so that an answer of no leaves everything as it was.
    if beside is not None:
        write_bundle(at, *beside)
    return write_bundle(place, *own)


def default_place(model_folder: Path) -> Path:
    """Where the bundle of a model folder goes, relative to the working directory where it lies below that."""
    folder = model_folder.resolve()
    if folder.parent.name == "models":
        place = RunFolder(folder.parent.parent).bundle(folder.name)
    else:
        place = folder.with_name(f"{folder.name}-bundle")
    return from_here(place)


def _made(
    part: Part, name: str, splits: Splits, asked: PrecisionsAsked, baseline: str | None
) -> tuple[Manifest, dict[str, bytes]]:
    """A bundle of this name, not yet written: its manifest and its files."""
    test = _labelled(part, splits.test)
    x, classes = test.x, test.y
    contents = converted(part.spec, part.weights)
    # What is checked is read from files, as it is on a device.
    with tempfile.TemporaryDirectory() as folder:
        for file, data in contents.items():
            (Path(folder) / file).write_bytes(data)
        torch_model = network(part.spec, part.weights)
        logits = answers(torch_model, Path(folder) / "model.onnx", Path(folder) / "model.xml", x, name)
    parity = parity_of(logits, classes)
    contents |= streamed(part.spec, part.weights)
    chosen = _spread(len(classes))
    precisions = variants_of(
        IR(contents["model.xml"], contents["model.bin"]),
        asked,
        _evidence(part, splits if asked.others else None, test, (x[chosen], logits[REFERENCE][chosen])),
        name,
    )
    contents |= precisions.contents
    contents["test_vectors.npz"] = vectors_file(Vectors(x[chosen], logits[REFERENCE][chosen], classes[chosen]))
    contents["architecture.json"] = (json.dumps(spec_to_json(part.spec), indent=2) + "\n").encode()
    if precisions.sweep is not None:
        contents[SWEEP] = sweep_file(precisions.sweep)
    manifest = _manifest(part, name, parity, precisions.variants, records_of(contents), baseline)
    return manifest, contents


def _labelled(part: Part, split: Split) -> Labelled:
    """A split as the network takes it."""
    _, height, width = part.spec.input
    samples, classes = split.arrays()
    return Labelled(part.preprocessing.normalisation.apply(resized(samples, height, width)), classes)


def _evidence(part: Part, splits: Splits | None, test: Labelled, vectors: tuple[Floats, Floats]) -> Evidence:
    """What precisions are judged on; without splits, for float32 alone, nothing is read again."""
    train = validation = test.first(0)
    if splits is not None:
        train, validation = _labelled(part, splits.dataset.train), _labelled(part, splits.dataset.validation)
    trained = part.training is not None and splits is not None
    return Evidence(layers_of(part.spec), train.x, validation, test, vectors, trained)


def _manifest(
    part: Part,
    name: str,
    parity: Parity,
    precisions: Mapping[str, Variant],
    files: Mapping[str, FileRecord],
    baseline: str | None,
) -> Manifest:
    layers = layers_of(part.spec)
    accuracy = _accuracy(part.training, parity.right[REFERENCE] / parity.samples, name)
    return Manifest(
        name=name,
        digest=digest(part.spec),
        input=part.spec.input,
        labels=part.preprocessing.labels,
        normalisation=part.preprocessing.normalisation,
        data=part.preprocessing.data,
        fingerprint=part.preprocessing.fingerprint,
        trained=part.training is not None,
        accuracy=accuracy,
        parity=parity,
        macs=int(layers.macs.sum()),
        parameters=int(layers.parameters.sum()),
        precisions={**precisions, "f32": replace(precisions["f32"], accuracy=accuracy)},
        versions=_versions(),
        files=files,
        baseline=baseline,
    )


def _splits(model: Model) -> Splits:
    """The data that belongs to a model.

    Raises:
        InputError: the data is not what the model was trained on, or does not fit the model.
    """
    preprocessing, spec = model.preprocessing, model.spec
    dataset = load_dataset(preprocessing.data)
    found = dataset.fingerprint
    if found != preprocessing.fingerprint:
        raise InputError(
            f"--data {preprocessing.data} has changed since the model was trained (fingerprint {found[:12]}..., the "
            f"model has {preprocessing.fingerprint[:12]}...); put the old data back, or train again"
        )
    test = load_test(preprocessing.data)
    problems = []
    if test.x.shape[1] != spec.input[0]:
        problems.append(f"the input has {spec.input[0]} channels, but {preprocessing.data} has {test.x.shape[1]}")
    if len(preprocessing.labels) != spec.head.classes:
        problems.append(f"the head has {spec.head.classes} classes, but there are {len(preprocessing.labels)} labels")
    if problems:
        raise InputError.listing("model", [f"{problem}; train the model again" for problem in problems])
    return Splits(dataset, test)


def _baseline(model_folder: Path, model: Model, architecture: Architecture) -> Part:
    """The matched LSTM: the trained one beside the model, or one with random weights."""
    folder = model_folder.with_name(f"{model_folder.name}-lstm")
    if (folder / "architecture.json").is_file():
        lstm = read_model(folder)
        _check_match(folder, lstm, model)
        return Part(lstm.spec, lstm.weights, lstm.preprocessing, lstm.training)
    try:
        spec = matched_lstm(architecture)
    except InputError as error:
        raise InputError(f"{error}; or export with --no-baseline") from error
    note(
        f"the LSTM baseline has random weights, which give its latency but no accuracy; for both, run "
        f"`edge-toolkit train --baseline lstm --like {shlex.quote(str(from_here(model_folder)))}` and export again"
    )
    return Part(spec, random_weights(spec), model.preprocessing, None)


def _check_match(folder: Path, lstm: Model, model: Model) -> None:
    problems = []
    if not isinstance(lstm.spec, LSTMBaseline):
        problems.append(f"is a {lstm.spec.kind} network, and the baseline is an LSTM")
    if lstm.spec.input != model.spec.input:
        problems.append(f"takes {lstm.spec.input}, and the model {model.spec.input}")
    if lstm.spec.head.classes != model.spec.head.classes:
        problems.append(f"tells {lstm.spec.head.classes} classes apart, and the model {model.spec.head.classes}")
    if lstm.preprocessing.fingerprint != model.preprocessing.fingerprint:
        problems.append("was trained on other data")
    ratio = size_of(lstm.spec, "parameters") / size_of(model.spec, "parameters")
    if abs(ratio - 1) > TOLERANCE:
        problems.append(f"has {ratio:.2f} times the parameters of the model, and a match is within {TOLERANCE:.0%}")
    if problems:
        remedy = "train the baseline again, or remove its folder"
        raise InputError.listing(str(folder), [f"{problem}; {remedy}" for problem in problems])


def _accuracy(training: Training | None, test: float, name: str) -> Accuracy | None:
    if training is None:
        return None
    if abs(test - training.test_accuracy) > SUSPECT:
        note(
            f"warning: {name} reaches {test:.4f} on the test split, but its training reported "
            f"{training.test_accuracy:.4f}; the manifest says the former"
        )
    origin = "validation: training, torch at f32; test: export, the same in torch, onnxruntime and openvino at f32"
    return Accuracy(validation=training.validation_accuracy, test=test, origin=origin)


def _spread(samples: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Samples from all over the split, since some lie sorted by class."""
    return np.unique(np.linspace(0, samples - 1, min(samples, MAX_VECTORS)).astype(np.intp))


def _versions() -> dict[str, str]:
    return {
        "xr-edge-toolkit": __version__,
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
