"""What an inference takes: `Energy`, read from a machine's own counters, or `ModelledEnergy`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DomainEnergy:
    """What one part of a machine takes: mJ per inference, and W when idle; means over the rounds.

    `gross_mj` is all that it took while inferences ran, and `net_mj` is that less what it takes idle in the same time.
    The intervals are those of 95 %, over the rounds.
    """

    gross_mj: float
    gross_interval_mj: tuple[float, float]
    net_mj: float
    net_interval_mj: tuple[float, float]
    idle_w: float


@dataclass(frozen=True)
class Energy:
    """Energy of an inference, measured over `inferences` of them in `seconds` of load, cut into `rounds`.

    `domains` are `package`, `core`, `uncore`, `dram` and `psys`, as far as the machine has them, each summed over its
    sockets. They overlap: `total` is package + dram.
    """

    total: DomainEnergy
    domains: Mapping[str, DomainEnergy]
    inferences: int
    seconds: float
    rounds: int
    origin: Literal["measured"] = "measured"


@dataclass(frozen=True)
class ModelledEnergy:
    """Energy of an inference by a device's file, mJ, where no counter can be read.

    `assumed` of the `constants` of that device have no source but a guess.
    """

    energy_mj: float
    device: str
    assumed: int
    constants: int
    origin: Literal["modelled"] = "modelled"
