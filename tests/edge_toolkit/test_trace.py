"""The trace of a profile: its spans against the rows, and as Perfetto would read them."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_toolkit.profile import Profile, Row
from edge_toolkit.trace import trace_of
from tests.edge_toolkit.profiles_for_tests import profile_of

HOSTILE = '"}], </script>\n\x00\ud800 名 ../..'


def spans_of(trace: dict[str, Any], pid: int, line: str) -> list[dict[str, Any]]:
    """The spans on one line of one network, by the names that the metadata gives."""
    lines = {
        event["args"]["name"]: event["tid"]
        for event in trace["traceEvents"]
        if event["name"] == "thread_name" and event["pid"] == pid
    }
    (tid,) = [tid for name, tid in lines.items() if name.startswith(line)]
    return [
        event for event in trace["traceEvents"] if event["ph"] == "X" and (event["pid"], event["tid"]) == (pid, tid)
    ]


def row(name: str, time_us: float, block: str = "stem", role: str = "conv") -> Row:
    return Row(name, role, block, "Convolution", time_us, time_us / 100, 1000, "brgconv", "f32", (name,), 500)


def with_rows(*rows: Row) -> Profile:
    """A profile of these rows, and `runtime` and `binding`."""
    made = profile_of()
    return replace(made, rows=(*rows, *made.rows[-2:]), baseline=None, comparison=None)


def perfetto_ns(time_us: float) -> int:
    """As `CoerceToNs` of Perfetto has it: multiplied, and cut."""
    return int(time_us * 1000)


def test_a_process_for_each_network() -> None:
    events = trace_of(profile_of())["traceEvents"]
    named = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert named == {1: "model: knee", 2: "baseline: knee-lstm"}
    pids_of_tid: dict[int, set[int]] = {}
    for event in events:
        pids_of_tid.setdefault(event["tid"], set()).add(event["pid"])
    assert all(len(pids) == 1 for pids in pids_of_tid.values())
    assert len(pids_of_tid) == 6
    alone = trace_of(replace(profile_of(), baseline=None, comparison=None))
    assert {event["pid"] for event in alone["traceEvents"]} == {1}


@pytest.mark.parametrize(("pid", "executed_us", "wall_us"), [(1, 11.25, 25.0), (2, 80.0, 83.0)])
def test_rows_stand_end_to_end_and_sum_to_the_wall_time(pid: int, executed_us: float, wall_us: float) -> None:
    trace = trace_of(profile_of())
    request, rest = spans_of(trace, pid, "request"), spans_of(trace, pid, "runtime")
    assert request[0]["ts"] == 0
    for before, after in pairwise(request):
        assert after["ts"] == pytest.approx(before["ts"] + before["dur"])
    assert sum(span["dur"] for span in request) == pytest.approx(executed_us)
    assert rest[0]["ts"] == pytest.approx(executed_us)
    assert [span["name"] for span in rest] == ["runtime", "binding"]
    assert sum(span["args"]["time_us"] for span in (*request, *rest)) == pytest.approx(wall_us)


def test_what_takes_no_time_is_there_with_what_it_may_lack() -> None:
    trace = trace_of(profile_of())
    (pooled,) = [span for span in spans_of(trace, 1, "request") if span["name"] == "head.pool/ReduceMean"]
    assert (pooled["dur"], pooled["ts"], pooled["args"]["time_us"]) == (0, 11.25, 0)
    assert pooled["args"]["less_than_us"] == pytest.approx(2.2)
    below, binding = spans_of(trace, 2, "runtime")
    assert (below["dur"], below["args"]["time_us"]) == (0, -2.5)
    assert binding["ts"] == 80.0


def test_a_block_that_comes_back_is_a_second_span() -> None:
    rows = (row("a", 1.5), row("b", 2.5), row("c", 4.0, "head"), row("d", 8.0), row("e", 0.0, "end"))
    blocks = spans_of(trace_of(with_rows(*rows)), 1, "blocks")
    seen = [(span["name"], span["ts"], span["dur"], span["args"]["rows"]) for span in blocks]
    assert seen == [("stem", 0, 4, 2), ("head", 4, 4, 1), ("stem", 8, 8, 1), ("end", 16, 0, 1)]
    assert blocks[0]["args"] == {"rows": 2, "time_us": 4.0, "share": 0.04, "macs": 2000, "bytes": 1000}


def test_a_node_that_is_called_runtime_is_a_node() -> None:
    trace = trace_of(with_rows(row("runtime", 1.0), row("binding", 2.0)))
    assert [span["name"] for span in spans_of(trace, 1, "request")] == ["runtime", "binding"]


def test_a_row_tells_what_is_known_of_it() -> None:
    (span,) = spans_of(trace_of(with_rows(row("a", 2.0))), 1, "request")
    assert span["cat"] == "conv"
    assert span["args"] == {
        "role": "conv", "block": "stem", "kind": "Convolution", "kernel": "brgconv", "precision": "f32", "time_us": 2.0,
        "share": 0.02, "macs": 1000, "bytes": 500, "gmac_s": 0.5, "gb_s": 0.25, "originals": ["a"],
    }  # fmt: skip


def test_names_may_be_anything_and_the_file_says_what_is_not_measured() -> None:
    made = with_rows(row(HOSTILE, 1.0, HOSTILE, HOSTILE))
    trace = json.loads(json.dumps(trace_of(replace(made, target=HOSTILE)), allow_nan=False))
    assert spans_of(trace, 1, "request")[0]["name"] == HOSTILE
    assert spans_of(trace, 1, "blocks")[0]["name"] == HOSTILE
    assert "not when it begins" in trace["otherData"]["note"]
    assert trace["displayTimeUnit"] in ("ms", "ns")


@given(st.lists(st.floats(0, 1e5, allow_nan=False), min_size=1, max_size=60))
@example([1.001, 2.5])  # 1.001 * 1000 is 1000.9999999999999
def test_as_perfetto_reads_it_rows_touch_and_blocks_hold_them(times_us: list[float]) -> None:
    rows = [row(str(index), time_us, f"block {index // 3 % 4}") for index, time_us in enumerate(times_us)]
    trace = trace_of(with_rows(*rows))
    edges_ns = [(perfetto_ns(each["ts"]), perfetto_ns(each["dur"])) for each in spans_of(trace, 1, "request")]
    reached = 0
    for begin, lasts in edges_ns:
        assert begin == reached  # Perfetto drops a span that overlaps another by a nanosecond
        reached += lasts
    assert reached == pytest.approx(1000 * sum(times_us), abs=1)
    blocks = [
        (each["name"], perfetto_ns(each["ts"]), perfetto_ns(each["ts"]) + perfetto_ns(each["dur"]))
        for each in spans_of(trace, 1, "blocks")
    ]
    for each, (begin, lasts) in zip(rows, edges_ns, strict=True):
        assert any(name == each.block and low <= begin and begin + lasts <= high for name, low, high in blocks)
