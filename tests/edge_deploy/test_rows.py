"""The executed rows: they sum to the wall time, hold all MACs, and each has its place in the network."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.baseline import check_recurrent
from edge_deploy.latency import warm_up
from edge_deploy.model_file import read_model
from edge_deploy.origins import origins_of
from edge_deploy.rows import Counted, Node, count, middle_of, rows_of, window_mean, window_of
from edge_deploy.runtime import compile_model
from edge_deploy.settings import Asked
from edge_toolkit.errors import AnswerIsNo
from edge_toolkit.layers import ROLES, layers_of
from edge_toolkit.profile import Row
from edge_toolkit.specs import ModelSpec
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import NETWORKS
from tests.edge_deploy.small_models_for_tests import convolution, save


def rows(path: Path, spec: ModelSpec | None, request_us: float = 300.0, wall_us: float = 310.0) -> tuple[Row, ...]:
    ready = compile_model(path)
    counted = count(ready, 1000 * warm_up(ready), 0.0)
    return rows_of(counted, ready.model, origins_of(ready.model, spec), request_us, wall_us)


@pytest.mark.parametrize("name", NETWORKS)
def test_rows_of_a_network(ir: IRMaker, name: str) -> None:
    table = layers_of(NETWORKS[name])
    found = rows(ir(name), NETWORKS[name])
    assert sum(row.time_us for row in found) == pytest.approx(310, abs=1e-9)
    assert sum(row.share for row in found) == pytest.approx(1, abs=1e-12)
    assert sum(row.macs for row in found) == table.macs.sum()
    assert [row.name for row in found[-2:]] == ["runtime", "binding"]
    executed = found[:-2]
    assert {row.block for row in executed} <= set(table.block.tolist())
    assert {row.role for row in executed} <= {*ROLES}
    assert {row.precision for row in executed} <= {"f32", "i32"}
    multiplies = set(table.block[table.macs > 0].tolist())
    assert {row.block for row in executed if row.macs} == multiplies


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_of_each_role_are_the_layer_tables(ir: IRMaker, name: str) -> None:
    table = layers_of(NETWORKS[name])
    found = rows(ir(name), NETWORKS[name])
    for role in ROLES:
        assert sum(row.macs for row in found if row.role == role) == table.macs[table.role == role].sum(), role


@pytest.mark.parametrize("name", ["sequence", "padded-windows", "lstm"])
def test_rows_of_a_bare_model_hold_the_same_macs(ir: IRMaker, name: str) -> None:
    found = rows(ir(name), None)
    assert sum(row.macs for row in found) == layers_of(NETWORKS[name]).macs.sum()
    assert sum(row.time_us for row in found) == pytest.approx(310, abs=1e-9)
    assert all(row.role and row.block for row in found)
    assert [row.role for row in found if row.kind == "FullyConnected"][-1] == "matmul"
    kinds = {"Convolution": {"conv", "depthwise"}, "RNNSeq": {"recurrent"}, "Reorder": {"layout"}}
    for row in found:
        assert row.role in kinds.get(row.kind, {row.role})


def test_a_fused_layer_is_listed_under_the_row_that_executes_it(ir: IRMaker) -> None:
    found = rows(ir("sequence"), NETWORKS["sequence"])
    stem = next(row for row in found if row.block == "stem" and row.kind == "Convolution")
    assert {"stem/Conv", "stem/Relu"} <= {*stem.originals}
    assert not [row for row in found if row is not stem and "stem/Relu" in row.originals]
    assert (stem.block, stem.role, stem.kind) == ("stem", "conv", "Convolution")
    assert stem.kernel


def test_what_a_row_does_not_list_goes_to_the_nearest_row() -> None:
    """Hand-made: x -> matmul -> add -> relu, where the only node says that it runs the sum and the activation."""
    x = ops.parameter([1, 6], np.float32, name="x")
    product = ops.matmul(x, ops.constant(np.zeros((6, 4), np.float32)), False, False, name="product")
    total = ops.add(product, ops.constant(np.ones((1, 4), np.float32)), name="total")
    model = ov.Model([ops.relu(total, name="act")], [x])
    reorder = Node("x_to_all", "Reorder", "jit", "f32", (), ("all", "x"), 1.0)
    node = Node("all", "FullyConnected", "gemm", "f32", ("total", "act"), ("x_to_all",), 5.0)
    found = rows_of(Counted((reorder, node), 8.0), model, origins_of(model, None), 10.0, 12.5)
    assert [(row.name, row.time_us, row.macs) for row in found] == [
        ("x_to_all", 1.0, 0),
        ("all", 5.0, 24),
        ("runtime", 4.0, 0),
        ("binding", 2.5, 0),
    ]
    assert found[0].role == "layout"
    assert found[0].block == found[1].block == "model"


def test_runtime_is_negative_where_counting_slows_the_nodes() -> None:
    model = ov.Model([ops.relu(x := ops.parameter([1], np.float32))], [x])
    node = Node("relu", "Eltwise", "jit", "f32", (), (), 15.0)
    found = rows_of(Counted((node,), 16.0), model, {}, 10.0, 12.0)
    assert [row.time_us for row in found] == [15.0, -5.0, 2.0]


@pytest.mark.parametrize(("warm", "more"), [(20, 100), (20, 5000), (1, 7)])
def test_a_window_mean_leaves_the_warm_up_out(warm: int, more: int) -> None:
    generator = np.random.default_rng(0)
    slow, times = generator.uniform(100, 200, warm), generator.uniform(10, 20, more)
    whole = np.concatenate([slow, times])
    assert window_mean(slow.mean(), warm, whole.mean(), warm + more) == pytest.approx(times.mean())
    # Readings lose their fraction, which costs at most this much.
    read = window_mean(np.floor(slow.mean()), warm, np.floor(whole.mean()), warm + more)
    assert abs(read - times.mean()) <= (warm + more) / more + 1e-9


def test_windows_become_one_node_by_node() -> None:
    def window(*times: float, request: float) -> Counted:
        return Counted(tuple(Node(str(time > 5), "Relu", "", "f32", (), (), time) for time in times), request)

    middle = middle_of([window(1, 90, request=12), window(2, 10, request=14), window(5, 9, request=40)])
    assert [node.time_us for node in middle.nodes] == [2, 10]
    assert middle.request_us == 14


@pytest.mark.parametrize(
    ("requests", "kept"),
    [
        ([50.0, 11.2, 90.0, 10.6, 11.4, 70.0, 10.8, 11.0, 80.0, 10.9], 11.0),  # 10.6 to 11.4 of the first nine
        ([50.0, 11.2, 90.0, 10.6, 61.4, 70.0, 10.8, 60.0, 80.0, 11.5, 95.0, 11.9, 10.9], 11.2),  # 10.6 to 11.9
        ([*np.arange(100.0, 50.0, -2)] + [11.0] * 9, 52.0),  # 27 at most: of them 11, 11, 52, 54, 56
    ],
)
def test_windows_as_slow_as_the_uncounted_request_are_kept(
    ir: IRMaker, monkeypatch: pytest.MonkeyPatch, requests: list[float], kept: float
) -> None:
    left = iter(requests)
    monkeypatch.setattr("edge_deploy.rows.window_of", lambda *_: Counted((), next(left)))
    assert count(compile_model(ir("one-point")), 11.0, 1.0).request_us == kept


def test_what_only_constants_lead_to_is_no_row(ir: IRMaker) -> None:
    names = [row.name for row in rows(ir("sequence"), NETWORKS["sequence"])]
    compiled = compile_model(ir("sequence")).compiled.get_runtime_model().get_ordered_ops()
    reshaped = [
        op.get_friendly_name() for op in compiled if op.get_friendly_name().endswith("Constant_flatten_reshape")
    ]
    assert reshaped
    assert not {*names} & {*reshaped}


CONVOLUTION_BYTES = {
    # (1, 3, 8, 8) in, 3 x 3 kernels of 3 to 4 channels, a bias of 4, (1, 4, 8, 8) out.
    "f32": 3 * 64 * 4 + 4 * 27 * 4 + 4 * 4 + 4 * 64 * 4,
    # Input and weights at half width; the bias stays, and the output is f32 as the model's is.
    "bf16": 3 * 64 * 2 + 4 * 27 * 2 + 4 * 4 + 4 * 64 * 4,
}


@pytest.mark.parametrize("precision", CONVOLUTION_BYTES)
def test_bytes_of_a_convolution_are_what_it_reads_and_writes(tmp_path: Path, precision: str) -> None:
    if precision == "bf16" and "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor does not compute in bf16")
    ready = compile_model(convolution(tmp_path / "conv.xml"), Asked(precision=precision))
    nodes = window_of(ready, 0.0).nodes
    assert [node.bytes for node in nodes if node.kind == "Convolution"] == [CONVOLUTION_BYTES[precision]]
    # Its input is put into another layout first: read as f32, written in what is computed in.
    assert nodes[0].kind == "Reorder"
    assert nodes[0].bytes == 3 * 64 * (4 + (4 if precision == "f32" else 2))


def test_another_shape_of_the_same_bytes_moves_none(tmp_path: Path) -> None:
    x = ops.parameter([1, 2, 3], np.float32, name="x")
    flat = ops.reshape(ops.softmax(x, 1), ops.constant(np.array([1, 6])), False)
    path = save(tmp_path / "views.xml", [ops.softmax(flat, 1)], [x])
    nodes = window_of(compile_model(path), 0.0).nodes
    assert [(node.kind, node.bytes) for node in nodes] == [("Softmax", 48), ("Reshape", 0), ("Softmax", 48)]


def test_a_window_mean_is_never_negative() -> None:
    assert window_mean(5, 20, 0, 120) == 0


def test_an_lstm_read_from_disk_is_executed_by_the_sequence_kernel(ir: IRMaker) -> None:
    check_recurrent(rows(ir("lstm"), NETWORKS["lstm"]), ir("lstm"))
    check_recurrent(rows(ir("lstm-of-two"), NETWORKS["lstm-of-two"]), ir("lstm-of-two"))


def test_an_lstm_that_runs_as_a_loop_is_no_baseline(ir: IRMaker) -> None:
    found = rows(ir("lstm"), NETWORKS["lstm"])
    loop = [Row(**{**vars(row), "kind": row.kind.replace("RNNSeq", "TensorIterator")}) for row in found]
    with pytest.raises(AnswerIsNo, match=r"executed as a TensorIterator.*LSTMSequence"):
        check_recurrent(loop, Path("bundle"))
    with pytest.raises(AnswerIsNo, match="no recurrent node"):
        check_recurrent(rows(ir("one-point"), None), Path("bundle"))


def test_names_of_the_exporter_lead_to_layers(ir: IRMaker) -> None:
    origins = origins_of(read_model(ir("sequence")), NETWORKS["sequence"])
    for name, origin in origins.items():
        if "/" in name:
            assert origin.layer == name.partition("/")[0]
