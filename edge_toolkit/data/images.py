"""Image files as one array, checked before and while they are decoded."""

import struct
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.data.raw import MAX_BYTES
from edge_toolkit.errors import InputError
from edge_toolkit.extras import require

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
CHANNELS = {"L": 1, "RGB": 3}
"""The modes that are taken as they are; a size in the request converts the others that have 8 bits a channel."""
CONVERTIBLE = {"L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "YCbCr"}
MOST_TOLD = 5
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow raises for a damaged file (a broken PNG is a SyntaxError to it)."""

Form = tuple[tuple[int, int], str]
"""(width, height) and Pillow's mode."""


def read_images(
    files: Sequence[Path], size: int | None, what: str, root: Path, known: Sequence[str] = ()
) -> NDArray[np.float32]:
    """Image files as (n, channels, height, width), from 0 to 1.

    Args:
        files: PNG or JPEG; at least one.
        size: resize all to `size` x `size`, RGB, bilinearly; None demands one size, and one of the modes L and RGB.
        what: the data set as the user named it.
        root: the folder that file names are told from.
        known: problems that were found before, told with those of the images.

    Raises:
        MissingError: Pillow is not installed.
        InputError: there are known problems, or images that cannot be read, or that differ; all are told, the first
            few images by name.
    """
    require("search", "PIL")
    bad: dict[str, str] = {}
    forms = {file: form for file in files if (form := _form(file, bad, root)) is not None}
    problems = _form_problems(forms, size, what, root) if forms else []
    if problems:
        raise InputError.listing(what, [*known, *_told(bad), *problems])
    (width, height), mode = next(iter(forms.values())) if size is None and forms else ((size or 1, size or 1), "RGB")
    shape = (len(files), height, width, CHANNELS[mode])
    if np.prod(shape, dtype=object) * np.dtype(np.float32).itemsize > MAX_BYTES:
        told = f"{len(files)} images of {width}x{height} are more than {MAX_BYTES / 2**30:.0f} GiB of float32"
        raise InputError.listing(what, [*known, *_told(bad), f"{told}; resize them, {_advice(what, size)}"])
    pixels = np.zeros(shape, np.uint8)
    for index, file in enumerate(files):
        if file in forms:
            _decode(file, size, pixels[index], bad, root)
    if known or bad:
        raise InputError.listing(what, [*known, *_told(bad)])
    return pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


def _form(file: Path, bad: dict[str, str], root: Path) -> Form | None:
    """Size and mode from a file's header; a file without a readable one goes to `bad`."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Beyond Pillow's limit an image is taken for a decompression bomb: a warning first, an error at twice that.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                return image.size, image.mode
    except (*UNREADABLE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        bad[str(file.relative_to(root))] = _reason(error)
    return None


def _decode(file: Path, size: int | None, into: NDArray[np.uint8], bad: dict[str, str], root: Path) -> None:
    from PIL import Image

    try:
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            into[:] = np.asarray(image if size is None else _resized(image, size)).reshape(into.shape)
    except UNREADABLE as error:
        bad[str(file.relative_to(root))] = _reason(error)


def _resized(image: "Image.Image", size: int) -> "Image.Image":
    from PIL import Image

    return image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR)


def _form_problems(forms: dict[Path, Form], size: int | None, what: str, root: Path) -> list[str]:
    """What keeps images of these sizes and modes out of one array."""
    problems: list[str] = []
    taken = CHANNELS if size is None else CONVERTIBLE
    for mode, count in Counter(mode for _, mode in forms.values() if mode not in taken).items():
        first = next(file for file, form in forms.items() if form[1] == mode).relative_to(root)
        remedy = f"save them as 8-bit grey or RGB{'' if mode not in CONVERTIBLE else ', or ' + _advice(what, size)}"
        problems.append(f"{count} images have mode {mode}, such as {first}; {remedy}")
    different = Counter(forms.values())
    if size is None and len(different) > 1 and not problems:
        told = ", ".join(
            f"{count} of {width}x{height} {mode}" for ((width, height), mode), count in different.most_common(MOST_TOLD)
        )
        problems.append(f"images differ in size or mode ({told}); {_advice(what, size)}")
    return problems


def _advice(what: str, size: int | None) -> str:
    if size is not None:
        return f"write a size smaller than {size} behind the @"
    return f"write {what}@64 to resize all to 64x64 RGB"


def _told(bad: dict[str, str]) -> list[str]:
    lines = [f"{file} cannot be read ({reason}); mend or remove it" for file, reason in list(bad.items())[:MOST_TOLD]]
    if len(bad) > MOST_TOLD:
        lines.append(f"{len(bad) - MOST_TOLD} more images cannot be read")
    return lines


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
