"""Writes the JSON schemas of the files that others read, docs/schemas/*.json; a test sees that they are current.

python docs/make_schemas.py
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from edge_deploy.manifest import Manifest
from edge_toolkit.profile import Profile

FOLDER = Path(__file__).with_name("schemas")
FILES: dict[str, tuple[Any, str]] = {
    "manifest.json": (Manifest, "manifest.json of a bundle, schema 2"),
    "profile.json": (
        Profile,
        "What `edge-toolkit profile --json` writes, schema 1; sums by `roles` and `blocks` besides",
    ),
}


def schema(name: str) -> str:
    """The text of a schema's file."""
    kind, title = FILES[name]
    plain = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(kind).json_schema(),
        "title": title,
    }
    return json.dumps(plain, indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in FILES:
        (FOLDER / name).write_text(schema(name), encoding="utf-8")
