"""The mapping against every other one, on systems small enough to try them all."""

import re
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_toolkit.architecture import Architecture
from edge_toolkit.cost import estimate, labels
from edge_toolkit.cost.mapping import best_schedule, best_ways, solve
from edge_toolkit.cost.objective import GOALS, Objective, objective_of
from edge_toolkit.cost.placing import Places, cost_of
from edge_toolkit.cost.problem import problem_of
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.cost.second import second_choice
from edge_toolkit.cost.timeline import timeline
from edge_toolkit.device import Device, load_attachment, load_device
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.processors.option import Integers
from tests.edge_toolkit.systems_for_tests import device_with, places_by_hand

INF = float("inf")


def fits(device: Device, places: Places, ways: Integers) -> bool:
    layers = np.arange(len(ways))
    tiles, where = places.tiles[ways, layers], places.processor[ways]
    return bool(np.isfinite(places.busy_us[ways, layers]).all()) and all(
        tiles[where == index].sum() <= processor.tiles for index, processor in enumerate(device.processors.values())
    )


def value_of(device: Device, places: Places, ways: Integers, objective: Objective) -> float:
    """By the rules of `placing` alone; the period from its definition."""
    cost = cost_of(device, places, ways)
    if not objective.pipelined:
        return objective.value(cost.latency_ms, cost.energy_mj)
    where, layers = places.processor[ways], np.arange(len(ways))
    busy, loads = places.busy_us[ways, layers], [0.0] * len(device.processors)
    link_us, before = 0.0, 0
    for layer, now in enumerate([*where.tolist(), 0]):
        crossing_us = float(places.cross_us[layer]) if now != before else 0.0
        loads[now] += crossing_us + (float(busy[layer]) if layer < len(ways) else 0.0)
        link_us, before = link_us + crossing_us, now
    streamed = max(float(places.stored_bytes[ways, layers].sum()) - places.room_bytes, 0) + places.spilled_bytes.sum()
    period_ms = max(*loads, link_us, streamed / (device.memory.dram_gb_s.value * 1e3)) / 1e3
    energy_mj = cost.energy_mj - device.static_mw * (cost.latency_ms - period_ms) * 1e-3
    return objective.value(period_ms, energy_mj)


def tried(device: Device, places: Places, objective: Objective) -> float:
    """The least value of all mappings that fit."""
    ways, layers = places.busy_us.shape
    each = (np.array(choice) for choice in product(range(ways), repeat=layers))
    return min(
        (value_of(device, places, choice, objective) for choice in each if fits(device, places, choice)), default=INF
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Device, Places]:
    """Small systems: tight stores, ways that can't run, a room that some weights find."""
    processors, layers = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    most = 5 if layers < 4 else 4 if layers == 4 else 3
    extra = draw(st.lists(st.integers(0, processors - 1), max_size=max(most - processors, 0)))
    processor = [*range(processors), *extra]
    ways = len(processor)

    def table(elements: st.SearchStrategy[float]) -> list[list[float]]:
        row = st.lists(elements, min_size=layers, max_size=layers)
        return draw(st.lists(row, min_size=ways, max_size=ways))

    def row(size: int) -> list[int]:
        return draw(st.lists(st.integers(0, 8), min_size=size, max_size=size))

    stored = np.array(table(st.integers(0, 20)))
    busy = np.array(table(st.one_of(st.integers(1, 12), st.floats(0.1, 12), st.just(INF))))
    stores = draw(st.lists(st.sampled_from([0, 2, 5, 9]), min_size=processors, max_size=processors))
    finite = np.where(np.isfinite(busy), busy, 0)
    places = places_by_hand(
        processor,
        busy,
        energy_pj=np.array(table(st.integers(1, 40))) * 1e5,
        tiles=np.array(table(st.integers(0, 4))) * (np.array(stores)[processor] > 0)[:, None],
        stored_bytes=stored,
        wait_us=np.maximum(stored - finite, 0),  # at 0.001 GB/s a byte takes 1 us
        cross_us=row(layers + 1),
        cross_pj=np.array(row(layers + 1)) * 1e5,
        spilled_bytes=row(layers) if draw(st.booleans()) else [0] * layers,
        room_bytes=draw(st.sampled_from([0, 3, 10, 30, 1000])),
    )
    return device_with(tuple(stores)), places


def objectives() -> st.SearchStrategy[Objective]:
    weight = st.floats(1e-3, 1e3)
    return st.builds(
        lambda goal, weights, pipelined: objective_of(goal, weights if goal == "weighted" else None, pipelined),
        st.sampled_from(GOALS),
        st.tuples(weight, weight),
        st.booleans(),
    )


@settings(max_examples=250, deadline=None)
@given(case=cases(), objective=objectives())
def test_no_other_mapping_is_better(case: tuple[Device, Places], objective: Objective) -> None:
    device, places = case
    least = tried(device, places, objective)
    if least == INF:
        with pytest.raises(AnswerIsNo, match="no mapping fits"):
            best_ways(device, places, objective)
        return
    chosen = best_ways(device, places, objective)
    assert fits(device, places, chosen.ways)
    assert value_of(device, places, chosen.ways, objective) == pytest.approx(least, rel=1e-7)
    assert chosen.value == pytest.approx(least, rel=1e-7)
    assert chosen.gap == 0
    schedule = Schedule(device, places, chosen.ways)
    told = objective.value(schedule.time_ms(objective.pipelined), schedule.energy_mj(objective.pipelined))
    assert told == pytest.approx(least, rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(case=cases(), objective=objectives(), data=st.data())
def test_no_other_mapping_with_a_layer_elsewhere_is_better(
    case: tuple[Device, Places], objective: Objective, data: st.DataObject
) -> None:
    device, places = case
    if tried(device, places, objective) == INF:
        return
    chosen = best_ways(device, places, objective)
    layer = data.draw(st.integers(0, len(chosen.ways) - 1))
    ours = chosen.ways[layer]
    if len(device.processors) > 1:
        elsewhere = places.processor != places.processor[ours]
    else:
        elsewhere = np.arange(len(places.processor)) != ours
    busy_us = places.busy_us.copy()
    busy_us[~elsewhere, layer] = INF
    least = tried(device, replace(places, busy_us=busy_us), objective)
    second = second_choice(Schedule(device, places, chosen.ways), chosen, objective, layer)
    if second is None:
        assert least == INF
    else:
        assert elsewhere[second.schedule.ways[layer]]
        assert chosen.value + second.more == pytest.approx(least, rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(case=cases(), objective=objectives().filter(lambda objective: objective.goal != "edp"))
def test_a_search_cut_short_tells_by_how_much_it_may_be_off(case: tuple[Device, Places], objective: Objective) -> None:
    device, places = case
    least = tried(device, places, objective)
    problem = problem_of(device, places, objective.per_ms, objective.per_mj, objective.pipelined)
    try:
        chosen = solve(problem, most_labels=1)
    except AnswerIsNo:
        return  # one label may not be enough to find a mapping at all
    assert chosen.bound <= least * (1 + 1e-9)
    assert chosen.value >= least * (1 - 1e-9)
    assert chosen.gap > 0 or chosen.value == pytest.approx(least, rel=1e-7)


LATENCY = objective_of("latency")


def two(**others: object) -> tuple[Device, Places]:
    """Three layers: the middle one is slow on the first processor and fast on the second, with 4 tiles."""
    device = device_with((0, 4))
    return device, places_by_hand([0, 1], [[1, 10, 1], [INF, 2, INF]], **others)


@pytest.mark.parametrize(
    ("cross_us", "ways", "latency_us"),
    [
        ([9, 3, 4, 9], [0, 1, 0], 1 + 3 + 2 + 4 + 1),  # there and back, 7 of 8 us saved
        ([9, 4, 4.5, 9], [0, 0, 0], 12),
    ],
)
def test_a_layer_crosses_where_it_saves_more_than_the_way_there_and_back(
    cross_us: list[float], ways: list[int], latency_us: float
) -> None:
    device, places = two(cross_us=cross_us)
    chosen = best_ways(device, places, LATENCY)
    assert chosen.ways.tolist() == ways
    assert cost_of(device, places, chosen.ways).latency_ms == pytest.approx(latency_us / 1e3)


def test_the_input_comes_from_the_first_processor_and_the_output_returns_there() -> None:
    device = device_with((0, 0))
    places = places_by_hand([0, 1], [[10.0], [2.0]], cross_us=[3, 4.5])
    schedule = Schedule(device, places, best_ways(device, places, LATENCY).ways)
    assert schedule.cost.latency_ms == pytest.approx((3 + 2 + 4.5) / 1e3)
    assert [tuple(bar) for bar in timeline(schedule)] == [
        ("link", 0, "crossing", 0.0, 3.0),
        ("p1", 0, "busy", 3.0, 2.0),
        ("link", None, "crossing", 5.0, 4.5),
    ]


def test_a_store_holds_what_saves_most() -> None:
    """Two layers save 8 and 6 us with 3 tiles each, one saves 7 with 1; four tiles hold the first and the last."""
    device = device_with((0, 4))
    places = places_by_hand([0, 1], [[10, 10, 10], [2, 4, 3]], tiles=[[0, 0, 0], [3, 3, 1]])
    schedule = Schedule(device, places, best_ways(device, places, LATENCY).ways)
    assert schedule.ways.tolist() == [1, 0, 1]
    assert dict(schedule.tiles) == {"p1": 4}


def test_waiting_for_weights_begins_where_the_room_ends() -> None:
    """Both layers on the second processor would wait 12 us, of which 10 bytes of room spare them 10."""
    device = device_with((0, 0))
    slow = places_by_hand(
        [0, 1], [[5, 2.5], [1, 1]], stored_bytes=[[0, 0], [9, 5]], wait_us=[[0, 0], [8, 4]], room_bytes=10
    )
    schedule = Schedule(device, slow, best_ways(device, slow, LATENCY).ways)
    assert schedule.ways.tolist() == [1, 0]
    assert schedule.cost.latency_ms == pytest.approx((1 + 2.5) / 1e3)
    both = Schedule(device, slow, np.array([1, 1]))
    assert both.cost.latency_ms == pytest.approx((1 + 1 + 2) / 1e3)
    assert both.parts.wait_us.sum() == pytest.approx(2)
    assert both.parts.dram_bytes.sum() == pytest.approx(4)
    streaming = [bar for bar in timeline(both) if bar.what == "streaming"]
    assert sum(bar.us for bar in streaming) == pytest.approx(4)  # at 0.001 GB/s a byte takes 1 us


def test_a_period_is_the_load_of_what_is_busiest() -> None:
    device = device_with((0, 0))
    places = places_by_hand([0, 1], [[6, 6, 6], [7, 7, 7]], cross_us=[2, 2, 2, 2])
    alone = Schedule(device, places, best_ways(device, places, LATENCY).ways)
    assert (alone.cost.latency_ms, alone.period_ms) == pytest.approx((0.018, 0.018))
    chosen = best_ways(device, places, objective_of("latency", pipelined=True))
    shared = Schedule(device, places, chosen.ways)
    # two layers at the first processor and the output's or another's return: 6 + 6 + 2; 2 + 7 at the second
    assert shared.period_ms == pytest.approx(0.014)
    assert dict(shared.loads_ms) == pytest.approx({"p0": 0.014, "p1": 0.009, "link": 0.004, "DRAM": 0})
    saved_mj = device.static_mw * (shared.cost.latency_ms - 0.014) * 1e-3
    assert shared.energy_mj(pipelined=True) == pytest.approx(shared.cost.energy_mj - saved_mj)


@pytest.mark.parametrize(
    ("others", "second", "because"),
    [
        ({"cross_us": [0, 1, 1, 0]}, 6.0, "computing"),  # 10 for 2 and the way there and back
        ({"cross_us": [0, 5, 5, 0]}, 2.0, "transfer"),  # it stays where it is slow
    ],
)
def test_what_decides_between_first_and_second_choice(others: dict[str, object], second: float, because: str) -> None:
    device, places = two(**others)
    chosen = best_ways(device, places, LATENCY)
    found = second_choice(Schedule(device, places, chosen.ways), chosen, LATENCY, 1)
    assert found is not None
    assert found.more == pytest.approx(second / 1e3)
    assert found.because == because
    assert second_choice(Schedule(device, places, chosen.ways), chosen, LATENCY, 0) is None


def test_a_full_store_decides() -> None:
    """The first layer would be as fast in the store, but the second saves more there."""
    device = device_with((0, 3))
    places = places_by_hand([0, 1], [[10, 10], [9, 2]], tiles=[[0, 0], [3, 3]])
    chosen = best_ways(device, places, LATENCY)
    found = second_choice(Schedule(device, places, chosen.ways), chosen, LATENCY, 0)
    assert found is not None
    assert (found.more, found.because) == (pytest.approx(7 / 1e3), "capacity")


def test_layers_that_run_nowhere_are_named(image_architecture: Architecture) -> None:
    layers = layers_of(image_architecture)
    attachment = load_attachment("cim-mram")
    device = load_device("xr-npu").model_copy(update={"processors": dict(attachment.processors)})
    told = (
        r"can't run .*softmax.*: none of cim computes a layer of kind \w+, or has room for its weights; add a processor"
    )
    with pytest.raises(AnswerIsNo, match=told):
        best_schedule(layers, device, LATENCY)


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_network_is_never_slower_for_more_processors(
    image_architecture: Architecture, pipelined: bool, streamed: bool
) -> None:
    layers = layers_of(image_architecture)
    objective = objective_of("latency", pipelined=pipelined)
    one, two = (
        best_schedule(layers, load_device(name), objective, streamed)[0] for name in ("xr-npu", "xr-npu+cim-mram")
    )
    assert two.time_ms(pipelined) <= one.time_ms(pipelined)
    if streamed:
        assert one.parts.resident_bytes == 0
    else:
        assert estimate(layers, load_device("xr-npu+cim-mram")).latency_ms <= two.cost.latency_ms * (1 + 1e-9)


@pytest.mark.parametrize(
    ("goal", "weights", "told"),
    [
        ("speed", None, "--objective speed: no such objective; use latency, energy, edp, weighted"),
        ("weighted", None, "--weight MS,MJ belongs to `weighted`"),
        ("edp", (1.0, 1.0), "--weight MS,MJ belongs to `weighted`"),
        ("weighted", (1.0, -2.0), "--weight 1,-2: both must be numbers greater than 0"),
        ("weighted", (1.0, float("nan")), "both must be numbers greater than 0"),
    ],
)
def test_objectives_are_checked(goal: str, weights: tuple[float, float] | None, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        objective_of(goal, weights)


def least_on_a_grid(device: Device, places: Places) -> float:
    """Least energy (mJ) of whole tiles and whole bytes: the best of every (processor, tiles, bytes), layer by layer."""
    ways, layers = places.busy_us.shape
    tiles, most = max(each.tiles for each in device.processors.values()), int(places.stored_bytes.max(axis=0).sum())
    processors = len(device.processors)
    table = np.full((processors, tiles + 1, most + 1), INF)
    table[0, 0, 0] = 0
    for layer in range(layers):
        after = np.full_like(table, INF)
        for way in range(ways):
            to, taken, stored = places.processor[way], places.tiles[way, layer], places.stored_bytes[way, layer]
            for before in range(processors):
                pj = places.energy_pj[way, layer] + (before != to) * places.cross_pj[layer]
                moved = table[before, : tiles + 1 - taken, : most + 1 - stored] + pj
                into = after[to, taken:, stored:]
                np.minimum(into, moved, out=into)
        table = after
    table[1:] += places.cross_pj[-1]
    streamed = np.maximum(np.arange(most + 1) - places.room_bytes, 0)
    least_pj = (table + streamed * device.memory.dram_pj_per_byte.value).min()
    return float(least_pj) * 1e-9


@pytest.mark.parametrize(("seed", "completed"), [(0, 1), (7, 1), *((seed, labels.COMPLETED) for seed in range(5))])
def test_forty_layers_are_mapped_as_a_table_of_all_states_says(
    seed: int, completed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many labels, a tight store and a room that matters; the time is next to nothing."""
    monkeypatch.setattr(labels, "COMPLETED", completed)
    random = np.random.default_rng(seed)
    layers, shape = 40, (5, 40)
    device = device_with((0, 60), static_mw=1e-12)
    tiles = random.integers(1, 9, shape) * np.array([0, 1, 1, 1, 0])[:, None]
    places = places_by_hand(
        [0, 1, 1, 1, 1],
        np.full(shape, 1e-9),
        energy_pj=random.uniform(40, 42, shape) - 4 * tiles,
        tiles=tiles,
        stored_bytes=random.integers(0, 6, shape),
        cross_pj=random.uniform(0, 2, layers + 1),
        room_bytes=random.integers(20, 80),
    )
    chosen = best_ways(device, places, objective_of("energy"))
    assert fits(device, places, chosen.ways)
    assert chosen.gap == 0
    told = cost_of(device, places, chosen.ways).energy_mj
    assert told == pytest.approx(least_on_a_grid(device, places), rel=1e-7, abs=0)
