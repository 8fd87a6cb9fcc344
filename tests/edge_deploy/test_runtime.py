"""Compiling: settings are read back, inputs stay in place, and what can't be served is told in one message."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.runtime import compile_model, random_inputs, with_counters
from edge_deploy.settings import Asked
from edge_toolkit.cli import main
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.profile import Input
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import SEQUENCE


def saved(folder: Path, shape: list[int]) -> Path:
    """A model of one multiplication, saved as an IR."""
    x = ops.parameter(shape, np.float32, name="x")
    path = folder / "model.xml"
    ov.save_model(ov.Model([ops.multiply(x, ops.constant(np.float32(2)))], [x]), path)
    return path


def test_settings_are_read_back(ir: IRMaker) -> None:
    ready = compile_model(ir("sequence"))
    assert (ready.precision, ready.threads, ready.streams) == ("f32", 1, 1)
    assert ready.inputs == (Input("input", (1, *SEQUENCE.input), "f32"),)
    ready.infer()
    assert ready.request_ms > 0


def test_inference_reads_the_tensors_that_were_set_once(tmp_path: Path) -> None:
    ready = compile_model(saved(tmp_path, [1, 4]))
    for value in (3.0, 5.0):
        ready.tensors[0][:] = value
        ready.infer()
        np.testing.assert_array_equal(ready.request.get_output_tensor(0).data, np.full((1, 4), 2 * value))


def test_counting_keeps_the_settings_and_the_inputs(ir: IRMaker) -> None:
    ready = compile_model(ir("sequence"), seed=3)
    counting = with_counters(ready)
    np.testing.assert_array_equal(counting.tensors[0], ready.tensors[0])
    assert (counting.precision, counting.threads) == ("f32", 1)
    assert counting.compiled.get_property("PERF_COUNT")


def test_random_inputs_follow_the_seed_and_the_type() -> None:
    inputs = (Input("a", (2, 3), "f32"), Input("b", (4,), "i64"), Input("c", (2,), "boolean"))
    first, again, other = random_inputs(inputs, 0), random_inputs(inputs, 0), random_inputs(inputs, 1)
    for left, right in zip(first, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(first[0], other[0])
    assert [array.dtype for array in first] == [np.float32, np.int64, np.bool_]
    assert set(first[1].tolist()) <= {0, 1}


def test_a_missing_device_is_named_with_those_that_are_there(ir: IRMaker) -> None:
    with pytest.raises(MissingError, match=r"--device WARP: .* use one of CPU.* driver"):
        compile_model(ir("sequence"), Asked("WARP"))


def test_a_dynamic_shape_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"input x has the shape \[1,\?\].*static"):
        compile_model(saved(tmp_path, [1, -1]))


def test_wrong_options_are_told_together(ir: IRMaker) -> None:
    with pytest.raises(InputError, match=r"(?s)2 problems.*int3.*f32, bf16, f16.*--threads 0"):
        compile_model(ir("sequence"), Asked(precision="int3", threads=0))


BROKEN = [
    ("model.xml", b"<net", "is not an OpenVINO IR"),
    ("model.xml", b"<html></html>", "is not an OpenVINO IR"),
    ("model.xml", b"", "is not an OpenVINO IR"),
    ("model.xml", b"<net></net>", "its weights are missing"),
    ("model.onnx", b"text", "is not an ONNX file"),
    ("model.onnx", b"", "is not an ONNX file"),
    ("model.onnx", b"\x08\x08broken", "OpenVINO cannot read it"),
    ("model.pt", b"", "is no ONNX file"),
]


@pytest.mark.parametrize(("name", "content", "told"), BROKEN)
def test_a_broken_file_is_one_message_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, told: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SystemExit) as stopped:
        main(["profile", str(path), "--seconds", "0.01"])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert out == ""
    assert err.startswith(f"edge-toolkit: {path}: ")
    assert told in err
    assert err.count("\n") == 1


def test_a_missing_file_and_an_empty_folder_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, told in ((tmp_path / "none.xml", "there is no such file"), (tmp_path, "holds no bundle")):
        with pytest.raises(SystemExit) as stopped:
            main(["profile", str(path)])
        assert stopped.value.code == 2
        assert told in capsys.readouterr().err
