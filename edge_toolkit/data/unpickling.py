"""Reading a pickled array without running what a pickle can hold.

A pickle names functions and has them called. Here a name is looked up in a short list of those that rebuild a numpy
array; any other name ends the reading before anything of it is imported or called.
"""

import io
import pickle
from typing import Any

import numpy as np

from edge_toolkit.errors import InputError

ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),  # how protocol 2 spells bytes: as text, encoded back to latin-1
}
"""The names that a pickle of numpy arrays, lists, dicts, numbers and text needs."""


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that knows the names in `ALLOWED` and no other."""

    def find_class(self, module: str, name: str) -> Any:
        """The one function or class that a pickle names.

        Raises:
            InputError: the name is not allowed.
        """
        if (module, name) not in ALLOWED:
            raise InputError(f"the pickle names {module}.{name}; only parts of numpy arrays are read from a pickle")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)  # its name since numpy 2


def read_pickled_npy(content: bytes, what: str) -> Any:
    """The object in an `.npy` file whose payload is a pickle.

    Args:
        content: the whole file.
        what: the file as the user knows it.

    Raises:
        InputError: it is no such file, or its pickle names something that is not allowed.
    """
    stream = io.BytesIO(content)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("its format is not version 1.0")
        _, _, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype != np.dtype(object):
            raise ValueError(f"it holds {dtype}, not a pickle")
        array = ArrayUnpickler(stream).load()
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    except Exception as error:  # a damaged pickle can raise nearly anything, all of which means that it is damaged
        raise InputError(f"{what}: is not a pickled .npy file ({error})") from error
    return array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array
