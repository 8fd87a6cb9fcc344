"""The smallest and the largest network of a search space, by multiply-accumulates.

Every block adds MACs, and more channels never save any, so the widths and the depths of the extremes are plain. Which
block has most is not (a window may pad, an attention may outgrow an MBConv or not), so each place tries all of its
options; nor is the resolution (a window may cut a larger grid finer), so each of them is tried as well.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from edge_search.choices import SpaceChoices
from edge_search.counting import Plan, StagePlan, plans_of
from edge_toolkit.architecture import Architecture, Block, Head, Shape, Stage, Stem
from edge_toolkit.layers import layers_of

T = TypeVar("T")

Cost = tuple[int, int]
"""MACs, and parameters among equals."""


class Pick(Protocol):
    """`min` or `max`."""

    def __call__(self, choices: Iterable[T], /, *, key: Callable[[T], Any]) -> T: ...


@lru_cache(maxsize=32)
def smallest(space: SpaceChoices) -> Architecture:
    """See `SearchSpace.smallest`."""
    return min((_extreme(space, plan, min) for plan in plans_of(space)), key=_cost)


@lru_cache(maxsize=32)
def largest(space: SpaceChoices) -> Architecture:
    """See `SearchSpace.largest`."""
    return max((_extreme(space, plan, max) for plan in plans_of(space)), key=_cost)


def _extreme(space: SpaceChoices, plan: Plan, pick: Pick) -> Architecture:
    channels = pick(plan.stem_widths, key=int)
    stem = Stem(channels, space.stem.kernel, space.stem.stride)
    stages = []
    for stage in plan.stages:
        stages.append(_extreme_stage(stage, channels, pick))
        channels = stages[-1].width
    return Architecture(plan.input, stem, tuple(stages), Head(space.classes, space.head.width))


def _extreme_stage(plan: StagePlan, channels: int, pick: Pick) -> Stage:
    width, stride = pick(plan.choices.width, key=int), plan.choices.stride

    def first_cost(block: Block) -> Cost:
        return _block_cost(block, (channels, *plan.input[1:]), width, stride)

    def rest_cost(block: Block) -> Cost:
        return _block_cost(block, (width, *plan.output[1:]), width, 1)

    behind = pick(plan.choices.depth, key=int) - 1
    blocks = (pick(plan.first, key=first_cost), *[pick(plan.rest, key=rest_cost)] * behind)
    return Stage(width, stride, blocks)


def _block_cost(block: Block, shape: Shape, width: int, stride: int) -> Cost:
    # The stem and the head of this probe cost the same for every block that stands at the place.
    probe = Architecture(
        (1, *shape[1:]), Stem(shape[0], kernel=1, stride=1), (Stage(width, stride, (block,)),), Head(2)
    )
    return _cost(probe)


def _cost(architecture: Architecture) -> Cost:
    layers = layers_of(architecture)
    return int(layers.macs.sum()), int(layers.parameters.sum())
