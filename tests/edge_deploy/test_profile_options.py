"""`profile` on models of all kinds, with the options as benchmark_app spells them: what is asked reaches the device."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.commands.options import asked_of
from edge_deploy.settings import Asked
from edge_deploy.shapes import ShapeAsked
from edge_toolkit.profile import Peaks
from tests.edge_deploy.conftest import Command
from tests.edge_deploy.small_models_for_tests import (
    convolution,
    embedding,
    lstm_step,
    running_sum,
    save,
    scaling,
    two_inputs,
)

QUICK = ("-t", "0.02")


@pytest.fixture(autouse=True)
def no_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring the machine's peaks takes longer than all else here; `test_peaks` sees to them."""
    monkeypatch.setattr("edge_deploy.profile.peaks", lambda *_: Peaks(50.0, 10.0, None))


@pytest.fixture
def conv(tmp_path: Path) -> Path:
    return convolution(tmp_path / "conv.xml")


def profiled(command: Command, *arguments: object) -> dict[str, Any]:
    status, out, _ = command("profile", *arguments, "--json", "-")
    assert status == 0
    return json.loads(out)  # type: ignore[no-any-return]


def told(plain: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["name"]: (each["asked"], each["reported"]) for each in plain["settings"]}


SPELLINGS = [
    (("-d", "CPU"), ("--device", "cpu"), Asked()),
    (("-d", "hetero:cpu"), ("--device", "HETERO:CPU"), Asked("HETERO:CPU")),
    (("-nthreads", "2"), ("--threads", "2"), Asked(threads=2)),
    (("-nstreams", "2", "-nthreads", "2"), ("--streams", "2", "--threads", "2"), Asked(threads=2, streams=2)),
    (("-hint", "throughput"), ("--hint", "throughput"), Asked(threads=None, streams=None, hint="throughput")),
    (("-hint", "latency", "-nthreads", "2"), ("--hint", "latency", "--threads", "2"),
     Asked(threads=2, streams=None, hint="latency")),
    (("-infer_precision", "bf16"), ("--precision", "bf16"), Asked(precision="bf16")),
    (("-shape", "x[1,4]"), ("--shape", "x[1,4]"), Asked(shapes=(ShapeAsked("x", (1, 4)),))),
    (("-cdir", "kept"), ("--cache-dir", "kept"), Asked(cache=Path("kept"))),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours", "expected"), SPELLINGS)
@pytest.mark.parametrize("name", ["profile", "compare"])
def test_benchmark_apps_spellings_ask_the_same(
    tmp_path: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    theirs: Any,
    ours: Any,
    expected: Asked,
) -> None:
    asked = []

    def noted(*values: Any) -> Asked:
        asked.append(asked_of(*values))
        raise KeyError("that is all")

    monkeypatch.setattr(f"edge_deploy.commands.{name}.asked_of", noted)
    path = scaling(tmp_path / "x.xml")
    for options in (theirs, ours):
        command(name, *([path] if name == "profile" else [path, path]), *options)
    assert asked == [expected, expected]


def test_as_many_requests_as_asked_for(conv: Path, command: Command) -> None:
    for option, count in (("-niter", 60), ("--requests", 7)):
        assert profiled(command, conv, *QUICK, option, count)["latency_ms"]["count"] == count


def test_the_second_run_comes_from_the_cache(conv: Path, tmp_path: Path, command: Command) -> None:
    cache = tmp_path / "kept"
    first = profiled(command, conv, *QUICK, "-cdir", cache)
    assert told(first)["from cache"][1] == "no"
    assert [path.suffix for path in cache.iterdir()] == [".blob"] * len([*cache.iterdir()])
    assert list(cache.iterdir())
    assert told(profiled(command, conv, *QUICK, "-cdir", cache))["from cache"][1] == "yes"


def test_what_was_asked_stands_beside_what_is_reported(conv: Path, command: Command) -> None:
    plain = profiled(command, conv, *QUICK, "-nstreams", 2, "-nthreads", 2)
    assert (told(plain)["streams"], told(plain)["threads"]) == (("2", "2"), ("2", "2"))
    assert plain["throughput"]["at_once"] == int(told(plain)["requests at once"][1]) == 2
    hinted = profiled(command, conv, *QUICK, "-hint", "throughput")
    assert told(hinted)["hint"] == ("throughput", "throughput")
    assert told(hinted)["threads"][0] == ""


@pytest.mark.parametrize("device", ["AUTO", "AUTO:CPU", "HETERO:CPU", "MULTI:CPU(2)", "BATCH:CPU(2)"])
def test_devices_that_hand_a_model_on(conv: Path, command: Command, device: str) -> None:
    plain = profiled(command, conv, *QUICK, "-d", device)
    assert plain["device"] == device
    assert told(plain)["runs on"][1] == "CPU"
    assert plain["macs"] == sum(row["macs"] for row in plain["rows"]) == 4 * 64 * 27


def nhwc(path: Path) -> Path:
    """x (1, 8, 8, 3), moved to NCHW, a 1 x 1 convolution to 2 channels."""
    x = ops.parameter([1, 8, 8, 3], np.float32, name="x")
    moved = ops.transpose(x, ops.constant(np.array([0, 3, 1, 2])))
    kernel = ops.constant(np.ones((2, 3, 1, 1), np.float32))
    return save(path, [ops.convolution(moved, kernel, [1, 1], [0, 0], [0, 0], [1, 1])], [x])


# Inputs, and multiply-accumulates by hand: an LSTM's step has four gates of 2 that read x (3) and hidden (2).
KINDS: list[tuple[Any, list[tuple[str, list[int], str]], int]] = [
    (two_inputs, [("a", [1, 3], "f32"), ("b", [2, 3], "f32")], 0),
    (embedding, [("ids", [1, 5], "i64")], 0),
    (running_sum, [("x", [1, 4], "f32")], 0),
    (lstm_step, [("x", [1, 3], "f32"), ("hidden", [1, 2], "f32"), ("cell", [1, 2], "f32")], 4 * 2 * (3 + 2)),
    (nhwc, [("x", [1, 8, 8, 3], "f32")], 64 * 3 * 2),
]


@pytest.mark.parametrize(("model", "inputs", "macs"), KINDS, ids=lambda value: getattr(value, "__name__", ""))
def test_models_of_all_kinds(
    tmp_path: Path, command: Command, model: Any, inputs: list[tuple[str, list[int], str]], macs: int
) -> None:
    plain = profiled(command, model(tmp_path / "model.xml"), *QUICK)
    assert [(each["name"], each["shape"], each["type"]) for each in plain["inputs"]] == inputs
    assert plain["macs"] == macs
    assert sum(row["time_us"] for row in plain["rows"]) == pytest.approx(plain["wall_us"])
    assert len(plain["rows"]) > 2, "something is executed besides `runtime` and `binding`"


def test_an_open_shape_needs_the_option(tmp_path: Path, command: Command) -> None:
    path = scaling(tmp_path / "open.xml", [1, -1, 4])
    status, out, err = command("profile", path, *QUICK)
    assert (status, out) == (2, "")
    assert "input x has the shape [1,?,4]" in err
    assert '--shape "x[1,1,4]"' in err
    plain = profiled(command, path, *QUICK, "-shape", "x[1,9,4]")
    assert plain["inputs"] == [{"name": "x", "shape": [1, 9, 4], "type": "f32"}]


def test_shapes_go_to_a_baseline_with_inputs_of_the_same_names(tmp_path: Path, command: Command) -> None:
    model, closed = scaling(tmp_path / "open.xml", [1, -1]), scaling(tmp_path / "closed.xml", [1, 5])
    for baseline in (closed, model):
        plain = profiled(command, model, *QUICK, "--shape", "x[1,9]", "--baseline", baseline)
        assert plain["inputs"][0]["shape"] == plain["baseline"]["inputs"][0]["shape"] == [1, 9]


@pytest.mark.skipif("BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"), reason="needs bf16")
def test_a_precision_is_computed_in(conv: Path, command: Command) -> None:
    plain = profiled(command, conv, *QUICK, "-infer_precision", "bf16")
    assert (plain["precision"], plain["asked_precision"]) == ("bf16", "bf16")
    assert {row["precision"] for row in plain["rows"] if row["kind"] == "Convolution"} == {"bf16"}


def test_no_threads_are_no_default(command: Command, tmp_path: Path) -> None:
    for option in ("-nthreads", "-nstreams"):
        status, _, err = command("profile", str(tmp_path), option, "0")
        assert status == 2
        assert "0 must be at least 1" in err
