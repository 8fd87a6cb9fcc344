"""`Constant`: a number of a device's file, with its source."""

from pydantic import BaseModel, ConfigDict, Field


class Closed(BaseModel):
    """A frozen value whose YAML has no names but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Constant(Closed):
    """A number, and where it comes from; `assumed` marks one that no source gives for this very device.

    An assumed constant may say in `range` between what bounds it is believed to lie.
    """

    value: float = Field(gt=0, allow_inf_nan=False)
    source: str = Field(min_length=1)
    assumed: bool = False
    range: tuple[float, float] | None = None
