"""Checkpoints of a supernet: all that its training goes on from, in one safetensors file.

weights.NAME, average.NAME    the shared tensors, and their moving average where there is one
optimizer.SLOT.NAME           what AdamW keeps of each
metadata                      `step`, `loss`, `seconds`; `origin`: recipe, space, data and seed, as JSON

Order, augmentation, subnets and learning rate of a step are functions of the seed and the step, so that these two are
the state of the scheduler and of every generator.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edge_search.space import SearchSpace
from edge_search.supernet.recipe import SupernetRecipe
from edge_toolkit.errors import InputError
from edge_toolkit.files import replacing

PROGRESS = {"step": int, "loss": float, "seconds": float}
"""What the metadata hold beside the origin, and how it is read."""


@dataclass(frozen=True)
class Origin:
    """All that decides what shared weights become: `space` is bound to the data, whose digest is `fingerprint`."""

    space: SearchSpace
    recipe: SupernetRecipe
    fingerprint: str
    seed: int

    @property
    def plain(self) -> dict[str, Any]:
        """As a checkpoint holds it."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "space": self.space.model_dump(mode="json"),
            "data": self.fingerprint,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name after `step` steps and `seconds`; `loss` is the sum over the steps of the epoch in hand."""

    step: int
    loss: float
    seconds: float
    weights: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimizer: Mapping[str, Mapping[str, Tensor]]
    """By the name of the shared tensor, then by slot."""


def write_checkpoint(path: Path, origin: Origin, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a reader sees the old one or the new one, never half of it."""
    state = {f"weights.{name}": tensor for name, tensor in checkpoint.weights.items()}
    state |= {f"average.{name}": tensor for name, tensor in checkpoint.average.items()}
    for name, slots in checkpoint.optimizer.items():
        state |= {f"optimizer.{slot}.{name}": tensor for slot, tensor in slots.items()}
    progress = {name: repr(getattr(checkpoint, name)) for name in PROGRESS}
    metadata = {**progress, "origin": json.dumps(origin.plain)}
    with replacing(path) as beside:
        beside.write_bytes(save({name: tensor.contiguous() for name, tensor in state.items()}, metadata))


def read_checkpoint(path: Path, origin: Origin) -> Checkpoint | None:
    """The checkpoint in a file; None where there is no file.

    Raises:
        InputError: the file is damaged, or has another origin; what differs is told.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            step, loss, seconds = (kind(metadata[name]) for name, kind in PROGRESS.items())
            found = json.loads(metadata["origin"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a file is no mapping
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(f"{path}: is no checkpoint of a supernet ({error}); remove it to train again") from error
    differs = [name for name, value in origin.plain.items() if found.get(name) != value]
    if differs:
        raise InputError(f"{path}: was trained with another {', '.join(differs)}; use another folder, or remove it")
    slots: dict[str, dict[str, Tensor]] = {}
    for key, tensor in _under("optimizer.", state).items():
        slot, _, name = key.partition(".")
        slots.setdefault(name, {})[slot] = tensor
    return Checkpoint(int(step), loss, seconds, _under("weights.", state), _under("average.", state), slots)


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
