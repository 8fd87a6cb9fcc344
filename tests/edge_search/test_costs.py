"""`estimate_many` against `estimate`, network by network, and its search for mappings against trying them all."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_search import costs
from edge_search.chains import freely, within
from edge_search.costs import CostTables, estimate_many, tables_of
from edge_search.passages import Passages
from edge_search.segments import Integers
from edge_search.space import SearchSpace, load_space, presets
from edge_toolkit.constants import Constant
from edge_toolkit.cost import estimate
from edge_toolkit.device import Device, load_device
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layers import layers_of
from tests.edge_search.spaces_for_tests import SMALL
from tests.edge_toolkit.calibrated_for_tests import calibrated

CIM = ("xr-npu+cim-mram", "xr-npu+cim-sram-analog", "xr-npu+cim-sram-digital")


def drawn(space: SearchSpace, count: int, seed: int = 0) -> Integers:
    """Encodings drawn gene by gene."""
    sizes = [len(gene.choices) for gene in space.genes]
    return np.random.default_rng(seed).integers(sizes, size=(count, len(sizes)))


def every(space: SearchSpace) -> Integers:
    return np.array(list(product(*(range(len(gene.choices)) for gene in space.genes))), dtype=int)


def constants(model: Any, **values: float) -> Any:
    """A part of a device with some of its constants replaced."""
    return model.model_copy(update={name: Constant(value=value, source="by hand") for name, value in values.items()})


def cramped(name: str, on_chip_kib: float, dram_gb_s: float, **cim: float) -> Device:
    """A device with another on-chip memory and DRAM, and, where it has them, other macros."""
    device = load_device(name)
    processors = {
        key: constants(processor, **cim) if key == "cim" else processor for key, processor in device.processors.items()
    }
    memory = constants(device.memory, on_chip_kib=on_chip_kib, dram_gb_s=dram_gb_s)
    return device.model_copy(update={"name": f"{name} cramped", "processors": processors, "memory": memory})


def check(space: SearchSpace, device: Device, encodings: Integers) -> float:
    """See that every candidate costs what `estimate` says; the share that had to go through it."""
    found, hard = CostTables(space, device).costs(encodings)
    for vector, latency_ms, energy_mj in zip(encodings.tolist(), *found, strict=True):
        cost = estimate(layers_of(space.decode(vector)), device)
        assert latency_ms == pytest.approx(cost.latency_ms, rel=1e-9)
        assert energy_mj == pytest.approx(cost.energy_mj, rel=1e-9)
    return float(hard.mean())


@pytest.mark.parametrize("space", presets())
@pytest.mark.parametrize("device", ["xr-npu", "cpu-host"])
def test_one_way_costs_what_the_scalar_path_says(space: str, device: str) -> None:
    assert check(load_space(space), load_device(device), drawn(load_space(space), 120)) == 0


@pytest.mark.parametrize("space", ["imu-s", "image-s"])
@pytest.mark.parametrize("device", CIM)
def test_the_best_mapping_costs_what_the_scalar_path_says(space: str, device: str) -> None:
    assert check(load_space(space), load_device(device), drawn(load_space(space), 12)) == 0


def test_a_mapping_that_the_scalar_path_once_missed() -> None:
    """Its search completed some of the last layer's labels only, and the best one was another."""
    vector = "31010101011101101010110001001100110010000011000101100110000110101101010001"
    assert check(load_space("xr-vision"), load_device("xr-npu+cim-mram"), np.array([list(map(int, vector))])) == 0


@pytest.mark.slow
@pytest.mark.parametrize("space", presets())
@pytest.mark.parametrize("device", CIM)
def test_hundreds_of_best_mappings_cost_what_the_scalar_path_says(space: str, device: str) -> None:
    assert check(load_space(space), load_device(device), drawn(load_space(space), 300, seed=1)) < 0.5


SPACE = SMALL["plain"]
STREAMING = cramped("xr-npu", on_chip_kib=1.2, dram_gb_s=0.05)
SMALL_STORE = cramped("xr-npu+cim-sram-digital", on_chip_kib=2048, dram_gb_s=6.4, rows=8, columns=8, macros=2, depth=4)
CRAMPED = cramped("xr-npu+cim-sram-digital", on_chip_kib=1.2, dram_gb_s=0.05, rows=8, columns=8, macros=2, depth=4)


def test_rough_costs_leave_out_what_weight_stores_hold() -> None:
    """So they are less where a store is too small, and else the same."""
    encodings = drawn(SPACE, 20)
    for device, some in ((SMALL_STORE, True), (load_device("xr-npu"), False)):
        rough, exact = tables_of(SPACE, device).roughly(encodings), estimate_many(SPACE, encodings, device)
        assert (rough.latency_ms <= exact.latency_ms * (1 + 1e-9)).all()
        assert (rough.latency_ms < exact.latency_ms * (1 - 1e-6)).any() == some


@pytest.mark.parametrize("space", SMALL.values(), ids=SMALL)
def test_vectors_of_small_spaces(space: SearchSpace) -> None:
    assert check(space, STREAMING, drawn(space, 60)) == 0
    assert check(space, SMALL_STORE, drawn(space, 6)) == 0


def test_every_network_of_a_small_space() -> None:
    encodings = np.array([SPACE.encode(network) for network in SPACE.enumerate()])
    # Some just fill the room for weights, so that no regime is theirs.
    assert 0 < check(SPACE, CRAMPED, encodings) < 0.12


def test_two_weight_stores_are_shared_out_by_the_scalar_path() -> None:
    second = {**SMALL_STORE.processors, "second": SMALL_STORE.processors["cim"]}
    assert 0 < check(SPACE, SMALL_STORE.model_copy(update={"processors": second}), drawn(SPACE, 12)) < 1


def test_what_the_only_way_cannot_run_is_told() -> None:
    """A calibrated device knows the kinds of layer that were measured on it."""
    mine = Device.model_validate(calibrated())
    with pytest.raises(AnswerIsNo, match="none of cpu computes a layer of kind"):
        estimate_many(SPACE, drawn(SPACE, 1), mine)


def test_what_no_processor_can_run_is_told() -> None:
    alone = SMALL_STORE.model_copy(update={"processors": {"cim": SMALL_STORE.processors["cim"]}})
    with pytest.raises(AnswerIsNo, match="none of cim computes a layer of kind"):
        estimate_many(SPACE, drawn(SPACE, 1), alone)


def test_spellings_of_one_network_cost_the_same() -> None:
    space = SMALL["collapse depends on the resolution"]
    vectors = every(space)
    canonical = np.array([space.encode(space.decode(vector)) for vector in vectors.tolist()])
    assert (vectors != canonical).any()
    for ours, theirs in zip(
        estimate_many(space, vectors, SMALL_STORE), estimate_many(space, canonical, SMALL_STORE), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
        assert len(np.unique(ours)) > 10


def test_blocks_of_candidates_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    encodings = drawn(SPACE, 100)
    whole = CostTables(SPACE, SMALL_STORE).costs(encodings)[0]
    monkeypatch.setattr(costs, "CHUNK", 30)
    monkeypatch.setattr(costs, "STORE_BYTES", 20_000)
    for ours, theirs in zip(CostTables(SPACE, SMALL_STORE).costs(encodings)[0], whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_one_architecture_and_many_cost_the_same() -> None:
    encodings = drawn(SPACE, 20)
    many = estimate_many(SPACE, encodings, CRAMPED)
    alone = [tables_of(SPACE, CRAMPED).cost(SPACE.decode(vector)) for vector in encodings.tolist()]
    np.testing.assert_allclose(np.array(alone).T, many, rtol=1e-12)


def test_no_candidates_have_no_costs() -> None:
    latency_ms, energy_mj = estimate_many(SPACE, np.empty((0, len(SPACE.genes)), dtype=int), SMALL_STORE)
    assert latency_ms.shape == energy_mj.shape == (0,)


def test_tables_are_kept_for_an_equal_device_alone() -> None:
    assert tables_of(SPACE, load_device("xr-npu")) is tables_of(SPACE, load_device("xr-npu"))
    namesake = STREAMING.model_copy(update={"name": "xr-npu"})
    assert tables_of(SPACE, namesake) is not tables_of(SPACE, load_device("xr-npu"))


@pytest.mark.parametrize(
    ("encodings", "message"),
    [
        ([0] * 9, "encodings: shape (9,) must be (n, 9), one index a gene of the space"),
        ([[0] * 8], "encodings: shape (1, 8) must be (n, 9), one index a gene of the space"),
        ([[0.5] * 9], "encodings: float64 values must be whole numbers, each the index of a choice"),
        (
            [[0] * 9, [2] + [0] * 8, [3] + [0] * 7 + [-1]],
            "encodings: 2 problems\n"
            "  - stem.width: index 2 of candidate 1 is out of range; use 0 to 1\n"
            "  - stages.0.blocks.1.window: index -1 of candidate 2 is out of range; use 0 to 1",
        ),
    ],
)
def test_encodings_that_are_none_are_told(encodings: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        estimate_many(SPACE, encodings, load_device("xr-npu"))
    assert str(caught.value) == message


@st.composite
def passages_and_chains(draw: st.DrawFn) -> tuple[Passages, Integers]:
    """Passages of a few segments between two processors, and chains of these; not every chain has a mapping."""
    segments, places = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rows = []
    for segment, front, behind in product(range(segments), range(2), range(2)):
        tiles = sorted(draw(st.sets(st.integers(0, 5), min_size=front < behind, max_size=2)))
        objective = draw(st.integers(50, 60))
        for taken in tiles:
            rows.append((segment, front, behind, taken, objective))
            objective -= draw(st.integers(1, 20))
    rows += [(segments, 0, 0, 0, 0), (segments, 1, 1, 0, 0)]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    chains = st.lists(st.lists(st.integers(0, segments), min_size=places, max_size=places), min_size=1, max_size=4)
    passages = Passages(*columns[:4], columns[4].astype(float), np.zeros((len(rows), 1)))
    return passages, np.array(draw(chains))


def best(passages: Passages, chain: Integers, tiles: float) -> float:
    """The oracle: the least objective over every row of passages that join."""
    totals = [np.inf]
    for row in map(list, product(*(np.flatnonzero(passages.segment == segment) for segment in chain))):
        if [*passages.front[row], 0] == [0, *passages.behind[row]] and passages.tiles[row].sum() <= tiles:
            totals.append(passages.objective[row].sum())
    return min(totals)


@settings(deadline=None)
@given(passages_and_chains(), st.integers(5, 12))
def test_no_row_of_passages_is_better(case: tuple[Passages, Integers], tiles: int) -> None:
    passages, chains = case
    for limit, found in ((np.inf, freely(passages, chains)), (tiles, within(passages, chains, tiles))):
        for chain, row in zip(chains, found, strict=True):
            least = best(passages, chain, limit)
            assert (least == np.inf) == (row < 0).any()
            if least < np.inf:
                assert passages.segment[row].tolist() == chain.tolist()
                assert [*passages.front[row], 0] == [0, *passages.behind[row]]
                assert passages.tiles[row].sum() <= limit
                assert passages.objective[row].sum() == pytest.approx(least)
