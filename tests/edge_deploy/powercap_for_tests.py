"""A machine in virtual time, whose counters are files of a powercap tree as Linux lays it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

INTEL_NJ, AMD_NJ = 61035, 15258
"""Energy units, nJ: 2^-14 and 2^-16 J, as the kernel rounds them."""


@dataclass(frozen=True)
class Source:
    """A counter: where it hangs, what its part of the machine draws, and the count it starts from."""

    number: str
    name: str
    idle_w: float = 0.0
    inference_mj: float = 0.0
    start: int = 0
    unit_nj: int = INTEL_NJ

    def uj(self, count: int) -> int:
        """A count in microjoules, by the kernel's integer arithmetic."""
        return count * self.unit_nj // 1000

    @property
    def place(self) -> Path:
        """Below the folder of all devices: a zone lies in its parent, and a package in its control type."""
        control, *numbers = self.number.split(":")
        return Path(control, *(":".join([control, *numbers[: depth + 1]]) for depth in range(len(numbers))))


LAPTOP = (
    Source("intel-rapl:0", "package-0", 5.0, 0.20),
    Source("intel-rapl:0:0", "core", 1.0, 0.15),
    Source("intel-rapl:0:1", "uncore", 0.5, 0.01),
    Source("intel-rapl:0:2", "dram", 1.0, 0.05),
    Source("intel-rapl:1", "psys", 30.0, 0.40),
    Source("intel-rapl-mmio:0", "package-0", 5.0, 0.20),
)
SERVER = (
    Source("intel-rapl:0", "package-0-die-0", 5.0, 0.20),
    Source("intel-rapl:0:0", "dram", 1.0, 0.05, unit_nj=AMD_NJ),
    Source("intel-rapl:1", "package-1-die-0", 4.0, 0.10),
    Source("intel-rapl:1:0", "dram", 0.5, 0.01, unit_nj=AMD_NJ),
    Source("intel-rapl:2", "psys-1", 30.0, 0.40),
)
AMD = (
    Source("intel-rapl:0", "package-0", 5.0, 0.20, unit_nj=AMD_NJ),
    Source("intel-rapl:0:0", "core", 1.0, 0.15, unit_nj=AMD_NJ),
)


class Machine:
    """Draws constant or slowly rising power when idle, and a fixed energy more for each inference.

    `classes` is the folder that Linux has at /sys/class/powercap, with a link to every zone; `devices` has the zones
    themselves, one in another. Counters are updated every `tick_s`; looking at the clock takes `look_s`.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sequence[Source],
        *,
        tick_s: float = 0.001,
        drift: float = 0.0,
        block_s: float = 0.05,
    ) -> None:
        self.devices, self.classes = folder / "devices", folder / "class"
        self.sources, self.tick_s, self.drift, self.block_s = sources, tick_s, drift, block_s
        self.look_s, self.now_s, self.done, self.stopped = 5e-6, 0.0, 0.0, False
        self.classes.mkdir()
        for source in sources:
            zone = self.devices / source.place
            zone.mkdir(parents=True)
            (zone / "name").write_text(f"{source.name}\n")
            (zone / "max_energy_range_uj").write_text(f"{source.uj(2**32 - 1)}\n")
            (self.classes / source.number).symlink_to(zone)
        self._update(0.0, 0.0)

    def file(self, number: str, name: str = "energy_uj") -> Path:
        """A zone's file, as its link shows it."""
        return self.classes / number / name

    def clock(self) -> float:
        self._pass(self.look_s)
        return self.now_s

    def idle(self, seconds: float, others: float = 0.0) -> None:
        """A pause, in which somebody else may run so many inferences a second."""
        self._pass(seconds, others)

    def run_block(self) -> int:
        """1000 inferences a second."""
        self._pass(self.block_s, 1000.0)
        return round(1000 * self.block_s)

    def stop(self) -> None:
        """The counters hang from now on."""
        self.stopped = True

    def _pass(self, seconds: float, rate: float = 0.0) -> None:
        start, self.now_s = self.now_s, self.now_s + seconds
        tick = floor(self.now_s / self.tick_s) * self.tick_s
        if tick > start and not self.stopped:
            self._update(tick, self.done + rate * (tick - start))
        self.done += rate * seconds

    def _update(self, at_s: float, inferences: float) -> None:
        for source in self.sources:
            joules = source.idle_w * (at_s + self.drift * at_s**2 / 2) + source.inference_mj * inferences * 1e-3
            count = (source.start + floor(joules * 1e9 / source.unit_nj)) % 2**32
            (self.devices / source.place / "energy_uj").write_text(f"{source.uj(count)}\n")
