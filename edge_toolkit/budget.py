"""`Budget`: upper bounds on what a network may cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from edge_toolkit.errors import InputError


@dataclass(frozen=True)
class Budget:
    """Upper bounds on latency (ms) and energy (mJ) of one inference; None leaves a cost unbounded.

    Raises:
        InputError: a bound is not a positive number.
    """

    latency_ms: float | None = None
    energy_mj: float | None = None

    def __post_init__(self) -> None:
        problems = [
            f"{name}={bound} must be a number greater than 0; leave it out for no bound"
            for name, bound in self.bounds.items()
            if not 0 < bound < inf
        ]
        if problems:
            raise InputError.listing("budget", problems)

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are set, by the name of the cost."""
        both = {"latency_ms": self.latency_ms, "energy_mj": self.energy_mj}
        return {name: bound for name, bound in both.items() if bound is not None}

    def excess(self, costs: Mapping[str, float]) -> dict[str, float]:
        """How far each bounded cost that is given exceeds its bound, as a share of it: at most 0 where it is kept."""
        return {name: costs[name] / bound - 1 for name, bound in self.bounds.items() if name in costs}

    def broken(self, costs: Mapping[str, float]) -> list[str]:
        """The names of the bounds that `costs` exceeds."""
        return [name for name, excess in self.excess(costs).items() if excess > 0]

    def verdict(self, latency_ms: float | None) -> str:
        """Whether a measured latency keeps its bound, in words; nothing where one of the two is missing."""
        if self.latency_ms is None or latency_ms is None:
            return ""
        excess = self.excess({"latency_ms": latency_ms})["latency_ms"]
        return f"broken: {1 + excess:.2f} times" if excess > 0 else "kept"


def budget_of(latency_ms: float | None, energy_mj: float | None, fps: float | None) -> Budget:
    """A budget from the options of a command; a frame rate (frames a second) bounds the latency too, 90 fps = 11.1 ms.

    Raises:
        InputError: a bound is not a positive number.
    """
    if fps is not None:
        if not 0 < fps < inf:
            raise InputError(f"--fps {fps} must be a number greater than 0; leave it out for no bound")
        frame_ms = 1000 / fps
        latency_ms = frame_ms if latency_ms is None else min(latency_ms, frame_ms)
    return Budget(latency_ms, energy_mj)
