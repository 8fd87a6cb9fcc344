"""`preflight`: what it is pointed at, what it prints, and its exit status."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.bundle import records_of, write_bundle
from edge_deploy.model_file import read_model
from edge_deploy.preflight.networks import networks_at
from edge_deploy.preflight.preflight import Finding, preflight_model
from edge_deploy.preflight.rules import load_rules
from edge_toolkit.cli import answer_of, main
from edge_toolkit.specs import digest, spec_from_json, spec_to_json
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import SEQUENCE
from tests.edge_deploy.npu_models_for_tests import convolution, lstm, one, rnn, w, x
from tests.edge_deploy.test_bundle import CONTENTS, MANIFEST


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


@pytest.mark.slow
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
