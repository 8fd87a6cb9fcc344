"""Does the supernet rank networks as training alone would? Kendall's tau between the two accuracies.

python benchmarks/inherited_ranking.py
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from machine import machine_line
from scipy.stats import bootstrap, kendalltau

from edge_search.batches import tensors_of
from edge_search.evaluation import accuracy
from edge_search.recipe import Recipe
from edge_search.request import Request
from edge_search.search import inherited_accuracy, trained_supernet
from edge_search.space import load_space
from edge_search.training import fit
from edge_toolkit.budget import Budget
from edge_toolkit.data import load_dataset
from edge_toolkit.device import load_device
from edge_toolkit.nn import build
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import digest


def main() -> None:
    """Take the figure and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="watch")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--architectures", type=int, default=12)
    parser.add_argument("--supernet-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=20)
    asked = parser.parse_args()
    dataset = load_dataset(asked.data)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    device, recipe = load_device("xr-npu"), Recipe(asked.supernet_epochs)
    request = Request(
        asked.data, dataset.fingerprint, asked.space, space, device, Budget(), recipe, "random", 0, None, 1, 1
    )
    with TemporaryDirectory() as folder:
        judge = inherited_accuracy(trained_supernet(request, dataset, RunFolder(Path(folder))), dataset, seed=0)
    train, validation = (tensors_of(split, dataset.normalisation) for split in (dataset.train, dataset.validation))
    rng = np.random.default_rng(0)
    pairs = []
    # Gene by gene, so that small networks are as likely as large ones; `space.sample` draws mostly the deepest.
    for _ in range(asked.architectures):
        architecture = space.decode([int(rng.integers(len(gene.choices))) for gene in space.genes])
        alone = build(architecture, seed=0)
        fit(alone, architecture.input, train, validation, Recipe(asked.epochs), 0, lambda note="": None)
        pairs.append((judge(architecture), accuracy(alone, validation, architecture.input)))
        print(f"{digest(architecture)}: inherited {pairs[-1][0]:.2%}, alone {pairs[-1][1]:.2%}", flush=True)
    inherited, trained = np.array(pairs).T
    tau = kendalltau(inherited, trained)
    interval = bootstrap(
        (inherited, trained), lambda a, b: kendalltau(a, b).statistic, paired=True, vectorized=False, rng=0
    ).confidence_interval
    print(f"\n{asked.architectures} architectures of {asked.space} on {asked.data}; {machine_line()}")
    print(f"Kendall's tau {tau.statistic:.2f} (95 % {interval.low:.2f} to {interval.high:.2f}), p = {tau.pvalue:.3f}")
    print(f"inherited {inherited.min():.1%} to {inherited.max():.1%}, alone {trained.min():.1%} to {trained.max():.1%}")
    print(f"regret of the network that the supernet ranks first: {trained.max() - trained[inherited.argmax()]:.2%}")


if __name__ == "__main__":
    main()
