"""From what was evaluated to a `Front`: the non-dominated candidates, in order, and the picks by name."""

from collections.abc import Sequence

import numpy as np
from moocore import is_nondominated
from numpy.typing import NDArray

from edge_toolkit.front import Candidate

Floats = NDArray[np.float64]


def objectives(candidates: Sequence[Candidate]) -> Floats:
    """(n, 3), all to be minimised: one minus accuracy, latency (ms), energy (mJ)."""
    rows = [(1 - candidate.accuracy, candidate.latency_ms, candidate.energy_mj) for candidate in candidates]
    return np.array(rows, dtype=float).reshape(-1, 3)


def non_dominated(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other one matches in all of accuracy, latency and energy and beats in one; fastest first.

    Of candidates that are equal in all three, the first one stays.
    """
    if not candidates:
        return ()
    kept = is_nondominated(objectives(candidates), keep_weakly=False)
    front = [candidate for candidate, keep in zip(candidates, kept, strict=True) if keep]
    return tuple(sorted(front, key=lambda candidate: (candidate.latency_ms, candidate.energy_mj, -candidate.accuracy)))


def picks_of(front: Sequence[Candidate]) -> dict[str, int]:
    """The index of each named pick in a front that isn't empty.

    `knee` is the candidate nearest to the ideal point, each objective scaled to the range that the front spans.

    Source: Branke et al., Finding Knees in Multi-objective Optimization, PPSN 2004 (the notion); the distance to the
    ideal point is one of its common measures.
    """
    values = objectives(front)
    span = np.ptp(values, axis=0)
    scaled = (values - values.min(axis=0)) / np.where(span > 0, span, 1)
    return {
        "knee": int(np.linalg.norm(scaled, axis=1).argmin()),
        "fastest": int(values[:, 1].argmin()),
        "most-accurate": int(values[:, 0].argmin()),
        "least-energy": int(values[:, 2].argmin()),
    }
