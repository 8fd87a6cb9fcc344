"""`Profile`: how long a model takes on a device, where the time goes, and how that compares with a baseline.

Two runs make one: the latency without counters, interleaved with the baseline's; the rows with them.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_deploy.baseline import LSTM, baseline_of, check_recurrent
from edge_deploy.latency import Comparison, Latency, Samples, compare, interleaved, latency_of
from edge_deploy.machine import this_machine, versions
from edge_deploy.macs import model_macs, model_parameters, uncounted
from edge_deploy.origins import origins_of
from edge_deploy.rows import LOST_US, Row, count, rows_of
from edge_deploy.runtime import Compiled, Input, compile_model
from edge_deploy.target import Target, target_of
from edge_toolkit.layers import layers_of
from edge_toolkit.measured import Machine


@dataclass(frozen=True)
class Profile:
    """A model on a device.

    `latency_ms` is the request's own time, `wall_us` the median of the Python call around it; `rows`, which end with
    `runtime` and `binding`, sum to it. `counted_us` is the median request while the rows were counted, and `unread_us`
    bounds how much of `runtime` belongs to rows, whose counters drop fractions of a microsecond. `macs`
    and `parameters` are the architecture's where that is known, else the model's own; `uncounted` names loops whose
    bodies the MACs leave out.
    """

    target: str
    device: str
    device_name: str
    precision: str
    asked_precision: str
    threads: int
    streams: int
    latency_ms: Latency
    wall_us: float
    request_us: float
    counted_us: float
    unread_us: float
    macs: int
    parameters: int
    uncounted: tuple[str, ...]
    inputs: tuple[Input, ...]
    rows: tuple[Row, ...]
    machine: Machine
    versions: dict[str, str]
    baseline: "Profile | None" = None
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Sum:
    """Time, share of the wall time and MACs of the rows that have a block or a role in common."""

    time_us: float
    share: float
    macs: int


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
        seconds: of measuring each model; the counters take a third of it again.
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


def by_block(rows: Sequence[Row]) -> dict[str, Sum]:
    """Sums over the rows of each block, in the order of execution."""
    return _sums(rows, "block")


def by_role(rows: Sequence[Row]) -> dict[str, Sum]:
    """Sums over the rows of each role, in the order of first execution."""
    return _sums(rows, "role")


def profile_to_json(made: Profile) -> dict[str, Any]:
    """Plain data for `json.dumps`, with the sums by role and by block."""
    plain = asdict(made)
    for part, value in ((plain, made), (plain["baseline"], made.baseline)):
        if value is not None:
            part["roles"] = {name: asdict(each) for name, each in by_role(value.rows).items()}
            part["blocks"] = {name: asdict(each) for name, each in by_block(value.rows).items()}
    if made.baseline is not None:
        del plain["baseline"]["baseline"], plain["baseline"]["comparison"]
    return plain


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
        request_us=request_us,
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


def _sums(rows: Sequence[Row], column: str) -> dict[str, Sum]:
    sums: dict[str, Sum] = {}
    for row in rows:
        name = getattr(row, column)
        before = sums.get(name, Sum(0.0, 0.0, 0))
        sums[name] = Sum(before.time_us + row.time_us, before.share + row.share, before.macs + row.macs)
    return sums
