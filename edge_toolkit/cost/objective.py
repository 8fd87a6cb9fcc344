"""`Objective`: what a mapping is to be best at."""

from dataclasses import dataclass
from typing import Literal, get_args

from edge_toolkit.errors import InputError

Goal = Literal["latency", "energy", "edp", "weighted"]

GOALS: tuple[Goal, ...] = get_args(Goal)

TIE = 1e-6
"""Weight of what a goal doesn't ask for: of two mappings that are equal in what it asks for, the one better in that."""


@dataclass(frozen=True)
class Objective:
    """What a mapping minimises: `per_ms` * time + `per_mj` * energy, or their product for `edp`.

    The time is a frame's latency, or `pipelined` the period: how long after one frame the next is done, where frames
    overlap.
    """

    goal: Goal
    per_ms: float
    per_mj: float
    pipelined: bool = False

    @property
    def label(self) -> str:
        """The goal as a reader names it."""
        words = {
            "latency": "period" if self.pipelined else "latency",
            "energy": "energy",
            "edp": "energy x period" if self.pipelined else "energy x latency",
            "weighted": f"{self.per_ms:g} x {'period' if self.pipelined else 'latency'} + {self.per_mj:g} x energy",
        }
        return words[self.goal]

    def value(self, time_ms: float, energy_mj: float) -> float:
        """What is minimised, of a time and an energy."""
        if self.goal == "edp":
            return time_ms * energy_mj
        return self.per_ms * time_ms + self.per_mj * energy_mj


def objective_of(goal: str, weights: tuple[float, float] | None = None, pipelined: bool = False) -> Objective:
    """The objective of a goal.

    Args:
        goal: `latency`, `energy`, `edp` (their product) or `weighted`.
        weights: of a millisecond and of a millijoule, both above 0; for `weighted` alone.
        pipelined: time is the period of frames that overlap.

    Raises:
        InputError: there is no such goal, or weights are missing, too many or not above 0.
    """
    if goal not in GOALS:
        raise InputError(f"--objective {goal}: no such objective; use {', '.join(GOALS)}")
    if (goal == "weighted") != (weights is not None):
        raise InputError(
            f"--objective {goal}: --weight MS,MJ belongs to `weighted`, and to it alone: what a millisecond and what "
            "a millijoule count for, such as 1,2"
        )
    if weights is not None and not all(0 < each < float("inf") for each in weights):
        raise InputError(f"--weight {weights[0]:g},{weights[1]:g}: both must be numbers greater than 0")
    per_ms, per_mj = weights or {"latency": (1.0, TIE), "energy": (TIE, 1.0)}.get(goal, (1.0, 1.0))
    return Objective(goal, per_ms, per_mj, pipelined)
