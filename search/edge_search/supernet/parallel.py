"""Data-parallel training: several processes, started by `torchrun`, each with its share of every batch.

Every process draws the same batches, subnets and augmentation, takes its rows of a batch, and normalises over the whole
of it; gradients are added up over the processes before a step. So the result is that of one process on the same
batches, but for the order in which numbers are added.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from io import StringIO
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from edge_toolkit.errors import InputError, MissingError


def rank() -> int:
    """This process's number, from 0; the one with 0 writes files."""
    return dist.get_rank() if _several() else 0


def processes() -> int:
    """How many processes train together."""
    return dist.get_world_size() if _several() else 1


def _several() -> bool:
    return dist.is_available() and dist.is_initialized()


def training_device() -> torch.device:
    """What trains: this process's GPU, or the CPU where there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that `torchrun` started, with gloo on CPUs and nccl on GPUs; nothing if it started none.

    Only the one of rank 0 talks.

    Raises:
        InputError: this process has no GPU of its own.
    """
    if not dist.is_torchelastic_launched():
        yield
        return
    if torch.cuda.is_available():
        own, there = training_device().index, torch.cuda.device_count()
        if own >= there:
            raise InputError(
                f"--nproc-per-node {os.environ['LOCAL_WORLD_SIZE']}: GPUs here: {there}; start no more "
                "processes than these"
            )
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        with redirect_stderr(StringIO()) if rank() > 0 else nullcontext():
            yield
    finally:
        dist.destroy_process_group()


def add_up(gradients: Sequence[Tensor | None]) -> None:
    """Add up gradients over the processes, in place; all have the same ones.

    Raises:
        MissingError: another process has ended.
    """
    if processes() == 1:
        return
    there = [gradient for gradient in gradients if gradient is not None]
    if not there:  # networks of nothing but weights that are kept as they are
        return
    flat = _summed(torch.cat([gradient.flatten() for gradient in there]))
    for gradient, part in zip(there, torch.split(flat, [gradient.numel() for gradient in there]), strict=True):
        gradient.copy_(part.view_as(gradient))


def over_processes(value: float) -> float:
    """The sum of a number over the processes."""
    return float(_summed(torch.tensor(value, device=training_device()))) if processes() > 1 else value


class WholeBatchNorm(nn.Module):
    """Batch normalisation over the rows of all processes; torch's own does that on GPUs alone.

    Args:
        norm: whose scale, shift and epsilon it has.

    Source: Peng et al., MegDet, CVPR 2018, section 3.3 (cross-GPU batch normalisation).
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps

    def forward(self, x: Tensor) -> Tensor:
        """x: (b, c, h, w), this process's rows -> the same shape."""
        kind, x = x.dtype, x.float()  # numbers of rows are beyond bfloat16
        sums = torch.cat([x.sum((0, 2, 3)), x.new_tensor([x.numel() / x.shape[1]])])
        total = _differentiable_sum(sums)  # (c + 1,)
        count = total[-1]
        centred = x - (total[:-1] / count)[:, None, None]
        variance = _differentiable_sum(centred.square().sum((0, 2, 3))) / count  # (c,)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(kind)


def _differentiable_sum(x: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(x)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return total


class _Sum(torch.autograd.Function):
    """The sum over the processes, of values and of gradients."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        return _summed(x)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _summed(x: Tensor) -> Tensor:
    total = x.clone()
    try:
        dist.all_reduce(total)
    except RuntimeError as error:  # whatever gloo or nccl says of a lost connection
        raise MissingError(
            f"another process of this training has ended ({(str(error).splitlines() or [''])[0]}); what it said, if "
            "anything, stands in the output; the same command goes on from the last checkpoint"
        ) from error
    return total
