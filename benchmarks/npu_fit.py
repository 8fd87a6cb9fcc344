"""Constants of the NPUs, fitted to measured cycles, and how far the model is off on families it has not seen.

    python benchmarks/npu_fit.py npu_calibration.csv

The file is one that `estimate --workloads` takes, with measured cycles: those behind the devices that ship are test
data of Intel's npu-nn-cost-model. A family is one shape: operation, kernel, stride, channels, width and type; rows that
differ in padding, height or how they are spread over tiles stand and fall together. Nothing is written: the constants
are printed as the device files have them, beside the values that stand there now.
"""

import argparse
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from edge_toolkit.device import load_device
from edge_toolkit.processors import Systolic
from edge_toolkit.workloads import MeasuredWorkloads, Workloads, read_workloads

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

FITTED = {
    "npu-3720": (
        "start_cycles",
        "weight_block_cycles",
        "depthwise_block_cycles",
        "half_block_share",
        "padded_tap_share",
    ),
    "npu-4000": (
        "start_cycles",
        "weight_block_cycles",
        "depthwise_block_cycles",
        "depthwise_3x3_block_cycles",
        "broadcast_bytes_per_cycle",
    ),
}
TIED = {"npu-3720": {"depthwise_3x3_block_cycles": "depthwise_block_cycles"}, "npu-4000": {}}
"""Constants that take the value of another."""

AS_SPELLED = {"npu-3720": "NPU2.7", "npu-4000": "NPU4.0"}
LOOSE = 0.05
"""Relative error from which on an outlier pulls less."""

PULL = 0.003
"""Error that a constant e times as large as without measurements counts as; far below that of any row."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path, metavar="CSV")
    parser.add_argument("--fit-passes", action="store_true", help="fit pass_cycles, too, which was read off rows")
    asked = parser.parse_args()
    measured = read_workloads(asked.csv)
    for name in FITTED if asked.fit_passes else ():
        FITTED[name] += ("pass_cycles",)
    for name, spelled in AS_SPELLED.items():
        rows = np.flatnonzero(np.array(measured.device) == spelled)
        (npu,) = load_device(name).processors.values()
        if not isinstance(npu, Systolic):
            raise TypeError(f"{name}: {npu.kind} is no array")
        report(name, npu, measured, rows)


def report(name: str, npu: Systolic, measured: MeasuredWorkloads, rows: Indices) -> None:
    """One device: its constants, and the errors of the model and of MACs over the peak."""
    families = families_of(measured, rows)
    print(f"\n{name}: {len(rows)} workloads, {len(set(families))} families")
    for constant, value in zip(FITTED[name], fit(name, npu, measured, rows, families), strict=True):
        print(f"    {constant}:\n      value: {value:.4g}    # the file has {getattr(npu, constant).value:g}")
    kinds = np.array(measured.op)[rows]
    print(f"{'left out':<28}{'kind':<18}{'rows':>5}{'median':>9}{'95th':>9}{'in 10 %':>9}")
    groupings = {
        "a family": families,
        "a number of channels": [each[4:6] for each in families],
        "a kernel": [each[1:3] for each in families],
        "a type": [each[-1] for each in families],
    }
    for left_out, groups in groupings.items():
        show(left_out, kinds, errors_left_out(name, npu, measured, rows, families, groups))
    show("nothing, as in the file", kinds, errors(npu, measured, rows))
    show("MACs over the peak", kinds, peak_errors(npu, measured, rows))
    print(extrapolated(npu, measured, rows, READ_BYTES[name]))


POINTWISE = {
    "ResNet-50": ((56, 64, 64), (56, 64, 256), (56, 256, 64), (28, 512, 128), (28, 128, 512), (14, 1024, 256),
                  (14, 256, 1024), (7, 2048, 512), (7, 512, 2048)),
    "MobileNetV2": ((112, 32, 16), (112, 16, 96), (56, 96, 24), (56, 24, 144), (28, 144, 32), (28, 32, 192),
                    (14, 192, 64), (14, 64, 384), (14, 384, 96), (14, 96, 576), (7, 576, 160), (7, 160, 960),
                    (7, 960, 320), (7, 320, 1280), (1, 1280, 1000)),
}  # fmt: skip
"""Pointwise layers of 8 bit: width and height, channels in, channels out. None was measured."""

READ_BYTES = {"npu-3720": 96, "npu-4000": 146}
"""Bytes a cycle that the plainer form reads."""


def plainer(work: Workloads, read_bytes: float) -> Floats:
    """Cycles of convolutions where array steps, reads and writes overlap, without a start."""
    blocks, taps = np.ceil(work.width / 4) * np.ceil(work.height / 4), work.kernel_w * work.kernel_h
    whole_in, whole_out = (np.ceil(each / 16) * 16 for each in (work.channels_in, work.channels_out))
    pixels = work.width * work.height
    steps = blocks * whole_out / 16 * taps * whole_in * work.element_bytes / 8
    reads = pixels * work.channels_in * taps * work.element_bytes * np.ceil(work.channels_out / 64) / read_bytes
    together: Floats = (steps**4 + reads**4 + (pixels * whole_out * work.element_bytes / 64) ** 4) ** 0.25
    return together


def extrapolated(npu: Systolic, measured: MeasuredWorkloads, rows: Indices, read_bytes: float) -> str:
    """Ours over a plainer form on layers that nobody measured; that form's start is fitted to the convolutions."""
    known = rows[measured.workloads.op[rows] == "convolution"]
    without, cycles = plainer(measured.workloads.of(known), read_bytes), measured.measured_cycles[known]
    start = min(range(0, 1000, 10), key=lambda start: float(np.mean(np.abs((without + start) / cycles - 1))))
    shapes = np.array([shape for network in POINTWISE.values() for shape in network])
    size, channels_in, channels_out = shapes.T
    ones = np.ones(len(shapes), dtype=np.int64)
    layers = Workloads(
        op=np.full(len(shapes), "convolution"), width=size, height=size, channels_in=channels_in,
        channels_out=channels_out, kernel_w=ones, kernel_h=ones, stride=ones, element_bytes=ones, operands=ones,
        real_share=ones.astype(float), write_tiles=ones, order=-ones,
    )  # fmt: skip
    ratios = npu.cycles(layers) / (plainer(layers, read_bytes) + start)
    order, near = np.argsort(ratios), np.mean(np.abs(ratios - 1) <= 0.1)
    told = [f"{ratios[row]:.2f} ({'x'.join(map(str, shapes[row]))})" for row in (*order[:2], *order[-2:])]
    return (
        f"ours over a plainer form, its start {start} cycles, on {len(shapes)} pointwise layers of "
        f"{' and '.join(POINTWISE)}: median {np.median(ratios):.3f}, {near:.0%} within 10 %; {', '.join(told)}"
    )


def families_of(measured: MeasuredWorkloads, rows: Indices) -> list[tuple[Hashable, ...]]:
    work = measured.workloads
    columns = (
        work.kernel_w,
        work.kernel_h,
        work.stride,
        work.channels_in,
        work.channels_out,
        work.width,
        work.element_bytes,
    )
    return [(measured.op[row], *(int(column[row]) for column in columns)) for row in rows]


def before(npu: Systolic) -> dict[str, float]:
    """What one would take the constants for without any measurement: no block is different from another."""
    block = npu.pixel_block_cycles.value
    return {
        "start_cycles": 100.0,
        "pass_cycles": 10.0,
        "weight_block_cycles": block,
        "depthwise_block_cycles": block,
        "depthwise_3x3_block_cycles": block,
        "half_block_share": 1.0,
        "padded_tap_share": 1.0,
        "broadcast_bytes_per_cycle": npu.written_bytes_per_cycle.value,
    }


def fit(
    name: str, npu: Systolic, measured: MeasuredWorkloads, rows: Indices, families: Sequence[Hashable]
) -> list[float]:
    """The constants with the least relative error; each family weighs as much as another."""
    start = np.array([before(npu)[constant] for constant in FITTED[name]])
    sizes = {family: families.count(family) for family in families}
    weights = np.array([sizes[family] ** -0.5 for family in families])

    def off(logs: Floats) -> Floats:
        tried = with_constants(name, npu, np.exp(logs) * start)
        # What the rows left in say nothing about stays where it was without them.
        return np.append(weights * np.log1p(errors(tried, measured, rows)), PULL * logs)

    found = least_squares(off, np.zeros(len(start)), loss="soft_l1", f_scale=LOOSE)
    return [float(value) for value in np.exp(found.x) * start]


def with_constants(name: str, npu: Systolic, values: Sequence[float] | Floats) -> Systolic:
    changed = dict(zip(FITTED[name], map(float, values), strict=True))
    changed |= {tied: changed[to] for tied, to in TIED[name].items()}
    return npu.model_copy(
        update={key: getattr(npu, key).model_copy(update={"value": value}) for key, value in changed.items()}
    )


def errors(npu: Systolic, measured: MeasuredWorkloads, rows: Indices) -> Floats:
    return np.asarray(npu.cycles(measured.workloads.of(rows)) / measured.measured_cycles[rows] - 1)


def errors_left_out(
    name: str,
    npu: Systolic,
    measured: MeasuredWorkloads,
    rows: Indices,
    families: Sequence[Hashable],
    groups: Sequence[Hashable],
) -> Floats:
    """Errors of each group's rows where the constants are fitted to the other groups."""
    off = np.zeros(len(rows))
    for group in set(groups):
        out = np.array([each == group for each in groups])
        kept = [family for family, left in zip(families, out, strict=True) if not left]
        values = fit(name, npu, measured, rows[~out], kept)
        off[out] = errors(with_constants(name, npu, values), measured, rows[out])
    return off


def peak_errors(npu: Systolic, measured: MeasuredWorkloads, rows: Indices) -> Floats:
    work = measured.workloads.of(rows)
    inputs = np.where(work.op == "convolution", work.channels_in, 1)
    products = (
        work.width * work.height * work.channels_out * work.kernel_w * work.kernel_h * inputs * work.element_bytes
    )
    per_cycle = npu.peak_gmac_s / npu.engines.value / npu.clock_mhz.value * 1e3
    return np.asarray(products / per_cycle / measured.measured_cycles[rows] - 1)


def show(what: str, kinds: NDArray[np.str_], off: Floats) -> None:
    for kind in ("all", *sorted(set(kinds.tolist()))):
        size = np.abs(off if kind == "all" else off[kinds == kind])
        middle, tail = np.quantile(size, (0.5, 0.95))
        print(f"{what:<28}{kind:<18}{len(size):>5}{middle:>9.1%}{tail:>9.1%}{np.mean(size <= 0.1):>9.1%}")


if __name__ == "__main__":
    main()
