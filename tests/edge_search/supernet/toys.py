"""Small spaces, data and recipes for tests of the supernet."""

from typing import Any

import torch

from edge_search.batches import Tensors
from edge_search.space import SearchSpace
from edge_search.supernet.checkpoint import Origin
from edge_search.supernet.recipe import SupernetRecipe
from tests.edge_search.spaces_for_tests import PLAIN, changed

SPACE = SearchSpace.model_validate(PLAIN)
IMAGES = SearchSpace.model_validate(
    changed(
        ("input", [2, 16, 16]), ("resolution", [12, 16]), ("stages.0.kernel", [3, 5, 7]), ("stages.0.expand", [1, 3])
    )
)
TWO_STAGES = SearchSpace.model_validate(changed(("stages", [PLAIN["stages"][0], PLAIN["stages"][0]])))
"""Attention behind the first block of both stages."""


def ignore(note: str = "") -> None:
    """No progress bar."""


def separable(samples: int, seed: int = 0) -> Tensors:
    """Three classes of sequences that a threshold on two channel means tells apart."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(samples) % 3
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.5]])
    return Tensors(means[y][:, :, None, None] + torch.randn(samples, 2, 1, 32, generator=generator), y)


def recipe(epochs: int, *phases: dict[str, Any], **fields: Any) -> SupernetRecipe:
    """A recipe; of one phase throughout unless there are others."""
    whole = phases or ({"share": 1, "learning_rate": 2e-3},)
    return SupernetRecipe.model_validate({"epochs": epochs, "batch": 40, "phases": whole, **fields})


def origin(how: SupernetRecipe, space: SearchSpace = SPACE, seed: int = 7) -> Origin:
    """Where a supernet of a toy space comes from."""
    return Origin(space, how, "data", seed)
