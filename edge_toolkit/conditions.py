"""`Conditions`: what the machine did while it measured, and whether it was quiet enough for the figures to stand."""

from collections.abc import Iterator
from dataclasses import dataclass

OTHERS = 0.05
"""Share of the usable cores' time that other programs may take."""
STOLEN = 0.01
"""Share of it that a hypervisor may give to its other guests."""
DRIFT = 0.05
"""How far the model may get faster or slower from the first third of its requests to the last."""
SLOWER = 0.05
"""By which share the clock may fall."""
HOT_C = 90.0
"""Temperature from which on processors of laptops and headsets slow down."""


@dataclass(frozen=True)
class State:
    """The machine at a moment; None where it does not tell.

    `frequency_mhz` is the mean over all cores, `temperature_c` the hottest sensor's, `load_average` over one minute.
    """

    load_average: float | None
    frequency_mhz: float | None
    temperature_c: float | None


@dataclass(frozen=True)
class Conditions:
    """What the machine did while a model was measured.

    Attributes:
        before, after: its states.
        seconds: in between.
        others: share of the usable cores' time that other programs took.
        stolen: share of it that the hypervisor gave to its other guests.
        drift: median request of the last third over that of the first third, less 1.
        load: busy neighbours that were asked for; then others may be busy.
    """

    before: State
    after: State
    seconds: float
    others: float | None
    stolen: float | None
    drift: float
    load: int = 0

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the machine was not quiet enough; empty where it was."""
        return tuple(self._doubts())

    def _doubts(self) -> Iterator[str]:
        if self.others is not None and self.others > OTHERS and not self.load:
            yield f"other programs took {self.others:.0%} of the cores"
        if self.stolen is not None and self.stolen > STOLEN:
            yield f"the hypervisor gave {self.stolen:.0%} of the cores' time to other guests"
        if abs(self.drift) > DRIFT:
            yield f"requests got {abs(self.drift):.0%} {'slower' if self.drift > 0 else 'faster'} on the way"
        before, after = self.before.frequency_mhz, self.after.frequency_mhz
        if before and after and after < (1 - SLOWER) * before:
            yield f"the clock fell from {before:.0f} to {after:.0f} MHz"
        if self.after.temperature_c is not None and self.after.temperature_c >= HOT_C:
            yield f"it got {self.after.temperature_c:.0f} degrees hot"

    @property
    def verdict(self) -> str:
        """One line: whether the machine was quiet enough, and if not, why."""
        if self.doubts:
            return f"not quiet: {'; '.join(self.doubts)}"
        return f"with {self.load} busy neighbours, as asked" if self.load else "quiet"
