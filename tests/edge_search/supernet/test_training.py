"""Training: it teaches, each part of a recipe does what it says, and a stopped one goes on bit for bit."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_search.batches import training_batches
from edge_search.evaluation import Inherited
from edge_search.space import SearchSpace
from edge_search.supernet import Supernet, training
from edge_search.supernet.checkpoint import entries_in
from edge_search.supernet.log import log_of
from edge_search.supernet.recipe import SupernetRecipe
from edge_search.supernet.training import Training, train_supernet
from edge_toolkit.errors import InputError
from tests.edge_search.spaces_for_tests import PLAIN, changed
from tests.edge_search.supernet.toys import SPACE, TWO_STAGES, ignore, origin, recipe, separable

PHASES: tuple[dict[str, Any], ...] = (
    {"share": 0.5, "learning_rate": 2e-3, "attention": 0},
    {"share": 0.25, "learning_rate": 1e-3, "conv_rate": 0, "attention": 1, "attention_share": 1},
    {"share": 0.25, "learning_rate": 1e-3, "conv_rate": 0.5, "attention_share": 0.7},
)
LABELLED: dict[str, Any] = {"share": 1, "learning_rate": 2e-3, "labels": 1}
RECIPES = {
    "single": recipe(2),
    "phases": recipe(4, *PHASES, ema_decay=0.9, distillation="alpha", drop_path=0.2),
    "projected": recipe(2, LABELLED, gradients="projected"),
}


def trained(how: SupernetRecipe, path: Path, advance: Callable[..., None] = ignore) -> dict[str, torch.Tensor]:
    supernet = Supernet(TWO_STAGES, seed=7)
    train_supernet(supernet, separable(120), origin(how, TWO_STAGES), path, advance)
    return supernet.state_dict()


@pytest.mark.parametrize("name", RECIPES)
def test_training_teaches_every_subnet(tmp_path: Path, name: str) -> None:
    train, validation = separable(600), separable(300, seed=1)
    supernet, rng = Supernet(SPACE, seed=0), np.random.default_rng(0)
    subnets = [SPACE.smallest(), SPACE.largest(), *(SPACE.sample(rng) for _ in range(4))]

    def mean_accuracy() -> float:
        inherited = Inherited(supernet, train, validation, seed=0)
        return float(np.mean([inherited.accuracy(subnet) for subnet in subnets]))

    before = mean_accuracy()
    train_supernet(
        supernet, train, origin(RECIPES[name].model_copy(update={"epochs": 6})), tmp_path / "s.safetensors", ignore
    )
    assert before < 0.6
    assert mean_accuracy() > 0.9


class Stopped(Exception):  # noqa: N818 - stands for a kill
    pass


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("step", [1, 4, 5])
def test_training_that_was_stopped_at_any_step_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, step: int
) -> None:
    """Three steps an epoch, a checkpoint after each; the process ends before the next one is written."""
    whole = trained(RECIPES[name], tmp_path / "whole.safetensors")
    monkeypatch.setattr(training, "KEPT_EVERY_S", 0)
    real, steps = Training.advance, iter(range(100))

    def stopping(self: Training, batch: Any) -> None:
        if next(steps) == step:
            raise Stopped
        real(self, batch)

    path = tmp_path / "part.safetensors"
    with monkeypatch.context() as patched:
        patched.setattr(Training, "advance", stopping)
        with pytest.raises(Stopped):
            trained(RECIPES[name], path)
    found = trained(RECIPES[name], path)
    assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())
    told = [
        [replace(entry, seconds=0) for entry in entries_in(each)] for each in (path, tmp_path / "whole.safetensors")
    ]
    assert told[0] == told[1]
    lines = [json.loads(line) for line in log_of(path).read_text().splitlines()]
    assert lines == [asdict(entry) for entry in entries_in(path)]


@pytest.mark.parametrize("look", [1, 4])
def test_training_that_was_stopped_at_a_look_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    """The first look of four comes after the first epoch, the last one after the last step."""
    monkeypatch.setattr(training, "STEPS_A_LOOK", 3)
    monkeypatch.setattr(training, "KEPT_EVERY_S", 0)
    whole = trained(RECIPES["phases"], tmp_path / "whole.safetensors")
    path, real, looks = tmp_path / "part.safetensors", training.conflict, iter(range(1, 5))

    def stopping(*words: Any) -> Any:
        if next(looks) == look:
            raise Stopped
        return real(*words)

    with monkeypatch.context() as patched:
        patched.setattr(training, "conflict", stopping)
        with pytest.raises(Stopped):
            trained(RECIPES["phases"], path)
    found = trained(RECIPES["phases"], path)
    assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())
    told = [
        [replace(entry, seconds=0) for entry in entries_in(each)] for each in (path, tmp_path / "whole.safetensors")
    ]
    assert told[0] == told[1]
    assert [entry.epoch for entry in told[0] if entry.conflict] == [1, 2, 3, 4]


def test_a_trained_supernet_is_only_read(tmp_path: Path) -> None:
    path, told = tmp_path / "s.safetensors", []
    whole = trained(RECIPES["phases"], path)
    written = path.read_bytes()
    found = trained(RECIPES["phases"], path, told.append)
    assert all(torch.equal(found[name], tensor) for name, tensor in whole.items())
    assert path.read_bytes() == written
    assert told == []


def advanced(how: SupernetRecipe, steps: int) -> tuple[dict[str, torch.Tensor], Training]:
    """The weights before the last of some steps, and the training after it."""
    supernet = Supernet(TWO_STAGES, seed=0)
    learning = Training(supernet, how, seed=0, steps=12)
    before: dict[str, torch.Tensor] = {}
    batches = [batch for epoch in range(4) for batch in training_batches(separable(120), 40, 0, epoch)]
    for batch in batches[:steps]:
        before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
        learning.advance(batch)
    return before, learning


@pytest.mark.parametrize(
    ("step", "moves", "stays"),
    [
        (1, ".mbconv.", ".attention."),
        (7, "stages.1.blocks.1.attention.", "stages.0.blocks.1.attention."),  # the deeper stage comes first
        (7, "stages.1.blocks.1.attention.", ".mbconv."),  # conv_rate 0
        (12, ".mbconv.", "nothing"),
        (12, "stages.0.blocks.1.attention.", "nothing"),
    ],
)
def test_each_phase_trains_what_it_says(step: int, moves: str, stays: str) -> None:
    before, learning = advanced(RECIPES["phases"], step)
    after = learning.supernet.state_dict()
    moved = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    assert any(moves in name for name in moved)
    assert not any(stays in name for name in moved)


def test_projection_waits_for_its_share_of_the_steps(tmp_path: Path) -> None:
    plain, projected = recipe(4, LABELLED), recipe(4, LABELLED, gradients="projected")
    for steps, same in ((3, True), (6, False)):  # of 12, and the first quarter is plain
        weights = [advanced(how, steps)[1].supernet.state_dict() for how in (plain, projected)]
        assert all(torch.equal(weights[0][name], tensor) for name, tensor in weights[1].items()) == same


def test_networks_inherit_the_average_where_there_is_one(tmp_path: Path) -> None:
    """With a decay so small that the average is all but the last weights."""
    last, mean = (trained(recipe(2, ema_decay=decay), tmp_path / f"{decay}.safetensors") for decay in (0.0, 1e-6))
    for name, tensor in last.items():
        torch.testing.assert_close(mean[name], tensor, atol=1e-5, rtol=1e-4)
    far = trained(recipe(2, ema_decay=0.99), tmp_path / "far.safetensors")
    assert any(not torch.allclose(far[name], tensor, atol=1e-4) for name, tensor in last.items())


def test_drop_path_is_for_the_largest_network_alone(tmp_path: Path) -> None:
    dropped, calls = RECIPES["phases"], []
    real = Supernet.__call__

    def watched(self: Supernet, x: Any, network: Any, factors: Any = None) -> torch.Tensor:
        calls.append((network, factors))
        return real(self, x, network, factors)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Supernet, "__call__", watched)
        _, learning = advanced(dropped, 1)
    assert [factors is not None for _, factors in calls] == [True] + [False] * (len(calls) - 1)
    factors = calls[0][1]()
    assert set(factors.tolist()) == {0.0, 1 / (1 - dropped.drop_path)}
    assert learning.step == 1


def test_looks_at_the_conflict_are_far_apart_and_end_with_the_last_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three steps an epoch, so a look every six steps is one every other epoch."""
    monkeypatch.setattr(training, "STEPS_A_LOOK", 6)
    path = tmp_path / "s.safetensors"
    trained(recipe(6), path)
    assert [entry.epoch for entry in entries_in(path) if entry.conflict is not None] == [2, 4, 6]


def test_a_look_ends_each_phase(tmp_path: Path) -> None:
    """Of 4 epochs of 3 steps, too few for a second look of their own."""
    path = tmp_path / "s.safetensors"
    trained(RECIPES["phases"], path)
    assert [entry.epoch for entry in entries_in(path) if entry.conflict is not None] == [2, 3, 4]


def test_the_log_tells_each_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STEPS_A_LOOK", 3)
    path = tmp_path / "s.safetensors"
    trained(RECIPES["phases"], path)
    entries = entries_in(path)
    assert [(entry.epoch, entry.step, entry.phase) for entry in entries] == [
        (1, 3, 1),
        (2, 6, 1),
        (3, 9, 2),
        (4, 12, 3),
    ]
    assert all(
        entry.conflict is not None and set(entry.conflict) == {"stem", "stages.0", "stages.1", "head"}
        for entry in entries
    )
    assert all(one.seconds < other.seconds for one, other in pairwise(entries))


@pytest.mark.parametrize("batch", [40, 120])
def test_weights_that_are_no_numbers_are_told_and_not_kept(tmp_path: Path, batch: int) -> None:
    """Three steps an epoch, or a single one, whose loss comes before its update."""
    path, how = tmp_path / "s.safetensors", recipe(1, {"share": 1, "learning_rate": 1e30})
    with pytest.raises(
        InputError,
        match=r"after epoch 1 the loss or the shared weights are not finite, .*; lower the learning rate of phase 1",
    ):
        trained(how.model_copy(update={"batch": batch}), path)
    assert not list(tmp_path.iterdir())


def test_a_space_that_a_phase_has_no_use_for_is_told_first(tmp_path: Path) -> None:
    stage = {**PLAIN["stages"][0], "blocks": ["attention"], "depth": [2]}
    space = SearchSpace.model_validate(changed(("stages", [stage])))
    late = recipe(2, {"share": 0.5, "learning_rate": 1e-3}, {"share": 0.5, "learning_rate": 1e-3, "attention": 0})
    with pytest.raises(InputError, match=r"stages\[0\] has attention alone behind its first block"):
        train_supernet(Supernet(space, 0), separable(80), origin(late, space), tmp_path / "s.safetensors", ignore)
    assert not list(tmp_path.iterdir())
