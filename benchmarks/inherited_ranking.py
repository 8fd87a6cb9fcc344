"""Does the supernet rank networks as training alone would? Kendall's tau between the two accuracies.

Beside it, how far training alone agrees with itself: tau between one seed and another. A supernet ranks as well as one
training alone does if its tau with each seed is like those.

    python benchmarks/inherited_ranking.py
"""

import argparse
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from judge import inherited_judge
from machine import machine_line
from numpy.typing import NDArray
from scipy.stats import bootstrap, kendalltau
from subset import subset

from edge_search.batches import tensors_of
from edge_search.evaluation import accuracy
from edge_search.recipe import Recipe
from edge_search.space import SearchSpace, load_space
from edge_search.training import fit
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import Dataset, load_dataset
from edge_toolkit.nn import build
from edge_toolkit.specs import digest

Floats = NDArray[np.float64]


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="watch")
    parser.add_argument("--samples", type=int, help="train on that many samples only")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--architectures", type=int, default=12)
    parser.add_argument("--supernet-epochs", type=int, nargs="+", default=[12, 48], help="one supernet for each number")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each network alone")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        dataset = load_dataset(subset(asked.data, asked.samples, Path(folder)) if asked.samples else asked.data)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    rng = np.random.default_rng(0)
    # Gene by gene, so that small networks are as likely as large ones; `space.sample` draws mostly the deepest.
    drawn = [
        space.decode([int(rng.integers(len(gene.choices))) for gene in space.genes]) for _ in range(asked.architectures)
    ]
    alone = accuracies_alone(dataset, drawn, asked.epochs, asked.seeds)
    print(f"\n{len(drawn)} architectures of {asked.space} on {asked.data}; {machine_line()}")
    print(f"alone, mean of {asked.seeds} seeds: {alone.mean(0).min():.1%} to {alone.mean(0).max():.1%}")
    if asked.seeds > 1:
        print(f"alone, standard deviation between seeds: {np.sqrt(alone.var(0, ddof=1).mean()):.2%}")
        taus = [kendalltau(one, other).statistic for one, other in combinations(alone, 2)]
        print(f"alone, Kendall's tau between two seeds: {', '.join(f'{tau:.2f}' for tau in taus)}")
    for epochs in asked.supernet_epochs:
        report(epochs, inherited_accuracies(dataset, space, epochs, drawn), alone)


def accuracies_alone(dataset: Dataset, drawn: list[Architecture], epochs: int, seeds: int) -> Floats:
    """Validation accuracy of each network trained alone: (seeds, networks)."""
    train, validation = (tensors_of(split, dataset.normalisation) for split in (dataset.train, dataset.validation))
    found = np.empty((seeds, len(drawn)))
    for index, architecture in enumerate(drawn):
        for seed in range(seeds):
            model = build(architecture, seed)
            fit(model, architecture.input, train, validation, Recipe(epochs), seed, lambda remark="": None)
            found[seed, index] = accuracy(model, validation, architecture.input)
        each = ", ".join(f"{value:.2%}" for value in found[:, index])
        print(f"{digest(architecture)}: alone {each}", flush=True)
    return found


def inherited_accuracies(dataset: Dataset, space: SearchSpace, epochs: int, drawn: list[Architecture]) -> Floats:
    """Validation accuracy of each network with a supernet's weights: (networks,)."""
    judge = inherited_judge(space, dataset, epochs)
    return np.array([judge(architecture) for architecture in drawn])


def report(epochs: int, inherited: Floats, alone: Floats) -> None:
    """Print what one supernet's ranking is worth; `alone` is (seeds, networks)."""
    mean = alone.mean(0)
    tau = kendalltau(inherited, mean)
    interval = bootstrap(
        (inherited, mean), lambda a, b: kendalltau(a, b).statistic, paired=True, vectorized=False, rng=0
    ).confidence_interval
    each = ", ".join(f"{kendalltau(inherited, one).statistic:.2f}" for one in alone)
    print(f"supernet of {epochs} epochs: inherited {inherited.min():.1%} to {inherited.max():.1%}")
    print(f"  Kendall's tau with each seed alone: {each}")
    print(
        f"  with their mean {tau.statistic:.2f} (95 % {interval.low:.2f} to {interval.high:.2f}), p = {tau.pvalue:.3f}"
    )
    print(f"  regret of the network that it ranks first: {mean.max() - mean[inherited.argmax()]:.2%}", flush=True)


if __name__ == "__main__":
    main()
