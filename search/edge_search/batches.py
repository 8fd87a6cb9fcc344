"""Splits as tensors, in batches: normalised, resized to a network's input, augmented in training."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from edge_toolkit.architecture import Shape
from edge_toolkit.data import Normalisation, Split

SHIFT = 2
"""Pixels that an image is shifted by at most, along each axis."""
GAIN = 0.1
"""Standard deviation of the gain that a sensor channel is multiplied by."""
NOISE = 0.05
"""Standard deviation of the noise added to a sensor channel, in units of its own."""


@dataclass(frozen=True, eq=False)
class Tensors:
    """A split on the device that trains: x (n, c, h, w), normalised, and y (n,)."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)


def tensors_of(split: Split, normalisation: Normalisation) -> Tensors:
    """A split as normalised tensors."""
    return Tensors(torch.from_numpy(normalisation.apply(split.x)), torch.from_numpy(split.y))


def resized(x: Tensor, shape: Shape) -> Tensor:
    """x: (b, c, h, w) at a network's input size, bilinear; as it is where it fits."""
    if x.shape[-2:] == shape[1:]:
        return x
    return F.interpolate(x, size=shape[1:], mode="bilinear", align_corners=False)


def training_batches(data: Tensors, size: int, seed: int) -> Iterator[Tensors]:
    """One epoch: shuffled, augmented batches of `size`; a last one of a single sample is left out.

    Args:
        data: the training split.
        size: samples in a batch.
        seed: fixes the order and the augmentation.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data), generator=generator)
    for index in torch.split(order, size):
        if len(index) > 1:  # batch normalisation has no variance over one sample
            yield Tensors(augmented(data.x[index], generator), data.y[index])


def augmented(x: Tensor, generator: torch.Generator) -> Tensor:
    """x: (b, c, h, w) with a shift by up to 2 pixels for images, gain and noise for sensor streams."""
    if x.shape[-2] == 1:
        gain = 1 + GAIN * torch.randn(len(x), x.shape[1], 1, 1, generator=generator)
        return x * gain + NOISE * torch.randn(x.shape, generator=generator)
    rows, columns = (
        torch.randint(2 * SHIFT + 1, (len(x), 1), generator=generator) + torch.arange(side) for side in x.shape[-2:]
    )
    padded = F.pad(x, (SHIFT, SHIFT, SHIFT, SHIFT), mode="replicate")
    sample = torch.arange(len(x))[:, None, None]
    return padded[sample, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
