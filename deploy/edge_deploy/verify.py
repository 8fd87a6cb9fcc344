"""`verify`: do the devices here answer as they should, in each precision?

A bundle brings its questions and torch's answers. Any other model is asked random ones, or a user's, and held against
OpenVINO's CPU at float32, of itself or of another model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_deploy.bundle import Bundle, is_packed, read_bundle
from edge_deploy.nearness import BOUNDS, relative_error
from edge_deploy.questions import Questions, questions_in, random_questions
from edge_deploy.runtime import Compiled, compile_model
from edge_deploy.settings import INT8, Asked, devices_in
from edge_deploy.versions import versions
from edge_toolkit.errors import InputError, MissingError

Floats = NDArray[np.floating[Any]]

SAMPLES = 16
"""Random questions to a model that brings none."""

SLACK = 1.5
"""How much further from torch a device may be than the CPU that a precision was exported on."""

CAPABILITIES = {"FP32": "f32", "BF16": "bf16", "FP16": "f16"}
"""What OpenVINO's devices say they can, and how one asks for it."""


@dataclass(frozen=True)
class Check:
    """A device in a precision, held against the expected answers.

    Attributes:
        device, precision: asked for.
        computed_in: what the device reports.
        error: max|answer - expected| / max|expected| over all samples and outputs.
        cosine: the smallest cosine between an answer and what was expected.
        top1: share of samples whose largest output is the expected one; None where no output has several numbers.
        bound: largest error that passes.
    """

    device: str
    precision: str
    computed_in: str
    error: float
    cosine: float
    top1: float | None
    bound: float

    @property
    def passed(self) -> bool:
        """Whether the answers are near enough; what is no number is not."""
        return isfinite(self.error) and self.error <= self.bound

    def to_json(self) -> dict[str, Any]:
        """Plain data for `json.dumps`; JSON has no figure for what is no number."""
        plain = {
            name: None if isinstance(each, float) and not isfinite(each) else each for name, each in vars(self).items()
        }
        return {**plain, "passed": self.passed}


@dataclass(frozen=True)
class Verification:
    """All checks of a model; `changed` tells packages whose version is not the one that made a bundle."""

    target: str
    reference: str
    samples: int
    checks: tuple[Check, ...]
    changed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return all(each.passed for each in self.checks)


def verify(
    path: Path,
    asked: Asked | None = None,
    devices: Sequence[str] = (),
    precisions: Sequence[str] = (),
    against: Path | None = None,
    inputs: Path | None = None,
    bound: float | None = None,
) -> Verification:
    """Ask the devices of this machine, in each precision that they know.

    Args:
        path: a bundle's folder, or a model's file.
        asked: threads, streams and shapes; its device and precision are those below.
        devices: to ask; by default all that are here.
        precisions: to ask for; by default all that a device says it can.
        against: the model whose answers a bare model is held against; by default itself.
        inputs: an .npz with an array of samples for each input of a bare model.
        bound: largest relative error that passes; by default `BOUNDS` of the precision.

    Raises:
        InputError: a file or an option breaks a rule.
        MissingError: a device is not here, computes in none of the precisions, or int8 is asked of floats.
        AnswerIsNo: a file of the bundle was changed.
    """
    asked = asked or Asked()
    if path.is_dir() or is_packed(path):
        if against is not None or inputs is not None:
            raise InputError(f"{path}: a bundle brings its own questions; leave --against and --inputs out")
        bundle = read_bundle(path)
        questions, expected = _vectors(bundle)
        reference, changed = f"torch, as {path} recorded it", tuple(_changed(bundle))
    else:
        bundle, changed = None, ()
        other = path if against is None else against
        reference = f"{other} on CPU at f32"
        first = compile_model(other, replace(asked, device="CPU", precision="f32"))
        questions = random_questions(first.inputs, SAMPLES) if inputs is None else questions_in(inputs, first.inputs)
        expected = answers(first, questions)
    held = () if bundle is None else tuple(bundle.manifest.precisions)
    pairs = list(_pairs(asked, devices, precisions, held))
    checks = []
    for one in pairs:
        file = path if bundle is None else bundle.ir_in(one.precision)
        check = _check(file, one, questions, expected)
        if one.precision == INT8 and check.computed_in not in (INT8, ""):
            raise MissingError(
                f"--precision int8: {one.device} computes {path} in {check.computed_in}; give a quantised model"
            )
        checks.append(replace(check, bound=_bound(bundle, check) if bound is None else bound))
    return Verification(str(path), reference, len(questions), tuple(checks), changed)


def answers(ready: Compiled, questions: Questions) -> list[Floats]:
    """What a model answers: for each output an array of (samples, values)."""
    rows: list[list[Floats]] = []
    for sample in questions:
        for tensor, value in zip(ready.tensors, sample, strict=True):
            tensor[...] = value
        ready.request.reset_state()
        ready.infer()
        rows.append([output.astype(np.float64).ravel() for output in ready.outputs])
    if len({tuple(each.size for each in row) for row in rows}) > 1:
        raise InputError(
            f"{ready.path}: gives outputs of another size for each sample, which can't be held against others"
        )
    return [np.stack(each) for each in zip(*rows, strict=True)]


def compared(found: Sequence[Floats], expected: Sequence[Floats]) -> tuple[float, float, float | None]:
    """Relative error, smallest cosine and top-1 agreement of answers, each (samples, values) an output."""
    errors, cosines, same = [], [], []
    for each, right in zip(found, expected, strict=True):
        errors.append(relative_error(each, right))
        norms = np.linalg.norm(each, axis=1) * np.linalg.norm(right, axis=1)
        both_zero = ~(each.any(axis=1) | right.any(axis=1))
        cosines += np.where(both_zero, 1.0, (each * right).sum(axis=1) / np.maximum(norms, 1e-300)).tolist()
        if right.shape[1] > 1:
            same += (each.argmax(axis=1) == right.argmax(axis=1)).tolist()
    worst = max(errors) if all(map(isfinite, errors)) else float("inf")
    return worst, float(np.min(cosines)), float(np.mean(same)) if same else None


def _check(file: Path, asked: Asked, questions: Questions, expected: Sequence[Floats]) -> Check:
    ready = compile_model(file, asked)
    wanted = [value.shape for value in questions[0]]
    if [each.shape for each in ready.inputs] != wanted:
        told = ", ".join(f"{each.name} {list(each.shape)}" for each in ready.inputs)
        raise InputError(f"{file}: its inputs are {told}, and the questions have the shapes {wanted}; give its equal")
    found = answers(ready, questions)
    sizes = [each.shape[1] for each in found], [each.shape[1] for each in expected]
    if sizes[0] != sizes[1]:
        raise InputError(f"{file}: its outputs have {sizes[0]} numbers, and {sizes[1]} are expected; give its equal")
    error, cosine, top1 = compared(found, expected)
    return Check(asked.device, asked.precision, ready.precision, error, cosine, top1, BOUNDS[asked.precision])


def _bound(bundle: Bundle | None, check: Check) -> float:
    """What passes: the bound of what it computes in, or as far as the export was from torch and half as much again."""
    bound = BOUNDS.get(check.computed_in, check.bound)
    variant = bundle.manifest.precisions.get(check.precision) if bundle is not None else None
    return bound if variant is None else max(bound, SLACK * variant.error)


def _pairs(asked: Asked, devices: Sequence[str], precisions: Sequence[str], held: Sequence[str]) -> Iterator[Asked]:
    """What is asked: each device in each precision that it knows, and in those that a bundle holds."""
    import openvino as ov

    core = ov.Core()
    for device in devices or core.available_devices:
        can: set[str] = set()
        for each in devices_in(core, device):
            can |= set(core.get_property(each, "OPTIMIZATION_CAPABILITIES"))
        known = [name for capability, name in CAPABILITIES.items() if capability in can]
        for precision in precisions or dict.fromkeys([*known, *held]):
            if precision != INT8 and precision not in (*known, *held):
                raise MissingError(
                    f"--precision {precision}: {device} does not compute in it; use one of {', '.join([*known, INT8])}"
                )
            yield replace(asked, device=device, precision=precision)


def _vectors(bundle: Bundle) -> tuple[Questions, list[Floats]]:
    vectors = bundle.vectors()
    return [(sample[None],) for sample in vectors.inputs], [vectors.expected.astype(np.float64)]


def _changed(bundle: Bundle) -> Iterator[str]:
    for name, here in versions().items():
        then = bundle.manifest.versions.get(name)
        # OpenVINO tells its build behind the version that its package has.
        if then is not None and then != here and not here.startswith(f"{then}-"):
            yield f"{name} {then} made the bundle, and {here} reads it"
