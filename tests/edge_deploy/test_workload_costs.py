"""Costs of single layers from a file, against the array's own cycles and errors taken by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_deploy.workload_costs import workload_costs
from edge_toolkit.console import show
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from edge_toolkit.processors import Systolic
from edge_toolkit.workloads import read_workloads

HEADER = "device,op,gt_cycles,in_w,in_h,in_c,out_w,out_h,out_c,kernel,stride,in_dtype_enum"
ROWS = (
    "NPU4.0,CONVOLUTION,20000,28,28,64,28,28,128,3,1,0",
    "NPU2.7,DW_CONVOLUTION,,56,56,32,56,56,32,3,1,0",
    "VPUDevice.VPU_4_0,CONVOLUTION,10000,14,14,64,14,14,128,1,1,0",
    "NPU2.7,ELTWISE,1000000,8,8,64,8,8,64,1,1,2",
)


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "layers.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def costs(path: Path, device: str | None = None) -> dict[str, Any]:
    return workload_costs(path, device)[1]


def cycles_on(name: str, path: Path) -> list[int]:
    (processor,) = load_device(name).processors.values()
    assert isinstance(processor, Systolic)
    return [round(each) for each in processor.cycles(read_workloads(path).workloads).tolist()]


def test_rows_keep_their_order_and_find_their_device(tmp_path: Path) -> None:
    path = written(tmp_path, *ROWS)
    entries = costs(path)["workloads"]
    assert [each["line"] for each in entries] == [2, 3, 4, 5]
    named = ["npu-4000", "npu-3720", "npu-4000", "npu-3720"]
    assert [each["device"] for each in entries] == named
    assert [each["cycles"] for each in entries] == [cycles_on(name, path)[row] for row, name in enumerate(named)]


def test_the_option_overrules_the_column(tmp_path: Path) -> None:
    path = written(tmp_path, *ROWS)
    entries = costs(path, "xr-npu")["workloads"]
    assert {each["device"] for each in entries} == {"xr-npu"}
    assert [each["cycles"] for each in entries] == cycles_on("xr-npu", path)


def test_errors_are_told_where_cycles_were_measured(tmp_path: Path) -> None:
    whole = costs(written(tmp_path, *ROWS))
    first, second, third, fourth = whole["workloads"]
    assert (second["measured_cycles"], second["error"]) == (None, None)
    assert first["error"] == pytest.approx(first["cycles"] / 20000 - 1, abs=1e-4)
    sizes = [abs(each["error"]) for each in (first, third)]
    by_op = {(each["device"], each["op"]): each for each in whole["summary"]}
    assert set(by_op) == {
        (name, op) for name, op in zip(("npu-4000", "npu-3720"), ("CONVOLUTION", "ELTWISE"), strict=True)
    } | {(name, "all") for name in ("npu-4000", "npu-3720")}
    assert by_op["npu-4000", "all"]["rows"] == 2
    assert by_op["npu-4000", "CONVOLUTION"]["median_error"] == pytest.approx(sum(sizes) / 2)
    assert by_op["npu-4000", "all"]["within_10_percent"] == sum(size <= 0.1 for size in sizes) / 2
    assert by_op["npu-3720", "all"]["median_error"] == pytest.approx(abs(fourth["error"]))


def test_without_measured_cycles_there_is_no_summary(tmp_path: Path) -> None:
    drawn, payload = workload_costs(written(tmp_path, ROWS[1]), None)
    assert payload["summary"] == []
    assert len(drawn) == 2


def test_it_is_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn, payload = workload_costs(written(tmp_path, *ROWS), None)
    show(drawn, payload, None)
    printed = capsys.readouterr().out
    assert printed.count("DW_CONVOLUTION") == 1
    assert "against measured cycles" in printed
    show(drawn, payload, "-")
    whole = json.loads(capsys.readouterr().out)
    assert whole["schema"] == 1
    assert len(whole["workloads"]) == len(ROWS)


@pytest.mark.parametrize("spelled", ["", "NPU9", "GPU"])
def test_a_device_that_is_not_known_is_told_by_line(tmp_path: Path, spelled: str) -> None:
    row = ROWS[0].replace("NPU4.0", spelled)
    with pytest.raises(InputError, match=f"2 problems\n.*line 2: device is '{spelled}'; use NPU2.7 or NPU4.0"):
        costs(written(tmp_path, row, ROWS[1], row))


def test_a_device_that_is_not_known_is_told_with_all_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2 problems\n.*line 2: kernel is 'x'.*\n.*line 2: device is 'GPU'"):
        costs(written(tmp_path, ROWS[0].replace("NPU4.0", "GPU").replace(",3,1,0", ",x,1,0")))


def test_a_device_without_an_array_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--device cpu-host: has no processor of kind systolic"):
        costs(written(tmp_path, *ROWS), "cpu-host")
