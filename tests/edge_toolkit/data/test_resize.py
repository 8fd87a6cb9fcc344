"""Resizing, against torch's bilinear interpolation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from edge_toolkit.data.resize import resized


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((8, 8), (32, 32)),
        ((32, 32), (28, 28)),
        ((64, 48), (20, 33)),
        ((1, 200), (1, 128)),
        ((1, 1), (3, 2)),
        ((5, 5), (1, 1)),
    ],
)
def test_equals_torch(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, *size)).astype(np.float32)
    # In float64, since torch rounds the float32 places of the points by up to 1e-5.
    oracle = F.interpolate(torch.from_numpy(x).double(), size=wanted, mode="bilinear", align_corners=False)
    found = resized(x, *wanted)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, oracle.numpy(), atol=1e-6)


def test_size_that_fits_is_left_as_it_is() -> None:
    x = np.ones((1, 1, 4, 4), np.float32)
    assert resized(x, 4, 4) is x
