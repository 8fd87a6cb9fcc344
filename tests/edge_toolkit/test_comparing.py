"""Two profiles side by side: hand-made ones whose differences are known, and the interval of two separate runs."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from edge_toolkit.comparing import Differences, apart, differences, sentence
from edge_toolkit.profile import Comparison, Latency, Peaks, Profile, Row
from tests.edge_toolkit.profiles_for_tests import profile_of

BASE = replace(profile_of(), baseline=None, comparison=None)


def latency(median: float, low: float, high: float) -> Latency:
    return Latency(median, median, median, median, median, (low, high), 100)


def of_rows(rows: Sequence[Row]) -> Profile:
    """The profile with other executed rows; its counters drop up to 2.2 us of each."""
    return replace(BASE, rows=(*rows, *BASE.rows[-2:]), unread_us=2.2 * len(rows))


def row(name: str, time_us: float = 10.0, kind: str = "Convolution", kernel: str = "brgconv", macs: int = 1000) -> Row:
    return Row(name, "conv", "stem", kind, time_us, 0.1, macs, kernel, "f32", (name,))


def changes(a: Sequence[Row], b: Sequence[Row]) -> list[tuple[str, float | None, float | None, str]]:
    found = differences(of_rows(a), of_rows(b))
    return [(each.name, each.a_us, each.b_us, each.what) for each in found.rows]


def test_a_profile_differs_in_nothing_from_itself() -> None:
    found = differences(BASE, BASE)
    assert found.rows == ()
    assert found.unlike == ()
    assert found.evidence == "separate runs"
    assert all(each.more_us == 0 for each in found.roles)
    assert (found.comparison.ratio, found.comparison.verdict) == (1, "no difference seen")


A, B, C = row("a"), row("b"), row("c")
ROWS: list[tuple[Sequence[Row], Sequence[Row], list[tuple[str, float | None, float | None, str]]]] = [
    ([A, B], [A], [("b", 10.0, None, "only in the first")]),
    ([A], [A, C], [("c", None, 10.0, "only in the second")]),
    ([A, B, C], [A, row("d", 12.0), C], [
        ("d", None, 12.0, "only in the second"), ("b", 10.0, None, "only in the first")]),
    # What stands elsewhere in the order is the same row, and is told where something else of it changed.
    ([A, B, C], [B, C, A], []),
    ([A, B, C], [B, C, row("a", kernel="jit")], [("a", 10.0, 10.0, "kernel brgconv, jit in the second")]),
    # What is done by another kernel, in another precision, or on another size is the same row, changed.
    ([A], [row("a", kernel="jit")], [("a", 10.0, 10.0, "kernel brgconv, jit in the second")]),
    ([A], [replace(A, precision="bf16", macs=7)], [
        ("a", 10.0, 10.0, "precision f32, bf16 in the second; MACs 1000, 7 in the second")]),
    ([A], [row("a", kind="Gemm")], [("a", 10.0, None, "only in the first"), ("a", None, 10.0, "only in the second")]),
    # Times: both counters together may have dropped 4.4 us, and a tenth is what two runs differ by.
    ([A], [row("a", 14.4)], []),
    ([A], [row("a", 14.5)], [("a", 10.0, 14.5, "time")]),
    ([row("a", 100.0)], [row("a", 110.0)], []),
    ([row("a", 100.0)], [row("a", 112.0)], [("a", 100.0, 112.0, "time")]),
    # The largest difference comes first, whichever way.
    ([A, B, C], [row("a", 20.0), row("b", 90.0), row("c", 1.0)], [
        ("b", 10.0, 90.0, "time"), ("a", 10.0, 20.0, "time"), ("c", 10.0, 1.0, "time")]),
    # OpenVINO's numbers, which differ from process to process, name nothing.
    ([row("Add_3341")], [row("Add_77")], []),
    ([row("conv_acdb_abcd_Result_9")], [row("conv_acdb_abcd_Result_12")], []),
    # Those of layers do.
    ([row("conv2d_1/Conv"), row("conv2d_2/Conv"), row("conv2d_3/Conv")], [row("conv2d_1/Conv"), row("conv2d_3/Conv")], [
        ("conv2d_2/Conv", 10.0, None, "only in the first")]),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "expected"), ROWS)
def test_rows_that_are_new_gone_or_changed(
    a: Sequence[Row], b: Sequence[Row], expected: list[tuple[str, float | None, float | None, str]]
) -> None:
    assert changes(a, b) == expected


def test_roles_are_summed_and_the_rest_comes_last() -> None:
    model, lstm = profile_of(), profile_of().baseline
    assert lstm is not None
    found = {each.name: (each.a_us, each.b_us) for each in differences(model, lstm).roles}
    assert found == {
        "conv": (3.25 + 4.0 + 1.5, 3.0),
        "layout": (0.5, None),
        "depthwise": (2.0, None),
        "head": (0.0, None),
        "recurrent": (None, 77.0),
        "runtime": (6.75, -2.5),
        "binding": (7.0, 5.5),
    }
    assert [*found][-2:] == ["runtime", "binding"]
    (recurrent,) = (each for each in differences(model, lstm).roles if each.name == "recurrent")
    assert recurrent.more_us == -77


APART: list[tuple[Latency, Latency, Comparison]] = [
    # By hand: 2 / 1, from 1.9 / 1.1 to 2.1 / 0.9.
    (latency(2, 1.9, 2.1), latency(1, 0.9, 1.1), Comparison(2.0, (1.9 / 1.1, 2.1 / 0.9), "slower")),
    (latency(1, 0.9, 1.1), latency(2, 1.9, 2.1), Comparison(0.5, (0.9 / 2.1, 1.1 / 1.9), "faster")),
    # Within a tenth there is no verdict, however narrow the intervals.
    (latency(1.1, 1.1, 1.1), latency(1, 1, 1), Comparison(1.1, (1.1, 1.1), "no difference seen")),
    (latency(1.11, 1.11, 1.11), latency(1, 1, 1), Comparison(1.11, (1.11, 1.11), "slower")),
    (latency(0.9, 0.9, 0.9), latency(1, 1, 1), Comparison(0.9, (0.9, 0.9), "no difference seen")),
    (latency(0.89, 0.89, 0.89), latency(1, 1, 1), Comparison(0.89, (0.89, 0.89), "faster")),
    # An interval that reaches into it is none, either.
    (latency(1.5, 1.05, 1.9), latency(1, 1, 1), Comparison(1.5, (1.05, 1.9), "no difference seen")),
    (latency(0.5, 0.3, 0.95), latency(1, 1, 1), Comparison(0.5, (0.3, 0.95), "no difference seen")),
]


@pytest.mark.parametrize(("a", "b", "expected"), APART)
def test_two_runs_apart(a: Latency, b: Latency, expected: Comparison) -> None:
    found = apart(replace(BASE, latency_ms=a), replace(BASE, latency_ms=b))
    assert found.verdict == expected.verdict
    assert (found.ratio, *found.interval) == pytest.approx((expected.ratio, *expected.interval))


def test_a_comparison_of_one_run_is_kept_as_it_is() -> None:
    given = Comparison(0.97, (0.96, 0.975), "faster")
    found = differences(BASE, BASE, given)
    assert (found.comparison, found.evidence) == (given, "one run")


def unlike(**changed: object) -> Differences:
    return differences(replace(BASE, **changed), BASE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"device_name": "NPU 4"}, "device: NPU 4 in the first, Test Processor 9000 in the second"),
        ({"precision": "bf16"}, "precision: bf16 in the first, f32 in the second"),
        ({"threads": 4}, "threads: 4 in the first, 1 in the second"),
        ({"streams": 2}, "streams: 2 in the first, 1 in the second"),
        ({"machine": replace(BASE.machine, cpu="Other")}, "CPU: Other in the first, Test Processor 9000 in the second"),
        ({"versions": {"openvino": "2027"}}, "openvino: 2027 in the first, 2026.2.0-test in the second"),
    ],
)
def test_what_else_was_different_is_told(changed: dict[str, object], told: str) -> None:
    assert unlike(**changed).unlike == (told,)


def test_the_machines_speed_is_told_where_both_were_measured() -> None:
    a, b = replace(BASE, peaks=Peaks(50.0, 30.0, None)), replace(BASE, peaks=Peaks(100.0, 20.0, 80.0))
    (told,) = differences(a, b).unlike
    assert told.startswith("the machine itself was 0.50 times as fast in products, and 1.50 times from memory")
    assert differences(a, BASE).unlike == ()
    assert differences(a, b, Comparison(1.0, (1.0, 1.0), "no difference seen")).unlike == ()


@pytest.mark.parametrize(
    ("comparison", "told"),
    [
        (
            Comparison(0.5, (0.4, 0.625), "faster"),
            "a is faster than b by 50.0% (37.5% to 60.0%): it takes 0.500 times as long (0.400 to 0.625)",
        ),
        (
            Comparison(1.5, (1.25, 2.0), "slower"),
            "a is slower than b by 50.0% (25.0% to 100.0%): it takes 1.500 times as long (1.250 to 2.000)",
        ),
        (
            Comparison(1.01, (0.99, 1.03), "no difference seen"),
            "no difference seen between a and b: the first takes 1.010 times as long (0.990 to 1.030)",
        ),
    ],
)
def test_the_verdict_in_a_line(comparison: Comparison, told: str) -> None:
    assert sentence(comparison, "a", "b") == told
