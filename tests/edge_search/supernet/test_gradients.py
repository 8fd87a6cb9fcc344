"""The projection against geometry."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from edge_search.supernet.gradients import projected


def vectors() -> st.SearchStrategy[Tensor]:
    numbers = st.floats(-10, 10).filter(lambda value: value == 0 or abs(value) > 1e-3)
    return st.lists(numbers, min_size=3, max_size=3).map(lambda values: torch.tensor(values, dtype=torch.float64))


@pytest.mark.parametrize(
    ("largest", "others", "expected"),
    [
        ([1.0, 2.0], [3.0, 1.0], [4.0, 3.0]),  # they agree: the sum
        ([0.0, 2.0], [3.0, 0.0], [3.0, 2.0]),  # they have nothing to do with each other: the sum
        ([-1.0, 2.0], [2.0, 0.0], [2.0, 2.0]),  # what works against the others is gone
        ([-9.0, 2.0], [2.0, 0.0], [-3.0, 2.0]),  # of too much, twice the others' is taken back
        ([1.0, 2.0], [0.0, 0.0], [1.0, 2.0]),
    ],
)
def test_by_hand(largest: list[float], others: list[float], expected: list[float]) -> None:
    torch.testing.assert_close(projected(torch.tensor(largest), torch.tensor(others)), torch.tensor(expected))


@given(vectors(), vectors())
def test_a_step_never_works_against_the_others_unless_the_largest_asks_for_thrice_as_much(
    largest: Tensor, others: Tensor
) -> None:
    found, dot, square = projected(largest, others), float(largest @ others), float(others @ others)
    if dot >= 0:
        torch.testing.assert_close(found, largest + others)
    elif -dot <= 2 * square:
        assert float(found @ others) == pytest.approx(square, rel=1e-9, abs=1e-9)
    remainder = found - largest
    if square:
        torch.testing.assert_close(remainder, others * (remainder @ others) / square)
