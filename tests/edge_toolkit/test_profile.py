"""Rates of a profile's rows and their distance from the roof, by hand; what is asked beside what is reported."""

import pytest

from edge_toolkit.profile import Peaks, Row, Setting


def row(time_us: float, macs: int, bytes_moved: int) -> Row:
    return Row("conv", "conv", "stem", "Convolution", time_us, 0.1, macs, "brgconv", "f32", (), bytes_moved)


@pytest.mark.parametrize(
    ("each", "gmac_s", "gb_s"),
    [
        (row(10.0, 500_000, 40_000), 50.0, 4.0),  # 0.5 M in 10 us are 50 G a second
        (row(2.0, 1_000, 0), 0.5, None),
        (row(2.0, 0, 1_000), None, 0.5),
        (row(0.0, 1_000, 1_000), None, None),
        (row(-3.0, 1_000, 1_000), None, None),
    ],
)
def test_rates(each: Row, gmac_s: float | None, gb_s: float | None) -> None:
    assert (each.gmac_s, each.gb_s) == (gmac_s, gb_s)


PEAKS = Peaks(gmac_s=100.0, memory_gb_s=10.0, cache_gb_s=40.0)


@pytest.mark.parametrize(
    ("each", "peaks", "expected"),
    [
        # 0.5 M at 100 G a second take 5 us, of 10; 40 kB at 40 GB a second take 1 us.
        (row(10.0, 500_000, 40_000), PEAKS, 0.5),
        (row(10.0, 500_000, 320_000), PEAKS, 0.8),
        (row(10.0, 500_000, 40_000), Peaks(100.0, 10.0, None), 0.5),
        (row(10.0, 500_000, 80_000), Peaks(100.0, 10.0, None), 0.8),
        (row(10.0, 500_000, 80_000), Peaks(100.0, 10.0, 4.0), 0.8),  # memory that is faster than a cache
        (row(10.0, 0, 40_000), PEAKS, 0.1),
        (row(10.0, 500_000, 0), PEAKS, 0.5),
        (row(10.0, 0, 0), PEAKS, None),
        (row(0.0, 500_000, 40_000), PEAKS, None),
        (row(-1.0, 500_000, 40_000), PEAKS, None),
    ],
)
def test_a_row_is_held_against_the_roof(each: Row, peaks: Peaks, expected: float | None) -> None:
    found = each.of_roof(peaks)
    assert found == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("asked", "reported", "differs"),
    [("1", "1", False), ("1", "2", True), ("", "2", False), ("1", "", False), ("", "", False)],
)
def test_a_setting_differs_where_both_are_told(asked: str, reported: str, differs: bool) -> None:
    assert Setting("threads", asked, reported).differs is differs
