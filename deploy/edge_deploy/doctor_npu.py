"""What there is of an Intel NPU: the device, its driver, and what compiles for it.

Source: openvino, src/plugins/intel_npu/README.md and src/utils/src/vcl/vcl_api.cpp (the plugin loads
`openvino_intel_npu_compiler_loader` from beside itself); linux-npu-driver, README.md (kernel module `intel_vpu`, device
/dev/accel/accel0, user-mode driver libze_intel_npu).
"""

from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path
from typing import Any

from edge_deploy.sign import Sign

COMPILER = "openvino_intel_npu_compiler_loader"
"""Library of the compiler; PyPI's wheel of OpenVINO has the plugin without it."""


def npu_signs(core: Any, sys: Path) -> Iterator[Sign]:
    """The NPU's signs; where there is none, one that says what is missing."""
    present = any(each.partition(".")[0] == "NPU" for each in core.available_devices)
    kernel = any((sys / "class/accel").glob("accel*"))
    if present:
        yield Sign("NPU driver", _told(core, "NPU_DRIVER_VERSION"), "two profiles are alike where this is the same")
    elif not kernel:
        loaded = (sys / "module/intel_vpu").is_dir()
        meaning = (
            "no NPU in this machine, or its firmware is off"
            if loaded
            else ("no NPU in this machine, or a kernel without the module intel_vpu (Linux 6.8 or newer has it)")
        )
        yield Sign("NPU device", "none", meaning, "missing")
    else:
        where = "found" if find_library("ze_intel_npu") else "missing"
        yield Sign(
            "NPU driver",
            f"/dev/accel is there, libze_intel_npu is {where}",
            "OpenVINO sees no NPU: install Intel's linux-npu-driver release for this distribution, and join the group "
            "render",
            "missing",
        )
    library = npu_compiler()
    if library is not None:
        yield Sign("NPU compiler", library.name, "OpenVINO compiles for NPUs, also for one that is not here")
    elif present:
        yield Sign("NPU compiler", f"the driver's, {_told(core, 'NPU_COMPILER_VERSION')}", "blobs for this NPU alone")
    else:
        yield Sign(
            "NPU compiler",
            "none",
            "no blobs: PyPI's wheel of OpenVINO lacks it, OpenVINO's archive and the driver's release have it",
            "missing",
        )


def npu_compiler() -> Path | None:
    """The compiler that OpenVINO's plugin would load; None where there is none beside it."""
    import openvino as ov

    folder = Path(ov.__file__).parent / "libs"
    return next((path for path in sorted(folder.glob(f"*{COMPILER}*")) if path.is_file()), None)


def _told(core: Any, name: str) -> str:
    try:
        return str(core.get_property("NPU", name))
    except RuntimeError:  # an older driver
        return "version not told"
