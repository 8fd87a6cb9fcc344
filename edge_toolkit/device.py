"""`Device`: hardware as data, a YAML file with a source beside each constant."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, model_validator

from edge_toolkit.calibration import Calibration
from edge_toolkit.console import note
from edge_toolkit.constants import Closed
from edge_toolkit.errors import InputError
from edge_toolkit.files import read_yaml
from edge_toolkit.memory import Link, Memory
from edge_toolkit.processors import Calibrated, Processor

FOLDER = Path(__file__).parent / "devices"

SUFFIXES = (".yaml", ".yml")

T = TypeVar("T")

RESERVED = ("link", "memory")
"""Names of what stands beside the processors."""


def _named(processors: Mapping[str, Processor]) -> Mapping[str, Processor]:
    wrong = [name for name in processors if not NAME.fullmatch(name) or name in RESERVED]
    if wrong:
        raise ValueError(
            f"processor {wrong[0]!r}: use small letters, digits, - and _, a letter first, not {' or '.join(RESERVED)}"
        )
    return processors


NAME = re.compile(r"[a-z][a-z0-9_-]*")

Processors = Annotated[Mapping[str, Processor], Field(min_length=1), AfterValidator(_named)]


class Device(Closed):
    """Processors that share a memory, at one precision; `link` is what activations cross between two of them.

    `origin` says how its latencies are found: `modelled` from the constants in its file, or `calibrated` on a real
    device, which `calibration` describes.
    """

    schema_version: Literal[2] = Field(alias="schema")
    name: str
    description: str
    origin: Literal["modelled", "calibrated"]
    precision: Literal["f32", "f16", "bf16", "int8"]
    processors: Processors
    memory: Memory
    link: Link | None = None
    calibration: Calibration | None = None

    @model_validator(mode="after")
    def _linked(self) -> "Device":
        if len(self.processors) > 1 and self.link is None:
            raise ValueError(f"link is missing: {' and '.join(self.processors)} hand activations to each other over it")
        return self

    @model_validator(mode="after")
    def _described(self) -> "Device":
        if (self.origin == "calibrated") != (self.calibration is not None):
            raise ValueError("origin calibrated and a `calibration` go together")
        modelled = [name for name, each in self.processors.items() if not isinstance(each, Calibrated)]
        if self.origin == "calibrated" and modelled:
            raise ValueError(f"origin must be modelled, for processor {modelled[0]} is not calibrated")
        return self

    @property
    def element_bytes(self) -> int:
        """Bytes that an activation or a weight takes."""
        return {"f32": 4, "f16": 2, "bf16": 2, "int8": 1}[self.precision]

    @property
    def static_mw(self) -> float:
        """Power of all processors when nothing runs."""
        return sum(processor.static_mw.value for processor in self.processors.values())

    def constants(self) -> Iterator[tuple[str, Any]]:
        """Every constant with its place, such as `processors.npu.clock_mhz`."""
        parts = {f"processors.{name}": processor for name, processor in self.processors.items()}
        for place, part in {**parts, "memory": self.memory, "link": self.link}.items():
            if part is not None:
                yield from _constants(place, part)


class Attachment(Closed):
    """Processors that stand beside those of another device, with the link to them: `xr-npu+cim-mram`."""

    schema_version: Literal[2] = Field(alias="schema")
    name: str
    description: str
    precision: Literal["f32", "f16", "bf16", "int8"]
    processors: Processors
    link: Link

    def constants(self) -> Iterator[tuple[str, Any]]:
        """Every constant with its place, as in a `Device`."""
        for name, processor in self.processors.items():
            yield from _constants(f"processors.{name}", processor)
        yield from _constants("link", self.link)


def shipped_devices() -> tuple[str, ...]:
    """The names of the devices that ship."""
    return tuple(sorted(entry.stem for entry in FOLDER.glob("*.yaml")))


def shipped_attachments() -> tuple[str, ...]:
    """The names of what ships to stand beside a device."""
    return tuple(sorted(entry.stem for entry in (FOLDER / "attached").glob("*.yaml")))


def load_device(name: str) -> Device:
    """The device of a name, or in a YAML file, and what is attached to it.

    A line on standard error tells where a calibrated one is used on another machine than it was calibrated on.

    Args:
        name: one of `shipped_devices()`, or a path that ends in `.yaml` or `.yml`; after each `+` one of
            `shipped_attachments()` or such a path.

    Raises:
        InputError: there is no such device, or its file breaks a rule; every broken rule is told.
    """
    if Path(name).suffix in SUFFIXES and Path(name).is_file():  # whose name may have a +
        return _told(read_yaml(Path(name), _DEVICE, name))
    first, *others = name.split("+")
    if first in shipped_attachments():
        raise InputError(f"--device {name}: {first} stands beside a device and is none; use DEVICE+{first}")
    device = _told(_read(first, FOLDER, shipped_devices(), _DEVICE, "device"))
    for other in others:
        device = attached(device, load_attachment(other))
    return device


def is_attachment(name: str) -> bool:
    """Whether a name is that of what stands beside a device, or of a file of one: it has a link and no memory."""
    path = Path(name)
    if path.suffix not in SUFFIXES or not path.is_file():
        return name in shipped_attachments()
    plain = read_yaml(path, TypeAdapter(Any), name)
    return isinstance(plain, dict) and "link" in plain and "memory" not in plain


def attached(device: Device, attachment: Attachment) -> Device:
    """A device with further processors.

    Raises:
        InputError: the two compute in different precisions, have different links or processors of one name.
    """
    if attachment.precision != device.precision:
        raise InputError(
            f"--device {device.name}+{attachment.name}: {device.name} computes in {device.precision} and "
            f"{attachment.name} in {attachment.precision}; attach what has the same precision"
        )
    if device.link not in (None, attachment.link):
        raise InputError(
            f"--device {device.name}+{attachment.name}: {device.name} has a link of its own, and there is one between "
            "all processors; give both the same one"
        )
    twice = sorted(device.processors.keys() & attachment.processors.keys())
    if twice:
        raise InputError(
            f"--device {device.name}+{attachment.name}: both have a processor {twice[0]}; give one another name"
        )
    return device.model_copy(
        update={
            "name": f"{device.name}+{attachment.name}",
            "description": f"{device.description}; {attachment.description}",
            "processors": {**device.processors, **attachment.processors},
            "link": attachment.link,
            "origin": "modelled",  # as the attachment is: origins are not mixed
            "calibration": None,
        }
    )


class _Asked(BaseModel):
    """What a run's request says of the device."""

    device: Device


def device_of_run(request: Path) -> Device:
    """The device that a run was asked to search for, from its `run.yaml`.

    Raises:
        InputError: the file can't be read, or holds no device of this version.
    """
    return read_yaml(request, _ASKED).device


def load_attachment(name: str) -> Attachment:
    """What stands beside a device, by its name or in a YAML file, as after the `+` in `load_device`."""
    return _read(name, FOLDER / "attached", shipped_attachments(), _ATTACHMENT, "attachment")


def _constants(place: str, part: BaseModel) -> Iterator[tuple[str, Any]]:
    for name, value in part:
        if hasattr(value, "source"):
            yield f"{place}.{name}", value
        elif isinstance(value, BaseModel):
            yield from _constants(f"{place}.{name}", value)


def _told(device: Device) -> Device:
    """The device, after a warning where it was calibrated elsewhere."""
    if device.calibration is not None and (differences := device.calibration.differences()):
        told = "; ".join(differences)
        note(
            f"warning: {device.name} was calibrated elsewhere ({told}); calibrate here, or see its latencies as a guess"
        )
    return device


def _read(name: str, folder: Path, shipped: tuple[str, ...], adapter: TypeAdapter[T], what: str) -> T:
    if name in shipped:
        return read_yaml(folder / f"{name}.yaml", adapter, name)
    if Path(name).suffix in SUFFIXES:
        return read_yaml(Path(name), adapter, name)
    raise InputError(f"--device {name}: no such {what}; use {', '.join(shipped)}, or the path of a .yaml file")


_DEVICE: TypeAdapter[Device] = TypeAdapter(Device)
_ATTACHMENT: TypeAdapter[Attachment] = TypeAdapter(Attachment)
_ASKED: TypeAdapter[_Asked] = TypeAdapter(_Asked)
