"""Neighbours and children of architectures, for evolutionary search."""

import numpy as np

from edge_search.choices import SpaceChoices
from edge_search.counting import size
from edge_search.genes import Gene, build, decode, encode, genes_of, values_of
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError


def mutate(space: SpaceChoices, architecture: Architecture, rng: np.random.Generator, rate: float) -> Architecture:
    """See `SearchSpace.mutate`."""
    if not 0 <= rate <= 1:
        raise InputError(f"rate={rate} must be from 0 to 1, since it is the chance that a gene is redrawn")
    genes, used, vector = genes_of(space), values_of(space, architecture), list(encode(space, architecture))
    if size(space) == 1:
        return architecture
    for index, gene in enumerate(genes):
        if gene.name not in used:
            # It comes into use when a depth or a kind changes, and must not then always bring the first choice.
            vector[index] = int(rng.integers(len(gene.choices)))
        elif rng.random() < rate:
            vector[index] = _another(gene, vector[index], rng)
    child = decode(space, vector)
    while child == architecture:
        index = int(rng.integers(len(genes)))
        vector[index] = _another(genes[index], vector[index], rng)
        child = decode(space, vector)
    return child


def _another(gene: Gene, index: int, rng: np.random.Generator) -> int:
    return (index + 1 + int(rng.integers(len(gene.choices) - 1))) % len(gene.choices)


def crossover(space: SpaceChoices, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
    """See `SearchSpace.crossover`."""
    parents = (values_of(space, a), values_of(space, b))
    child = {}
    for gene in genes_of(space):
        using = [values[gene.name] for values in parents if gene.name in values]
        if using:  # in use in neither parent: the child gets its depths and kinds from them, so in neither child
            child[gene.name] = using[int(rng.integers(len(using)))]
    return build(space, child)
