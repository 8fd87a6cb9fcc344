"""`Runner`, and its sister in C++: both give what torch answered when the bundle was exported."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from edge_deploy import Runner
from edge_deploy.export import export
from edge_deploy.packed import pack
from edge_toolkit.cli import main
from edge_toolkit.data.resize import resized
from edge_toolkit.errors import AnswerIsNo, InputError
from tests.edge_deploy.networks_for_tests import PADDED_WINDOWS, SEQUENCE, write_folder, write_npz

EXAMPLE = Path(__file__).parents[2] / "examples/run_bundle.cpp"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runner")
    model = write_folder(folder / "model", SEQUENCE, write_npz(folder / "data.npz"))
    return export(model, folder / "knee", baseline=False).path


def raw(runner: Runner) -> np.ndarray:
    """The test vectors in the units of the data, as before they were normalised."""
    how = runner.bundle.manifest.normalisation
    mean, std = (np.array(each, np.float32)[:, None, None] for each in (how.mean, how.std))
    return runner.bundle.vectors().inputs * std + mean


def test_a_sample_in_and_its_answer_out(bundle: Path) -> None:
    runner = Runner(bundle)
    vectors = runner.bundle.vectors()
    for sample, expected in zip(raw(runner), vectors.expected, strict=True):
        answer = runner(sample)
        np.testing.assert_allclose(answer.scores, expected, atol=1e-4)
        assert answer.index == expected.argmax()
        assert answer.label == runner.bundle.manifest.labels[answer.index]


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_many_samples_keep_their_order_whatever_is_under_way(bundle: Path, tmp_path: Path, requests: int) -> None:
    pack(bundle, tmp_path / "knee.zip")
    runner = Runner(tmp_path / "knee.zip", requests=requests)
    found = [answer.scores for answer in runner.map(raw(runner))]
    np.testing.assert_allclose(found, runner.bundle.vectors().expected, atol=1e-4)
    assert list(runner.map([])) == []


def test_what_is_asked_meanwhile_writes_over_no_answer(bundle: Path) -> None:
    runner = Runner(bundle, requests=2)
    samples, expected = raw(runner), runner.bundle.vectors().expected
    pairs = zip(runner.map(samples), runner.map(samples[::-1]), expected, expected[::-1], strict=True)
    for one, other, right, right_other in pairs:
        np.testing.assert_allclose(one.scores, right, atol=1e-4)
        np.testing.assert_allclose(other.scores, right_other, atol=1e-4)
    for answer, right in zip(runner.map(samples), expected, strict=True):
        np.testing.assert_allclose(runner(samples[0]).scores, expected[0], atol=1e-4)
        np.testing.assert_allclose(answer.scores, right, atol=1e-4)


def test_a_sample_that_breaks_a_rule_ends_its_map_alone(bundle: Path) -> None:
    runner = Runner(bundle, requests=2)
    samples, expected = list(raw(runner)), runner.bundle.vectors().expected
    with pytest.raises(InputError, match="sample: has the shape"):
        list(runner.map([*samples[:2], np.zeros((1, 1))]))
    for answer in runner.map(samples):
        np.testing.assert_allclose(answer.scores, expected[0], atol=1e-4)
        break
    np.testing.assert_allclose([each.scores for each in runner.map(samples)], expected, atol=1e-4)


def test_a_sequence_may_come_without_a_height(bundle: Path) -> None:
    runner = Runner(bundle)
    for sample, expected in zip(raw(runner), runner.bundle.vectors().expected, strict=True):
        np.testing.assert_allclose(runner(sample[:, 0]).scores, expected, atol=1e-4)


def test_an_image_of_another_size_is_resized(tmp_path: Path) -> None:
    data = write_npz(tmp_path / "data.npz", PADDED_WINDOWS.input, classes=3)
    runner = Runner(export(write_folder(tmp_path / "model", PADDED_WINDOWS, data), tmp_path / "knee", False).path)
    sample = np.random.default_rng(0).normal(2, 3, (2, 31, 8)).astype(np.float32)
    same = resized(sample[None], 13, 11)[0]
    np.testing.assert_array_equal(runner(sample).scores, runner(same).scores)


@pytest.mark.parametrize("shape", [(3, 31), (2, 30), (3, 1, 29), (3, 2, 30), (1, 3, 1, 30), (3, 0, 30), (30,)])
def test_what_is_no_sample_is_told(bundle: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"sample: has the shape .* takes \(3, 30\)"):
        Runner(bundle)(np.zeros(shape, np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_gives_no_answer(bundle: Path, value: float) -> None:
    with pytest.raises(InputError, match="no finite number"):
        Runner(bundle)(np.full((3, 30), value))


def test_a_tampered_bundle_does_not_load(bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle, tmp_path / "knee")
    (tmp_path / "knee/model.bin").write_bytes(b"changed")
    with pytest.raises(AnswerIsNo, match="was changed"):
        Runner(tmp_path / "knee")


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_example_in_c_compiles_and_gives_the_same(bundle: Path, tmp_path: Path) -> None:
    site = Path(ov.__file__).parent
    (library,) = (site / "libs").glob("libopenvino.so.*")
    program = tmp_path / "run_bundle"
    options = [f"-I{site / 'include'}", f"-L{library.parent}", f"-l:{library.name}", f"-Wl,-rpath,{library.parent}"]
    subprocess.run(["g++", "-std=c++17", str(EXAMPLE), *options, "-o", str(program)], check=True)
    vectors = Runner(bundle).bundle.vectors()
    vectors.inputs.tofile(tmp_path / "samples.f32")
    words = [str(program), str(bundle / "model.xml"), "CPU", str(tmp_path / "samples.f32")]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    found = np.array([line.split() for line in told.splitlines()], float)
    np.testing.assert_allclose(found, vectors.expected, atol=1e-4)
    (tmp_path / "cut.f32").write_bytes(vectors.inputs.tobytes()[:-1])
    for samples in ("none.f32", "cut.f32"):
        words = [str(program), str(bundle / "model.xml"), "CPU", str(tmp_path / samples)]
        assert subprocess.run(words, capture_output=True).returncode == 2
    broken = subprocess.run([*words[:1], "none.xml", *words[2:]], capture_output=True, text=True)
    assert (broken.returncode, broken.stderr.partition(":")[0]) == (2, "run_bundle")


def test_doctor_reads_a_packed_bundle(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack(bundle, tmp_path / "knee.zip")
    with pytest.raises(SystemExit) as stopped:
        main(["doctor", str(tmp_path / "knee.zip")])
    assert stopped.value.code == 0
    assert "on CPU" in capsys.readouterr().out
