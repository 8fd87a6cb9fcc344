"""Files of workloads, and the taps of a kernel that fall on padding against counting them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_toolkit.errors import InputError
from edge_toolkit.workloads import read_workloads, real_taps

HEADER = "op,in_w,in_h,in_c,out_w,out_h,out_c,kernel,stride,in_dtype_enum"
PLAIN = "CONVOLUTION,28,28,64,28,28,128,3,1,0"


def written(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "layers.csv"
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def test_the_geometry_is_enough(tmp_path: Path) -> None:
    read = read_workloads(written(tmp_path, PLAIN, "", "dw_convolution, 14,14,32, 7,7,32, 5,2,2"))
    work = read.workloads
    assert (read.line, read.device, read.op) == ((2, 4), ("", ""), ("CONVOLUTION", "DW_CONVOLUTION"))
    assert work.op.tolist() == ["convolution", "depthwise"]
    columns = (work.width, work.height, work.channels_in, work.channels_out, work.stride, work.element_bytes)
    assert [column.tolist() for column in columns] == [[28, 7], [28, 7], [64, 32], [128, 32], [1, 2], [1, 2]]
    assert work.kernel_h.tolist() == work.kernel_w.tolist() == [3, 5]
    assert work.write_tiles.tolist() == [1, 1]
    assert work.order.tolist() == [-1, -1]
    assert np.isnan(read.measured_cycles).all()
    assert work.real_share[0] == pytest.approx(((28 * 3 - 2) / (28 * 3)) ** 2)


def test_what_intel_adds_is_read_and_the_rest_passed_over(tmp_path: Path) -> None:
    header = f"device,gt_cycles,gt_status,kernel_h,pad_t,pad_l,exec_order,owt,isi,{HEADER}"
    path = written(tmp_path, "NPU4.0,6221,fine,1,0,1,5,4,2,VPU.CM_CONVOLUTION,28,28,3,28,28,16,3,1,1", header=header)
    read = read_workloads(path)
    assert (read.device, read.op, read.measured_cycles.tolist()) == (("NPU4.0",), ("CM_CONVOLUTION",), [6221.0])
    work = read.workloads
    assert (work.kernel_w[0], work.kernel_h[0], work.order[0], work.write_tiles[0]) == (3, 1, 2, 4)
    assert work.real_share[0] == pytest.approx((28 * 3 - 2) / (28 * 3))


def test_a_sum_reads_two_maps(tmp_path: Path) -> None:
    work = read_workloads(written(tmp_path, "ELTWISE,8,8,64,8,8,64,1,1,0", "MAXPOOL,8,8,64,4,4,64,2,2,0")).workloads
    assert work.op.tolist() == ["elementwise", "pool"]
    assert work.operands.tolist() == [2, 1]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert len(read_workloads(written(tmp_path, PLAIN, header="\ufeff" + HEADER)).workloads) == 1


@given(
    outputs=st.integers(1, 20),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 3),
    before=st.integers(0, 6),
    inputs=st.integers(1, 40),
)
def test_real_taps_are_those_that_counting_finds(
    outputs: int, kernel: int, stride: int, before: int, inputs: int
) -> None:
    counted = sum(0 <= output * stride - before + tap < inputs for output in range(outputs) for tap in range(kernel))
    columns = (np.array([value, 1]) for value in (outputs, kernel, stride, before, inputs))
    assert real_taps(*columns)[0] == pytest.approx(counted / (outputs * kernel))


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        PLAIN,
        "conv,28,-3,64,28,28,,3,1,0",
        "DW_CONVOLUTION,28,28,64,28,28,32,3,1,9",
        "ELTWISE,28,28,64,28,28,64,1.5,1",
        f"{PLAIN},7",
    )
    with pytest.raises(InputError) as error:
        read_workloads(path)
    told = str(error.value).splitlines()
    assert "8 problems" in told[0]
    expected = (
        "line 3: in_h is '-3'; it must be a whole number from 1",
        "line 3: out_c is ''",
        "line 3: op is 'conv'; use one of CONVOLUTION, CM_CONVOLUTION, DW_CONVOLUTION",
        "line 4: DW_CONVOLUTION works channel by channel: in_c=64 must equal out_c=32",
        "line 4: in_dtype_enum is '9'; use one of 0, 1, 2",
        "line 5: kernel is '1.5'",
        "line 5: in_dtype_enum is ''",
        "line 6: has more cells than the header's 10",
    )
    assert [line.startswith(f"  - {start}") for line, start in zip(told[1:], expected, strict=True)] == [True] * 8


@pytest.mark.parametrize(
    ("header", "lines", "told"),
    [
        ("op,in_w", [PLAIN], "no column in_h, in_c, out_w, out_h, out_c, kernel, stride, in_dtype_enum"),
        (HEADER, [], "holds no workload"),
        ("", [], "no column op"),
        (f"{HEADER},exec_order", [f"{PLAIN},2"], "line 2: exec_order is 2; use 3, 4 or 5"),
        (f"{HEADER},gt_cycles", [f"{PLAIN},0"], "line 2: gt_cycles is '0'"),
        (HEADER, [PLAIN.replace(",3,1,0", ",2000000000,1,0")], "kernel is '2000000000'; .* from 1 to 1024"),
        (HEADER, [f'"{PLAIN}' + "x" * 140_000], "line .* is no CSV .*; check its quotes"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_message(tmp_path: Path, header: str, lines: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_workloads(written(tmp_path, *lines, header=header))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        read_workloads(tmp_path / "none.csv")
