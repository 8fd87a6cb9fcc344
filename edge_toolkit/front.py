"""`Candidate` and `Front`: what a search found, and its file `front.json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from edge_toolkit.architecture import Architecture
from edge_toolkit.budget import Budget
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json, write_json

PICKS = ("knee", "fastest", "most-accurate", "least-energy")
"""The candidates that have a name."""


@dataclass(frozen=True)
class Candidate:
    """An architecture with its accuracy (share of the validation split) and its cost for one inference.

    `origin` says of `accuracy`, `latency_ms` and `energy_mj` how each was found: `inherited` from the supernet,
    `modelled`, `calibrated` or `measured`.
    """

    architecture: Architecture
    accuracy: float
    latency_ms: float
    energy_mj: float
    macs: int
    parameters: int
    origin: Mapping[str, str]

    @property
    def costs(self) -> dict[str, float]:
        """The costs that a budget can bound, by name."""
        return {"latency_ms": self.latency_ms, "energy_mj": self.energy_mj}


@dataclass(frozen=True)
class Front:
    """The non-dominated candidates inside the budget, fastest first, and the index of each named pick."""

    run: str
    data: str
    space: str
    device: str
    budget: Budget
    candidates: tuple[Candidate, ...]
    picks: Mapping[str, int]
    evaluated: int
    schema: Literal[1] = 1

    def __post_init__(self) -> None:
        remedy = "search again, with the same command"
        if not self.candidates:
            raise InputError(f"candidates is empty; {remedy}")
        problems = [
            f"picks.{name}={index} must be from 0 to {len(self.candidates) - 1}, the last candidate; {remedy}"
            for name, index in self.picks.items()
            if not 0 <= index < len(self.candidates)
        ]
        if problems:
            raise InputError.listing("front", problems)

    def names(self, index: int) -> str:
        """The picks that a candidate is, separated by commas; often none."""
        return ", ".join(name for name, at in self.picks.items() if at == index)

    def pick(self, name: str) -> Candidate:
        """The candidate of a name: `knee`, `fastest`, `most-accurate`, `least-energy`, or its index in the front.

        Raises:
            InputError: there is no such pick.
        """
        if name in self.picks:
            return self.candidates[self.picks[name]]
        if name.isdecimal() and int(name) < len(self.candidates):
            return self.candidates[int(name)]
        raise InputError(
            f"--pick {name}: not in the front; use {', '.join(self.picks)}, or an index below {len(self.candidates)}"
        )


def front_to_json(front: Front) -> dict[str, Any]:
    """Plain data for `json.dumps`."""
    return asdict(front)


def write_front(path: Path, front: Front) -> None:
    """Write `front.json`."""
    write_json(path, front_to_json(front))


def read_front(path: Path) -> Front:
    """The front in a `front.json`.

    Raises:
        InputError: the file is missing, or breaks a rule.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no front yet; the command that began the search goes on with it")
    return checked(_ADAPTER, read_json(path), str(path))


_ADAPTER: TypeAdapter[Front] = TypeAdapter(Front)
