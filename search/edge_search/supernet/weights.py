"""`Supernet`: the weights that all networks of a space share.

The shared tensors are as large as the space's largest choices: for each place in the network and each kind of block
that may stand there. A subnet's weights are views of them: the leading channels, and of a kernel its centre. To run a
subnet, the torch modules of its parts are called with those views in place of their parameters, so that a subnet
inside the supernet and the same network standing alone are one piece of code, and gradients flow back to the shared
tensors.

There are no running statistics here: batch normalisation uses the batch in training, and a subnet that stands alone has
its statistics recalibrated before it is judged (`edge_search.evaluation`).

Source: Cai et al., Once-for-All, ICLR 2020, section 3.3 (sorted channels, centred kernels); Yu et al., BigNAS, ECCV
2020, section 3.2 (statistics recalibrated for each subnet).
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache
from math import inf
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from edge_search.choices import StageChoices
from edge_search.genes import Value
from edge_search.space import SearchSpace
from edge_search.supernet.parallel import WholeBatchNorm, processes, training_device
from edge_toolkit.architecture import (
    Architecture,
    Attention,
    Block,
    MBConv,
    Placed,
    canonical_block,
    strided,
)
from edge_toolkit.nn import RESIDUALS, Attend, ConvNorm, DropPath, block_layers, build, head_layers, stem_layers

PARTS = 4096
"""Modules kept for reuse; they hold no weights of their own."""


class Supernet:
    """The shared weights of a space, and its subnets.

    Args:
        space: what may be chosen.
        seed: draws the initial weights.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.space = space
        self.device = training_device()
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.weights: dict[str, nn.Parameter] = {
                f"{place}.{name}": nn.Parameter(_channels_last(parameter.detach().clone()).to(self.device))
                for place, module in _largest_parts(space)
                for name, parameter in module.named_parameters()
            }
        with torch.no_grad():
            for name in _residual_scales(space):
                self.weights[name].zero_()
        self._module: Callable[..., nn.Module] = lru_cache(PARTS)(_without_weights)

    def views(self, architecture: Architecture) -> dict[str, Tensor]:
        """A subnet's weights, by the parameter names of its own model, as views of the shared ones."""
        return {
            f"{part.place}.{name}": view
            for part in parts_of(architecture)
            for name, view in self._views(part.shared, self._module(part.layers, *part.arguments)).items()
        }

    def __call__(self, x: Tensor, architecture: Architecture, factors: Callable[[], Tensor] | None = None) -> Tensor:
        """Logits (b, classes) of a subnet for x: (b, c, h, w) of its input size, normalising over the batch.

        Args:
            x: normalised samples.
            architecture: the subnet.
            factors: of the residual branches, as `edge_toolkit.nn.DropPath` has them; None leaves none out.
        """
        x = _channels_last(x)
        for part in parts_of(architecture):
            module = self._module(part.layers, *part.arguments)
            for dropping in module.children():
                if isinstance(dropping, DropPath):
                    dropping.factors = factors
            x = functional_call(module, self._views(part.shared, module), (x,))
        return x

    def extract(self, architecture: Architecture) -> nn.Module:
        """A stand-alone model with a copy of the subnet's weights; its statistics are still to be recalibrated."""
        model = build(architecture, seed=0)
        model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves this form out
        weights = {name: view.detach().clone() for name, view in self.views(architecture).items()}
        model.load_state_dict(weights, strict=False)  # the statistics are not among the shared weights
        return model

    def state_dict(self) -> dict[str, Tensor]:
        """The shared tensors by name, for a file."""
        return {name: parameter.detach() for name, parameter in self.weights.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over shared tensors of the same names and shapes.

        Raises:
            ValueError: they are those of another space.
        """
        if {name: tensor.shape for name, tensor in state.items()} != {
            name: parameter.shape for name, parameter in self.weights.items()
        }:
            raise ValueError("the shared weights are those of another space")
        with torch.no_grad():
            for name, parameter in self.weights.items():
                parameter.copy_(state[name])

    def _views(self, shared: str, module: nn.Module) -> dict[str, Tensor]:
        return {
            name: _view(self.weights[f"{shared}.{name}"], parameter.shape)
            for name, parameter in module.named_parameters()
        }


def _without_weights(layers: Callable[..., nn.Module], *arguments: Hashable) -> nn.Module:
    """The module of a part, which computes with the weights that it is called with."""
    with torch.device("meta"):
        module = layers(*arguments)
    for child in tuple(module.modules()):
        if isinstance(child, ConvNorm) and processes() > 1:
            child.norm = WholeBatchNorm(child.norm)  # type: ignore[assignment]  # it computes the same
        elif isinstance(child, nn.BatchNorm2d):
            # Without these it always uses the batch's statistics, and a meta tensor is never updated.
            child.track_running_stats = False
            child.running_mean = child.running_var = child.num_batches_tracked = None
        elif isinstance(child, Attend) and child.padded:
            child.mask = child.padding_mask().to(training_device())
    return module


def largest_choices(space: SearchSpace) -> dict[str, Value]:
    """The largest choice of every gene but the kinds of block, which have no order."""
    return {
        gene.name: max(gene.choices, key=lambda choice, name=gene.name: _extent(name, choice))  # type: ignore[misc]  # mypy can't type a lambda's default
        for gene in space.genes
        if not gene.name.endswith(".kind")
    }


def _extent(name: str, choice: Value) -> float:
    return inf if name.endswith(".window") and choice == 0 else float(choice)


class Part(NamedTuple):
    """A stretch of a network: its own name, its shared name, and what makes its module."""

    place: str
    shared: str
    layers: Callable[..., nn.Module]
    arguments: tuple[Hashable, ...]


def parts_of(architecture: Architecture) -> Iterator[Part]:
    """The parts of a network, from the input to the output."""
    yield Part("stem", "stem", stem_layers, (architecture.stem, architecture.input))
    for placed in architecture.blocks:
        yield Part(placed.name, f"{placed.name}.{placed.block.kind}", block_layers, (placed,))
    yield Part("head", "head", head_layers, (architecture.head, architecture.features))


def _channels_last(x: Tensor) -> Tensor:
    return x.to(memory_format=torch.channels_last) if x.ndim == 4 else x


def _view(shared: Tensor, shape: torch.Size) -> Tensor:
    """The leading channels of a shared tensor and the centre of its kernel."""
    for axis, size in enumerate(shape):
        surplus = shared.shape[axis] - size
        if surplus:
            shared = shared.narrow(axis, surplus // 2 if axis >= 2 else 0, size)
    return shared


def _residual_scales(space: SearchSpace) -> Iterator[str]:
    """The scales of the last normalisation of every residual branch."""
    for index, stage in enumerate(space.stages):
        for position in range(1, max(stage.depth)):
            for kind in stage.kinds_at(position):
                for layer in RESIDUALS[kind]:
                    yield f"stages.{index}.blocks.{position}.{kind}.{layer}.norm.weight"


def _largest_parts(space: SearchSpace) -> Iterator[tuple[str, nn.Module]]:
    """Each part of the network in its largest form, under its shared name."""
    largest = space.largest()
    shape = max(space.inputs)
    stem = type(largest.stem)(max(space.stem.width), space.stem.kernel, space.stem.stride)
    yield "stem", stem_layers(stem, shape)
    shape = (stem.width, strided(shape[1], stem.stride), strided(shape[2], stem.stride))
    for index, stage in enumerate(space.stages):
        for position in range(max(stage.depth)):
            stride = stage.stride if position == 0 else 1
            output = (max(stage.width), strided(shape[1], stride), strided(shape[2], stride))
            for block in _largest_blocks(stage, position):
                name = f"stages.{index}.blocks.{position}"
                placed = Placed(name, index, position, canonical_block(block, shape), shape, output, stride)
                yield f"{name}.{block.kind}", block_layers(placed)
            shape = output
    yield "head", head_layers(largest.head, shape)


def _largest_blocks(stage: StageChoices, position: int) -> Iterator[Block]:
    for kind in stage.kinds_at(position):
        if kind == "mbconv":
            yield MBConv(max(stage.kernel), max(stage.expand))
        else:
            yield Attention(max(stage.head_dim), max(stage.mlp_ratio))
