"""Hypervolume of the front after a number of accuracy evaluations: each sampler against `random`, over seeds.

One supernet, trained once, answers for all of them, so that only the proposals differ. Objectives are scaled: error
from 0 to 1, costs as shares of their budget; the reference point is (1, 1, 1), so 1 would be a perfect network at no
cost.

    python benchmarks/hypervolume.py
"""

import argparse
import statistics

import numpy as np
from judge import inherited_judge
from machine import machine_line
from moocore import hypervolume
from optuna.storages import InMemoryStorage

from edge_search.front import objectives
from edge_search.samplers import SAMPLERS
from edge_search.space import load_space
from edge_search.study import Question, Search, open_study
from edge_toolkit.architecture import Architecture
from edge_toolkit.budget import Budget
from edge_toolkit.data import load_dataset
from edge_toolkit.device import load_device


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="watch")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--latency-ms", type=float, default=0.08)
    parser.add_argument("--energy-mj", type=float, default=0.0022)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--supernet-epochs", type=int, default=12)
    parser.add_argument("--samplers", nargs="+", choices=list(SAMPLERS), default=["nsga2", "tpe", "random"])
    asked = parser.parse_args()
    dataset, budget = load_dataset(asked.data), Budget(asked.latency_ms, asked.energy_mj)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    question = Question(space, load_device("xr-npu"), budget)
    judge = inherited_judge(space, dataset, asked.supernet_epochs)
    known: dict[Architecture, float] = {}

    def evaluate(architecture: Architecture) -> float:
        if architecture not in known:
            known[architecture] = judge(architecture)
        return known[architecture]

    found: dict[str, list[float]] = {name: [] for name in asked.samplers}
    best: dict[str, list[float]] = {name: [] for name in asked.samplers}
    for seed in range(asked.seeds):
        for name in asked.samplers:
            start = space.smallest()
            search = Search(question, evaluate, open_study(InMemoryStorage(), "one", "this"), name, seed, start)
            search.run(asked.trials, 1, lambda remark="": None)
            scaled = objectives(tuple(search.evaluated.values())) / [1, asked.latency_ms, asked.energy_mj]
            found[name].append(float(hypervolume(scaled, ref=np.ones(3))))
            best[name].append(100 * float(1 - scaled[:, 0].min()))
        print(f"seed {seed}: " + ", ".join(f"{name} {values[-1]:.4f}" for name, values in found.items()), flush=True)
    print(f"\n{asked.trials} evaluations, {asked.space} on {asked.data}, {asked.seeds} seeds; {machine_line()}")
    for name, values in found.items():
        ratios = [ours / theirs for ours, theirs in zip(values, found.get("random", values), strict=True)]
        print(
            f"{name}: hypervolume {statistics.mean(values):.4f} +- {statistics.stdev(values):.4f}, "
            f"over random {statistics.mean(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), "
            f"best accuracy {statistics.mean(best[name]):.2f} %"
        )


if __name__ == "__main__":
    main()
