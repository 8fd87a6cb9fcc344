"""What a search-space file may say about one part of a network, and the rules it is held to.

Each rule sits on the field that it judges, so that pydantic tells all broken ones at once, each with its place.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from edge_toolkit.architecture import Shape

Kind = Literal["mbconv", "attention"]

FROZEN = ConfigDict(frozen=True, extra="forbid")


def _listed(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return value
    raise ValueError(f"{value!r} is not a list of choices; write [{value}]")


def _ascending(values: tuple[int, ...]) -> tuple[int, ...]:
    if not values:
        raise ValueError("is empty; list at least one choice")
    if list(values) != sorted(set(values)):
        raise ValueError(f"{list(values)} must ascend without repeats; write {sorted(set(values))}")
    return values


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} must be odd, so that padding is symmetric; use {value - 1} or {value + 1}")
    return value


def _window(value: int) -> int:
    if value == 1:
        raise ValueError("1 would let each token see itself alone; use 0 for no window, or at least 2")
    return value


def _kinds(values: tuple[Kind, ...]) -> tuple[Kind, ...]:
    if not values:
        raise ValueError("is empty; list mbconv, attention or both")
    if len(set(values)) != len(values):
        raise ValueError(f"{list(values)} names a kind twice; write {list(dict.fromkeys(values))}")
    return values


Count = Annotated[int, Field(strict=True, ge=1)]
Odd = Annotated[Count, AfterValidator(_odd)]
Window = Annotated[int, Field(strict=True, ge=0), AfterValidator(_window)]

Choices = Annotated[tuple[Count, ...], BeforeValidator(_listed), AfterValidator(_ascending)]
Kernels = Annotated[tuple[Odd, ...], BeforeValidator(_listed), AfterValidator(_ascending)]
# An attention option is empty where the stage has no attention, so its other rules wait until the kinds are known.
Option = Annotated[tuple[Count, ...], BeforeValidator(_listed)]
Windows = Annotated[tuple[Window, ...], BeforeValidator(_listed)]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(_listed), AfterValidator(_kinds)]


class StemChoices(BaseModel):
    """The first convolution: its widths; kernel and stride are fixed."""

    model_config = FROZEN

    width: Choices
    kernel: Odd = 3
    stride: Count = 2


class StageChoices(BaseModel):
    """One stage. It always opens with an MBConv, which carries the stride and the change of width.

    `blocks` are the kinds allowed behind that first block. `head_dim`, `mlp_ratio` and `window` (0: every token sees
    every other) belong to attention: they are given where it is allowed, and empty where it is not.
    """

    model_config = FROZEN

    blocks: Kinds
    width: Choices
    depth: Choices
    stride: Count = 1
    kernel: Kernels
    expand: Choices
    head_dim: Option = Field(default=(), validate_default=True)
    mlp_ratio: Option = Field(default=(), validate_default=True)
    window: Windows = Field(default=(), validate_default=True)

    def kinds_at(self, position: int) -> tuple[Kind, ...]:
        """The kinds of block that may stand at a position of this stage."""
        return ("mbconv",) if position == 0 else self.blocks

    @field_validator("depth")
    @classmethod
    def _depth_leaves_room(cls, depth: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if max(depth) == 1 and "attention" in info.data.get("blocks", ()):
            raise ValueError(
                "[1] leaves no place for attention behind the opening MBConv; allow a depth of 2 or drop it"
            )
        return depth

    @field_validator("head_dim", "mlp_ratio", "window")
    @classmethod
    def _belongs_to_attention(cls, values: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        blocks = info.data.get("blocks")
        if blocks is None:  # broken itself, and told already
            return values
        if "attention" in blocks:
            return _ascending(values) if values else _absent()
        if values:
            raise ValueError(
                f"{list(values)} has no use, since blocks={list(blocks)} has no attention; drop one or add it"
            )
        return values

    @field_validator("head_dim")
    @classmethod
    def _heads_fill_the_width(cls, head_dims: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        bad = [(head, width) for head in head_dims for width in info.data.get("width", ()) if width % head]
        if bad:
            pairs = ", ".join(f"{head} does not divide width {width}" for head, width in bad)
            raise ValueError(f"{pairs}; every head_dim divides every width of its stage")
        return head_dims


def _absent() -> tuple[int, ...]:
    raise ValueError("is missing, and blocks allows attention; list at least one choice")


class HeadChoices(BaseModel):
    """The classifier: a 1x1 convolution to `width` channels before the pooling, unless that is 0."""

    model_config = FROZEN

    width: Annotated[int, Field(strict=True, ge=0)] = 0


def _at_least_one(stages: Any) -> Any:
    # Before the stages themselves: pydantic's own `min_length` counts the broken ones as absent.
    if isinstance(stages, (list, tuple)) and not stages:
        raise ValueError("is empty; a space has at least one stage")
    return stages


class SpaceChoices(BaseModel):
    """Choices for each part of an `Architecture`.

    Every stage opens with an MBConv; the blocks behind it are of the kinds that the stage allows. `resolution` lists
    the side lengths that images are resized to; without it the network takes the data as they are.
    """

    model_config = FROZEN

    description: str = ""
    input: tuple[Count, Count, Count]
    classes: int = Field(strict=True, ge=2)
    resolution: Choices | None = None
    stem: StemChoices
    stages: Annotated[tuple[StageChoices, ...], BeforeValidator(_at_least_one)]
    head: HeadChoices = HeadChoices()

    @field_validator("resolution")
    @classmethod
    def _images_are_square(cls, resolution: tuple[int, ...] | None, info: ValidationInfo) -> tuple[int, ...] | None:
        shape = info.data.get("input")
        if resolution and shape and (shape[1] != shape[2] or shape[1] not in resolution):
            raise ValueError(
                f"{list(resolution)} holds for square images, and input={list(shape)} is not one of those sizes; "
                f"write input: [{shape[0]}, {max(resolution)}, {max(resolution)}] or drop resolution"
            )
        return resolution

    @property
    def inputs(self) -> tuple[Shape, ...]:
        """The input shapes to choose from, (channels, height, width): one a resolution, or the data's own."""
        if self.resolution is None:
            return (self.input,)
        return tuple((self.input[0], side, side) for side in self.resolution)
