"""`stream:DIR@SIZE` against `folder:DIR@SIZE`, which holds the same images in memory."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_toolkit.data import Streamed, dataset, load_dataset, load_test
from edge_toolkit.errors import InputError
from tests.edge_toolkit.data.test_data_folder import filled


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for index, (split, count) in enumerate((("train", 9), ("val", 2), ("test", 3))):
        filled(tmp_path / split, {"a": count, "b": count + 1}, first=100 * index)
    return tmp_path


def test_it_gives_what_the_folder_gives(pictures: Path) -> None:
    streamed, held = (load_dataset(f"{word}:{pictures}@8") for word in ("stream", "folder"))
    assert streamed.input_shape == held.input_shape == (3, 8, 8)
    assert (streamed.labels, streamed.normalisation) == (held.labels, held.normalisation)
    pairs = [(streamed.train, held.train), (streamed.validation, held.validation)]
    pairs.append((load_test(f"stream:{pictures}@8"), load_test(f"folder:{pictures}@8")))
    for one, other in pairs:
        assert isinstance(one.x, Streamed)
        assert np.array_equal(one.arrays()[0], other.arrays()[0])
        assert np.array_equal(one.y, other.y)
        chosen = np.array([3, 0, 2])
        assert np.array_equal(one.x[chosen], other.x[chosen])
        assert one.x[np.array([], int)].shape == (0, 3, 8, 8)


def test_arrays_are_a_part_that_is_evenly_spread(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "ENOUGH", 6)
    train = load_dataset(f"stream:{pictures}@8").train
    x, y = train.arrays()
    assert np.array_equal(x, train.x[np.arange(0, 19, 3)])
    assert np.array_equal(y, train.y[::3])


def test_other_files_have_another_fingerprint(pictures: Path) -> None:
    before = load_dataset(f"stream:{pictures}@8").fingerprint
    assert load_dataset(f"stream:{pictures}@8").fingerprint == before
    assert load_dataset(f"stream:{pictures}@9").fingerprint != before
    Image.new("RGB", (40, 40)).save(pictures / "train/a/000.png")
    assert load_dataset(f"stream:{pictures}@8").fingerprint != before


def test_a_file_that_breaks_later_is_named(pictures: Path) -> None:
    train = load_dataset(f"stream:{pictures}@8").train
    (pictures / "train/b/004.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"train/b/004\.png cannot be read .*; mend or remove it"):
        train.x[np.arange(len(train))]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("stream:{}", "needs a size that images are resized to; write stream:.*@224, say"),
        ("stream:{}@0", "the size 0 must be from 1 to 1024; write stream:.*@64, say"),
        ("stream:{}/train@8", "fewer than two classes"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, form: str, told: str) -> None:
    filled(tmp_path / "train" / "train", {"a": 3})
    filled(tmp_path / "train" / "val", {"a": 3}, first=9)
    with pytest.raises(InputError, match=told):
        load_dataset(form.format(tmp_path))
