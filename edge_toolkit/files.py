"""Reading and writing files: checked where they enter, written beside and renamed into place."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from edge_toolkit.errors import InputError

T = TypeVar("T")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Raises:
        InputError: the place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A folder, for a file that `mkstemp` makes would be private, and `touch` in it honours the umask.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as folder:
            beside = Path(folder) / path.name
            yield beside
            beside.replace(path)
    except OSError as error:
        raise not_writable(path, error) from error


def not_writable(path: Path, error: OSError) -> InputError:
    """What a user is told where a file cannot be written."""
    return InputError(f"{path}: cannot be written ({error.strerror or error}); give a place that can")


def write_text(path: Path, text: str) -> None:
    """Write `text` so that a reader sees the old file or the new one, never half of it."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write plain data as JSON, indented, with a final newline."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        InputError: there is no such file, or it is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the path of an existing file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}); was another file meant?") from error


def read_json(path: Path) -> Any:
    """The plain data in a JSON file.

    Raises:
        InputError: there is no such file, or it is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is not JSON ({error.msg} at line {error.lineno}); write it anew") from error


def read_yaml(path: Path) -> Any:
    """The plain data in a YAML file, by the safe loader.

    Raises:
        InputError: there is no such file, or it is not YAML.
    """
    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is not YAML ({str(error).replace(chr(10), ' ')})") from error


def checked(adapter: TypeAdapter[T], value: Any, what: str) -> T:
    """`value` as the adapter's type, or one message that tells every problem with its place.

    Args:
        adapter: the pydantic type that is expected.
        value: plain data from outside.
        what: the input as the user named it.

    Raises:
        InputError: with a line for each problem, `place: rule, but got value`.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InputError.listing(what, [_problem(dict(item)) for item in error.errors()]) from error


def _problem(item: dict[str, Any]) -> str:
    place = ""
    for part in item["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    message = str(item["msg"]).removeprefix("Value error, ")
    shown = (
        ""
        if isinstance(item["input"], (dict, list)) or item["type"] == "value_error"
        else f", but got {item['input']!r}"
    )
    return f"{place}: {message}{shown}" if place else f"{message}{shown}"
