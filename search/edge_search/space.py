"""`SearchSpace`: choices for each part of an `Architecture`, from a YAML file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from edge_search import counting, extremes, genes, variation
from edge_search.choices import SpaceChoices
from edge_search.genes import Gene, Value
from edge_toolkit.architecture import Architecture, Shape
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_yaml

FOLDER = Path(__file__).parent / "spaces"


class SearchSpace(SpaceChoices):
    """A space: its choices, as its file lists them, and what can be done with them.

    Two vectors of choices can describe one network (a window that covers the grid is no window). Everything that
    counts, samples or compares here does so over distinct architectures, in their canonical form.
    """

    @property
    def genes(self) -> tuple[Gene, ...]:
        """What there is to choose, in the order of a vector; a part with one choice is no gene."""
        return genes.genes_of(self)

    def for_data(self, input_shape: Shape, classes: int) -> "SearchSpace":
        """This space for some data.

        Args:
            input_shape: (channels, height, width) of the data; where the space has resolutions, images are resized to
                them, and those beyond the data's own size are left out, since they cost and add nothing.
            classes: number of labels.

        Raises:
            InputError: the data are no images and the space has resolutions, or the shape is none.
        """
        channels, height, width = input_shape
        if self.resolution is not None and 1 in (height, width):
            raise InputError(
                f"data of shape {list(input_shape)} is a sequence, and the space resizes images to "
                f"{list(self.resolution)}; use a space without `resolution`, such as imu-s"
            )
        if self.resolution is None:
            return self._with(input=input_shape, classes=classes)
        kept = tuple(side for side in self.resolution if side <= max(height, width)) or self.resolution[:1]
        return self._with(input=(channels, kept[-1], kept[-1]), classes=classes, resolution=kept)

    def _with(self, **changes: object) -> "SearchSpace":
        return checked(_SPACE, {**dict(self), **changes}, "space for the data")

    def decode(self, vector: Sequence[int]) -> Architecture:
        """The architecture of a vector: for each of `genes`, the index of a choice. Genes out of use are ignored.

        Raises:
            InputError: the vector has another length, or an index is out of range.
        """
        return genes.decode(self, vector)

    def build(self, values: Mapping[str, Value]) -> Architecture:
        """The architecture of named choices, `{gene.name: choice}`; a gene left out takes its first choice.

        Raises:
            InputError: a name is no gene, or a value none of its choices.
        """
        return genes.build(self, values)

    def values(self, architecture: Architecture) -> dict[str, Value]:
        """The named choices that give an architecture: those of its genes in use, as `build` takes them.

        Raises:
            InputError: the architecture is not in the space; every place that differs is told.
        """
        return genes.values_of(self, architecture)

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """The canonical vector of an architecture: the first choice that yields each part, 0 for genes out of use.

        Raises:
            InputError: the architecture is not in the space; every place that differs is told.
        """
        return genes.encode(self, architecture)

    def contains(self, architecture: Architecture) -> bool:
        """Whether the space holds an architecture."""
        return genes.contains(self, architecture)

    def size(self) -> int:
        """The exact number of distinct architectures."""
        return counting.size(self)

    def enumerate(self) -> Iterator[Architecture]:
        """Every distinct architecture, once each. For small spaces."""
        return (counting.nth(self, index) for index in range(self.size()))

    def sample(self, rng: np.random.Generator) -> Architecture:
        """One architecture, each distinct one as likely as any other."""
        return counting.nth(self, counting.draw(rng, self.size()))

    def mutate(self, architecture: Architecture, rng: np.random.Generator, rate: float) -> Architecture:
        """A neighbour in the space: each gene is redrawn with probability `rate`, and something differs in the end.

        Returns:
            Another architecture; the same one only where the space holds no other.

        Raises:
            InputError: the architecture is not in the space, or the rate is no probability.
        """
        return variation.mutate(self, architecture, rng, rate)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """A child in the space: each gene from either parent, with even chance where both use it.

        Raises:
            InputError: a parent is not in the space.
        """
        return variation.crossover(self, a, b, rng)

    def smallest(self) -> Architecture:
        """The architecture with the fewest MACs; among equals, the fewest parameters."""
        return extremes.smallest(self)

    def largest(self) -> Architecture:
        """The architecture with the most MACs; among equals, the most parameters."""
        return extremes.largest(self)


_SPACE: TypeAdapter[SearchSpace] = TypeAdapter(SearchSpace)


def presets() -> tuple[str, ...]:
    """Names of the spaces that ship."""
    return tuple(sorted(entry.stem for entry in FOLDER.glob("*.yaml")))


def load_space(name_or_path: str) -> SearchSpace:
    """A space that ships, by its name, or the one in a YAML file.

    Raises:
        InputError: there is neither, or the file breaks a rule; every broken rule is told with its place.
    """
    if name_or_path in presets():
        return read_yaml(FOLDER / f"{name_or_path}.yaml", _SPACE, name_or_path)
    if not Path(name_or_path).exists():
        known = ", ".join(presets())
        raise InputError(
            f"space {name_or_path!r} is no built-in space and no file; use {known} or the path of a YAML file"
        )
    return read_yaml(Path(name_or_path), _SPACE, name_or_path)
