"""The same search on several systems: does the best architecture change with the hardware?

One supernet, trained once, answers for all of them, and each system's budget is the same quantile of what random
networks cost on it, so that the costs alone differ. A front of one system is then costed on another: what it falls
short of that system's own front is the price of searching for the wrong hardware. Two searches on one system differ as
well, by luck, so each is repeated over seeds; and fronts are taken of everything that any search evaluated, the same
networks for all systems, where no luck is left.

    python benchmarks/hardware_changes_architecture.py
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from judge import inherited_judge
from machine import machine_line
from moocore import hypervolume
from numpy.typing import NDArray
from optuna.storages import InMemoryStorage
from scipy.stats import spearmanr
from subset import subset

from edge_search.feasibility import nearest
from edge_search.front import non_dominated, objectives
from edge_search.space import SearchSpace, load_space
from edge_search.study import Question, Search, open_study
from edge_toolkit.architecture import Architecture, Attention
from edge_toolkit.budget import Budget
from edge_toolkit.data import load_dataset
from edge_toolkit.device import load_device
from edge_toolkit.figures import COLOURS, save_figure
from edge_toolkit.front import Candidate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Networks = tuple[Architecture, ...]
Fronts = Mapping[str, tuple[Candidate, ...]]

DEVICES = ("xr-npu", "xr-npu+cim-mram", "cpu-host")


def main() -> None:
    """Take the figures, print and draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="watch")
    parser.add_argument("--samples", type=int, help="train on that many samples only")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--devices", nargs="+", default=list(DEVICES))
    parser.add_argument("--quantile", type=float, default=0.5, help="of random networks inside each budget")
    parser.add_argument("--drawn", type=int, default=500, help="random networks that set the budgets")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--supernet-epochs", type=int, default=24)
    parser.add_argument("--figure", type=Path, default=Path("runs/figures/hardware-changes-architecture.png"))
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        dataset = load_dataset(subset(asked.data, asked.samples, Path(folder)) if asked.samples else asked.data)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    print(f"{asked.space} on {asked.data}, {asked.trials} trials, {asked.seeds} seeds; {machine_line()}")
    questions = asked_alike(space, asked.devices, asked.quantile, asked.drawn)
    judge = remembering(inherited_judge(space, dataset, asked.supernet_epochs))
    found = {
        name: [searched(question, judge, asked.trials, seed) for seed in range(asked.seeds)]
        for name, question in questions.items()
    }
    report_searched(questions, judge, found)
    everything = tuple(dict.fromkeys(each for runs in found.values() for run in runs for each in run))
    fronts = {name: front_on(question, judge, everything) for name, question in questions.items()}
    print(f"\nfronts of all {len(everything)} networks that any search evaluated:")
    report_pooled(questions, judge, fronts, len(dataset.validation))
    draw(questions, judge, fronts, asked.figure)


def asked_alike(space: SearchSpace, devices: Sequence[str], quantile: float, count: int) -> dict[str, Question]:
    """The same question for each device: its budgets are the same quantile of what random networks cost on it."""
    rng = np.random.default_rng(0)
    # Gene by gene, so that small networks are as likely as large ones; `space.sample` draws mostly the deepest.
    drawn = [space.decode([int(rng.integers(len(gene.choices))) for gene in space.genes]) for _ in range(count)]
    questions, latencies, energies = {}, {}, {}
    for name in devices:
        free = Question(space, load_device(name), Budget())
        _, latencies[name], energies[name] = objectives([free.costed(each) for each in drawn]).T
        budget = Budget(float(np.quantile(latencies[name], quantile)), float(np.quantile(energies[name], quantile)))
        questions[name] = replace(free, budget=budget)
        print(f"{name}: budget {budget.latency_ms:.4g} ms, {budget.energy_mj:.4g} mJ ({quantile:.0%} of each)")
    for one, other in combinations(devices, 2):
        ranks = [spearmanr(costs[one], costs[other]).statistic for costs in (latencies, energies)]
        print(f"{one} and {other}: Spearman of {count} networks, latency {ranks[0]:.3f}, energy {ranks[1]:.3f}")
    return questions


def remembering(judge: Callable[[Architecture], float]) -> Callable[[Architecture], float]:
    """The same, each network judged once."""
    known: dict[Architecture, float] = {}

    def remembered(architecture: Architecture) -> float:
        if architecture not in known:
            known[architecture] = judge(architecture)
        return known[architecture]

    return remembered


def searched(question: Question, judge: Callable[[Architecture], float], trials: int, seed: int) -> Networks:
    """What a search evaluated."""
    start = nearest(question, seed)[0].architecture
    search = Search(question, judge, open_study(InMemoryStorage(), "one", "this"), "nsga2", seed, start)
    search.run(trials, 1, lambda remark="": None)
    print(f"searched on {question.device.name}, seed {seed}: {len(search.evaluated)} networks", flush=True)
    return tuple(search.evaluated)


def front_on(
    question: Question, judge: Callable[[Architecture], float], networks: Iterable[Architecture]
) -> tuple[Candidate, ...]:
    """The front of some networks on a device, inside its budget."""
    costed = [replace(question.costed(each), accuracy=judge(each)) for each in networks]
    return non_dominated([each for each in costed if not question.budget.broken(each.costs)])


def networks_of(front: Iterable[Candidate]) -> Networks:
    """The architectures of a front."""
    return tuple(candidate.architecture for candidate in front)


def volume(question: Question, judge: Callable[[Architecture], float], networks: Iterable[Architecture]) -> float:
    """Hypervolume of networks on a device: error from 0 to 1, costs as shares of the budget, reference (1, 1, 1)."""
    scaled = objectives(front_on(question, judge, networks)) / [1, *question.budget.bounds.values()]
    return float(hypervolume(scaled, ref=np.ones(3))) if len(scaled) else 0.0


def report_searched(
    questions: Mapping[str, Question], judge: Callable[[Architecture], float], found: Mapping[str, list[Networks]]
) -> None:
    """Print what each system's fronts are worth on each other system, beside another seed's of its own."""
    fronts = {
        name: [networks_of(front_on(questions[name], judge, run)) for run in runs] for name, runs in found.items()
    }
    print("\nhypervolume of a front, costed on a system, over that of the system's own front, by seeds:")
    for name, question in questions.items():
        own = [volume(question, judge, front) for front in fronts[name]]
        for other, theirs in fronts.items():
            ratios = [
                volume(question, judge, front) / mine
                for i, front in enumerate(theirs)
                for j, mine in enumerate(own)
                if other != name or i != j
            ]
            if ratios:
                what = "another seed's own" if other == name else f"searched on {other}"
                spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
                print(f"  on {name}, {what}: {np.mean(ratios):.3f} ({spread})")


def report_pooled(
    questions: Mapping[str, Question], judge: Callable[[Architecture], float], fronts: Fronts, validation: int
) -> None:
    """Print what stands on each system's front, and what the fronts are worth on each other's system."""
    for name, front in fronts.items():
        best = max(candidate.accuracy for candidate in front)
        deviation = np.sqrt(best * (1 - best) / validation)
        print(
            f"  {name}: {len(front)} networks, best {best:.1%} +- {deviation:.1%} by its {validation} samples; "
            f"mean of {np.mean([each.macs for each in front]):,.0f} MACs, {blocks_text(front)}"
        )
    for name, front in fronts.items():
        own = networks_of(front)
        whole = volume(questions[name], judge, own)
        for other, foreign in fronts.items():
            if other == name:
                continue
            theirs = networks_of(foreign)
            short = 1 - volume(questions[name], judge, theirs) / whole
            inside = front_on(questions[name], judge, theirs)
            lost = max(each.accuracy for each in front) - max((each.accuracy for each in inside), default=0.0)
            print(
                f"  on {name}, the front of {other}: {short:.2%} of the hypervolume short, its best network in budget "
                f"{100 * lost:.2f} points; {len(set(own) & set(theirs))} of its {len(theirs)} networks stand on "
                f"{name}'s own, of {len(own)}"
            )


def blocks_text(front: Iterable[Candidate]) -> str:
    """How many blocks the networks of a front have on average, how many of them attention, and the widest kernel's."""
    blocks = [[block for stage in each.architecture.stages for block in stage.blocks] for each in front]
    flat = [block for network in blocks for block in network]
    attention = sum(isinstance(block, Attention) for block in flat)
    kernels = [block.kernel for block in flat if not isinstance(block, Attention)]
    return (
        f"{len(flat) / len(blocks):.1f} blocks, {attention / len(flat):.1%} of them attention, "
        f"mean kernel {np.mean(kernels):.1f}"
    )


def draw(questions: Mapping[str, Question], judge: Callable[[Architecture], float], fronts: Fronts, path: Path) -> None:
    """Draw each system's front, filled, with those of the others beside it, costed on it, as rings."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    figure = Figure(figsize=(4.2 * len(questions), 4), layout="constrained")
    panels = figure.subplots(1, len(questions), sharey=True, squeeze=False)[0]
    for panel, (name, question) in zip(panels, questions.items(), strict=True):
        for place, (other, front) in enumerate(fronts.items()):
            costed = [replace(question.costed(each.architecture), accuracy=judge(each.architecture)) for each in front]
            _points(panel, costed, COLOURS[place], own=other == name)
        panel.axvline(question.budget.bounds["latency_ms"], color="#94a3b8", linestyle="--", linewidth=1)
        panel.set_title(f"costed on {name}", fontsize=10)
        panel.set_xlabel(f"latency (ms), {question.device.origin}")
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("accuracy (%), inherited, validation")
    patches = [Patch(color=COLOURS[place], label=f"front of {name}") for place, name in enumerate(fronts)]
    figure.legend(handles=patches, loc="outside lower center", ncols=3, frameon=False)
    save_figure(figure, path)
    print(f"drawn in {path}")


def _points(panel: "Axes", candidates: Sequence[Candidate], colour: str, own: bool) -> None:
    x, y = [each.latency_ms for each in candidates], [100 * each.accuracy for each in candidates]
    size, face = (36, colour) if own else (60, "none")
    panel.scatter(x, y, s=size, facecolors=face, edgecolors=colour, zorder=3 if own else 2)


if __name__ == "__main__":
    main()
