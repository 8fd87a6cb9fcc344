"""`npz:FILE`: good archives load as they are; damaged, lying and pickled ones are refused."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_toolkit.data import load_dataset, load_test, npz
from edge_toolkit.errors import InputError


def arrays(shape: tuple[int, ...] = (3, 4, 5)) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    made: dict[str, Any] = {}
    for short, n in (("train", 8), ("val", 4), ("test", 6)):
        made[f"x_{short}"] = generator.normal(size=(n, *shape))
        made[f"y_{short}"] = (np.arange(n) % 2).astype(np.uint8)
    return made


def saved(path: Path, held: dict[str, Any]) -> str:
    np.savez_compressed(path, **held)
    return f"npz:{path}"


def test_images_load_as_they_are(tmp_path: Path) -> None:
    held = arrays()
    name = saved(tmp_path / "a.npz", held)
    data = load_dataset(name)
    np.testing.assert_allclose(data.train.x, held["x_train"], rtol=1e-6)
    np.testing.assert_array_equal(data.validation.y, held["y_val"])
    np.testing.assert_allclose(load_test(name).x, held["x_test"], rtol=1e-6)
    assert data.labels == ("0", "1")


def test_sequences_and_labels(tmp_path: Path) -> None:
    data = load_dataset(saved(tmp_path / "a.npz", {**arrays((6, 9)), "labels": np.array(["still", "wave"])}))
    assert data.input_shape == (6, 1, 9)
    assert data.labels == ("still", "wave")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.array([1, 2]), r"labels has shape \(2,\) of int64; it must be \(classes,\) of text"),
        (np.array([["a", "b"]]), r"labels has shape \(1, 2\)"),
        (np.array(["a", "b"], object), "labels holds Python objects"),
        (np.array(["a"]), r"y\[1\]=1 is outside 0 to 0"),
    ],
)
def test_bad_labels(tmp_path: Path, labels: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_dataset(saved(tmp_path / "a.npz", {**arrays(), "labels": labels}))


class Runs:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def test_objects_are_refused_and_do_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    name = saved(tmp_path / "a.npz", {**arrays(), "x_test": np.array([Runs(marker)], object)})
    with pytest.raises(InputError, match="x_test holds Python objects, which would need pickle"):
        load_dataset(name)
    assert not marker.exists()


def test_missing_arrays_are_all_told(tmp_path: Path) -> None:
    held = arrays()
    del held["y_val"], held["x_test"]
    with pytest.raises(InputError, match="2 problems") as caught:
        load_dataset(saved(tmp_path / "a.npz", held))
    assert "has no array y_val" in str(caught.value)
    assert "has no array x_test" in str(caught.value)


def test_an_array_that_nobody_asked_for_is_not_read(tmp_path: Path) -> None:
    load_dataset(saved(tmp_path / "a.npz", {**arrays(), "about": np.array([{"who": "me"}], object)}))


def npy_header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def replaced(path: Path, member: str, content: bytes) -> str:
    """An archive whose `member` is written anew, byte by byte."""
    np.savez(path, **{name: value for name, value in arrays().items() if name != member})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{member}.npy", content)
    return f"npz:{path}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (npy_header((10**9, 3, 10**6)), r"x_train claims shape \(1000000000, 3, 1000000\) of float32, but holds 0"),
        (npy_header((2, 3)) + bytes(25), r"x_train claims shape \(2, 3\) of float32, but holds 25 bytes"),
        (b"\x93NUMPY\x03\x00" + bytes(20), r"x_train is written in .npy version \(3, 0\)"),
        (b"not numpy", "cannot be read as an .npz file"),
        (b"", "cannot be read as an .npz file"),
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_dataset(replaced(tmp_path / "a.npz", "x_train", content))


def test_a_bomb_is_refused_by_the_size_it_unpacks_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 1 << 20)
    name = replaced(tmp_path / "a.npz", "x_train", npy_header((1 << 20,)) + bytes(4 << 20))
    assert (tmp_path / "a.npz").stat().st_size < 1 << 17
    with pytest.raises(InputError, match="at most 0 GiB is read into memory"):
        load_dataset(name)


@pytest.mark.parametrize("keep", [0, 100, 1000])
def test_truncated_files_are_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.npz"
    saved(path, arrays())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"a.npz: cannot be read as an .npz file"):
        load_dataset(f"npz:{path}")


def test_flipped_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    saved(path, arrays())
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.npz: "):
        load_dataset(f"npz:{path}")


def test_a_path_without_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        load_dataset(f"npz:{tmp_path / 'none.npz'}")
