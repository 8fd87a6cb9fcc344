"""Cycles of single layers from a CSV file, and how far they are from measured ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from edge_toolkit.console import table
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from edge_toolkit.processors import Systolic
from edge_toolkit.processors.option import Floats
from edge_toolkit.workloads import MeasuredWorkloads, read_workloads

DEVICES = {
    "NPU2.7": "npu-3720",
    "NPU27": "npu-3720",
    "NPU3720": "npu-3720",
    "NPU4.0": "npu-4000",
    "NPU40": "npu-4000",
    "NPU4000": "npu-4000",
}
"""Devices that ship, by the names that Intel's tools give them, without `_`, `-` and `VPUDevice.`, NPU for VPU."""

NEAR = 0.1
"""Relative error up to which a row counts as near."""


def workload_costs(path: Path, device: str | None) -> tuple[list[Table | str], dict[str, Any]]:
    """Cycles of each workload of a CSV file on one engine of its device, for `console.show`.

    Args:
        path: a file that `read_workloads` takes.
        device: the device of every row, None for those of the file's column `device`.

    Returns:
        Tables, and `workloads`, one entry a row in the file's order, with `summary` where cycles were measured.

    Raises:
        InputError: the file breaks a rule, a device is unknown or has no array.
    """
    measured = read_workloads(path) if device is not None else read_workloads(path, _fault)
    names = [device or DEVICES[_plain(spelled)] for spelled in measured.device]
    cycles = np.zeros(len(names))
    for name in dict.fromkeys(names):
        rows = np.array([each == name for each in names])
        cycles[rows] = _array(name).cycles(measured.workloads.of(rows))
    entries = [_entry(measured, row, names[row], float(cycles[row])) for row in range(len(names))]
    summary = _summary(measured, names, cycles / measured.measured_cycles - 1)
    drawn: list[Table | str] = [_workload_table(entries)]
    if summary:
        drawn.append(_summary_table(summary))
    drawn.append("cycles of one engine, inputs and weights in its memory")
    return drawn, {"workloads": entries, "summary": summary}


def _plain(spelled: str) -> str:
    """A device's name as `DEVICES` has it."""
    return spelled.rsplit("VPUDevice.")[-1].upper().replace("VPU", "NPU").replace("_", "").replace("-", "")


def _fault(spelled: str) -> str:
    known = _plain(spelled) in DEVICES
    return "" if known else f"device is {spelled!r}; use NPU2.7 or NPU4.0, or name one with --device"


def _array(name: str) -> Systolic:
    arrays = [each for each in load_device(name).processors.values() if isinstance(each, Systolic)]
    if not arrays:
        raise InputError(
            f"--device {name}: has no processor of kind systolic, on which workloads are costed; use npu-3720, "
            f"npu-4000, xr-npu or xr-npu-small"
        )
    return arrays[0]


def _entry(measured: MeasuredWorkloads, row: int, device: str, cycles: float) -> dict[str, Any]:
    work, gt_cycles = measured.workloads, measured.measured_cycles[row]
    known = not np.isnan(gt_cycles)
    return {
        "line": measured.line[row],
        "device": device,
        "op": measured.op[row],
        "channels_in": int(work.channels_in[row]),
        "output": [int(each[row]) for each in (work.channels_out, work.height, work.width)],
        "kernel": [int(work.kernel_h[row]), int(work.kernel_w[row])],
        "stride": int(work.stride[row]),
        "element_bytes": int(work.element_bytes[row]),
        "cycles": round(cycles),
        "measured_cycles": int(gt_cycles) if known else None,
        "error": float(cycles / gt_cycles - 1) if known else None,
    }


def _summary(measured: MeasuredWorkloads, devices: Sequence[str], errors: Floats) -> list[dict[str, Any]]:
    """By device and operation, and each device in all, where cycles were measured."""
    summary = []
    known = ~np.isnan(errors)
    for device in dict.fromkeys(devices):
        here = known & np.array([each == device for each in devices])
        for op in (*dict.fromkeys(measured.op), "all"):
            size = np.abs(errors[here & np.array([op in ("all", each) for each in measured.op])])
            if len(size):
                summary.append(
                    {
                        "device": device,
                        "op": op,
                        "rows": len(size),
                        "median_error": float(np.median(size)),
                        "error_95": float(np.quantile(size, 0.95)),
                        "within_10_percent": float(np.mean(size <= NEAR)),
                    }
                )
    return summary


def _workload_table(entries: Sequence[dict[str, Any]]) -> Table:
    columns = ("line", "device", "op", "in", "output", "kernel", "stride", "bytes", "cycles", "measured", "error")
    rows = [
        (
            each["line"],
            each["device"],
            each["op"],
            each["channels_in"],
            "x".join(map(str, each["output"])),
            "x".join(map(str, each["kernel"])),
            each["stride"],
            each["element_bytes"],
            each["cycles"],
            each["measured_cycles"] or "",
            "" if each["error"] is None else f"{each['error']:+.1%}",
        )
        for each in entries
    ]
    return table(columns, rows)


def _summary_table(summary: Sequence[dict[str, Any]]) -> Table:
    columns = ("device", "op", "rows", "median error", "95th percentile", "within 10 %")
    rows = [
        (
            each["device"],
            each["op"],
            each["rows"],
            *(f"{each[name]:.1%}" for name in ("median_error", "error_95", "within_10_percent")),
        )
        for each in summary
    ]
    return table(columns, rows, "against measured cycles")
