"""The bricks of the hybrid networks. Notation: b batch, c channels, h height, w width, d head_dim, t tokens.

Module names are the layer names of `edge_toolkit.layers`.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edge_toolkit.architecture import Attention, MBConv, Placed, Shape, kernel_along, windows_along

RESIDUALS = {"mbconv": ("project",), "attention": ("position", "output", "mlp_out")}
"""The last layer of each residual branch, by kind of block."""


class ConvNorm(nn.Sequential):
    """A convolution with "same" padding, batch normalisation, and an activation if one is given."""

    def __init__(
        self,
        shape: Shape,
        width: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: nn.Module | None = None,
    ) -> None:
        """Args: shape: incoming (c, h, w), which bounds the kernel along each axis; width: channels out."""
        size = kernel_along(kernel, shape[1]), kernel_along(kernel, shape[2])
        padding = size[0] // 2, size[1] // 2
        super().__init__()
        self.conv = nn.Conv2d(shape[0], width, size, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(width)
        if activation is not None:
            self.activation = activation


class DropPath(nn.Module):
    """Leaves a residual branch out for some samples while `factors` is set, which only a supernet's training does.

    `factors` gives what each sample's branch is multiplied by, drawn anew for each branch: (b,), 0 where it is left
    out, and so much more than 1 elsewhere that the mean stays.

    Source: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016.
    """

    def __init__(self) -> None:
        super().__init__()
        self.factors: Callable[[], Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w) -> the same shape."""
        return x if self.factors is None else x * self.factors()[:, None, None, None].to(x)


class MBConvBlock(nn.Module):
    """`MBConv` where it stands."""

    def __init__(self, placed: Placed, block: MBConv) -> None:
        super().__init__()
        hidden = placed.input[0] * block.expand
        wide: Shape = (hidden, *placed.input[1:])
        narrow: Shape = (hidden, *placed.output[1:])
        if block.expand > 1:
            self.expand = ConvNorm(placed.input, hidden, activation=nn.ReLU())
        self.depthwise = ConvNorm(wide, hidden, block.kernel, placed.stride, hidden, nn.ReLU())
        self.project = ConvNorm(narrow, placed.output[0])
        self.residual = placed.input == placed.output
        self.drop_path = DropPath()

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w) -> (b, width, h / stride, w / stride)."""
        wide = self.expand(x) if hasattr(self, "expand") else x
        y: Tensor = self.project(self.depthwise(wide))
        return x + self.drop_path(y) if self.residual else y


class AttentionBlock(nn.Module):
    """`Attention` where it stands: positions, self-attention, MLP, each with a residual."""

    def __init__(self, placed: Placed, block: Attention) -> None:
        super().__init__()
        shape = placed.input
        width = shape[0]
        self.position = ConvNorm(shape, width, 3, groups=width)
        self.query = ConvNorm(shape, width)
        self.key = ConvNorm(shape, width)
        self.value = ConvNorm(shape, width)
        self.attend = Attend(shape, block)
        self.output = ConvNorm(shape, width)
        self.mlp_in = ConvNorm(shape, width * block.mlp_ratio, activation=nn.GELU())
        self.mlp_out = ConvNorm((width * block.mlp_ratio, *shape[1:]), width)
        self.drop_path = DropPath()

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w) -> the same shape."""
        x = x + self.drop_path(self.position(x))
        x = x + self.drop_path(self.output(self.attend(self.query(x), self.key(x), self.value(x))))
        y: Tensor = x + self.drop_path(self.mlp_out(self.mlp_in(x)))
        return y


class Attend(nn.Module):
    """Scaled dot products, softmax and weighted sum, within windows where there are any. It learns nothing.

    Every shape is a constant of the graph, and no tensor has more than four axes.

    Source: Vaswani et al., Attention Is All You Need, NeurIPS 2017, equation 1.
    """

    mask: Tensor

    def __init__(self, shape: Shape, block: Attention) -> None:
        super().__init__()
        self.width, self.height, self.breadth = shape
        self.head_dim = block.head_dim
        self.heads = self.width // block.head_dim
        self.rows, self.tall = windows_along(block.window, self.height)
        self.columns, self.wide = windows_along(block.window, self.breadth)
        self.windowed = self.rows * self.columns > 1
        self.padding = self.rows * self.tall - self.height, self.columns * self.wide - self.breadth
        self.padded = any(self.padding)
        if self.padded:
            self.register_buffer("mask", self.padding_mask(), persistent=False)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """query, key, value: (b, c, h, w) -> (b, c, h, w)."""
        batch = query.shape[0]
        q, k, v = (self._split(each) for each in (query, key, value))  # (b * windows, heads, d, t)
        scores = torch.matmul(q.transpose(-1, -2) * self.head_dim**-0.5, k)  # (b * windows, heads, t, t)
        if self.padded:
            scores = scores + self.mask.repeat_interleave(batch, 0)
        weights = torch.softmax(scores, dim=-1)
        mixed = torch.matmul(v, weights.transpose(-1, -2))  # (b * windows, heads, d, t)
        return self._merge(mixed, batch)

    def _split(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        if self.windowed:
            x = self._partition(x, batch)
        return x.reshape(-1, self.heads, self.head_dim, self.tall * self.wide)

    def _partition(self, x: Tensor, batch: int) -> Tensor:
        """(b, c, h, w) -> (rows * columns * b * c, 1, tall, wide), window by window."""
        if self.padded:
            x = F.pad(x, (0, self.padding[1], 0, self.padding[0]))
        planes = batch * self.width
        if self.rows > 1:
            x = x.reshape(planes, self.rows, self.tall, self.columns * self.wide).transpose(0, 1)
        x = x.reshape(self.rows, planes * self.tall, self.columns, self.wide).transpose(1, 2)
        return x.reshape(-1, 1, self.tall, self.wide)

    def _merge(self, x: Tensor, batch: int) -> Tensor:
        """(b * windows, heads, d, t) -> (b, c, h, w)."""
        if not self.windowed:
            return x.reshape(batch, self.width, self.height, self.breadth)
        planes = batch * self.width
        x = x.reshape(self.rows, self.columns, planes * self.tall, self.wide).transpose(1, 2)
        if self.rows > 1:
            x = x.reshape(self.rows, planes, self.tall, self.columns * self.wide).transpose(0, 1)
        x = x.reshape(batch, self.width, self.rows * self.tall, self.columns * self.wide)
        return x[:, :, : self.height, : self.breadth]

    def padding_mask(self) -> Tensor:
        """(windows, 1, 1, t): minus a large number where a key is padding."""
        seen = F.pad(torch.zeros(1, 1, self.height, self.breadth), (0, self.padding[1], 0, self.padding[0]), value=-1e4)
        seen = seen.reshape(self.rows, self.tall, self.columns, self.wide).transpose(1, 2)
        return seen.reshape(self.rows * self.columns, 1, 1, self.tall * self.wide)
