"""Questions: random ones are the same each time; a user's .npz fits the inputs, or what is wrong is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_deploy.questions import questions_in, random_questions
from edge_toolkit.errors import InputError
from edge_toolkit.profile import Input

FRAME, STATE, IDS = Input("frame", (1, 2, 3), "f32"), Input("state", (4, 3), "f32"), Input("ids", (1, 5), "i32")


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "inputs.npz"
    np.savez(path, **arrays)
    return path


def test_random_questions_differ_from_each_other_and_not_from_call_to_call() -> None:
    first, again = random_questions((FRAME, IDS), 3), random_questions((FRAME, IDS), 3)
    assert [[array.shape for array in each] for each in first] == [[(1, 2, 3), (1, 5)]] * 3
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left[0], right[0])
    assert len({each[0].tobytes() for each in first}) == 3


@pytest.mark.parametrize("shape", [(4, 1, 2, 3), (4, 2, 3)], ids=["with batch", "without"])
def test_samples_are_taken_in_the_models_order(tmp_path: Path, shape: tuple[int, ...]) -> None:
    frames = np.arange(24, dtype=np.float64).reshape(shape)
    states = np.arange(48, dtype=np.float32).reshape(4, 4, 3)
    found = questions_in(npz(tmp_path, state=states, more=np.zeros(1), frame=frames), (FRAME, STATE))
    assert len(found) == 4
    for index, (frame, state) in enumerate(found):
        np.testing.assert_array_equal(frame, np.arange(6 * index, 6 * index + 6).reshape(1, 2, 3))
        np.testing.assert_array_equal(state, states[index])


@pytest.mark.parametrize(
    ("dtype", "type_name"),
    [("uint8", "i32"), ("int64", "u8"), ("bool", "f32"), ("float64", "i32"), ("int64", "boolean")],
)
def test_values_that_an_input_can_take_are_taken(tmp_path: Path, dtype: str, type_name: str) -> None:
    path = npz(tmp_path, ids=np.array([[0, 1, 1, 0, 1]], dtype))
    ((found,),) = questions_in(path, (Input("ids", (1, 5), type_name),))
    assert found.tolist() == [[0, 1, 1, 0, 1]]


ONES = np.ones((2, 1, 2, 3))
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"frame": ONES}, "has no array state, only frame"),
    ({}, "(?s)2 problems.*has no array frame, only none.*has no array state"),
    ({"frame": ONES, "state": ONES}, r"state has the shape \(2, 1, 2, 3\), and \(samples, \*\(4, 3\)\) is asked"),
    # Only a batch of 1 may be left out.
    ({"frame": ONES, "state": np.ones((2, 3))}, r"state has the shape \(2, 3\)"),
    ({"frame": ONES[0, 0], "state": np.ones((2, 4, 3))}, r"frame has the shape \(2, 3\)"),
    ({"frame": np.float32(1), "state": np.ones((2, 4, 3))}, r"frame has the shape \(\)"),
    ({"frame": ONES, "state": np.ones((3, 4, 3))}, "must have the same number of samples for each input"),
    ({"frame": ONES[:0], "state": np.ones((0, 4, 3))}, "same number of samples for each input, at least 1"),
    ({"frame": ONES.astype(str), "state": np.ones((2, 4, 3))}, "frame holds <U32, and not all of it is f32"),
    ({"frame": ONES * 1j, "state": np.ones((2, 4, 3))}, "frame holds complex128, and not all of it is f32"),
]


@pytest.mark.parametrize(("arrays", "told"), REFUSED, ids=[told for _, told in REFUSED])
def test_arrays_that_do_not_fit_are_told(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    path = npz(tmp_path, **arrays)
    with pytest.raises(InputError, match=told) as error:
        questions_in(path, (FRAME, STATE))
    assert str(error.value).startswith(f"--inputs {path}: ")


@pytest.mark.parametrize(
    ("values", "type_name"), [([0.5], "i32"), ([-1], "u8"), ([300], "u8"), ([2**40], "i32"), ([np.nan], "i64")]
)
@pytest.mark.filterwarnings("error")
def test_values_that_an_integer_input_cannot_take_are_told(tmp_path: Path, values: list[float], type_name: str) -> None:
    with pytest.raises(InputError, match=f"ids holds .*, and not all of it is {type_name}"):
        questions_in(npz(tmp_path, ids=np.array([values])), (Input("ids", (1, 1), type_name),))


class Pickled:
    """Makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


def objects(path: Path) -> None:
    array = np.empty((2, 1, 2, 3), object)
    array[:] = Pickled(path.with_name("was loaded"))
    np.savez(path, frame=array)


FILES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.touch(),
    "no zip": lambda path: path.write_bytes(b"text"),
    "an array alone": lambda path: path.write_bytes(npy()),
    "cut short": lambda path: (np.savez(path, frame=ONES), path.write_bytes(path.read_bytes()[:300])),
    "damaged": lambda path: (np.savez_compressed(path, frame=ONES), path.write_bytes(damaged(path.read_bytes()))),
    "objects": objects,
}


def npy() -> bytes:
    from io import BytesIO

    file = BytesIO()
    np.save(file, ONES)
    return file.getvalue()


def damaged(data: bytes) -> bytes:
    """The packed array's first bytes, behind its name, are others."""
    at = data.index(b"frame.npy") + len(b"frame.npy") + 20
    return data[:at] + bytes(20) + data[at + 20 :]


@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_npz_of_plain_arrays_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "inputs.npz"
    FILES[kind](path)
    with pytest.raises(InputError, match=r"inputs\.npz: is no \.npz of plain arrays .*write it by numpy\.savez"):
        questions_in(path, (FRAME,))
    assert not (tmp_path / "was loaded").exists()
