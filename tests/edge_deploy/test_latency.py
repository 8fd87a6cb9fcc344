"""Statistics on synthetic series with known answers; turns and warm-up on a model that only counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat

import numpy as np
import pytest

from edge_deploy.latency import REQUESTS, ROUNDS, SWITCH, Samples, compare, interleaved, latency_of, warm_up


@dataclass
class Scripted:
    """A model whose requests take the times that a script says; it notes its name in a shared log."""

    name: str
    script: Iterator[float]
    log: list[str] = field(default_factory=list)
    request_ms: float = 0.0

    def infer(self) -> None:
        self.request_ms = next(self.script)
        self.log.append(self.name)


def series(median: float, blocks: int = 30, requests: int = 40, seed: int = 0) -> Samples:
    times = median * np.random.default_rng(seed).lognormal(0, 0.05, (blocks, requests))
    return Samples(times, times + 0.005)


def test_statistics_are_numpys() -> None:
    samples = series(2.0)
    latency, flat = latency_of(samples), samples.request.ravel()
    assert latency.median == np.median(flat)
    assert (latency.p90, latency.p99) == tuple(np.percentile(flat, [90, 99]))
    assert (latency.min, latency.mean, latency.count) == (flat.min(), pytest.approx(flat.mean()), flat.size)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    """The true median of each series is 1; 100 intervals of 95 % hold it 87 times or more, but for 1 chance in 1000."""
    intervals = [latency_of(series(1.0, requests=10, seed=seed), seed).interval for seed in range(100)]
    held = sum(low <= 1 <= high for low, high in intervals)
    assert held >= 87
    assert max(high - low for low, high in intervals) < 0.03


def test_blocks_that_drift_together_widen_the_interval() -> None:
    """Forty requests of a block that share a disturbance are one draw, not forty."""
    noise = np.random.default_rng(0).lognormal(0, 0.05, (30, 1))
    steady, drifting = series(1.0), series(1.0).request * noise
    narrow, wide = latency_of(steady).interval, latency_of(Samples(drifting, drifting)).interval
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])


@pytest.mark.parametrize(
    ("model", "baseline", "verdict"),
    [
        (1.0, 1.1, "faster"),
        (1.1, 1.0, "slower"),
        (1.0, 1.0, "no difference seen"),
        # As far apart as two compilations of one model, however narrow the interval.
        (1.0, 1.015, "no difference seen"),
        (1.015, 1.0, "no difference seen"),
    ],
)
def test_a_verdict_needs_more_than_what_two_compilations_differ_by(model: float, baseline: float, verdict: str) -> None:
    found = compare(series(model, seed=1), series(baseline, seed=2))
    assert found.verdict == verdict
    assert found.interval[0] <= found.ratio <= found.interval[1]
    assert found.ratio == pytest.approx(model / baseline, rel=0.01)


def test_a_few_blocks_give_no_verdict() -> None:
    one, other = (
        Samples(np.full((9, 5), 1.0), np.full((9, 5), 1.0)),
        Samples(np.full((9, 5), 2.0), np.full((9, 5), 2.0)),
    )
    assert compare(one, other).verdict == "no difference seen"
    more = [Samples(np.full((10, 5), value), np.full((10, 5), value)) for value in (1.0, 2.0)]
    assert compare(*more).verdict == "faster"


def test_a_disturbance_of_both_leaves_the_ratio_sharp() -> None:
    noise = np.random.default_rng(0).lognormal(0, 0.3, (30, 1))
    model, baseline = series(1.0, seed=1).request * noise, series(1.05, seed=2).request * noise
    assert compare(Samples(model, model), Samples(baseline, baseline)).verdict == "faster"


def test_models_take_turns_that_are_reversed_each_round() -> None:
    log: list[str] = []
    models = [Scripted(name, repeat(1.0), log) for name in "ab"]
    first, second = interleaved(models, seconds=3.0, rounds=30)
    assert first.request.shape == second.request.shape == (30, 100)
    turns = "".join(name for name, before in zip(log, [None, *log], strict=False) if name != before)
    # Warmed up a, b; then 15 times a b b a, whose neighbours of one name have run together.
    assert turns == "ab" * 16 + "a"


def test_the_first_requests_of_a_block_are_dropped() -> None:
    """The n-th request takes n ms, so the gap between two blocks tells what was left out."""
    model = Scripted("a", (float(count) for count in range(10**9)))
    (samples,) = interleaved([model], seconds=0.3, rounds=2)
    first, second = samples.request
    assert second[0] - first[-1] == 1 + SWITCH


def test_a_latency_rests_on_enough_requests_even_in_no_time() -> None:
    (samples,) = interleaved([Scripted("a", repeat(1.0))], seconds=0.2)
    assert samples.request.size >= REQUESTS
    (slow,) = interleaved([Scripted("a", repeat(1000.0))], seconds=0.05)
    assert slow.request.size == ROUNDS


@pytest.mark.parametrize(("asked", "shape"), [(7, (7, 1)), (30, (30, 1)), (31, (30, 2)), (600, (30, 20))])
def test_as_many_requests_as_asked_for_in_whole_blocks(asked: int, shape: tuple[int, int]) -> None:
    (samples,) = interleaved([Scripted("a", repeat(1.0))], seconds=100, requests=asked)
    assert samples.request.shape == shape


def test_warm_up_goes_on_until_requests_stop_getting_faster() -> None:
    falling = chain((100 * 0.9**step for step in range(40)), repeat(1.0))
    ticks = iter(np.arange(0, 100, 0.02).tolist())
    model = Scripted("a", falling)
    assert warm_up(model, clock=lambda: next(ticks)) == 1.0
    assert 50 <= len(model.log) < 80
