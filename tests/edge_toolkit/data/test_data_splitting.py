"""Stratified splits: a partition, in the shares asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_toolkit.data.splitting import stratified

SHARES = (0.6, 0.2, 0.2)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 9))
def test_parts_hold_each_index_once_and_near_its_share(classes: list[int], seed: int) -> None:
    y = np.array(classes)
    parts = stratified(y, SHARES, np.random.default_rng(seed))
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(y)))
    for value in set(classes):
        n = classes.count(value)
        for part, share in zip(parts, SHARES, strict=True):
            assert abs(int((y[part] == value).sum()) - share * n) <= 1
        assert (y[parts[0]] == value).any()


def test_the_seed_decides() -> None:
    y = np.zeros(50, int)
    one, again, other = (stratified(y, SHARES, np.random.default_rng(seed))[1].tolist() for seed in (1, 1, 2))
    assert one == again
    assert one != other


@pytest.mark.parametrize(("n", "expected"), [(1, (1, 0, 0)), (5, (3, 1, 1)), (10, (6, 2, 2)), (100, (60, 20, 20))])
def test_sizes_by_hand(n: int, expected: tuple[int, ...]) -> None:
    parts = stratified(np.zeros(n, int), SHARES, np.random.default_rng(0))
    assert tuple(len(part) for part in parts) == expected
