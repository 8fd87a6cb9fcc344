"""Which recipe gives the best subnets, and the truest ranking? Recipes at equal steps and at equal time.

Each recipe trains supernets of several seeds: for as many epochs as asked for, and for as many as take the time that
the first recipe takes for these (by the times of steps, taken in turn). 64 fixed networks, conv-only, attention-heavy
and mixed, are judged with inherited weights on the validation split. Rankings are held against training alone on two
sets: the first of these networks, and as many whose MACs are spread evenly over the space.

    python benchmarks/supernet.py --folder DIR                                                   # watch, imu-s
    python benchmarks/supernet.py --folder DIR --data idx:FASHION --samples 10000 --space image-s --epochs 12

Everything that was trained is kept in DIR, so that a second call only reports.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from machine import machine_line
from numpy.typing import NDArray
from scipy.stats import kendalltau
from subset import subset
from supernet_networks import GROUPS, accuracies_alone, fixed_networks, group_of, spread_networks

from edge_search.batches import tensors_of, training_batches
from edge_search.search import inherited, trained_supernet
from edge_search.space import SearchSpace, load_space
from edge_search.supernet import Supernet
from edge_search.supernet.checkpoint import Origin
from edge_search.supernet.log import log_of, read_log
from edge_search.supernet.recipe import SupernetRecipe, load_recipe
from edge_search.supernet.training import Training
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import Dataset, load_dataset
from edge_toolkit.runs import RunFolder

Floats = NDArray[np.float64]
Networks = tuple[Architecture, ...]

TIMED = 24
"""Steps that each recipe's time is taken over, evenly spread over its phases."""


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where everything trained is kept")
    parser.add_argument("--data", default="watch")
    parser.add_argument("--samples", type=int, help="train on that many samples only")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--recipes", nargs="+", default=["single-phase", "labels", "two-phase", "projected"])
    parser.add_argument("--epochs", type=int, default=48)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--networks", type=int, default=64)
    parser.add_argument("--alone", type=int, default=24, help="networks that are trained alone, too")
    parser.add_argument("--alone-seeds", type=int, default=2)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    dataset = load_dataset(subset(asked.data, asked.samples, asked.folder) if asked.samples else asked.data)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    drawn, spread = fixed_networks(space, asked.networks), spread_networks(space, asked.alone)
    ranked = {"drawn": drawn[: asked.alone], "spread": spread}
    recipes = {name: load_recipe(name, asked.epochs) for name in asked.recipes}
    print(f"{asked.space} on {asked.data}, {asked.epochs} epochs, {asked.seeds} seeds; {machine_line()}")
    paces = kept_paces(recipes, space, dataset, asked.folder / "paces.json")
    alone = {
        name: accuracies_alone(dataset, each, asked.epochs, asked.alone_seeds, asked.folder / "alone.jsonl")
        for name, each in ranked.items()
    }
    for which, accuracies in alone.items():
        report_alone(which, accuracies)
    for name, recipe in recipes.items():
        pace = paces[name] / paces[asked.recipes[0]]
        for budget, epochs in {"steps": asked.epochs, "time": max(1, round(asked.epochs / pace))}.items():
            if budget == "time" and epochs == asked.epochs:
                continue
            of_budget = recipe.model_copy(update={"epochs": epochs})
            found = np.array(
                [
                    accuracies_inherited(
                        of_budget, seed, space, dataset, (*drawn, *spread), asked.folder / f"{name}-{epochs}"
                    )
                    for seed in range(asked.seeds)
                ]
            )
            print(f"\n{name}, equal {budget}: {epochs} epochs, a step takes {pace:.2f} of {asked.recipes[0]}'s")
            report(found[:, : len(drawn)], drawn)
            for which, first in (("drawn", 0), ("spread", len(drawn))):
                report_ranking(which, found[:, first : first + asked.alone], alone[which])


def kept_paces(
    recipes: dict[str, SupernetRecipe], space: SearchSpace, dataset: Dataset, kept: Path
) -> dict[str, float]:
    """Seconds of a step of each recipe, weighted by its phases; those that were taken earlier, if for these recipes."""
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    if known.keys() != recipes.keys():
        known = paces_of(recipes, space, dataset)
        kept.write_text(json.dumps(known))
    return dict(known)


def paces_of(recipes: dict[str, SupernetRecipe], space: SearchSpace, dataset: Dataset) -> dict[str, float]:
    """Median over rounds of the mean over steps; in a round each recipe takes one step, at that place of its phases."""
    train = tensors_of(dataset.train, dataset.normalisation)
    trainings = {name: Training(Supernet(space, 0), recipe, 0, TIMED) for name, recipe in recipes.items()}
    seconds: dict[str, list[float]] = {name: [] for name in recipes}
    for repeat in range(3):
        totals = dict.fromkeys(recipes, 0.0)
        batches = training_batches(train, next(iter(recipes.values())).batch, 0, epoch=repeat)
        for step, batch in zip(range(TIMED), batches, strict=False):
            for name, training in trainings.items():
                training.step = step
                begun = perf_counter()
                training.advance(batch)
                totals[name] += (perf_counter() - begun) / TIMED
        for name, total in totals.items():
            seconds[name].append(total)
    return {name: median(each) for name, each in seconds.items()}


def accuracies_inherited(
    recipe: SupernetRecipe, seed: int, space: SearchSpace, dataset: Dataset, networks: Networks, folder: Path
) -> Floats:
    """Validation accuracy of each network with the weights of one supernet, (networks,)."""
    run, kept = RunFolder(folder / str(seed)), folder / str(seed) / "accuracies.json"
    if not kept.is_file():
        supernet = trained_supernet(Origin(space, recipe, dataset.fingerprint, seed), dataset, run)
        judge = inherited(supernet, dataset, seed)
        begun = perf_counter()
        accuracies = [judge.accuracy(network) for network in networks]
        judging = (perf_counter() - begun) / len(networks)
        training = read_log(log_of(run.supernet))[-1].seconds / recipe.epochs
        kept.write_text(json.dumps({"accuracies": accuracies, "judging_over_an_epoch": judging / training}))
    return np.array(json.loads(kept.read_text())["accuracies"])


def report_alone(which: str, alone: Floats) -> None:
    """Print how far training alone agrees with itself on a set of networks; alone: (seeds, networks)."""
    mean = alone.mean(0)
    taus = ", ".join(f"{kendalltau(one, other).statistic:.2f}" for one, other in combinations(alone, 2))
    print(f"alone, {which}: {mean.min():.2%} to {mean.max():.2%}; Kendall's tau between two seeds: {taus or 'n/a'}")
    if len(alone) > 1:
        print(f"  standard deviation between seeds {np.sqrt(alone.var(0, ddof=1).mean()):.2%}", flush=True)


def report(found: Floats, networks: Networks) -> None:
    """Print what one recipe's subnets reach; found: inherited accuracies, (seeds, networks)."""
    groups = np.array([group_of(network) for network in networks])
    sets = {"all": groups != "", "hybrids": groups != "convolutions", **{name: groups == name for name in GROUPS}}
    for name, chosen in sets.items():
        means = found[:, chosen].mean(1)
        lowest, highest = found[:, chosen].min(1).mean(), found[:, chosen].max(1).mean()
        print(f"  {name}: {means.mean():.2%} ± {means.std(ddof=1):.2%}, lowest {lowest:.2%}, highest {highest:.2%}")


def report_ranking(which: str, found: Floats, alone: Floats) -> None:
    """Print what one recipe's ranking of a set of networks is worth.

    Args:
        which: the set.
        found: inherited accuracies, (seeds, networks).
        alone: accuracies of training alone, (seeds of it, networks).
    """
    mean = alone.mean(0)
    taus = [kendalltau(one, mean).statistic for one in found]
    regrets = [mean.max() - mean[one.argmax()] for one in found]
    gaps = [one.max() - mean[one.argmax()] for one in found]
    for what, values, form in (
        ("Kendall's tau with training alone", taus, ".2f"),
        ("regret", regrets, ".2%"),
        ("best network as it is inherited, less trained alone", gaps, "+.2%"),
    ):
        print(
            f"  {which}: {what}: {np.mean(values):{form}} ({', '.join(f'{value:{form}}' for value in values)})",
            flush=True,
        )


if __name__ == "__main__":
    main()
