"""Shared weights against stand-alone models, slices against arithmetic, training against its own resumption."""

from pathlib import Path

import numpy as np
import pytest
import torch

from edge_search.batches import Tensors
from edge_search.evaluation import accuracy, inherited_model, recalibrate
from edge_search.recipe import Recipe
from edge_search.space import SearchSpace
from edge_search.supernet import Supernet, largest_choices
from edge_search.supernet_training import load_checkpoint, train_supernet
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError
from edge_toolkit.nn import build
from tests.edge_search.spaces_for_tests import PLAIN, changed

SPACE = SearchSpace.model_validate(PLAIN)
IMAGES = SearchSpace.model_validate(
    changed(
        ("input", [2, 16, 16]), ("resolution", [12, 16]), ("stages.0.kernel", [3, 5, 7]), ("stages.0.expand", [1, 3])
    )
)


def ignore(note: str = "") -> None:
    """No progress bar."""


def separable(samples: int, seed: int = 0) -> Tensors:
    """Three classes of sequences that a threshold on two channel means tells apart."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(samples) % 3
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.5]])
    return Tensors(means[y][:, :, None, None] + torch.randn(samples, 2, 1, 32, generator=generator), y)


@pytest.mark.parametrize("space", [SPACE, IMAGES], ids=["sequence", "image"])
def test_a_subnet_is_the_stand_alone_model_with_its_weights(space: SearchSpace) -> None:
    supernet, rng = Supernet(space, seed=0), np.random.default_rng(0)
    for _ in range(20):
        architecture = space.sample(rng)
        x = torch.randn(4, *architecture.input)
        alone = supernet.extract(architecture).train()
        assert torch.equal(supernet(x, architecture), alone(x))


def test_views_are_leading_channels_and_the_centre_of_the_kernel() -> None:
    supernet = Supernet(IMAGES, seed=0)
    values = {**largest_choices(IMAGES), "stages.0.width": 8, "stem.width": 4, "stages.0.blocks.0.kernel": 3}
    views = supernet.views(IMAGES.build(values))
    shared = supernet.weights["stages.0.blocks.0.mbconv.depthwise.conv.weight"]
    hidden = 4 * 3
    assert shared.shape == (8 * 3, 1, 7, 7)
    torch.testing.assert_close(views["stages.0.blocks.0.depthwise.conv.weight"], shared[:hidden, :, 2:5, 2:5])
    project = supernet.weights["stages.0.blocks.0.mbconv.project.conv.weight"]
    torch.testing.assert_close(views["stages.0.blocks.0.project.conv.weight"], project[:8, :hidden])


def test_gradients_reach_what_a_subnet_uses_and_nothing_else() -> None:
    supernet = Supernet(SPACE, seed=0)
    smallest = SPACE.smallest()
    supernet(torch.randn(4, *smallest.input), smallest).square().sum().backward()  # type: ignore[no-untyped-call]  # torch's
    stem = supernet.weights["stem.conv.weight"].grad
    assert stem is not None
    width = smallest.stem.width
    assert bool(stem[:width].abs().sum() > 0)
    assert not stem[width:].any()
    assert supernet.weights["stages.0.blocks.1.attention.query.conv.weight"].grad is None


def test_every_shared_tensor_is_used_by_some_network_at_its_full_size() -> None:
    supernet, full = Supernet(SPACE, seed=0), set()
    for architecture in SPACE.enumerate():
        for name, view in supernet.views(architecture).items():
            place = ".".join(name.split(".")[:4])
            kinds = {placed.name: placed.block.kind for placed in architecture.blocks}
            shared = name.replace(place, f"{place}.{kinds[place]}", 1) if place in kinds else name
            if view.shape == supernet.weights[shared].shape:
                full.add(shared)
    assert full == set(supernet.weights)


def test_recalibration_sets_the_statistics_of_the_samples() -> None:
    model = build(SPACE.smallest(), seed=0)
    samples = torch.randn(300, *SPACE.input) * 3 + 1
    recalibrate(model, samples)
    stem = model.get_submodule("stem")
    seen = stem.conv(samples)  # type: ignore[operator]  # a submodule is typed as a tensor or a module
    mean = torch.stack([seen[:256].mean((0, 2, 3)), seen[256:].mean((0, 2, 3))]).mean(0)
    torch.testing.assert_close(stem.norm.running_mean, mean, atol=1e-4, rtol=1e-4)  # type: ignore[union-attr]  # as above


def test_training_teaches_every_subnet(tmp_path: Path) -> None:
    train, validation = separable(600), separable(300, seed=1)
    supernet = Supernet(SPACE, seed=0)
    rng = np.random.default_rng(0)
    subnets = [SPACE.smallest(), SPACE.largest(), *(SPACE.sample(rng) for _ in range(4))]

    def mean_accuracy() -> float:
        return float(np.mean([_accuracy(supernet, subnet, train, validation) for subnet in subnets]))

    before = mean_accuracy()
    train_supernet(supernet, train, Recipe(4, batch=32), 0, tmp_path / "supernet.safetensors", ignore)
    assert before < 0.6
    assert mean_accuracy() > 0.9


def _accuracy(supernet: Supernet, subnet: Architecture, train: Tensors, validation: Tensors) -> float:
    return accuracy(inherited_model(supernet, subnet, train.x), validation, subnet.input)


def test_training_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    train, recipe = separable(120), Recipe(3, batch=40)
    whole, path = Supernet(SPACE, seed=0), tmp_path / "whole.safetensors"
    train_supernet(whole, train, recipe, 7, path, ignore)

    class Stopped(Exception):  # noqa: N818 - stands for a kill
        pass

    def stop(note: str = "") -> None:
        raise Stopped

    part, path = Supernet(SPACE, seed=0), tmp_path / "part.safetensors"
    with pytest.raises(Stopped):
        train_supernet(part, train, recipe, 7, path, stop)
    again = Supernet(SPACE, seed=99)
    assert load_checkpoint(path, again) == 1
    train_supernet(again, train, recipe, 7, path, ignore)
    assert all(torch.equal(again.weights[name], tensor) for name, tensor in whole.weights.items())


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\xff" * 64])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "supernet.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"supernet\.safetensors: is no checkpoint of this run"):
        load_checkpoint(path, Supernet(SPACE, seed=0))


def test_a_checkpoint_of_another_space_is_told(tmp_path: Path) -> None:
    path = tmp_path / "supernet.safetensors"
    train_supernet(Supernet(SPACE, seed=0), separable(40), Recipe(1, batch=40), 0, path, ignore)
    with pytest.raises(InputError, match="another space"):
        load_checkpoint(path, Supernet(IMAGES, seed=0))
