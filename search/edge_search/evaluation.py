"""How good a network is: statistics recalibrated, then the share of right answers."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from edge_search.batches import Tensors, resized
from edge_search.supernet import Supernet
from edge_toolkit.architecture import Architecture, Shape

CALIBRATION = 1024
"""Training samples that recalibrate a subnet's statistics."""
BATCH = 256
KEPT = 1024
"""Subnets whose statistics are kept."""


def calibration_samples(train: Tensors, seed: int) -> Tensor:
    """The training samples that every subnet of a run is recalibrated with, (n, c, h, w)."""
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    return train.x[order[:CALIBRATION]]


def recalibrate(model: nn.Module, samples: Tensor) -> None:
    """Set the running statistics of batch normalisation to those over `samples`, and the model to evaluation.

    Args:
        model: its parameters stay as they are.
        samples: (n, c, h, w), normalised, at the model's input size.

    Source: Li et al., AdaBN, Pattern Recognition 2018; Yu et al., BigNAS, ECCV 2020, section 3.2.
    """
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain average over the batches
    model.train()
    with torch.inference_mode():
        for batch in torch.split(samples, BATCH):
            if len(batch) > 1:
                model(batch)
    model.eval()


def right_answers(model: nn.Module, data: Tensors, shape: Shape) -> int:
    """How many samples a model in evaluation mode classifies rightly; `shape` is its input's."""
    with torch.inference_mode():
        parts = [slice(first, first + BATCH) for first in range(0, len(data), BATCH)]
        return sum(int((model(resized(data.x[part], shape)).argmax(1) == data.y[part]).sum().item()) for part in parts)


def accuracy(model: nn.Module, data: Tensors, shape: Shape) -> float:
    """Share of right answers of a model in evaluation mode; `shape` is its input's."""
    return right_answers(model, data, shape) / len(data)


class Inherited:
    """Subnets with inherited weights as models of their own, ready to be judged.

    A subnet's statistics are recalibrated once, with the same samples for every one, and kept.

    Args:
        supernet: trained.
        train: the training split, which recalibrates.
        validation: the split that judges.
        seed: fixes the samples that recalibrate.
    """

    def __init__(self, supernet: Supernet, train: Tensors, validation: Tensors, seed: int) -> None:
        self._supernet, self._validation = supernet, validation
        self._samples = calibration_samples(train, seed)
        self._statistics: OrderedDict[Architecture, dict[str, Tensor]] = OrderedDict()

    def model(self, architecture: Architecture) -> nn.Module:
        """A subnet as a stand-alone model with statistics of its own, in evaluation mode."""
        model = self._supernet.extract(architecture)
        if architecture in self._statistics:
            model.load_state_dict(self._statistics[architecture], strict=False)
            return model.eval()
        recalibrate(model, resized(self._samples, architecture.input))
        # Copies, for whoever takes the model may train it on.
        self._statistics[architecture] = {name: buffer.clone() for name, buffer in model.named_buffers()}
        if len(self._statistics) > KEPT:
            self._statistics.popitem(last=False)
        return model

    def accuracy(self, architecture: Architecture) -> float:
        """Share of right answers on the validation split."""
        return accuracy(self.model(architecture), self._validation, architecture.input)
