"""Which recipe gives the best subnets, and the truest ranking? Recipes at equal steps and at equal time.

Each recipe trains supernets of several seeds: for as many epochs as asked for, and for as many as take the time that
the first recipe takes for these (by the times of steps, taken in turn; a recipe whose steps take the same within 5 %
isn't trained twice). 64 fixed networks, conv-only, attention-heavy and mixed, are judged with inherited weights on the
validation split. Rankings are held against training alone on other networks, whose MACs are spread evenly over the
space; the best of these meets itself, trained alone, on the test split.

    python benchmarks/supernet.py --folder DIR                                                   # watch, imu-s
    python benchmarks/supernet.py --folder DIR --data idx:FASHION --samples 10000 --space image-s --epochs 12

Everything that was trained is kept in DIR, so that a second call only reports.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from functools import cache
from itertools import permutations
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from machine import machine_line
from numpy.typing import NDArray
from scipy.stats import kendalltau
from subset import subset
from supernet_networks import GROUPS, Accuracies, accuracies_alone, fixed_networks, group_of, spread_networks

from edge_search.batches import tensors_of, training_batches
from edge_search.evaluation import Inherited, accuracy
from edge_search.search import inherited, trained_supernet
from edge_search.space import SearchSpace, load_space
from edge_search.supernet import Supernet
from edge_search.supernet.checkpoint import Origin, entries_in
from edge_search.supernet.parallel import training_device
from edge_search.supernet.recipe import SupernetRecipe, load_recipe
from edge_search.supernet.training import Training
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import Dataset, load_dataset, load_test
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import digest

Floats = NDArray[np.float64]
Networks = tuple[Architecture, ...]

TIMED = 24
"""Steps that each recipe's time is taken over, evenly spread over its phases."""
ALIKE = 0.05
"""Times of a step that differ by less are the same: it is what they differ by from one measurement to the next."""


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where everything trained is kept")
    parser.add_argument("--data", default="watch")
    parser.add_argument("--samples", type=int, help="train on that many samples only")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--recipes", nargs="+", default=["single-phase", "labels", "two-phase", "projected"])
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--networks", type=int, default=64)
    parser.add_argument("--alone", type=int, default=20, help="networks that are trained alone")
    parser.add_argument("--alone-seeds", type=int, default=2)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    dataset = load_dataset(subset(asked.data, asked.samples, asked.folder) if asked.samples else asked.data)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    drawn, spread = fixed_networks(space, asked.networks), spread_networks(space, asked.alone)
    recipes = {name: load_recipe(name, asked.epochs) for name in asked.recipes}
    print(f"{asked.space} on {asked.data}, {asked.epochs} epochs, {asked.seeds} seeds; {machine_line()}")
    paces = kept_paces(recipes, space, dataset, asked.folder / "paces.json")
    alone = accuracies_alone(dataset, spread, asked.epochs, asked.alone_seeds, asked.folder / "alone.jsonl")
    report_alone(alone.validation)
    for name, recipe in recipes.items():
        pace = paces[name] / paces[asked.recipes[0]]
        budgets = {"steps": asked.epochs}
        if abs(pace - 1) > ALIKE:
            budgets["time"] = max(1, round(asked.epochs / pace))
        for budget, epochs in budgets.items():
            of_budget, folder = recipe.model_copy(update={"epochs": epochs}), asked.folder / f"{name}-{epochs}"
            found = [
                judged(Origin(space, of_budget, dataset.fingerprint, seed), dataset, drawn, spread, folder)
                for seed in range(asked.seeds)
            ]
            print(f"\n{name}, equal {budget}: {epochs} epochs, a step takes {pace:.2f} of {asked.recipes[0]}'s")
            print(f"  judging a network takes {max(each.judging for each in found):.1%} of an epoch")
            report(np.array([each.drawn for each in found]), drawn)
            report_ranking(found, alone)
            report_conflict(found)


def kept_paces(
    recipes: dict[str, SupernetRecipe], space: SearchSpace, dataset: Dataset, kept: Path
) -> dict[str, float]:
    """Seconds of a step of each recipe, weighted by its phases; those that were taken earlier, if for the same."""
    asked = {name: Origin(space, recipe, dataset.fingerprint, 0).plain for name, recipe in recipes.items()}
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    if known.get("asked") != asked:
        known = {"asked": asked, "seconds": paces_of(recipes, space, dataset)}
        kept.write_text(json.dumps(known))
    return dict(known["seconds"])


def paces_of(recipes: dict[str, SupernetRecipe], space: SearchSpace, dataset: Dataset) -> dict[str, float]:
    """Median over rounds of the mean over steps; in a round each recipe takes one step, at that place of its phases."""
    train = tensors_of(dataset.train, dataset.normalisation, training_device())
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


class Judged(NamedTuple):
    """What networks reach with the weights of one supernet."""

    drawn: Floats
    """Validation accuracies, (networks,)."""
    spread: Floats
    """Those of the networks whose ranking is judged."""
    best_on_test: float
    """Test accuracy of the best of these on validation."""
    judging: float
    """Seconds of judging a network over those of an epoch, mean."""
    conflict: Mapping[str, Mapping[str, float]]
    """Cosines of gradients at the end of training, by part."""


def judged(origin: Origin, dataset: Dataset, drawn: Networks, spread: Networks, folder: Path) -> Judged:
    """Train a supernet, or take the one in the folder, and judge networks with its weights.

    Args:
        origin: what decides its weights.
        dataset: trained and judged on.
        drawn: judged on the validation split.
        spread: likewise, and the best of them on the test split.
        folder: where the supernet and what was found are kept.
    """
    run, kept = RunFolder(folder / str(origin.seed)), folder / str(origin.seed) / "accuracies.json"
    known = json.loads(kept.read_text()) if kept.is_file() else {"validation": {}, "test": {}, "seconds": 0.0}
    if known.setdefault("origin", origin.plain) != origin.plain:
        sys.exit(f"{kept}: was found with other data, another space or recipe; give another --folder")

    @cache
    def judge() -> Inherited:
        return inherited(trained_supernet(origin, dataset, run), dataset, origin.seed)

    def on_validation(network: Architecture) -> float:
        if digest(network) not in known["validation"]:
            model = judge()
            begun = perf_counter()
            known["validation"][digest(network)] = model.accuracy(network)
            known["seconds"] += perf_counter() - begun
        return float(known["validation"][digest(network)])

    of_drawn, of_spread = (np.array([on_validation(network) for network in networks]) for networks in (drawn, spread))
    best = spread[of_spread.argmax()]
    if digest(best) not in known["test"]:
        test = tensors_of(load_test(dataset.name), dataset.normalisation, training_device())
        known["test"][digest(best)] = accuracy(judge().model(best), test, best.input)
    run.path.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(known))
    last = entries_in(run.supernet)[-1]
    judging = known["seconds"] / len(known["validation"]) / (last.seconds / origin.recipe.epochs)
    return Judged(of_drawn, of_spread, known["test"][digest(best)], judging, last.conflict or {})


def report_alone(alone: Floats) -> None:
    """Print how far training alone agrees with itself; alone: (seeds, networks).

    One seed's tau with another, and its regret by that one, are what a supernet's are to be read against.
    """
    mean, pairs = alone.mean(0), list(permutations(alone, 2))
    print(f"\nalone: {mean.min():.2%} to {mean.max():.2%}, standard deviation {mean.std(ddof=1):.2%}")
    if pairs:
        taus = [kendalltau(one, other).statistic for one, other in pairs]
        regrets = ", ".join(f"{other.max() - other[one.argmax()]:.2%}" for one, other in pairs)
        print(f"  between seeds: standard deviation {np.sqrt(alone.var(0, ddof=1).mean()):.2%}", end=", ")
        print(f"Kendall's tau {np.mean(taus):.2f}, regret {regrets}", flush=True)


def report(found: Floats, networks: Networks) -> None:
    """Print what one recipe's subnets reach; found: inherited accuracies, (seeds, networks)."""
    groups = np.array([group_of(network) for network in networks])
    sets = {"all": groups != "", "hybrids": groups != "convolutions", **{name: groups == name for name in GROUPS}}
    for name, chosen in sets.items():
        means = found[:, chosen].mean(1)
        lowest, highest = found[:, chosen].min(1).mean(), found[:, chosen].max(1).mean()
        between = f" ± {means.std(ddof=1):.2%}" if len(means) > 1 else ""
        print(f"  {name}: {means.mean():.2%}{between}, lowest {lowest:.2%}, highest {highest:.2%}")


def report_ranking(found: list[Judged], alone: Accuracies) -> None:
    """Print what one recipe's ranking is worth: of each seed's supernet, against the networks trained alone."""
    of_set, test = [each.spread for each in found], alone.test.mean(0)
    figures = {
        "Kendall's tau with one training alone": (
            [np.mean([kendalltau(one, seed).statistic for seed in alone.validation]) for one in of_set],
            ".2f",
        ),
        "... with their mean": ([kendalltau(one, alone.validation.mean(0)).statistic for one in of_set], ".2f"),
        "regret by one training alone": (
            [np.mean([seed.max() - seed[one.argmax()] for seed in alone.validation]) for one in of_set],
            ".2%",
        ),
        "... by their mean": (
            [alone.validation.mean(0).max() - alone.validation.mean(0)[one.argmax()] for one in of_set],
            ".2%",
        ),
        "the best on the test split, inherited less trained alone": (
            [each.best_on_test - test[one.argmax()] for each, one in zip(found, of_set, strict=True)],
            "+.2%",
        ),
    }
    for what, (values, form) in figures.items():
        each = ", ".join(f"{value:{form}}" for value in values)
        print(f"  {what}: {np.mean(values):{form}} ({each})", flush=True)
    gaps = np.mean(of_set, axis=0) - alone.validation.mean(0)
    print(
        f"  inherited less trained alone, validation: the smallest {gaps[0]:+.2%}, the largest {gaps[-1]:+.2%}, those "
        f"between {gaps[1:-1].mean():+.2%} ({gaps[1:-1].min():+.2%} to {gaps[1:-1].max():+.2%})"
    )
    together = kendalltau(np.mean(of_set, axis=0), alone.validation.mean(0)).statistic
    print(f"  Kendall's tau of the supernets' mean with the trainings' mean: {together:.2f}", flush=True)


def report_conflict(found: list[Judged]) -> None:
    """Print the cosines between gradients of networks without and with attention, and of networks of one sort."""
    told = [
        f"{part} {np.mean([each.conflict[part]['between'] for each in found]):.2f} "
        f"({np.mean([each.conflict[part]['within'] for each in found]):.2f})"
        for part in found[0].conflict
    ]
    print(f"  cosine of gradients between and within sorts: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
