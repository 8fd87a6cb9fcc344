"""The networks of a target: a model in a file, one that is only described, or a sample of a search space."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_deploy.model_file import read_model
from edge_deploy.target import target_of
from edge_deploy.target_layers import description_at
from edge_toolkit.cli import answer_of
from edge_toolkit.console import progress
from edge_toolkit.errors import InputError
from edge_toolkit.extras import require
from edge_toolkit.specs import ModelSpec, digest, read_spec, spec_from_json

SAMPLE = 20
"""Networks that are drawn from a space, beside its smallest and its largest, where nothing else is asked for."""


@dataclass(frozen=True)
class Network:
    """A network by the name that tells it from others of its target, as an `openvino.Model`, and what it is from."""

    name: str
    model: Any
    spec: ModelSpec | None


def networks_at(target: str, sample: int | None = None, seed: int | None = None) -> Iterator[Network]:
    """The networks of a target.

    Args:
        target: a bundle, a model's file, a model folder, a network's description (.json), or a search space: a name
            that ships or a YAML file.
        sample: how many networks of a space, beside its smallest and its largest; `SAMPLE` by default.
        seed: of the sample, 0 by default.

    Raises:
        InputError: there is nothing, or something else, or it breaks a rule.
        AnswerIsNo: a file of the bundle was changed.
        MissingError: a network is only described, and what exports it is not installed.
    """
    path = Path(target)
    if _is_space(path):
        yield from _exported(_sampled(target, SAMPLE if sample is None else sample, seed or 0))
        return
    if sample is not None or seed is not None:
        raise InputError(f"{target}: is no search space, and --sample and --seed draw networks of one; leave them out")
    description = description_at(path)
    if description is not None:
        yield from _exported({"": read_spec(description)})
        return
    found = target_of(path)
    yield Network("", read_model(found.file), found.spec)


def _is_space(path: Path) -> bool:
    """A YAML file, or a bare word that is no file: the name of a space that ships."""
    return path.suffix in (".yaml", ".yml") or (len(path.parts) == 1 and not path.suffix and not path.exists())


def _sampled(space: str, sample: int, seed: int) -> dict[str, ModelSpec]:
    """Networks of a space, each once. It belongs to another room, which is asked through its commands."""
    facts = json.loads(answer_of("spaces", "show", space, "--json", "-"))
    specs = {which: spec_from_json(facts[which]["architecture"]) for which in ("smallest", "largest")}
    if sample:
        count = str(min(sample, facts["size"]))
        lines = answer_of("spaces", "sample", space, "--count", count, "--seed", str(seed)).splitlines()
        specs |= {f"sample {index}": spec_from_json(json.loads(line)) for index, line in enumerate(lines, start=1)}
    once = {digest(spec): name for name, spec in reversed(specs.items())}
    return {name: spec for name, spec in specs.items() if once[digest(spec)] == name}


def _exported(specs: Mapping[str, ModelSpec]) -> Iterator[Network]:
    """Networks with random weights, on which no rule depends but the range of float16."""
    require("search", "torch", "onnx", "onnxscript")
    from edge_deploy.convert import random_ir

    with tempfile.TemporaryDirectory() as folder, progress("export", len(specs)) as advance:
        for name, spec in specs.items():
            yield Network(name, read_model(random_ir(spec, Path(folder) / digest(spec))), spec)
            advance(name)
