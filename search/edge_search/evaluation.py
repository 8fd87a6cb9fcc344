"""How good a network is: statistics recalibrated, then the share of right answers."""

import torch
from torch import Tensor, nn

from edge_search.batches import Tensors, resized
from edge_search.supernet import Supernet
from edge_toolkit.architecture import Architecture, Shape

CALIBRATION = 1024
"""Training samples that recalibrate a subnet's statistics."""
BATCH = 256


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
        return sum(
            int((model(resized(x, shape)).argmax(1) == y).sum().item())
            for x, y in zip(torch.split(data.x, BATCH), torch.split(data.y, BATCH), strict=True)
        )


def accuracy(model: nn.Module, data: Tensors, shape: Shape) -> float:
    """Share of right answers of a model in evaluation mode; `shape` is its input's."""
    return right_answers(model, data, shape) / len(data)


def inherited_model(supernet: Supernet, architecture: Architecture, samples: Tensor) -> nn.Module:
    """A subnet as a stand-alone model with its own statistics, ready to be judged; samples: (n, c, h, w)."""
    model = supernet.extract(architecture)
    recalibrate(model, resized(samples, architecture.input))
    return model
