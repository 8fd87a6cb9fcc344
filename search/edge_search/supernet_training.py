"""Training of the shared weights: the sandwich rule with in-place distillation, resumable after every epoch.

Each step trains the largest subnet on the labels, and the smallest one and some random ones on the largest one's
answers. Kinds of block have no order, so the largest subnet draws them anew at each step: every block of the space
learns from labels. This is the single-phase schedule; another schedule is another `train_step`.

Source: Yu and Huang, Universally Slimmable Networks, ICCV 2019, section 3; Yu et al., BigNAS, ECCV 2020, section 3.1.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edge_search.batches import Tensors, resized, training_batches
from edge_search.recipe import Recipe
from edge_search.space import SearchSpace
from edge_search.supernet import Supernet, largest_choices
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import Advance
from edge_toolkit.errors import InputError
from edge_toolkit.files import replacing


def train_supernet(supernet: Supernet, train: Tensors, recipe: Recipe, seed: int, path: Path, advance: Advance) -> None:
    """Train the shared weights, from the last whole epoch that `path` holds.

    Args:
        supernet: trained in place.
        train: the training split, normalised.
        recipe: epochs, batch size, learning rate.
        seed: fixes the order, the augmentation and the subnets of each epoch.
        path: the checkpoint, written after each epoch.
        advance: called after each epoch.

    Raises:
        InputError: `path` holds something else than these weights.
    """
    optimizer = torch.optim.AdamW(supernet.weights.values(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = sum(1 for _ in range(0, len(train) - 1, recipe.batch))
    for epoch in range(load_checkpoint(path, supernet, optimizer), recipe.epochs):
        rng = np.random.default_rng((seed, epoch))
        loss = 0.0
        for step, batch in enumerate(training_batches(train, recipe.batch, seed=seed * 100_003 + epoch)):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * recipe.rate(epoch * steps + step, recipe.epochs * steps)
            loss += train_step(supernet, optimizer, batch, recipe, rng) / steps
        save_checkpoint(path, supernet, optimizer, epoch + 1)
        advance(f"loss {loss:.3f}")


def train_step(
    supernet: Supernet, optimizer: torch.optim.Optimizer, batch: Tensors, recipe: Recipe, rng: np.random.Generator
) -> float:
    """One step of the sandwich rule; returns the largest subnet's loss."""
    optimizer.zero_grad()
    largest, others = _sandwich(supernet.space, recipe.random_subnets, rng)
    logits = supernet(resized(batch.x, largest.input), largest)
    loss = F.cross_entropy(logits, batch.y, label_smoothing=recipe.smoothing)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    answers = logits.detach().softmax(1)
    for subnet in others:
        distilled = F.cross_entropy(supernet(resized(batch.x, subnet.input), subnet), answers)
        distilled.backward()  # type: ignore[no-untyped-call]  # as above
    optimizer.step()
    return float(loss.detach())


def _sandwich(
    space: SearchSpace, random_subnets: int, rng: np.random.Generator
) -> tuple[Architecture, list[Architecture]]:
    kinds = {
        gene.name: gene.choices[rng.integers(len(gene.choices))] for gene in space.genes if gene.name.endswith(".kind")
    }
    drawn = [
        space.decode([int(rng.integers(len(gene.choices))) for gene in space.genes]) for _ in range(random_subnets)
    ]
    return space.build({**largest_choices(space), **kinds}), [space.smallest(), *drawn]


def save_checkpoint(path: Path, supernet: Supernet, optimizer: torch.optim.Optimizer, epoch: int) -> None:
    """Write the shared weights and the optimizer's state, so that training goes on after `epoch` whole epochs."""
    names = list(supernet.weights)
    state = {f"weights.{name}": tensor.contiguous() for name, tensor in supernet.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{slot}.{names[index]}": tensor.contiguous() for slot, tensor in slots.items()}
    with replacing(path) as beside:
        beside.write_bytes(save(state, metadata={"epoch": str(epoch)}))


def load_checkpoint(path: Path, supernet: Supernet, optimizer: torch.optim.Optimizer | None = None) -> int:
    """Take over the shared weights, and the optimizer's state if one is given.

    Returns:
        The whole epochs behind them; 0 where there is no file, which leaves everything as it is.

    Raises:
        InputError: the file is damaged, or holds the weights of another space.
    """
    if not path.is_file():
        return 0
    try:
        with safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a file is no mapping
            epoch = int((file.metadata() or {})["epoch"])
        supernet.load_state_dict(dict(_under("weights.", state)))
    except (SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is no checkpoint of this run ({error}); remove it to train again") from error
    if optimizer is not None:
        slots: dict[int, dict[str, Tensor]] = {}
        indices = {name: index for index, name in enumerate(supernet.weights)}
        for key, tensor in _under("optimizer.", state):
            slot, _, name = key.partition(".")
            slots.setdefault(indices[name], {})[slot] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": slots})
    return epoch


def _under(prefix: str, state: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    return ((name.removeprefix(prefix), tensor) for name, tensor in state.items() if name.startswith(prefix))
