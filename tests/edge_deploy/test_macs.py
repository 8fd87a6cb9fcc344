"""MACs of OpenVINO's operations against hand counts, and of whole exports against the layer table."""

from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.macs import macs_of, model_macs, model_parameters, uncounted
from edge_deploy.model_file import read_model
from edge_toolkit.layers import layers_of
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import NETWORKS


def x(*shape: int) -> Any:
    return ops.parameter(list(shape), np.float32)


def w(*shape: int) -> Any:
    return ops.constant(np.zeros(shape, np.float32))


ALONG = {"strides": [1, 1], "pads_begin": [1, 1], "pads_end": [1, 1], "dilations": [1, 1]}
STEPS = ops.constant(np.array([7], np.int32))

CASES = {
    # 8 x 10 outputs, 6 channels, each of 3 * 3 * 4 products
    "convolution": (ops.convolution(x(1, 4, 8, 10), w(6, 4, 3, 3), **ALONG), 80 * 6 * 36),
    # 80 outputs, 4 channels, each of 9 products
    "depthwise": (ops.group_convolution(x(1, 4, 8, 10), w(4, 1, 1, 3, 3), **ALONG), 80 * 4 * 9),
    # 80 outputs, 2 groups of 3 channels out and 2 in
    "grouped": (ops.group_convolution(x(1, 4, 8, 10), w(2, 3, 2, 3, 3), **ALONG), 80 * 6 * 18),
    # each of 80 x 4 inputs meets 6 x 9 weights
    "transposed": (
        ops.convolution_backprop_data(x(1, 4, 8, 10), w(4, 6, 3, 3), strides=[2, 2]),
        80 * 4 * 54,
    ),
    "matmul": (ops.matmul(x(2, 3, 5, 7), x(2, 3, 7, 4), False, False), 6 * 5 * 7 * 4),
    "matmul-a-turned": (ops.matmul(x(2, 7, 5), x(2, 7, 4), True, False), 2 * 5 * 7 * 4),
    "matmul-b-turned": (ops.matmul(x(1, 7), w(4, 7), False, True), 28),
    "matmul-of-a-vector": (ops.matmul(x(7), w(7, 4), False, False), 28),
    # 7 steps of 4 gates, 3 units, 5 features and 3 of the state
    "lstm": (
        ops.lstm_sequence(x(1, 7, 5), w(1, 1, 3), w(1, 1, 3), STEPS, w(1, 12, 5), w(1, 12, 3), w(1, 12), 3, "forward"),
        7 * 4 * 3 * (5 + 3),
    ),
    "gru": (
        ops.gru_sequence(x(1, 7, 5), w(1, 1, 3), STEPS, w(1, 9, 5), w(1, 9, 3), w(1, 9), 3, "forward"),
        7 * 3 * 3 * (5 + 3),
    ),
    # 2 heads: scores 6 x 4 x 8, mix 6 x 4 x 5
    "attention": (
        ops.scaled_dot_product_attention(x(1, 2, 6, 8), x(1, 2, 4, 8), x(1, 2, 4, 5)),
        2 * 6 * 4 * (8 + 5),
    ),
    "softmax": (ops.softmax(x(1, 8), 1), 0),
}


@pytest.mark.parametrize(("op", "macs"), CASES.values(), ids=CASES)
def test_macs_of_one_operation(op: Any, macs: int) -> None:
    assert macs_of(op) == macs


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_of_an_export_are_the_layer_tables(ir: IRMaker, name: str) -> None:
    assert model_macs(read_model(ir(name))) == layers_of(NETWORKS[name]).macs.sum()


@pytest.mark.parametrize("name", ["sequence", "sequence-windows"])
def test_weights_of_an_export_are_the_layer_tables(ir: IRMaker, name: str) -> None:
    """The export folds normalisation, so what it stores is the table's `weights`."""
    assert model_parameters(read_model(ir(name))) == layers_of(NETWORKS[name]).weights.sum()


def test_an_operation_that_multiplies_inside_is_named() -> None:
    """Batched products by a formula: 5 * 2 * 4 * 3 of them, which nothing here counts."""
    left, right = x(5, 2, 3), x(5, 3, 4)
    product = ops.einsum([left, right], "bij,bjk->bik")
    product.set_friendly_name("product")
    model = ov.Model([product], [left, right])
    assert model_macs(model) == 0
    assert uncounted(model) == ("product",)


def test_shapes_and_scalars_are_no_parameters() -> None:
    data = x(1, 6)
    reshaped = ops.reshape(data, ops.constant(np.array([2, 3])), False)
    model = ov.Model([ops.multiply(ops.matmul(reshaped, w(3, 4), False, False), ops.constant(np.float32(2)))], [data])
    assert model_parameters(model) == 12
