"""A pickle that names anything but numpy's arrays is refused, and what it names does not run."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_toolkit.data.unpickling import read_pickled_npy
from edge_toolkit.errors import InputError

HEADER = {"descr": "|O", "fortran_order": False, "shape": ()}


def npy(payload: bytes) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, HEADER)
    return stream.getvalue() + payload


class Runs:
    """Pickles as a call of `os.system`."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_payload_is_refused_and_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    payload = pickle.dumps({"X": Runs(f"touch {marker}")}, protocol=2)
    with pytest.raises(InputError, match=r"file.npy: the pickle names (posix|nt).system"):
        read_pickled_npy(npy(payload), "file.npy")
    assert not marker.exists()
    pickle.loads(payload)  # noqa: S301  # the oracle: an ordinary unpickler does run it
    assert marker.exists()


@pytest.mark.parametrize(
    "payload",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
        b"cnumpy\ndtype.__class__\n.",
        b"ccodecs\nopen\n.",
    ],
)
def test_other_names_are_refused(payload: bytes) -> None:
    with pytest.raises(InputError, match="only parts of numpy arrays"):
        read_pickled_npy(npy(payload), "file.npy")


def test_arrays_lists_and_text_are_read() -> None:
    value: dict[str, Any] = {"X": [np.arange(6.0).reshape(2, 3)], "y": np.array([3, 4]), "labels": ["a", "b"]}
    payload = pickle.dumps(value, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    read = read_pickled_npy(npy(payload), "file.npy")
    np.testing.assert_array_equal(read["X"][0], value["X"][0])
    np.testing.assert_array_equal(read["y"], [3, 4])
    assert read["labels"] == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"not numpy", npy(b""), npy(b"\x80\x02}q"), npy(b"garbage")])
def test_damaged_files_are_told(content: bytes) -> None:
    with pytest.raises(InputError, match=r"file\.npy: is not a pickled \.npy file"):
        read_pickled_npy(content, "file.npy")


def test_an_array_without_pickle_is_refused() -> None:
    stream = io.BytesIO()
    np.save(stream, np.arange(3))
    with pytest.raises(InputError, match="it holds int64, not a pickle"):
        read_pickled_npy(stream.getvalue(), "file.npy")
