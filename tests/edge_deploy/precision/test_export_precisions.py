"""`export --precision`, whole: one bundle in several precisions, the bound, and what a user is told."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from edge_deploy import export_tables
from edge_deploy.bundle import read_bundle
from edge_deploy.manifest import Calibration
from edge_deploy.precision import mix
from edge_deploy.profile import profile
from edge_deploy.runner import Runner
from edge_deploy.runtime import compile_model
from edge_deploy.settings import Asked
from edge_toolkit.cli import main
from tests.edge_deploy.networks_for_tests import SEQUENCE, write_folder, write_npz

OTHERS = ("f16", "bf16", "int8")


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module", autouse=True)
def hurry() -> Iterator[None]:
    """Latencies are not what is looked at here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_tables, "SECONDS", 0.01)
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("precisions")
    return write_folder(folder / "model", SEQUENCE, write_npz(folder / "data.npz"))


@pytest.fixture(scope="module")
def place(model: Path) -> Path:
    options = [word for name in OTHERS for word in ("--precision", name)]
    place = model.parent / "knee"
    words = ["export", str(model), "--out", str(place), *options, "--max-drop", "1", "--calibration-samples", "10"]
    assert run(*words, "--json", str(place.with_suffix(".json"))) == 0
    return place


def test_each_precision_has_its_file_and_its_figures(place: Path) -> None:
    bundle = read_bundle(place)
    found = bundle.manifest.precisions
    assert {name: each.file for name, each in found.items()} == {
        "f32": "model.xml",
        "bf16": "model.xml",
        "f16": "f16.xml",
        "int8": "int8.xml",
    }
    for each in found.values():
        files = (place / each.file, (place / each.file).with_suffix(".bin"))
        assert each.size_bytes == sum(file.stat().st_size for file in files)
        assert each.accuracy is not None
        assert 0 <= each.accuracy.validation <= 1
    assert found["f32"].accuracy == bundle.manifest.accuracy
    assert found["int8"].calibration == Calibration(samples=10, seed=0)
    for halved in ("f16", "bf16"):
        assert found["f32"].error < 1e-5 < found[halved].error < found["int8"].error
    noise = {name: each.noise.snr_db for name, each in found.items() if each.noise is not None}
    assert min(noise["f16"], noise["bf16"]) > noise["int8"] > 0
    for name, each in found.items():
        assert each.computed_in == compile_model(place / each.file, Asked(precision=name)).precision


def test_half_precision_stores_halves(place: Path) -> None:
    kinds = {}
    for name in ("model", "f16"):
        constants = [
            op for op in ov.Core().read_model(place / f"{name}.xml").get_ops() if op.get_type_name() == "Constant"
        ]
        kinds[name] = {op.get_element_type().to_string() for op in constants if op.get_output_size() and op.shape}
    assert "f16" in kinds["f16"]
    assert "f16" not in kinds["model"]


def test_the_baseline_ships_in_the_same_precisions(place: Path) -> None:
    lstm = read_bundle(place.with_name("knee-lstm")).manifest
    assert lstm.precisions.keys() == read_bundle(place).manifest.precisions.keys()
    assert {each.accuracy for each in lstm.precisions.values()} == {None}  # its weights are random


def test_the_error_is_the_runner_s(place: Path) -> None:
    bundle = read_bundle(place)
    vectors = bundle.vectors()
    how = bundle.manifest.normalisation
    mean, std = (np.array(each, np.float32)[:, None, None] for each in (how.mean, how.std))
    for precision in ("f32", "bf16", "int8"):
        found = [answer.scores for answer in Runner(place, precision=precision).map(vectors.inputs * std + mean)]
        error = np.abs(found - vectors.expected).max() / np.abs(vectors.expected).max()
        assert bundle.manifest.precisions[precision].error == pytest.approx(error, rel=0.05, abs=1e-5)


def test_a_profile_in_int8_is_of_the_quantised_network(place: Path) -> None:
    made = profile(place, Asked(precision="int8"), 0.02, "lstm")
    assert made.baseline is not None
    assert (made.precision, made.baseline.precision) == ("int8", "int8")
    assert compile_model(place / "model.xml", Asked(precision="int8")).precision == "f32"


@pytest.mark.slow
def test_the_same_export_gives_the_same_bytes(model: Path, place: Path, tmp_path: Path) -> None:
    options = [word for name in reversed(OTHERS) for word in ("--precision", name)]
    words = ["export", str(model), "--out", str(tmp_path / "knee"), *options, "--max-drop", "1"]
    assert run(*words, "--calibration-samples", "10", "--json", str(tmp_path / "again.json")) == 0
    for file in sorted(place.iterdir()):
        assert (tmp_path / "knee" / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_bound_that_no_mix_keeps_writes_nothing(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mix, "right", lambda ir, precision, samples: 0)
    monkeypatch.setattr("edge_deploy.precision.variants.right", lambda ir, precision, samples: len(samples.y))
    plot = tmp_path / "sweep.svg"
    words = ["--precision", "int8", "--calibration-samples", "4", "--plot", str(plot)]
    assert run("export", str(model), "--out", str(tmp_path / "knee"), *words) == 1
    out, err = capsys.readouterr()
    assert "block, alone in int8" in out
    assert "kept in f32" in out
    assert "names 0 of 12 validation samples rightly, f32 12, and --max-drop 0.01 asks for 12; no bundle" in err
    assert plot.read_text().startswith("<?xml")
    assert list(tmp_path.iterdir()) == [plot], "neither the bundle nor its LSTM's"


@pytest.mark.slow
def test_what_passes_after_a_sweep_says_which_blocks_stayed(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([0, 0, 12])  # none kept, one kept, two kept
    monkeypatch.setattr(mix, "right", lambda ir, precision, samples: next(counts))
    monkeypatch.setattr("edge_deploy.precision.variants.right", lambda ir, precision, samples: len(samples.y))
    place = tmp_path / "knee"
    assert run("export", str(model), "--out", str(place), "--precision", "int8", "--no-baseline") == 0
    bundle = read_bundle(place)
    sweep = json.loads((place / "sensitivity.json").read_text())
    kept = bundle.manifest.precisions["int8"].kept
    assert list(kept) == [each["block"] for each in sweep["sensitivities"][:2]] == sweep["tried"][-1]["kept"]
    assert "right answers lost" in capsys.readouterr().out
    in_f32 = [op for op in ov.Core().read_model(place / "int8.xml").get_ops() if op.get_type_name() == "Convolution"]
    plain = [op for op in in_f32 if op.input_value(1).get_node().get_type_name() == "Constant"]
    assert plain, "convolutions of the blocks that stayed read float weights"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--precision", "int4"], "--precision int4 is not known; use one of f32, bf16, f16, int8"),
        (["--max-drop", "1.5"], "--max-drop 1.5 must be a share, between 0 and 1"),
        (["--calibration-samples", "0"], "--calibration-samples 0 must be at least 1"),
    ],
)
def test_what_cannot_be_asked_for(model: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", str(model), *words) == 2
    assert told in capsys.readouterr().err
