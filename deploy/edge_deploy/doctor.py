"""What this machine has for measuring, and what each thing found means for a measurement."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from edge_deploy.doctor_npu import npu_signs
from edge_deploy.model_file import gist, inputs_of, read_model
from edge_deploy.rapl import POWERCAP, status_of
from edge_deploy.shapes import ShapeAsked
from edge_deploy.sign import Sign
from edge_deploy.watch import Watch
from edge_toolkit.conditions import OTHERS, STOLEN
from edge_toolkit.machine import cpu_flags, this_machine

SYS = Path("/sys")

LOOK_S = 0.5
"""How long the load of others is watched."""

NEEDED_GIB = 2
"""Free memory below which a profile may push others out to disk."""

ISA = (
    ("amx_tile", "AMX", "products of int8 and bf16 in tiles: both should gain"),
    ("avx512_bf16", "AVX-512 with bf16", "products of int8 and bf16: both should gain"),
    ("avx512_vnni", "AVX-512 with VNNI", "products of int8, which should gain; bf16 has none"),
    ("avx512f", "AVX-512", "no products of int8 or bf16: neither gains much"),
    ("avx_vnni", "AVX2 with VNNI", "products of int8, which should gain; bf16 has none"),
    ("avx2", "AVX2", "no products of int8 or bf16: neither gains much"),
    ("asimddp", "Neon with dot products", "products of int8, which should gain"),
    ("asimd", "Neon", "no products of int8"),
)
"""Flags of /proc/cpuinfo, the strongest first, their names, and what they mean for a network's precision."""


def examine(sys: Path = SYS, powercap: Path = POWERCAP, watch: Watch | None = None) -> tuple[Sign, ...]:
    """Look at everything that a measurement on this machine depends on.

    Args:
        sys: where the kernel's sysfs is mounted.
        powercap: where it shows energy counters.
        watch: begun before; None watches for half a second.
    """
    import openvino as ov

    core = ov.Core()
    return (
        _openvino(ov),
        *(_device(core, each) for each in core.available_devices),
        *npu_signs(core, sys),
        *_cpu(sys),
        _energy(powercap),
        _memory(),
        _load(watch),
    )


def examine_model(path: Path, shapes: tuple[ShapeAsked, ...] = ()) -> tuple[Sign, ...]:
    """What a model is, and which of its operations each device here takes.

    Raises:
        InputError: the file can't be read as a model, or an input has no static shape.
    """
    import openvino as ov

    model = read_model(path, shapes)
    inputs = inputs_of(path, model)
    states = [each.info.variable_id for each in model.get_variables()]
    told = ", ".join(f"{each.name} {each.type} {list(each.shape)}" for each in inputs)
    signs = [Sign("inputs", told or "none", "static: they can be measured")]
    if states:
        kept = f"carried from one request to the next: {', '.join(states)}"
        signs.append(Sign("state", f"{len(states)} variables", kept, "note"))
    core = ov.Core()
    return (*signs, *(_takes(core, model, each) for each in core.available_devices))


def _takes(core: Any, model: Any, device: str) -> Sign:
    try:
        taken = core.query_model(model, device)
    except RuntimeError as error:
        return Sign(f"on {device}", "cannot be asked", gist(error), "missing")
    names = [op.get_friendly_name() for op in model.get_ordered_ops()]
    left = [name for name in names if name not in taken]
    if not left:
        return Sign(f"on {device}", f"all {len(names)} operations", "it runs there whole")
    found = f"{len(names) - len(left)} of {len(names)} operations"
    return Sign(f"on {device}", found, f"not {', '.join(left[:3])}; HETERO:{device},CPU hands them on", "missing")


def _openvino(ov: Any) -> Sign:
    version = str(ov.get_version()).partition("-")[0]
    return Sign("OpenVINO", version, "two profiles are compared in earnest where this is the same")


def _device(core: Any, device: str) -> Sign:
    name = str(core.get_property(device, "FULL_DEVICE_NAME")).strip()
    can = ", ".join(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
    found = f"{name} ({can})"
    if "INFERENCE_PRECISION_HINT" not in core.get_property(device, "SUPPORTED_PROPERTIES"):
        return Sign(f"device {device}", found, "does not tell which precision it computes in", "note")
    default = core.get_property(device, "INFERENCE_PRECISION_HINT").to_string()
    if default == "f32":
        return Sign(f"device {device}", found, "computes in f32 unless asked otherwise")
    return Sign(
        f"device {device}",
        found,
        f"computes f32 models in {default} unless asked: `profile` asks for f32, benchmark_app does not",
        "note",
    )


def _cpu(sys: Path) -> Iterator[Sign]:
    machine = this_machine()
    all_cores = os.cpu_count() or machine.cores
    found = f"{machine.cores} of {all_cores} cores"
    yield Sign("CPU", f"{machine.cpu}, {found}", "--threads beyond them share cores, and slow each other")
    flags = cpu_flags()
    best = next(((name, meaning) for flag, name, meaning in ISA if flag in flags), None)
    if best is not None:
        yield Sign("instructions", *best)
    if "hypervisor" in flags:
        yield Sign(
            "virtual machine", "yes", "other guests share the cores: repeat, and believe ratios from one run", "note"
        )
    if machine.governor is None:
        yield Sign("governor", "not told", "the clock is the host's affair: it may change on the way", "note")
    elif machine.governor == "performance":
        yield Sign("governor", machine.governor, "the clock stays up between requests")
    else:
        remedy = "the clock sinks between requests: `sudo cpupower frequency-set -g performance`"
        yield Sign("governor", machine.governor, remedy, "note")
    yield _turbo(sys / "devices/system/cpu")


def _turbo(cpu: Path) -> Sign:
    for file, on in ((cpu / "intel_pstate/no_turbo", "0"), (cpu / "cpufreq/boost", "1")):
        try:
            value = file.read_text(encoding="utf-8").strip()
        except OSError:  # the other driver, or none
            continue
        if value == on:
            off = "1" if on == "0" else "0"
            return Sign("turbo", "on", f"short runs are faster than long ones: `echo {off} | sudo tee {file}`", "note")
        return Sign("turbo", "off", "short and long runs have the same clock")
    return Sign("turbo", "not told", "short runs may be faster than long ones; `profile` tells a drift", "note")


def _energy(powercap: Path) -> Sign:
    status = status_of(powercap)
    if status.state == "readable":
        return Sign("energy (RAPL)", status.state, status.sentence)
    return Sign("energy (RAPL)", status.state, f"{status.sentence}; until then energy is modelled", "missing")


def _memory() -> Sign:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    gib = memory.available / 2**30
    found = f"{gib:.1f} of {memory.total / 2**30:.1f} GiB free"
    if gib < NEEDED_GIB:
        return Sign("memory", found, f"close something: below {NEEDED_GIB} GiB, weights may go out to disk", "note")
    if swap.used > memory.total / 10:
        return Sign(
            "memory",
            f"{found}, {swap.used / 2**30:.1f} GiB swapped out",
            "first requests may wait for the disk",
            "note",
        )
    return Sign("memory", found, "enough for a profile")


def _load(watch: Watch | None) -> Sign:
    if watch is None:
        watch = Watch()
        psutil.cpu_percent(interval=LOOK_S)
    seen = watch.conditions(())
    if seen.others is None:
        return Sign("load by others", "not told", "watch the verdict of each profile", "note")
    found = f"{seen.others:.0%} of the cores" + (f", {seen.stolen:.0%} stolen" if seen.stolen else "")
    if seen.others > OTHERS or (seen.stolen or 0) > STOLEN:
        return Sign("load by others", found, "too much to trust a latency: close something, or wait", "note")
    return Sign("load by others", found, "quiet enough to measure")
