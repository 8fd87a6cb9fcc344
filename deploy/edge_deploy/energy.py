"""What an inference takes, measured: loads between pauses, whose power is subtracted.

A round is a pause, a load and a pause, each from the last one's end. Two pauses meet between two loads, and each round
keeps its own: one that two rounds shared would make their errors alike, and the interval too narrow.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_deploy.rapl import TOTAL, Clock, Reading, Zone, energy_between, read, read_aligned
from edge_toolkit.energy import DomainEnergy, Energy

Floats = NDArray[np.float64]

ROUNDS = 8
"""Rounds that a measurement is cut into; the interval comes from them."""

LEAST_S = 0.5
"""Shortest load, and twice the shortest pause: hundreds of updates of the counters."""

STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom; the last is a little wide for more."""


@dataclass(frozen=True)
class Phase:
    """What each zone took in a pause or a load, mJ, in how many seconds and inferences."""

    energy_mj: Floats  # (zones,)
    seconds: float
    inferences: int = 0

    @property
    def power_w(self) -> Floats:
        return self.energy_mj * 1e-3 / self.seconds


@dataclass(frozen=True)
class Round:
    """A load, and the power that each zone would have drawn idle in its place, W."""

    load: Phase
    idle_w: Floats  # (zones,)


def measure_energy(
    run_block: Callable[[], int],
    seconds: float,
    zones: Sequence[Zone],
    rounds: int = ROUNDS,
    clock: Clock = time.perf_counter,
    idle: Callable[[float], None] = time.sleep,
) -> Energy:
    """The energy of an inference, gross and net of what the machine takes idle.

    Args:
        run_block: runs some inferences and returns how many. The counters are read after each block, so it should take
            50 ms or more, beside which that is little, and less than a minute, in which a counter may wrap twice.
        seconds: of load in all, at least `LEAST_S` a round; there are as many of pauses.
        zones: from `readable_zones`.
        rounds: at least 2.
        clock: tells the time, s.
        idle: pauses for so many seconds.

    Raises:
        CounterError: the counters could be read before, but can't be any more.
        InputError: a block or a pause took so long that a counter may have wrapped twice.
    """
    length = max(LEAST_S, seconds / rounds)

    def pause(begin: Reading) -> list[Reading]:
        idle(length / 2)
        return [begin, read_aligned(zones, clock)]

    measured: list[Round] = []
    end = read_aligned(zones, clock)
    for _ in range(rounds):
        before = pause(end)
        load, inferences = _load(run_block, length, before[-1], zones, clock)
        after = pause(load[-1])
        end = after[-1]
        measured.append(_round(_phase(zones, before), _phase(zones, load, inferences), _phase(zones, after)))
    return energy_of(measured, zones)


def energy_of(rounds: Sequence[Round], zones: Sequence[Zone]) -> Energy:
    """The energy of an inference from all rounds of a measurement, at least 2."""
    inferences = np.array([each.load.inferences for each in rounds])
    seconds = np.array([each.load.seconds for each in rounds])
    energy_mj = np.stack([each.load.energy_mj for each in rounds])  # (rounds, zones)
    idle_w = np.stack([each.idle_w for each in rounds])  # (rounds, zones)

    def of(domains: Sequence[str]) -> DomainEnergy:
        columns = [index for index, zone in enumerate(zones) if zone.domain in domains]
        watts = idle_w[:, columns].sum(1)
        gross_mj = energy_mj[:, columns].sum(1) / inferences
        net_mj = gross_mj - 1e3 * watts * seconds / inferences
        return DomainEnergy(
            gross_mj=float(gross_mj.mean()),
            gross_interval_mj=_interval(gross_mj),
            net_mj=float(net_mj.mean()),
            net_interval_mj=_interval(net_mj),
            idle_w=float(watts.mean()),
        )

    return Energy(
        total=of(TOTAL),
        domains={domain: of([domain]) for domain in dict.fromkeys(zone.domain for zone in zones)},
        inferences=int(inferences.sum()),
        seconds=float(seconds.sum()),
        rounds=len(rounds),
    )


def _load(
    run_block: Callable[[], int], seconds: float, begin: Reading, zones: Sequence[Zone], clock: Clock
) -> tuple[list[Reading], int]:
    """Run blocks until so many seconds are over: the readings from the one it begins with, and the inferences."""
    readings, inferences = [begin], 0
    while readings[-1].at_s - begin.at_s < seconds:
        inferences += run_block()
        readings.append(read(zones, clock))
    return [*readings, read_aligned(zones, clock)], inferences


def _phase(zones: Sequence[Zone], readings: Sequence[Reading], inferences: int = 0) -> Phase:
    return Phase(np.array(energy_between(zones, readings)), readings[-1].at_s - readings[0].at_s, inferences)


def _round(before: Phase, load: Phase, after: Phase) -> Round:
    """A load with the idle power at its middle, on the line through the middles of the pauses around it."""
    share = (before.seconds + load.seconds) / (before.seconds + 2 * load.seconds + after.seconds)
    return Round(load, (1 - share) * before.power_w + share * after.power_w)


def _interval(values: Floats) -> tuple[float, float]:
    """The 95 % interval of a mean, from Student's t."""
    freedom = len(values) - 1
    half = STUDENT[min(freedom, len(STUDENT)) - 1] * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)
