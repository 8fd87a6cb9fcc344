"""`Supernet`: the weights that all networks of a space share.

The shared tensors are as large as the space's largest choices: for each place in the network and each kind of block
that may stand there. A subnet's weights are views of them: the leading channels, and of a kernel its centre. To run a
subnet, its own torch model is called with those views in place of its parameters, so that a subnet inside the supernet
and the same network standing alone are one piece of code, and gradients flow back to the shared tensors.

There are no running statistics here: batch normalisation uses the batch in training, and a subnet that stands alone has
its statistics recalibrated before it is judged (`edge_search.evaluation`).

Source: Cai et al., Once-for-All, ICLR 2020, section 3.3 (sorted channels, centred kernels); Yu et al., BigNAS, ECCV
2020, section 3.2 (statistics recalibrated for each subnet).
"""

from collections import OrderedDict
from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor, nn
from torch.func import functional_call

from edge_search.choices import StageChoices
from edge_search.genes import Value
from edge_search.space import SearchSpace
from edge_toolkit.architecture import Architecture, Attention, Block, MBConv, Placed, canonical_block, strided
from edge_toolkit.nn import Attend, block_layers, build, head_layers, stem_layers

SKELETONS = 256
"""Subnet models kept for reuse; they hold no weights of their own."""


class Supernet:
    """The shared weights of a space, and its subnets.

    Args:
        space: what may be chosen.
        seed: draws the initial weights.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self.space = space
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.weights: dict[str, nn.Parameter] = {
                f"{place}.{name}": nn.Parameter(parameter.detach().clone())
                for place, module in _largest_parts(space)
                for name, parameter in module.named_parameters()
            }
        self._skeletons: OrderedDict[Architecture, nn.Module] = OrderedDict()

    def views(self, architecture: Architecture) -> dict[str, Tensor]:
        """A subnet's weights, by the parameter names of its own model, as views of the shared ones."""
        kinds: dict[str, str] = {placed.name: placed.block.kind for placed in architecture.blocks}
        return {
            name: _view(self.weights[_shared_name(name, kinds)], parameter.shape)
            for name, parameter in self._skeleton(architecture).named_parameters()
        }

    def __call__(self, x: Tensor, architecture: Architecture) -> Tensor:
        """Logits (b, classes) of a subnet for x: (b, c, h, w) of its input size, normalising over the batch."""
        logits: Tensor = functional_call(self._skeleton(architecture), self.views(architecture), (x,))
        return logits

    def extract(self, architecture: Architecture) -> nn.Module:
        """A stand-alone model with a copy of the subnet's weights; its statistics are still to be recalibrated."""
        model = build(architecture, seed=0)
        weights = {name: view.detach().clone() for name, view in self.views(architecture).items()}
        model.load_state_dict(weights, strict=False)  # the statistics are not among the shared weights
        return model

    def state_dict(self) -> dict[str, Tensor]:
        """The shared tensors by name, for a file."""
        return {name: parameter.detach() for name, parameter in self.weights.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
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

    def _skeleton(self, architecture: Architecture) -> nn.Module:
        if architecture in self._skeletons:
            self._skeletons.move_to_end(architecture)
            return self._skeletons[architecture]
        with torch.device("meta"):
            skeleton = build(architecture)
        for module in skeleton.modules():
            if isinstance(module, nn.BatchNorm2d):
                # Without these it always uses the batch's statistics, and a meta tensor is never updated.
                module.track_running_stats = False
                module.running_mean = module.running_var = module.num_batches_tracked = None
            if isinstance(module, Attend) and module.padded:
                module.mask = module.padding_mask()
        self._skeletons[architecture] = skeleton
        if len(self._skeletons) > SKELETONS:
            self._skeletons.popitem(last=False)
        return skeleton


def largest_choices(space: SearchSpace) -> dict[str, Value]:
    """The largest choice of every gene but the kinds of block, which have no order."""
    return {
        gene.name: max(gene.choices, key=lambda choice, name=gene.name: _extent(name, choice))  # type: ignore[misc]  # mypy can't type a lambda's default
        for gene in space.genes
        if not gene.name.endswith(".kind")
    }


def _extent(name: str, choice: Value) -> float:
    return inf if name.endswith(".window") and choice == 0 else float(choice)


def _shared_name(name: str, kinds: dict[str, str]) -> str:
    """`stages.0.blocks.1.query.conv.weight` -> `stages.0.blocks.1.attention.query.conv.weight`."""
    parts = name.split(".")
    if parts[0] != "stages":
        return name
    place = ".".join(parts[:4])
    return ".".join((place, kinds[place], *parts[4:]))


def _view(shared: Tensor, shape: torch.Size) -> Tensor:
    """The leading channels of a shared tensor and the centre of its kernel."""
    for axis, size in enumerate(shape):
        surplus = shared.shape[axis] - size
        if surplus:
            shared = shared.narrow(axis, surplus // 2 if axis >= 2 else 0, size)
    return shared


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
