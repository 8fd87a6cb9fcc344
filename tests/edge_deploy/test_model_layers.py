"""Layer tables of models: both roads to the same table, and models of other people's kinds against torch's counts."""

import warnings
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import torch
from openvino import opset13 as ops
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from edge_deploy.convert import converted, random_ir, random_weights
from edge_deploy.macs import model_macs, model_parameters
from edge_deploy.model_file import read_model
from edge_deploy.model_layers import model_layers
from edge_search.space import load_space, presets
from edge_toolkit.errors import InputError
from edge_toolkit.layers import KINDS, LayerTable, layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.matching import matched_lstm
from edge_toolkit.specs import ModelSpec
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import NETWORKS, ONE_LAYER
from tests.edge_deploy.torch_models_for_tests import MODELS, drawn


def shared_again(model: Any) -> int:
    """Elements of constants that several operations read (one mask of two attentions), past the first reading."""
    constants = (op.output(0) for op in model.get_ops() if op.get_type_name() == "Constant")
    return sum(
        prod(each.shape) * (len(each.get_target_inputs()) - 1)
        for each in constants
        if each.element_type.to_string() == "f32" and prod(each.shape) > 1
    )


def see_one_table(path: Path, spec: ModelSpec) -> None:
    """Row by row and column by column, with and without the architecture; the weights are the file's constants."""
    ours, told = layers_of(spec).rows(), model_layers(path, spec)
    assert told.table.rows() == ours
    assert told.uncounted == ()
    bare = {row["name"]: row for row in model_layers(path).table.rows()}
    assert bare.keys() == {row["name"] for row in ours}
    for row in ours:
        sizes = {name: value for name, value in row.items() if name != "parameters"}
        assert bare[row["name"]].items() >= sizes.items()
    model = read_model(path)
    states = 2 * sum(spec.hidden) if isinstance(spec, LSTMBaseline) else 0  # zeros that an LSTM begins with
    assert sum(row["weights"] for row in ours) + states == model_parameters(model) + shared_again(model)
    assert sum(row["macs"] for row in ours) == model_macs(model)


@pytest.mark.parametrize("name", NETWORKS)
def test_both_roads_give_one_table(ir: IRMaker, name: str) -> None:
    see_one_table(ir(name), NETWORKS[name])


@pytest.mark.parametrize(
    ("preset", "count"),
    [("imu-s", 2), *(pytest.param(preset, 70, marks=pytest.mark.slow) for preset in presets())],
)
def test_both_roads_give_one_table_over_random_architectures(preset: str, count: int, tmp_path: Path) -> None:
    space, rng = load_space(preset), np.random.default_rng(2)
    for index in range(count):
        architecture = space.sample(rng)
        see_one_table(random_ir(architecture, tmp_path / str(index)), architecture)
        if index % 10 == 1:
            baseline = matched_lstm(architecture, "parameters")
            see_one_table(random_ir(baseline, tmp_path / f"{index}-lstm"), baseline)


def test_onnx_and_ir_of_one_network_give_one_table(tmp_path: Path) -> None:
    for name, data in converted(ONE_LAYER, random_weights(ONE_LAYER)).items():
        (tmp_path / name).write_bytes(data)
    tables = [model_layers(tmp_path / f"model.{suffix}").table.rows() for suffix in ("onnx", "xml")]
    assert tables[0] == tables[1]


ROWS = {
    "resnet": {"conv": 3, "pool": 2, "elementwise": 1, "linear": 1},
    "mobile": {"conv": 5, "depthwise": 1, "pool": 1, "elementwise": 1},
    # The three parts of one projection are turned together, and lie one behind the other then.
    "encoder": {"linear": 4, "matmul": 2, "softmax": 1, "normalisation": 2, "elementwise": 2, "layout": 2},
    "unet": {"conv": 3, "transposed": 1, "normalisation": 1, "layout": 1},
    "gru": {"gru": 1, "layout": 1, "linear": 1},
}


@pytest.fixture(scope="module", params=MODELS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    name = str(request.param)
    model, x = drawn(name)
    path = tmp_path_factory.mktemp("torch") / f"{name}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(model, (x,), dynamo=True, opset_version=20, verbose=False)
    assert program is not None
    program.save(path)
    return name, path


def test_macs_of_other_models_are_torchs(exported: tuple[str, Path]) -> None:
    """Torch counts its own operations; on the meta device it sees those inside a recurrent layer, too."""
    name, path = exported
    model, x = drawn(name)
    with FlopCounterMode(display=False) as counter:
        model.to("meta")(x.to("meta"))
    table = model_layers(path).table
    assert table.macs.sum() == counter.get_total_flops() // 2
    assert table.macs.sum() == model_macs(read_model(path))


def test_weights_of_other_models_are_torchs(exported: tuple[str, Path]) -> None:
    """Batch normalisation leaves a bias, and a GRU keeps one of the two biases of two of its three gates, both ways.

    The exporter writes group normalisation with a scale of 1 and a shift of 0 for each group beside its own.
    """
    name, path = exported
    model, _ = drawn(name)
    stored = sum(parameter.numel() for parameter in model.parameters())
    for each in model.modules():
        if isinstance(each, nn.BatchNorm2d):
            stored -= each.num_features
        elif isinstance(each, nn.GRU):
            stored -= 2 * 2 * each.hidden_size
        elif isinstance(each, nn.GroupNorm):
            stored += 2 * each.num_groups
    assert model_layers(path).table.weights.sum() == stored


def test_rows_of_other_models(exported: tuple[str, Path]) -> None:
    name, path = exported
    found = model_layers(path)
    assert Counter(found.table.kind.tolist()) == ROWS[name]
    assert found.uncounted == ()
    see_a_table(found.table)


def see_a_table(table: LayerTable) -> None:
    """What every table keeps to."""
    assert len(set(table.name.tolist())) == len(table)
    assert set(table.kind.tolist()) <= set(KINDS)
    multiplies = table.macs > 0
    for column in (table.inputs, table.outputs, table.groups, table.out_h, table.out_w, table.stride):
        assert (column > 0).all()
    gridded = np.isin(table.kind, ["conv", "depthwise"])
    assert (table.out_h * table.out_w == table.m)[gridded].all()
    assert (table.n % table.groups == 0).all()
    assert (table.weights[~multiplies & np.isin(table.kind, ["pool", "softmax"])] == 0).all()


def test_the_names_of_two_processes_are_the_same(exported: tuple[str, Path]) -> None:
    """OpenVINO numbers what it makes itself on through the life of a process."""
    names = [model_layers(exported[1]).table.name.tolist() for _ in range(2)]
    assert names[0] == names[1]


def saved(model: ov.Model, folder: Path) -> Path:
    ov.save_model(model, folder / "model.xml", compress_to_fp16=False)
    return folder / "model.xml"


def test_what_has_no_table_is_told(tmp_path: Path) -> None:
    free = ops.parameter([-1, 4], np.float32, name="x")
    path = saved(ov.Model([ops.relu(free)], [free]), tmp_path)
    with pytest.raises(InputError, match=r"input .* has the shape \[\?,4\], and only static shapes"):
        model_layers(path)
    still = ops.parameter([1, 4], np.float32, name="x")
    path = saved(ov.Model([ops.reshape(still, ops.constant([4]), False)], [still]), tmp_path)
    with pytest.raises(InputError, match="computes nothing from its inputs"):
        model_layers(path)


def test_weights_in_half_precision_are_weights(tmp_path: Path) -> None:
    """The IR keeps them as float16, with a conversion that is worked out once."""
    x = ops.parameter([1, 4, 8, 8], np.float32)
    kernel = ops.constant(np.random.default_rng(0).normal(size=(6, 4, 3, 3)).astype(np.float32))
    along = {"strides": [1, 1], "pads_begin": [0, 0], "pads_end": [0, 0], "dilations": [1, 1]}
    ov.save_model(ov.Model([ops.convolution(x, kernel, **along)], [x]), tmp_path / "model.xml", compress_to_fp16=True)
    (row,) = model_layers(tmp_path / "model.xml").table.rows()
    assert (row["kind"], row["macs"], row["weights"]) == ("conv", 36 * 6 * 36, 6 * 36)
