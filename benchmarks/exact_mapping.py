"""What an exact mapping is worth, and what it costs: against two rules of thumb, on random networks of a space.

- By layer: each layer where it alone does best, its inputs' way there and static power counted, weight stores filled in
  the order of the layers. What weights cost that don't stay on the chip is a matter of all layers, and left out.
- By gain: each layer on the first processor, then the layers that gain most for each tile moved, as long as the whole
  gains.

Both are told as the exact mapping's value over theirs. Time is told as a ratio to costing
the network on the NPU alone, taken in turn.

    python benchmarks/exact_mapping.py
"""

import argparse
from collections.abc import Callable
from time import process_time

import numpy as np
from machine import machine_line

from edge_search.space import load_space
from edge_toolkit.cost import estimate
from edge_toolkit.cost.mapping import best_ways
from edge_toolkit.cost.objective import Goal, Objective, objective_of
from edge_toolkit.cost.placing import Places, places_of
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.device import Device, load_device, shipped_attachments
from edge_toolkit.layers import LayerTable, layers_of
from edge_toolkit.processors.option import Integers

NPU = "xr-npu"
GOALS: tuple[Goal, ...] = ("latency", "energy", "edp")


def value(device: Device, places: Places, ways: Integers, objective: Objective) -> float:
    """What a mapping minimises; infinite where a store overflows."""
    taken = places.tiles[ways, np.arange(len(ways))]
    for index, processor in enumerate(device.processors.values()):
        if taken[places.processor[ways] == index].sum() > processor.tiles:
            return float("inf")
    schedule = Schedule(device, places, ways)
    return objective.value(schedule.cost.latency_ms, schedule.cost.energy_mj)


def by_layer(device: Device, places: Places, objective: Objective) -> Integers:
    """Each layer in turn where it alone does best, the way back counted only when it comes."""
    free = np.array([processor.tiles for processor in device.processors.values()])
    at, ways = 0, np.zeros(places.busy_us.shape[1], dtype=np.int64)
    for layer in range(len(ways)):
        crosses = places.processor != at
        time_ms = (places.busy_us[:, layer] + crosses * places.cross_us[layer]) * 1e-3
        dynamic_pj = places.energy_pj[:, layer] + crosses * places.cross_pj[layer]
        energy_mj = dynamic_pj * 1e-9 + device.static_mw * time_ms * 1e-3
        each = np.array([objective.value(*both) for both in zip(time_ms, energy_mj, strict=True)])
        each[places.tiles[:, layer] > free[places.processor]] = np.inf
        ways[layer] = each.argmin()
        at = int(places.processor[ways[layer]])
        free[at] -= places.tiles[ways[layer], layer]
    return ways


def by_gain(device: Device, places: Places, objective: Objective) -> Integers:
    """From all layers on the first processor, one layer moved at a time while that helps."""
    ways = np.zeros(places.busy_us.shape[1], dtype=np.int64)
    best = value(device, places, ways, objective)
    while True:
        moves = []
        for way, layer in zip(*np.nonzero(np.isfinite(places.busy_us)), strict=True):
            moved = ways.copy()
            moved[layer] = way
            gain = best - value(device, places, moved, objective)
            if gain > 1e-12:
                moves.append((gain / max(places.tiles[way, layer], 1), layer, way))
        if not moves:
            return ways
        _, layer, way = max(moves)
        ways[layer] = way
        best = value(device, places, ways, objective)


def seconds(work: Callable[[], object]) -> float:
    """Processor time that work takes, once."""
    begin = process_time()
    work()
    return process_time() - begin


def told(numbers: list[float]) -> str:
    """Median and range."""
    return f"{np.median(numbers):.3f} ({min(numbers):.3f} to {max(numbers):.3f})"


def compare(tables: list[LayerTable], device: Device, goal: Goal) -> str:
    """A line of the table."""
    objective, alone = objective_of(goal), load_device(NPU)
    layer_ratios, gain_ratios, times, proven = [], [], [], 0
    for layers in tables:
        places = places_of(layers, device)
        chosen = best_ways(device, places, objective)
        proven += chosen.gap == 0
        layer_ratios.append(chosen.value / value(device, places, by_layer(device, places, objective), objective))
        gain_ratios.append(chosen.value / value(device, places, by_gain(device, places, objective), objective))
        in_turn = [(seconds(lambda: best_ways(device, places, objective)), seconds(lambda: estimate(layers, alone)))  # noqa: B023 - called at once
                   for _ in range(5)]  # fmt: skip
        times.append(float(np.median([ours / theirs for ours, theirs in in_turn])))
    time = f"{np.median(times):.0f} ({min(times):.0f} to {max(times):.0f})"
    return (
        f"| {device.name} | {goal} | {told(layer_ratios)} | {told(gain_ratios)} | {proven} of {len(tables)} | {time} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", default="xr-vision")
    parser.add_argument("--networks", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    generator, space = np.random.default_rng(asked.seed), load_space(asked.space)
    tables = [layers_of(space.sample(generator)) for _ in range(asked.networks)]
    print(machine_line())
    sizes = sorted(len(table) for table in tables)
    print(f"{asked.networks} random networks of {asked.space} (seed {asked.seed}), {sizes[0]} to {sizes[-1]} layers\n")
    print("| device | least | exact over by layer | exact over by gain | proven | time over the NPU's estimate |")
    print("|---|---|---|---|---|---|")
    for attachment in shipped_attachments():
        for goal in GOALS:
            print(compare(tables, load_device(f"{NPU}+{attachment}"), goal), flush=True)


if __name__ == "__main__":
    main()
