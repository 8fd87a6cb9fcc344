"""How long a request takes: measured after warm-up, interleaved where two are compared, with an interval.

`request` is OpenVINO's own time of a request; `wall` is the time of the Python call around it.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.profile import Comparison, Latency, Verdict

Floats = NDArray[np.float64]

ROUNDS = 30
"""Blocks that each model runs, in turn; the interval comes from resampling them."""

REQUESTS = 1000
"""Fewest requests that a latency rests on ..."""

PATIENCE = 10
"""... unless they take this many times the seconds that were asked for: then what was done by then counts."""

SWITCH = 2
"""Requests dropped at the start of a block: they refill caches that the other model has used."""

RESAMPLES = 400

ENOUGH = 10
"""Blocks below which an interval that comes from resampling them says too little for a verdict."""

SAME = 0.02
"""Differences up to this are no verdict: OpenVINO compiles one model twice, and the two differ by as much.

Source: twelve interleaved pairs of one 78 us network on an AMD EPYC (2 cores, virtual) had ratios from 0.982 to 1.016,
while each pair's interval was ten times narrower.
"""


class Runnable(Protocol):
    """Something that does one inference and tells how long the request took."""

    def infer(self) -> None: ...

    @property
    def request_ms(self) -> float: ...


@dataclass(frozen=True)
class Samples:
    """Times of every kept request, ms: `request` and `wall` are (blocks, requests)."""

    request: Floats
    wall: Floats


def interleaved(
    models: Sequence[Runnable], seconds: float = 3.0, rounds: int = ROUNDS, requests: int | None = None
) -> tuple[Samples, ...]:
    """Run models in turn, block by block, after warming each of them up.

    Each takes `rounds` blocks, in an order that is reversed every round, so that a drift of the machine's speed
    falls on all of them.

    Args:
        models: what is measured.
        seconds: to spend on each model; each runs `REQUESTS` at least, unless that takes `PATIENCE` times as long.
        rounds: blocks of each model.
        requests: that each model runs, in place of the seconds; rounded up to whole blocks.

    Returns:
        The samples of each model, in the order given.
    """
    warm_ms = [warm_up(model) for model in models]
    if requests is None:
        lengths = [_block_length(each, seconds, rounds) for each in warm_ms]
    else:
        rounds = min(rounds, requests)
        lengths = [-(-requests // rounds)] * len(models)
    blocks: list[list[Floats]] = [[] for _ in models]
    turn = list(range(len(models)))
    with no_collection():
        for _ in range(rounds):
            for index in turn:
                blocks[index].append(_block(models[index], lengths[index] + SWITCH)[:, SWITCH:])
            turn.reverse()
    stacked = (np.stack(each) for each in blocks)  # (blocks, 2, requests)
    return tuple(Samples(request=each[:, 0], wall=each[:, 1]) for each in stacked)


def warm_up(model: Runnable, clock: Callable[[], float] = time.perf_counter) -> float:
    """Run a model until it is steady: at least 20 requests and 0.2 s, then until ten more are no faster.

    That takes 2 s at most, or as long as 20 requests, of which 20 s are enough.

    Returns:
        The median time of the last requests, ms.
    """
    begin = clock()
    times: list[float] = []
    while True:
        model.infer()
        times.append(model.request_ms)
        elapsed = clock() - begin
        if len(times) >= 20 and elapsed >= 0.2 and (elapsed >= 2 or _steady(times)):
            return float(np.median(times[-10:]))
        if len(times) >= 3 and elapsed >= 2 * PATIENCE:
            return float(np.median(times[1:]))  # the first one pages the weights in


def latency_of(samples: Samples, seed: int = 0) -> Latency:
    """Statistics of the request's time."""
    flat = samples.request.ravel()
    median = float(np.median(flat))
    low, high = _interval(np.array([np.median(samples.request[pick]) for pick in _resamples(samples, seed)]))
    p90, p99 = np.percentile(flat, [90, 99])
    return Latency(
        median=median,
        p90=float(p90),
        p99=float(p99),
        min=float(flat.min()),
        mean=float(flat.mean()),
        interval=(min(low, median), max(high, median)),
        count=flat.size,
        max=float(flat.max()),
    )


def compare(model: Samples, baseline: Samples, seed: int = 0) -> Comparison:
    """A model against its baseline, from one interleaved run of both.

    Blocks are resampled in pairs, for what slows the machine in a round slows both.
    """
    ratios = [
        float(np.median(model.request[pick]) / np.median(baseline.request[pick])) for pick in _resamples(model, seed)
    ]
    low, high = _interval(np.array(ratios))
    verdict: Verdict = "faster" if high < 1 - SAME else "slower" if low > 1 + SAME else "no difference seen"
    if len(model.request) < ENOUGH:
        verdict = "no difference seen"
    ratio = float(np.median(model.request) / np.median(baseline.request))
    return Comparison(ratio=ratio, interval=(min(low, ratio), max(high, ratio)), verdict=verdict)


def _steady(times: Sequence[float]) -> bool:
    return bool(np.median(times[-10:]) >= 0.95 * np.median(times[-20:-10]))


def _block_length(request_ms: float, seconds: float, rounds: int) -> int:
    """Requests of a block."""
    affordable = 1000 * seconds / max(request_ms, 1e-3) / rounds
    wanted = max(affordable, REQUESTS / rounds)
    return max(1, int(np.ceil(min(wanted, PATIENCE * affordable))))


def _block(model: Runnable, requests: int) -> Floats:
    """Times of consecutive requests, ms: (2, requests), the request's own and the call's."""
    times = np.empty((2, requests))
    clock = time.perf_counter_ns
    for index in range(requests):
        begin = clock()
        model.infer()
        times[1, index] = (clock() - begin) * 1e-6
        times[0, index] = model.request_ms
    return times


@contextmanager
def no_collection() -> Iterator[None]:
    """No garbage collection between two requests."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _resamples(samples: Samples, seed: int) -> NDArray[np.int64]:
    """Indices of blocks drawn with replacement: (resamples, blocks). Neighbours in time are no independent draws."""
    blocks = len(samples.request)
    return np.random.default_rng(seed).integers(0, blocks, (RESAMPLES, blocks))


def _interval(estimates: Floats) -> tuple[float, float]:
    low, high = np.percentile(estimates, [2.5, 97.5])
    return float(low), float(high)
