"""Training of the shared weights by a recipe; a process that is killed at any moment loses a minute at most.

Each step trains the largest subnet of its phase on the labels, and the smallest one and some random ones on labels, on
the largest one's answers, or on both. A phase may use a part of the space only.

Source: Yu and Huang, Universally Slimmable Networks, ICCV 2019, section 3; Yu et al., BigNAS, ECCV 2020, section 3.1.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edge_search.batches import Batch, Tensors, batches_in, resized, training_batches
from edge_search.supernet.bfloat16 import bfloat16_pays
from edge_search.supernet.checkpoint import Checkpoint, Origin, read_checkpoint, write_checkpoint
from edge_search.supernet.conflict import conflict, probe_of
from edge_search.supernet.distillation import LOSSES
from edge_search.supernet.ema import update
from edge_search.supernet.gradients import projected
from edge_search.supernet.log import Entry, log_of, write_log
from edge_search.supernet.parallel import add_up, over_processes, processes, rank
from edge_search.supernet.recipe import Moment, SupernetRecipe
from edge_search.supernet.sampling import sandwich, subspace
from edge_search.supernet.weights import Supernet
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import Advance
from edge_toolkit.errors import InputError

LOOKS = 20
"""Epochs after which the conflict is measured, at most, evenly spread; the ends of phases come on top."""
STEPS_A_LOOK = 100
"""Steps between two looks at the conflict, about: a look takes as long as five, so that all take a twentieth."""
KEPT_EVERY_S = 60.0
"""Seconds between two checkpoints within an epoch, at least."""


def train_supernet(supernet: Supernet, train: Tensors, origin: Origin, path: Path, advance: Advance) -> None:
    """Train shared weights to the end of their recipe, from where `path` leaves off.

    Args:
        supernet: in the end it holds what networks inherit: the weights' moving average, where the recipe keeps one.
        train: the training split, normalised.
        origin: what decides the outcome, the recipe and the seed above all.
        path: the checkpoint; the log lies beside it.
        advance: called after each epoch.

    Raises:
        InputError: `path` holds something else than a checkpoint of this origin, a phase finds no network in the space,
            or weights are not finite any more.
    """
    for phase in origin.recipe.phases:
        subspace(supernet.space, phase.attention)  # which tells what the space can't do, before anything is spent
    recipe, a_epoch = origin.recipe, batches_in(len(train), origin.recipe.batch)
    training = Training(supernet, recipe, origin.seed, recipe.epochs * a_epoch)
    kept = read_checkpoint(path, origin)
    if kept is not None:
        training.resume(kept)
    probe = probe_of(supernet.space, train, origin.seed)
    looks = min(max(training.steps // STEPS_A_LOOK, 1), LOOKS, recipe.epochs)
    looked = {round((look + 1) * recipe.epochs / looks) for look in range(looks)}
    looked |= {max(1, round(end * recipe.epochs)) for end in accumulate(phase.share for phase in recipe.phases)}
    keeper = _Keeper(path, origin, training, kept.entries if kept is not None else ())
    for epoch in range(training.step // a_epoch, recipe.epochs):
        first = training.step % a_epoch
        for batch in training_batches(train, recipe.batch, origin.seed, epoch, first, rank(), processes()):
            training.advance(batch)
            if training.step % a_epoch:  # an epoch that is over is kept with its entry, or not at all
                keeper.keep_now_and_then()
        found = conflict(supernet, probe) if probe is not None and epoch + 1 in looked else None
        loss = keeper.keep_epoch(epoch + 1, a_epoch, found)
        advance(f"loss {loss:.3f}")
    training.finish()


class _Keeper:
    """Writes checkpoint and log, in the process of rank 0."""

    def __init__(self, path: Path, origin: Origin, training: "Training", entries: tuple[Entry, ...]) -> None:
        self._path, self._origin, self._training, self._entries = path, origin, training, entries
        self._begun = perf_counter() - training.seconds
        self._kept = perf_counter()
        self._log()  # which a copied checkpoint has not, or one whose process was killed before it wrote it

    def keep_now_and_then(self) -> None:
        """Write a checkpoint within an epoch, if the last one is long ago."""
        if perf_counter() - self._kept > KEPT_EVERY_S and self._training.is_finite():
            self._keep()

    def keep_epoch(self, epoch: int, batches: int, found: Mapping[str, Mapping[str, float]] | None) -> float:
        """Write a checkpoint and the log at the end of an epoch; returns its mean loss."""
        training = self._training
        moment = training.recipe.at(training.step - 1, training.steps)
        if not training.is_finite():
            raise InputError(
                f"after epoch {epoch} the loss or the shared weights are not finite, or beyond float32; lower the "
                f"learning rate of phase {moment.index + 1} in the recipe"
                + (f", and remove {self._path}" if self._path.is_file() else "")
            )
        loss = training.loss / batches
        seconds = perf_counter() - self._begun
        self._entries += (Entry(epoch, training.step, moment.index + 1, moment.rate, loss, seconds, found),)
        training.loss = 0.0
        self._keep()
        self._log()
        return loss

    def _log(self) -> None:
        if rank() == 0 and self._entries:
            write_log(log_of(self._path), self._entries)

    def _keep(self) -> None:
        self._training.seconds = perf_counter() - self._begun
        if rank() == 0:
            write_checkpoint(self._path, self._origin, self._training.checkpoint(self._entries))
        self._kept = perf_counter()


class Training:
    """Shared weights in training, one step after the other.

    Args:
        supernet: trained in place.
        recipe: how.
        seed: fixes the subnets of each step.
        steps: of the whole training.
    """

    def __init__(self, supernet: Supernet, recipe: SupernetRecipe, seed: int, steps: int) -> None:
        self.supernet, self.recipe, self.seed, self.steps = supernet, recipe, seed, steps
        self.step, self.seconds, self.loss = 0, 0.0, 0.0
        self._attention = [name for name in supernet.weights if ".attention." in name]
        self._names = [name for name in supernet.weights if name not in set(self._attention)] + self._attention
        convolutions = len(self._names) - len(self._attention)
        parameters = [supernet.weights[name] for name in self._names]
        groups = [{"params": parameters[:convolutions]}, {"params": parameters[convolutions:]}]
        self._optimizer = torch.optim.AdamW([g for g in groups if g["params"]], weight_decay=recipe.weight_decay)
        self._bfloat16 = bfloat16_pays(supernet.device)
        self._ema = {name: weight.detach().clone() for name, weight in supernet.weights.items() if recipe.ema_decay}

    def advance(self, batch: Batch) -> None:
        """Train one step."""
        moment = self.recipe.at(self.step, self.steps)
        for group, share in zip(self._optimizer.param_groups, (moment.phase.conv_rate, 1.0), strict=False):
            group["lr"] = moment.rate * share
        self.loss += over_processes(self._gradients(batch, moment))
        self._optimizer.step()
        if self._ema:
            update(self._ema, self.supernet.weights, self.recipe.ema_decay, self.step)
        self.step += 1

    def _gradients(self, batch: Batch, moment: Moment) -> float:
        """Leave one step's gradients in the shared tensors; returns the largest network's loss on this process."""
        weights = tuple(self.supernet.weights.values())
        rng = np.random.default_rng((self.seed, self.step))
        largest, others = sandwich(self.supernet.space, moment.phase, rng)
        for name, weight in self.supernet.weights.items():
            weight.grad = None
            # What keeps still needs no gradient, which saves the time of it.
            weight.requires_grad_(bool(moment.phase.conv_rate) or ".attention." in name)
        logits = self._logits(batch, largest, self._factors(batch, rng))
        loss = self._labelled(logits, batch)
        _backward(loss)
        apart = self.recipe.gradients == "projected" and moment.late
        first = _taken(weights) if apart else ()
        answers = logits.detach().softmax(1)
        for subnet in others:
            _backward(self._taught(self._logits(batch, subnet), batch, answers, moment.phase.labels))
        if apart:
            for weight, one, other in zip(weights, first, _taken(weights), strict=True):
                weight.grad = projected(one, other) if one is not None and other is not None else _either(one, other)
        else:
            add_up([weight.grad for weight in weights])
        for weight in weights:
            weight.requires_grad_(True)
        return float(loss.detach())

    def _factors(self, batch: Batch, rng: np.random.Generator) -> Callable[[], Tensor] | None:
        """What the largest network's residual branches are multiplied by, drawn for the whole batch."""
        probability = self.recipe.drop_path
        if not probability:
            return None
        return lambda: torch.from_numpy((rng.random(batch.whole) >= probability) / (1 - probability))[batch.rows]

    def _logits(self, batch: Batch, subnet: Architecture, factors: Callable[[], Tensor] | None = None) -> Tensor:
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self._bfloat16):
            logits = self.supernet(resized(batch.x, subnet.input), subnet, factors)
        return logits.float()

    def _labelled(self, logits: Tensor, batch: Batch) -> Tensor:
        smoothing = self.recipe.smoothing
        return F.cross_entropy(logits, batch.y, label_smoothing=smoothing, reduction="sum") / batch.whole

    def _taught(self, logits: Tensor, batch: Batch, answers: Tensor, labels: float) -> Tensor:
        """What a network other than the largest learns from: labels, the largest one's answers, or some of both."""
        if labels == 1:
            return self._labelled(logits, batch)
        distilled = LOSSES[self.recipe.distillation](logits, answers).sum() / batch.whole
        return distilled if labels == 0 else labels * self._labelled(logits, batch) + (1 - labels) * distilled

    def is_finite(self) -> bool:
        """Whether the loss and the weights are finite, with squares that float32 can hold."""
        squares = [weight.detach().square().sum() for weight in self.supernet.weights.values()]
        return bool((torch.stack(squares).sum() + self.loss).isfinite())

    def checkpoint(self, entries: tuple[Entry, ...] = ()) -> Checkpoint:
        """All that training goes on from; `entries` tell of the epochs that are over."""
        state = self._optimizer.state_dict()["state"]
        return Checkpoint(
            step=self.step,
            loss=self.loss,
            seconds=self.seconds,
            entries=entries,
            weights=self.supernet.state_dict(),
            ema=self._ema,
            optimizer={name: state[index] for index, name in enumerate(self._names) if index in state},
        )

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.step, self.seconds, self.loss = checkpoint.step, checkpoint.seconds, checkpoint.loss
        self.supernet.load_state_dict(checkpoint.weights)
        for name, mean in self._ema.items():
            mean.copy_(checkpoint.ema[name])
        kept = checkpoint.optimizer
        slots = {index: dict(kept[name]) for index, name in enumerate(self._names) if name in kept}
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": slots})

    def finish(self) -> None:
        """Leave in the supernet what networks inherit."""
        if self._ema:
            self.supernet.load_state_dict(self._ema)
        for weight in self.supernet.weights.values():
            weight.grad = None


def _backward(loss: Tensor) -> None:
    """Leave the gradients of a loss in the weights; a network of nothing but frozen weights leaves none."""
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped


def _taken(weights: Sequence[nn.Parameter]) -> list[Tensor | None]:
    """The gradients of all processes, taken out of the weights."""
    gradients = [weight.grad for weight in weights]
    add_up(gradients)
    for weight in weights:
        weight.grad = None
    return gradients


def _either(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    return other if one is None else one
