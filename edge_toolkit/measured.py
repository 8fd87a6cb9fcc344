"""`Measured`: what real devices needed for the candidates of a front, and its file `measured.json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json, write_json


@dataclass(frozen=True)
class Machine:
    """What a number was taken on, as far as the machine tells: `governor` is None where it can't be read.

    `load_average` is the operating system's over one minute, when the measuring began.
    """

    cpu: str
    cores: int
    governor: str | None
    load_average: float | None


@dataclass(frozen=True)
class Measurement:
    """Median latency of one inference with the 95 % interval of the median, and the 90th percentile; ms.

    `quiet_ms` is the median of the quietest block of requests, to which a busy machine adds least: what a calibrated
    device predicts. None in files from before it was kept.
    """

    latency_ms: float
    interval_ms: tuple[float, float]
    p90_ms: float
    requests: int
    quiet_ms: float | None = None

    def off_by(self, predicted_ms: float) -> float:
        """How far a prediction is from this, as a share: above 0 where it is too high."""
        return predicted_ms / (self.quiet_ms or self.latency_ms) - 1


@dataclass(frozen=True)
class Settings:
    """How a measurement was taken; two of different settings say nothing about each other."""

    device: str
    device_name: str
    precision: str
    threads: int
    versions: Mapping[str, str]


RANDOM_WEIGHTS = "random, seed 0"


@dataclass(frozen=True)
class Measured:
    """Measurements of models on one device: of networks by `edge_toolkit.specs.digest`, of files by their paths.

    `weights` says which weights the measured networks had; latency does not depend on them.
    """

    settings: Settings
    machine: Machine
    candidates: Mapping[str, Measurement] = field(default_factory=dict)
    weights: str = RANDOM_WEIGHTS
    schema: Literal[1] = 1


def write_measured(path: Path, measured: Measured) -> None:
    """Write `measured.json`."""
    write_json(path, asdict(measured))


def read_measured(path: Path) -> Measured:
    """The measurements in a `measured.json`.

    Raises:
        InputError: the file is missing, or breaks a rule.
    """
    if not path.is_file():
        raise InputError(f"{path}: nothing is measured yet; `edge-toolkit measure {path.parent}` does it")
    return checked(_ADAPTER, read_json(path), str(path))


_ADAPTER: TypeAdapter[Measured] = TypeAdapter(Measured)
