"""ONNX and IR: the names of the nodes against the layer table, the numerics elsewhere (test_parity.py)."""

from collections import Counter
from functools import cache

import numpy as np
import onnx
import openvino as ov
import pytest
import torch

from edge_deploy.ir import IR, ir_of
from edge_deploy.layer_names import numbered
from edge_deploy.onnx_export import network, onnx_of
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.specs import ModelSpec
from tests.edge_deploy.networks_for_tests import NETWORKS, ONE_LAYER, SEQUENCE, TWO_LAYERS, trained_like

OPERATION = {"conv": "Conv", "depthwise": "Conv", "linear": "Gemm", "matmul": "MatMul", "lstm": "LSTM"}

each_network = pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())


@cache
def exported(spec: ModelSpec) -> bytes:
    return onnx_of(spec, trained_like(spec))


@cache
def converted(spec: ModelSpec) -> IR:
    return ir_of(exported(spec), len(spec.hidden) if isinstance(spec, LSTMBaseline) else 0)


def graph_of(spec: ModelSpec) -> onnx.GraphProto:
    return onnx.load_from_string(exported(spec)).graph


def operations_of(ir: IR) -> list[ov.Node]:
    return ov.Core().read_model(model=ir.xml, weights=ir.bin).get_ordered_ops()


@each_network
def test_each_layer_that_multiplies_is_one_node_of_its_kind(spec: ModelSpec) -> None:
    found = Counter((node.name.partition("/")[0], node.op_type) for node in graph_of(spec).node)
    multiplying = {key: count for key, count in found.items() if key[1] in OPERATION.values()}
    rows = [row for row in layers_of(spec).rows() if row["macs"] > 0]
    assert multiplying == {(row["name"], OPERATION[row["kind"]]): 1 for row in rows}


@each_network
def test_each_node_belongs_to_a_layer_and_has_a_name_of_its_own(spec: ModelSpec) -> None:
    names = [node.name for node in graph_of(spec).node]
    assert len(set(names)) == len(names)
    assert {name.partition("/")[0] for name in names} <= set(layers_of(spec).name)


@each_network
def test_convolutions_have_the_table_s_kernels_and_weights(spec: ModelSpec) -> None:
    graph = graph_of(spec)
    shapes = {each.name: tuple(each.dims) for each in graph.initializer}
    rows = {row["name"]: row for row in layers_of(spec).rows()}
    for node in graph.node:
        if node.op_type == "Conv":
            row = rows[node.name.removesuffix("/Conv")]
            assert shapes[node.input[1]][2:] == (row["kernel_h"], row["kernel_w"])
            assert sum(np.prod(shapes[name]) for name in node.input[1:]) == row["weights"]


def test_names_of_a_sequence_network() -> None:
    names = [node.name for node in graph_of(SEQUENCE).node]
    block = "stages.0.blocks.2"
    wanted = [
        *("stem/Conv", "stem/Relu", "stages.0.blocks.0.add/Add", "stages.0.blocks.1.depthwise/Relu"),
        *(f"{block}.{part}" for part in ("position/Conv", "position_add/Add", "query/Conv", "scores/Mul")),
        *(f"{block}.{part}" for part in ("scores/MatMul", "softmax/Softmax", "mix/MatMul", "output/Conv", "add/Add")),
        *(f"{block}.{part}" for part in ("mlp_in/Conv", "mlp_in/Gelu", "mlp_out/Conv", "mlp_add/Add")),
        *("head.expand/Conv", "head.pool/ReduceMean", "head.classifier/Gemm"),
    ]
    assert [name for name in names if name in wanted] == wanted


def test_window_shuffles_are_told_apart_from_the_products() -> None:
    spec = NETWORKS["padded-windows"]
    parts = Counter(node.name.partition("/")[0] for node in graph_of(spec).node)
    block = "stages.0.blocks.0"
    # Each of three tensors is padded, cut along the rows (reshape, transpose) and the columns, and reshaped to heads.
    assert parts[f"{block}.partition"] == 3 * 6
    assert {f"{block}.merge", "stages.0.blocks.1.partition", "stages.1.blocks.1.merge"} <= set(parts)
    operations = {node.op_type for node in graph_of(spec).node if node.name.startswith(f"{block}.scores/")}
    assert operations == {"Transpose", "Mul", "MatMul", "Add"}


def test_file_is_self_contained_static_and_tells_nothing_of_this_machine() -> None:
    model = onnx.load_from_string(exported(SEQUENCE))
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 20)]
    (taken,), (given,) = model.graph.input, model.graph.output
    sizes = [[axis.dim_value for axis in each.type.tensor_type.shape.dim] for each in (taken, given)]
    assert (taken.name, given.name, sizes) == ("input", "logits", [[1, 3, 1, 30], [1, 4]])
    assert not any(each.external_data for each in model.graph.initializer)
    assert b"site-packages" not in exported(SEQUENCE)
    assert b".py" not in exported(SEQUENCE)


def test_export_says_nothing(capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder) -> None:
    onnx_of(TWO_LAYERS, trained_like(TWO_LAYERS))
    assert capfd.readouterr() == ("", "")
    assert [str(each.message) for each in recwarn] == []


@each_network
def test_operations_of_the_ir_lead_back_to_layers(spec: ModelSpec) -> None:
    kinds = ("Constant", "Parameter", "Result")
    operations = [op for op in operations_of(converted(spec)) if op.get_type_name() not in kinds]
    assert {op.get_friendly_name().partition("/")[0] for op in operations} <= set(layers_of(spec).name)


@each_network
def test_same_network_gives_the_same_bytes(spec: ModelSpec) -> None:
    again = onnx_of(spec, trained_like(spec))
    assert again == exported(spec)
    assert ir_of(again, len(getattr(spec, "hidden", ()))) == converted(spec)


@pytest.mark.parametrize("spec", [ONE_LAYER, TWO_LAYERS], ids=["one", "two"])
def test_lstm_layers_stay_sequences(spec: LSTMBaseline) -> None:
    names = [op.get_friendly_name() for op in operations_of(converted(spec)) if op.get_type_name() == "LSTMSequence"]
    assert names == [f"lstm.{index}/LSTMSequence" for index in range(len(spec.hidden))]


def test_network_without_its_lstm_is_refused() -> None:
    with pytest.raises(AnswerIsNo, match="1 LSTM layers became 0 LSTMSequence"):
        ir_of(exported(SEQUENCE), recurrent=1)


def test_weights_are_float32_in_the_ir() -> None:
    (kernel,) = (op for op in operations_of(converted(SEQUENCE)) if op.get_friendly_name() == "stem.conv.weight")
    assert kernel.get_element_type() == ov.Type.f32


def test_weights_of_another_network_are_refused() -> None:
    weights = {name: value.numpy() for name, value in trained_like(ONE_LAYER).state_dict().items()}
    with pytest.raises(InputError, match="do not fit the architecture"):
        network(SEQUENCE, weights)


def test_network_is_the_one_whose_weights_were_given() -> None:
    model = trained_like(SEQUENCE, seed=3)
    again = network(SEQUENCE, {name: value.numpy() for name, value in model.state_dict().items()})
    x = torch.ones(2, *SEQUENCE.input)
    assert torch.equal(again(x), model(x))


def test_second_node_of_a_kind_is_numbered() -> None:
    assert list(numbered(("a", "a", "b", "a"), ("Add", "Mul", "Add", "Add"))) == ["a/Add", "a/Mul", "b/Add", "a/Add_2"]
