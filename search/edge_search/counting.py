"""How many distinct architectures a search space holds, and which one has a given number.

A block's options depend on the grid that it stands on, since there a kernel or a window may come to the same as a
smaller one; the grid depends on the resolution alone. So the count is, for each resolution, a product over the stages
of sums over their depths, and numbers in mixed radix run through every distinct architecture once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TypeVar

import numpy as np

from edge_search.choices import SpaceChoices, StageChoices
from edge_search.genes import BLOCKS, OPTIONS
from edge_toolkit.architecture import (
    Architecture,
    Block,
    Head,
    Shape,
    Stage,
    Stem,
    canonical_block,
    stem_output,
    strided,
)

T = TypeVar("T")


@dataclass(frozen=True)
class StagePlan:
    """A stage at one resolution: the distinct blocks for its first position and for each one behind it.

    `input` and `output` are the feature maps in front of the stage and behind it; only their grid is meant.
    """

    choices: StageChoices
    input: Shape
    output: Shape
    first: tuple[Block, ...]
    rest: tuple[Block, ...]

    def chains(self, depth: int) -> int:
        """The number of distinct sequences of `depth` blocks."""
        return len(self.first) * int(len(self.rest) ** (depth - 1))

    def size(self) -> int:
        """The number of distinct stages."""
        return len(self.choices.width) * sum(self.chains(depth) for depth in self.choices.depth)

    def nth(self, index: int) -> Stage:
        """The distinct stage of number `index`."""
        index, width = _digit(index, self.choices.width)
        depth = self.choices.depth[0]
        for depth in self.choices.depth:
            if index < self.chains(depth):
                break
            index -= self.chains(depth)
        index, block = _digit(index, self.first)
        blocks = [block]
        for _ in range(depth - 1):
            index, block = _digit(index, self.rest)
            blocks.append(block)
        return Stage(width, self.choices.stride, tuple(blocks))


@dataclass(frozen=True)
class Plan:
    """A space at one resolution."""

    input: Shape
    stem_widths: tuple[int, ...]
    stages: tuple[StagePlan, ...]

    def size(self) -> int:
        """The number of distinct architectures."""
        total = len(self.stem_widths)
        for stage in self.stages:
            total *= stage.size()
        return total


# A space is frozen, so what is derived from it can be kept; only the time changes.
@lru_cache(maxsize=32)
def plans_of(space: SpaceChoices) -> tuple[Plan, ...]:
    """The space at each of its resolutions."""
    return tuple(Plan(shape, space.stem.width, tuple(_stage_plans(space, shape))) for shape in space.inputs)


def _stage_plans(space: SpaceChoices, shape: Shape) -> Iterator[StagePlan]:
    grid = stem_output(Stem(1, space.stem.kernel, space.stem.stride), shape)
    for choices in space.stages:
        behind = (1, strided(grid[1], choices.stride), strided(grid[2], choices.stride))
        first, rest = (_distinct(choices, position, place) for position, place in enumerate((grid, behind)))
        yield StagePlan(choices, grid, behind, first, rest)
        grid = behind


def _distinct(choices: StageChoices, position: int, shape: Shape) -> tuple[Block, ...]:
    blocks = (
        canonical_block(BLOCKS[kind](**dict(zip(OPTIONS[kind], values, strict=True))), shape)
        for kind in choices.kinds_at(position)
        for values in product(*(getattr(choices, option) for option in OPTIONS[kind]))
    )
    return tuple(dict.fromkeys(blocks))


def size(space: SpaceChoices) -> int:
    """See `SearchSpace.size`."""
    return sum(plan.size() for plan in plans_of(space))


def nth(space: SpaceChoices, index: int) -> Architecture:
    """The distinct architecture of number `index`, 0 <= index < size."""
    for plan in plans_of(space):
        if index < plan.size():
            return _nth_of(space, plan, index)
        index -= plan.size()
    raise IndexError(f"index is {index} past the end of the space")


def _nth_of(space: SpaceChoices, plan: Plan, index: int) -> Architecture:
    index, width = _digit(index, plan.stem_widths)
    stages = []
    for stage in plan.stages:
        index, digit = divmod(index, stage.size())
        stages.append(stage.nth(digit))
    stem = Stem(width, space.stem.kernel, space.stem.stride)
    return Architecture(plan.input, stem, tuple(stages), Head(space.classes, space.head.width))


def _digit(index: int, choices: tuple[T, ...]) -> tuple[int, T]:
    index, digit = divmod(index, len(choices))
    return index, choices[digit]


def draw(rng: np.random.Generator, bound: int) -> int:
    """A whole number in [0, bound), each as likely, however large `bound` is (numpy's own stop at 2^63)."""
    bits = max(bound - 1, 1).bit_length()
    surplus = -bits % 8
    while True:
        number = int.from_bytes(rng.bytes((bits + surplus) // 8), "little") >> surplus
        if number < bound:
            return number
