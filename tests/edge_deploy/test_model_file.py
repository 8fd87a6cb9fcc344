"""Models from files: each kind is known by how it begins, and an open shape is told with the option that closes it."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.model_file import gist, inputs_of, read_model
from edge_deploy.shapes import shapes_from
from edge_toolkit.errors import InputError
from edge_toolkit.profile import Input
from tests.edge_deploy.small_models_for_tests import embedding, save, scaling, two_inputs
from tests.edge_deploy.tflite_for_tests import INPUT_SHAPE, write_tflite

IR = b"<?xml version='1.0'?><net name='x' version='11'/>"
REFUSED = [
    ("model.tflite", b"", "is not a TensorFlow Lite file; export"),
    ("model.tflite", b"TFL3", "is not a TensorFlow Lite file; export"),  # at the wrong place
    ("model.tflite", b"\x1c\0\0\0TFL2" + bytes(40), "is not a TensorFlow Lite file; export"),
    ("model.tflite", b"\x1c\0\0\0TFL3" + bytes(40), "OpenVINO cannot read it"),
    ("model.tflite", IR, "is not a TensorFlow Lite file; export"),
    ("model.onnx", IR, "is not an ONNX file; export"),
    ("model.xml", b"\x08\x07", "is not an OpenVINO IR; export"),
    ("model.xml", b"<net/>", r"its weights are missing \(model.bin beside it\)"),
    ("model.pb", b"", "is no ONNX file .*OpenVINO IR .* or TensorFlow Lite file"),
    ("model", b"", "is no ONNX file"),
]


@pytest.mark.parametrize(("name", "content", "told"), REFUSED)
def test_what_is_no_model_is_told(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: {told}"):
        read_model(path)


def test_a_tflite_file_that_was_cut_short_is_told(tmp_path: Path) -> None:
    path = write_tflite(tmp_path / "model.tflite")
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(InputError, match=r"model\.tflite: OpenVINO cannot read it .*export the model again"):
        read_model(path)


def test_inputs_are_told_by_name_shape_and_type(tmp_path: Path) -> None:
    two, ids = two_inputs(tmp_path / "two.xml"), embedding(tmp_path / "ids.xml")
    tflite = write_tflite(tmp_path / "model.tflite")
    assert inputs_of(two, read_model(two)) == (Input("a", (1, 3), "f32"), Input("b", (2, 3), "f32"))
    assert inputs_of(ids, read_model(ids)) == (Input("ids", (1, 5), "i64"),)
    assert inputs_of(tflite, read_model(tflite)) == (Input("serving_default_frame:0", INPUT_SHAPE, "f32"),)


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ([1, -1], r'input x has the shape \[1,\?\].* such as --shape "x\[1,1\]"'),
        ([-1, 3, 8, -1], r'the shape \[\?,3,8,\?\].* --shape "x\[1,3,8,1\]"'),
        ([ov.Dimension(2, 5), 7], r'the shape \[2\.\.5,7\].* --shape "x\[2,7\]"'),
        (None, r'the shape \[\.\.\.\].* --shape "x\[1,3,224,224\]"'),
    ],
)
def test_an_open_shape_is_told_with_the_option_that_closes_it(tmp_path: Path, shape: list[int], told: str) -> None:
    partial = ov.PartialShape.dynamic() if shape is None else ov.PartialShape(shape)
    x = ops.parameter(partial, np.float32, name="x")
    path = save(tmp_path / "open.xml", [ops.relu(x)], [x])
    with pytest.raises(InputError, match=f"open.xml: .*{told}"):
        inputs_of(path, read_model(path))


def test_a_shape_that_is_given_closes_it(tmp_path: Path) -> None:
    path = scaling(tmp_path / "open.xml", [-1, -1])
    assert inputs_of(path, read_model(path, shapes_from("x[2,9]"))) == (Input("x", (2, 9), "f32"),)


@pytest.mark.parametrize(
    ("message", "expected"),
    [("Check failed at a.cpp:1:\nno such layer\n\n", "no such layer"), ("one", "one"), (" \n", "RuntimeError")],
)
def test_the_gist_is_the_last_line(message: str, expected: str) -> None:
    assert gist(RuntimeError(message)) == expected
