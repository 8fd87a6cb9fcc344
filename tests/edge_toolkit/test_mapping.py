"""The mapping against every other one, on systems small enough to try them all."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_toolkit.cost.mapping import best_ways
from edge_toolkit.cost.objective import GOALS, Objective, objective_of
from edge_toolkit.cost.placing import Places, cost_of
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.device import Device
from edge_toolkit.errors import AnswerIsNo
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
