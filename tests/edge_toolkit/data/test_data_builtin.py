"""`digits`, `watch` and `recall`, against what is known of them from elsewhere."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from edge_toolkit.data import Dataset, Split, list_builtin, load_dataset, load_test, recall, sources, watch
from edge_toolkit.data.resize import resized
from edge_toolkit.errors import InputError, MissingError


def hashes(split: Split) -> set[bytes]:
    return {hashlib.sha256(sample.tobytes()).digest() for sample in split.x}


def test_a_dataset_does_not_lead_to_the_test_split() -> None:
    data, test = load_dataset("digits"), load_test("digits")
    held = [value for value in vars(data).values() if isinstance(value, Split)]
    assert len(held) == 2
    assert not {name for name in dir(data) if "test" in name}
    unseen = hashes(test)
    for split in held:
        assert not hashes(split) & unseen
        # numpy keeps alive what an array is a view of; neither base may hold samples beyond the split's own.
        for array in (split.x, split.y):
            base = array.base
            assert base is None or (isinstance(base, np.ndarray) and base.size == array.size)


def test_listing_agrees_with_what_is_loaded() -> None:
    for one in list_builtin():
        data = load_dataset(one.name)
        assert "x".join(map(str, data.input_shape)) == one.shape
        assert data.classes == one.classes
        assert data.source == one.source


def test_digits_are_each_in_one_split() -> None:
    data, test = load_dataset("digits"), load_test("digits")
    assert (len(data.train), len(data.validation), len(test)) == pytest.approx((1078, 359, 360), abs=10)
    assert len(data.train) + len(data.validation) + len(test) == 1797
    assert len(hashes(data.train) | hashes(data.validation) | hashes(test)) == 1797
    counts = sum(np.bincount(split.y) for split in (data.train, data.validation, test))
    np.testing.assert_array_equal(counts, np.bincount(load_digits().target))
    assert data.train.x.min() == 0
    assert data.train.x.max() == 1


def test_digits_are_enlarged_as_pillow_does() -> None:
    image = load_digits().images[3].astype(np.float32)
    by_pillow = np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(resized(image[None, None], 32, 32)[0, 0], by_pillow, atol=1e-4)


def test_a_seed_gives_one_split() -> None:
    assert load_dataset("digits", 3).fingerprint == load_dataset("digits", 3).fingerprint
    assert load_dataset("digits", 3).fingerprint != load_dataset("digits", 4).fingerprint


@pytest.fixture(scope="module")
def watched() -> tuple[Dataset, Split]:
    return load_dataset("watch"), load_test("watch")


@pytest.fixture(scope="module")
def recordings() -> dict[str, np.ndarray]:
    """The file as numpy reads it with pickle allowed: a reader that is not ours, of a file whose hash is pinned."""
    path = watch.locate()
    assert hashlib.sha256(path.read_bytes()).hexdigest() == watch.SHA256
    whole: dict[str, np.ndarray] = np.load(path, allow_pickle=True).item()
    return whole


def test_watch_has_the_windows_that_can_be_counted(
    watched: tuple[Dataset, Split], recordings: dict[str, np.ndarray]
) -> None:
    data, test = watched
    for split, people in ((data.train, {1, 2, 3, 4, 5, 6}), (data.validation, {7, 10}), (test, {8, 9})):
        counts = [0] * 7
        for x, y, person in zip(recordings["X"], recordings["y"], recordings["subject"], strict=True):
            if int(person) in people:
                counts[int(y)] += len(range(0, len(x) - 199, 50))
        assert np.bincount(split.y).tolist() == counts
    assert (len(data.train), len(data.validation), len(test)) == (2501, 987, 909)
    assert data.labels == ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")


def test_watch_shares_no_person(watched: tuple[Dataset, Split], recordings: dict[str, np.ndarray]) -> None:
    """Each window is traced to its person by its first row, which no two recordings have in common."""
    person_of: dict[bytes, set[int]] = {}
    for x, person in zip(recordings["X"], recordings["subject"], strict=True):
        for row in x.astype(np.float32)[::50]:
            person_of.setdefault(row.tobytes(), set()).add(int(person))
    data, test = watched
    people = [
        set.union(*(person_of[window[:, 0, 0].tobytes()] for window in split.x))
        for split in (data.train, data.validation, test)
    ]
    assert people == [{1, 2, 3, 4, 5, 6}, {7, 10}, {8, 9}]


def test_watch_keeps_pairs_together() -> None:
    for pair in ({1, 2}, {3, 4}, {5, 6}, {7, 10}, {8, 9}):
        assert sum(pair <= set(people) for people in watch.PEOPLE.values()) == 1


def test_watch_cuts_at_each_step() -> None:
    recording = np.arange(305.0)[:, None] * [1, -1]
    cut = watch.windows(recording)
    assert cut.shape == (3, 2, 1, 200)
    assert cut[:, 0, 0, 0].tolist() == [0, 50, 100]
    assert cut[2, 1, 0, -1] == -299


def test_watch_without_its_package_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PACKAGE", "no-such-package")
    with pytest.raises(MissingError, match=r"pip install -c constraints.txt '\.\[demo\]'"):
        load_dataset("watch")


def test_watch_refuses_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "watch_dataset.npy"
    path.write_bytes(watch.locate().read_bytes()[:-1])
    monkeypatch.setattr(watch, "locate", lambda: path)
    with pytest.raises(InputError, match=r"has SHA-256 .* not eb122f23cdf0"):
        load_dataset("watch")


def answer(sequence: np.ndarray) -> int:
    """Read one recall sequence (channels, 1, steps) step by step, as its description in `recall.py` says."""
    keys, values = recall.KEYS, recall.VALUES
    store: dict[int, int] = {}
    steps = sequence.shape[2]
    for step in range(steps - 1):
        (hot,) = np.nonzero(sequence[:, 0, step])
        if len(hot):
            key, value = hot.tolist()
            assert key < keys <= value < keys + values
            assert key not in store
            store[key] = value - keys
    assert len(store) == recall.PAIRS
    query, flag = np.flatnonzero(sequence[:, 0, steps - 1]).tolist()
    assert flag == keys + values
    return store[query]


@pytest.mark.parametrize("steps", [recall.MIN_STEPS, 31, 64])
def test_recall_classes_are_those_of_a_reader(steps: int) -> None:
    part = recall.sequences(300, steps, (1, 0))
    assert part.x.shape == (300, recall.CHANNELS, 1, steps)
    assert [answer(sequence) for sequence in part.x] == part.y.tolist()
    assert set(np.unique(part.x)) == {0, 1}


def test_recall_scatters_pairs_over_all_steps() -> None:
    part = recall.sequences(3000, 21, (0, 0))
    share = part.x[:, : recall.KEYS, 0, :-1].sum(axis=1).mean(axis=0)  # how often each step holds a pair
    np.testing.assert_allclose(share, recall.PAIRS / 20, atol=0.04)
    np.testing.assert_allclose(np.bincount(part.y) / 3000, 1 / recall.VALUES, atol=0.03)


def test_recall_by_counting_values_alone_is_right_in_56_percent() -> None:
    # 3 values out of 4: all alike 1/16, two alike 9/16, all different 6/16; the commonest is right in 1, 2/3, 1/3.
    part = recall.sequences(6000, 16, (0, 0))
    counted = part.x[:, recall.KEYS : -1, 0].sum(axis=2)
    assert float((counted.max(axis=1) / recall.PAIRS).mean()) == pytest.approx(0.5625, abs=0.02)
    likely = counted == counted.max(axis=1, keepdims=True)
    right = np.take_along_axis(likely, part.y[:, None], axis=1)[:, 0] / likely.sum(axis=1)
    assert float(right.mean()) == pytest.approx(0.5625, abs=0.02)


def test_recall_takes_its_length_and_seed() -> None:
    data = load_dataset("recall:32", 5)
    assert data.input_shape == (recall.CHANNELS, 1, 32)
    assert (len(data.train), len(data.validation), len(load_test("recall:32", 5))) == (4000, 1000, 1000)
    assert data.fingerprint == load_dataset("recall:32", 5).fingerprint != load_dataset("recall:32", 6).fingerprint
    assert load_dataset("recall").input_shape[2] == 64


@pytest.mark.parametrize("text", ["0", "3", "8", "-5", "+9", "4097", "64.0", "1_0", "٦٤", "x", "9" * 5000])
def test_recall_refuses_other_lengths(text: str) -> None:
    with pytest.raises(InputError, match=r"the number of steps must be whole, from \d+ .* to 4096"):
        load_dataset(f"recall:{text}")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "wacth",
            r"wacth: no such data set; use one of digits, recall\[:STEPS\], watch, folder:DIR\[@SIZE\], "
            "stream:DIR@SIZE, idx:DIR",
        ),
        ("", "no such data set"),
        ("digits:3", "digits:3: must be written digits"),
        ("npz", "npz: must be written npz:FILE"),
        ("recall:", r"recall:: must be written recall\[:STEPS\]"),
        ("gestures.npz", "write npz:gestures.npz"),
    ],
)
def test_other_names_are_told(name: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_dataset(name)


def test_a_folder_by_itself_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"write folder:{tmp_path} .* or idx:{tmp_path}"):
        load_test(str(tmp_path))


def test_a_negative_seed_is_told() -> None:
    with pytest.raises(InputError, match="seed=-1 must be 0 or more"):
        load_dataset("digits", -1)


def test_every_source_is_in_the_message() -> None:
    with pytest.raises(InputError) as caught:
        load_dataset("?")
    assert all(source.form in str(caught.value) for source in sources.SOURCES.values())
