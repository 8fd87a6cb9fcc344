"""`layers` and `estimate`."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import yaml
from openvino import opset13 as ops

from edge_toolkit.architecture import Architecture, Head, MBConv, Stage, Stem
from edge_toolkit.cli import main
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.layer_terms import TERMS
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import digest, spec_to_json
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import ONE_LAYER, SEQUENCE
from tests.edge_toolkit.calibrated_for_tests import calibrated


@pytest.fixture
def described(tmp_path: Path) -> Path:
    folder = tmp_path / "network"
    folder.mkdir()
    (folder / "architecture.json").write_text(json.dumps(spec_to_json(SEQUENCE)))
    return folder


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(spec_to_json(spec)) + "\n" for spec in (SEQUENCE, ONE_LAYER)))
    return path


def run(*arguments: object, status: int = 0) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(each) for each in arguments])
    assert stopped.value.code == status


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    run(*arguments, "--json", "-")
    payload: dict[str, Any] = json.loads(capsys.readouterr().out)
    return payload


def test_layers_of_a_model_and_of_its_description_are_the_same(
    ir: IRMaker, described: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = layers_of(SEQUENCE)
    sums = {"layers": len(table), **{name: int(getattr(table, name).sum()) for name in ("macs", "weights", "inputs")}}
    for target in (described, described / "architecture.json", ir("sequence")):
        payload = told(capsys, "layers", target)
        assert payload["totals"].items() >= sums.items()
        # OpenVINO's order of execution has the values of an attention before its queries.
        assert sorted(row["name"] for row in payload["rows"]) == sorted(table.name.tolist())
        assert payload["uncounted"] == []


def test_layers_are_printed_and_written(described: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("layers", described, "--csv", tmp_path / "layers.csv")
    shown = capsys.readouterr().out.splitlines()
    table = layers_of(SEQUENCE)
    assert len(shown) == len(table) + 3
    sums = [str(each.sum()) for each in (table.weights, table.inputs, table.outputs)]
    assert shown[-1].split() == ["all", f"{table.macs.sum() / 1e3:.1f}", *sums]
    with (tmp_path / "layers.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [int(row["macs"]) for row in written] == table.macs.tolist()


def test_the_rows_of_an_estimate_are_the_costs(described: Path, capsys: pytest.CaptureFixture[str]) -> None:
    payload = told(capsys, "estimate", described, "--device", "xr-npu")
    cost = estimate(layers_of(SEQUENCE), load_device("xr-npu"))
    assert payload["latency_ms"] == pytest.approx(cost.latency_ms)
    assert sum(row["latency_ms"] for row in payload["rows"]) == pytest.approx(cost.latency_ms)
    assert sum(row["energy_mj"] for row in payload["rows"]) == pytest.approx(cost.energy_mj)
    assert {row["processor"] for row in payload["rows"]} == {"npu"}
    assert (payload["device"], payload["latency_origin"], payload["energy_origin"]) == (
        "xr-npu",
        "modelled",
        "modelled",
    )
    run("estimate", described, "--device", "xr-npu")
    shown = capsys.readouterr().out
    assert f"{cost.latency_ms * 1e3:.2f}" in shown.splitlines()[-2]
    assert "latency modelled, energy modelled, at int8" in shown


def test_listed_networks_are_estimated_one_a_line(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    payload = told(capsys, "estimate", "--architectures", listed, "-d", "xr-npu")
    assert [each["network"] for each in payload["networks"]] == [digest(SEQUENCE), digest(ONE_LAYER)]
    for each, spec in zip(payload["networks"], (SEQUENCE, ONE_LAYER), strict=True):
        assert each["latency_ms"] == pytest.approx(estimate(layers_of(spec), load_device("xr-npu")).latency_ms)
        assert each["macs"] == layers_of(spec).macs.sum()
    run("estimate", "--architectures", listed, "-d", "xr-npu")
    assert digest(ONE_LAYER) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["estimate"], "estimate: give TARGET, --architectures FILE or --workloads FILE; exactly one of them"),
        (["estimate", "x", "--architectures", "y"], "exactly one of them"),
        (["estimate", "x", "--workloads", "y"], "exactly one of them"),
        (["estimate", "x.onnx"], "--device is missing; give one of those that `edge-toolkit devices` lists"),
        (["estimate", "x.onnx", "-d", "warp"], "--device warp: no such device"),
        (["estimate", "x.onnx", "-d", "xr-npu"], "x.onnx: there is no such file or folder"),
        (["layers", "."], ".: holds neither a bundle (manifest.json) nor a network (architecture.json)"),
        (["layers", "x.json"], "x.json: cannot be read"),
        (["layers", "x.onnx", "--csv", "-"], "--csv -: must be a file's name"),
    ],
)
def test_what_cannot_be_served_is_told(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run(*arguments, status=2)
    assert message in capsys.readouterr().err


PLAIN = Architecture((3, 1, 30), Stem(8, 5, 2), (Stage(8, 1, (MBConv(5, 2),)),), Head(4))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A calibrated device that knows no attention, and none of a convolution without its role."""
    path, whole = tmp_path / "mine.yaml", calibrated()
    whole["processors"]["cpu"]["ns"] |= {"elementwise": {"outputs": 1}}
    path.write_text(yaml.safe_dump(whole))
    return path


def test_one_network_that_cannot_be_run_costs_no_other(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "two.jsonl"
    listed.write_text("".join(json.dumps(spec_to_json(spec)) + "\n" for spec in (SEQUENCE, PLAIN)))
    networks = told(capsys, "estimate", "--architectures", listed, "--device", mine)["networks"]
    by_hand = estimate(layers_of(PLAIN), load_device(str(mine)))
    assert [each["latency_ms"] for each in networks] == [None, pytest.approx(by_hand.latency_ms)]
    listed.write_text(json.dumps(spec_to_json(SEQUENCE)) + "\n")
    run("estimate", "--architectures", listed, "--device", mine, status=1)
    err = " ".join(capsys.readouterr().err.split())
    assert "line 1: mine can't run" in err
    assert "mine can run none of the networks" in err


def test_a_bare_export_costs_on_a_calibrated_device_what_its_description_does(
    ir: IRMaker, described: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its roles, which some terms go by, come from the names of its operations."""
    path, whole = tmp_path / "all.yaml", calibrated()
    whole["processors"]["cpu"]["ns"] = {
        kind: {term: 10.0 + index for index, term in enumerate(terms)} for kind, terms in TERMS.items()
    }
    path.write_text(yaml.safe_dump(whole))
    bare, known = (told(capsys, "estimate", each, "--device", path) for each in (ir("sequence"), described))
    assert bare["latency_ms"] == pytest.approx(known["latency_ms"])


def test_a_calibrated_device_warns_of_a_model_from_elsewhere(
    tmp_path: Path, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ops.parameter([1, 3, 8, 8], np.float32, name="data")
    kernel = ops.constant(np.ones((4, 3, 1, 1), np.float32))
    one = ops.convolution(data, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    ov.save_model(ov.Model([one], [data]), tmp_path / "model.xml", compress_to_fp16=False)
    run("estimate", tmp_path / "model.xml", "--device", mine)
    assert "was calibrated on networks of imu-s, and the model comes from elsewhere" in capsys.readouterr().err
    run("estimate", tmp_path / "model.xml", "--device", "xr-npu")
    assert "elsewhere" not in capsys.readouterr().err
