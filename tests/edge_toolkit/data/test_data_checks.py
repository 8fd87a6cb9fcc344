"""The door: each rule alone, and all of them together."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge_toolkit.data.checks import check
from edge_toolkit.data.raw import SPLITS, Raw, RawSplit
from edge_toolkit.errors import InputError

FIRST = {"train": 0, "validation": 1000, "test": 2000}
SIZES = {"train": 12, "validation": 6, "test": 6}


def split(name: str) -> RawSplit:
    """Distinct samples of (1, 2, 2) and classes 0, 1, 2, 0, ..."""
    n = SIZES[name]
    x = np.arange(n * 4, dtype=np.float64).reshape(n, 1, 2, 2) + FIRST[name]
    return RawSplit(x, np.arange(n) % 3)


def good() -> Raw:
    return Raw({name: split(name) for name in SPLITS}, "by hand")


def changed(name: str, **arrays: Any) -> Raw:
    raw = good()
    return replace(raw, splits={**raw.splits, name: replace(raw.splits[name], **arrays)})


def holding(x: Any, index: tuple[int, ...], value: float) -> Any:
    x = x.copy()
    x[index] = value
    return x


def test_good_data_passes_with_its_values() -> None:
    parts = check("hand", good())
    assert parts.labels == ("0", "1", "2")
    assert parts.notes == ()
    for name in SPLITS:
        assert parts.splits[name].x.dtype == np.float32
        assert parts.splits[name].y.dtype == np.int64
        np.testing.assert_array_equal(parts.splits[name].x, split(name).x)


def test_sequences_get_a_height_of_one() -> None:
    raw = good()
    flat = {name: replace(part, x=part.x.reshape(-1, 2, 2)) for name, part in raw.splits.items()}
    assert check("hand", replace(raw, splits=flat)).splits["test"].x.shape == (6, 2, 1, 2)


X = split("train").x
Y = split("train").y
VX = split("validation").x

RULES = {
    "text": (changed("train", x=X.astype(str)), "train: x has dtype <U"),
    "complex": (changed("test", x=split("test").x + 1j), "test: x has dtype complex128"),
    "flat": (changed("train", x=X.reshape(12, 4)), r"train: x has shape \(12, 4\); it must be \(n, channels, height"),
    "scalar": (changed("train", x=np.float64(1).reshape(())), r"train: x has shape \(\)"),
    "empty": (changed("validation", x=VX[:0], y=np.arange(0)), "validation: x is empty, of shape"),
    "float labels": (changed("train", y=Y.astype(float)), "train: y has dtype float64; it must be integers"),
    "one-hot": (changed("train", y=np.eye(3, dtype=int)[Y]), r"train: y has shape \(12, 3\)"),
    "lengths": (changed("train", y=Y[:-1]), "train: x has 12 samples and y 11"),
    "nan": (changed("train", x=holding(X, (3, 0, 1, 0), np.nan)), r"train: x has 1 values .* first at \[3, 0, 1, 0\]"),
    "inf": (changed("test", x=holding(split("test").x, (0, 0, 0, 0), -np.inf)), r"test: x has 1 values that are NaN"),
    "float32": (
        changed("train", x=holding(X, (0, 0, 0, 0), 1e39)),
        "train: x has 1 values that are NaN or infinite as",
    ),
    "negative": (changed("train", y=Y - 1), r"train: y\[0\]=-1 is outside 0 to 1"),
    "range": (changed("validation", y=split("validation").y + 1), r"validation: y\[2\]=3 is outside 0 to 2"),
    "stray": (changed("train", y=np.where(Y == 2, 10**12, Y)), r"train: y\[2\]=1000000000000 is outside 0 to 11"),
    "one class": (changed("train", y=Y * 0), "train: every sample is of class '0'"),
    "one label": (replace(changed("train", y=Y * 0), labels=("a", "b", "c")), "train: every sample is of class 'a'"),
    "gap": (changed("train", y=np.where(Y == 1, 2, Y)), r"train: no sample of 1 of 3 classes \(1\)"),
    "other shape": (changed("test", x=split("test").x.reshape(6, 1, 1, 4)), "samples differ in shape: .*test"),
    "label count": (replace(good(), labels=("a", "b")), r"train: y\[2\]=2 is outside 0 to 1"),
    "spare label": (replace(good(), labels=("a", "b", "c", "d")), r"train: no sample of 1 of 4 classes \(d\)"),
    "twin labels": (replace(good(), labels=("a", "b", "a")), "labels: 'a' stands 2 times"),
    "empty label": (replace(good(), labels=("a", "", "c")), r"labels\[1\] is empty"),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_told(rule: str) -> None:
    raw, told = RULES[rule]
    with pytest.raises(InputError, match=told) as caught:
        check("npz:hand.npz", raw)
    assert str(caught.value).startswith("npz:hand.npz: ")


def test_bytes_that_grow_fourfold_are_told_before_they_do() -> None:
    # A view of one byte claims 8 GiB as uint8, which would be 32 as float32.
    x = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (2, 1, 1 << 16, 1 << 16), (0, 0, 0, 0))
    with pytest.raises(InputError, match=r"test: x has shape .*; at most 4 GiB of float32"):
        check("hand", changed("test", x=x, y=np.array([0, 1])))


def test_all_problems_are_told_at_once() -> None:
    raw = good()
    splits = {
        "train": replace(raw.splits["train"], x=holding(X, (0, 0, 0, 0), np.nan)),
        "validation": replace(raw.splits["validation"], y=split("validation").y.astype(float)),
        "test": replace(raw.splits["test"], y=split("test").y + 5),
    }
    with pytest.raises(InputError) as caught:
        check("hand", replace(raw, splits=splits))
    text = str(caught.value)
    assert text.startswith("hand: 3 problems\n")
    for line in ("train: x has 1 values", "validation: y has dtype", "test: y[0]=5 is outside"):
        assert f"  - {line}" in text


def sharing(one: str, other: str, count: int, size: int) -> Raw:
    """`size` samples a split, of which `other` takes its last `count` from the end of `one`."""
    x = {name: np.arange(size, dtype=float).reshape(size, 1, 1, 1) + 10_000 * i for i, name in enumerate(SPLITS)}
    x[other] = x[other].copy()
    if count:
        x[other][-count:] = x[one][-count:]
    return Raw({name: RawSplit(x[name], np.arange(size) % 2) for name in SPLITS}, "by hand")


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(SPLITS, 2)))
def test_overlap_above_a_percent_is_a_problem(one: str, other: str) -> None:
    raw = sharing(one, other, count=3, size=200)
    with pytest.raises(InputError, match=rf"{one} and {other} share samples: 3 of \w+ \(1.50%\)") as caught:
        check("hand", raw)
    assert f"{one}[197] = {other}[197]" in str(caught.value)


def test_overlap_up_to_a_percent_is_a_note() -> None:
    (text,) = check("hand", sharing("train", "test", count=2, size=200)).notes
    assert "train and test share samples: 2 of" in text
    assert check("hand", sharing("train", "test", count=0, size=200)).notes == ()


def test_overlap_counts_repeats_in_the_smaller_split() -> None:
    raw = sharing("train", "test", count=0, size=200)
    x = raw.splits["test"].x.copy()
    x[:5] = raw.splits["train"].x[7]  # one sample of training, five times
    splits = {**raw.splits, "test": replace(raw.splits["test"], x=x[:100], y=raw.splits["test"].y[:100])}
    with pytest.raises(InputError, match=r"5 of test \(5.00%\) .* train\[7\] = test\[0\]"):
        check("hand", replace(raw, splits=splits))


def test_samples_are_called_by_their_names() -> None:
    raw = sharing("train", "test", count=200, size=200)
    named = {
        name: replace(part, names=[f"{name}/{index}.png" for index in range(200)]) for name, part in raw.splits.items()
    }
    with pytest.raises(InputError, match=r"train/0.png = test/0.png"):
        check("hand", replace(raw, splits=named))


def test_a_class_absent_from_validation_is_a_note() -> None:
    raw = changed("validation", y=split("validation").y % 2)
    assert check("hand", raw).notes == ("validation has no sample of 1 of 3 classes (2)",)
