"""A schedule as bars along time: what keeps each processor, the link and the DRAM busy, and when."""

from typing import Literal, NamedTuple

import numpy as np

from edge_toolkit.cost.schedule import DRAM, LINK, Schedule

What = Literal["busy", "waiting", "crossing", "streaming"]


class Bar(NamedTuple):
    """A stretch of time for a layer; a crossing of the output belongs to no layer and has `layer` None."""

    row: str
    layer: int | None
    what: What
    start_us: float
    us: float


def timeline(schedule: Schedule) -> tuple[Bar, ...]:
    """One frame in sequence: each layer's inputs cross where they must, then it computes, then it waits for weights.

    Its weights and what spills stream meanwhile, from the start of its computing.
    """
    parts, names = schedule.parts, list(schedule.device.processors)
    streaming_us = parts.dram_bytes / (schedule.device.memory.dram_gb_s.value * 1e3)
    layers = len(parts.where)
    begins_us = np.cumsum(np.append(0.0, parts.into_us[:-1] + parts.busy_us + parts.wait_us))
    bars = []
    for layer in range(layers):
        start_us, row = float(begins_us[layer] + parts.into_us[layer]), names[parts.where[layer]]
        ready_us = start_us + float(parts.busy_us[layer])
        bars += [
            Bar(LINK, layer, "crossing", float(begins_us[layer]), float(parts.into_us[layer])),
            Bar(row, layer, "busy", start_us, float(parts.busy_us[layer])),
            Bar(row, layer, "waiting", ready_us, float(parts.wait_us[layer])),
            Bar(DRAM, layer, "streaming", start_us, float(streaming_us[layer])),
        ]
    bars.append(Bar(LINK, None, "crossing", float(begins_us[layers]), float(parts.into_us[layers])))
    return tuple(bar for bar in bars if bar.us > 0)
