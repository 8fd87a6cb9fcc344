"""A kit: networks ready to be measured on any device. The workstation writes it; reading it needs no torch.

DIR/kit.json             what the networks are a sample of, and their names, in order
DIR/networks/NAME/       architecture.json, model.xml, model.bin
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from edge_toolkit.console import progress
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json, write_json
from edge_toolkit.specs import ModelSpec, digest, read_spec, spec_to_json

FEWEST = 2
"""Networks, for each one is predicted from the others."""


@dataclass(frozen=True)
class Plan:
    """What was asked for: a sample of `space`, of so many networks, drawn with a seed, in int8 or not.

    `content` is the SHA-256 of the space's or the networks' file, which may change; empty where there is none.
    """

    space: str
    networks: int
    seed: int
    int8: bool = False
    content: str = ""


@dataclass(frozen=True)
class Kit:
    """Networks by name, each in a folder of its own below `networks`; `complete` once all of them are written."""

    plan: Plan
    names: tuple[str, ...]
    complete: bool = False
    schema: Literal[1] = 1


def prepared(
    folder: Path, plan: Plan, draw: Callable[[], Sequence[ModelSpec]], export: Callable[[ModelSpec, Path], Path]
) -> Kit:
    """The kit in a folder, made or finished where it is not complete.

    Args:
        folder: of the kit.
        plan: what it is to hold.
        draw: gives the networks of the plan.
        export: makes an IR of a network in a folder.

    Raises:
        InputError: the folder holds the kit of another plan, or can't be written; or there are fewer than two
            distinct networks.
    """
    file = folder / "kit.json"
    kit = _read(file) if file.is_file() else None
    if kit is not None and kit.plan != plan:
        was = f"{kit.plan.networks} networks of {kit.plan.space}, seed {kit.plan.seed}, {_weights(kit.plan)}"
        raise InputError(
            f"{folder}: holds another calibration ({was}); give its options and files, or remove the folder"
        )
    if kit is None:
        specs = {digest(spec): spec for spec in draw()}
        if len(specs) < FEWEST:
            raise InputError(f"{plan.space}: holds {len(specs)} distinct network; a calibration takes {FEWEST} or more")
        for name, spec in specs.items():
            write_json(_network(folder, name) / "architecture.json", spec_to_json(spec))
        kit = Kit(plan, tuple(specs))
        write_json(file, asdict(kit))
    if not kit.complete:
        _export(folder, kit, export)
        kit = Kit(plan, kit.names, complete=True)
        write_json(file, asdict(kit))
    return kit


def _export(folder: Path, kit: Kit, export: Callable[[ModelSpec, Path], Path]) -> None:
    done = [name for name in kit.names if model_of(folder, name).is_file()]
    with progress("export", len(kit.names), len(done)) as advance:
        for name in kit.names:
            if name not in done:
                export(spec_of(folder, name), _network(folder, name))
                advance(name)


def read_kit(folder: Path, int8: bool = False) -> Kit:
    """The complete kit in a folder, whose networks are quantised or not, as asked.

    Raises:
        InputError: there is none, it was not finished, a network is missing, or its networks are the others.
    """
    file = folder / "kit.json"
    if not file.is_file():
        raise InputError(f"{folder}: holds no kit (kit.json is missing); `edge-toolkit calibrate --prepare` writes one")
    kit = _read(file)
    if not kit.complete:
        raise InputError(f"{folder}: was not finished; give the same `calibrate --prepare` again")
    missing = [name for name in kit.names if not model_of(folder, name).with_suffix(".bin").is_file()]
    missing += [name for name in kit.names if not model_of(folder, name).is_file()]
    if missing:
        raise InputError(f"{folder}: network {missing[0]} is not whole; copy the folder again")
    if kit.plan.int8 != int8:
        raise InputError(
            f"{folder}: its networks are in {_weights(kit.plan)}; measure them with --precision "
            f"{'int8' if kit.plan.int8 else 'f32, bf16 or f16'}, or prepare others"
        )
    return kit


def spec_of(folder: Path, name: str) -> ModelSpec:
    """A network of a kit."""
    return read_spec(_network(folder, name) / "architecture.json")


def model_of(folder: Path, name: str) -> Path:
    """Where the IR of a network of a kit is."""
    return _network(folder, name) / "model.xml"


def _weights(plan: Plan) -> str:
    return "int8" if plan.int8 else "f32"


def _network(folder: Path, name: str) -> Path:
    return folder / "networks" / name


def _read(file: Path) -> Kit:
    return checked(_ADAPTER, read_json(file), str(file))


_ADAPTER: TypeAdapter[Kit] = TypeAdapter(Kit)
