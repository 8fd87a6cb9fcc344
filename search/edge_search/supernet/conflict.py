"""How far conv-only and attention subnets pull the weights that they share in different directions.

A few pairs of networks that differ in nothing but their kinds of block, the first without attention, the second with
attention wherever it may stand, leave gradients of the loss over the same samples. (In the first, a stage of attention
alone is cut to its opening block.) `between` is the mean cosine between a gradient of the first sort and one of the
second, over networks of different pairs; `within` the mean over networks of one sort, also of different pairs. Where
`between` is as high as `within`, attention is no reason for conflict.

Source: Gong et al., NASViT, ICLR 2022, section 3 (gradient conflict in a supernet, by cosine).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from edge_search.batches import Tensors, resized
from edge_search.space import SearchSpace
from edge_search.supernet.sampling import kinds_to_choose, subspace
from edge_search.supernet.weights import Supernet
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError

PAIRS = 4
SAMPLES = 128

Networks = tuple[Architecture, ...]


@dataclass(frozen=True)
class Probe:
    """What the conflict is measured with, the same from the first step to the last."""

    x: Tensor
    y: Tensor
    convolutional: Networks
    attentive: Networks


def has_conflict(space: SearchSpace) -> bool:
    """Whether a space has networks with and without attention that are alike otherwise."""
    with suppress(InputError):
        subspace(space, 0)
        return bool(kinds_to_choose(space))
    return False


def probe_of(space: SearchSpace, train: Tensors, seed: int) -> Probe | None:
    """The networks and samples of a run; None where the space has no conflict.

    Args:
        space: of the supernet.
        train: the training split.
        seed: draws the networks and the samples.
    """
    if not has_conflict(space):
        return None
    without, kinds = subspace(space, 0), {gene.name: "attention" for gene in kinds_to_choose(space)}
    rng = np.random.default_rng((seed, 1))
    deep = {gene.name: max(gene.choices) for gene in space.genes if gene.name.endswith(".depth")}
    convolutional, attentive = [], []
    for _ in range(PAIRS):
        values = {gene.name: gene.choices[rng.integers(len(gene.choices))] for gene in space.genes} | deep
        attentive.append(space.build({**values, **kinds}))
        allowed = {gene.name: values[gene.name] for gene in without.genes if values.get(gene.name) in gene.choices}
        convolutional.append(without.build(allowed))
    index = torch.from_numpy(rng.permutation(len(train))[:SAMPLES])
    return Probe(train.x[index], train.y[index], tuple(convolutional), tuple(attentive))


def conflict(supernet: Supernet, probe: Probe) -> dict[str, dict[str, float]]:
    """The cosines `between` and `within`, for each part of the network that both sorts share."""
    first = [_gradients(supernet, probe, network) for network in probe.convolutional]
    second = [_gradients(supernet, probe, network) for network in probe.attentive]
    between = [(a, b) for (i, a), (j, b) in product(enumerate(first), enumerate(second)) if i != j]
    within = [*combinations(first, 2), *combinations(second, 2)]
    parts: dict[str, list[int]] = {}
    for index, name in enumerate(supernet.weights):
        if all(gradients[index] is not None for gradients in (*first, *second)):
            parts.setdefault(".".join(name.split(".")[: 2 if name.startswith("stages") else 1]), []).append(index)
    return {
        part: {
            "between": float(np.mean([_cosine(a, b, indices) for a, b in between])),
            "within": float(np.mean([_cosine(a, b, indices) for a, b in within])),
        }
        for part, indices in parts.items()
    }


def _gradients(supernet: Supernet, probe: Probe, network: Architecture) -> Sequence[Tensor | None]:
    loss = F.cross_entropy(supernet(resized(probe.x, network.input), network), probe.y)
    return torch.autograd.grad(loss, list(supernet.weights.values()), allow_unused=True)


def _cosine(a: Sequence[Tensor | None], b: Sequence[Tensor | None], indices: Sequence[int]) -> float:
    one, other = (torch.cat([g[index].flatten() for index in indices]) for g in (a, b))  # type: ignore[union-attr]  # the caller saw to it
    return float(F.cosine_similarity(one, other, dim=0))
