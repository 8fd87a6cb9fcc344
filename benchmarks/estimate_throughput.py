"""Candidates a second on one core: `estimate_many` against `estimate`, one candidate after the other.

Both are timed in turn, round by round, in this process's own processor time, so that what else runs on the machine
counts little; the ratio is that of a round.

    python benchmarks/estimate_throughput.py
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # before numpy

import argparse
import statistics
from collections.abc import Callable
from time import process_time
from typing import TypeVar

import numpy as np
from machine import machine_line

from edge_search.costs import CostTables
from edge_search.passages import Floats
from edge_search.segments import Integers, segments_of
from edge_search.space import SearchSpace, load_space
from edge_toolkit.cost import estimate
from edge_toolkit.device import Device, load_device, shipped_attachments
from edge_toolkit.layers import layers_of

T = TypeVar("T")

PILOT = 64
"""Candidates of a first look, and of a round where so many go through the scalar path that all would take too long."""
SECONDS = 10.0
"""What a round of many may take; its scalar candidates take a quarter of that."""
NPUS = ("xr-npu", "npu-3720", "npu-4000")


def main() -> None:
    """Take the figures and print them."""
    systems = [f"xr-npu+{name}" for name in shipped_attachments() if name.startswith("cim")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spaces", nargs="+", default=["imu-s", "image-s", "xr-vision"])
    parser.add_argument("--devices", nargs="+", default=[*NPUS, *systems])
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print(machine_line())
    for space in asked.spaces:
        for device in asked.devices:
            found = figures(load_space(space), load_device(device), asked.candidates, asked.rounds)
            print(f"{space} on {device}: {found}", flush=True)


def figures(space: SearchSpace, device: Device, candidates: int, rounds: int) -> str:
    """What one space and one device give, in one line."""
    segments_of.cache_clear()
    rng, sizes = np.random.default_rng(0), [len(gene.choices) for gene in space.genes]
    pilot = rng.integers(sizes, size=(PILOT, len(sizes)))
    began = process_time()
    tables = CostTables(space, device)
    tables.costs(pilot[:1])
    building = process_time() - began
    (_, hard), many = timed(lambda: tables.costs(pilot))
    _, scalar = timed(lambda: one_by_one(space, device, pilot[:4]))
    count = PILOT if hard.any() and many > SECONDS * PILOT / candidates else candidates
    few = int(np.clip(SECONDS / scalar, 4, 1000))  # 4 candidates took `scalar`
    rows = []
    for _ in range(rounds):
        encodings = rng.integers(sizes, size=(max(count, few), len(sizes)))
        (costs, hard), many = timed(lambda encodings=encodings: tables.costs(encodings[:count]))
        found, scalar = timed(lambda encodings=encodings: one_by_one(space, device, encodings[:few]))
        same = min(few, count)
        apart = np.abs(np.array(costs)[:, :same] / found[:, :same] - 1).max()
        rows.append((count / many, (scalar / few) / (many / count), hard.mean(), apart))
    rates, ratios, shares, aparts = zip(*rows, strict=True)
    return (
        f"{statistics.median(rates):,.0f} a second, {statistics.median(ratios):,.0f} times the scalar path "
        f"({min(ratios):,.0f} to {max(ratios):,.0f}), {statistics.mean(shares):.2%} through it; "
        f"{len(segments_of(space).tables)} segments, tables in {building:.2f} s; "
        f"largest difference {max(aparts):.0e}; rounds of {count:,} and {few}"
    )


def one_by_one(space: SearchSpace, device: Device, encodings: Integers) -> Floats:
    """Latency and energy, (2, n), by the scalar path."""
    costs = [estimate(layers_of(space.decode(vector)), device) for vector in encodings.tolist()]
    return np.array([(cost.latency_ms, cost.energy_mj) for cost in costs]).T


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What some work gives, and the processor time it takes, in seconds."""
    began = process_time()
    found = work()
    return found, process_time() - began


if __name__ == "__main__":
    main()
