"""`LayerTable`: what a network computes, layer by layer, as columns. No torch here.

A row is what a device executes. What it fuses into a layer has no row: batch normalisation, bias and scale are folded
into the weights before them, an activation runs inside the layer that it follows, a product reads its operands
transposed and scaled by one number, and moves of data behind each other are one move. What only reads the same elements
as another shape, or a run of them, moves nothing and has no row. `edge_deploy.fusing` follows the same rules in any
model's graph, and a test holds the two tables of one network against each other, row by row. Names are those of the
torch modules, so that a row can be traced to a weight, to an ONNX node and to an executed node.

With M output positions, K products summed for each output and N output channels, every row has `macs == M * K * N`:

    convolution      M = height * width     K = channels_in / groups * kernel_h * kernel_w    N = channels_out
    transposed       M = positions that come in; K and N as for a convolution
    linear           M = rows               K = features_in                                   N = features_out
    attention        M = tokens, K = head_dim, N = groups * tokens for the scores; M = head_dim, K = tokens for the mix;
                     groups = windows * heads
    LSTM layer       M = steps              K = features_in + hidden                          N = 4 * hidden

Rows that multiply nothing (softmax, pooling, residual additions, window shuffles) have `macs == 0` and their traffic.
`out_h` and `out_w` are the grid of output positions, (1, m) where there is none. `weights` are constants that a device
stores, so the scores of an attention with padded windows have some: the mask that they add.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.architecture import (
    Architecture,
    Attention,
    Head,
    MBConv,
    Placed,
    Shape,
    Stem,
    kernel_along,
    stem_output,
    windows_along,
)
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.specs import ModelSpec

Integers = NDArray[np.int64]
Names = NDArray[np.str_]

Kind = Literal[
    "conv", "depthwise", "transposed", "linear", "matmul", "lstm", "gru", "softmax", "normalisation", "pool",
    "elementwise", "layout",
]  # fmt: skip
"""How a row computes, which decides what it costs on a device. A linear row's weights are constant, a matmul's are not.
"""

KINDS: tuple[Kind, ...] = get_args(Kind)

ROLES = ("conv", "depthwise", "attention", "mlp", "normalisation", "recurrent", "head", "layout")
"""What a row is for in the network, which is what a reader asks about."""


class Layer(NamedTuple):
    """One row of a `LayerTable`; sizes are counts of elements."""

    name: str
    block: str
    role: str
    kind: str
    m: int
    k: int
    n: int
    groups: int
    out_h: int
    out_w: int
    kernel_h: int
    kernel_w: int
    stride: int
    parameters: int
    weights: int
    inputs: int
    outputs: int


@dataclass(frozen=True)
class LayerTable:
    """Columns of equal length, one entry a layer, in the order of execution.

    `parameters` counts what training learns (batch normalisation's scale and shift included); `weights` counts what
    is stored on a device after folding. `inputs` and `outputs` count activations read and written. All are elements;
    a device knows how many bytes an element takes.
    """

    name: Names
    block: Names
    role: Names
    kind: Names
    m: Integers
    k: Integers
    n: Integers
    groups: Integers
    out_h: Integers
    out_w: Integers
    kernel_h: Integers
    kernel_w: Integers
    stride: Integers
    parameters: Integers
    weights: Integers
    inputs: Integers
    outputs: Integers

    @property
    def macs(self) -> Integers:
        """Multiply-accumulates of each layer."""
        return self.m * self.k * self.n

    def __len__(self) -> int:
        return len(self.name)

    def rows(self) -> list[dict[str, Any]]:
        """The table as plain data, a dict a layer, for JSON."""
        columns = {field.name: getattr(self, field.name).tolist() for field in fields(self)} | {
            "macs": self.macs.tolist()
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def place_of(name: str, names: Collection[str]) -> tuple[str, str]:
    """Block and role of a row, from its name alone.

    Args:
        name: of a row of `layers_of`.
        names: of all rows of that network.
    """
    block, _, part = name.rpartition(".")
    if not block:
        return name, "conv" if name == "stem" else "layout"  # an LSTM's sequence of positions, and back
    if block in ("head", "lstm"):
        return (block, "head") if block == "head" else (name, "recurrent")
    if part in ("partition", "merge"):
        return block, "layout"
    if part.startswith("mlp_"):
        return block, "mlp"
    if part == "depthwise" or f"{block}.depthwise" not in names:
        return block, "depthwise" if part == "depthwise" else "attention"
    return block, "conv"


def layers_of(spec: ModelSpec) -> LayerTable:
    """The layers of a network.

    Args:
        spec: an `Architecture` or an `LSTMBaseline`.

    Returns:
        Its table, for one input (batch 1).
    """
    return table_of(list(_hybrid(spec) if isinstance(spec, Architecture) else _lstm(spec)))


def table_of(rows: Sequence[Layer]) -> LayerTable:
    """Rows as columns; there is at least one."""
    columns = zip(*rows, strict=True)
    return LayerTable(**{name: np.array(column) for name, column in zip(Layer._fields, columns, strict=True)})


def _hybrid(architecture: Architecture) -> Iterator[Layer]:
    yield _stem(architecture.stem, architecture.input)
    for placed in architecture.blocks:
        yield from (
            _mbconv(placed, placed.block) if isinstance(placed.block, MBConv) else _attention(placed, placed.block)
        )
    yield from _head(architecture.head, architecture.features)


def _lstm(spec: LSTMBaseline) -> Iterator[Layer]:
    yield _stem(spec.stem, spec.input)
    features = spec.stem.width
    yield from _turned("sequence", spec.steps, features)
    for index, hidden in enumerate(spec.hidden):
        gates = 4 * hidden
        yield Layer(
            name=f"lstm.{index}",
            block=f"lstm.{index}",
            role="recurrent",
            kind="lstm",
            m=spec.steps,
            k=features + hidden,
            n=gates,
            groups=1,
            out_h=1,
            out_w=spec.steps,
            kernel_h=1,
            kernel_w=1,
            stride=1,
            parameters=gates * (features + hidden) + 2 * gates,  # torch keeps two biases where one would do
            weights=gates * (features + hidden) + gates,
            inputs=spec.steps * features,
            outputs=spec.steps * hidden,
        )
        features = hidden
    yield from _turned("positions", spec.steps, features)
    yield from _head(spec.head, (features, 1, spec.steps))


def _turned(name: str, steps: int, features: int) -> Iterator[Layer]:
    """A feature map as a sequence, or back; with one step or one feature that is the same in memory."""
    if steps > 1 and features > 1:
        yield _traffic(name, name, "layout", "layout", steps * features, steps * features)


def _stem(stem: Stem, shape: Shape) -> Layer:
    return _conv("stem", "stem", "conv", shape, stem_output(stem, shape), stem.kernel, stem.stride)


def _mbconv(placed: Placed, block: MBConv) -> Iterator[Layer]:
    name = placed.name
    hidden = placed.input[0] * block.expand
    wide: Shape = (hidden, *placed.input[1:])
    narrow: Shape = (hidden, *placed.output[1:])
    if block.expand > 1:
        yield _conv(f"{name}.expand", name, "conv", placed.input, wide)
    yield _conv(f"{name}.depthwise", name, "depthwise", wide, narrow, block.kernel, placed.stride, groups=hidden)
    yield _conv(f"{name}.project", name, "conv", narrow, placed.output)
    if placed.input == placed.output:
        yield _residual(f"{name}.add", name, "conv", placed.output)


def _attention(placed: Placed, block: Attention) -> Iterator[Layer]:
    name, shape = placed.name, placed.input
    width, height, breadth = shape
    yield _conv(f"{name}.position", name, "attention", shape, shape, 3, groups=width)
    yield _residual(f"{name}.position_add", name, "attention", shape)
    for projection in ("query", "key", "value"):
        yield _conv(f"{name}.{projection}", name, "attention", shape, shape)
    (rows, tall), (columns, wide) = windows_along(block.window, height), windows_along(block.window, breadth)
    windows, tokens = rows * columns, tall * wide
    padded = width * windows * tokens
    if windows > 1:
        yield _traffic(f"{name}.partition", name, "layout", "layout", 3 * width * height * breadth, 3 * padded)
    groups = windows * (width // block.head_dim)
    scores = groups * tokens * tokens
    mask = windows * tokens if padded > prod(shape) else 0
    yield _matmul(f"{name}.scores", name, tokens, block.head_dim, tokens, groups, mask)
    yield _traffic(f"{name}.softmax", name, "attention", "softmax", scores, scores)
    yield _matmul(f"{name}.mix", name, block.head_dim, tokens, tokens, groups)
    if windows > 1:
        yield _traffic(f"{name}.merge", name, "layout", "layout", padded, width * height * breadth)
    yield _conv(f"{name}.output", name, "attention", shape, shape)
    yield _residual(f"{name}.add", name, "attention", shape)
    wider: Shape = (width * block.mlp_ratio, height, breadth)
    yield _conv(f"{name}.mlp_in", name, "mlp", shape, wider)
    yield _conv(f"{name}.mlp_out", name, "mlp", wider, shape)
    yield _residual(f"{name}.mlp_add", name, "mlp", shape)


def _head(head: Head, shape: Shape) -> Iterator[Layer]:
    if head.width:
        wide: Shape = (head.width, *shape[1:])
        yield _conv("head.expand", "head", "head", shape, wide)
        shape = wide
    yield _traffic("head.pool", "head", "head", "pool", prod(shape), shape[0])
    learned = shape[0] * head.classes + head.classes
    yield Layer(
        "head.classifier", "head", "head", "linear", 1, shape[0], head.classes, 1, 1, 1, 1, 1, 1, learned, learned,
        shape[0], head.classes,
    )  # fmt: skip


def _conv(
    name: str, block: str, role: str, shape: Shape, output: Shape, kernel: int = 1, stride: int = 1, groups: int = 1
) -> Layer:
    """A convolution without bias, batch normalisation behind it."""
    kernel_h, kernel_w = kernel_along(kernel, shape[1]), kernel_along(kernel, shape[2])
    channels = output[0]
    k = shape[0] // groups * kernel_h * kernel_w
    return Layer(
        name=name,
        block=block,
        role=role,
        kind="depthwise" if groups == channels > 1 else "conv",
        m=output[1] * output[2],
        k=k,
        n=channels,
        groups=groups,
        out_h=output[1],
        out_w=output[2],
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride=stride,
        parameters=k * channels + 2 * channels,
        weights=k * channels + channels,  # normalisation's scale folds into the kernel, its shift becomes a bias
        inputs=prod(shape),
        outputs=prod(output),
    )


def _matmul(name: str, block: str, m: int, k: int, n: int, groups: int, mask: int = 0) -> Layer:
    """Products of two activations, one for each head of each window; `mask` elements are added, which are stored."""
    read, written = groups * (m * k + k * n), groups * m * n
    return Layer(name, block, "attention", "matmul", m, k, groups * n, groups, 1, m, 1, 1, 1, 0, mask, read, written)


def _residual(name: str, block: str, role: str, shape: Shape) -> Layer:
    return _traffic(name, block, role, "elementwise", 2 * prod(shape), prod(shape))


def _traffic(name: str, block: str, role: str, kind: str, inputs: int, outputs: int) -> Layer:
    """A layer that multiplies nothing."""
    return Layer(name, block, role, kind, 0, 0, 0, 1, 1, outputs, 1, 1, 1, 0, 0, inputs, outputs)
