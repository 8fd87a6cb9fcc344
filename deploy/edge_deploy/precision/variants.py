"""A network in several precisions, each judged on the real splits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from edge_deploy.ir import IR, model_of, written
from edge_deploy.manifest import Accuracy, Calibration, Variant
from edge_deploy.nearness import relative_error
from edge_deploy.precision import CALIBRATION, MAX_DROP
from edge_deploy.precision.judge import Floats, Labelled, compiled, logits_of, right, worst_noise
from edge_deploy.precision.mix import Quantised, Sweep, within
from edge_deploy.settings import INT8, PRECISIONS
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layers import LayerTable


@dataclass(frozen=True)
class PrecisionsAsked:
    """What `export` is asked for.

    Attributes:
        names: of `PRECISIONS`; f32 is always there.
        max_drop: share of the validation split that int8 may lose.
        samples: of the training split, for calibration.
        seed: draws them.

    Raises:
        InputError: a value breaks a rule; all problems are told together.
    """

    names: tuple[str, ...] = ("f32",)
    max_drop: float = MAX_DROP
    samples: int = CALIBRATION
    seed: int = 0

    def __post_init__(self) -> None:
        problems = [
            f"--precision {name} is not known; use one of {', '.join(PRECISIONS)}"
            for name in self.names
            if name not in PRECISIONS
        ]
        if not 0 <= self.max_drop <= 1:
            problems.append(f"--max-drop {self.max_drop} must be a share, between 0 and 1")
        if self.samples < 1:
            problems.append(f"--calibration-samples {self.samples} must be at least 1")
        if problems:
            raise InputError.listing("options", problems)

    @property
    def others(self) -> tuple[str, ...]:
        """Those besides f32, each once, in a fixed order."""
        return tuple(name for name in PRECISIONS if name in self.names and name != "f32")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a precision is judged on; without training there is no accuracy, and only ranges are taken.

    Attributes:
        layers: the network's table.
        train: samples for calibration; (n, channels, height, width), normalised, as all here.
        validation, test: the splits.
        vectors: inputs with torch's answers (k, classes).
        trained: whether the weights are.
    """

    layers: LayerTable
    train: Floats
    validation: Labelled
    test: Labelled
    vectors: tuple[Floats, Floats]
    trained: bool


@dataclass(frozen=True, eq=False)
class Variants:
    """The precisions of a network, the files that they need besides those of float32, and how int8 came about.

    The accuracy in float32 is not told anew.
    """

    variants: Mapping[str, Variant]
    contents: Mapping[str, bytes]
    sweep: Sweep | None


class BoundMissed(AnswerIsNo):
    """No mix of int8 and float32 is within the bound; `quantised` is the best."""

    def __init__(self, message: str, quantised: Quantised) -> None:
        super().__init__(message)
        self.quantised = quantised


def variants_of(ir: IR, asked: PrecisionsAsked, evidence: Evidence, name: str) -> Variants:
    """A network in the precisions that are asked for.

    Args:
        ir: in float32.
        asked: which, and the bound of int8.
        evidence: what they are judged on.
        name: the network's, for messages.

    Raises:
        BoundMissed: int8 loses more than the bound, whichever blocks stay in float32.
    """
    made: dict[str, tuple[str, IR]] = {"f32": ("model.xml", ir)}
    in_f32 = right(ir, "f32", evidence.validation) if evidence.trained and asked.others else 0
    drawn = _drawn(evidence.train, asked)
    quantised = None
    for each in asked.others:
        if each == "bf16":
            made[each] = "model.xml", ir
        elif each == "f16":
            made[each] = "f16.xml", _halved(ir)
        else:
            bound = asked.max_drop if evidence.trained else 1.0
            quantised = within(ir, evidence.layers, drawn, evidence.validation, in_f32, bound)
            if not quantised.passed:
                raise BoundMissed(_missed(name, quantised, in_f32, evidence, asked), quantised)
            made[each] = "int8.xml", quantised.ir
    variants = {each: _variant(each, file, one, ir, evidence, quantised, asked) for each, (file, one) in made.items()}
    return Variants(variants, dict(_files(made.values())), None if quantised is None else quantised.sweep)


def _variant(
    name: str, file: str, ir: IR, reference: IR, evidence: Evidence, quantised: Quantised | None, asked: PrecisionsAsked
) -> Variant:
    layers = evidence.layers.name[evidence.layers.macs > 0].tolist()
    computed_in, error = _error(name, ir, evidence)
    noise = None if name == "f32" else worst_noise(reference, ir, name, evidence.validation, layers)
    in_int8 = quantised if name == INT8 else None
    return Variant(
        file=file,
        size_bytes=len(ir.xml) + len(ir.bin),
        computed_in=computed_in,
        error=error,
        accuracy=_accuracy(name, computed_in, ir, evidence) if evidence.trained and name != "f32" else None,
        noise=noise,
        kept=in_int8.mix.kept if in_int8 is not None else (),
        calibration=Calibration(min(asked.samples, len(evidence.train)), asked.seed) if in_int8 is not None else None,
    )


def _accuracy(name: str, computed_in: str, ir: IR, evidence: Evidence) -> Accuracy:
    shares = [right(ir, name, each) / len(each.y) for each in (evidence.validation, evidence.test)]
    return Accuracy(shares[0], shares[1], f"export: both splits in openvino on a CPU, computed in {computed_in}")


def _error(name: str, ir: IR, evidence: Evidence) -> tuple[str, float]:
    """What this machine's CPU computes in where the precision is asked for, and how far from torch that is."""
    inputs, expected = evidence.vectors
    with compiled(ir, name) as ready:
        found = logits_of(ready, inputs)
    return ready.precision, relative_error(found, expected)


def _drawn(train: Floats, asked: PrecisionsAsked) -> Floats:
    """The samples for calibration: of the training split, so that neither bound nor test has seen them."""
    generator = np.random.default_rng(asked.seed)
    chosen = generator.choice(len(train), min(asked.samples, len(train)), replace=False)
    return train[np.sort(chosen)]


def _halved(ir: IR) -> IR:
    """The same with weights in float16, which every device takes; what it computes in is the device's affair."""
    return written(model_of(ir), halved=True)


def _files(made: Iterable[tuple[str, IR]]) -> Iterable[tuple[str, bytes]]:
    for file, ir in made:
        if file != "model.xml":
            yield file, ir.xml
            yield file.replace(".xml", ".bin"), ir.bin


def _missed(name: str, found: Quantised, in_f32: int, evidence: Evidence, asked: PrecisionsAsked) -> str:
    count = len(evidence.validation.y)
    kept = f" with {', '.join(found.mix.kept)} in f32" if found.mix.kept else ""
    return (
        f"int8 of {name}: the best mix{kept} names {found.mix.right} of {count} validation samples rightly, f32 "
        f"{in_f32}, and --max-drop {asked.max_drop:g} asks for {found.sweep.wanted}; no bundle was written; allow a "
        "larger drop, or give more --calibration-samples"
    )
