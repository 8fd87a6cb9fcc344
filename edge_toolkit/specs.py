"""A network as a value, of either kind, and its JSON form."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json, read_text
from edge_toolkit.lstm import LSTMBaseline

ModelSpec = Architecture | LSTMBaseline


def spec_to_json(spec: ModelSpec) -> dict[str, Any]:
    """Plain data for `json.dumps`."""
    return asdict(spec)


def spec_from_json(value: Any, what: str = "architecture") -> ModelSpec:
    """The network that plain data describes.

    Args:
        value: what `spec_to_json` gave, or a user wrote.
        what: the input as the user named it, for the message.

    Raises:
        InputError: every rule that the data breaks, with its place.
    """
    kind = value.get("kind", "hybrid") if isinstance(value, dict) else "hybrid"
    return checked(_LSTM, value, what) if kind == "lstm" else checked(_HYBRID, value, what)


def read_spec(path: Path) -> ModelSpec:
    """The network in a JSON file.

    Raises:
        InputError: the file is missing, not JSON, or breaks a rule.
    """
    return spec_from_json(read_json(path), str(path))


def read_listed(path: Path) -> tuple[ModelSpec, ...]:
    """The networks in a file of one JSON a line, as `edge-toolkit spaces sample` writes them; empty lines are skipped.

    Raises:
        InputError: the file is missing or empty, or lines break a rule; all of them are told with their numbers.
    """
    specs, problems = [], []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            specs.append(spec_from_json(json.loads(line), f"line {number}"))
        except json.JSONDecodeError as error:
            problems.append(f"line {number}: is not JSON ({error.msg} at column {error.colno})")
        except InputError as error:
            problems.append(str(error).replace("\n", "\n  "))
    if problems:
        raise InputError.listing(str(path), problems)
    if not specs:
        raise InputError(f"{path}: holds no architecture; `edge-toolkit spaces sample SPACE --out {path}` writes some")
    return tuple(specs)


def digest(spec: ModelSpec) -> str:
    """A short name that the same network has everywhere."""
    return digest_of(spec_to_json(spec))


def digest_of(plain: Any) -> str:
    """12 hexadecimal digits of the SHA-256 of plain data's canonical JSON."""
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_HYBRID: TypeAdapter[Architecture] = TypeAdapter(Architecture)
_LSTM: TypeAdapter[LSTMBaseline] = TypeAdapter(LSTMBaseline)
