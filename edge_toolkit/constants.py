"""`Constant`: a number of a device's file, with its source."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

MOST = 2**20
"""The largest count, far beyond any device."""


class Closed(BaseModel):
    """A frozen value whose YAML has no names but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(Closed):
    """A number, and where it comes from; `assumed` marks one that no source gives for this very device.

    A constant may say in `range` between what bounds it is believed to lie.
    """

    value: float = Field(gt=0, allow_inf_nan=False)
    source: str = Field(min_length=1)
    assumed: bool = False
    range: tuple[FiniteFloat, FiniteFloat] | None = None

    @model_validator(mode="after")
    def _within(self) -> "Constant":
        if self.range is not None and not 0 < self.range[0] <= self.value <= self.range[1]:
            low, high = self.range
            raise ValueError(f"range [{low:g}, {high:g}] must hold the value {self.value:g}, and start above 0")
        return self


def _counted(constant: Constant) -> Constant:
    if constant.value % 1 or constant.value > MOST:
        raise ValueError(f"must be a whole number up to {MOST}, but got {constant.value:g}")
    return constant


def _shared(constant: Constant) -> Constant:
    if constant.value > 1:
        raise ValueError(f"must be a share, 1 at most, but got {constant.value:g}")
    return constant


Count = Annotated[Constant, AfterValidator(_counted)]
"""A whole number."""

Share = Annotated[Constant, AfterValidator(_shared)]
"""A share of a whole."""
