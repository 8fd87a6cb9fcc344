"""Shared weights against stand-alone models, slices against arithmetic."""

import numpy as np
import pytest
import torch

from edge_search.evaluation import Inherited, recalibrate
from edge_search.space import SearchSpace
from edge_search.supernet import Supernet
from edge_search.supernet.weights import largest_choices
from edge_toolkit.nn import build
from tests.edge_search.supernet.toys import IMAGES, SPACE, TWO_STAGES, separable


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


def test_statistics_are_recalibrated_once_for_each_subnet(monkeypatch: pytest.MonkeyPatch) -> None:
    data, seen = separable(90), []
    inherited = Inherited(Supernet(SPACE, seed=0), data, data, seed=0)
    x = torch.randn(5, *SPACE.input)
    model = inherited.model(SPACE.smallest())
    first = model(x)
    model.train()(x)  # whose statistics move on; those that were kept don't
    monkeypatch.setattr("edge_search.evaluation.recalibrate", lambda *given: seen.append(given))
    assert torch.equal(inherited.model(SPACE.smallest())(x), first)
    assert not seen


def test_residual_branches_begin_silent() -> None:
    """A block behind the first one changes nothing yet, so that networks of any depth begin as one function."""
    supernet = Supernet(TWO_STAGES, seed=0)
    shallow = {f"stages.{stage}.depth": 1 for stage in (0, 1)}
    x = torch.randn(4, *TWO_STAGES.input)
    logits = supernet(x, TWO_STAGES.build(shallow))
    for kind in ("mbconv", "attention"):
        deep = {f"stages.{stage}.depth": 2 for stage in (0, 1)} | {
            f"stages.{stage}.blocks.1.kind": kind for stage in (0, 1)
        }
        torch.testing.assert_close(supernet(x, TWO_STAGES.build(deep)), logits)
