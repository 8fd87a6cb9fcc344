"""The fit finds the coefficients that made its data."""

from dataclasses import replace

import numpy as np
import pytest

from edge_deploy.calibration.fit import Rows, Sample, errors_of, fit, predicted_from_others
from edge_toolkit.architecture import Architecture, Attention, Head, MBConv, Stage, Stem
from edge_toolkit.layer_terms import NAMES, terms_of
from edge_toolkit.layers import layers_of

TRUTH_NS = {
    ("conv", "start"): 700.0,
    ("conv", "macs"): 0.02,
    ("depthwise", "start"): 900.0,
    ("depthwise", "macs"): 0.1,
    ("matmul", "macs"): 0.05,
    ("matmul", "start"): 400.0,
    ("softmax", "outputs"): 2.0,
    ("elementwise", "outputs"): 0.3,
    ("linear", "start"): 2500.0,
    ("pool", "inputs"): 0.2,
}


def networks(count: int, seed: int) -> list[Architecture]:
    rng = np.random.default_rng(seed)

    def draw(*choices: int) -> int:
        return int(rng.choice(choices))

    def block(width: int) -> MBConv | Attention:
        if rng.random() < 0.5:
            return MBConv(draw(3, 5), draw(2, 3, 4))
        return Attention(draw(8, 16), draw(1, 2), 0)

    def network() -> Architecture:
        side, stages = draw(16, 24, 32, 48), []
        for width in (draw(16, 32), draw(32, 48)):
            stages.append(Stage(width, 2, (MBConv(3, 2), *(block(width) for _ in range(draw(0, 1, 2))))))
        return Architecture((3, side, side), Stem(draw(16, 24), 3, 2), tuple(stages), Head(5))

    return [replace(each, head=Head(draw(4, 9, 20))) for each in (network() for _ in range(count))]


def truth() -> np.ndarray:
    return np.array([TRUTH_NS.get(name, 0.0) for name in NAMES])


def sample(network: Architecture, noise: float = 0.0, rng: np.random.Generator | None = None) -> Sample:
    """A network that takes what `TRUTH_NS` says, each layer in a node of its own, counted in whole microseconds."""
    layers = layers_of(network)
    by_layer_us = terms_of(layers) @ truth() / 1e3
    factor = 1 if rng is None else 1 + noise * rng.standard_normal()
    rows = Rows(np.arange(len(layers)), np.floor(by_layer_us), np.ones(len(layers), dtype=np.int64))
    return Sample(layers, float(by_layer_us.sum() * factor), rows)


def test_it_recovers_what_the_data_were_made_from() -> None:
    """From requests alone, without noise, as many networks as it takes: exactly."""
    samples = [replace(sample(each), rows=None) for each in networks(80, seed=0)]
    unseen = [layers_of(each) for each in networks(20, seed=1)]
    predicted = [terms_of(layers).sum(axis=0) @ fit(samples) for layers in unseen]
    assert predicted == pytest.approx([terms_of(layers).sum(axis=0) @ truth() for layers in unseen], rel=1e-6)


def test_noise_and_whole_microseconds_are_borne() -> None:
    rng = np.random.default_rng(3)
    samples = [sample(each, 0.01, rng) for each in networks(40, seed=0)]
    measured = np.array([each.request_us for each in samples])
    found = errors_of(predicted_from_others(samples), measured)
    assert found.mape < 0.03
    assert found.within_10_percent > 0.95
    unseen = [sample(each) for each in networks(30, seed=2)]
    predicted = np.array([terms_of(each.layers).sum(axis=0) @ fit(samples) / 1e3 for each in unseen])
    assert errors_of(predicted, np.array([each.request_us for each in unseen])).mape < 0.02


def test_rows_divide_what_the_sums_leave_open() -> None:
    """Few networks: the share of each kind is nearer to the truth with the rows than without them."""
    samples = [sample(each) for each in networks(8, seed=5)]
    terms = terms_of(samples[0].layers)
    convs = samples[0].layers.kind == "conv"

    def share(coefficients: np.ndarray) -> float:
        return float((terms[convs] @ coefficients).sum() / (terms @ coefficients).sum())

    with_rows, without = (abs(share(fit(each)) - share(truth())) for each in (samples, [
        replace(one, rows=None) for one in samples
    ]))  # fmt: skip
    assert with_rows < 0.03
    assert with_rows < without


def test_fused_layers_are_one_row() -> None:
    """The node of a convolution that also adds shows the time of both; nothing says how it divides, and it need not."""
    samples = []
    for each in networks(40, seed=0):
        plain = sample(each)
        names = plain.layers.name.tolist()
        executed_by = np.arange(len(names))
        for row, name in enumerate(names):
            if name.endswith((".add", ".mlp_add")):
                executed_by[row] = row - 1
        time_us, nodes = np.zeros(len(names)), np.zeros(len(names), dtype=np.int64)
        assert plain.rows is not None
        np.add.at(time_us, executed_by, plain.rows.time_us)
        np.add.at(nodes, executed_by, executed_by == np.arange(len(names)))
        samples.append(replace(plain, rows=Rows(executed_by, time_us, nodes)))
    measured = np.array([each.request_us for each in samples])
    assert errors_of(predicted_from_others(samples), measured).mape < 0.02


def test_errors_by_hand() -> None:
    found = errors_of(np.array([1.0, 1.04, 0.92, 1.2]), np.ones(4))
    assert found.mape == pytest.approx((0 + 0.04 + 0.08 + 0.2) / 4)
    assert (found.within_5_percent, found.within_10_percent) == (0.5, 0.75)
    low, high = found.mape_interval
    assert 0 <= low <= found.mape <= high <= 0.2
