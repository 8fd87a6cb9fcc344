"""Profiles: how long a model takes on a device, where the time goes, and how that compares with a baseline.

Two runs make one: the latency without counters, interleaved with the other models'; the rows with them.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_deploy.baseline import LSTM, baseline_of, check_recurrent
from edge_deploy.inference_energy import energy_of_inference
from edge_deploy.latency import Samples, compare, interleaved, latency_of
from edge_deploy.macs import model_macs, model_parameters, uncounted
from edge_deploy.model_file import read_model
from edge_deploy.neighbours import neighbours
from edge_deploy.origins import origins_of
from edge_deploy.paced import paced
from edge_deploy.peaks import peaks
from edge_deploy.rapl import CounterError, Zone, readable_zones
from edge_deploy.rows import LOST_US, count, rows_of
from edge_deploy.runtime import Compiled, compile_model
from edge_deploy.settings import INT8, Asked
from edge_deploy.shapes import called
from edge_deploy.target import Target, target_of
from edge_deploy.throughput import throughput
from edge_deploy.versions import versions
from edge_deploy.watch import Watch
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import note
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.machine import this_machine
from edge_toolkit.measured import Machine
from edge_toolkit.profile import Comparison, Peaks, Profile, Startup, Streaming

MOST_FRAMES = 1_000_000
"""Three hours at 90 frames a second; each keeps two numbers."""


@dataclass(frozen=True)
class Pace:
    """Frames a second, 0 for none, for how many seconds, and busy neighbours besides."""

    fps: float = 0.0
    seconds: float = 60.0
    load: int = 0

    def __post_init__(self) -> None:
        """Raises InputError: a pace that nobody could wait for."""
        if self.fps and not 1 <= self.fps <= 1000:
            raise InputError(f"--fps {self.fps:g}: must be between 1 and 1000 frames a second, or 0 for none")
        if self.fps * self.seconds > MOST_FRAMES:
            raise InputError(f"--minutes {self.seconds / 60:g}: makes more than {MOST_FRAMES:,} frames; give fewer")


def profile(
    path: Path,
    asked: Asked | None = None,
    seconds: float = 3.0,
    baseline: str | None = None,
    requests: int | None = None,
    pace: Pace | None = None,
) -> Profile:
    """Measure a model, alone or against a baseline.

    Args:
        path: a bundle's folder or .zip, or a model's file.
        asked: of the device; what it says it does is in the profile.
        seconds: of measuring each model, and a third of it again with counters; more for a model whose requests take
            longer than a hundredth of it, or on a busy machine.
        baseline: `lstm` for the LSTM of equal parameters, or the path of a bundle or model; None for none.
        requests: to measure each model with, in place of the seconds.
        pace: frames to run besides, and busy neighbours that compute all the while.

    Raises:
        InputError: a path or an option breaks a rule.
        MissingError: the device, the baseline or an extra is not here.
        AnswerIsNo: the LSTM was not executed by OpenVINO's LSTM kernel.
    """
    with tempfile.TemporaryDirectory(prefix="edge-toolkit-") as folder:
        asked = asked or Asked()
        targets = [target_of(path, asked.precision)]
        if baseline is not None:
            targets.append(baseline_of(targets[0], baseline, Path(folder), asked.precision))
        profiles, comparison = profiled(targets, asked, seconds, requests, pace or Pace())
    if baseline == LSTM:
        check_recurrent(profiles[1].rows, targets[1].path)
    return profiles[0] if baseline is None else replace(profiles[0], baseline=profiles[1], comparison=comparison)


def profiled(
    targets: Sequence[Target], asked: Asked, seconds: float, requests: int | None, pace: Pace
) -> tuple[list[Profile], Comparison | None]:
    """Profiles of models that are measured in turn, in one run, and how the first compares with the second."""
    with neighbours(pace.load):
        return _profiled(targets, asked, seconds, requests, pace)


def _profiled(
    targets: Sequence[Target], asked: Asked, seconds: float, requests: int | None, pace: Pace
) -> tuple[list[Profile], Comparison | None]:
    machine = this_machine()
    ready = [compile_model(target.file, _for(index, target, asked)) for index, target in enumerate(targets)]
    stream = _stream(targets, asked)
    roof = _roof(asked, min(seconds / 3, 0.75))  # first of all, for a process's first request starts its threads
    startups = [_startup(each) for each in ready]
    watch = Watch(pace.load)
    samples = interleaved([*ready, *stream], seconds, requests=requests)
    conditions = [watch.conditions(np.median(taken.request, axis=1).tolist()) for taken in samples]
    zones = _zones()
    profiles = []
    for target, one, taken, startup, state in zip(targets, ready, samples, startups, conditions, strict=False):
        made = _one(target, one, taken, seconds / 3, machine)
        at_once = next((int(each.reported) for each in one.settings if each.name == "requests at once"), 1)
        flow = throughput(one, at_once, seconds / 3) if at_once > 1 else None
        frames = paced(one, pace.fps, pace.seconds) if pace.fps else None
        energy = energy_of_inference(one, target.spec, made.latency_ms.median, seconds, zones)
        profiles.append(
            replace(made, startup=startup, conditions=state, peaks=roof, throughput=flow, frames=frames, energy=energy)
        )
    if stream and isinstance(spec := targets[1].spec, LSTMBaseline):
        step = Streaming(spec.steps, spec.stem.stride, latency_of(samples[2]), compare(samples[0], samples[2]))
        profiles[0] = replace(profiles[0], streaming=step)
    return profiles, compare(samples[0], samples[1]) if len(targets) > 1 else None


def _stream(targets: Sequence[Target], asked: Asked) -> list[Compiled]:
    """The baseline as one that sees a step a request, where it is such an LSTM beside a hybrid on the same sequences.

    There is no quantised one, and a step in float32 beside a window in int8 would be no comparison.
    """
    if len(targets) != 2 or targets[1].stream is None or asked.precision == INT8:
        return []
    model, lstm = (target.spec for target in targets)
    if not isinstance(model, Architecture) or lstm is None or model.input != lstm.input:
        return []
    return [compile_model(targets[1].stream, replace(asked, shapes=()))]


def _roof(asked: Asked, seconds: float) -> Peaks | None:
    """The device's peaks; None where it can't run what measures them, and the rest of the profile stands."""
    try:
        return peaks(asked, seconds)
    except InputError as error:
        note(f"the device's peaks are not measured: {error}")
        return None


def _for(index: int, target: Target, asked: Asked) -> Asked:
    """What is asked of a model: shapes go to the first, and to others with inputs of the same names."""
    if index == 0 or not asked.shapes:
        return asked
    inputs = read_model(target.file).inputs
    names = {called(port) for port in inputs} | ({""} if len(inputs) == 1 else set())
    return asked if all(shape.name in names for shape in asked.shapes) else replace(asked, shapes=())


def _zones() -> tuple[Zone, ...]:
    """The energy counters; none where they can't be read, which `doctor` explains."""
    try:
        return readable_zones()
    except CounterError:
        return ()


def _startup(ready: Compiled) -> Startup:
    ready.infer()
    return Startup(ready.compile_ms, ready.request_ms)


def _one(target: Target, ready: Compiled, samples: Samples, seconds: float, machine: Machine) -> Profile:
    latency = latency_of(samples)
    request_us = 1000 * latency.median
    wall_us = 1000 * float(np.median(samples.wall))
    counted = count(ready, request_us, seconds)
    layers = layers_of(target.spec) if target.spec is not None else None
    return Profile(
        target=str(target.path),
        device=ready.asked.device,
        device_name=ready.device_name,
        precision=ready.precision,
        asked_precision=ready.asked.precision,
        threads=ready.threads,
        streams=ready.streams,
        latency_ms=latency,
        wall_us=wall_us,
        counted_us=counted.request_us,
        unread_us=LOST_US * len(counted.nodes),
        macs=int(layers.macs.sum()) if layers is not None else model_macs(ready.model),
        parameters=int(layers.parameters.sum()) if layers is not None else model_parameters(ready.model),
        uncounted=uncounted(ready.model),
        inputs=ready.inputs,
        rows=rows_of(counted, ready.model, origins_of(ready.model, target.spec), request_us, wall_us),
        machine=machine,
        versions=versions(),
        settings=ready.settings,
    )
