"""The candidates of a front on a real device: exported, measured in turn, written to `measured.json`."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from edge_deploy.convert import random_ir
from edge_deploy.latency import interleaved, latency_of
from edge_deploy.runtime import Compiled, check_options, check_precisions, compile_model, device_name
from edge_deploy.versions import versions
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import note, progress, table
from edge_toolkit.errors import InputError
from edge_toolkit.front import Front, read_front
from edge_toolkit.machine import this_machine
from edge_toolkit.measured import Measured, Measurement, Settings, read_measured, write_measured
from edge_toolkit.profile import Latency
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec, digest


def measure(
    run: RunFolder,
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    seconds: float = 1.0,
    export: Callable[[ModelSpec, Path], Path] = random_ir,
) -> Measured:
    """Measure the candidates of a front in turn, in one interleaved run, and write `measured.json`.

    Nothing is done where an earlier call measured all of them with the same settings.

    Args:
        run: a run folder with a front.
        device: an OpenVINO device.
        precision: asked of the device.
        threads: of the CPU.
        seconds: of measuring each candidate.
        export: makes an IR of a network in a folder and gives its path; weights are random, for latency does not
            depend on them.

    Returns:
        The measurements of the front's candidates.

    Raises:
        InputError: there is no front, or an option breaks a rule.
        MissingError: the device is not here, or computes in another precision.
    """
    check_options(precision, threads)
    front = read_front(run.front)
    settings = Settings(device, device_name(device), precision, threads, versions())
    wanted = {digest(candidate.architecture): candidate.architecture for candidate in front.candidates}
    earlier = _earlier(run)
    if earlier is not None:
        if earlier.settings == settings and wanted.keys() <= earlier.candidates.keys():
            note(f"{run.measured}: holds all of them with these settings; remove it to measure again")
            return replace(earlier, candidates={key: earlier.candidates[key] for key in wanted})
        note(f"{run.measured}: was taken with other settings, or of another front; everything is measured again")
    models = run.path / "measured-models"  # until the measurements are written, so that a stop costs no export
    ready = _compiled(_exported(wanted, models, export), settings)
    machine = this_machine()
    samples = interleaved(list(ready.values()), seconds)
    taken = {key: _measurement(latency_of(each)) for key, each in zip(ready, samples, strict=True)}
    measured = Measured(settings, machine, taken)
    write_measured(run.measured, measured)
    shutil.rmtree(models)
    return measured


def _earlier(run: RunFolder) -> Measured | None:
    """What an earlier call measured; None where it did not, or where its file is damaged."""
    if not run.measured.is_file():
        return None
    try:
        return read_measured(run.measured)
    except InputError as error:
        note(f"{error}; everything is measured again")
        return None


def _exported(
    wanted: Mapping[str, Architecture], models: Path, export: Callable[[ModelSpec, Path], Path]
) -> dict[str, Path]:
    paths = {}
    with progress("export", len(wanted)) as advance:
        for key, architecture in wanted.items():
            there = models / key / "model.xml"
            paths[key] = there if there.is_file() else export(architecture, models / key)
            advance(key)
    return paths


def _compiled(paths: Mapping[str, Path], settings: Settings) -> dict[str, Compiled]:
    ready = {
        key: compile_model(path, settings.device, settings.precision, settings.threads) for key, path in paths.items()
    }
    check_precisions(ready.values())
    return ready


def _measurement(latency: Latency) -> Measurement:
    return Measurement(latency.median, latency.interval, latency.p90, latency.count)


def measured_table(front: Front, measured: Measured) -> Table:
    """The candidates, fastest by model first, with what they cost by model and on the device."""
    lines = []
    for index, candidate in enumerate(front.candidates):
        taken = measured.candidates[digest(candidate.architecture)]
        low, high = taken.interval_ms
        lines.append(
            (
                index,
                f"{candidate.accuracy:.1%}",
                f"{candidate.latency_ms:.4f} {candidate.origin.get('latency_ms', '')}".strip(),
                f"{taken.latency_ms:.4f}",
                f"{low:.4f} to {high:.4f}",
                f"{taken.p90_ms:.4f}",
                front.names(index),
            )
        )
    columns = ("candidate", "accuracy", "front ms", "measured ms", "95 % of the median", "p90 ms", "pick")
    settings = measured.settings
    title = f"{settings.device} {settings.device_name}, {settings.precision}, threads {settings.threads}"
    return table(columns, lines, title)
