"""The moving average against its closed form."""

import pytest
import torch

from edge_search.supernet.ema import update


def test_it_forgets_geometrically_once_the_first_steps_are_over() -> None:
    ema, weights = {"w": torch.tensor([1.0], dtype=torch.float64)}, {"w": torch.tensor([0.0], dtype=torch.float64)}
    for _ in range(20):
        update(ema, weights, 0.9, step=10_000)
    assert float(ema["w"]) == pytest.approx(0.9**20)


def test_it_follows_the_first_steps_quickly() -> None:
    """With a decay of (1 + t) / (10 + t), n steps leave 9! n! / (n + 9)! of what was there."""
    ema, weights = {"w": torch.tensor([1.0], dtype=torch.float64)}, {"w": torch.tensor([0.0], dtype=torch.float64)}
    for step in range(5):
        update(ema, weights, 0.9999, step)
    assert float(ema["w"]) == pytest.approx(362880 * 120 / 87178291200)
