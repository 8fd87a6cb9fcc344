"""A candidate as a chain of segments: the stem, each block where it stands, the head.

What a segment computes depends on few genes (a block's on its options, the widths around it and the resolution), so a
space of 10^10 networks is made of a few hundred segments. They are numbered here, each with its rows, and an encoding
is looked up as the numbers of its segments. The rows are those of real networks of the space, so that whatever a
network comes to in its canonical form, or does not use, is decided in one place, `Architecture`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from edge_search.genes import OPTIONS
from edge_search.space import SearchSpace
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError
from edge_toolkit.layers import LayerTable, layers_of

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Segments:
    """The distinct segments of a space, and which of them an encoding is made of.

    Attributes:
        numbers: the segment of a key, which is what decides its rows (`_keys`).
        tables: the rows of each segment.
        strides: (genes, places) what a gene's index counts in the code of a place.
        lookup: the segment of each code, all places in one; where a stage is not that deep, `len(tables)`.
        offsets: (places,) where each place's codes begin in `lookup`.
    """

    numbers: Mapping[Hashable, int]
    tables: tuple[LayerTable, ...]
    strides: Integers
    lookup: Integers
    offsets: Integers

    def chains(self, encodings: Integers) -> Integers:
        """The segments of each candidate, (n, places), from encodings (n, genes)."""
        chains: Integers = self.lookup[encodings @ self.strides + self.offsets]
        return chains

    def chain(self, architecture: Architecture) -> Integers:
        """The segments of one architecture of the space, in as many places as it has."""
        return np.array([self.numbers[key] for _, key in _keys(architecture)])


@dataclass(frozen=True)
class _Place:
    """A place in the chain: the block it is called in a layer table, and the genes that decide what stands there.

    `options` are the genes of each kind of block that may stand there, one tuple where there are no kinds.
    """

    block: str
    context: tuple[str, ...]
    options: Sequence[tuple[str, ...]] = ((),)
    kind: str = ""
    depth: str = ""
    position: int = 0


# A space is frozen, so what is derived from it can be kept; only the time changes.
@lru_cache(maxsize=8)
def segments_of(space: SearchSpace) -> Segments:
    """The segments of a space."""
    columns = {gene.name: column for column, gene in enumerate(space.genes)}
    choices = {gene.name: gene.choices for gene in space.genes}
    numbers: dict[Hashable, int] = {}
    tables: list[LayerTable] = []
    lookups, strides = [], np.zeros((len(columns), 0), dtype=np.int64)
    for place in _places(space):
        names = [name for name in _names(place) if name in choices]
        lookup = np.full([len(choices[name]) for name in names], -1)
        for at, network in _networks(space, place, names):
            key = dict(_keys(network))[place.block]
            if key not in numbers:
                numbers[key] = len(numbers)
                tables.append(_rows(network, place.block))
            lookup[at] = numbers[key]
        column = np.zeros(len(columns), dtype=np.int64)
        column[[columns[name] for name in names]] = [size // lookup.itemsize for size in lookup.strides]
        strides = np.column_stack([strides, column])
        lookups.append(lookup.ravel())
    whole = np.concatenate(lookups)
    return Segments(
        numbers=numbers,
        tables=tuple(tables),
        strides=strides,
        lookup=np.where(whole < 0, len(tables), whole),
        offsets=np.cumsum([0, *map(len, lookups[:-1])]),
    )


def checked_encodings(space: SearchSpace, encodings: object) -> Integers:
    """Encodings as an array of whole numbers, (n, genes).

    Raises:
        InputError: they have another shape, hold something else, or an index is out of range; each gene that is out
            of range is told, with the first candidate where it is.
    """
    array, genes = np.asarray(encodings), space.genes
    if array.ndim != 2 or array.shape[1] != len(genes):
        raise InputError(f"encodings: shape {array.shape} must be (n, {len(genes)}), one index a gene of the space")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"encodings: {array.dtype} values must be whole numbers, each the index of a choice")
    sizes = np.array([len(gene.choices) for gene in genes], dtype=np.int64)
    outside = (array < 0) | (array >= sizes)
    if outside.any():
        raise InputError.listing("encodings", list(_outside(space, array, outside)))
    return array.astype(np.int64, copy=False)


def _outside(space: SearchSpace, array: Integers, outside: NDArray[np.bool_]) -> Iterator[str]:
    for column in np.flatnonzero(outside.any(axis=0)):
        row, gene = int(np.argmax(outside[:, column])), space.genes[column]
        yield (
            f"{gene.name}: index {array[row, column]} of candidate {row} is out of range; "
            f"use 0 to {len(gene.choices) - 1}"
        )


def _places(space: SearchSpace) -> Iterator[_Place]:
    yield _Place("stem", ("resolution", "stem.width"))
    before = "stem.width"
    for index, stage in enumerate(space.stages):
        width = f"stages.{index}.width"
        for position in range(max(stage.depth)):
            name = f"stages.{index}.blocks.{position}"
            yield _Place(
                name,
                ("resolution", width, *(() if position else (before,))),
                [tuple(f"{name}.{option}" for option in OPTIONS[kind]) for kind in stage.kinds_at(position)],
                f"{name}.kind",
                f"stages.{index}.depth",
                position,
            )
        before = width
    yield _Place("head", ("resolution", before))


def _names(place: _Place) -> tuple[str, ...]:
    return (*place.context, place.depth, place.kind, *(name for kind in place.options for name in kind))


def _networks(
    space: SearchSpace, place: _Place, names: Sequence[str]
) -> Iterator[tuple[tuple[int | slice, ...], Architecture]]:
    """A network for everything that can stand at a place, and where it belongs in the place's lookup."""
    choices = {gene.name: gene.choices for gene in space.genes}
    depths = choices.get(place.depth, ())
    deep_enough = slice(sum(int(depth) <= place.position for depth in depths), None)
    for kind, options in enumerate(place.options):
        free = [name for name in (*place.context, *options) if name in choices]
        fixed = {place.kind: kind, place.depth: len(depths) - 1}
        for indices in product(*(range(len(choices[name])) for name in free)):
            picked = {**fixed, **dict(zip(free, indices, strict=True))}
            network = space.build({name: choices[name][index] for name, index in picked.items() if name in choices})
            spread: dict[str, int | slice] = {**picked, place.depth: deep_enough}
            yield tuple(spread.get(name, slice(None)) for name in names), network


def _keys(network: Architecture) -> Iterator[tuple[str, Hashable]]:
    """The segments of a network: each one's name in a layer table, and what decides its rows apart from that name."""
    yield "stem", (network.stem, network.input)
    for placed in network.blocks:
        yield placed.name, (placed.block, placed.input, placed.output, placed.stride)
    yield "head", (network.head, network.features)


def _rows(network: Architecture, block: str) -> LayerTable:
    layers = layers_of(network)
    here = layers.block == block
    return LayerTable(**{field.name: getattr(layers, field.name)[here] for field in fields(LayerTable)})
