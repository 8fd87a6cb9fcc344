"""How near answers are: by hand."""

import numpy as np
import pytest

from edge_deploy.nearness import relative_error, snr_db


def test_the_largest_difference_over_the_largest_expected() -> None:
    expected = np.array([[1.0, -4.0], [2.0, 0.5]])
    assert relative_error(expected + np.array([[0, 0], [0.1, -0.2]]), expected) == pytest.approx(0.2 / 4)
    assert relative_error(np.zeros((1, 0)), np.zeros((1, 0))) == 0
    assert np.isnan(relative_error(np.array([np.nan, 1.0]), np.array([1.0, 1.0])))


def test_signal_to_noise_in_decibels() -> None:
    expected = np.array([3.0, 4.0])  # energy 25
    assert snr_db(expected + np.array([0.0, 0.5]), expected) == pytest.approx(20)  # noise 0.25
    assert snr_db(expected + np.array([0.3, -0.4]), expected) == pytest.approx(20)
    assert snr_db(expected, expected) == pytest.approx(300)
