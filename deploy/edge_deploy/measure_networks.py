"""Networks on a real device: exported with random weights, measured in one run, and kept in a file."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from edge_deploy.convert import random_ir
from edge_deploy.measure import measure_files, settings_of
from edge_deploy.settings import INT8
from edge_toolkit.console import note, progress
from edge_toolkit.errors import InputError
from edge_toolkit.front import read_front
from edge_toolkit.measured import RANDOM_WEIGHTS, Measured, read_measured, write_measured
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec, digest, read_listed

Export = Callable[..., Path]
"""Makes an IR of a network in a folder, with `int8=True` a quantised one, and gives its path: as `random_ir` does."""


def measure_front(
    run: RunFolder,
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    seconds: float = 1.0,
    export: Export = random_ir,
) -> Measured:
    """Measure the candidates of a front and write `measured.json`; see `measure_networks`.

    Raises:
        InputError: there is no front, or an option breaks a rule.
        MissingError: the device is not here, or computes in another precision.
    """
    wanted = {digest(candidate.architecture): candidate.architecture for candidate in read_front(run.front).candidates}
    models = run.path / "measured-models"
    return measure_networks(wanted, run.measured, models, device, precision, threads, seconds, export)


def measure_listed(
    path: Path,
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    seconds: float = 1.0,
    export: Export = random_ir,
) -> Measured:
    """Measure the networks in a file of one JSON a line and write `listed_record(path)`; see `measure_networks`.

    Raises:
        InputError: the file or an option breaks a rule.
        MissingError: the device is not here, or computes in another precision.
    """
    wanted = {digest(spec): spec for spec in read_listed(path)}
    models = path.with_name(f"{path.name}.measured-models")
    return measure_networks(wanted, listed_record(path), models, device, precision, threads, seconds, export)


def listed_record(path: Path) -> Path:
    """Where the measurements of listed networks are kept: beside their file."""
    return path.with_name(f"{path.name}.measured.json")


def measure_networks(
    wanted: Mapping[str, ModelSpec],
    record: Path,
    models: Path,
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    seconds: float = 1.0,
    export: Export = random_ir,
) -> Measured:
    """Measure networks in turn, in one interleaved run, and write what was measured.

    Nothing is done where an earlier call measured all of them with the same settings.

    Args:
        wanted: the networks, by `edge_toolkit.specs.digest`.
        record: the file of the measurements.
        models: a folder for the exports until the measurements are written, so that a stop costs no export.
        device: an OpenVINO device.
        precision: asked of the device.
        threads: of the CPU.
        seconds: of measuring each network.
        export: weights are random, for latency does not depend on them.

    Raises:
        InputError: an option breaks a rule.
        MissingError: the device is not here, or computes in another precision.
    """
    settings = settings_of(device, precision, threads)
    earlier = _earlier(record)
    if earlier is not None:
        if earlier.settings == settings and wanted.keys() <= earlier.candidates.keys():
            note(f"{record}: holds all of them with these settings; remove it to measure again")
            return replace(earlier, candidates={key: earlier.candidates[key] for key in wanted})
        note(f"{record}: was taken with other settings, or of other networks; everything is measured again")
    if precision == INT8:
        models, export = models.with_name(f"{models.name}-{INT8}"), partial(export, int8=True)
    files = _exported(wanted, models, export)
    measured = measure_files(files, device, precision, threads, seconds, RANDOM_WEIGHTS)
    write_measured(record, measured)
    shutil.rmtree(models)
    return measured


def _earlier(record: Path) -> Measured | None:
    """What an earlier call measured; None where it did not, or where its file is damaged."""
    if not record.is_file():
        return None
    try:
        return read_measured(record)
    except InputError as error:
        note(f"{error}; everything is measured again")
        return None


def _exported(wanted: Mapping[str, ModelSpec], models: Path, export: Export) -> dict[str, Path]:
    paths = {}
    with progress("export", len(wanted)) as advance:
        for key, spec in wanted.items():
            there = models / key / "model.xml"
            paths[key] = there if there.is_file() else export(spec, models / key)
            advance(key)
    return paths
