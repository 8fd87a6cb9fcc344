"""Splits as tensors, in batches: normalised, resized to a network's input, augmented in training."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edge_toolkit.architecture import Shape
from edge_toolkit.data import Normalisation, Split, Streamed

CPU = torch.device("cpu")
SHIFT = 2
"""Pixels that an image is shifted by at most, along each axis."""
AHEAD = 2
"""Batches of streamed images that are decoded ahead."""
GAIN = 0.1
"""Standard deviation of the gain that a sensor channel is multiplied by."""
NOISE = 0.05
"""Standard deviation of the noise added to a sensor channel, in units of its own."""


@dataclass(frozen=True, eq=False)
class Tensors:
    """A split on the device that trains: x (n, c, h, w), normalised, and y (n,); x may stay on disk until indexed."""

    x: "Tensor | OnDisk"
    y: Tensor

    def __len__(self) -> int:
        return len(self.y)


class OnDisk:
    """Streamed images as a tensor would give them: normalised, on a device, those that are asked for."""

    def __init__(self, images: Streamed, normalisation: Normalisation, device: torch.device) -> None:
        self._images, self._normalisation, self.device = images, normalisation, device
        self.shape = images.shape

    def __getitem__(self, index: Tensor | slice) -> Tensor:
        """(k, c, h, w)."""
        chosen = self._images[index if isinstance(index, slice) else index.numpy(force=True)]
        return torch.from_numpy(self._normalisation.apply(chosen)).to(self.device)


def tensors_of(split: Split, normalisation: Normalisation, device: torch.device = CPU) -> Tensors:
    """A split as normalised tensors on a device; streamed images stay on disk."""
    y = torch.from_numpy(split.y).to(device)
    if isinstance(split.x, Streamed):
        return Tensors(OnDisk(split.x, normalisation, device), y)
    return Tensors(torch.from_numpy(normalisation.apply(split.x)).to(device), y)


def resized(x: Tensor, shape: Shape) -> Tensor:
    """x: (b, c, h, w) at a network's input size, bilinear; as it is where it fits."""
    if x.shape[-2:] == shape[1:]:
        return x
    return F.interpolate(x, size=shape[1:], mode="bilinear", align_corners=False)


def batches_in(samples: int, size: int) -> int:
    """Batches of one epoch: a last one of a single sample is left out, for it has no variance to normalise with."""
    return len(range(0, samples - 1, size))


class Batch(NamedTuple):
    """Samples of one step: x (b, c, h, w), in channels_last, and y (b,), this process's `rows` (b,) of `whole`."""

    x: Tensor
    y: Tensor
    rows: Tensor
    whole: int


def training_batches(
    data: Tensors, size: int, seed: int, epoch: int, first: int = 0, part: int = 0, parts: int = 1
) -> Iterator[Batch]:
    """One epoch: shuffled, augmented batches of `size`; a last one of a single sample is left out.

    Each batch is augmented from a seed of its own, so that an epoch can be entered at any batch.

    Args:
        data: the training split.
        size: samples in a batch.
        seed: fixes the order and the augmentation, together with the epoch.
        epoch: from 0.
        first: the batch to begin with.
        part: which share of each batch's rows is given, from 0.
        parts: how many shares there are.
    """
    order = torch.randperm(len(data), generator=_generator(seed, epoch))
    places = torch.split(order, size)[: batches_in(len(data), size)]

    def batch(number: int) -> Batch:
        index = places[number]
        rows = torch.tensor_split(torch.arange(len(index)), parts)[part]
        own = index[rows].to(data.x.device)
        x = augmented(data.x[own], _generator(seed, epoch, number), rows, len(index))
        return Batch(x.to(memory_format=torch.channels_last), data.y[own], rows, len(index))

    if isinstance(data.x, Tensor):
        yield from (batch(number) for number in range(first, len(places)))
        return
    with ThreadPoolExecutor(1) as ahead:  # the next batch is decoded while one is trained
        coming = deque(ahead.submit(batch, number) for number in range(first, min(first + AHEAD, len(places))))
        for number in range(first + AHEAD, len(places) + AHEAD):
            yield coming.popleft().result()
            if number < len(places):
                coming.append(ahead.submit(batch, number))


def _generator(*entropy: int) -> torch.Generator:
    state = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def augmented(x: Tensor, generator: torch.Generator, rows: Tensor, whole: int) -> Tensor:
    """x: (b, c, h, w) with a shift by up to 2 pixels for images, gain and noise for sensor streams.

    What is drawn is drawn for a whole batch, so that a row's share of it does not depend on who asks.

    Args:
        x: some rows of a batch.
        generator: draws.
        rows: which ones.
        whole: rows of the whole batch.
    """
    if x.shape[-2] == 1:
        gain = 1 + GAIN * torch.randn(whole, x.shape[1], 1, 1, generator=generator)[rows].to(x)
        return x * gain + NOISE * torch.randn(whole, *x.shape[1:], generator=generator)[rows].to(x)
    vertical, horizontal = (
        (torch.randint(2 * SHIFT + 1, (whole, 1), generator=generator)[rows] + torch.arange(side)).to(x.device)
        for side in x.shape[-2:]
    )
    padded = F.pad(x, (SHIFT, SHIFT, SHIFT, SHIFT), mode="replicate")
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    return padded[sample, :, vertical[:, :, None], horizontal[:, None, :]].permute(0, 3, 1, 2)
