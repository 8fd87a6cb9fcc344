"""Which subnets a step trains: the sandwich of a phase, within the part of the space that the phase may use."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from edge_search.choices import StageChoices
from edge_search.genes import Gene, Value
from edge_search.space import SearchSpace
from edge_search.supernet.recipe import Phase
from edge_search.supernet.weights import largest_choices
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError


class Sandwich(NamedTuple):
    """The networks of one step: the largest one teaches the others, the smallest one first among them."""

    largest: Architecture
    others: tuple[Architecture, ...]


def sandwich(space: SearchSpace, phase: Phase, rng: np.random.Generator) -> Sandwich:
    """Draw the networks of one step.

    Kinds of block have no order, so the largest network draws them anew at each step: every block of the phase learns
    from labels.

    Args:
        space: of the supernet.
        phase: bounds the attention, and says how many random networks are drawn.
        rng: draws.

    Source: Yu and Huang, Universally Slimmable Networks, ICCV 2019, section 3 (the sandwich rule).
    """
    within = subspace(space, phase.attention)
    largest = {**largest_choices(within), **_kinds(within, phase, rng)}
    others = [{**_uniform(within, rng), **_kinds(within, phase, rng)} for _ in range(phase.random_subnets)]
    return Sandwich(within.build(largest), (_smallest(within), *(within.build(values) for values in others)))


@lru_cache(maxsize=16)
def subspace(space: SearchSpace, attention: int | Literal["all"]) -> SearchSpace:
    """The part of a space that uses attention in no more than so many stages, the deepest first.

    Raises:
        InputError: a stage has attention alone behind its first block, and no depth of 1.
    """
    kept = attentive_stages(space, attention)
    without = [index for index in attentive_stages(space, "all") if index not in kept]
    if not without:
        return space
    problems = [
        f"stages[{index}] has attention alone behind its first block; allow mbconv there, or a depth of 1"
        for index in without
        if "mbconv" not in space.stages[index].blocks and 1 not in space.stages[index].depth
    ]
    if problems:
        raise InputError.listing("a recipe with a phase without attention", problems)
    stages = [_convolutional(stage) if index in without else stage for index, stage in enumerate(space.stages)]
    return SearchSpace.model_validate({**dict(space), "stages": stages})


def attentive_stages(space: SearchSpace, attention: int | Literal["all"]) -> tuple[int, ...]:
    """Indices of the stages that a phase may use attention in: of those that allow it, so many, the deepest first."""
    allowing = tuple(index for index, stage in enumerate(space.stages) if "attention" in stage.blocks)
    return allowing if attention == "all" else allowing[max(0, len(allowing) - attention) :]


def _convolutional(stage: StageChoices) -> StageChoices:
    changes: dict[str, Any] = {"blocks": ("mbconv",), "head_dim": (), "mlp_ratio": (), "window": ()}
    if "mbconv" not in stage.blocks:
        changes["depth"] = (1,)
    return StageChoices.model_validate({**dict(stage), **changes})


def landmarks(space: SearchSpace) -> dict[str, Architecture]:
    """The smallest network of a space, and its largest ones without attention and with as much as it allows.

    Those that the space does not have are left out.
    """
    found = {"smallest": space.smallest()}
    with suppress(InputError):
        found["largest without attention"] = _largest(subspace(space, 0), "mbconv")
    if attentive_stages(space, "all"):
        found["largest with attention"] = _largest(space, "attention")
    return found


def _largest(space: SearchSpace, kind: str) -> Architecture:
    return space.build({**largest_choices(space), **{gene.name: kind for gene in kinds_to_choose(space)}})


def kinds_to_choose(space: SearchSpace) -> tuple[Gene, ...]:
    """The genes that choose between convolution and attention."""
    return tuple(gene for gene in space.genes if gene.name.endswith(".kind"))


@lru_cache(maxsize=16)
def _smallest(space: SearchSpace) -> Architecture:
    return space.smallest()


def _uniform(space: SearchSpace, rng: np.random.Generator) -> Mapping[str, Value]:
    return {gene.name: _one_of(gene, rng) for gene in space.genes}


def _kinds(space: SearchSpace, phase: Phase, rng: np.random.Generator) -> Mapping[str, Value]:
    genes = kinds_to_choose(space)
    if phase.attention_share is None:
        return {gene.name: _one_of(gene, rng) for gene in genes}
    return {gene.name: "attention" if rng.random() < phase.attention_share else "mbconv" for gene in genes}


def _one_of(gene: Gene, rng: np.random.Generator) -> Value:
    return gene.choices[rng.integers(len(gene.choices))]
