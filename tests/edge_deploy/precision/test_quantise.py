"""Quantised networks: held against the float ones, by what they put out, what they store and what they count."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from edge_deploy.convert import random_ir
from edge_deploy.measure import measure_files
from edge_deploy.model_file import read_model
from edge_deploy.model_layers import model_layers
from edge_deploy.runtime import compile_model
from edge_deploy.settings import Asked
from edge_toolkit.errors import MissingError
from edge_toolkit.layers import LayerTable, layers_of
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import NETWORKS

HYBRIDS = [name for name in NETWORKS if not name.startswith("lstm")]


@pytest.mark.parametrize("name", HYBRIDS)
def test_a_quantised_network_is_the_same_one_in_int8(name: str, ir: IRMaker, tmp_path: Path) -> None:
    floats, ints = ir(name), random_ir(NETWORKS[name], tmp_path, int8=True)
    sample = np.random.default_rng(9).standard_normal((1, *NETWORKS[name].input)).astype(np.float32)
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    expected, got = (ov.Core().compile_model(path, "CPU", hint)(sample)[0] for path in (floats, ints))
    assert np.linalg.norm(got - expected) < 0.3 * np.linalg.norm(expected)  # another network is off by about 1
    assert (got != expected).any()
    convolutions = [op for op in read_model(floats).get_ops() if "Convolution" in op.get_type_name()]
    stored = [op for op in read_model(ints).get_ops() if op.get_type_name() == "Constant"]
    in_int8 = [op for op in stored if op.get_element_type() in (ov.Type.i8, ov.Type.u8)]
    assert len(in_int8) >= len(convolutions)


@pytest.mark.slow
@pytest.mark.parametrize("name", HYBRIDS)
def test_scales_and_zero_points_are_no_layers(name: str, tmp_path: Path) -> None:
    found = model_layers(random_ir(NETWORKS[name], tmp_path, int8=True), NETWORKS[name])
    expected = layers_of(NETWORKS[name])
    for column in (field.name for field in fields(LayerTable) if field.name != "weights"):
        assert getattr(found.table, column).tolist() == getattr(expected, column).tolist()
    more = found.table.weights - expected.weights  # SmoothQuant's, where it can't be folded: a vector before the last
    assert set(more[expected.name != "head.pool"].tolist()) == {0}


def test_int8_is_read_back_from_what_is_executed(ir: IRMaker, tmp_path: Path) -> None:
    ints = random_ir(NETWORKS["sequence"], tmp_path, int8=True)
    assert compile_model(ints, Asked(precision="int8")).precision == "int8"
    with pytest.raises(MissingError, match=r"--precision int8: CPU computes .* in f32; give a quantised model"):
        measure_files({"float": ir("sequence")}, precision="int8", seconds=0.02)
