"""Reading and writing files: checked where they enter, written beside and renamed into place."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from edge_toolkit.errors import InputError

T = TypeVar("T")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What goes wrong while a file or folder is written, told to a user.

    Raises:
        InputError: the place cannot be written to.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); give a place that can") from error


def check_places(paths: Iterable[Path | None]) -> None:
    """See, before hours of work, that files can be written, each to a place of its own.

    Raises:
        InputError: one can't, or two have the same place.
    """
    asked = [path for path in paths if path is not None]
    for path in asked:
        above = next(folder for folder in path.absolute().parents if folder.exists())
        if path.is_dir() or not above.is_dir() or not os.access(above, os.W_OK):
            raise InputError(f"{path}: cannot be written; give a place that can")
    twice = {path for path in asked if asked.count(path) > 1}
    if twice:
        raise InputError(f"{min(twice)}: is asked for twice; give each file a name of its own")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well, and vanishes when it does not.

    Raises:
        InputError: the place cannot be written to.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A folder, for a file that `mkstemp` makes would be private, and `touch` in it honours the umask.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as folder:
            beside = Path(folder) / path.name
            yield beside
            beside.replace(path)


def from_here(path: Path) -> Path:
    """A path as a user would write it: relative to the working directory where it lies below that."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def looked_in(path: Path) -> str:
    """Where a relative path was looked for, for a message: it may have been written elsewhere."""
    return "" if path.is_absolute() else f" in {Path.cwd()}"


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
    except RecursionError as error:
        raise InputError(f"{path}: is nested too deep to be read; write it anew") from error


class _Strict(yaml.SafeLoader):
    """The safe loader, which takes the last of two equal keys in silence, made to refuse them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        # Before merge keys (<<) put theirs in, which may be overridden. What is only tagged a mapping, PyYAML refuses.
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if str(key.value) in seen:
                told = f"{key.value!r} stands twice in one mapping"
                raise yaml.constructor.ConstructorError(None, None, told, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, adapter: TypeAdapter[T], what: str | None = None) -> T:
    """What a YAML file holds, by the safe loader, as the adapter's type.

    Args:
        path: the file.
        adapter: the pydantic type that is expected.
        what: the file as the user named it; by default its path.

    Raises:
        InputError: there is no such file, it is not YAML, or it breaks a rule; all of them, each with its line.
    """
    text, what = read_text(path), str(path) if what is None else what
    try:
        loader = _Strict(text)
        root = loader.get_single_node()
        value = None if root is None else loader.construct_document(root)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date that is none; brackets without end
        raise InputError(f"{what}: is not YAML ({' '.join(str(error).split())})") from error
    return checked(adapter, value, what, root)


def checked(adapter: TypeAdapter[T], value: Any, what: str, root: yaml.Node | None = None) -> T:
    """`value` as the adapter's type, or one message that tells every problem with its place.

    Args:
        adapter: the pydantic type that is expected.
        value: plain data from outside.
        what: the input as the user named it.
        root: where the data stood in a YAML file, for the lines.

    Raises:
        InputError: with a line for each problem, `place: rule, but got value`.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InputError.listing(what, [_problem(dict(item), root, value) for item in error.errors()]) from error


RULES = {
    "missing": "is missing",
    "extra_forbidden": "is no name that belongs here; remove it, or see to its spelling",
    "model_type": "must be a mapping of names to values",
    "dataclass_type": "must be a mapping of names to values",
}
"""What pydantic's shortest messages say, by type of error."""


def _problem(item: dict[str, Any], root: yaml.Node | None, value: Any) -> str:
    place = ""
    for part in _without_tags(item["loc"], value):
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    if place and root is not None:
        place += f" (line {_line(root, item['loc'])})"
    message = RULES.get(item["type"], str(item["msg"]).removeprefix("Value error, "))
    got = repr(item["input"])
    told = len(got) > 60 or item["type"] in ("value_error", "extra_forbidden", "missing")
    shown = "" if told else f", but got {got}"
    return f"{place}: {message}{shown}" if place else f"{message}{shown}"


def _without_tags(loc: Sequence[str | int], value: Any) -> Iterator[str | int]:
    """A place without the `kind` that pydantic puts behind what has several."""
    for part in loc:
        if isinstance(value, dict) and part not in value and value.get("kind") == part:
            continue
        yield part
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None


def _line(root: yaml.Node, loc: Sequence[str | int]) -> int:
    """The line, from 1, of what `loc` leads to, or of the last that is there on the way."""
    node, line = root, root.start_mark.line
    for part in loc:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            for key, inner in reversed(node.value):  # what a merge key (<<) put in stands first
                if key.value == str(part):
                    node, line = inner, key.start_mark.line
                    break
    return line + 1
