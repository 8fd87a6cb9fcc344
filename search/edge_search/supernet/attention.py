"""Where attention blocks begin, once convolutions have been trained without them."""

from collections.abc import Container, Iterator, Mapping

import torch
from torch import Tensor

COPIED = {"mlp_in": "expand", "mlp_out": "project"}
"""Parts of an attention block, and the parts of the MBConv at its place that compute alike: a widening and a narrowing
pointwise convolution, each with its normalisation."""


def begin_from_convolutions(weights: Mapping[str, Tensor], stages: Container[int]) -> tuple[str, ...]:
    """Let the attention blocks of some stages begin with what the MBConv at their place has learnt.

    The MLP takes over the leading channels of the MBConv's two pointwise convolutions. Positions and attention, which
    have not been trained, are still silent (`edge_toolkit.nn.RESIDUALS`). So a network with attention
    begins close to what it computed without.

    Args:
        weights: the shared tensors, changed in place.
        stages: indices of those whose blocks begin.

    Returns:
        The names of the tensors that were set.
    """
    with torch.no_grad():
        return tuple(_begun(weights, stages))


def _begun(weights: Mapping[str, Tensor], stages: Container[int]) -> Iterator[str]:
    for name, tensor in weights.items():
        place, found, rest = name.partition(".attention.")  # stages.I.blocks.J, mlp_in.conv.weight
        if not found or int(place.split(".")[1]) not in stages:
            continue
        layer, _, parameter = rest.partition(".")
        source = weights.get(f"{place}.mbconv.{COPIED[layer]}.{parameter}") if layer in COPIED else None
        if source is not None:
            common = tuple(slice(min(sizes)) for sizes in zip(tensor.shape, source.shape, strict=True))
            tensor[common] = source[common]
            yield name
