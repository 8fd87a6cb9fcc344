"""`Device`: hardware as data, a YAML file with a source beside each constant."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from edge_toolkit.errors import InputError
from edge_toolkit.files import read_yaml
from edge_toolkit.layers import KINDS, Kind

FOLDER = Path(__file__).parent / "devices"


class Closed(BaseModel):
    """A frozen value whose YAML has no names but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(Closed):
    """A number, and where it comes from; `assumed` marks one that no source gives for this very device."""

    value: float = Field(gt=0, allow_inf_nan=False)
    source: str = Field(min_length=1)
    assumed: bool = False


class Utilisation(Closed):
    """Share of the peak that each kind of layer reaches, above 0 and up to 1, and where that comes from."""

    value: Mapping[Kind, Annotated[float, Field(gt=0, le=1)]]
    source: str = Field(min_length=1)
    assumed: bool = False

    @field_validator("value")
    @classmethod
    def _every_kind(cls, value: Mapping[Kind, float]) -> Mapping[Kind, float]:
        missing = [kind for kind in KINDS if kind not in value]
        if missing:
            raise ValueError(f"{', '.join(missing)} missing: each kind of layer needs its share")
        return value


class Processor(Closed):
    """What multiplies: peak rate, and what of it each kind of layer reaches.

    Layers that multiply nothing move `elements_per_cycle` elements a cycle.
    """

    clock_mhz: Constant
    macs_per_cycle: Constant
    elements_per_cycle: Constant
    utilisation: Utilisation
    layer_start_us: Constant
    pj_per_mac: Constant
    static_mw: Constant


class Memory(Closed):
    """On-chip and off-chip memory: capacity, bandwidth (GB/s) and energy (pJ a byte)."""

    on_chip_kib: Constant
    on_chip_gb_s: Constant
    on_chip_pj_per_byte: Constant
    dram_gb_s: Constant
    dram_pj_per_byte: Constant


class Device(Closed):
    """A processor with its memory, at one precision.

    `origin` says how its costs are found: `modelled` from the constants in its file.
    """

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    description: str
    origin: Literal["modelled"]
    precision: Literal["f32", "f16", "bf16", "int8"]
    processor: Processor
    memory: Memory

    @property
    def element_bytes(self) -> int:
        """Bytes that an activation or a weight takes."""
        return {"f32": 4, "f16": 2, "bf16": 2, "int8": 1}[self.precision]


def shipped_devices() -> tuple[str, ...]:
    """The names of the devices that ship."""
    return tuple(sorted(entry.stem for entry in FOLDER.glob("*.yaml")))


def load_device(name: str) -> Device:
    """The device of a name, or in a YAML file.

    Args:
        name: one of `shipped_devices()`, or a path that ends in `.yaml` or `.yml`.

    Raises:
        InputError: there is no such device, or its file breaks a rule; every broken rule is told.
    """
    if name in shipped_devices():
        return read_yaml(FOLDER / f"{name}.yaml", _ADAPTER, name)
    if Path(name).suffix in (".yaml", ".yml"):
        return read_yaml(Path(name), _ADAPTER, name)
    raise InputError(
        f"--device {name}: no such device; use {', '.join(shipped_devices())}, or the path of a .yaml file"
    )


_ADAPTER: TypeAdapter[Device] = TypeAdapter(Device)
