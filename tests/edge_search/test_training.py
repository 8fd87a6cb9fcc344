"""Networks as they are before they are trained from scratch."""

import numpy as np
import pytest
import torch

from edge_search.space import load_space
from edge_search.training import untrained
from edge_toolkit.matching import matched_lstm
from edge_toolkit.nn import build


@pytest.mark.parametrize("name", ["imu-s", "image-s"])
def test_every_residual_block_begins_as_the_identity_and_no_other(name: str) -> None:
    space, rng, kinds = load_space(name), np.random.default_rng(0), set()
    for _ in range(10):
        architecture = space.sample(rng)
        network = untrained(architecture, seed=0)
        for placed in architecture.blocks:
            x = torch.randn(2, *placed.input)
            y = network.get_submodule(placed.name)(x)
            same = placed.input == placed.output
            assert torch.equal(y, x) if same else float(y.detach().std()) > 0.1
            kinds.add((placed.block.kind, same))
    assert kinds == {("mbconv", True), ("mbconv", False), ("attention", True)}


def test_a_baseline_begins_as_it_is_built() -> None:
    baseline = matched_lstm(load_space("imu-s").smallest(), "parameters")
    built = build(baseline, 3).state_dict()
    assert all(torch.equal(tensor, built[key]) for key, tensor in untrained(baseline, 3).state_dict().items())
