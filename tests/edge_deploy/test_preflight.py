"""Preflight: a small model for each rule that trips just that one, the same at its limit, and our own networks."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from openvino import opset14
from pydantic import TypeAdapter, ValidationError

from edge_deploy.convert import random_ir
from edge_deploy.model_file import read_model
from edge_deploy.preflight.checks import CHECKS
from edge_deploy.preflight.networks import Network
from edge_deploy.preflight.preflight import DEVICE_SAYS, preflight, preflight_model
from edge_deploy.preflight.rules import SEVERITIES, Rule, load_rules, targets
from edge_toolkit.matching import matched_lstm
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import SEQUENCE
from tests.edge_deploy.npu_models_for_tests import (
    branches,
    convolution,
    loop,
    lstm,
    max_pool,
    model_of,
    one,
    pooling,
    rnn,
    squared,
    twins,
    w,
    x,
)

TRIPS: dict[str, list[ov.Model]] = {
    "dynamic-shape": [one(ops.non_zero, x(4, 4)), one(ops.relu, x(1, -1))],
    "element-type": [one(ops.convert, x(1, 8, kind=ov.Type.u1), "f32")],
    "no-parser": [rnn()],
    "shave": [one(ops.softmax, x(1, 16), 1), one(ops.mvn, x(1, 16, 4), w(1), True, 1e-6, "inside_sqrt")],
    "shave-before-5000": [one(ops.tanh, x(1, 16)), one(ops.gelu, x(1, 16), "erf")],
    "computed-factors": [squared(ops.multiply), squared(ops.divide)],
    "recurrent": [lstm(hidden=16)],
    "unrolled-loop": [loop()],
    "both-branches": [branches()],
    "batch": [one(ops.relu, x(2, 16))],
    "large-kernel": [convolution(kernel=13), pooling(kernel=13, stride=1)],
    "large-stride": [convolution(stride=9), pooling(kernel=3, stride=9)],
    "large-dimension": [convolution(width=8193), one(ops.matmul, x(1, 16), w(16, 8193), False, False)],
    "padded-channels": [convolution(channels=24)],
    "unlisted-operation": [one(ops.multinomial, x(1, 4), ops.constant(2), "i32", False, False)],
    "rank": [one(ops.relu, x(1, 2, 2, 2, 2, 2))],
    "float16-range": [
        one(ops.add, x(1, 16), w(1, value=-1e9)),
        one(ops.add, x(1, 16), w(1, value=65520)),
        one(ops.add, x(1, 2), ops.constant(np.array([1, -7e4], np.float32))),
    ],
    "float64": [one(ops.relu, x(1, 16, kind=np.float64))],
    "newer-opset": [max_pool(opset14)],
    "same-name": [twins()],
}
"""Models by the one rule that each trips, at its operation `made` or its input `x`."""

FITS = {
    "convolution": convolution(),
    "at the widest": convolution(width=8192),
    "at the largest kernel": convolution(kernel=11),
    "at the largest stride": convolution(stride=8),
    "pooling at its limits": pooling(kernel=11, stride=8),
    "channels": convolution(channels=32),
    "five axes": one(ops.relu, x(1, 2, 2, 2, 2)),
    "the largest float16": one(ops.add, x(1, 16), w(1, value=65519)),
    "an infinity": one(ops.add, x(1, 16), w(1, value=-np.inf)),
    "a constant factor": one(ops.multiply, x(1, 16), w(1, 16)),
    "a softmax of constants": one(ops.add, x(1, 16), ops.softmax(w(1, 16), 1)),
    "an older opset": max_pool(ops),
    "one long axis": one(ops.relu, x(20000)),
    "half": one(ops.relu, x(1, 16, kind=np.float16)),
}


@pytest.mark.parametrize(
    ("name", "model"),
    [pytest.param(name, model, id=f"{name}-{at}") for name, models in TRIPS.items() for at, model in enumerate(models)],
)
def test_a_model_trips_its_rule_alone(name: str, model: ov.Model) -> None:
    findings = preflight_model(model)
    assert {finding.rule for finding in findings} == {name}
    constant = name == "float16-range"
    assert constant or {finding.layer for finding in findings} & {"made", "x"}
    rule = load_rules("npu").rules[name]
    for finding in findings:
        assert (finding.severity, finding.source) == (rule.severity, rule.source)
        assert "{" not in finding.problem + finding.remedy


@pytest.mark.parametrize("model", FITS.values(), ids=FITS.keys())
def test_a_model_at_the_limits_trips_none(model: ov.Model) -> None:
    assert preflight_model(model) == ()


def test_every_rule_is_tripped_by_a_model_here() -> None:
    """Two have tests of their own: an LSTM trips two rules, and the device is not here."""
    assert set(load_rules("npu").rules) == {*TRIPS, "lstm-hidden-size", DEVICE_SAYS}


SAYS = [
    ("large-kernel", "has a kernel of 13, more than the 11"),
    ("large-stride", "has a stride of 9, more than the array's 8"),
    ("large-dimension", "has a tensor with an axis of 8193, more than the 8192"),
    ("padded-channels", "computes 32 channels for the 24"),
    ("float16-range", "holds -1e+09"),
    ("batch", "has a batch of 2"),
    ("rank", "has a tensor of 6 axes"),
    ("unlisted-operation", "is a Multinomial (opset13)"),
    ("newer-opset", "is MaxPool of opset14"),
    ("dynamic-shape", "has the shape [2,..16]"),
    ("element-type", "has a tensor of type u1"),
    ("same-name", "is the name of 2 operations"),
    ("shave", "Softmax runs on the SHAVE"),
]


@pytest.mark.parametrize(("name", "told"), SAYS)
def test_a_finding_says_what_it_found(name: str, told: str) -> None:
    assert preflight_model(TRIPS[name][0])[0].problem.startswith(told)


@pytest.mark.parametrize(("hidden", "unrolled"), [(16, False), (32, False), (24, True), (179, True)])
def test_an_lstm_whose_width_fits_no_kernel_is_unrolled(hidden: int, unrolled: bool) -> None:
    findings = {finding.rule: finding for finding in preflight_model(lstm(hidden))}
    assert set(findings) == {"recurrent", *(["lstm-hidden-size"] if unrolled else [])}
    if unrolled:
        assert f"a hidden size of {hidden}, no multiple of 16" in findings["lstm-hidden-size"].problem
        assert "7 steps" in findings["lstm-hidden-size"].problem


def test_weights_that_are_stored_as_integers_are_no_computed_factors() -> None:
    data, stored = x(1, 16, 1, 40), ops.constant(np.ones((16, 16, 1, 1), np.uint8))
    weights = ops.multiply(ops.subtract(ops.convert(stored, "f32"), w(1)), w(16, 1, 1, 1))
    made = ops.convolution(data, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    assert preflight_model(model_of(made, data)) == ()


def test_what_follows_from_shapes_alone_is_folded() -> None:
    data = x(1, 16)
    made = ops.multiply(data, ops.broadcast(w(1), ops.shape_of(data)))
    assert preflight_model(model_of(made, data)) == ()


def test_what_is_new_each_time_is_not_folded() -> None:
    """A random number and a state are read anew, though all that they are made from is constant."""
    data, shape, bound = x(1, 4), ops.constant([1, 4]), ops.constant(np.float32(1))
    drawn = ops.random_uniform(shape, ops.constant(np.float32(0)), bound, "f32")
    state = ops.read_value(w(1, 4), "state", np.float32, [1, 4])
    made = ops.multiply(ops.add(data, drawn), state)
    model = ov.Model([made.output(0)], [ops.assign(state, "state")], [data])
    assert {finding.rule for finding in preflight_model(model)} == {"shave", "computed-factors"}


def test_only_what_makes_a_shape_dynamic_is_named() -> None:
    data = x(-1, 16)
    model = model_of(ops.relu(ops.relu(data)), data)
    assert [finding.layer for finding in preflight_model(model)] == ["x"]


def test_the_worst_comes_first_then_the_order_of_execution() -> None:
    data, state = x(1, 5), w(1, 16)
    layers = [ops.softmax(data, 1), ops.tanh(ops.softmax(data, 1))]
    layers.append(ops.rnn_cell(layers[1], state, w(16, 5), w(16, 16), w(16), 16, ["tanh"], [], []))
    for name, layer in zip(("alone", "tanh", "rnn"), layers, strict=True):
        layer.set_friendly_name(name)
    model = ov.Model([layers[0].output(0), layers[2].output(0)], [data])
    found = [(finding.severity, finding.layer) for finding in preflight_model(model)]
    place = {op.get_friendly_name(): index for index, op in enumerate(model.get_ordered_ops())}
    assert found == sorted(found, key=lambda each: (SEVERITIES.index(each[0]), place[each[1]]))
    assert found[0] == ("refused", "rnn")
    assert len(found) == 4


def test_findings_of_our_own_network(ir: IRMaker) -> None:
    """By hand: 8 channels are computed as 16; an attention block has one softmax, and one GELU in its MLP."""
    model = read_model(ir("sequence"))
    findings = preflight_model(model, SEQUENCE)
    wide = [op for op in model.get_ops() if op.get_type_name() in ("Convolution", "GroupConvolution")]
    odd = [op for op in wide if op.output(0).get_shape()[1] % 16]
    expected = {"padded-channels": len(odd), "shave": 1, "shave-before-5000": 1}
    assert Counter(finding.rule for finding in findings) == expected
    assert len(odd) > 5
    blocks = {finding.rule: finding.block for finding in findings if finding.rule != "padded-channels"}
    assert blocks == {"shave": "stages.0.blocks.2", "shave-before-5000": "stages.0.blocks.2"}
    assert all("channels for the" in finding.problem for finding in findings if finding.rule == "padded-channels")


def test_findings_of_the_lstm_of_equal_size(tmp_path: Path) -> None:
    """Two layers of 12 and 3 units, which fit no kernel, behind a stem of 8 channels; the head has 12."""
    spec = matched_lstm(SEQUENCE, "parameters")
    assert spec.hidden == (12, 3)
    findings = preflight_model(read_model(random_ir(spec, tmp_path)), spec)
    both = [(rule, f"lstm.{layer}") for rule in ("recurrent", "lstm-hidden-size") for layer in (0, 1)]
    expected = [*both, ("padded-channels", "stem"), ("padded-channels", "head")]
    assert sorted((finding.rule, finding.block) for finding in findings) == sorted(expected)
    assert any(finding.problem.startswith("has a hidden size of 12, no multiple of 16") for finding in findings)


class Device:
    """A core that sees devices, and an NPU that takes everything but what it is told to refuse."""

    def __init__(self, *refused: str, error: str = "", here: tuple[str, ...] = ("CPU", "NPU")) -> None:
        self.refused, self.error, self.available_devices = refused, error, list(here)

    def query_model(self, model: Any, device_name: str) -> dict[str, str]:
        assert device_name == "NPU"
        if self.error:
            raise RuntimeError(self.error)
        names = [op.get_friendly_name() for op in model.get_ops()]
        return {name: device_name for name in names if name not in self.refused}


BARE = ("CPU", "GPU.0", "GPU.1")
ASKED = [
    (Device(), [], "NPU itself was asked, too"),
    (Device("made"), [(DEVICE_SAYS, "made")], "NPU itself was asked, too"),
    (Device("x"), [], "NPU itself was asked, too"),  # an input is no operation
    (
        Device(error="no such call\nthe driver is old"),
        [],
        "NPU itself was asked, and gave no answer (the driver is old)",
    ),
    (
        Device(error="no library", here=BARE),
        [],
        "NPU itself was not asked: OpenVINO sees CPU, GPU.0, GPU.1 on this machine",
    ),
    (
        Device("made", here=BARE),
        [(DEVICE_SAYS, "made")],
        "NPU itself was asked, too",
    ),  # its compiler is here, the device is not
]


@pytest.mark.parametrize(("core", "found", "told"), ASKED)
def test_the_device_is_asked_where_it_can_answer(core: Device, found: list[tuple[str, str]], told: str) -> None:
    network = Network("", convolution(), None)
    made = preflight("model.xml", [network], load_rules("npu"), core)
    assert [(finding.rule, finding.layer) for finding in made.findings] == found
    assert made.device.startswith(told)
    assert made.refused == (("",) if found else ())


def test_findings_of_several_networks_keep_their_names() -> None:
    networks = [Network("a", convolution(), None), Network("b", rnn(), None), Network("c", lstm(16), None)]
    made = preflight("three", networks, load_rules("npu"), Device())
    assert made.networks == ("a", "b", "c")
    assert [(finding.network, finding.rule) for finding in made.findings] == [("b", "no-parser"), ("c", "recurrent")]
    assert made.refused == ("b",)
    assert made.operations == 3


def test_rules_have_sources_and_something_that_checks_them() -> None:
    for target in targets():
        for name, rule in load_rules(target).rules.items():
            assert len(rule.source) > 20, name
            assert name in CHECKS or rule.operations or name == DEVICE_SAYS, name
    with pytest.raises(ValidationError, match=r"(?s)source.*at least 1 character"):
        TypeAdapter(Rule).validate_python({"severity": "slow", "problem": "a", "remedy": "b", "source": ""})


def test_operations_are_spelled_as_openvino_spells_them() -> None:
    """Its Python functions create operations by their types' names, but for a few classes and two that have none."""
    folder = Path(ov.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("opset*/*.py"))
    spelled = set(re.findall(r'create\(\s*"(\w+)"', text))
    classes = {"Constant", "If", "Loop", "Parameter", "TensorIterator"}
    assert len(spelled) > 150
    rules = load_rules("npu").rules
    listed = {name for rule in rules.values() for name in rule.operations}
    assert listed - spelled - classes == {"ExperimentalDetectronROIFeatureExtractor", "Reverse"}
    assert listed == set(rules["unlisted-operation"].operations)
    for rule in rules.values():
        assert len(set(rule.operations)) == len(rule.operations)


def test_element_types_are_spelled_as_openvino_spells_them() -> None:
    kinds = [kind for rule in load_rules("npu").rules.values() for kind in rule.types]
    assert kinds
    assert all(getattr(ov.Type, kind).to_string() == kind for kind in kinds)
