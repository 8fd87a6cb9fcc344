"""A search space as a vector: named genes, and the way between a vector and an architecture."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from edge_search.choices import SpaceChoices, StageChoices
from edge_toolkit.architecture import Architecture, Attention, Block, Head, MBConv, Placed, Stage, Stem, canonical_block
from edge_toolkit.errors import InputError

Value = int | str

BLOCKS: Mapping[Value, Callable[..., Block]] = {"mbconv": MBConv, "attention": Attention}
OPTIONS: Mapping[Value, tuple[str, ...]] = {
    "mbconv": ("kernel", "expand"),
    "attention": ("head_dim", "mlp_ratio", "window"),
}
"""What there is to choose for each kind of block: names of its fields, and of the fields of `StageChoices`."""


@dataclass(frozen=True)
class Gene:
    """One thing to choose, such as `stages.0.blocks.1.kernel`, and its choices."""

    name: str
    choices: tuple[Value, ...]


# A space is frozen, so what is derived from it can be kept; only the time changes.
@lru_cache(maxsize=32)
def genes_of(space: SpaceChoices) -> tuple[Gene, ...]:
    """The genes with more than one choice, from the input to the output."""
    return tuple(gene for gene in _parts(space) if len(gene.choices) > 1)


@lru_cache(maxsize=32)
def _first_choices(space: SpaceChoices) -> dict[str, Value]:
    return {gene.name: gene.choices[0] for gene in _parts(space)}


def _parts(space: SpaceChoices) -> Iterator[Gene]:
    if space.resolution is not None:
        yield Gene("resolution", space.resolution)
    yield Gene("stem.width", space.stem.width)
    for index, stage in enumerate(space.stages):
        yield Gene(f"stages.{index}.width", stage.width)
        yield Gene(f"stages.{index}.depth", stage.depth)
        for position in range(max(stage.depth)):
            yield from _block_parts(f"stages.{index}.blocks.{position}", stage, position)


def _block_parts(place: str, stage: StageChoices, position: int) -> Iterator[Gene]:
    kinds = stage.kinds_at(position)
    yield Gene(f"{place}.kind", kinds)
    for kind in kinds:
        for option in OPTIONS[kind]:
            yield Gene(f"{place}.{option}", getattr(stage, option))


def decode(space: SpaceChoices, vector: Sequence[int]) -> Architecture:
    """See `SearchSpace.decode`."""
    genes = genes_of(space)
    if len(vector) != len(genes):
        raise InputError(
            f"vector has {len(vector)} entries, but the space has {len(genes)} genes; give one index a gene"
        )
    problems = [
        f"{gene.name}: index {index} is out of range; use 0 to {len(gene.choices) - 1}"
        for gene, index in zip(genes, vector, strict=True)
        if not 0 <= index < len(gene.choices)
    ]
    if problems:
        raise InputError.listing("vector", problems)
    return _assemble(space, {gene.name: gene.choices[index] for gene, index in zip(genes, vector, strict=True)})


def build(space: SpaceChoices, values: Mapping[str, Value]) -> Architecture:
    """See `SearchSpace.build`."""
    choices = {gene.name: gene.choices for gene in genes_of(space)}
    problems = [f"{name} is no gene of the space" for name in values if name not in choices]
    problems += [
        f"{name}={value!r} is not in the space; use one of {_listing(choices[name])}"
        for name, value in values.items()
        if name in choices and value not in choices[name]
    ]
    if problems:
        raise InputError.listing("choices", problems)
    return _assemble(space, values)


def _assemble(space: SpaceChoices, chosen: Mapping[str, Value]) -> Architecture:
    values = {**_first_choices(space), **chosen}

    def number(name: str) -> int:
        return int(values[name])

    def block(place: str) -> Block:
        kind = values[f"{place}.kind"]
        return BLOCKS[kind](**{option: number(f"{place}.{option}") for option in OPTIONS[kind]})

    stages = tuple(
        Stage(
            number(f"stages.{index}.width"),
            stage.stride,
            tuple(block(f"stages.{index}.blocks.{position}") for position in range(number(f"stages.{index}.depth"))),
        )
        for index, stage in enumerate(space.stages)
    )
    shape = space.input if space.resolution is None else (space.input[0], number("resolution"), number("resolution"))
    stem = Stem(number("stem.width"), space.stem.kernel, space.stem.stride)
    return Architecture(shape, stem, stages, Head(space.classes, space.head.width))


def encode(space: SpaceChoices, architecture: Architecture) -> tuple[int, ...]:
    """See `SearchSpace.encode`."""
    values = values_of(space, architecture)
    return tuple(gene.choices.index(values[gene.name]) if gene.name in values else 0 for gene in genes_of(space))


def values_of(space: SpaceChoices, architecture: Architecture) -> dict[str, Value]:
    """See `SearchSpace.values`."""
    readings = list(_readings(space, architecture))
    problems = [
        f"{place}={value!r} is not in the space; use one of {_listing(choices)}"
        for place, value, choices in readings
        if value not in choices
    ]
    if problems:
        raise InputError.listing("architecture", problems)
    names = {gene.name for gene in genes_of(space)}
    return {place: choices[value] for place, value, choices in readings if place in names}


def contains(space: SpaceChoices, architecture: Architecture) -> bool:
    """See `SearchSpace.contains`."""
    return all(value in choices for _, value, choices in _readings(space, architecture))


class _Reading(NamedTuple):
    """What an architecture has at a place, and what it may have: each canonical value with the choice behind it."""

    place: str
    value: object
    choices: Mapping[object, Value]


def _readings(space: SpaceChoices, architecture: Architecture) -> Iterator[_Reading]:
    if architecture.input not in space.inputs:
        # What a choice comes to depends on the input, so nothing behind it can be judged.
        yield _Reading("input", architecture.input, dict.fromkeys(space.inputs, 0))
        return
    if space.resolution is not None:
        yield _reading("resolution", architecture.input[1], space.resolution)
    # What is fixed is reduced by the grid as well; this architecture carries it in its canonical form.
    fixed = _assemble(space, {} if space.resolution is None else {"resolution": architecture.input[1]})
    yield _reading("stem.width", architecture.stem.width, space.stem.width)
    yield _reading("stem.kernel", architecture.stem.kernel, (fixed.stem.kernel,))
    yield _reading("stem.stride", architecture.stem.stride, (fixed.stem.stride,))
    yield _reading("head.classes", architecture.head.classes, (fixed.head.classes,))
    yield _reading("head.width", architecture.head.width, (fixed.head.width,))
    yield _reading("stages (their number)", len(architecture.stages), (len(fixed.stages),))
    for index, (stage, choices) in enumerate(zip(architecture.stages, space.stages, strict=False)):
        yield _reading(f"stages.{index}.width", stage.width, choices.width)
        yield _reading(f"stages.{index}.stride", stage.stride, (fixed.stages[index].stride,))
        yield _reading(f"stages.{index}.depth", len(stage.blocks), choices.depth)
    for placed in architecture.blocks:
        if placed.stage < len(space.stages):
            yield from _block_readings(placed, space.stages[placed.stage])


def _block_readings(placed: Placed, stage: StageChoices) -> Iterator[_Reading]:
    block, kinds = placed.block, stage.kinds_at(placed.position)
    yield _reading(f"{placed.name}.kind", block.kind, kinds)
    if block.kind not in kinds:
        return
    for option in OPTIONS[block.kind]:
        choices = getattr(stage, option)
        placeable = [canonical_block(replace(block, **{option: choice}), placed.input) for choice in choices]
        reduced = [getattr(candidate, option) for candidate in placeable]
        yield _reading(f"{placed.name}.{option}", getattr(block, option), choices, reduced)


def _reading(place: str, value: Value, choices: Sequence[Value], reduced: Sequence[Value] | None = None) -> _Reading:
    """`reduced`: what each choice comes to at its place, where that is not the choice itself."""
    first: dict[object, Value] = {}
    for choice, canonical in zip(choices, reduced or choices, strict=True):
        first.setdefault(canonical, choice)
    return _Reading(place, value, first)


def _listing(choices: Iterable[object]) -> str:
    return ", ".join(str(list(choice) if isinstance(choice, tuple) else choice) for choice in choices)
