"""The networks of a step, held to their phase by looking at them."""

import numpy as np
import pytest

from edge_search.space import SearchSpace
from edge_search.supernet.recipe import Phase
from edge_search.supernet.sampling import attentive_stages, landmarks, sandwich, subspace
from edge_search.supernet.weights import largest_choices
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError
from tests.edge_search.spaces_for_tests import PLAIN, changed
from tests.edge_search.supernet.toys import SPACE, TWO_STAGES

DRAWS = 60


def attentive(architecture: Architecture) -> set[int]:
    return {placed.stage for placed in architecture.blocks if placed.block.kind == "attention"}


@pytest.mark.parametrize(("attention", "stages"), [(0, set()), (1, {1}), (2, {0, 1}), ("all", {0, 1}), (9, {0, 1})])
def test_attention_comes_in_from_the_deepest_stage(attention: int, stages: set[int]) -> None:
    phase, rng = Phase(share=1, learning_rate=1, attention=attention), np.random.default_rng(0)
    assert set(attentive_stages(TWO_STAGES, attention)) == stages
    seen: set[int] = set()
    for _ in range(DRAWS):
        largest, others = sandwich(TWO_STAGES, phase, rng)
        for network in (largest, *others):
            assert TWO_STAGES.contains(network)
            seen |= attentive(network)
    assert seen == stages


def test_a_sandwich_holds_the_largest_the_smallest_and_as_many_as_asked_for() -> None:
    largest, others = sandwich(SPACE, Phase(share=1, learning_rate=1, random_subnets=3), np.random.default_rng(0))
    assert len(others) == 4
    assert others[0] == SPACE.smallest()
    values = SPACE.values(largest)
    assert {name: value for name, value in values.items() if name in largest_choices(SPACE)}.items() <= largest_choices(
        SPACE
    ).items()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_of_attention_is_kept(share: float) -> None:
    phase, rng = Phase(share=1, learning_rate=1, attention_share=share, random_subnets=10), np.random.default_rng(0)
    places = [
        placed.block.kind == "attention"
        for _ in range(DRAWS)
        for network in sandwich(TWO_STAGES, phase, rng).others[1:]
        for placed in network.blocks
        if placed.position > 0
    ]
    assert np.mean(places) == pytest.approx(share, abs=0.06)


def test_stages_of_attention_alone_shrink_to_their_first_block_or_are_told() -> None:
    alone = changed(("stages.0.blocks", ["attention"]))
    within = subspace(SearchSpace.model_validate(alone), 0)
    assert {len(network.blocks) for network in within.enumerate()} == {1}
    never = SearchSpace.model_validate(changed(("stages.0.depth", [2, 3]), base=alone))
    with pytest.raises(InputError, match=r"stages\[0\] has attention alone behind its first block; allow mbconv"):
        subspace(never, 0)


def test_a_stage_of_attention_alone_has_no_part_in_the_largest_network_without() -> None:
    stages = [PLAIN["stages"][0], {**PLAIN["stages"][0], "blocks": ["attention"], "depth": [1, 2]}]
    found = landmarks(SearchSpace.model_validate(changed(("stages", stages))))
    kinds = {name: [placed.block.kind for placed in network.blocks] for name, network in found.items()}
    assert kinds["largest without attention"] == ["mbconv"] * 3
    assert kinds["largest with attention"] == ["mbconv", "attention"] * 2
    stages[1]["depth"] = [2]
    assert set(landmarks(SearchSpace.model_validate(changed(("stages", stages))))) == {
        "smallest",
        "largest with attention",
    }


def test_landmarks_are_the_ends_of_a_space() -> None:
    found = landmarks(TWO_STAGES)
    macs = {name: [placed.block.kind for placed in network.blocks] for name, network in found.items()}
    assert macs["largest without attention"] == ["mbconv"] * 4
    assert macs["largest with attention"] == ["mbconv", "attention"] * 2
    convolutions = SearchSpace.model_validate(
        {**PLAIN, "stages": [{"blocks": ["mbconv"], "width": [8], "depth": [1], "kernel": [3], "expand": [2]}]}
    )
    assert set(landmarks(convolutions)) == {"smallest", "largest without attention"}
