"""`idx:DIR`: files written by hand, byte by byte, come back as they were; damaged ones are told."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from edge_toolkit.data import load_dataset, load_test
from edge_toolkit.errors import InputError

TRAIN, TEST = 60, 12
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def images(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 5, 4)).astype(np.uint8)


def contents(first_class: int = 0) -> dict[str, bytes]:
    files = {}
    for part, n in (("train", TRAIN), ("t10k", TEST)):
        y = (np.arange(n) % 3 + first_class).astype(np.uint8)
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">IIII", 0x803, n, 5, 4) + images(n, n).tobytes()
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">II", 0x801, n) + y.tobytes()
    return files


def written(directory: Path, files: dict[str, bytes], zipped: bool = False) -> str:
    for name, content in files.items():
        path = directory / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return f"idx:{directory}"


@pytest.mark.parametrize("zipped", [False, True])
def test_bytes_come_back(tmp_path: Path, zipped: bool) -> None:
    name = written(tmp_path, contents(), zipped)
    data, test = load_dataset(name), load_test(name)
    np.testing.assert_allclose(test.x[:, 0] * 255, images(TEST, TEST), atol=1e-4)
    assert test.y.tolist() == [index % 3 for index in range(TEST)]
    assert data.input_shape == (1, 5, 4)
    assert data.labels == ("0", "1", "2")
    # A sixth of each class of 20 is 3.3; both splits together are the training file.
    assert np.bincount(data.validation.y).tolist() == [3, 3, 3]
    both = np.concatenate([data.train.x, data.validation.x])[:, 0] * 255
    assert sorted(np.rint(both).astype(np.uint8).reshape(TRAIN, -1).tolist()) == sorted(
        images(TRAIN, TRAIN).reshape(TRAIN, -1).tolist()
    )


def test_a_label_of_one_file_alone_is_told(tmp_path: Path) -> None:
    files = contents()
    labels = bytearray(files["train-labels-idx1-ubyte"])
    labels[-1] = 250
    files["train-labels-idx1-ubyte"] = bytes(labels)
    with pytest.raises(
        InputError, match=r"the training file alone has the labels 250 \(1 samples\), and both need the same classes"
    ):
        load_dataset(written(tmp_path, files))


def test_zipped_and_plain_are_one_data_set(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = written(tmp_path / "a", contents()), written(tmp_path / "b", contents(), zipped=True)
    assert load_dataset(one).fingerprint == load_dataset(other).fingerprint
    assert load_dataset(one, 1).fingerprint != load_dataset(one).fingerprint


def test_classes_are_the_values_that_occur(tmp_path: Path) -> None:
    data = load_dataset(written(tmp_path, contents(first_class=1)))  # as EMNIST's letters do
    assert data.labels == ("1", "2", "3")
    assert set(data.train.y.tolist()) == {0, 1, 2}


def test_dotted_names(tmp_path: Path) -> None:
    files = {name.replace("-idx", ".idx"): content for name, content in contents().items()}
    assert len(load_test(written(tmp_path, files))) == TEST


GOOD = contents()
IMAGES = GOOD[NAMES[0]]
DAMAGE = {
    "short": (NAMES[0], IMAGES[:-1], "claims 1200 values of shape .* but holds 1199"),
    "long": (NAMES[0], IMAGES + b"\0", "claims 1200 values of shape .* but holds more"),
    "magic": (NAMES[0], b"\x00\x00\x0d\x03" + IMAGES[4:], "begins with 00000d03, not 00000803"),
    "swapped": (NAMES[0], GOOD[NAMES[1]], "begins with 00000801, not 00000803"),
    "empty": (NAMES[1], b"", "begins with nothing"),
    "header": (NAMES[0], IMAGES[:9], "ends within its header"),
    "huge": (NAMES[0], struct.pack(">IIII", 0x803, 2**32 - 1, 2**16, 2**16), "at most 4 GiB of float32"),
    "count": (NAMES[3], struct.pack(">II", 0x801, 5) + bytes(5), "holds 12 test images and 5 test labels"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("zipped", [False, True])
def test_damage_is_told(tmp_path: Path, damage: str, zipped: bool) -> None:
    name, content, told = DAMAGE[damage]
    with pytest.raises(InputError, match=told):
        load_dataset(written(tmp_path, {**GOOD, name: content}, zipped))


@pytest.mark.parametrize("keep", [5, 40, 0.5, 0.99])
def test_truncated_gzip_is_told(tmp_path: Path, keep: float) -> None:
    name = written(tmp_path, GOOD, zipped=True)
    path = tmp_path / f"{NAMES[0]}.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    with pytest.raises(InputError, match=f"{NAMES[0]}.gz .*; fetch it anew"):
        load_dataset(name)


def test_a_wrong_checksum_is_told(tmp_path: Path) -> None:
    name = written(tmp_path, GOOD, zipped=True)
    path = tmp_path / f"{NAMES[0]}.gz"
    whole = bytearray(path.read_bytes())
    whole[-8] ^= 1  # the CRC stands before the length, at the end
    path.write_bytes(whole)
    with pytest.raises(InputError, match="CRC check failed"):
        load_dataset(name)


def test_damage_is_told_together(tmp_path: Path) -> None:
    files = {**GOOD, NAMES[0]: IMAGES[:-1], NAMES[3]: b"\0\0\0\0\0\0"}
    with pytest.raises(InputError, match="2 problems"):
        load_dataset(written(tmp_path, files))


def test_missing_and_double_files_are_told(tmp_path: Path) -> None:
    files = contents()
    del files[NAMES[3]]
    written(tmp_path, {NAMES[1]: files[NAMES[1]]}, zipped=True)
    with pytest.raises(InputError, match="2 problems") as caught:
        load_dataset(written(tmp_path, files))
    assert f"holds no {NAMES[3]}, gzipped or not" in str(caught.value)
    assert f"holds {NAMES[1]} and {NAMES[1]}.gz, which are one file" in str(caught.value)


def test_a_path_that_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        load_dataset(f"idx:{tmp_path / 'none'}")
