"""`Workloads`: single layers with explicit geometry, as columns, and the CSV files that hold them."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.errors import InputError
from edge_toolkit.files import read_text

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Workloads:
    """Columns of equal length, one entry a workload: what one engine computes without a stop.

    Attributes:
        op: `convolution`, `depthwise`, `pool` or `elementwise`; all but the first work channel by channel.
        width: of what is written, in pixels; `height` likewise.
        channels_in: of what is read; `channels_out` of what is written.
        kernel_w: in pixels; `kernel_h` likewise.
        stride: in pixels.
        element_bytes: that an activation or a weight takes.
        operands: maps that are read, 2 for the sum of two.
        real_share: of the kernel's taps that fall on the input, not on its padding.
        write_tiles: engines that the output is written to.
        order: position in `systolic.PASSES` of the shape in which the pixels are worked through, -1 for the best.
    """

    op: Names
    width: Integers
    height: Integers
    channels_in: Integers
    channels_out: Integers
    kernel_w: Integers
    kernel_h: Integers
    stride: Integers
    element_bytes: Integers
    operands: Integers
    real_share: Floats
    write_tiles: Integers
    order: Integers

    def __len__(self) -> int:
        return len(self.op)

    def of(self, chosen: NDArray[np.bool_] | Integers) -> "Workloads":
        """Those of some rows."""
        return Workloads(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


@dataclass(frozen=True)
class MeasuredWorkloads:
    """The rows of a CSV file: workloads, the device and operation of each as the file spells them, measured cycles.

    `measured_cycles` is nan where the file has none; `line` is that of the file.
    """

    line: tuple[int, ...]
    device: tuple[str, ...]
    op: tuple[str, ...]
    workloads: Workloads
    measured_cycles: Floats


def real_taps(outputs: Integers, kernel: Integers, stride: Integers, before: Integers, inputs: Integers) -> Floats:
    """The share of an axis's taps that fall on the input.

    Args:
        outputs: positions that are written along the axis.
        kernel: taps along it.
        stride: positions of the input from one output to the next.
        before: positions of padding in front of the input.
        inputs: positions of the input.
    """
    taps = np.zeros(len(outputs), dtype=np.int64)
    for tap in range(int(kernel.max(initial=0))):
        first = np.maximum(-((tap - before) // stride), 0)  # the first output whose tap is at 0 or later
        last = np.minimum((inputs - 1 + before - tap) // stride, outputs - 1)
        taps += np.where(tap < kernel, np.maximum(last - first + 1, 0), 0)
    share: Floats = taps / (outputs * kernel)
    return share


class _Cell(NamedTuple):
    """What a column of the file may hold; a `default` of None: there must be a value."""

    least: int
    default: int | str | None = None
    most: int = 2**20


_CELLS: Mapping[str, _Cell] = {
    **{name: _Cell(1) for name in ("in_w", "in_h", "in_c", "out_w", "out_h", "out_c")},
    "kernel": _Cell(1, most=1024),
    "stride": _Cell(1),
    "kernel_h": _Cell(1, "kernel", most=1024),  # a square one
    **{name: _Cell(0, -1) for name in ("pad_t", "pad_b", "pad_l", "pad_r")},
    "owt": _Cell(1, 1),
    "exec_order": _Cell(0, -1),
    "gt_cycles": _Cell(1, -1, most=2**40),
}
_REQUIRED = ("op", *(name for name, cell in _CELLS.items() if cell.default is None), "in_dtype_enum")

_OPS = {
    "CONVOLUTION": "convolution",
    "CM_CONVOLUTION": "convolution",
    "DW_CONVOLUTION": "depthwise",
    "MAXPOOL": "pool",
    "AVEPOOL": "pool",
    "ELTWISE": "elementwise",
    "ELTWISE_MUL": "elementwise",
}
_ELEMENT_BYTES = {"0": 1, "1": 1, "2": 2, "3": 2, "4": 1, "5": 1}
"""By the number of the type: uint8, int8, float16, bfloat16, bf8, hf8.

Source: Intel, npu-nn-cost-model, include/vpu/dpu_types.h, `DataType`.
"""

_ORDERS = {-1: -1, 3: 0, 4: 1, 5: 2}
"""Position in `systolic.PASSES` by the number of the execution mode: CUBOID_16x16, CUBOID_8x16, CUBOID_4x16.

Source: Intel, npu-nn-cost-model, include/vpu/dpu_types.h, `ExecutionMode`.
"""


def any_device(_: str) -> str:
    """Finds no fault with a device's name."""
    return ""


def read_workloads(path: Path, fault: Callable[[str], str] = any_device) -> MeasuredWorkloads:
    """The workloads of a CSV file.

    Args:
        path: a file with the columns op, in_w, in_h, in_c, out_w, out_h, out_c, kernel (its width), stride and
            in_dtype_enum, as Intel's npu-nn-cost-model names and numbers them, and, where there are such, device,
            kernel_h, pad_t, pad_b, pad_l, pad_r, owt, exec_order and gt_cycles. Others are passed over.
        fault: what is wrong with a row's device, in words; empty where nothing is.

    Raises:
        InputError: there is no such file, or a column or a value is missing or wrong; all problems are told.
    """
    rows = csv.DictReader(StringIO(read_text(path).removeprefix("\ufeff")), skipinitialspace=True)
    try:
        return _read(path, rows, fault)
    except csv.Error as error:
        raise InputError(f"{path}: line {rows.line_num} is no CSV ({error}); check its quotes") from error


def _read(path: Path, rows: "csv.DictReader[str]", fault: Callable[[str], str]) -> MeasuredWorkloads:
    missing = [name for name in _REQUIRED if name not in (rows.fieldnames or ())]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}; a file of workloads needs {', '.join(_REQUIRED)}")
    problems: list[str] = []
    read = []
    for row in rows:
        cells, wrong = _row(row, fault)
        problems += [f"line {rows.line_num}: {each}" for each in wrong]
        read.append((rows.line_num, cells))
    if problems:
        raise InputError.listing(str(path), problems)
    if not read:
        raise InputError(f"{path}: holds no workload; write one a line below the header")
    lines, entries = zip(*read, strict=True)
    columns = {name: np.array([row[name] for row in entries], dtype=np.int64) for name in (*_CELLS, "element_bytes")}
    cycles = columns["gt_cycles"]
    return MeasuredWorkloads(
        line=lines,
        device=tuple(str(row["device"]) for row in entries),
        op=tuple(str(row["op"]) for row in entries),
        workloads=_workloads(np.array([_OPS[str(row["op"])] for row in entries]), columns),
        measured_cycles=np.where(cycles > 0, cycles, np.nan),
    )


def _row(row: Mapping[str, str], fault: Callable[[str], str]) -> tuple[dict[str, int | str], list[str]]:
    """A line's cells, checked, and what is wrong with them."""
    wrong: list[str] = []
    told = wrong.append
    text = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str | None)}
    values: dict[str, int | str] = {"device": text.get("device", ""), "op": text["op"].rsplit(".")[-1].upper()}
    for name, cell in _CELLS.items():
        values[name] = _whole(name, text.get(name, ""), cell, values, told)
    if problem := fault(text.get("device", "")):
        told(problem)
    if None in row:
        told(f"has more cells than the header's {len(text)}; check its commas")
    if values["op"] not in _OPS:
        told(f"op is {text['op']!r}; use one of {', '.join(_OPS)}")
    elif _OPS[str(values["op"])] != "convolution" and values["in_c"] != values["out_c"]:
        told(f"{values['op']} works channel by channel: in_c={values['in_c']} must equal out_c={values['out_c']}")
    if text["in_dtype_enum"] not in _ELEMENT_BYTES:
        told(f"in_dtype_enum is {text['in_dtype_enum']!r}; use one of {', '.join(_ELEMENT_BYTES)} (2 is float16)")
    if values["exec_order"] not in _ORDERS:
        told(f"exec_order is {values['exec_order']}; use 3, 4 or 5, or leave it empty")
    values["element_bytes"] = _ELEMENT_BYTES.get(text["in_dtype_enum"], 1)
    return values, wrong


def _whole(name: str, text: str, cell: _Cell, values: Mapping[str, int | str], told: Callable[[str], None]) -> int:
    if not text and cell.default is not None:
        return int(values[cell.default] if isinstance(cell.default, str) else cell.default)
    if not text.isdecimal() or not cell.least <= int(text) <= cell.most:
        told(f"{name} is {text!r}; it must be a whole number from {cell.least} to {cell.most}")
        return cell.least
    return int(text)


def _workloads(op: Names, columns: Mapping[str, Integers]) -> Workloads:
    across, down = (_axis(columns, *names) for names in _AXES)
    return Workloads(
        op=op,
        width=columns["out_w"],
        height=columns["out_h"],
        channels_in=columns["in_c"],
        channels_out=columns["out_c"],
        kernel_w=columns["kernel"],
        kernel_h=columns["kernel_h"],
        stride=columns["stride"],
        element_bytes=columns["element_bytes"],
        operands=np.where(op == "elementwise", 2, 1),
        real_share=across * down,
        write_tiles=columns["owt"],
        order=np.array([_ORDERS[each] for each in columns["exec_order"].tolist()]),
    )


_AXES = (("out_w", "kernel", "pad_l", "in_w"), ("out_h", "kernel_h", "pad_t", "in_h"))
"""Columns along the width and along the height."""


def _axis(columns: Mapping[str, Integers], outputs: str, kernel: str, before: str, inputs: str) -> Floats:
    """Where the padding is not given it is what the sizes ask for, shared between both ends."""
    wanted = (columns[outputs] - 1) * columns["stride"] + columns[kernel] - columns[inputs]
    padding = np.where(columns[before] >= 0, columns[before], np.maximum(wanted, 0) // 2)
    return real_taps(columns[outputs], columns[kernel], columns["stride"], padding, columns[inputs])
