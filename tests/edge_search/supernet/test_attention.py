"""Attention that begins with what convolutions have learnt, looked at through the networks themselves."""

import torch
import torch.nn.functional as F

from edge_search.space import SearchSpace
from edge_search.supernet import Supernet
from edge_search.supernet.attention import begin_from_convolutions
from tests.edge_search.spaces_for_tests import changed
from tests.edge_search.supernet.toys import SPACE, TWO_STAGES


def randomised(space: SearchSpace) -> Supernet:
    supernet = Supernet(space, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in supernet.weights.values():
            weight.copy_(torch.randn(weight.shape, generator=generator))
    return supernet


def test_the_block_computes_the_pointwise_half_of_the_convolution_at_its_place() -> None:
    supernet = randomised(SPACE)
    begin_from_convolutions(supernet.weights, {0})
    network = SPACE.build(
        {"stages.0.depth": 2, "stages.0.blocks.1.kind": "attention", "stages.0.blocks.1.mlp_ratio": 2}
    )
    block = supernet.extract(network).get_submodule("stages.0.blocks.1").train()
    x = torch.randn(6, 8, 1, 8)
    place = "stages.0.blocks.1.mbconv"

    def layer(name: str, x: torch.Tensor, out: int) -> torch.Tensor:
        weight = supernet.weights[f"{place}.{name}.conv.weight"][:out, : x.shape[1]]
        scale, shift = (supernet.weights[f"{place}.{name}.norm.{each}"][:out] for each in ("weight", "bias"))
        y = F.conv2d(x, weight)
        y = (y - y.mean((0, 2, 3), keepdim=True)) / (y.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt()
        return y * scale[:, None, None] + shift[:, None, None]

    for norm in ("position", "output"):  # silent, as they are before they have been trained
        for parameter in block.get_submodule(f"{norm}.norm").parameters():
            torch.nn.init.zeros_(parameter)
    expected = x + layer("project", F.gelu(layer("expand", x, 16)), 8)
    torch.testing.assert_close(block(x), expected, atol=1e-4, rtol=1e-4)


def test_other_stages_and_other_weights_stay() -> None:
    supernet, before = randomised(TWO_STAGES), randomised(TWO_STAGES).state_dict()
    names = set(begin_from_convolutions(supernet.weights, {1}))
    assert names
    assert all(name.startswith("stages.1.blocks.1.attention.") for name in names)
    for name, tensor in supernet.state_dict().items():
        if name not in names:
            assert torch.equal(tensor, before[name])


def test_a_place_without_convolutions_has_nothing_to_begin_with() -> None:
    supernet = randomised(SearchSpace.model_validate(changed(("stages.0.blocks", ["attention"]))))
    assert begin_from_convolutions(supernet.weights, {0}) == ()
