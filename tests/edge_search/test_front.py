"""The front against a brute force, the picks against their definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_search.front import non_dominated, picks_of
from edge_toolkit.architecture import Architecture, Head, MBConv, Stage, Stem
from edge_toolkit.front import Candidate

NETWORK = Architecture((1, 1, 8), Stem(4), (Stage(4, 1, (MBConv(3, 1),)),), Head(2))
Point = tuple[int, int, int]


def candidate(point: Point) -> Candidate:
    """Accuracy, latency and energy on a coarse grid, so that ties and equals occur."""
    accuracy, latency, energy = point
    return Candidate(NETWORK, accuracy / 8, float(latency), float(energy), 1, 1, {})


def point_of(one: Candidate) -> Point:
    return round(one.accuracy * 8), int(one.latency_ms), int(one.energy_mj)


def dominates(a: Point, b: Point) -> bool:
    return a[0] >= b[0] and a[1] <= b[1] and a[2] <= b[2] and a != b


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(1, 6), st.integers(1, 6)), max_size=40))
def test_front_equals_brute_force(points: list[Point]) -> None:
    kept = [point_of(one) for one in non_dominated([candidate(point) for point in points])]
    brute = {one for one in points if not any(dominates(other, one) for other in points)}
    assert set(kept) == brute
    assert len(kept) == len(brute), "equal candidates stand once"
    assert kept == sorted(kept, key=lambda one: (one[1], one[2], -one[0]))


@pytest.mark.parametrize(
    ("points", "picks"),
    [
        ([(4, 1, 1)], {"knee": 0, "fastest": 0, "most-accurate": 0, "least-energy": 0}),
        # Scaled to the range: (1, 0, 0), (0.25, 0.2, 0.2), (0, 1, 1); the second is nearest to the ideal.
        ([(0, 1, 1), (6, 2, 2), (8, 6, 6)], {"knee": 1, "fastest": 0, "most-accurate": 2, "least-energy": 0}),
        ([(2, 1, 5), (4, 3, 1), (8, 6, 6)], {"knee": 1, "fastest": 0, "most-accurate": 2, "least-energy": 1}),
    ],
)
def test_picks(points: list[Point], picks: dict[str, int]) -> None:
    assert picks_of([candidate(point) for point in points]) == picks


def test_nothing_has_an_empty_front() -> None:
    assert non_dominated([]) == ()
