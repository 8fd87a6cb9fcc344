"""Preflight: a small model for each rule that trips just that one, the same at its limit, and our own networks."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops
from openvino import opset14
from pydantic import TypeAdapter, ValidationError

from edge_deploy.bundle import records_of, write_bundle
from edge_deploy.convert import random_ir
from edge_deploy.preflight.checks import CHECKS
from edge_deploy.preflight.networks import Network, networks_at
from edge_deploy.preflight.preflight import DEVICE_SAYS, Finding, preflight, preflight_model
from edge_deploy.preflight.rules import SEVERITIES, Rule, load_rules, targets
from edge_deploy.runtime import read_model
from edge_toolkit.cli import answer_of, main
from edge_toolkit.matching import matched_lstm
from edge_toolkit.specs import digest, spec_from_json, spec_to_json
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import SEQUENCE
from tests.edge_deploy.test_bundle import CONTENTS, MANIFEST


def x(*shape: int, kind: Any = np.float32) -> Any:
    return ops.parameter(list(shape), kind, name="x")


def w(*shape: int, value: float = 0.5) -> Any:
    return ops.constant(np.full(shape, value, np.float32))


def model_of(made: Any, *inputs: Any) -> ov.Model:
    made.set_friendly_name("made")
    return ov.Model([made.output(0)], list(inputs))


def one(function: Callable[..., Any], data: Any, *arguments: Any, **options: Any) -> ov.Model:
    """A model of one operation, called `made`, on the input `data`."""
    return model_of(function(data, *arguments, **options), data)


def convolution(channels: int = 16, kernel: int = 3, stride: int = 1, width: int = 40) -> ov.Model:
    pads = [0, kernel // 2]
    weights = w(channels, 16, 1, kernel)
    return one(ops.convolution, x(1, 16, 1, width), weights, [1, stride], pads, pads, [1, 1])


def pooling(kernel: int, stride: int) -> ov.Model:
    return one(ops.avg_pool, x(1, 16, 1, 40), [1, stride], [0, 0], [0, 0], [1, kernel], True)


def lstm(hidden: int, steps: int = 7) -> ov.Model:
    data, state = x(1, steps, 5), w(1, 1, hidden)
    weights = w(1, 4 * hidden, 5), w(1, 4 * hidden, hidden), w(1, 4 * hidden)
    lengths = ops.constant(np.array([steps], np.int32))
    return model_of(ops.lstm_sequence(data, state, state, lengths, *weights, hidden, "forward"), data)


def rnn() -> ov.Model:
    return one(ops.rnn_cell, x(1, 5), w(1, 16), w(16, 5), w(16, 16), w(16), 16, ["tanh"], [], [])


def loop() -> ov.Model:
    data, step, state = x(1, 7, 16), ops.parameter([1, 1, 16], np.float32), ops.parameter([1, 1, 16], np.float32)
    added = ops.add(step, state)
    made = ops.tensor_iterator()
    made.set_body(ov.Model([added.output(0)], [step, state]))
    made.set_sliced_input(step, data.output(0), 0, 1, 1, -1, 1)
    made.set_merged_input(state, w(1, 1, 16).output(0), added.output(0))
    made.set_friendly_name("made")
    return ov.Model([made.get_iter_value(added.output(0), -1)], [data])


def branches() -> ov.Model:
    data, which = x(1, 16), ops.parameter([1], np.bool_)
    made = ops.if_op(which.output(0))
    inner = [ops.parameter([1, 16], np.float32) for _ in range(2)]
    results = [ops.result(function(each)) for function, each in zip((ops.relu, ops.negative), inner, strict=True)]
    bodies = [ov.Model([result], [each]) for result, each in zip(results, inner, strict=True)]
    made.set_then_body(bodies[0])
    made.set_else_body(bodies[1])
    made.set_input(data.output(0), inner[0], inner[1])
    made.set_output(results[0], results[1])
    made.set_friendly_name("made")
    return ov.Model([made.output(0)], [data, which])


def twins() -> ov.Model:
    data = x(1, 16)
    first = ops.relu(data)
    first.set_friendly_name("made")
    return model_of(ops.relu(first), data)


def squared(function: Callable[..., Any]) -> ov.Model:
    data = x(1, 16)
    return model_of(function(data, ops.relu(data)), data)


def max_pool(opset: Any) -> ov.Model:
    return one(opset.max_pool, x(1, 16, 1, 40), [1, 2], [1, 1], [0, 0], [0, 0], [1, 2])


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
    "float16-range": [one(ops.add, x(1, 16), w(1, value=-1e9))],
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
    "the largest float16": one(ops.add, x(1, 16), w(1, value=65504)),
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
    assert found == sorted(found, key=lambda each: (SEVERITIES.index(each[0]), place[each[1]]))  # type: ignore[arg-type]
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


def run(*arguments: object, status: int = 0) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["preflight", *(str(each) for each in arguments)])
    assert stopped.value.code == status


def told(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> dict[str, Any]:
    run(*arguments, "--json", "-", status=status)
    payload: dict[str, Any] = json.loads(capsys.readouterr().out)
    return payload


def saved(model: ov.Model, folder: Path) -> Path:
    ov.save_model(model, folder / "model.xml", compress_to_fp16=False)
    return folder / "model.xml"


ANSWERS = [
    (convolution(), 0, "fits"),
    (one(ops.softmax, x(1, 16), 1), 0, "fits with 1 slow layer"),
    (lstm(24), 0, "fits with 1 slow layer"),  # one layer, two findings
    (rnn(), 1, "refused"),
    (one(ops.add, x(1, 16), w(1, value=-1e9)), 0, "fits; unknown of 1 layer"),
]


@pytest.mark.parametrize(("model", "status", "verdict"), ANSWERS, ids=[verdict for *_, verdict in ANSWERS])
def test_the_verdict_is_the_last_line_and_the_exit_status(
    model: ov.Model, status: int, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(model, tmp_path)
    run(path, status=status)
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == f"{path}: {verdict}"
    assert "NPU itself was" in out.splitlines()[-2]
    assert err.startswith(f"edge-toolkit: {path}: refused; change") == (status == 1)
    payload = told(capsys, path, status=status)
    assert (payload["verdict"], payload["target"]) == (verdict, str(path))


def test_a_row_names_three_layers_and_counts_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = data = x(1, 16)
    for index in range(5):
        made = ops.tanh(made)
        made.set_friendly_name(f"t{index}")
    path = saved(ov.Model([made], [data]), tmp_path)
    run(path)
    out = " ".join(capsys.readouterr().out.split())
    assert "t0, t1, t2 and 2 more" in out
    assert load_rules("npu").rules["shave-before-5000"].source in out
    assert [finding["layer"] for finding in told(capsys, path)["findings"]] == ["t0", "t1", "t2", "t3", "t4"]


def test_a_bundle_tells_its_blocks(ir: IRMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: ir("sequence").with_name(name).read_bytes() for name in ("model.xml", "model.bin")}
    contents = CONTENTS | files
    write_bundle(tmp_path / "knee", replace(MANIFEST, files=records_of(contents)), contents)
    payload = told(capsys, tmp_path / "knee")
    assert [Finding(**each) for each in payload["findings"]] == list(
        preflight_model(read_model(ir("sequence")), SEQUENCE)
    )


def test_a_described_network_is_checked_as_its_export(
    ir: IRMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "architecture.json").write_text(json.dumps(spec_to_json(SEQUENCE)))
    exported = told(capsys, ir("sequence"))
    for target in (tmp_path, tmp_path / "architecture.json"):
        payload = told(capsys, target)
        assert payload["operations"] == exported["operations"]
        for name in ("rule", "layer", "problem"):
            assert [each[name] for each in payload["findings"]] == [each[name] for each in exported["findings"]]


def test_a_space_is_checked_at_its_ends_and_between(capsys: pytest.CaptureFixture[str]) -> None:
    """By hand: the smallest network of imu-s has no attention and widths of 16, 32 and 48; the largest, four blocks."""
    payload = told(capsys, "imu-s", "--sample", "1", "--seed", "3")
    assert payload["networks"] == ["smallest", "largest", "sample 1"]
    found = Counter((each["network"], each["rule"]) for each in payload["findings"])
    assert not [rule for network, rule in found if network == "smallest"]
    assert (found["largest", "shave"], found["largest", "shave-before-5000"]) == (4, 4)
    slow = {each["layer"] for each in payload["findings"] if each["network"] == "largest"}
    assert payload["verdict"] == f"fits with up to {len(slow)} slow layers a network"


def test_the_sample_is_that_of_the_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ir: IRMaker) -> None:
    """Line n of `spaces sample` is `sample n`; what is drawn twice is checked once."""
    monkeypatch.setattr("edge_deploy.convert.random_ir", lambda spec, folder: ir("sequence"))
    drawn = list(networks_at("imu-s", 3, 7))
    lines = answer_of("spaces", "sample", "imu-s", "--count", "3", "--seed", "7").splitlines()
    assert [network.name for network in drawn] == ["smallest", "largest", "sample 1", "sample 2", "sample 3"]
    assert [network.spec for network in drawn[2:]] == [spec_from_json(json.loads(line)) for line in lines]
    space = tmp_path / "one.yaml"
    space.write_text(ONE_NETWORK)
    assert [network.name for network in networks_at(str(space), 5)] == ["smallest"]
    assert len({digest(network.spec) for network in drawn if network.spec is not None}) == 5


ONE_NETWORK = """\
input: [3, 1, 30]
classes: 4
stem: {width: [16], kernel: 3, stride: 2}
stages:
  - {blocks: [mbconv], width: [16], depth: [1], stride: 1, kernel: [3], expand: [2]}
"""

WRONG = [
    (["nosuch"], "space 'nosuch' is no built-in space and no file; use"),
    (["none.yaml"], "space 'none.yaml' is no built-in space and no file"),
    (["none.onnx"], "none.onnx: there is no such file or folder"),
    (["runs/none"], "runs/none: there is no such file or folder"),
    (["none.json"], "none.json: cannot be read"),
    (["."], ".: holds neither a bundle (manifest.json) nor a network (architecture.json)"),
    (["text.onnx"], "text.onnx: is not an ONNX file"),
    (["imu-s", "--target", "warp"], "--target warp: there are no rules for it; use one of npu"),
    (["text.onnx", "--sample", "3"], "text.onnx: is no search space, and --sample and --seed draw networks of one"),
    (["text.onnx", "--seed", "3"], "text.onnx: is no search space"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_what_cannot_be_served_is_told(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.onnx").write_text("text")
    run(*arguments, status=2)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"edge-toolkit: {message}")


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
