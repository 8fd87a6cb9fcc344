"""`Sign`: something that `doctor` looked at."""

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "missing"]


@dataclass(frozen=True)
class Sign:
    """What was found, and what it means for a measurement, or what to do about it."""

    topic: str
    found: str
    meaning: str
    state: State = "good"
