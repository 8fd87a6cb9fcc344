"""One constant of a device set to one value after another: `cim.macros=1,2,4,8`."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from edge_toolkit.device import RESERVED, Device
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked

PREFIX = "processors."


@dataclass(frozen=True)
class Sweep:
    """Values for one place of a device, in the order in which they were given."""

    place: str
    values: tuple[float, ...]

    def devices(self, device: Device) -> Mapping[float, Device]:
        """The device at each value.

        Raises:
            InputError: there is no such place, or it can't have one of the values.
        """
        return {value: with_constant(device, self.place, value) for value in self.values}


def sweep_of(text: str) -> Sweep:
    """What `PLACE=V1,V2,...` says.

    Raises:
        InputError: it is spelled otherwise, or a value is no number or stands there twice.
    """
    place, equals, listed = text.partition("=")
    try:
        values = tuple(float(each) for each in listed.split(","))
    except ValueError:
        values = ()
    if not place or not equals or not values or len(set(values)) < len(values):
        raise InputError(f"--sweep {text}: give PLACE=V1,V2,... with different numbers, such as cim.macros=1,2,4,8")
    return Sweep(place, values)


def sweepable(device: Device) -> tuple[str, ...]:
    """The places of a device whose constant is a number, processors by their names: `npu.clock_mhz`."""
    return tuple(
        place.removeprefix(PREFIX) for place, constant in device.constants() if isinstance(constant.value, int | float)
    )


def with_constant(device: Device, place: str, value: float) -> Device:
    """A device with one constant set to another value, which is then marked as assumed.

    Args:
        device: the device.
        place: such as `npu.clock_mhz`, `cim.macros` or `memory.on_chip_kib`.
        value: the new value.

    Raises:
        InputError: there is no such place, or it can't have that value.
    """
    short = place.removeprefix(PREFIX)
    if short not in sweepable(device):
        raise InputError(
            f"--sweep {place}: {device.name} has no such constant; use one of {', '.join(sweepable(device))}"
        )
    whole = device.model_dump(by_alias=True)
    *parts, name = short.split(".")
    inner = whole[parts[0]] if parts[0] in RESERVED else whole["processors"][parts[0]]
    for part in parts[1:]:
        inner = inner[part]
    inner[name] = {"value": int(value) if float(value).is_integer() else value, "source": "--sweep", "assumed": True}
    return checked(_DEVICE, whole, f"--sweep {place}={value:g}")


_DEVICE: TypeAdapter[Device] = TypeAdapter(Device)
