"""`profile`, whole: a bundle beside its LSTM, bare models, and what is printed and written."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge_deploy.baseline import lstm_beside
from edge_deploy.convert import random_ir
from edge_deploy.export import export
from edge_deploy.macs import model_parameters
from edge_deploy.model_file import read_model
from edge_deploy.profile import profile
from edge_toolkit.cli import main
from edge_toolkit.errors import AnswerIsNo, InputError, MissingError
from edge_toolkit.layers import layers_of
from edge_toolkit.matching import matched_lstm
from edge_toolkit.profile import Profile, doubts_of, profile_to_json, read_profile
from edge_toolkit.profile_page import profile_page
from edge_toolkit.specs import read_spec
from edge_toolkit.trace import trace_of
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import NETWORKS, SEQUENCE, write_folder, write_npz

QUICK = 0.02


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a run, its LSTM beside it."""
    run = tmp_path_factory.mktemp("run")
    (run / "run.yaml").write_text("{}\n")
    model = write_folder(run / "models/knee", SEQUENCE, write_npz(run / "data.npz"))
    return export(model, run / "bundles/knee").path


@pytest.fixture(scope="module")
def made(bundle: Path) -> Profile:
    return profile(bundle, seconds=QUICK, baseline="lstm")


def check_sums(made: Profile) -> None:
    assert sum(row.time_us for row in made.rows) == pytest.approx(made.wall_us, abs=1e-9)
    for sums in (made.sums_by("block"), made.sums_by("role")):
        assert sum(each.time_us for each in sums.values()) == pytest.approx(made.wall_us, abs=1e-9)
        assert sum(each.macs for each in sums.values()) == made.macs


def test_a_bundle_and_its_lstm(made: Profile) -> None:
    assert made.baseline is not None
    assert made.comparison is not None
    for each, spec in ((made, SEQUENCE), (made.baseline, matched_lstm(SEQUENCE))):
        layers = layers_of(spec)
        check_sums(each)
        assert (each.macs, each.parameters) == (layers.macs.sum(), layers.parameters.sum())
        assert (each.precision, each.threads, each.streams) == ("f32", 1, 1)
        assert each.inputs[0].shape == (1, *SEQUENCE.input)
    assert "RNNSeq" in {row.kind for row in made.baseline.rows}
    assert made.comparison.ratio == pytest.approx(made.latency_ms.median / made.baseline.latency_ms.median)


def test_the_lstm_streams_beside_the_model_s_window(made: Profile) -> None:
    assert made.streaming is not None
    assert (made.streaming.steps, made.streaming.samples) == (matched_lstm(SEQUENCE).steps, SEQUENCE.stem.stride)
    ratio = made.latency_ms.median / made.streaming.step_ms.median
    assert made.streaming.comparison.ratio == pytest.approx(ratio)


def test_json_has_what_readers_rely_on(made: Profile) -> None:
    plain = json.loads(json.dumps(profile_to_json(made), allow_nan=False))
    for each in (plain, plain["baseline"]):
        assert {"median", "p90", "p99", "min", "interval"} <= each["latency_ms"].keys()
        assert {"wall_us", "macs", "parameters", "precision", "threads", "device", "machine", "versions"} <= each.keys()
        assert {"name", "shape", "type"} <= each["inputs"][0].keys()
        assert {"name", "role", "block", "time_us", "macs", "kernel"} <= each["rows"][0].keys()
        assert each["roles"]["binding"]["time_us"] == pytest.approx(
            each["wall_us"] - 1000 * each["latency_ms"]["median"]
        )
    assert {"ratio", "interval", "verdict"} == plain["comparison"].keys()
    assert "baseline" not in plain["baseline"]


def test_json_reads_back_as_the_same_profile(made: Profile, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"schema": 1, **profile_to_json(made)}))
    assert read_profile(path) == made


def test_the_command_prints_writes_and_leaves_a_profile_for_the_report(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"out.{name}" for name in ("json", "csv", "svg", "trace", "html")}
    options = ["--json", str(files["json"]), "--csv", str(files["csv"]), "--plot", str(files["svg"])]
    options += ["--trace", str(files["trace"]), "--html", str(files["html"])]
    with pytest.raises(SystemExit) as stopped:
        main(["profile", str(bundle), "--baseline", "lstm", "-t", str(QUICK), "--layers", *options])
    assert stopped.value.code == 0
    out, err = capsys.readouterr()
    for told in (
        "median",
        "f32, threads 1, streams 1 (as the device reports)",
        "lstm.0",
        "stages.0.blocks.2",
        "wall",
        "runtime",
    ):
        assert told in out
    assert "OpenVINO's timers round down to whole microseconds" in out
    plain = json.loads(files["json"].read_text())
    lines = list(csv.DictReader(files["csv"].read_text().splitlines()))
    for network, each in (("model", plain), ("baseline", plain["baseline"])):
        times = [float(line["time_us"]) for line in lines if line["network"] == network]
        assert times == [row["time_us"] for row in each["rows"]]
    kept = bundle.parent.parent / "profiles/knee.json"
    assert json.loads(kept.read_text()) == plain
    assert str(kept) in err.replace("\n", "")
    assert files["svg"].read_text().startswith("<?xml")
    made = read_profile(files["json"])
    assert json.loads(files["trace"].read_text()) == trace_of(made)
    assert files["html"].read_text() == profile_page(made)
    assert all(str(files[name]) in err.replace("\n", "") for name in ("trace", "html"))


@pytest.mark.parametrize("option", ["--csv", "--trace", "--html"])
def test_only_json_goes_to_standard_output(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["profile", "nowhere.onnx", option, "-"])
    assert stopped.value.code == 2
    assert f"{option} -: must be a file's name" in capsys.readouterr().err


def test_the_run_keeps_the_newest_profile_that_has_a_baseline(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = bundle.parent.parent / "profiles/knee.json"
    kept.parent.mkdir(exist_ok=True)
    texts = ["{damaged"]
    for baseline in ([], [], ["--baseline", "lstm"], []):
        kept.write_text(texts[-1])
        with pytest.raises(SystemExit) as stopped:
            main(["profile", str(bundle), "-t", str(QUICK), *baseline])
        assert stopped.value.code == 0
        texts.append(kept.read_text())
    _, first, second, compared, last = texts
    assert [json.loads(text)["baseline"] is None for text in (first, second, compared)] == [True, True, False]
    assert first != second, "one without a baseline is replaced by a newer one"
    assert last == compared, "one with a baseline is not"
    assert "stays as it is: it has a baseline" in capsys.readouterr().err


def test_json_alone_on_standard_output(ir: IRMaker, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["profile", str(ir("one-point")), "-t", str(QUICK), "--json", "-"])
    plain = json.loads(capsys.readouterr().out)
    assert (plain["schema"], plain["baseline"], plain["comparison"]) == (1, None, None)


def test_a_bare_model_gets_an_lstm_of_its_size(ir: IRMaker, tmp_path: Path) -> None:
    made = profile(ir("sequence"), seconds=QUICK, baseline="lstm")
    assert made.baseline is not None
    spec = lstm_beside(ir("sequence"))
    initial = 2 * sum(spec.hidden)  # the LSTM's first state and output, stored with the weights
    stored = model_parameters(read_model(random_ir(spec, tmp_path))) - initial
    assert stored == pytest.approx(made.parameters, rel=0.02)
    assert "RNNSeq" in {row.kind for row in made.baseline.rows}
    check_sums(made)


@pytest.mark.parametrize("name", ["sequence", "padded-windows", "one-point"])
def test_the_lstm_beside_a_bare_model_has_its_stem(ir: IRMaker, name: str) -> None:
    assert lstm_beside(ir(name)).stem == NETWORKS[name].stem


def test_onnx_and_ir_of_a_bundle_have_the_same_macs(bundle: Path) -> None:
    one = profile(bundle / "model.onnx", seconds=QUICK, baseline=str(bundle / "model.xml"))
    assert one.baseline is not None
    assert one.macs == one.baseline.macs == layers_of(SEQUENCE).macs.sum()
    check_sums(one)


def test_the_lstm_beside_an_image_model_has_at_most_1024_steps(tmp_path: Path) -> None:
    spec = lstm_beside(model_file(tmp_path, [1, 3, 100, 60], 50_000))
    assert spec.input == (3, 100, 60)
    assert spec.stem.stride == 3  # 50 * 30 positions at stride 2 are too many, 34 * 20 at 3 are not
    assert spec.head.classes == 5
    assert layers_of(spec).weights.sum() == pytest.approx(50_005, rel=0.02)
    assert lstm_beside(model_file(tmp_path, [1, 64, 64, 3], 50_000)).input == (3, 64, 64)
    assert lstm_beside(model_file(tmp_path, [1, 6, 200], 50_000)).input == (6, 1, 200)


@pytest.mark.parametrize(
    ("shape", "told"),
    [([1, 12], r"its input is f32 \[1, 12\]"), ([2, 3, 8, 8], "its input is f32"), ([-1, 3, 8, 8], "static")],
)
def test_a_model_that_no_lstm_can_stand_beside(tmp_path: Path, shape: list[int], told: str) -> None:
    with pytest.raises(InputError, match=f"{told}.*--baseline PATH"):
        lstm_beside(model_file(tmp_path, shape, 20_000))


def model_file(folder: Path, shape: list[int], weights: int) -> Path:
    """A model from `shape` to 5 scores with `weights` weights and 5 biases."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as ops

    x = ops.parameter(shape, np.float32, name="x")
    mean = ops.reduce_mean(x, ops.constant(np.arange(len(shape))), False)
    wide = ops.broadcast(mean, ops.constant(np.array([1, weights // 5])))
    kernel = np.random.default_rng(0).normal(size=(weights // 5, 5)).astype(np.float32)
    scores = ops.add(ops.matmul(wide, ops.constant(kernel), False, False), ops.constant(np.ones(5, np.float32)))
    path = folder / "model.xml"
    ov.save_model(ov.Model([scores], [x]), path, compress_to_fp16=False)
    return path


def test_a_missing_or_changed_baseline_is_told(bundle: Path, tmp_path: Path) -> None:
    import shutil

    alone = tmp_path / "alone"
    shutil.copytree(bundle, alone)
    with pytest.raises(MissingError, match=r"knee-lstm.*LSTM baseline is missing.*export"):
        profile(alone, baseline="lstm")
    with pytest.raises(InputError, match="there is no such file"):
        profile(alone, baseline=str(tmp_path / "none"))
    (alone / "model.bin").write_bytes(b"changed")
    with pytest.raises(AnswerIsNo, match="was changed"):
        profile(alone)


@pytest.mark.parametrize("changed", ["knee", "knee-lstm"])
def test_a_tampered_bundle_is_not_profiled(
    bundle: Path, tmp_path: Path, changed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    for each in (bundle, bundle.with_name("knee-lstm")):
        shutil.copytree(each, tmp_path / each.name)
    with (tmp_path / changed / "model.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(SystemExit) as stopped:
        main(["profile", str(tmp_path / "knee"), "--baseline", "lstm", "-t", "1000"])
    assert stopped.value.code == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{tmp_path / changed / 'model.bin'}: was changed after the export" in err.replace("\n", " ")


def test_what_a_reader_should_know(made: Profile) -> None:
    known = replace(made.latency_ms, interval=(0.96 * made.latency_ms.median, 1.04 * made.latency_ms.median))
    steady = replace(
        made, baseline=None, counted_us=1.05 * made.request_us, conditions=None, settings=(), latency_ms=known
    )
    wide = replace(known, interval=(0.94 * known.median, 1.06 * known.median))
    (told,) = doubts_of(replace(steady, latency_ms=wide))
    assert "its median lies somewhere between" in told
    assert list(doubts_of(steady)) == []
    (told,) = doubts_of(replace(steady, counted_us=1.5 * made.request_us))
    assert f"{1.5 * made.request_us:.1f} us while its rows were timed" in told
    assert list(doubts_of(replace(steady, precision="bf16"))) == ["knee: f32 was asked for, and CPU read back bf16."]
    assert made.conditions is not None
    (told,) = doubts_of(replace(steady, conditions=replace(made.conditions, others=0.5, drift=0.0, stolen=0.0)))
    assert told.startswith("knee: the machine was not quiet: other programs took 50% of the cores")
    assert list(doubts_of(replace(steady, uncounted=("loop",)))) == ["knee: the MACs inside loop are not counted."]


def test_a_plot_that_cannot_be_is_told_before_the_work(ir: IRMaker, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["profile", str(ir("sequence")), "-t", "1000", "--plot", "out.pdf"])
    assert stopped.value.code == 2
    assert "must end in .png or .svg" in capsys.readouterr().err


def test_a_bundle_is_of_the_network_that_was_trained(bundle: Path) -> None:
    assert read_spec(bundle / "architecture.json") == SEQUENCE
