"""A TensorFlow Lite file, made here byte by byte: OpenVINO answers as numpy does, and operations get layers' names."""

from pathlib import Path

import numpy as np
import pytest

from edge_deploy.macs import model_macs
from edge_deploy.model_file import read_model
from edge_deploy.profile import profile
from edge_deploy.runtime import compile_model
from edge_deploy.tensor_names import _shared
from tests.edge_deploy.tflite_for_tests import INPUT_SHAPE, answer, write_tflite


@pytest.fixture(scope="module")
def tflite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tflite(tmp_path_factory.mktemp("tflite") / "model.tflite")


def test_the_answer_is_numpys(tflite: Path) -> None:
    ready = compile_model(tflite)
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=INPUT_SHAPE).astype(np.float32) / 8
        ready.tensors[0][:] = x
        ready.infer()
        assert ready.outputs[0].std() > 0.01  # the sigmoid is not saturated
        np.testing.assert_allclose(ready.outputs[0], answer(x), rtol=1e-5)


def test_operations_have_the_names_of_their_layers(tflite: Path) -> None:
    """`model/`, which all have in common, is left out; the sum's own tensor is lost, so it goes with what feeds it."""
    names = {}
    for op in read_model(tflite).get_ordered_ops():
        names.setdefault(op.get_type_name(), []).append(op.get_friendly_name())
    assert names["Convolution"] == ["conv2d_1/Convolution"]
    assert names["GroupConvolution"] == ["depthwise_2/GroupConvolution"]
    assert names["Add"] == ["conv2d_1/Add", "depthwise_2/Add", "conv2d_1/Add_2"]
    assert names["Relu"] == ["conv2d_1/Relu", "dense_5/Relu"]
    assert names["AvgPool"] == ["pool_4/AvgPool"]
    assert names["MatMul"] == ["dense_5/MatMul"]
    assert names["Parameter"] == ["serving_default_frame:0"]


def test_names_are_the_same_each_time(tflite: Path) -> None:
    """OpenVINO's own numbers go on through the life of a process."""
    inner = [
        [op.get_friendly_name() for op in read_model(tflite).get_ordered_ops() if op.get_type_name() != "Result"]
        for _ in range(2)
    ]
    assert inner[0] == inner[1]
    assert len({*inner[0]}) == len(inner[0])


def test_rows_of_a_profile_have_them(tflite: Path) -> None:
    made = profile(tflite, seconds=0.01)
    assert {"conv2d_1/Convolution", "depthwise_2/GroupConvolution", "dense_5/MatMul"} <= {
        name for row in made.rows for name in (row.name, *row.originals)
    }
    # 6 x 6 points of 4 x 3 x 3 x 2, as many of 4 x 3 x 3, and 36 x 5.
    assert made.macs == model_macs(read_model(tflite)) == 36 * 72 + 36 * 36 + 180


@pytest.mark.parametrize(
    ("layers", "shared"),
    [
        ([], 0),
        (["a"], 0),
        (["m/a", "m/b"], 1),
        (["m/a", "b"], 1),
        (["m/n/a", "m/n/b/c"], 2),
        (["m/n", "m/n"], 1),
        (["m/n", "m"], 1),
    ],
)
def test_what_all_names_begin_with(layers: list[str], shared: int) -> None:
    assert _shared(layers) == shared
