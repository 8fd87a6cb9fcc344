"""The state of this machine, as far as it tells."""

import os
import platform
import re
from pathlib import Path

from edge_toolkit.measured import Machine

CPUINFO = Path("/proc/cpuinfo")
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def this_machine() -> Machine:
    """The processor's name, usable cores, frequency governor and load of the last minute."""
    return Machine(cpu=_cpu_name(), cores=usable_cores(), governor=_governor(), load_average=_load())


def last_cache_kib() -> int | None:
    """Size of the processor's last level of cache; None where it does not tell."""
    sizes = [
        int(found[1]) for file in CACHES.glob("index*/size") if (found := re.fullmatch(r"(\d+)K\s*", file.read_text()))
    ]
    return max(sizes, default=None)


def cpu_flags() -> frozenset[str]:
    """What the first processor says it can do, such as `avx512f`; empty where it does not tell."""
    return frozenset(_first_in_cpuinfo("flags").split())


def installed_openvino() -> str | None:
    """The version of OpenVINO that is installed, without loading it; None where there is none."""
    from importlib.metadata import PackageNotFoundError, version  # which takes 40 ms, and few need it

    try:
        return version("openvino")
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    if not CPUINFO.is_file():  # no Linux
        return platform.processor() or platform.machine()
    return _first_in_cpuinfo("model name") or platform.machine()


def _first_in_cpuinfo(name: str) -> str:
    try:
        lines = CPUINFO.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return ""
    found = [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name]
    return found[0] if found else ""


def usable_cores() -> int:
    """Cores that this process may run on; a container often has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _governor() -> str | None:
    try:
        return GOVERNOR.read_text(encoding="utf-8").strip()
    except OSError:  # virtual machines have none
        return None


def _load() -> float | None:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
