"""The networks that benchmarks of the supernet judge by, and their accuracy when each is trained alone."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_search.batches import tensors_of
from edge_search.evaluation import accuracy
from edge_search.recipe import Recipe
from edge_search.space import SearchSpace
from edge_search.supernet.parallel import training_device
from edge_search.training import fit, untrained
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import Dataset, load_test
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import digest

GROUPS = ("convolutions", "attention", "mixed")
"""Behind the blocks that open a stage: convolutions alone, two or more attention blocks alone, both."""


def group_of(architecture: Architecture) -> str | None:
    """The group of a network; None for one with a single attention block and no convolution beside it."""
    kinds = [placed.block.kind for placed in architecture.blocks if placed.position > 0 and placed.stage > 0]
    attention = kinds.count("attention")
    if not attention:
        return "convolutions"
    if attention < len(kinds):
        return "mixed"
    return "attention" if attention > 1 else None


def fixed_networks(space: SearchSpace, count: int) -> tuple[Architecture, ...]:
    """`count` distinct networks, each group in turn, drawn gene by gene: small ones are as likely as large."""
    rng = np.random.default_rng(0)
    found: dict[Architecture, None] = {}
    while len(found) < count:
        wanted = GROUPS[len(found) % len(GROUPS)]
        values = {gene.name: gene.choices[rng.integers(len(gene.choices))] for gene in space.genes}
        if wanted != "mixed":
            kind = "mbconv" if wanted == "convolutions" else "attention"
            values |= {gene.name: kind for gene in space.genes if gene.name.endswith(".kind")}
        architecture = space.build(values)
        if group_of(architecture) == wanted:
            found[architecture] = None
    return tuple(found)


def spread_networks(space: SearchSpace, count: int) -> tuple[Architecture, ...]:
    """`count` networks whose MACs are spread evenly, by their logarithm, from the smallest of a space to its largest.

    Networks drawn gene by gene are much alike in size, and a search is about networks that aren't.
    """
    rng = np.random.default_rng(1)
    ends = space.smallest(), space.largest()
    drawn = {space.decode([int(rng.integers(len(gene.choices))) for gene in space.genes]) for _ in range(5000)}
    # Small networks are rare among draws: with every second gene at its first choice they are not.
    for _ in range(5000):
        values = [int(rng.integers(len(gene.choices))) if rng.random() < 0.5 else 0 for gene in space.genes]
        drawn.add(space.decode(values))
    known = sorted(drawn, key=digest)
    macs = np.log([layers_of(network).macs.sum() for network in known])
    low, high = (np.log(layers_of(network).macs.sum()) for network in ends)
    found = dict.fromkeys([ends[0]])
    for target in np.linspace(low, high, count)[1:-1]:
        order = np.argsort(abs(macs - target), kind="stable")
        found[next(known[index] for index in order if known[index] not in found)] = None
    return (*found, ends[1])


KEY = ("data", "network", "epochs", "seed")
"""What tells one training alone from another."""


class Accuracies(NamedTuple):
    """Shares of right answers, (seeds, networks) each."""

    validation: NDArray[np.float64]
    test: NDArray[np.float64]


def accuracies_alone(
    dataset: Dataset, networks: tuple[Architecture, ...], epochs: int, seeds: int, kept: Path
) -> Accuracies:
    """What each network reaches that is trained alone.

    Args:
        dataset: trained and judged on.
        networks: each is trained from scratch.
        epochs: of each training.
        seeds: trainings of each network.
        kept: JSON lines of what was trained already; a later call goes on from there.
    """
    lines = kept.read_text().splitlines() if kept.is_file() else []
    known = {tuple(entry[name] for name in KEY): entry for entry in map(json.loads, lines)}
    splits = dataset.train, dataset.validation, load_test(dataset.name)
    device = training_device()
    train, validation, test = (tensors_of(split, dataset.normalisation, device) for split in splits)
    found = np.empty((2, seeds, len(networks)))
    for seed in range(seeds):
        for index, architecture in enumerate(networks):
            key = dataset.fingerprint, digest(architecture), epochs, seed
            if key not in known:
                model = untrained(architecture, seed).to(device)
                fit(model, architecture.input, train, validation, Recipe(epochs), seed, lambda remark="": None)
                reached = {
                    "accuracy": accuracy(model, validation, architecture.input),
                    "test": accuracy(model, test, architecture.input),
                }
                known[key] = dict(zip(KEY, key, strict=True)) | reached
                with kept.open("a") as file:
                    file.write(json.dumps(known[key]) + "\n")
            found[:, seed, index] = known[key]["accuracy"], known[key]["test"]
    return Accuracies(*found)
