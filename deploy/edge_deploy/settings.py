"""What is asked of a device, and what it reports back: the two are never taken to be the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_deploy.shapes import ShapeAsked
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.profile import Setting

INT8 = "int8"
PRECISIONS = ("f32", "bf16", "f16", INT8)
"""What can be asked for. int8 is asked of a quantised model: what is not quantised in it computes in f32."""

HINTS = ("latency", "throughput", "cumulative_throughput", "none")
"""OpenVINO's performance hints, as benchmark_app spells them."""

VIRTUAL = ("AUTO", "BATCH", "HETERO", "MULTI")
"""Devices of OpenVINO that hand a model on to others."""

BATCH_TIMEOUT_MS = 1
"""How long automatic batching waits for a batch to be full."""

HINT = "INFERENCE_PRECISION_HINT"

_REPORTED = {
    "precision": HINT,
    "threads": "INFERENCE_NUM_THREADS",
    "streams": "NUM_STREAMS",
    "hint": "PERFORMANCE_HINT",
    "requests at once": "OPTIMAL_NUMBER_OF_INFER_REQUESTS",
    "execution mode": "EXECUTION_MODE_HINT",
    "pinned to cores": "ENABLE_CPU_PINNING",
    "kind of core": "SCHEDULING_CORE_TYPE",
    "hyper-threading": "ENABLE_HYPER_THREADING",
    "runs on": "EXECUTION_DEVICES",
    "from cache": "LOADED_FROM_CACHE",
}
"""What a user reads, and OpenVINO's property of it."""


@dataclass(frozen=True)
class Asked:
    """What a user asks of a device.

    Attributes:
        device: as OpenVINO names it: CPU, GPU.1, NPU, or `AUTO:NPU,CPU`, `HETERO:NPU,CPU`.
        precision: one of `PRECISIONS`; asked for, since the default is a device's own (often bf16).
        threads, streams: of the CPU; None leaves them to the device, or to its hint.
        hint: one of `HINTS`.
        cache: a folder that keeps compiled models; None for none.
        shapes: of the model's inputs, in place of those in its file.
    """

    device: str = "CPU"
    precision: str = "f32"
    threads: int | None = 1
    streams: int | None = 1
    hint: str = "none"
    cache: Path | None = None
    shapes: tuple[ShapeAsked, ...] = ()

    def __post_init__(self) -> None:
        """Raises InputError: a value breaks a rule; all problems are told together."""
        problems = []
        if self.precision not in PRECISIONS:
            problems.append(f"--precision {self.precision} is not known; use one of {', '.join(PRECISIONS)}")
        if self.hint not in HINTS:
            problems.append(f"--hint {self.hint} is not known; use one of {', '.join(HINTS)}")
        for name, count in (("threads", self.threads), ("streams", self.streams)):
            if count is not None and count < 1:
                problems.append(f"--{name} {count} must be at least 1")
        if self.cache is not None and self.cache.exists() and not self.cache.is_dir():
            problems.append(f"--cache-dir {self.cache} is no folder; give one")
        if problems:
            raise InputError.listing("options", problems)

    @property
    def values(self) -> dict[str, str]:
        """What was asked, by the names that users read."""
        precision = "f32" if self.precision == INT8 else self.precision
        told = {"precision": precision, "threads": self.threads, "streams": self.streams}
        return {name: str(value) for name, value in told.items() if value is not None} | (
            {"hint": self.hint} if self.hint != "none" else {}
        )


def devices_in(core: Any, device: str) -> tuple[str, ...]:
    """The devices that a model is handed on to, or the device itself.

    Raises:
        MissingError: one of them is not on this machine.
    """
    available = list(core.available_devices)
    kind, _, rest = device.partition(":")
    if kind not in VIRTUAL:
        named = [device]
    else:  # `AUTO:-GPU` is all but the GPU; `BATCH:CPU(4)` is the CPU, four at once
        named = [re.sub(r"\(\d+\)$", "", each.strip()) for each in rest.split(",") if each.strip()]
        out = {each[1:] for each in named if each.startswith("-")}
        named = [each for each in named if not each.startswith("-")] or [
            each for each in available if out.isdisjoint((each, each.partition(".")[0]))
        ]
    if not named:
        raise MissingError(f"--device {device}: leaves none of {', '.join(available)}; name one that stays")
    for each in named:
        # A device with several units is listed as GPU.0, GPU.1; GPU alone means the first.
        if each not in available and each not in {one.partition(".")[0] for one in available}:
            seen = "it" if each == device else each
            raise MissingError(
                f"--device {device}: OpenVINO does not see {seen} on this machine; use one of "
                f"{', '.join(available)}, or install the driver of {each} (`edge-toolkit doctor` tells what is missing)"
            )
    return tuple(named)


def properties_of(core: Any, asked: Asked, counters: bool) -> dict[str, Any]:
    """OpenVINO's properties for what is asked; what a device does not know is left out, and told by `reported`."""
    wanted = {
        HINT: asked.values["precision"],
        "INFERENCE_NUM_THREADS": asked.threads,
        "NUM_STREAMS": asked.streams,
        "PERFORMANCE_HINT": None if asked.hint == "none" else asked.hint.upper(),
        "PERF_COUNT": counters,
    }
    inner = {device: _known(core, device, wanted) for device in devices_in(core, asked.device)}
    cache = {} if asked.cache is None else {"CACHE_DIR": str(asked.cache)}
    kind = asked.device.partition(":")[0]
    if asked.device in inner:
        return inner[asked.device] | cache
    if kind == "BATCH":  # hands what it is given on to its one device; a lone request need not wait for company, 1 s
        return next(iter(inner.values())) | cache | {"AUTO_BATCH_TIMEOUT": BATCH_TIMEOUT_MS}
    # AUTO would begin on the CPU while another device still compiles, and change over on the way.
    own = {"PERFORMANCE_HINT": wanted["PERFORMANCE_HINT"], "ENABLE_STARTUP_FALLBACK": False}
    outer = _known(core, kind, own)
    for each in inner.values() if "PERFORMANCE_HINT" in outer else ():
        each.pop("PERFORMANCE_HINT", None)  # which then comes from outside
    return outer | cache | {"DEVICE_PROPERTIES": inner}


def _known(core: Any, device: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What a device knows of it; an NPU refuses to be asked for f32, and then tells what it computes in."""
    supported = set(core.get_property(device, "SUPPORTED_PROPERTIES"))
    if wanted.get(HINT) == "f32" and "FP32" not in core.get_property(device, "OPTIMIZATION_CAPABILITIES"):
        supported.discard(HINT)
    return {name: value for name, value in wanted.items() if value is not None and name in supported}


def reported(compiled: Any, asked: Asked) -> tuple[Setting, ...]:
    """What a compiled model says of itself, beside what was asked.

    Where a model was handed on, the first device that runs it answers what the virtual one does not know.
    """
    answers = {name: _answer(compiled, name) for name in (*_REPORTED.values(), "DEVICE_PROPERTIES")}
    own = {name: each for name, each in answers.items() if each is not None}
    running = [str(each) for each in own.get("EXECUTION_DEVICES", ())]
    inner = own.get("DEVICE_PROPERTIES", {}).get(running[0], {}) if running else {}
    found = {name: _text({**inner, **own}.get(key)) for name, key in _REPORTED.items()}
    return tuple(
        Setting(name, asked.values.get(name, ""), value)
        for name, value in found.items()
        if value or name in asked.values
    )


def _answer(compiled: Any, name: str) -> Any:
    """What a compiled model says; None where it does not know. Asked, since the CPU does not list all that it tells."""
    try:
        return compiled.get_property(name)
    except RuntimeError:
        return None


def _text(value: Any) -> str:
    """A property's value as one writes it: `bf16`, `latency`, `yes`."""
    if value is None:
        return ""
    if hasattr(value, "to_string"):
        return str(value.to_string())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).rpartition(".")[2].lower()
