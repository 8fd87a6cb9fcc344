"""Checkpoints of a supernet: all that its training goes on from, in one safetensors file.

weights.NAME, ema.NAME    the shared tensors, and their moving average where there is one
optimizer.SLOT.NAME       what AdamW keeps of each
metadata                  `step`, `loss`, `seconds`; as JSON `entries`, the epochs that are over, and `origin`: recipe,
                          space, data and seed

Order, augmentation, subnets and learning rate of a step are functions of the seed and the step, so that these two are
the state of the scheduler and of every generator.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from edge_search.space import SearchSpace
from edge_search.supernet.log import Entry
from edge_search.supernet.recipe import SupernetRecipe, recipe_differences
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
    """Tensors by name after `step` steps and `seconds`; `loss` is the sum over the steps of the epoch in hand, and
    `entries` are those of the epochs that are over."""

    step: int
    loss: float
    seconds: float
    entries: tuple[Entry, ...]
    weights: Mapping[str, Tensor]
    ema: Mapping[str, Tensor]
    optimizer: Mapping[str, Mapping[str, Tensor]]
    """By the name of the shared tensor, then by slot."""


def write_checkpoint(path: Path, origin: Origin, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a reader sees the old one or the new one, never half of it."""
    state = {f"weights.{name}": tensor for name, tensor in checkpoint.weights.items()}
    state |= {f"ema.{name}": tensor for name, tensor in checkpoint.ema.items()}
    for name, slots in checkpoint.optimizer.items():
        state |= {f"optimizer.{slot}.{name}": tensor for slot, tensor in slots.items()}
    progress = {name: repr(getattr(checkpoint, name)) for name in PROGRESS}
    entries = [asdict(entry) for entry in checkpoint.entries]
    metadata = {**progress, "entries": json.dumps(entries), "origin": json.dumps(origin.plain)}
    with replacing(path) as beside:
        beside.write_bytes(save({name: tensor.contiguous() for name, tensor in state.items()}, metadata))


def read_checkpoint(path: Path, origin: Origin) -> Checkpoint | None:
    """The checkpoint in a file; None where there is no file.

    Raises:
        InputError: the file is damaged, or has another origin; what differs is told.
    """
    if not path.is_file():
        return None
    with _opened(path) as file:
        metadata = file.metadata() or {}
        step, loss, seconds = (kind(metadata[name]) for name, kind in PROGRESS.items())
        entries, found = _ENTRIES.validate_json(metadata["entries"]), _MAPPING.validate_json(metadata["origin"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - a file is no mapping
    differs = _differences(found, origin.plain)
    if differs:
        raise InputError(
            f"{path}: was trained for something else ({'; '.join(differs)}); use another folder, or remove it"
        )
    slots: dict[str, dict[str, Tensor]] = {}
    for key, tensor in _under("optimizer.", state).items():
        slot, _, name = key.partition(".")
        slots.setdefault(name, {})[slot] = tensor
    return Checkpoint(int(step), loss, seconds, entries, _under("weights.", state), _under("ema.", state), slots)


def entries_in(path: Path) -> tuple[Entry, ...]:
    """The epochs that a checkpoint tells of; none where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return ()
    with _opened(path) as file:
        return _ENTRIES.validate_json((file.metadata() or {})["entries"])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A checkpoint's file; whatever is not as it was written is told."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        reason = str(error)
        if isinstance(error, KeyError):
            reason = f"its metadata have no {error.args[0]}; it may be of another version"
        elif isinstance(error, ValidationError):
            reason = "what it says of itself is damaged"
        raise InputError(f"{path}: is no checkpoint of a supernet ({reason}); remove it to train again") from error


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """What decided these weights and is not what is wanted."""
    differs = [f"its {name} was another" for name in ("space", "data") if found.get(name) != wanted[name]]
    if found.get("seed") != wanted["seed"]:
        differs.append(f"its seed was {found.get('seed')}, not {wanted['seed']}")
    recipe = found.get("recipe")
    return differs + recipe_differences(recipe if isinstance(recipe, dict) else {}, wanted["recipe"])


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


_ENTRIES: TypeAdapter[tuple[Entry, ...]] = TypeAdapter(tuple[Entry, ...])
_MAPPING: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
