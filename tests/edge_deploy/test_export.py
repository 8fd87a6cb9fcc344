"""`export` from a model folder to a bundle, in Python and on the command line."""

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import onnx
import openvino as ov
import pytest
import torch

import edge_deploy.convert
from edge_deploy.bundle import Bundle, read_bundle
from edge_deploy.export import default_place, export
from edge_deploy.onnx_export import onnx_of
from edge_toolkit import cli
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import load_dataset, load_test
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.matching import matched_lstm, size_of
from tests.edge_deploy.networks_for_tests import ONE_LAYER, SEQUENCE, trained_like, write_folder, write_npz


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_npz(tmp_path_factory.mktemp("data") / "some.npz")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: str) -> Path:
    """A run folder with a model and its bundle, the LSTM's beside it."""
    folder = tmp_path_factory.mktemp("runs") / "demo"
    export(write_folder(folder / "models" / "knee", SEQUENCE, data))
    return folder


@pytest.fixture(scope="module")
def bundle(run: Path) -> Bundle:
    return read_bundle(run / "bundles" / "knee")


def test_manifest_tells_what_was_exported(bundle: Bundle, data: str) -> None:
    manifest, layers = bundle.manifest, layers_of(SEQUENCE)
    dataset = load_dataset(data)
    assert (manifest.name, manifest.data, manifest.fingerprint) == ("knee", data, dataset.fingerprint)
    assert (manifest.macs, manifest.parameters) == (layers.macs.sum(), layers.parameters.sum())
    assert manifest.normalisation == dataset.normalisation
    assert manifest.labels == dataset.labels
    assert manifest.trained
    assert set(manifest.versions) == {
        *("xr-edge-toolkit", "python", "torch", "onnx", "onnxscript", "onnxruntime", "openvino")
    }


def test_accuracy_is_the_test_split_s(bundle: Bundle, data: str) -> None:
    test = load_test(data)
    mean, std = (np.array(each)[:, None, None] for each in vars(bundle.manifest.normalisation).values())
    with torch.inference_mode():
        logits = trained_like(SEQUENCE).double()(torch.from_numpy((test.x - mean) / std)).numpy()
    right = int((logits.argmax(1) == test.y).sum())
    assert bundle.manifest.accuracy is not None
    assert bundle.manifest.accuracy.test == right / len(test)
    assert bundle.manifest.accuracy.validation == 0.5  # training's own
    assert bundle.manifest.parity.right == {"torch": right, "onnxruntime": right, "openvino": right}
    assert bundle.manifest.parity.samples == len(test) == 20


def test_ir_gives_the_expected_answers_to_the_test_vectors(bundle: Bundle) -> None:
    vectors = bundle.vectors()
    assert len(vectors.labels) == 16
    assert sorted(set(vectors.labels.tolist())) == [0, 1, 2, 3]
    compiled = ov.Core().compile_model(bundle.ir, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for sample, expected in zip(vectors.inputs, vectors.expected, strict=True):
        np.testing.assert_allclose(compiled(sample[None])[0][0], expected, rtol=1e-4, atol=1e-5)


def test_untrained_lstm_lies_beside(bundle: Bundle) -> None:
    assert bundle.baseline is not None
    lstm = read_bundle(bundle.baseline)
    assert lstm.spec == matched_lstm(SEQUENCE)
    assert (lstm.manifest.trained, lstm.manifest.accuracy, lstm.manifest.baseline) == (False, None, None)
    assert abs(lstm.manifest.parameters / bundle.manifest.parameters - 1) <= 0.02
    assert lstm.manifest.normalisation == bundle.manifest.normalisation


def test_untrained_lstm_does_the_work_of_a_trained_one(bundle: Bundle) -> None:
    """Its normalisations shift, so that the folded convolution keeps its bias."""
    assert bundle.baseline is not None
    for folder in (bundle.path, bundle.baseline):
        stem = next(node for node in onnx.load(folder / "model.onnx").graph.node if node.name == "stem/Conv")
        assert len(stem.input) == 3, folder


def test_baseline_is_spelled_as_the_bundle_is(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(bundle.path.parent)
    assert read_bundle(Path("knee")).baseline == Path("knee-lstm")
    (tmp_path / "link").symlink_to(bundle.path)
    for path in (tmp_path / "link", Path("knee/../knee")):
        beside = read_bundle(path).baseline
        assert beside is not None
        assert beside.samefile("knee-lstm")
    monkeypatch.chdir("knee")
    assert read_bundle(Path()).baseline == bundle.baseline


def test_two_exports_are_equal_byte_by_byte(run: Path, tmp_path: Path) -> None:
    export(run / "models" / "knee", tmp_path / "knee")
    for name in ("knee", "knee-lstm"):
        assert files_of(tmp_path / name) == files_of(run / "bundles" / name)


def test_trained_lstm_is_taken(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write_folder(tmp_path / "knee", SEQUENCE, data)
    write_folder(tmp_path / "knee-lstm", matched_lstm(SEQUENCE), data, seed=5)
    beside = export(model).baseline
    assert beside is not None
    lstm = read_bundle(beside)
    assert (lstm.path.name, lstm.manifest.trained) == ("knee-bundle-lstm", True)
    assert lstm.manifest.accuracy is not None
    assert "random weights" not in capsys.readouterr().err


def test_lstm_of_another_size_or_other_data_is_refused(data: str, tmp_path: Path) -> None:
    model = write_folder(tmp_path / "knee", SEQUENCE, data)
    unmatched = LSTMBaseline(SEQUENCE.input, SEQUENCE.stem, (2 * matched_lstm(SEQUENCE).hidden[0],), SEQUENCE.head)
    write_folder(tmp_path / "knee-lstm", unmatched, write_npz(tmp_path / "other.npz", seed=1))
    with pytest.raises(InputError, match="2 problems") as told:
        export(model)
    ratio = size_of(unmatched, "parameters") / size_of(SEQUENCE, "parameters")
    assert f"has {ratio:.2f} times the parameters" in str(told.value)
    assert "was trained on other data" in str(told.value)
    assert not (tmp_path / "knee-bundle").exists()


def test_lstm_itself_has_no_baseline(data: str, tmp_path: Path) -> None:
    bundle = export(write_folder(tmp_path / "models" / "lstm", ONE_LAYER, data), tmp_path / "out")
    assert (bundle.baseline, bundle.spec) == (None, ONE_LAYER)
    assert not (tmp_path / "out-lstm").exists()


def test_data_of_another_size_is_resized_as_in_training(data: str, tmp_path: Path) -> None:
    smaller = Architecture((3, 1, 20), SEQUENCE.stem, SEQUENCE.stages, SEQUENCE.head)
    bundle = export(write_folder(tmp_path / "small", smaller, data), baseline=False)
    normalised = torch.from_numpy(bundle.manifest.normalisation.apply(load_test(data).x))
    x = torch.nn.functional.interpolate(normalised, size=(1, 20), mode="bilinear", align_corners=False).numpy()
    vectors = bundle.vectors()
    np.testing.assert_allclose(vectors.inputs[[0, -1]], x[[0, -1]], atol=1e-5)


def test_changed_data_is_refused(tmp_path: Path) -> None:
    data = write_npz(tmp_path / "some.npz", seed=0)
    model = write_folder(tmp_path / "knee", SEQUENCE, data)
    write_npz(tmp_path / "some.npz", seed=1)
    with pytest.raises(InputError, match=r"has changed since the model was trained \(fingerprint [0-9a-f]{12}"):
        export(model)


def test_failed_parity_leaves_the_older_bundle(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "knee"
    export(run / "models" / "knee", out, baseline=False)
    before = files_of(out)
    # As if the exporter had lost the weights: what it exports is another network than the one that is checked.
    monkeypatch.setattr(edge_deploy.convert, "onnx_of", lambda spec, _: onnx_of(spec, trained_like(spec, seed=9)))
    with pytest.raises(AnswerIsNo, match="parity of torch and onnxruntime: the relative error"):
        export(run / "models" / "knee", out, baseline=False)
    assert files_of(out) == before


@pytest.mark.parametrize(
    ("model", "place"),
    [("runs/demo/models/knee", "runs/demo/bundles/knee"), ("knee", "knee-bundle"), ("a/b/knee/", "a/b/knee-bundle")],
)
def test_default_place(model: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_place(Path(model)) == Path(place)


def test_default_place_from_inside_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "demo" / "models" / "knee"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert default_place(Path()) == tmp_path / "demo" / "bundles" / "knee"


def exit_status(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main([str(each) for each in arguments])
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_command_prints_a_table(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "shipped"
    assert exit_status("export", run / "models" / "knee", "--out", out) == 0
    printed = capsys.readouterr()
    for word in ("torch", "onnxruntime", "openvino", "relative error", "model.xml + model.bin", "shipped-lstm"):
        assert word in printed.out
    assert f"bundle in {out}" in printed.err
    remedy = re.search(r"`edge-toolkit (train [^`]*)`", printed.err.replace("\n", ""))
    assert remedy is not None
    assert shlex.split(remedy[1]) == ["train", "--baseline", "lstm", "--like", str(run / "models/knee")]


def test_command_writes_json_alone(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "knee"
    assert exit_status("export", run / "models" / "knee", "--out", out, "--no-baseline", "--json", "-") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["path"], told["baseline"]) == (1, str(out), None)
    assert told["manifest"] == json.loads((out / "manifest.json").read_text())


def test_command_without_the_extra_says_which(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert exit_status("export", run / "models" / "knee") == 2
    remedy = "run pip install -c constraints.txt '.[search]' in the project's folder"
    assert capsys.readouterr().err == f"edge-toolkit: onnxruntime is not installed; {remedy}\n"


def test_command_without_a_model_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status("export", tmp_path) == 2
    assert "holds no model (architecture.json is missing)" in capsys.readouterr().err
