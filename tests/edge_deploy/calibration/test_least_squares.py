"""Non-negative least squares against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from edge_deploy.calibration.least_squares import non_negative


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 30))
def test_the_residual_is_scipys(seed: int, columns: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-4, 5, columns)  # counts of very different sizes
    b = rng.normal(size=rows)
    x = non_negative(a.T @ a, a.T @ b)
    assert (x >= 0).all()
    _, residual = nnls(a, b)
    assert np.linalg.norm(a @ x - b) == pytest.approx(residual, rel=1e-6, abs=1e-6)


def test_an_empty_column_gets_nothing() -> None:
    a = np.array([[1.0, 0.0], [2.0, 0.0]])
    assert non_negative(a.T @ a, a.T @ np.array([3.0, 6.0])).tolist() == pytest.approx([3.0, 0.0])


def test_what_would_fall_below_zero_is_left_out() -> None:
    a = np.array([[1.0, 1.0], [0.0, 1.0]])  # without the bound: x = (3, -1)
    assert non_negative(a.T @ a, a.T @ np.array([2.0, -1.0])).tolist() == pytest.approx([2.0, 0.0])
