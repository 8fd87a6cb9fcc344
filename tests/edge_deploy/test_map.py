"""The command `map`, against the library and against what it must say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
import yaml
from openvino import opset13 as ops
from typer.testing import CliRunner

from edge_deploy.commands import app
from edge_toolkit.architecture import Architecture
from edge_toolkit.cli import main
from edge_toolkit.cost import estimate
from edge_toolkit.device import FOLDER, load_device
from edge_toolkit.files import write_json
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import spec_to_json

BOTH = "xr-npu+cim-mram"


@pytest.fixture
def target(image_architecture: Architecture, tmp_path: Path) -> str:
    write_json(tmp_path / "architecture.json", spec_to_json(image_architecture))
    return str(tmp_path)


def run(*arguments: str) -> str:
    """Standard output of a command that must end well."""
    result = CliRunner().invoke(app, ["map", *arguments])
    if result.exception:
        raise result.exception
    return result.stdout


def facts(*arguments: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(run(*arguments, "--json", "-"))
    return value


def test_it_tells_what_estimate_tells(target: str, image_architecture: Architecture) -> None:
    cost = estimate(layers_of(image_architecture), load_device(BOTH))
    told = facts(target, "--device", BOTH)
    assert told["latency_ms"] == pytest.approx(cost.latency_ms)
    assert told["energy_mj"] == pytest.approx(cost.energy_mj)
    assert [row["processor"] for row in told["rows"]] == list(cost.processor)
    assert sum(row["latency_ms"] for row in told["rows"]) == pytest.approx(told["latency_ms"])


def test_a_second_choice_is_no_better_and_elsewhere(target: str) -> None:
    told = facts(target, "--device", BOTH)
    seconds = [(row, row["second"]) for row in told["rows"] if row["second"] is not None]
    assert seconds
    for row, second in seconds:
        assert second["processor"] != row["processor"]
        assert second["more_time_ms"] >= -1e-9
        assert second["because"] in ("computing", "transfer", "waits", "capacity", "neighbours")
    assert all(row["kind"] == "matmul" or row["second"] for row in told["rows"] if row["kind"] in ("conv", "matmul"))


def test_the_table_has_a_line_for_each_layer_and_each_system(target: str, image_architecture: Architecture) -> None:
    shown = run(target, "--device", BOTH)
    for name in layers_of(image_architecture).name:
        assert any(line.startswith(f"{name} ") for line in shown.splitlines())
    assert "npu alone" in shown
    assert "cim alone        can't run it" in shown
    assert "no mapping is better" in shown


def test_alone_is_the_device_without_the_other(target: str) -> None:
    told = facts(target, "--device", BOTH, "--no-second")
    alone = facts(target, "--device", "xr-npu")
    assert told["systems"]["npu alone"]["latency_ms"] == pytest.approx(alone["latency_ms"])
    assert told["systems"]["npu alone"]["energy_mj"] == pytest.approx(alone["energy_mj"])
    assert told["systems"]["cim alone"] is None
    assert "second" not in told["rows"][0]


def test_each_objective_is_best_at_its_own(target: str) -> None:
    options = {
        "latency_ms": ["--objective", "latency"],
        "energy_mj": ["--objective", "energy"],
        "period_ms": ["--pipelined"],
    }
    told = {name: facts(target, "--device", BOTH, "--no-second", *words) for name, words in options.items()}
    told["edp"] = facts(target, "--device", BOTH, "--no-second", "--objective", "edp")
    told["weighted"] = facts(target, "--device", BOTH, "--no-second", "--objective", "weighted", "--weight", "1,2")
    for name in ("latency_ms", "period_ms"):
        assert told[name][name] == min(each[name] for each in told.values())
    energies = {name: each["energy_mj"] for name, each in told.items() if name != "period_ms"}
    assert energies["energy_mj"] == min(energies.values())  # the pipeline's is over the period


def test_a_sweep_maps_anew_at_each_value(target: str) -> None:
    told = facts(target, "--device", BOTH, "--sweep", "npu.clock_mhz=100,340,1000")
    latencies = [point["latency_ms"] for point in told["points"]]
    assert latencies == sorted(latencies, reverse=True)
    assert latencies[1] == pytest.approx(facts(target, "--device", BOTH, "--no-second")["latency_ms"])
    lines = run(target, "--device", BOTH, "--sweep", "npu.clock_mhz=100,340,1000").splitlines()
    assert [line.split()[0] for line in lines[-3:]] == ["100", "340", "1000"]


def test_area_is_told_where_a_source_gives_it(target: str) -> None:
    device = "xr-npu+cim-sram-digital"
    points = facts(target, "--device", device, "--sweep", "cim.macros=2,4")["points"]
    a_macro = load_device(device).model_dump()["processors"]["cim"]["macro_mm2"]["value"]
    assert [point["area_mm2"] for point in points] == pytest.approx([2 * a_macro, 4 * a_macro])
    points = facts(target, "--device", BOTH, "--sweep", "cim.macros=2,4")["points"]
    assert "area_mm2" not in points[0], "no source gives that of MRAM"


def test_a_sweep_tells_the_values_that_fit_no_mapping(target: str, tmp_path: Path) -> None:
    """64 x 64 weights are 32 tiles of 32 x 4; eight macros of one tile each hold 8."""
    whole = load_device(BOTH).model_dump(mode="json", by_alias=True, exclude_none=True)
    del whole["processors"]["npu"], whole["link"]
    whole["processors"]["cim"]["depth"]["value"] = 1
    path = tmp_path / "macros.yaml"
    path.write_text(json.dumps(whole))
    convolution = tmp_path / "model.xml"
    data = ops.parameter([1, 64, 8, 8], np.float32, name="data")
    kernel = ops.constant(np.ones((64, 64, 1, 1), np.float32))
    one = ops.convolution(data, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    ov.save_model(ov.Model([one], [data]), convolution, compress_to_fp16=False)
    found = facts(str(convolution), "--device", str(path), "--sweep", "cim.depth=1,1024")
    assert [point["value"] for point in found["points"]] == [1024]
    assert "none of cim computes a layer of kind conv, or has room for its weights" in found["refused"]["1"]


@pytest.mark.parametrize("extra", [[], ["--sweep", "cim.macros=4,8"]])
def test_a_plot_is_written(target: str, tmp_path: Path, extra: list[str]) -> None:
    run(target, "--device", BOTH, "--no-second", "--plot", str(tmp_path / "plot.png"), *extra)
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--objective", "speed"], "--objective speed: no such objective; use latency, energy, edp, weighted"),
        (["--objective", "weighted"], "--weight MS,MJ belongs to `weighted`"),
        (["--objective", "weighted", "--weight", "1"], "--weight 1: give two numbers"),
        (
            ["--sweep", "cim.macross=1"],
            "--sweep cim.macross: xr-npu+cim-mram has no such constant; use one of npu.clock_mhz",
        ),
        (["--sweep", "cim.macros=0"], "--sweep cim.macros=0: "),
        (["--plot", "plot.bmp"], "--plot plot.bmp: must end in .png or .svg"),
    ],
)
def test_messages(target: str, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["map", target, "--device", BOTH, *words])
    assert caught.value.code == 2
    assert told in capsys.readouterr().err


def test_a_network_that_does_not_fit_is_an_answer(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = yaml.safe_load((FOLDER / "xr-npu.yaml").read_text())
    attached = yaml.safe_load((FOLDER / "attached" / "cim-mram.yaml").read_text())
    only = {**shipped, "name": "cim-only", "processors": attached["processors"]}
    (tmp_path / "cim-only.yaml").write_text(yaml.safe_dump(only))
    with pytest.raises(SystemExit) as caught:
        main(["map", target, "--device", str(tmp_path / "cim-only.yaml")])
    assert caught.value.code == 1
    assert "cim-only can't run" in capsys.readouterr().err
