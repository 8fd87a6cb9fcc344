"""The conflict against gradients of stand-alone models."""

from itertools import combinations, product

import numpy as np
import pytest
import torch.nn.functional as F

from edge_search.space import SearchSpace
from edge_search.supernet import Supernet
from edge_search.supernet.conflict import Probe, conflict, probe_of
from edge_toolkit.architecture import Architecture
from tests.edge_search.spaces_for_tests import PLAIN, changed
from tests.edge_search.supernet.toys import TWO_STAGES, separable


def alone(supernet: Supernet, network: Architecture, probe: Probe, part: str) -> np.ndarray:  # type: ignore[type-arg]  # a vector
    """The gradient of a stand-alone copy on what both kinds of network share in a part, set into the shared shapes."""
    model = supernet.extract(network).train()
    F.cross_entropy(model(probe.x), probe.y).backward()  # type: ignore[no-untyped-call]  # torch's
    found = []
    for name, parameter in model.named_parameters():
        place = name.replace("stages.0.blocks.0", "stages.0.blocks.0.mbconv").replace(
            "stages.1.blocks.0", "stages.1.blocks.0.mbconv"
        )
        if not name.startswith(part) or ".blocks.1." in name:
            continue
        whole = np.zeros(supernet.weights[place].shape, np.float32)
        surplus = [w - p for w, p in zip(whole.shape, parameter.shape, strict=True)]
        view = tuple(
            slice(s // 2, s // 2 + p) if axis >= 2 else slice(p)
            for axis, (s, p) in enumerate(zip(surplus, parameter.shape, strict=True))
        )
        assert parameter.grad is not None
        whole[view] = parameter.grad.numpy()
        found.append(whole.ravel())
    return np.concatenate(found)


@pytest.mark.parametrize("part", ["stem", "stages.0", "stages.1", "head"])
def test_cosines_are_those_of_the_stand_alone_gradients(part: str) -> None:
    supernet, data = Supernet(TWO_STAGES, seed=0), separable(64)
    probe = probe_of(TWO_STAGES, data, seed=0)
    assert probe is not None
    first, second = (
        [alone(supernet, network, probe, part) for network in networks]
        for networks in (probe.convolutional, probe.attentive)
    )

    def cosine(a: np.ndarray, b: np.ndarray) -> float:  # type: ignore[type-arg]  # vectors
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    between = [cosine(a, b) for (i, a), (j, b) in product(enumerate(first), enumerate(second)) if i != j]
    within = [cosine(a, b) for sort in (first, second) for a, b in combinations(sort, 2)]
    found = conflict(supernet, probe)[part]
    assert found["between"] == pytest.approx(np.mean(between), abs=1e-4)
    assert found["within"] == pytest.approx(np.mean(within), abs=1e-4)


def test_pairs_differ_in_nothing_but_their_kinds() -> None:
    probe = probe_of(TWO_STAGES, separable(64), seed=3)
    assert probe is not None
    for one, other in zip(probe.convolutional, probe.attentive, strict=True):
        assert [placed.output for placed in one.blocks] == [placed.output for placed in other.blocks]
        assert {placed.block.kind for placed in one.blocks} == {"mbconv"}
        assert {placed.block.kind for placed in other.blocks if placed.position} == {"attention"}


def test_the_first_of_a_pair_has_no_attention_whatever_its_stages() -> None:
    stages = [PLAIN["stages"][0], {**PLAIN["stages"][0], "blocks": ["attention"], "depth": [1, 2]}]
    probe = probe_of(SearchSpace.model_validate(changed(("stages", stages))), separable(64), seed=0)
    assert probe is not None
    for one, other in zip(probe.convolutional, probe.attentive, strict=True):
        assert [placed.block.kind for placed in one.blocks] == ["mbconv"] * 3
        assert [placed.block.kind for placed in other.blocks] == ["mbconv", "attention"] * 2
        assert {(placed.name, placed.output) for placed in one.blocks} < {
            (placed.name, placed.output) for placed in other.blocks
        }
    stages[1]["depth"] = [2]
    assert probe_of(SearchSpace.model_validate(changed(("stages", stages))), separable(64), seed=0) is None


def test_one_network_has_no_conflict_with_itself() -> None:
    networks = (TWO_STAGES.smallest(), TWO_STAGES.smallest())
    data = separable(64)
    same = conflict(Supernet(TWO_STAGES, seed=0), Probe(data.x, data.y, networks, networks))
    assert set(same) == {"stem", "stages.0", "stages.1", "head"}
    assert all(cosines["between"] == pytest.approx(1, abs=1e-5) for cosines in same.values())


def test_a_space_of_one_kind_has_no_conflict() -> None:
    stage = {"blocks": ["mbconv"], "width": [8], "depth": [1, 2], "stride": 2, "kernel": [3], "expand": [2]}
    assert probe_of(SearchSpace.model_validate({**PLAIN, "stages": [stage]}), separable(30), seed=0) is None
