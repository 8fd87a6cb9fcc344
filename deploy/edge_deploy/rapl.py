"""RAPL: the energy counters of Intel and AMD processors, as Linux shows them below /sys/class/powercap.

Not all of them add up. `core` and `uncore` lie inside `package`. `dram` hangs below its package in the tree, but its
energy is not part of the package's. `psys` is the whole platform. So the total is package + dram, over all sockets.
AMD has `package` and `core` alone, and its `core` is a single core's.
Source: Linux, Documentation/power/powercap/powercap.rst and drivers/powercap/intel_rapl_common.c; Khan et al., RAPL in
Action, ACM TOMPECS 3(2), 2018; AMD, Processor Programming Reference, MSRC001_029A (one for each core).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from edge_toolkit.errors import InputError, MissingError

POWERCAP = Path("/sys/class/powercap")

CONTROLS = ("intel-rapl", "intel-rapl-mmio")
"""Where zones come from, AMD's too. The second shows the first's packages once more, through other registers, so it is
looked at only where the first has none."""

TOTAL = ("package", "dram")
"""Domains that add up to what the processors and their memory take."""

STUCK_S = 1.0
"""A package's counter that reads the same for so long never moves: it is updated about every millisecond."""

MOST_W = 1000.0
"""More than a zone ever draws, which bounds how soon a counter wraps (65 s for the finest unit in use, 15.3 uJ).

Source: the largest sockets are rated at 500 W (AMD EPYC 9965, Intel Xeon 6980P).
"""

COUNTS = 2**32
"""Values of a counter, before the kernel turns its unit into microjoules: ENERGY_STATUS_MASK has 32 bits."""

State = Literal["readable", "absent", "forbidden", "broken"]

Clock = Callable[[], float]
"""Tells the time, s."""


class CounterError(MissingError):
    """Energy can't be measured here; the message is one sentence with the remedy, and `state` sorts it."""

    def __init__(self, state: State, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state


@dataclass(frozen=True)
class Status:
    """Whether energy can be measured on this machine, and a sentence that says so or what to do about it."""

    state: State
    sentence: str


@dataclass(frozen=True)
class Zone:
    """A counter: `name` is the kernel's, such as package-0 or dram, and `parent` the name of what it hangs below."""

    name: str
    path: Path
    range_uj: int
    parent: str | None

    @property
    def domain(self) -> str:
        """The name without its number: package for package-0 and package-0-die-1, psys for psys-1."""
        return self.name.partition("-")[0]

    @property
    def label(self) -> str:
        """The name, below its parent's: package-0/dram."""
        return self.name if self.parent is None else f"{self.parent}/{self.name}"

    @property
    def period_uj(self) -> int:
        """What a counter has counted when it is back where it was: one of its units more than its range.

        The range is the largest count in microjoules, rounded down; the next count reads 0. So the period is neither
        the range nor the range + 1, but 61 uJ longer (Intel) or 15 uJ (AMD).
        Source: `get_max_energy_counter` and `rapl_unit_xlate` in the kernel's intel_rapl_common.c.
        """
        return self.range_uj + round(self.range_uj / (COUNTS - 1))

    def read_uj(self) -> int:
        """What the counter reads, uJ.

        Raises:
            CounterError: it may not be read, or it is broken.
        """
        return _number(self.path / "energy_uj")


@dataclass(frozen=True)
class Reading:
    """What zones read at one time, uJ, in their order."""

    at_s: float
    energy_uj: tuple[int, ...]


def status_of(root: Path = POWERCAP, clock: Clock = time.perf_counter) -> Status:
    """Whether energy can be measured on this machine; it takes some milliseconds, or `STUCK_S` where a counter hangs.

    Args:
        root: the powercap class folder.
        clock: tells the time, s.
    """
    try:
        zones = readable_zones(root, clock)
    except CounterError as error:
        return Status(error.state, str(error))
    return Status("readable", f"{root}: energy can be read of {', '.join(zone.label for zone in zones)}")


def readable_zones(root: Path = POWERCAP, clock: Clock = time.perf_counter) -> tuple[Zone, ...]:
    """All zones of this machine, each of them readable, the packages' counters seen to move.

    One that can't be read is not left out, for the total would lack it in silence. Only packages must move: the
    others may be off, as `uncore` is where no graphics unit runs.

    Raises:
        CounterError: there are none, they may not be read, or they are broken.
    """
    zones = find_zones(root)
    packages = [zone for zone in zones if zone.domain == "package"]
    if not packages:
        raise CounterError(
            "absent",
            f"{root} shows no energy counter of a package: measure on Linux on an Intel or AMD processor, outside "
            "virtual machines and containers, after `sudo modprobe intel_rapl_msr`",
        )
    for zone in zones:
        zone.read_uj()
    for package in packages:
        wait_for_update(package, clock)
    return zones


def find_zones(root: Path = POWERCAP) -> tuple[Zone, ...]:
    """The zones of this machine, each once, by the kernel's numbers; none where there is no powercap tree.

    Raises:
        CounterError: a zone's name or range can't be read.
    """
    for control in CONTROLS:
        # The class folder has a link to every zone, nested ones too; the latter come again inside their parents. The
        # links come last, so that theirs are the paths. In a container they may lead nowhere, and have no name.
        patterns = (f"{control}:*/{control}:*", f"{control}:*")
        paths = [path for pattern in patterns for path in root.glob(pattern) if (path / "name").exists()]
        folders = {path.name: path for path in paths}
        names = {number: _text(path / "name").strip() for number, path in folders.items()}
        if names:
            return tuple(
                Zone(names[number], folders[number], _range(folders[number]), names.get(number.rpartition(":")[0]))
                for number in sorted(names)
            )
    return ()


def wait_for_update(zone: Zone, clock: Clock) -> None:
    """Return as soon as a counter moves.

    Raises:
        CounterError: it has not moved for `STUCK_S`, or can't be read.
    """
    first, begin = zone.read_uj(), clock()
    while zone.read_uj() == first:
        if clock() - begin > STUCK_S:
            raise _broken(zone.path / "energy_uj", f"still reads {first} after {STUCK_S:g} s")


def read(zones: Sequence[Zone], clock: Clock) -> Reading:
    """What the zones read now.

    Raises:
        CounterError: one of them can't be read.
    """
    return Reading(clock(), tuple(zone.read_uj() for zone in zones))


def read_aligned(zones: Sequence[Zone], clock: Clock) -> Reading:
    """What the zones read just after an update, so that the energy between two readings belongs to the time between.

    Source: Hähnel et al., Measuring Energy Consumption for Short Code Paths Using RAPL, SIGMETRICS Performance
    Evaluation Review 40(3), 2012; Khan et al., 2018.

    Args:
        zones: at least one package, whose counter is waited for.
        clock: tells the time, s.

    Raises:
        CounterError: the counter does not move, or can't be read.
    """
    wait_for_update(next(zone for zone in zones if zone.domain == "package"), clock)
    return read(zones, clock)


def energy_between(zones: Sequence[Zone], readings: Sequence[Reading]) -> tuple[float, ...]:
    """What each zone took from the first reading to the last, mJ, over all wraps of its counter.

    Raises:
        InputError: two readings are so far apart that a counter may have wrapped twice.
    """
    longest_s = min(zone.range_uj for zone in zones) * 1e-6 / MOST_W
    for before, after in pairwise(readings):
        if after.at_s - before.at_s > longest_s:
            raise InputError(
                f"{after.at_s - before.at_s:.0f} s went by between two readings of the energy counters, which may wrap "
                f"twice in more than {longest_s:.0f} s: measure for fewer seconds, or fewer inferences at a time"
            )
    return tuple(
        sum((after.energy_uj[index] - before.energy_uj[index]) % zone.period_uj for before, after in pairwise(readings))
        * 1e-3
        for index, zone in enumerate(zones)
    )


def _range(folder: Path) -> int:
    path = folder / "max_energy_range_uj"
    if (number := _number(path)) <= 0:
        raise _broken(path, f"reads {number}, but a range is above 0")
    return number


def _number(path: Path) -> int:
    text = _text(path)
    try:
        return int(text)
    except ValueError as error:
        raise _broken(path, f"reads {text[:40]!r}, which is no number") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except PermissionError as error:
        raise CounterError(
            "forbidden",
            f"{path} may be read by root alone (since CVE-2020-8694): run as root, or allow it until the next boot "
            f"with `sudo chmod o+r {POWERCAP}/*/energy_uj`",
        ) from error
    except OSError as error:
        raise _broken(path, f"can't be read ({error.strerror})") from error


def _broken(path: Path, problem: str) -> CounterError:
    return CounterError("broken", f"{path} {problem}: update the kernel, or measure on another machine")
