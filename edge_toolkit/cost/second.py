"""The second choice of a layer: the best mapping with that layer elsewhere, what it costs more, and why."""

from dataclasses import dataclass, replace

import numpy as np

from edge_toolkit.cost.mapping import Chosen, best_ways
from edge_toolkit.cost.objective import Objective
from edge_toolkit.cost.placing import Places
from edge_toolkit.cost.problem import Booleans
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.errors import AnswerIsNo


@dataclass(frozen=True)
class Second:
    """The best mapping with one layer elsewhere.

    Attributes:
        schedule: of it.
        more: by how much its value exceeds the best one's.
        because: what most of that is: `computing` of the layer itself, `transfer` over the link, `waits` for weights
            and what they cost from DRAM, `capacity` of a weight store that others lose, `neighbours` that move along,
            or the `load` of what is busiest in a pipeline.
    """

    schedule: Schedule
    more: float
    because: str


def second_choice(best: Schedule, chosen: Chosen, objective: Objective, layer: int) -> Second | None:
    """What a layer would best do elsewhere: on another processor, or in another way where there is one processor.

    Args:
        best: the best mapping.
        chosen: the same, as it was found.
        objective: what it is best at.
        layer: the layer's place in the table.

    Returns:
        The best mapping of those, solved anew; None where there is none.
    """
    places, device = best.places, best.device
    elsewhere = places.processor != places.processor[chosen.ways[layer]]
    if len(device.processors) == 1:
        elsewhere = np.arange(len(places.processor)) != chosen.ways[layer]
    if not np.isfinite(places.busy_us[elsewhere, layer]).any():
        return None
    try:
        found = best_ways(device, _held(places, layer, elsewhere), objective, chosen)
    except AnswerIsNo:
        return None
    other = Schedule(device, places, found.ways)
    return Second(other, max(found.value - chosen.value, 0.0), _reason(best, other, objective, layer))


def _held(places: Places, layer: int, ways: Booleans) -> Places:
    """Places where a layer may run in some of its ways alone."""
    busy_us = places.busy_us.copy()
    busy_us[~ways, layer] = np.inf
    return replace(places, busy_us=busy_us)


def _reason(best: Schedule, other: Schedule, objective: Objective, layer: int) -> str:
    """The largest part of what another mapping costs more."""
    per_us, per_pj = _slopes(best, objective)
    load = 0.0
    if objective.pipelined:  # where time is the period, a part's own time is not what counts
        load, per_us = (other.period_ms - best.period_ms) * 1e3 * per_us, 0.0
    ours, theirs = best.parts, other.parts
    busy = per_us * (theirs.busy_us - ours.busy_us) + per_pj * (theirs.energy_pj - ours.energy_pj)
    crossing = per_us * (theirs.into_us - ours.into_us) + per_pj * (theirs.into_pj - ours.into_pj)
    dram_pj = best.device.memory.dram_pj_per_byte.value * (theirs.dram_bytes - ours.dram_bytes)
    waits = per_us * (theirs.wait_us - ours.wait_us) + per_pj * dram_pj
    parts = {
        "computing": float(busy[layer]),
        "transfer": float(crossing.sum()),
        "waits": float(waits.sum()),
        "capacity" if _displaces(best, other, layer) else "neighbours": float(busy.sum() - busy[layer]),
        "load": load,
    }
    return max(parts, key=lambda name: parts[name])


def _slopes(best: Schedule, objective: Objective) -> tuple[float, float]:
    """What a microsecond and a picojoule more cost, static power over the microsecond included."""
    per_ms, per_mj = objective.per_ms, objective.per_mj
    if objective.goal == "edp":
        per_ms, per_mj = best.energy_mj(objective.pipelined), best.time_ms(objective.pipelined)
    return per_ms * 1e-3 + per_mj * best.device.static_mw * 1e-6, per_mj * 1e-9


def _displaces(best: Schedule, other: Schedule, layer: int) -> bool:
    """Whether a layer takes tiles in a mapping that others had before."""
    layers = np.arange(len(best.ways))
    before, after = (each.places.tiles[each.ways, layers] for each in (best, other))
    gained = after[layer] - before[layer]
    return bool(gained > 0 and after.sum() - after[layer] < before.sum() - before[layer])
