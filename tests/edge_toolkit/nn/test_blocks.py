"""Attention against a plain loop over windows and heads; models against their shapes."""

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from edge_toolkit.architecture import Architecture, Attention, Shape, windows_along
from edge_toolkit.nn import Attend, build
from tests.strategies import architectures


def attention_by_loops(q: Tensor, k: Tensor, v: Tensor, head_dim: int, window: int) -> Tensor:
    """What the formula says, for each sample, window and head alone."""
    batch, channels, height, width = q.shape
    out = torch.full_like(q, torch.nan)
    (_, tall), (_, wide) = windows_along(window, height), windows_along(window, width)
    for top in range(0, height, tall):
        for left in range(0, width, wide):
            for sample in range(batch):
                for head in range(0, channels, head_dim):
                    place = sample, slice(head, head + head_dim), slice(top, top + tall), slice(left, left + wide)
                    query, key, value = (each[place].flatten(1).T for each in (q, k, v))  # (tokens, head_dim)
                    mixed = torch.softmax(query @ key.T / head_dim**0.5, -1) @ value
                    out[place] = mixed.T.reshape(out[place].shape)
    return out


@pytest.mark.parametrize(
    ("shape", "head_dim", "window"),
    [
        ((8, 6, 6), 4, 0),
        ((8, 6, 6), 8, 3),
        ((8, 13, 9), 4, 4),  # padded along both axes
        ((8, 1, 25), 4, 10),
        ((8, 1, 26), 2, 10),  # padded
        ((4, 5, 1), 4, 2),
    ],
)
def test_attention_equals_the_formula(shape: Shape, head_dim: int, window: int) -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, *shape)
    ours = Attend(shape, Attention(head_dim, 1, window))(q, k, v)
    torch.testing.assert_close(ours, attention_by_loops(q, k, v, head_dim, window), atol=1e-5, rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(architectures())
def test_every_architecture_runs_and_samples_do_not_mix(architecture: Architecture) -> None:
    model = build(architecture, seed=0).eval()
    x = torch.randn(3, *architecture.input, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        together, alone = model(x), torch.cat([model(x[index : index + 1]) for index in range(3)])
    assert together.shape == (3, architecture.head.classes)
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_a_seed_fixes_the_weights_and_leaves_the_generator_alone(image_architecture: Architecture) -> None:
    before = torch.get_rng_state()
    one, two = (build(image_architecture, seed=3).state_dict() for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = build(image_architecture, seed=4).state_dict()
    assert any(not torch.equal(one[name], other[name]) for name in one)
