"""Profiles: how long a model takes on a device, where the time goes, and how that compares with a baseline.

Two runs make one: the latency without counters, interleaved with the baseline's; the rows with them.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_deploy.baseline import LSTM, baseline_of, check_recurrent
from edge_deploy.latency import Samples, compare, interleaved, latency_of
from edge_deploy.macs import model_macs, model_parameters, uncounted
from edge_deploy.origins import origins_of
from edge_deploy.rows import LOST_US, count, rows_of
from edge_deploy.runtime import Compiled, compile_model
from edge_deploy.target import Target, target_of
from edge_deploy.versions import versions
from edge_toolkit.layers import layers_of
from edge_toolkit.machine import this_machine
from edge_toolkit.measured import Machine
from edge_toolkit.profile import Profile


def profile(
    path: Path,
    device: str = "CPU",
    precision: str = "f32",
    threads: int = 1,
    seconds: float = 3.0,
    baseline: str | None = None,
) -> Profile:
    """Measure a model, alone or against a baseline.

    Args:
        path: a bundle folder, an ONNX file or an OpenVINO IR.
        device: an OpenVINO device.
        precision: asked of the device; what it says it does is in the profile.
        threads: of the CPU.
        seconds: of measuring each model, and a third of it again with counters; more for a model whose requests take
            longer than a hundredth of it, or on a busy machine.
        baseline: `lstm` for the LSTM of equal parameters, or the path of a bundle or model; None for none.

    Raises:
        InputError: a path or an option breaks a rule.
        MissingError: the device, the baseline or an extra is not here.
        AnswerIsNo: the LSTM was not executed by OpenVINO's LSTM kernel.
    """
    machine = this_machine()
    with tempfile.TemporaryDirectory(prefix="edge-toolkit-") as folder:
        targets = [target_of(path)]
        if baseline is not None:
            targets.append(baseline_of(targets[0], baseline, Path(folder)))
        ready = [compile_model(target.file, device, precision, threads) for target in targets]
        samples = interleaved(ready, seconds)
        parts = zip(targets, ready, samples, strict=True)
        profiles = [_one(target, one, taken, seconds / 3, machine) for target, one, taken in parts]
    if baseline is None:
        return profiles[0]
    if baseline == LSTM:
        check_recurrent(profiles[1].rows, targets[1].path)
    return replace(profiles[0], baseline=profiles[1], comparison=compare(samples[0], samples[1]))


def _one(target: Target, ready: Compiled, samples: Samples, seconds: float, machine: Machine) -> Profile:
    latency = latency_of(samples)
    request_us = 1000 * latency.median
    wall_us = 1000 * float(np.median(samples.wall))
    counted = count(ready, request_us, seconds)
    layers = layers_of(target.spec) if target.spec is not None else None
    return Profile(
        target=str(target.path),
        device=ready.device,
        device_name=ready.device_name,
        precision=ready.precision,
        asked_precision=ready.asked_precision,
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
    )
