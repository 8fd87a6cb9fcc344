"""What a consumer of a `Dataset` sees: normalisation, fingerprint, and no test split."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from edge_toolkit.data import Dataset, Normalisation, Split, normalisation_from_json, normalisation_of
from edge_toolkit.errors import InputError


def made(x: Any, y: Any) -> Split:
    return Split(np.asarray(x, np.float32), np.asarray(y, np.int64))


@pytest.fixture
def small() -> Dataset:
    train = made([[[[0.0, 2.0]], [[5.0, 5.0]]], [[[4.0, 6.0]], [[5.0, 5.0]]]], [0, 1])
    validation = made([[[[100.0, 100.0]], [[9.0, 9.0]]]], [1])
    return Dataset("small", train, validation, ("no", "yes"), "by hand")


def test_shape_and_classes(small: Dataset) -> None:
    assert small.input_shape == (2, 1, 2)
    assert small.classes == 2
    assert len(small.train) == 2


def test_normalisation_is_that_of_training_by_hand(small: Dataset) -> None:
    # 0, 2, 4, 6: mean 3, variance (9 + 1 + 1 + 9) / 4 = 5; the second channel is constant.
    assert small.normalisation.mean == (3.0, 5.0)
    assert small.normalisation.std == pytest.approx((5**0.5, 1.0))


def test_apply_keeps_float32_and_leaves_the_samples_raw(small: Dataset) -> None:
    applied = small.normalisation.apply(small.train.x)
    assert applied.dtype == np.float32
    np.testing.assert_allclose(applied[:, 0].ravel(), np.array([-3, -1, 1, 3]) / 5**0.5, rtol=1e-6)
    assert not applied[:, 1].any()
    assert small.train.x[1, 0, 0, 1] == 6


def test_a_constant_channel_is_divided_by_one() -> None:
    x = np.full((7, 1, 3, 3), 0.1, np.float32)  # 0.1 has no exact float: a naive deviation is about 1e-17
    assert normalisation_of(x).std == (1.0,)


def test_normalisation_round_trip_through_json(small: Dataset) -> None:
    text = json.dumps(asdict(small.normalisation))
    assert normalisation_from_json(json.loads(text)) == small.normalisation


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"mean": [0.0]}, "std: is missing"),
        ({"mean": [0.0, 1.0], "std": [1.0]}, "mean has 2 numbers and std 1"),
        ({"mean": [0.0], "std": [0.0]}, r"std\[0\]=0.0 must be finite and more than 0"),
        ({"mean": [float("nan")], "std": [1.0]}, r"mean\[0\]=nan must be finite"),
        ({"mean": [0.0], "std": [1.0], "sdt": 1}, "sdt: "),
        ([], "normalisation"),
    ],
)
def test_bad_normalisation_is_told(value: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        normalisation_from_json(value)


def test_normalisation_of_other_channels_is_refused(small: Dataset) -> None:
    with pytest.raises(InputError, match="input of 2 channels does not fit a normalisation of 3"):
        Normalisation((0.0,) * 3, (1.0,) * 3).apply(small.train.x)


def test_fingerprint_follows_each_part(small: Dataset) -> None:
    moved = replace(small, validation=made(small.validation.x + 1, small.validation.y))
    relabelled = replace(small, train=made(small.train.x, [1, 0]))
    reshaped = replace(small, train=made(small.train.x.reshape(2, 2, 2, 1), small.train.y))
    again = replace(small, name="other name")
    assert len({data.fingerprint for data in (small, moved, relabelled, reshaped)}) == 4
    assert again.fingerprint == small.fingerprint
    assert len(small.fingerprint) == 64
