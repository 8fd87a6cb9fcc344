"""A profile as a trace that Perfetto and chrome://tracing open: rows and blocks on a line of time.

Source: Trace Event Format (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), and what
Perfetto reads of it (https://perfetto.dev/docs/getting-started/other-formats).
"""

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from typing import Any

from edge_toolkit import __version__
from edge_toolkit.profile import REST, Profile, Row, doubts_of

ROWS, BLOCKS, NO_PLACE = THREADS = ("request", "blocks", "runtime and binding, wherever they were")
"""The lines of each network, from the top."""

NOTE = (
    "OpenVINO's counters give how long each node takes, not when it begins: rows stand end to end, in the order of "
    "execution. `runtime` (what else the request takes) and `binding` (what Python adds to it) are spread over the "
    "request, nobody knows where; they stand behind the rows, on a line of their own, and end at the wall time (or a "
    "little later where `runtime` is below 0, since counting slowed the rows: it has no length then). ts and dur are "
    "rounded to nanoseconds, args.time_us is not."
)

Event = dict[str, Any]


def trace_of(profile: Profile) -> dict[str, Any]:
    """Plain data for `json.dumps` in the Trace Event Format, a process for each network.

    A row that the counters read as 0 is there with no duration, and so is a `runtime` below 0, which a span can't show.
    """
    whose = ("model", "baseline")[: len(profile.both)]
    events = [
        event
        for pid, (role, each) in enumerate(zip(whose, profile.both, strict=True), start=1)
        for event in (*_names(pid, role, each), *_spans(pid, each))
    ]
    return {
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {
            "writer": f"edge-toolkit {__version__}",
            "note": NOTE,
            "device": f"{profile.device} {profile.device_name}",
            "versions": dict(profile.versions),
            "doubts": list(doubts_of(profile)),
        },
    }


def _names(pid: int, role: str, network: Profile) -> Iterator[Event]:
    """Metadata: what the process and its threads are called, and in which order they stand."""
    label = f"median {network.latency_ms.median:.4f} ms in {network.precision or 'unknown precision'}"
    facts = {"name": f"{role}: {network.name}", "labels": label, "sort_index": pid}
    for key, value in facts.items():
        yield {"ph": "M", "name": f"process_{key}", "pid": pid, "tid": _tid(pid, 0), "args": {key: value}}
    for line, name in enumerate(THREADS):
        for key, fact in (("name", name), ("sort_index", line)):
            yield {"ph": "M", "name": f"thread_{key}", "pid": pid, "tid": _tid(pid, line), "args": {key: fact}}


def _tid(pid: int, line: int) -> int:
    """A thread's number, which no other process has: some readers take it for the system's."""
    return 10 * pid + line + 1


def _spans(pid: int, network: Profile) -> Iterator[Event]:
    """The rows, the blocks around them, and what has no place."""
    # By role: a model may call a node of its own `runtime`.
    executed = [row for row in network.rows if row.role not in REST]
    rest = [row for row in network.rows if row.role in REST]
    edges = _edges_ns([*executed, *rest])
    for index, row in enumerate((*executed, *rest)):
        line = THREADS.index(ROWS if index < len(executed) else NO_PLACE)
        yield _span(row.name, row.role, (pid, line), (edges[index], edges[index + 1]), _facts(row, network))
    for block, members in groupby(range(len(executed)), lambda index: executed[index].block):
        here = list(members)
        inside = [executed[index] for index in here]
        place = (pid, THREADS.index(BLOCKS))
        yield _span(block, "block", place, (edges[here[0]], edges[here[-1] + 1]), _sum(inside))


def _edges_ns(rows: Sequence[Row]) -> list[int]:
    """Where each row begins, and where the last one ends; rounded here, so that no two overlap."""
    return [round(1000 * edge) for edge in accumulate((max(0.0, row.time_us) for row in rows), initial=0.0)]


def _span(name: str, category: str, place: tuple[int, int], edges_ns: tuple[int, int], args: Event) -> Event:
    pid, line = place
    begin, end = edges_ns
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "pid": pid,
        "tid": _tid(pid, line),
        "ts": _us(begin),
        "dur": _us(end - begin),
        "args": args,
    }


def _us(time_ns: int) -> float:
    """Microseconds that are as many nanoseconds again where a reader multiplies and cuts.

    Perfetto does (`CoerceToNs`, src/trace_processor/importers/json), and drops what then overlaps by a nanosecond.
    """
    time_us = time_ns / 1000
    return time_us if int(time_us * 1000) == time_ns else math.nextafter(time_us, math.inf)


def _facts(row: Row, network: Profile) -> Event:
    """What a reader sees of a row that is chosen; what is not known is left out."""
    known = {
        "role": row.role,
        "block": row.block,
        "kind": row.kind,
        "kernel": row.kernel,
        "precision": row.precision,
        "time_us": row.time_us,
        "less_than_us": network.lost_us if row.time_us == 0 and row.role not in REST else None,
        "share": row.share,
        "macs": row.macs or None,
        "bytes": row.bytes or None,
        "gmac_s": row.gmac_s,
        "gb_s": row.gb_s,
        "of_roof": row.of_roof(network.peaks) if network.peaks is not None else None,
        "originals": list(row.originals),
    }
    return {name: value for name, value in known.items() if value not in (None, "", [])}


def _sum(rows: Sequence[Row]) -> Event:
    return {
        "rows": len(rows),
        "time_us": sum(row.time_us for row in rows),
        "share": sum(row.share for row in rows),
        "macs": sum(row.macs for row in rows),
        "bytes": sum(row.bytes for row in rows),
    }
