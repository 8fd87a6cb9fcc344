"""`folder:DIR`: both layouts, one size or a size asked for, and files that are no images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_toolkit.data import images, load_dataset, load_test
from edge_toolkit.errors import InputError


def picture(seed: int, size: tuple[int, int] = (6, 5), mode: str = "RGB") -> Image.Image:
    """Random pixels; `size` is (width, height)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def filled(directory: Path, counts: dict[str, int], mode: str = "RGB", first: int = 0) -> Path:
    """`counts` images a class, all different."""
    for label, count in counts.items():
        (directory / label).mkdir(parents=True)
        for index in range(count):
            picture(first, mode=mode).save(directory / label / f"{index:03d}.png")
            first += 1
    return directory


def test_class_folders_are_split_at_random(tmp_path: Path) -> None:
    name = f"folder:{filled(tmp_path, {'wave': 20, 'pinch': 40})}"
    data, test = load_dataset(name), load_test(name)
    assert data.labels == ("pinch", "wave")
    assert data.input_shape == (3, 5, 6)
    assert [np.bincount(split.y).tolist() for split in (data.train, data.validation, test)] == [
        [28, 14],
        [6, 3],
        [6, 3],
    ]
    assert data.fingerprint != load_dataset(name, 1).fingerprint
    # Every file's pixels are in exactly one split, under the class of its folder.
    expected = {
        np.asarray(Image.open(file)).transpose(2, 0, 1).tobytes(): data.labels.index(file.parent.name)
        for file in tmp_path.rglob("*.png")
    }
    found = {
        np.rint(x * 255).astype(np.uint8).tobytes(): int(y)
        for split in (data.train, data.validation, test)
        for x, y in zip(split.x, split.y, strict=True)
    }
    assert found == expected
    assert len(expected) == 60


def test_given_splits_are_kept(tmp_path: Path) -> None:
    for index, (split, count) in enumerate((("train", 5), ("val", 2), ("test", 3))):
        filled(tmp_path / split, {"a": count, "b": count}, mode="L", first=100 * index)
    name = f"folder:{tmp_path}"
    data = load_dataset(name)
    assert data.input_shape == (1, 5, 6)
    assert (len(data.train), len(data.validation), len(load_test(name))) == (10, 4, 6)


def test_classes_may_be_called_train_and_car(tmp_path: Path) -> None:
    assert load_dataset(f"folder:{filled(tmp_path, {'train': 10, 'car': 10})}").labels == ("car", "train")


@pytest.mark.parametrize("other", ["val", "test"])
def test_of_two_splits_the_second_is_the_test_split(tmp_path: Path, other: str) -> None:
    """ImageNet's layout: `val` is never seen by a search, and a tenth of each class in `train` validates."""
    filled(tmp_path / "train", {"a": 20, "b": 30}, first=100)
    filled(tmp_path / other, {"a": 3, "b": 4})
    data, test = load_dataset(f"folder:{tmp_path}"), load_test(f"folder:{tmp_path}")
    assert [np.bincount(split.y).tolist() for split in (data.train, data.validation, test)] == [
        [18, 27],
        [2, 3],
        [3, 4],
    ]
    unseen = {np.asarray(Image.open(file)).tobytes() for file in (tmp_path / other).rglob("*.png")}
    assert {np.rint(255 * x).astype(np.uint8).transpose(1, 2, 0).tobytes() for x in test.arrays()[0]} == unseen


def test_train_and_something_to_judge_by_are_needed(tmp_path: Path) -> None:
    filled(tmp_path / "val", {"a": 2, "b": 2})
    filled(tmp_path / "test", {"a": 2, "b": 2}, first=50)
    with pytest.raises(InputError, match="holds test, val; it needs train, val and test, or train and one of the two"):
        load_dataset(f"folder:{tmp_path}")


def test_a_class_outside_training_and_an_empty_split_are_told(tmp_path: Path) -> None:
    filled(tmp_path / "train", {"a": 2, "b": 2})
    filled(tmp_path / "val", {"c": 2}, first=50)
    (tmp_path / "test" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match="2 problems") as caught:
        load_dataset(f"folder:{tmp_path}")
    assert "class 'c' is in validation and not in train" in str(caught.value)
    assert "test gets no PNG or JPEG file" in str(caught.value)


def test_a_class_folder_without_images_is_told(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 8, "b": 8})
    (tmp_path / "c").mkdir()
    with pytest.raises(InputError, match="class folder c holds no PNG or JPEG file; remove it, or put some in"):
        load_dataset(f"folder:{tmp_path}")


def test_problems_of_folders_and_of_images_are_told_together(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 8, "b": 8})
    (tmp_path / "c").mkdir()
    (tmp_path / "a" / "broken.png").write_bytes(b"no image")
    with pytest.raises(InputError, match="2 problems") as caught:
        load_dataset(f"folder:{tmp_path}")
    assert "class folder c holds no PNG or JPEG file" in str(caught.value)
    assert "a/broken.png cannot be read" in str(caught.value)


def test_hidden_files_are_passed_over_and_others_noted(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "x.png").write_bytes(b"hidden")
    (tmp_path / "a" / "._000.png").write_bytes(b"hidden")
    (tmp_path / "a" / "readme.txt").write_text("not an image")
    data = load_dataset(f"folder:{tmp_path}")
    assert data.labels == ("a", "b")
    assert data.notes == ("1 files that are no PNG or JPEG were left out, such as a/readme.txt",)


def test_links_are_followed(tmp_path: Path) -> None:
    filled(tmp_path / "real", {"a": 10, "b": 10})
    (tmp_path / "data").mkdir()
    for label in "ab":
        (tmp_path / "data" / label).symlink_to(tmp_path / "real" / label)
    linked, real = (load_dataset(f"folder:{tmp_path / name}") for name in ("data", "real"))
    assert linked.fingerprint == real.fingerprint


def test_jpeg_and_size(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    picture(500, (40, 30)).save(tmp_path / "a" / "photo.JPG", "JPEG")
    picture(501, (12, 12), "RGBA").save(tmp_path / "b" / "icon.png")
    with pytest.raises(InputError) as caught:
        load_dataset(f"folder:{tmp_path}")
    text = str(caught.value)
    assert "1 images have mode RGBA, such as b/icon.png" in text
    assert f"write folder:{tmp_path}@64 to resize all to 64x64 RGB" in text
    data = load_dataset(f"folder:{tmp_path}@16")
    assert data.input_shape == (3, 16, 16)
    assert len(data.train) + len(data.validation) + len(load_test(f"folder:{tmp_path}@16")) == 22


def test_different_sizes_are_told(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    picture(500, (40, 30)).save(tmp_path / "a" / "photo.jpg")
    with pytest.raises(
        InputError, match=r"images differ in size or mode \(20 of 6x5 RGB, 1 of 40x30 RGB\); write fold"
    ):
        load_dataset(f"folder:{tmp_path}")


def test_resized_pixels_are_pillows(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 1})
    file = tmp_path / "a" / "000.png"
    (x,) = images.read_images([file], 8, "folder:x", tmp_path)
    expected = np.asarray(Image.open(file).resize((8, 8), Image.Resampling.BILINEAR)) / 255
    np.testing.assert_allclose(x.transpose(1, 2, 0), expected, atol=1e-6)


@pytest.mark.parametrize("size", ["0", "1025", "999999999"])
def test_sizes_out_of_range_are_told(tmp_path: Path, size: str) -> None:
    with pytest.raises(InputError, match=f"the size {size} must be from 1 to 1024"):
        load_dataset(f"folder:{filled(tmp_path, {'a': 3, 'b': 3})}@{size}")


def test_a_folder_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    filled(tmp_path / "photos@2", {"a": 10, "b": 10})
    assert load_dataset(f"folder:{tmp_path / 'photos@2'}").input_shape == (3, 5, 6)


def test_unreadable_images_are_told_together(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    whole = (tmp_path / "a" / "000.png").read_bytes()
    (tmp_path / "a" / "003.png").write_bytes(b"no image at all")
    (tmp_path / "a" / "004.png").write_bytes(b"")
    (tmp_path / "b" / "005.png").write_bytes(whole[:20])
    (tmp_path / "b" / "link.png").symlink_to(tmp_path / "gone.png")
    Image.new("L", (4, 4)).save(tmp_path / "b" / "really.gif")
    (tmp_path / "b" / "really.gif").rename(tmp_path / "b" / "gif.png")
    (tmp_path / "b" / "big.png").mkdir()  # a folder, whatever its name
    with pytest.raises(InputError, match="5 problems") as caught:
        load_dataset(f"folder:{tmp_path}")
    for name in ("a/003.png", "a/004.png", "b/005.png", "b/link.png", "b/gif.png"):
        assert f"{name} cannot be read" in str(caught.value)


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_images_that_break_off_are_told(tmp_path: Path, keep: float) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    for file in (tmp_path / "a" / "003.png", tmp_path / "b" / "003.png"):
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputError, match=r"(?s)2 problems.*a/003.png cannot be read.*b/003.png cannot be read"):
        load_dataset(f"folder:{tmp_path}")


def test_many_unreadable_images_are_counted(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    for file in (tmp_path / "a").iterdir():
        file.write_bytes(b"x")
    with pytest.raises(InputError, match="5 more images cannot be read"):
        load_dataset(f"folder:{tmp_path}")


def test_a_decompression_bomb_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    Image.new("RGB", (60, 50)).save(tmp_path / "a" / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    with pytest.raises(InputError, match=r"a/bomb\.png cannot be read .*bomb"):
        load_dataset(f"folder:{tmp_path}@8")


def test_deep_greys_are_not_squeezed(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 10, "b": 10})
    Image.fromarray(np.full((5, 6), 40_000, np.uint16)).save(tmp_path / "a" / "depth.png")
    with pytest.raises(
        InputError, match=r"1 images have mode I;16, such as a/depth\.png; save them as 8-bit grey or RGB$"
    ):
        load_dataset(f"folder:{tmp_path}@8")


def test_too_much_for_memory_is_told_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 20 * 5 * 6 * 3 * 4 - 1)
    with pytest.raises(InputError, match=r"20 images of 6x5 are more than .*@64"):
        load_dataset(f"folder:{filled(tmp_path, {'a': 10, 'b': 10})}")


def test_repeats_are_told_by_file(tmp_path: Path) -> None:
    filled(tmp_path, {"a": 20, "b": 20})
    for index in range(20):
        picture(999).save(tmp_path / "a" / f"{index:03d}.png")
    with pytest.raises(InputError, match=r"such as a/\d+.png = a/\d+.png"):
        load_dataset(f"folder:{tmp_path}")


@pytest.mark.parametrize("layout", ["nothing", "flat", "no folder"])
def test_no_class_folders(tmp_path: Path, layout: str) -> None:
    if layout == "flat":
        picture(1).save(tmp_path / "a.png")
    directory = tmp_path / "none" if layout == "no folder" else tmp_path
    with pytest.raises(InputError, match=r"holds no PNG or JPEG file in a class folder|there is no such folder"):
        load_dataset(f"folder:{directory}")
