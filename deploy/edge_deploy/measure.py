"""Models on a real device, measured in turn in one run."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.table import Table

from edge_deploy.latency import Samples, interleaved, latency_of
from edge_deploy.runtime import Compiled, check_settings, compile_model, device_name
from edge_deploy.settings import Asked
from edge_deploy.versions import versions
from edge_toolkit.console import table
from edge_toolkit.device import Device
from edge_toolkit.front import Front
from edge_toolkit.machine import this_machine
from edge_toolkit.measured import Measured, Measurement, Settings
from edge_toolkit.specs import digest

OWN_WEIGHTS = "the model's own"
COLUMNS = ("measured ms", "95 % of the median", "p90 ms", "quietest ms")


def settings_of(device: str, precision: str, threads: int) -> Settings:
    """How measurements are to be taken on this machine.

    Raises:
        InputError: an option breaks a rule.
        MissingError: the device is not here.
    """
    Asked(device, precision, threads)  # its rules
    return Settings(device, device_name(device), precision, threads, versions())


def measure_files(
    files: Mapping[str, Path],
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    seconds: float = 1.0,
    weights: str = OWN_WEIGHTS,
) -> Measured:
    """Measure models in turn, in one interleaved run.

    Args:
        files: ONNX files or IRs, by the names that the measurements get.
        device: an OpenVINO device.
        precision: asked of the device.
        threads: of the CPU.
        seconds: of measuring each model.
        weights: which weights the models have.

    Raises:
        InputError: a file is no model with static shapes, or an option breaks a rule.
        MissingError: the device is not here, or computes in another precision.
    """
    settings = settings_of(device, precision, threads)
    ready = _compiled(files, settings)
    machine = this_machine()
    samples = interleaved(list(ready.values()), seconds)
    taken = {name: _measurement(each) for name, each in zip(ready, samples, strict=True)}
    return Measured(settings, machine, taken, weights)


def _compiled(paths: Mapping[str, Path], settings: Settings) -> dict[str, Compiled]:
    asked = Asked(settings.device, settings.precision, settings.threads)
    ready = {key: compile_model(path, asked) for key, path in paths.items()}
    check_settings(ready.values())
    return ready


def _measurement(samples: Samples) -> Measurement:
    latency = latency_of(samples)
    quiet_ms = float(np.median(samples.request, axis=1).min())
    return Measurement(latency.median, latency.interval, latency.p90, latency.count, quiet_ms)


def measured_table(measured: Measured) -> Table:
    """What was measured, fastest first."""
    taken = sorted(measured.candidates.items(), key=lambda each: each[1].latency_ms)
    return table(("network", *COLUMNS), [(name, *_cells(each)) for name, each in taken], _title(measured))


def front_table(front: Front, measured: Measured) -> Table:
    """The candidates, fastest by model first, with what they cost by model and on the device."""
    lines = []
    for index, candidate in enumerate(front.candidates):
        taken = measured.candidates[digest(candidate.architecture)]
        lines.append(
            (
                index,
                f"{candidate.accuracy:.1%}",
                f"{candidate.latency_ms:.4f} {candidate.origin.get('latency_ms', '')}".strip(),
                *_cells(taken),
                f"{taken.off_by(candidate.latency_ms):+.1%}",
                front.names(index),
            )
        )
    return table(("candidate", "accuracy", "front ms", *COLUMNS, "front off by", "pick"), lines, _title(measured))


def other_than(device: Device, settings: Settings) -> str:
    """In what the measurements are not of the device that a front's latencies are predicted for; empty where nowhere.

    Args:
        device: the front's.
        settings: of the measurements.
    """
    if device.calibration is None:
        return f"the front's latencies are modelled, for {device.name} in {device.precision}"
    then, now = (
        (device.calibration.device, device.precision, device.calibration.threads),
        (settings.device, settings.precision, settings.threads),
    )
    if then == now:
        return ""
    told, asked = (f"{name} in {precision} with threads {threads}" for name, precision, threads in (then, now))
    return f"the front's latencies are predicted for {told}, and measured on {asked}"


def _cells(taken: Measurement) -> tuple[str, ...]:
    low, high = taken.interval_ms
    quiet = "n/a" if taken.quiet_ms is None else f"{taken.quiet_ms:.4f}"
    return f"{taken.latency_ms:.4f}", f"{low:.4f} to {high:.4f}", f"{taken.p90_ms:.4f}", quiet


def _title(measured: Measured) -> str:
    settings = measured.settings
    return f"{settings.device} {settings.device_name}, {settings.precision}, threads {settings.threads}"
