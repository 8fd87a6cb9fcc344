"""Which constants of a device decide an answer: each one over its range, the others as they are; and where it turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from edge_toolkit.device import Device
from edge_toolkit.figures import COLOURS, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

Cost = Literal["latency", "energy"]

COSTS: tuple[Cost, ...] = ("latency", "energy")
NO_GAIN = 0.999
"""A ratio from which on nothing is said to be gained."""
MOVES = 0.001
"""A constant that moves an answer by less decides nothing."""
FARTHEST = 1000.0
"""How many times larger or smaller a constant is made in looking for where a gain ends."""
HALVINGS = 12


@dataclass(frozen=True)
class Ratios:
    """Latency and energy of one system over those of another."""

    latency: float
    energy: float

    def of(self, cost: Cost) -> float:
        """One of the two."""
        return self.latency if cost == "latency" else self.energy


Answer = Callable[[Device], Ratios]


@dataclass(frozen=True)
class Swing:
    """The answers at both ends of a constant's range."""

    place: str
    value: float
    low: float
    high: float
    at_low: Ratios
    at_high: Ratios

    def width(self, cost: Cost) -> float:
        """How far the answers differ."""
        return abs(self.at_low.of(cost) - self.at_high.of(cost))


def with_constant(device: Device, place: str, value: float) -> Device:
    """A device with another value of one constant, the nearest whole number where its file must have one.

    Args:
        device: stays as it is.
        place: as `device.constants()` names it.
        value: the new one.
    """
    try:
        return _replaced(device, place, value)
    except ValidationError:
        return _replaced(device, place, max(round(value), 1))


def _replaced(device: Device, place: str, value: float) -> Device:
    plain = device.model_dump(by_alias=True)
    holder = plain
    for name in place.split("."):
        holder = holder[name]
    holder["value"] = value
    return Device.model_validate(plain)


def swings(device: Device, answer: Answer) -> list[Swing]:
    """The answers at both ends of every range in a device's file."""
    ranged = [(place, each) for place, each in device.constants() if getattr(each, "range", None) is not None]
    return [
        Swing(place, each.value, *each.range, *(answer(with_constant(device, place, end)) for end in each.range))
        for place, each in ranged
    ]


def without_range(device: Device) -> list[str]:
    """The places of constants that are assumed and have no range."""
    return [place for place, each in device.constants() if each.assumed and getattr(each, "range", None) is None]


def widest(found: Sequence[Swing], cost: Cost, count: int) -> list[Swing]:
    """Those that move an answer most, in order."""
    moving = [swing for swing in found if swing.width(cost) >= MOVES]
    return sorted(moving, key=lambda swing: -swing.width(cost))[:count]


def together(device: Device, found: Sequence[Swing], answer: Answer, cost: Cost) -> tuple[Ratios, Ratios]:
    """The answers with every constant at the end of its range that helps, and at the one that harms."""
    kind, unkind = device, device
    for swing in found:
        ends = sorted(((swing.at_low.of(cost), swing.low), (swing.at_high.of(cost), swing.high)))
        kind, unkind = (
            with_constant(one, swing.place, end) for one, (_, end) in zip((kind, unkind), ends, strict=True)
        )
    return answer(kind), answer(unkind)


def break_even(device: Device, place: str, value: float, answer: Answer, cost: Cost) -> float | None:
    """The value of one constant at which a gain ends, or begins where there is none.

    Args:
        device: all other constants.
        place: of the constant.
        value: that it has.
        answer: below 1 is a gain.
        cost: in what.

    Returns:
        The value nearest to its own; None where none is found up to `FARTHEST` times larger or smaller.
    """

    def gains(at: float) -> bool:
        return answer(with_constant(device, place, at)).of(cost) < NO_GAIN

    here = gains(value)
    found = []
    for end in (value / FARTHEST, value * FARTHEST):
        if gains(end) == here:
            continue
        same, other = value, end
        for _ in range(HALVINGS):
            middle = sqrt(same * other)
            same, other = (middle, other) if gains(middle) == here else (same, middle)
        found.append(sqrt(same * other))
    return min(found, key=lambda at: max(at / value, value / at), default=None)


def tornado(panel: "Axes", found: Sequence[Swing], centre: Ratios, cost: Cost) -> None:
    """Draw the answers at both ends of each constant's range as bars from the answer as it is."""
    for row, swing in enumerate(found):
        for at, colour in ((swing.at_low, COLOURS[0]), (swing.at_high, COLOURS[3])):
            panel.barh(row, at.of(cost) - centre.of(cost), left=centre.of(cost), color=colour, height=0.7)
    panel.axvline(centre.of(cost), color=INK, linewidth=0.8)
    panel.axvline(1, color=INK, linewidth=0.8, linestyle="--")
    names = [f"{swing.place.removeprefix('processors.')}, {swing.low:g} to {swing.high:g}" for swing in found]
    panel.set_yticks(range(len(found)), names, fontsize=8)
    panel.invert_yaxis()
    panel.grid(axis="x", alpha=0.25)
    panel.set_axisbelow(True)


def tornado_patches() -> "list[Patch]":
    """A legend for `tornado`."""
    from matplotlib.patches import Patch

    return [Patch(color=COLOURS[0], label="low end of the range"), Patch(color=COLOURS[3], label="high end")]
