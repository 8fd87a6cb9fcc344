"""`Profile`: how long a model takes on a device and where the time goes, and its JSON form."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from edge_toolkit.conditions import Conditions
from edge_toolkit.energy import Energy, ModelledEnergy
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json
from edge_toolkit.frames import Frames
from edge_toolkit.measured import Machine

Verdict = Literal["faster", "slower", "no difference seen"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

REST = ("runtime", "binding")
"""The rows that stand for no node; they come last."""

QUIET = 0.1
"""Rows are believed if a request took as long while they were counted as without counters, within this share."""


WIDE = 0.1
"""Width of the median's interval, as a share of it, from which on a reader is told."""


@dataclass(frozen=True)
class Input:
    """An input of a model: its name, shape and element type, as OpenVINO spells them."""

    name: str
    shape: tuple[int, ...]
    type: str


@dataclass(frozen=True)
class Setting:
    """What was asked of a device, empty where nothing was, and what it reports, empty where it tells nothing."""

    name: str
    asked: str
    reported: str

    @property
    def differs(self) -> bool:
        """Whether the device tells something other than what was asked."""
        return "" not in (self.asked, self.reported) and self.asked != self.reported


@dataclass(frozen=True)
class Latency:
    """Distribution of a request's time, ms. `interval` is the 95 % interval of the median, over `count` requests."""

    median: Positive
    p90: float
    p99: float
    min: float
    mean: float
    interval: tuple[Positive, Positive]
    count: int
    max: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The median latency of a model divided by its baseline's; below 1 is faster.

    `interval` is the ratio's 95 % interval for these two compiled models, from one interleaved run; of two runs, the
    widest that their medians' intervals allow.
    """

    ratio: float
    interval: tuple[float, float]
    verdict: Verdict


@dataclass(frozen=True)
class Startup:
    """What is paid once, ms: compiling the model, and its first request, which brings the weights in."""

    compile_ms: float
    first_ms: float


@dataclass(frozen=True)
class Throughput:
    """Requests a second with several under way at once, over `count` requests."""

    at_once: int
    per_second: float
    count: int


@dataclass(frozen=True)
class Streaming:
    """The baseline LSTM with carried state, one step a request, at the model's rate of output: one for each step.

    Attributes:
        steps: of the LSTM in a window.
        samples: new samples that each step brings.
        step_ms: how long a step takes.
        comparison: the model's window over the LSTM's step: what an output costs.
    """

    steps: int
    samples: int
    step_ms: Latency
    comparison: Comparison


@dataclass(frozen=True)
class Peaks:
    """What the device does at most, measured in the same run; `cache_gb_s` is None where a device does not tell."""

    gmac_s: Positive
    memory_gb_s: Positive
    cache_gb_s: Positive | None

    @property
    def gb_s(self) -> float:
        """The faster of its memories."""
        return max(self.memory_gb_s, self.cache_gb_s or 0.0)


@dataclass(frozen=True)
class Row:
    """One line of a profile: an executed node with what was fused into it, or `runtime`, or `binding`.

    `share` is of the wall time. `originals` are the operations of the model that this node executes. `bytes` is what
    it reads (weights among it) and writes, 0 where that is not known.
    """

    name: str
    role: str
    block: str
    kind: str
    time_us: float
    share: float
    macs: int
    kernel: str
    precision: str
    originals: tuple[str, ...]
    bytes: int = 0

    @property
    def gmac_s(self) -> float | None:
        """Multiply-accumulates a second, in thousands of millions; None where there is no time or nothing to count."""
        return self.macs / self.time_us / 1e3 if self.time_us > 0 and self.macs else None

    @property
    def gb_s(self) -> float | None:
        """Bytes a second, in thousands of millions; None where there is no time or nothing to count."""
        return self.bytes / self.time_us / 1e3 if self.time_us > 0 and self.bytes else None

    def of_roof(self, peaks: Peaks) -> float | None:
        """The least time that the device's peaks allow, over the row's; None where there is nothing to count."""
        if self.time_us <= 0 or not (self.macs or self.bytes):
            return None
        return max(self.macs / peaks.gmac_s, self.bytes / peaks.gb_s) / 1e3 / self.time_us


@dataclass(frozen=True)
class Sum:
    """What the rows that have a block or a role in common took, and how many they are."""

    time_us: float
    share: float
    macs: int
    rows: int


@dataclass(frozen=True)
class Profile:
    """A model on a device.

    `latency_ms` is the request's own time, `wall_us` the median of the Python call around it; `rows`, which end with
    `runtime` and `binding`, sum to it. `counted_us` is the median request while the rows were counted, and `unread_us`
    bounds how much of `runtime` belongs to rows, whose counters drop fractions of a microsecond. `macs`
    and `parameters` are the architecture's where that is known, else the model's own; `uncounted` names operations
    whose MACs are left out. What has a default was not taken, or is not in files from before it was.
    """

    target: str
    device: str
    device_name: str
    precision: str
    asked_precision: str
    threads: int
    streams: int
    latency_ms: Latency
    wall_us: Annotated[float, Field(gt=0)]
    counted_us: float
    unread_us: float
    macs: int
    parameters: int
    uncounted: tuple[str, ...]
    inputs: tuple[Input, ...]
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    machine: Machine
    versions: Mapping[str, str]
    baseline: "Profile | None" = None
    comparison: Comparison | None = None
    settings: tuple[Setting, ...] = ()
    startup: Startup | None = None
    throughput: Throughput | None = None
    conditions: Conditions | None = None
    peaks: Peaks | None = None
    frames: Frames | None = None
    streaming: Streaming | None = None
    energy: Annotated[Energy | ModelledEnergy, Field(discriminator="origin")] | None = None
    schema: Literal[1] = 1

    @property
    def name(self) -> str:
        """The network's, the last part of its path."""
        return Path(self.target).name

    @property
    def both(self) -> tuple["Profile", ...]:
        """This network, and the baseline where there is one."""
        return (self,) if self.baseline is None else (self, self.baseline)

    @property
    def request_us(self) -> float:
        """The median request without counters, us."""
        return 1000 * self.latency_ms.median

    @property
    def lost_us(self) -> float:
        """What the counters drop of one row, at most, us; `rows` ends with two that have no counter."""
        return self.unread_us / max(1, len(self.rows) - 2)

    def time_text(self, time_us: float, rows: int = 1) -> str:
        """The time of some rows as text, us; a bound where every counter of theirs read 0."""
        return f"{time_us:.1f}" if time_us else f"<{self.lost_us * rows:.0f}"

    def sums_by(self, column: Literal["role", "block"]) -> dict[str, Sum]:
        """Sums over the rows of each role or block, in the order of execution."""
        sums: dict[str, Sum] = {}
        for row in self.rows:
            name = getattr(row, column)
            before = sums.get(name, Sum(0.0, 0.0, 0, 0))
            sums[name] = Sum(
                before.time_us + row.time_us, before.share + row.share, before.macs + row.macs, before.rows + 1
            )
        return sums


def doubts_of(profile: Profile) -> Iterator[str]:
    """What a reader should know before using the numbers, a sentence each."""
    for each in profile.both:
        if each.precision != each.asked_precision:
            read = each.precision or "nothing"
            yield f"{each.name}: {each.asked_precision} was asked for, and {each.device} read back {read}."
        for setting in each.settings:
            if setting.differs and setting.name != "precision":
                yield (
                    f"{each.name}: {setting.name}: {setting.asked} was asked for, and {each.device} reports "
                    f"{setting.reported}."
                )
        low, high = each.latency_ms.interval
        if high - low > WIDE * each.latency_ms.median:
            yield (
                f"{each.name}: its median lies somewhere between {low:.4f} and {high:.4f} ms, for the machine was "
                "faster and slower in turn: measure longer, or when it is quieter."
            )
        if each.conditions is not None and each.conditions.doubts:
            yield f"{each.name}: the machine was {each.conditions.verdict}; profile it again when it is quieter."
        if each.uncounted:
            yield f"{each.name}: the MACs inside {', '.join(each.uncounted)} are not counted."
        if abs(each.counted_us / each.request_us - 1) > QUIET:
            yield (
                f"{each.name}: a request took {each.counted_us:.1f} us while its rows were timed, but "
                f"{each.request_us:.1f} us before, so that the rows and `runtime` are off by as much: profile it again "
                "when the machine is quieter."
            )


def profile_to_json(profile: Profile) -> dict[str, Any]:
    """Plain data for `json.dumps`, with the sums by role and by block."""
    plain = asdict(profile)
    for part, value in ((plain, profile), (plain["baseline"], profile.baseline)):
        if value is not None:
            part["roles"] = {name: asdict(each) for name, each in value.sums_by("role").items()}
            part["blocks"] = {name: asdict(each) for name, each in value.sums_by("block").items()}
    if profile.baseline is not None:
        del plain["baseline"]["baseline"], plain["baseline"]["comparison"], plain["baseline"]["schema"]
    return plain


def read_profile(path: Path) -> Profile:
    """The profile in a JSON file.

    Raises:
        InputError: the file is missing, or breaks a rule.
    """
    return checked(_ADAPTER, read_json(path), str(path))


def has_baseline(path: Path) -> bool:
    """Whether a file holds a profile with a baseline; one that is missing or damaged does not."""
    try:
        return read_profile(path).baseline is not None
    except InputError:
        return False


_ADAPTER: TypeAdapter[Profile] = TypeAdapter(Profile)
