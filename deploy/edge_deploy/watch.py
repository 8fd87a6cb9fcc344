"""The machine is watched while it measures: who else computes on it, how fast it runs and how hot it gets."""

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil

from edge_toolkit.conditions import Conditions, State


class Watch:
    """Begins with its making; `conditions` tells what happened since. `load` busy neighbours were asked for."""

    def __init__(self, load: int = 0) -> None:
        self.load = load
        self._cores = sorted(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else None
        self.before = state()
        self._begin = time.perf_counter()
        self._times, self._own = self._cpu_times(), _own_seconds()

    def conditions(self, blocks_ms: Sequence[float]) -> Conditions:
        """What happened since.

        Args:
            blocks_ms: median request of each block of the model that was measured, in order.
        """
        own = _own_seconds() - self._own
        seconds = time.perf_counter() - self._begin
        others, stolen = shares(self._times, self._cpu_times(), own)
        return Conditions(self.before, state(), seconds, others, stolen, drift(blocks_ms), self.load)

    def _cpu_times(self) -> list[Any]:
        times = psutil.cpu_times(percpu=True)
        return [times[core] for core in self._cores if core < len(times)] if self._cores else list(times)


def shares(before: Sequence[Any], after: Sequence[Any], own_s: float) -> tuple[float | None, float | None]:
    """What others took of the cores' time, and what the hypervisor stole, as shares; None where that is not told.

    Args:
        before, after: what each core has done so far, by `psutil.cpu_times`.
        own_s: what this process has computed in between, in all its threads, s.
    """
    whole = busy = stolen = 0.0
    for early, late in zip(before, after, strict=True):
        spent = {name: getattr(late, name) - getattr(early, name) for name in late._fields}
        # The kernel counts a guest's time among the user's, too.
        total = sum(each for name, each in spent.items() if not name.startswith("guest"))
        idle = spent.get("idle", 0.0) + spent.get("iowait", 0.0)
        whole, stolen = whole + total, stolen + spent.get("steal", 0.0)
        busy += total - idle - spent.get("steal", 0.0)
    if whole <= 0:  # shorter than the kernel's clock tick
        return None, None
    told = before and hasattr(before[0], "steal")
    return max(0.0, busy - own_s) / whole, stolen / whole if told else None


def drift(blocks_ms: Sequence[float]) -> float:
    """Median of the last third of blocks over that of the first third, less 1; 0 for fewer than six blocks."""
    third = len(blocks_ms) // 3
    if third < 2:
        return 0.0
    return float(np.median(blocks_ms[-third:]) / np.median(blocks_ms[:third])) - 1


def state() -> State:
    """The machine now."""
    return State(
        load_average=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        frequency_mhz=_frequency_mhz(),
        temperature_c=_temperature_c(),
    )


def _frequency_mhz() -> float | None:
    try:
        found = psutil.cpu_freq()
    except (OSError, RuntimeError):  # no cpufreq in this kernel, or no such call on this system
        return None
    return float(found.current) if found is not None and found.current else None


def _temperature_c() -> float | None:
    read = getattr(psutil, "sensors_temperatures", None)  # which Windows and macOS lack
    sensors = read() if read is not None else {}
    return max((float(each.current) for part in sensors.values() for each in part if each.current), default=None)


def _own_seconds() -> float:
    own = psutil.Process().cpu_times()
    return float(own.user + own.system)
