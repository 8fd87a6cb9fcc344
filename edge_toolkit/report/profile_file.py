"""A profile's JSON form (`profiles/PICK.json`), as far as the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, TypeAdapter

from edge_toolkit.files import checked, read_json
from edge_toolkit.measured import Machine


@dataclass(frozen=True)
class Distribution:
    """Latency of a request, ms; `interval` is the 95 % interval of the median."""

    median: float
    p90: float
    p99: float
    min: float
    interval: tuple[float, float]
    count: int


@dataclass(frozen=True)
class ProfileRow:
    """An executed node, or `runtime`, or `binding`; `share` is of the wall time."""

    name: str
    role: str
    block: str
    time_us: float
    share: float
    macs: int
    kernel: str = ""
    precision: str = ""


class Spent(NamedTuple):
    """Microseconds of some rows, and how many rows they are."""

    time_us: float
    rows: int


@dataclass(frozen=True)
class Compared:
    """The model's median latency divided by the baseline's, from one interleaved run, with its 95 % interval."""

    ratio: float
    interval: tuple[float, float]
    verdict: str


@dataclass(frozen=True)
class ProfileFile:
    """One network on one device, and its baseline, which is of the same form."""

    target: str
    device: str
    device_name: str
    precision: str
    asked_precision: str
    threads: int
    streams: int
    latency_ms: Distribution
    wall_us: Annotated[float, Field(gt=0)]
    unread_us: float
    macs: int
    parameters: int
    rows: Annotated[tuple[ProfileRow, ...], Field(min_length=1)]
    machine: Machine
    versions: Mapping[str, str]
    baseline: "ProfileFile | None" = None
    comparison: Compared | None = None

    @property
    def name(self) -> str:
        """The network's, the last part of its path."""
        return Path(self.target).name

    @property
    def both(self) -> tuple["ProfileFile", ...]:
        """This network, and the baseline where there is one."""
        return (self,) if self.baseline is None else (self, self.baseline)

    def spent_by(self, column: Literal["role", "block"]) -> dict[str, Spent]:
        """What the rows of each role or block took, in the order of execution."""
        sums: dict[str, Spent] = {}
        for row in self.rows:
            name = getattr(row, column)
            before = sums.get(name, Spent(0.0, 0))
            sums[name] = Spent(before.time_us + row.time_us, before.rows + 1)
        return sums


def read_profile(path: Path) -> ProfileFile:
    """The profile in a JSON file.

    Raises:
        InputError: the file is missing, or breaks a rule.
    """
    return checked(_ADAPTER, read_json(path), str(path))


_ADAPTER: TypeAdapter[ProfileFile] = TypeAdapter(ProfileFile)
