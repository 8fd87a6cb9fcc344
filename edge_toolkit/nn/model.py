"""Torch models from specs."""

import torch
from torch import Tensor, nn

from edge_toolkit.architecture import Architecture, Head, MBConv, Placed, Shape, Stage, Stem, stem_output
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.nn.blocks import AttentionBlock, ConvNorm, MBConvBlock
from edge_toolkit.specs import ModelSpec


class HeadLayers(nn.Module):
    """Optional 1x1 convolution, mean over the positions, linear classifier."""

    def __init__(self, head: Head, shape: Shape) -> None:
        super().__init__()
        if head.width:
            self.expand = ConvNorm(shape, head.width, activation=nn.ReLU())
        self.classifier = nn.Linear(head.width or shape[0], head.classes)

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w) -> logits (b, classes)."""
        logits: Tensor = self.classifier(self.seen(x).mean(dim=(2, 3)))
        return logits

    def seen(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w) -> what the classifier sees the mean of, (b, width, h, w)."""
        y: Tensor = self.expand(x) if hasattr(self, "expand") else x
        return y


class StageLayers(nn.Module):
    """The blocks of one stage; `blocks` is a name that the layer table shares."""

    def __init__(self, stage: Stage, placed: tuple[Placed, ...]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(block_layers(place) for place in placed))

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w) -> (b, width, h / stride, w / stride)."""
        y: Tensor = self.blocks(x)
        return y


class Hybrid(nn.Module):
    """The network of an `Architecture`."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.stem = stem_layers(architecture.stem, architecture.input)
        placed = architecture.blocks
        self.stages = nn.Sequential(
            *(
                StageLayers(stage, tuple(place for place in placed if place.stage == index))
                for index, stage in enumerate(architecture.stages)
            )
        )
        self.head = head_layers(architecture.head, architecture.features)

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w), normalised -> logits (b, classes)."""
        logits: Tensor = self.head(self.stages(self.stem(x)))
        return logits


class LSTMClassifier(nn.Module):
    """The network of an `LSTMBaseline`."""

    def __init__(self, spec: LSTMBaseline) -> None:
        super().__init__()
        self.stem = stem_layers(spec.stem, spec.input)
        widths = (spec.stem.width, *spec.hidden)
        self.lstm = nn.ModuleList(
            nn.LSTM(before, hidden, batch_first=True) for before, hidden in zip(widths, spec.hidden, strict=False)
        )
        self.head = HeadLayers(spec.head, (spec.hidden[-1], 1, spec.steps))

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w), normalised -> logits (b, classes)."""
        x = self.stem(x).flatten(2).transpose(1, 2)  # (b, steps, c)
        for layer in self.lstm:
            x, _ = layer(x)  # (b, steps, hidden)
        logits: Tensor = self.head(x.transpose(1, 2).unsqueeze(2))
        return logits


def build(spec: ModelSpec, seed: int | None = None) -> nn.Module:
    """The torch model of a spec.

    Args:
        spec: an `Architecture` or an `LSTMBaseline`.
        seed: draws the initial weights; None leaves torch's generator as it is.

    Returns:
        A module from normalised inputs (batch, channels, height, width) to logits (batch, classes), in training mode.
    """
    with torch.random.fork_rng(devices=(), enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return Hybrid(spec) if isinstance(spec, Architecture) else LSTMClassifier(spec)


def stem_layers(stem: Stem, shape: Shape) -> nn.Module:
    """The first convolution, for inputs (channels, height, width) of `shape`."""
    return ConvNorm(shape, stem_output(stem, shape)[0], stem.kernel, stem.stride, activation=nn.ReLU())


def block_layers(placed: Placed) -> nn.Module:
    """A block where it stands."""
    if isinstance(placed.block, MBConv):
        return MBConvBlock(placed, placed.block)
    return AttentionBlock(placed, placed.block)


def head_layers(head: Head, shape: Shape) -> nn.Module:
    """The head behind a feature map of `shape`."""
    return HeadLayers(head, shape)
