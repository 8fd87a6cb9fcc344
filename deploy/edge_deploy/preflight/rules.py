"""`Rules`: what a target refuses or runs slowly, a YAML file with a source beside each rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, with_config

from edge_toolkit.architecture import CLOSED
from edge_toolkit.errors import InputError
from edge_toolkit.files import read_yaml

FOLDER = Path(__file__).parent

Severity = Literal["refused", "slow", "unknown"]
SEVERITIES: tuple[Severity, ...] = ("refused", "slow", "unknown")
"""The worst first."""

Text = Annotated[str, Field(min_length=1)]


@with_config(CLOSED)
@dataclass(frozen=True)
class Rule:
    """What is wrong with a layer, what would help, and where that stands.

    `problem` and `remedy` are templates, filled with what the check found. `operations` are types of operations and
    `types` OpenVINO's element types that the rule goes by, `limit` is a number that may not be passed.
    """

    severity: Severity
    problem: Text
    remedy: Text
    source: Text
    operations: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    limit: int = 0


@with_config(CLOSED)
@dataclass(frozen=True)
class Rules:
    """All rules of a target.

    Attributes:
        target: its name, the file's.
        device: what OpenVINO calls it.
        origin: what the rules were read from, with its version.
        rules: by id.
    """

    target: str
    device: str
    origin: Text
    rules: Mapping[str, Rule]
    schema: Literal[1] = 1


def load_rules(target: str) -> Rules:
    """The rules of a target that ships.

    Raises:
        InputError: there are none.
    """
    names = targets()
    if target not in names:
        raise InputError(f"--target {target}: there are no rules for it; use one of {', '.join(names)}")
    return read_yaml(FOLDER / f"{target}.yaml", _RULES)


def targets() -> tuple[str, ...]:
    """The targets that ship."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


_RULES: TypeAdapter[Rules] = TypeAdapter(Rules)
