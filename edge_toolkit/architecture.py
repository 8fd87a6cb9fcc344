"""`Architecture`: one hybrid conv-Transformer design, as frozen data.

Inputs are `(channels, height, width)`; a sequence of T steps with C channels is `(C, 1, T)`, so that one set of
blocks serves images and sensor streams: a kernel, a window and a stride act along each axis as far as the axis goes.

An `Architecture` is canonical: whatever a network does not use is reduced to one spelling when the value is made
(a kernel that is larger than its grid, a window that covers it, a stride on a single point), so that two spellings of
one network are equal and have one hash.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import ConfigDict, Discriminator, with_config

from edge_toolkit.errors import InputError

CLOSED = ConfigDict(extra="forbid")
"""A value whose JSON form has no names but its own: a misspelt one is told, not ignored."""

Shape = tuple[int, int, int]
"""(channels, height, width) of one input or feature map."""


@with_config(CLOSED)
@dataclass(frozen=True)
class Stem:
    """The first convolution: `kernel` x `kernel`, `stride`, to `width` channels, normalised, ReLU."""

    width: int
    kernel: int = 3
    stride: int = 2


@with_config(CLOSED)
@dataclass(frozen=True)
class MBConv:
    """An inverted bottleneck: expand 1x1, depthwise, project 1x1, with a residual where the shape is kept.

    `expand` multiplies the incoming width; 1 leaves the expanding convolution out.

    Source: Sandler et al., MobileNetV2, CVPR 2018, section 3.3.
    """

    kernel: int = 3
    expand: int = 4
    kind: Literal["mbconv"] = "mbconv"


@with_config(CLOSED)
@dataclass(frozen=True)
class Attention:
    """Positions by a depthwise convolution, multi-head self-attention, and an MLP, each with a residual.

    Queries, keys and values are 1x1 convolutions followed by batch normalisation, which folds into them, so that the
    graph stays 4-D and nothing is left to normalise at run time. `head_dim` divides the stage's width; `mlp_ratio`
    multiplies it; `window` bounds the tokens that see each other along each axis, 0 for all of them.

    Source: Vaswani et al., NeurIPS 2017, section 3.2; Graham et al., LeViT, ICCV 2021, section 4.3 (batch
    normalisation in place of layer normalisation); Chu et al., CPVT, ICLR 2023, section 3.2 (positions by a depthwise
    convolution); Liu et al., Swin, ICCV 2021, section 3.2 (windows).
    """

    head_dim: int = 16
    mlp_ratio: int = 2
    window: int = 0
    kind: Literal["attention"] = "attention"


Block = Annotated[MBConv | Attention, Discriminator("kind")]


@with_config(CLOSED)
@dataclass(frozen=True)
class Stage:
    """Blocks of one width; the first one carries the stride and the change of width."""

    width: int
    stride: int
    blocks: tuple[Block, ...]


@with_config(CLOSED)
@dataclass(frozen=True)
class Head:
    """Global average pooling and a linear classifier, after a 1x1 convolution to `width` channels unless that is 0."""

    classes: int
    width: int = 0


@dataclass(frozen=True)
class Placed:
    """A block where it stands: its name, what comes in, what goes out."""

    name: str
    stage: int
    position: int
    block: Block
    input: Shape
    output: Shape
    stride: int


@with_config(CLOSED)
@dataclass(frozen=True)
class Architecture:
    """One design: input shape, stem, stages of blocks, head.

    Raises:
        InputError: the parts do not make a network; every broken rule is told.
    """

    input: Shape
    stem: Stem
    stages: tuple[Stage, ...]
    head: Head
    kind: Literal["hybrid"] = "hybrid"

    def __post_init__(self) -> None:
        problems = list(_problems(self))
        if problems:
            raise InputError.listing("architecture", problems)
        # The value is still being made, and frozen means frozen from here on.
        object.__setattr__(self, "stem", _canonical_stem(self.stem, self.input))
        object.__setattr__(self, "stages", tuple(_canonical_stages(self)))

    @property
    def blocks(self) -> tuple[Placed, ...]:
        """Every block where it stands, from the input to the output."""
        return tuple(_walk(self))

    @property
    def features(self) -> Shape:
        """The feature map that the head sees, (channels, height, width)."""
        placed = self.blocks
        return placed[-1].output if placed else stem_output(self.stem, self.input)


def kernel_along(kernel: int, size: int) -> int:
    """The kernel that acts along an axis of `size` points: the largest odd number that neither exceeds.

    It is odd so that padding stays symmetric, which every device has.
    """
    smaller = min(kernel, size)
    return smaller if smaller % 2 else smaller - 1


def windows_along(window: int, size: int) -> tuple[int, int]:
    """How an axis of `size` tokens is cut: the number of windows and the tokens in each.

    Windows are as even as can be, so that the fewest tokens are padded: 25 tokens under a window of 10 make 3 of 9.
    """
    count = -(-size // window) if window else 1
    return count, -(-size // count)


def strided(size: int, stride: int) -> int:
    """Points left of `size` after a stride, with "same" padding."""
    return -(-size // stride)


def stem_output(stem: Stem, shape: Shape) -> Shape:
    """The feature map behind a stem, (channels, height, width)."""
    return stem.width, strided(shape[1], stem.stride), strided(shape[2], stem.stride)


def _walk(architecture: Architecture) -> Iterator[Placed]:
    shape = stem_output(architecture.stem, architecture.input)
    for index, stage in enumerate(architecture.stages):
        for position, block in enumerate(stage.blocks):
            stride = stage.stride if position == 0 else 1
            output = (stage.width, strided(shape[1], stride), strided(shape[2], stride))
            yield Placed(f"stages.{index}.blocks.{position}", index, position, block, shape, output, stride)
            shape = output


def _problems(architecture: Architecture) -> Iterator[str]:
    yield from input_problems(architecture.input)
    yield from stem_problems(architecture.stem)
    if not architecture.stages:
        yield "stages is empty; a network has at least one stage"
    width = architecture.stem.width
    for index, stage in enumerate(architecture.stages):
        yield from _stage_problems(f"stages[{index}]", stage, width)
        width = stage.width
    yield from head_problems(architecture.head)


def input_problems(shape: Shape) -> Iterator[str]:
    """The rules that an input's shape breaks, one line each."""
    for name, value in zip(("channels", "height", "width"), shape, strict=True):
        yield from _at_least(f"input {name}", value, 1)


def stem_problems(stem: Stem) -> Iterator[str]:
    """The rules that a stem breaks, one line each."""
    yield from _at_least("stem.width", stem.width, 1)
    yield from _at_least("stem.stride", stem.stride, 1)
    yield from _odd("stem.kernel", stem.kernel)


def head_problems(head: Head) -> Iterator[str]:
    """The rules that a head breaks, one line each."""
    yield from _at_least("head.classes", head.classes, 2)
    yield from _at_least("head.width", head.width, 0)


def _stage_problems(place: str, stage: Stage, width_before: int) -> Iterator[str]:
    yield from _at_least(f"{place}.width", stage.width, 1)
    yield from _at_least(f"{place}.stride", stage.stride, 1)
    if not stage.blocks:
        yield f"{place}.blocks is empty; a stage has at least one block"
    elif isinstance(stage.blocks[0], Attention) and (stage.stride != 1 or stage.width != width_before):
        yield (
            f"{place} changes the shape (stride={stage.stride}, width {width_before} to {stage.width}) and opens with "
            "attention, which keeps it; open the stage with an MBConv"
        )
    for position, block in enumerate(stage.blocks):
        yield from _block_problems(f"{place}.blocks[{position}]", block, stage.width)


def _block_problems(place: str, block: Block, width: int) -> Iterator[str]:
    if isinstance(block, MBConv):
        yield from _odd(f"{place}.kernel", block.kernel)
        yield from _at_least(f"{place}.expand", block.expand, 1)
        return
    yield from _at_least(f"{place}.mlp_ratio", block.mlp_ratio, 1)
    yield from _at_least(f"{place}.window", block.window, 0)
    if block.head_dim < 1 or width % block.head_dim:
        divisors = ", ".join(str(n) for n in range(1, width + 1) if width % n == 0)
        yield f"{place}.head_dim={block.head_dim} does not divide width={width}; use one of {divisors}"


def _at_least(place: str, value: int, minimum: int) -> Iterator[str]:
    if value < minimum:
        yield f"{place}={value} must be at least {minimum}"


def _odd(place: str, value: int) -> Iterator[str]:
    if value < 1 or value % 2 == 0:
        yield f"{place}={value} must be odd and at least 1, so that padding is symmetric; use 3, 5, 7, ..."


def _canonical_stem(stem: Stem, shape: Shape) -> Stem:
    _, height, width = shape
    return replace(stem, kernel=_canonical_kernel(stem.kernel, shape), stride=min(stem.stride, max(height, width)))


def _canonical_stages(architecture: Architecture) -> Iterator[Stage]:
    placed = iter(architecture.blocks)
    for stage in architecture.stages:
        here = [next(placed) for _ in stage.blocks]
        _, height, width = here[0].input
        blocks = tuple(canonical_block(place.block, place.input) for place in here)
        yield replace(stage, stride=min(stage.stride, max(height, width)), blocks=blocks)


def canonical_block(block: Block, shape: Shape) -> Block:
    """The one spelling of a block on an incoming feature map of `shape`."""
    if isinstance(block, MBConv):
        return replace(block, kernel=_canonical_kernel(block.kernel, shape))
    _, height, width = shape
    (rows, tall), (columns, wide) = windows_along(block.window, height), windows_along(block.window, width)
    # The smallest window that cuts the grid the same way; one that does not cut it at all is no window.
    return replace(block, window=0 if rows == columns == 1 else max(tall, wide))


def _canonical_kernel(kernel: int, shape: Shape) -> int:
    return max(kernel_along(kernel, shape[1]), kernel_along(kernel, shape[2]))
