"""How well a calibrated CPU predicts networks that it has not seen, against four other ways of predicting.

python benchmarks/cpu_prediction.py [--folder DIR] [--seed N] [--json FILE] [--figures DIR]

For each space, a designed sample and random other networks are exported and measured in one interleaved run. Every
visit to a network is a line of DIR/SPACE/visits.jsonl, so that a stopped benchmark goes on, and one that is done is
only evaluated: change a predictor and run it again. The designed sample is greedy, so its first N networks are the
sample of N; that gives the learning curve. The other ways of predicting are fitted to the same sample, and once more to
two thirds of the unseen networks, in three folds, for networks that differ need not suit them. A request's time is the
median of its quietest window, as everywhere in a calibration. Another seed draws another sample and other unseen
networks. It needs the extra `search`, and a quarter of an hour on two quiet cores.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from machine import machine_line
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.ensemble import GradientBoostingRegressor

from edge_deploy.calibration.calibrate import samples_of
from edge_deploy.calibration.design import designed, drawn_from
from edge_deploy.calibration.fit import Sample, errors_of, fit, predicted_from_others
from edge_deploy.calibration.kit import Plan, prepared
from edge_deploy.calibration.windows import Visit, measured, repeatability
from edge_deploy.convert import random_ir
from edge_deploy.measure import settings_of
from edge_search.space import load_space
from edge_toolkit.console import table
from edge_toolkit.figures import prediction_figure, save_figure
from edge_toolkit.layer_terms import terms_of
from edge_toolkit.layers import LayerTable
from edge_toolkit.specs import ModelSpec, digest

Floats = NDArray[np.float64]
Predictor = Callable[[Sequence[Sample], Sequence[LayerTable]], Floats]

UNSEEN = {"image-s": 60, "imu-s": 40}
"""Networks that are predicted: uniform draws of the space, none of them in the sample."""

SAMPLE = 60
DEFAULT = 40
"""What `edge-toolkit calibrate` measures unless told otherwise."""

CURVE = (10, 15, 20, 30, 40, 60)


def calibrated(sample: Sequence[Sample], unseen: Sequence[LayerTable]) -> Floats:
    """The predictor of `edge-toolkit calibrate`."""
    return _terms(unseen) @ fit(sample) / 1e3


def with_residuals(sample: Sequence[Sample], unseen: Sequence[LayerTable]) -> Floats:
    """The same, times what boosted trees make of its errors on the sample, each network predicted from the others."""
    layers = [each.layers for each in sample]
    errors = np.log(_times(sample) / predicted_from_others(sample))
    trees = GradientBoostingRegressor(n_estimators=100, max_depth=3, learning_rate=0.1, random_state=0)
    trees.fit(_terms(layers), errors)
    return calibrated(sample, unseen) * np.exp(trees.predict(_terms(unseen)))


def by_macs(sample: Sequence[Sample], unseen: Sequence[LayerTable]) -> Floats:
    """A start and a rate: a line through MACs, fitted to relative errors."""
    known = np.stack([[1.0, each.layers.macs.sum()] for each in sample])
    coefficients = np.linalg.lstsq(known / _times(sample)[:, None], np.ones(len(sample)), rcond=None)[0]
    return np.stack([[1.0, layers.macs.sum()] for layers in unseen]) @ coefficients


def by_network(sample: Sequence[Sample], unseen: Sequence[LayerTable]) -> Floats:
    """Boosted trees on what the whole network has of each term."""
    trees = GradientBoostingRegressor(n_estimators=300, max_depth=3, learning_rate=0.05, random_state=0)
    trees.fit(_terms([each.layers for each in sample]), np.log(_times(sample)))
    return np.exp(trees.predict(_terms(unseen)))


def by_blocks(sample: Sequence[Sample], unseen: Sequence[LayerTable]) -> Floats:
    """A table of blocks: the mean time of the same block's executed nodes; of a block that is new, a line in MACs.

    What requests take more than their rows is added for each block.
    """
    seen: dict[tuple[object, ...], list[float]] = defaultdict(list)
    macs, times, rest = [], [], []
    for each in sample:
        if each.rows is None:
            raise SystemExit("this device tells no executed rows; there is no table of blocks")
        blocks = _blocks(each.layers)
        for key, rows in blocks:
            seen[key].append(float(each.rows.time_us[rows].sum()))
            macs.append([1.0, each.layers.macs[rows].sum()])
            times.append(seen[key][-1])
        rest.append((each.request_us - each.rows.time_us.sum()) / len(blocks))
    line = np.linalg.lstsq(np.array(macs), np.array(times), rcond=None)[0]

    def time_us(key: tuple[object, ...], layers: LayerTable, rows: NDArray[np.int64]) -> float:
        known = seen.get(key)
        own = np.mean(known) if known else line @ [1.0, layers.macs[rows].sum()]
        return float(own + np.median(rest))

    return np.array([sum(time_us(key, layers, rows) for key, rows in _blocks(layers)) for layers in unseen])


def _blocks(layers: LayerTable) -> list[tuple[tuple[object, ...], NDArray[np.int64]]]:
    """Each block's sizes and rows."""
    columns = ("kind", "m", "k", "n", "groups", "kernel_h", "kernel_w", "stride", "inputs", "outputs")
    found = []
    for block in dict.fromkeys(layers.block.tolist()):
        rows = np.flatnonzero(layers.block == block)
        found.append((tuple(tuple(getattr(layers, name)[rows].tolist()) for name in columns), rows))
    return found


def _terms(tables: Sequence[LayerTable]) -> Floats:
    return np.stack([terms_of(layers).sum(axis=0) for layers in tables])


def _times(sample: Sequence[Sample]) -> Floats:
    return np.array([each.request_us for each in sample])


PREDICTORS: dict[str, Predictor] = {
    "calibrated": calibrated,
    "calibrated, trees on its errors": with_residuals,
    "MACs alone": by_macs,
    "table of blocks": by_blocks,
    "trees on the network": by_network,
}


OTHERS = ("MACs alone", "table of blocks", "trees on the network")

FOLDS = 3


def from_draws(predictor: Predictor, unseen: Sequence[Sample]) -> Floats:
    """What networks are predicted to take by a fit to those of the other folds, all of them uniform draws."""
    predicted, fold = np.empty(len(unseen)), np.arange(len(unseen)) % FOLDS
    for number in range(FOLDS):
        known = [each for each, its in zip(unseen, fold, strict=True) if its != number]
        asked = [each.layers for each, its in zip(unseen, fold, strict=True) if its == number]
        predicted[fold == number] = predictor(known, asked)
    return predicted


def new_blocks(sample: Sequence[Sample], unseen: Sequence[LayerTable]) -> float:
    """The share of blocks that the sample does not have."""
    known = {key for each in sample for key, _ in _blocks(each.layers)}
    return float(np.mean([key not in known for layers in unseen for key, _ in _blocks(layers)]))


def networks_of(space: str, seed: int) -> list[ModelSpec]:
    """The designed sample, then the unseen networks."""
    sample = designed(drawn_from(space, seed), SAMPLE)
    taken = {digest(spec) for spec in sample}
    loaded, rng, unseen = load_space(space), np.random.default_rng(seed + 1000), list[ModelSpec]()
    while len(unseen) < UNSEEN.get(space, 40):
        spec = loaded.sample(rng)
        if digest(spec) not in taken:
            taken.add(digest(spec))
            unseen.append(spec)
    return [*sample, *unseen]


def taken_of(space: str, folder: Path, seed: int, precision: str) -> tuple[tuple[Sample, ...], tuple[Visit, ...]]:
    """Both kinds of networks, measured in one interleaved run, in the order of `networks_of`."""
    networks = networks_of(space, seed)
    kit = prepared(folder / "kit", Plan(space, len(networks), seed), lambda: networks, random_ir)
    visits = measured(folder / "kit", kit, folder / "visits.jsonl", settings_of("CPU", precision, 1))
    return samples_of(folder / "kit", kit, visits), visits


def scores(predicted_us: Floats, measured_us: Floats) -> dict[str, float]:
    """What the table shows of a predictor."""
    found = errors_of(predicted_us, measured_us)
    return {
        "within_5_percent": found.within_5_percent,
        "within_10_percent": found.within_10_percent,
        "mape": found.mape,
        "worst": float(np.abs(predicted_us / measured_us - 1).max()),
        "bias": float(np.mean(predicted_us / measured_us - 1)),
        "spearman": float(spearmanr(predicted_us, measured_us).statistic),
    }


def _cells(found: dict[str, float]) -> tuple[str, ...]:
    shares = (f"{found[name]:.1%}" for name in ("within_5_percent", "within_10_percent"))
    errors = (f"{found[name]:.2%}" for name in ("mape", "worst"))
    return (*shares, *errors, f"{found['bias']:+.2%}", f"{found['spearman']:.4f}")


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spaces", nargs="+", default=["image-s", "imu-s"])
    parser.add_argument("--folder", type=Path, default=Path("runs/cpu-prediction"), help="networks and measurements")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figures", type=Path, help="a folder for predicted against measured, a picture a space")
    asked = parser.parse_args()
    facts = {}
    for space in asked.spaces:
        samples, visits = taken_of(space, asked.folder / space, asked.seed, asked.precision)
        sample, unseen = samples[:SAMPLE], samples[SAMPLE:]
        tables, times = [each.layers for each in unseen], _times(unseen)
        again = repeatability(visits)
        rows = {f"{name}, {DEFAULT}": scores(one(sample[:DEFAULT], tables), times) for name, one in PREDICTORS.items()}
        draws = len(unseen) - -(-len(unseen) // FOLDS)
        rows |= {
            f"{name}, {draws} draws": scores(from_draws(PREDICTORS[name], unseen), times)
            for name in ("calibrated", *OTHERS)
        }
        rows |= {f"calibrated, {count}": scores(calibrated(sample[:count], tables), times) for count in CURVE}
        facts[space] = {"predictors": rows, "repeatability": again.model_dump(), "unseen": len(unseen)}
        columns = ("predictor, networks", "within 5 %", "within 10 %", "MAPE", "worst", "bias", "Spearman")
        _show(table(columns, [(name, *_cells(found)) for name, found in rows.items()]), space, len(unseen), times)
        print(
            f"{new_blocks(sample[:DEFAULT], tables):.0%} of the unseen networks' blocks are new to the table of blocks"
        )
        print(f"measured again: mean difference {again.mean:.2%}, 95 % within {again.p95:.2%}; {machine_line()}\n")
        if asked.figures is not None:
            what = f"{len(unseen)} unseen networks of {space}, calibrated on {DEFAULT}"
            drawn = prediction_figure(calibrated(sample[:DEFAULT], tables) / 1e3, times / 1e3, what)
            for suffix in ("png", "svg"):
                save_figure(drawn, asked.figures / f"cpu-prediction-{space}.{suffix}")
    if asked.json is not None:
        asked.json.write_text(json.dumps(facts, indent=2) + "\n")


def _show(drawn: object, space: str, unseen: int, times: Floats) -> None:
    from rich.console import Console

    print(f"{space}: {unseen} unseen networks, {times.min() / 1e3:.3f} to {times.max() / 1e3:.3f} ms")
    Console(width=140, highlight=False).print(drawn)


if __name__ == "__main__":
    main()
