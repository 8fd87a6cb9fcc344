"""int8 within a bound: where plain quantisation costs too much, the most sensitive blocks stay in float32.

Each block is quantised alone, and the noise that this leaves in the logits is its sensitivity. Then blocks are kept in
float32, the most sensitive first, until the accuracy on the validation split is near enough: fewest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_deploy.ir import IR
from edge_deploy.nearness import snr_db
from edge_deploy.precision.judge import Floats, Labelled, compiled, logits_of, right
from edge_deploy.precision.quantise import quantised
from edge_deploy.settings import INT8
from edge_toolkit.console import progress
from edge_toolkit.layers import LayerTable

SWEEP_SAMPLES = 500
"""Validation samples that a block's sensitivity is taken over; the bound is checked on all."""


@dataclass(frozen=True)
class Sensitivity:
    """What a block's quantisation does alone: the logits' signal to noise, decibels, and the right answers it loses."""

    block: str
    snr_db: float
    lost: int


@dataclass(frozen=True)
class Mix:
    """Blocks that stay in float32, and how many validation samples the rest in int8 names rightly."""

    kept: tuple[str, ...]
    right: int


@dataclass(frozen=True)
class Sweep:
    """How int8 came about.

    Attributes:
        wanted: how many validation samples have to be named rightly.
        tried: all mixes, in order; the first keeps none.
        sensitivities: of the blocks, the most sensitive first; empty where plain quantisation did.
    """

    wanted: int
    tried: tuple[Mix, ...]
    sensitivities: tuple[Sensitivity, ...] = ()


@dataclass(frozen=True, eq=False)
class Quantised:
    """A network with as much of it in int8 as the bound lets, which blocks stay, and how that came about."""

    ir: IR
    mix: Mix
    sweep: Sweep

    @property
    def passed(self) -> bool:
        """Whether the bound is kept."""
        return self.mix.right >= self.sweep.wanted


def within(
    ir: IR, layers: LayerTable, calibration: Floats, validation: Labelled, right_in_f32: int, max_drop: float
) -> Quantised:
    """Quantise a network so that its accuracy drops by no more than a bound.

    Args:
        ir: in float32.
        layers: its table, whose blocks may stay in float32.
        calibration: samples that the ranges are taken from: (n, channels, height, width), normalised.
        validation: samples that the bound holds on.
        right_in_f32: how many of them the network names rightly in float32.
        max_drop: share of them that may turn wrong.

    Returns:
        The first mix within the bound, or the best there is, which is not.
    """
    samples = [[each[None]] for each in calibration]
    wanted = right_in_f32 - int(max_drop * len(validation.y) + 1e-9)
    plain = quantised(ir, samples)
    tried = [Mix((), right(plain, INT8, validation))]
    best, kept = plain, tried[0]
    if kept.right >= wanted:
        return Quantised(plain, kept, Sweep(wanted, tuple(tried)))
    blocks = _blocks(layers)
    found = sensitivities(ir, blocks, samples, validation.first(SWEEP_SAMPLES))
    for count in range(1, len(found)):  # at least one block is quantised, or it is no int8
        stay = tuple(each.block for each in found[:count])
        mixed = quantised(ir, samples, [layer for block in stay for layer in blocks[block]])
        tried.append(Mix(stay, right(mixed, INT8, validation)))
        if tried[-1].right > kept.right:
            best, kept = mixed, tried[-1]
        if kept.right >= wanted:
            break
    return Quantised(best, kept, Sweep(wanted, tuple(tried), found))


def sensitivities(
    ir: IR, blocks: dict[str, list[str]], samples: Sequence[Sequence[Floats]], validation: Labelled
) -> tuple[Sensitivity, ...]:
    """Each block quantised alone, the most sensitive first."""
    with compiled(ir, "f32") as ready:
        expected = logits_of(ready, validation.x)
    found = []
    with progress("sensitivity of each block", len(blocks)) as advance:
        for block in blocks:
            others = [layer for each, layers in blocks.items() if each != block for layer in layers]
            with compiled(quantised(ir, samples, others), INT8) as ready:
                answers = logits_of(ready, validation.x)
            lost = int((expected.argmax(1) == validation.y).sum() - (answers.argmax(1) == validation.y).sum())
            found.append(Sensitivity(block, snr_db(answers, expected), lost))
            advance(block)
    return tuple(sorted(found, key=lambda each: each.snr_db))


def _blocks(layers: LayerTable) -> dict[str, list[str]]:
    """The layers of each block that multiplies, in order; the rest goes with what stands before it."""
    blocks: dict[str, list[str]] = {}
    for name, block in zip(layers.name.tolist(), layers.block.tolist(), strict=True):
        blocks.setdefault(block, []).append(name)
    counts = dict.fromkeys(blocks, 0)
    for block, macs in zip(layers.block.tolist(), layers.macs.tolist(), strict=True):
        counts[block] += macs
    return {block: names for block, names in blocks.items() if counts[block]}
