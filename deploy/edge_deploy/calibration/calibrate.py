"""`calibrate`: from a kit of networks to a device file whose latencies are those of the device at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from edge_deploy.calibration.fit import Sample, errors_of, fit, predicted_from_others
from edge_deploy.calibration.kit import Kit, spec_of
from edge_deploy.calibration.windows import Visit, measured, repeatability, requests_us, rows_us
from edge_toolkit.calibration import Calibration
from edge_toolkit.constants import Constant
from edge_toolkit.device import Device, load_device
from edge_toolkit.files import write_text
from edge_toolkit.layer_terms import NAMES
from edge_toolkit.layers import Kind, layers_of
from edge_toolkit.machine import last_cache_kib, this_machine
from edge_toolkit.measured import Settings
from edge_toolkit.memory import Memory
from edge_toolkit.processors import Calibrated

Floats = NDArray[np.float64]

MODELLED = "cpu-host"
"""The device whose constants of energy and memory a calibrated one takes over: a request's time tells none of them."""


@dataclass(frozen=True)
class Calibrating:
    """A calibrated device, and for each network what it was predicted from the others and measured, us."""

    device: Device
    calibration: Calibration
    predicted_us: Floats
    measured_us: Floats


def calibrate(folder: Path, kit: Kit, out: Path, settings: Settings) -> Calibrating:
    """Measure the networks of a kit, fit the predictor and write the device.

    Args:
        folder: of the kit.
        kit: what it holds.
        out: the device's file. What is measured is kept `beside` it, for the caller to remove.
        settings: OpenVINO device, precision and threads.

    Raises:
        InputError: what is beside `out` was measured with other settings, or `out` can't be written.
        MissingError: the device computes in another precision.
    """
    machine = this_machine()
    visits = measured(folder, kit, beside(out) / "visits.jsonl", settings)
    samples = samples_of(folder, kit, visits)
    measured_us = np.array([sample.request_us for sample in samples])
    predicted_us = predicted_from_others(samples)
    calibration = Calibration(
        date=date.today().isoformat(),
        cpu=machine.cpu,
        cores=machine.cores,
        governor=machine.governor,
        load_average=machine.load_average,
        openvino=version("openvino"),
        device=settings.device,
        device_name=settings.device_name,
        threads=settings.threads,
        space=kit.plan.space,
        networks=len(samples),
        latency_ms=(round(measured_us.min() / 1e3, 6), round(measured_us.max() / 1e3, 6)),
        held_out=errors_of(predicted_us, measured_us),
        repeatability=repeatability(visits),
    )
    device = device_of(out.stem, settings.precision, coefficients_of(samples), calibration)
    write_device(out, device)
    return Calibrating(device, calibration, predicted_us, measured_us)


def beside(out: Path) -> Path:
    """Where a calibration keeps what it has done, until everything is written."""
    return out.with_name(f"{out.stem}.calibrating")


def samples_of(folder: Path, kit: Kit, visits: Sequence[Visit]) -> tuple[Sample, ...]:
    """The measured networks, in the kit's order."""
    requests, rows = requests_us(visits), rows_us(visits)
    return tuple(Sample(layers_of(spec_of(folder, name)), requests[name], rows[name]) for name in kit.names)


def coefficients_of(samples: Sequence[Sample]) -> dict[Kind, dict[str, float]]:
    """The fitted terms by kind, ns; an entry for each kind that the networks have, terms that take nothing left out."""
    seen = {kind for sample in samples for kind in sample.layers.kind.tolist()}
    found: dict[Kind, dict[str, float]] = {kind: {} for kind, _ in NAMES if kind in seen}
    for (kind, term), ns in zip(NAMES, fit(samples), strict=True):
        if ns > 0:
            found[kind][term] = float(f"{ns:.6g}")
    return found


def device_of(name: str, precision: str, ns: dict[Kind, dict[str, float]], calibration: Calibration) -> Device:
    """The device that was calibrated; its energy is modelled, by constants from elsewhere."""
    elsewhere = load_device(MODELLED)
    known = dict(elsewhere.constants())
    processor = Calibrated(
        kind="calibrated",
        ns=ns,
        pj_per_mac=_assumed(known["processors.cpu.pj_per_mac"]),
        static_mw=_assumed(known["processors.cpu.static_mw"]),
    )
    kind = calibration.device.partition(".")[0].lower()  # GPU.0 is a gpu
    threads = f", {calibration.threads} thread{'s' if calibration.threads > 1 else ''}" if kind == "cpu" else ""
    return Device(
        schema=2,
        name=name,
        description=f"{calibration.device_name}{threads}, calibrated on {calibration.networks} networks of "
        f"{calibration.space}",
        origin="calibrated",
        precision=precision,
        processors={kind: processor},
        memory=_memory(elsewhere.memory),
        calibration=calibration,
    )


def write_device(path: Path, device: Device) -> None:
    """Write a device's file."""
    plain = device.model_dump(mode="json", by_alias=True, exclude_none=True)
    write_text(path, yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120))


def _memory(elsewhere: Memory) -> Memory:
    """Constants of memory from elsewhere, and the size of this machine's cache, beyond which DRAM is drawn on."""
    assumed = {name: _assumed(constant) for name, constant in elsewhere}
    cache_kib = last_cache_kib()
    if cache_kib is not None:
        assumed["on_chip_kib"] = Constant(value=cache_kib, source="the last level of cache, as the machine tells")
    return Memory(**assumed)


def _assumed(constant: Constant) -> Constant:
    """A constant of another device."""
    return constant.model_copy(update={"source": f"{MODELLED}: {constant.source}", "assumed": True})
