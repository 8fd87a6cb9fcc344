"""Which constants of a device decide an answer: each one over its range, the others as they are; and where it turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

from edge_toolkit import sweep
from edge_toolkit.device import Device
from edge_toolkit.errors import InputError
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
LOW, HIGH = COLOURS[0], COLOURS[3]
TIED = {"rows": "columns", "pixels_wide": "pixels_high", "channels": "lanes"}
"""A tile of another shape stores as much, an array of another shape multiplies as much: with the one constant the other
changes, so that their product stays."""


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
    """The answers at both ends of a constant's range, and at the value that it has."""

    place: str
    value: float
    low: float
    high: float
    centre: Ratios
    at_low: Ratios
    at_high: Ratios

    def answers(self, cost: Cost) -> list[tuple[float, float]]:
        """Each answer, and the value that gives it, in the order of the answers."""
        pairs = ((self.at_low, self.low), (self.centre, self.value), (self.at_high, self.high))
        return sorted((at.of(cost), value) for at, value in pairs)

    def width(self, cost: Cost) -> float:
        """How far the answers differ."""
        (least, _), _, (most, _) = self.answers(cost)
        return most - least


def with_constant(device: Device, place: str, value: float) -> Device:
    """A device with another value of one constant, and of what is tied to it.

    Args:
        device: stays as it is.
        place: as `device.constants()` names it.
        value: the new one; the nearest whole number is taken where there must be one.
    """
    parent, _, name = place.rpartition(".")
    if name in TIED:
        constants = dict(device.constants())
        tied = f"{parent}.{TIED[name]}"
        product = constants[place].value * constants[tied].value
        return _nearest(_nearest(device, place, value), tied, product / max(round(value), 1))
    return _nearest(device, place, value)


def _nearest(device: Device, place: str, value: float) -> Device:
    try:
        return sweep.with_constant(device, place, value)
    except InputError:
        return sweep.with_constant(device, place, max(round(value), 1))


def swings(device: Device, answer: Answer) -> list[Swing]:
    """The answers at both ends of every range in a device's file."""
    ranged = [
        (place, each)
        for place, each in device.constants()
        if getattr(each, "range", None) is not None and place.rpartition(".")[2] not in TIED.values()
    ]
    centre, found = answer(device), []
    for place, each in ranged:
        low, high = each.range
        ends = [answer(with_constant(device, place, end)) for end in (low, high)]
        found.append(Swing(place, each.value, low, high, centre, *ends))
    return found


def without_range(device: Device) -> list[str]:
    """The places of constants that are assumed and have no range."""
    return [place for place, each in device.constants() if each.assumed and getattr(each, "range", None) is None]


def widest(found: Sequence[Swing], cost: Cost, count: int) -> list[Swing]:
    """Those that move an answer most, in order."""
    moving = [swing for swing in found if swing.width(cost) >= MOVES]
    return sorted(moving, key=lambda swing: -swing.width(cost))[:count]


def together(device: Device, found: Sequence[Swing], answer: Answer, cost: Cost) -> tuple[Ratios, Ratios]:
    """The answers with every constant where it helps most by itself, and where it harms most."""
    kind, unkind = device, device
    for swing in found:
        (_, helps), _, (_, harms) = swing.answers(cost)
        kind, unkind = with_constant(kind, swing.place, helps), with_constant(unkind, swing.place, harms)
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
        The first value where it is so, the nearest to its own; None where there is none up to `FARTHEST` times larger
        or smaller.
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
        found.append(dict(with_constant(device, place, other).constants())[place].value)
    return min(found, key=lambda at: max(at / value, value / at), default=None)


def tornado(panel: "Axes", found: Sequence[Swing], cost: Cost) -> None:
    """Draw the answers at both ends of each constant's range as bars from the answer as it is."""
    centre = found[0].centre.of(cost)
    for row, swing in enumerate(found):
        bars = [(at.of(cost) - centre, colour) for at, colour in ((swing.at_low, LOW), (swing.at_high, HIGH))]
        for width, colour in sorted(bars, key=lambda bar: -abs(bar[0])):  # the shorter one in front
            panel.barh(row, width, left=centre, color=colour, height=0.7)
    panel.axvline(centre, color=INK, linewidth=0.8)
    panel.axvline(1, color=INK, linewidth=0.8, linestyle="--")
    names = [f"{swing.place.removeprefix('processors.')}, {swing.low:g} to {swing.high:g}" for swing in found]
    panel.set_yticks(range(len(found)), names, fontsize=8)
    panel.invert_yaxis()
    panel.grid(axis="x", alpha=0.25)
    panel.set_axisbelow(True)


def tornado_patches() -> "list[Patch]":
    """A legend for `tornado`."""
    from matplotlib.patches import Patch

    return [Patch(color=LOW, label="low end of the range"), Patch(color=HIGH, label="high end")]
