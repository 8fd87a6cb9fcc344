"""Entry points, read straight from what is installed.

`importlib.metadata` answers the same question, and to import it takes longer than all else that `edge-toolkit --help`
does (40 of 105 ms, by `python -X importtime`), because it brings email, zipfile and csv along.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def announced(group: str) -> dict[str, str]:
    """The entry points of a group, `module:attribute` by name; of two of one name, the first on the path counts."""
    found: dict[str, str] = {}
    for folder in sys.path:
        for file in Path(folder or ".").glob("*.dist-info/entry_points.txt"):
            for name, value in _entries(file.read_text(encoding="utf-8"), group):
                found.setdefault(name, value)
    return dict(sorted(found.items()))


def load(value: str) -> Any:
    """The object that `module:attribute` names."""
    module, _, attribute = value.partition(":")
    return getattr(import_module(module), attribute)


def _entries(text: str, group: str) -> Iterator[tuple[str, str]]:
    """The `name = value` lines below `[group]`.

    Source: the entry points specification of the Python Packaging Authority (an INI file).
    """
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()  # extras in brackets are no part of the object
