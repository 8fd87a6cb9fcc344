"""`verify`: figures of a comparison by hand; bundles and bare models that pass, and those that must not."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from edge_deploy.export import export
from edge_deploy.nearness import BOUNDS
from edge_deploy.questions import random_questions
from edge_deploy.runtime import compile_model
from edge_deploy.settings import PRECISIONS, Asked
from edge_deploy.verify import Check, Verification, answers, compared, verify
from edge_toolkit.errors import AnswerIsNo, InputError, MissingError
from edge_toolkit.profile import Input
from tests.edge_deploy.conftest import Command
from tests.edge_deploy.networks_for_tests import SEQUENCE, write_folder, write_npz
from tests.edge_deploy.small_models_for_tests import (
    TABLE,
    convolution,
    convolved,
    embedding,
    lstm_step,
    root,
    running_sum,
    save,
    scaling,
    two_inputs,
)

NAN = float("nan")
CAN = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def f64(*rows: Sequence[float]) -> np.ndarray:
    return np.array(rows, np.float64)


COMPARISONS: list[tuple[list[np.ndarray], list[np.ndarray], tuple[float, float, float | None]]] = [
    ([f64([1, 2], [3, 4])], [f64([1, 2], [3, 4])], (0, 1, 1)),
    # Off by 1 of 4; the first sample's cosine is 0 * 0 + 4 * 3 over 4 * 5.
    ([f64([0, 4])], [f64([3, 4])], (3 / 4, 16 / 20, 1)),
    # The scale is the largest of all samples, 10, not each sample's own.
    ([f64([2, 1], [0, 10])], [f64([1, 1], [0, 10])], (1 / 10, 3 / np.sqrt(10), 1)),
    # One of two samples has its largest number elsewhere, and the other points the other way.
    ([f64([1, 2], [-4, -3])], [f64([2, 1], [4, 3])], (8 / 4, -1, 0)),
    ([f64([1, 2], [4, 3])], [f64([2, 1], [4, 3])], (1 / 4, 4 / 5, 1 / 2)),
    # The worst output counts; those of one number have no largest one.
    ([f64([1, 1]), f64([1.5])], [f64([1, 1]), f64([1])], (1 / 2, 1, 1)),
    ([f64([1.5])], [f64([1])], (1 / 2, 1, None)),
    # Zeros that are expected are no mistake; one that is not has no direction.
    ([f64([0, 0])], [f64([0, 0])], (0, 1, 1)),
    ([f64([0, 0])], [f64([3, 4])], (1, 0, 0)),
    # All of it is unexpected: as far off as can be told.
    ([f64([1, 0])], [f64([0, 0])], (1 / np.finfo(np.float32).tiny, 0, 1)),
]


@pytest.mark.parametrize(("found", "expected", "figures"), COMPARISONS)
def test_figures_of_a_comparison_by_hand(
    found: list[np.ndarray], expected: list[np.ndarray], figures: tuple[float, float, float | None]
) -> None:
    assert compared(found, expected) == tuple(each if each is None else pytest.approx(each) for each in figures)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (f64([NAN, 1]), f64([1, 1])),
        (f64([1, 1]), f64([1, NAN])),
        (f64([NAN, 1]), f64([NAN, 1])),
        (f64([np.inf, 1]), f64([1, 1])),
        (f64([1, 1], [1, NAN]), f64([1, 1], [1, 1])),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_no_number_never_passes(found: np.ndarray, expected: np.ndarray) -> None:
    error, cosine, top1 = compared([f64([1]), found], [f64([1]), expected])
    check = Check("CPU", "f32", "f32", error, cosine, top1, bound=1e300)
    assert not check.passed
    assert not replace(check, bound=np.inf).passed
    assert error == np.inf


@pytest.mark.parametrize(
    ("error", "passed"), [(0.1, True), (0.1001, False), (0.0, True), (np.inf, False), (NAN, False)]
)
def test_an_error_up_to_the_bound_passes(error: float, passed: bool) -> None:
    check = Check("CPU", "f32", "f32", error, 1.0, None, bound=0.1)
    assert check.passed is passed
    assert Verification("x", "y", 1, (replace(check, error=0.0), check)).passed is passed


def test_each_precision_has_a_bound_that_grows_with_its_rounding() -> None:
    assert BOUNDS.keys() == {*PRECISIONS}
    assert BOUNDS["f32"] < BOUNDS["f16"] < BOUNDS["bf16"] < BOUNDS["int8"]


def test_answers_are_numpys(tmp_path: Path) -> None:
    """A convolution, two outputs of two inputs, and integers."""
    frames = random_questions((Input("x", (1, 3, 8, 8), "f32"),), 3)
    (found,) = answers(compile_model(convolution(tmp_path / "conv.xml")), frames)
    expected = convolved(np.concatenate([frame for (frame,) in frames])).reshape(3, 256)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)

    pairs = random_questions((Input("a", (1, 3), "f32"), Input("b", (2, 3), "f32")), 3)
    sums, totals = answers(compile_model(two_inputs(tmp_path / "two.xml")), pairs)
    for index, (a, b) in enumerate(pairs):
        np.testing.assert_allclose(sums[index], (a + 10 * b).ravel(), rtol=1e-6)
        np.testing.assert_allclose(totals[index], [(a + 10 * b).sum()], rtol=1e-5)

    ids = random_questions((Input("ids", (1, 5), "i64"),), 3)
    (rows,) = answers(compile_model(embedding(tmp_path / "ids.xml")), ids)
    np.testing.assert_array_equal(rows, [TABLE[each[0]].ravel() for (each,) in ids])


def test_each_sample_starts_from_the_state_of_a_reset_model(tmp_path: Path) -> None:
    ready = compile_model(running_sum(tmp_path / "state.xml"))
    questions = random_questions(ready.inputs, 3)
    for _ in range(2):
        (found,) = answers(ready, questions)
        np.testing.assert_array_equal(found, [x[0] for (x,) in questions])
    ready.infer()  # without a reset, the state goes on: the last question twice
    np.testing.assert_array_equal(ready.outputs[0], 2 * questions[-1][0])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Bundles of two networks of one architecture whose weights differ."""
    folder = tmp_path_factory.mktemp("verify")
    data = write_npz(folder / "data.npz")
    one, other = (
        export(write_folder(folder / f"model-{seed}", SEQUENCE, data, seed), folder / f"bundle-{seed}", False).path
        for seed in (0, 1)
    )
    return one, other


def test_a_bundle_answers_as_torch_did(bundles: tuple[Path, Path], command: Command) -> None:
    status, out, err = command("verify", bundles[0], "--json", "-")
    assert (status, err) == (0, "")
    plain = json.loads(out)
    assert (plain["schema"], plain["passed"], plain["samples"], plain["changed"]) == (1, True, 16, [])
    assert plain["reference"].startswith("torch, as ")
    first = plain["checks"][0]
    assert (first["device"], first["precision"], first["computed_in"]) == ("CPU", "f32", "f32")
    assert (first["bound"], first["passed"], first["top1"]) == (1e-4, True, 1.0)
    assert 0 < first["error"] < 1e-5  # another runtime, which sums in another order
    assert {each["precision"] for each in plain["checks"]} == {"f32"} | ({"bf16"} if "BF16" in CAN else set())


@pytest.mark.parametrize("swapped", [("test_vectors.npz",), ("model.xml", "model.bin")])
def test_a_bundle_of_two_networks_does_not_pass(
    bundles: tuple[Path, Path], tmp_path: Path, command: Command, swapped: tuple[str, ...]
) -> None:
    """Its files were changed and so were their hashes: the answers alone tell."""
    forged = tmp_path / "forged"
    shutil.copytree(bundles[0], forged)
    manifest = json.loads((forged / "manifest.json").read_text())
    for name in swapped:
        data = (bundles[1] / name).read_bytes()
        (forged / name).write_bytes(data)
        manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
    (forged / "manifest.json").write_text(json.dumps(manifest))
    status, out, err = command("verify", forged, "-d", "cpu", "--precision", "f32")
    assert status == 1
    assert "FAILED" in out
    assert f"edge-toolkit: {forged}: CPU at f32 answers otherwise than expected" in err
    status, out, _ = command("verify", forged, "--precision", "f32", "--json", "-")
    assert (status, json.loads(out)["passed"]) == (1, False)


def test_a_bundle_that_was_changed_is_not_asked(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(bundles[0], changed)
    (changed / "test_vectors.npz").write_bytes((bundles[1] / "test_vectors.npz").read_bytes())
    with pytest.raises(AnswerIsNo, match=r"test_vectors\.npz: was changed after the export"):
        verify(changed)


def test_versions_that_differ_are_told(bundles: tuple[Path, Path], tmp_path: Path, command: Command) -> None:
    older = tmp_path / "older"
    shutil.copytree(bundles[0], older)
    manifest = json.loads((older / "manifest.json").read_text())
    manifest["versions"]["openvino"] = "2019.1.0"
    (older / "manifest.json").write_text(json.dumps(manifest))
    status, _, err = command("verify", older, "--precision", "f32")
    assert status == 0
    assert err.startswith("note: openvino 2019.1.0 made the bundle, and ")


@pytest.mark.parametrize("option", ["against", "inputs"])
def test_a_bundle_brings_its_own_questions(bundles: tuple[Path, Path], option: str) -> None:
    with pytest.raises(InputError, match="brings its own questions; leave --against and --inputs out"):
        verify(bundles[0], **{option: Path("x")})  # type: ignore[arg-type]


def test_a_bare_model_is_held_against_itself(tmp_path: Path) -> None:
    """In bf16 a product of two numbers is off by 2^-8 at most; a convolution of 27 by some of those."""
    made = verify(convolution(tmp_path / "conv.xml"))
    checks = {each.precision: each for each in made.checks}
    assert (checks["f32"].error, checks["f32"].cosine, checks["f32"].top1) == (0, pytest.approx(1), 1)
    assert made.reference.endswith("conv.xml on CPU at f32")
    assert made.samples == 16
    if "BF16" in CAN:
        assert 0 < checks["bf16"].error < 2**-6
        assert checks["bf16"].bound == BOUNDS["bf16"]


@pytest.mark.parametrize(
    ("factor", "bound", "passed"), [(2.0, None, True), (2.001, None, False), (2.001, 1e-3, True), (-2.0, 1.0, False)]
)
def test_a_model_against_another(tmp_path: Path, factor: float, bound: float | None, passed: bool) -> None:
    one, other = scaling(tmp_path / "one.xml", factor=factor), scaling(tmp_path / "other.xml")
    made = verify(one, precisions=["f32"], against=other, bound=bound)
    (check,) = made.checks
    assert check.error == pytest.approx(abs(factor - 2) / 2, rel=1e-3)
    assert check.cosine == pytest.approx(np.sign(factor))
    assert made.passed is passed


def test_a_users_inputs_are_asked(tmp_path: Path) -> None:
    """2 x and 2.5 x differ by a fifth of the largest that is expected, whatever is asked."""
    one, other = scaling(tmp_path / "one.xml", factor=2.0), scaling(tmp_path / "other.xml", factor=2.5)
    np.savez(tmp_path / "inputs.npz", x=np.array([[0, 0, 0, 1], [0, 0, 100, 0]]))
    (check,) = verify(one, None, ["CPU"], ["f32"], other, tmp_path / "inputs.npz", 0.21).checks
    assert (check.error, check.top1, check.passed) == (pytest.approx(0.2), 1, True)


@pytest.mark.parametrize("model", [two_inputs, embedding, running_sum, lstm_step])
def test_models_of_all_kinds_can_be_asked(tmp_path: Path, command: Command, model: object) -> None:
    status, out, _ = command("verify", model(tmp_path / "model.xml"), "--json", "-")  # type: ignore[operator]
    assert status == 0
    assert {each["precision"] for each in json.loads(out)["checks"]} >= {"f32"}


def test_an_open_shape_is_closed_by_the_option(tmp_path: Path, command: Command) -> None:
    path = scaling(tmp_path / "open.xml", [1, -1])
    status, _, err = command("verify", path)
    assert (status, '--shape "x[1,1]"' in err) == (2, True)
    assert command("verify", path, "--shape", "[1,5]")[0] == 0


def test_no_number_is_no_pass_and_has_a_json_form(tmp_path: Path, command: Command) -> None:
    path = root(tmp_path / "root.xml")
    np.savez(tmp_path / "inputs.npz", x=np.array([[1.0, 4.0, 9.0, -1.0]]))
    options = ("--inputs", tmp_path / "inputs.npz", "-infer_precision", "f32")
    status, out, err = command("verify", path, *options)
    assert (status, "FAILED" in out) == (1, True)
    assert "CPU at f32 answers otherwise" in err
    status, out, _ = command("verify", path, *options, "--json", "-")
    assert status == 1
    (check,) = json.loads(out)["checks"]
    assert (check["error"], check["cosine"], check["passed"]) == (None, None, False)


@pytest.mark.parametrize(
    ("precision", "told"),
    [
        ("f16", "--precision f16: CPU does not compute in it; use one of f32"),
        ("int3", "--precision int3: CPU does not"),
    ],
)
def test_a_precision_that_the_device_lacks_is_told(tmp_path: Path, precision: str, told: str) -> None:
    if precision == "f16" and "FP16" in CAN:
        pytest.skip("this processor computes in f16")
    with pytest.raises(MissingError, match=told):
        verify(scaling(tmp_path / "one.xml"), precisions=[precision])


def test_int8_of_a_model_that_is_not_quantised_is_not_had(tmp_path: Path) -> None:
    with pytest.raises(
        MissingError, match=r"--precision int8: CPU computes .*conv\.xml in f32; give a quantised model"
    ):
        verify(convolution(tmp_path / "conv.xml"), precisions=["int8"])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            lambda path: scaling(path, [1, 5]),
            r"its inputs are x \[1, 4\], and the questions have the shapes \[\(1, 5\)\]",
        ),
        (lambda path: sum_of_all(path), r"its outputs have \[4\] numbers, and \[1\] are expected"),
    ],
)
def test_models_that_are_no_pair_are_told(tmp_path: Path, other: object, told: str) -> None:
    one = scaling(tmp_path / "one.xml")
    with pytest.raises(InputError, match=told):
        verify(one, precisions=["f32"], against=other(tmp_path / "other.xml"))  # type: ignore[operator]


def sum_of_all(path: Path) -> Path:
    """x (1, 4) -> one number."""
    x = ops.parameter([1, 4], np.float32, name="x")
    return save(path, [ops.reduce_sum(x, ops.constant(np.array([0, 1])), False)], [x])


def test_a_device_that_is_not_here_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="--device NPX: OpenVINO does not see it"):
        verify(scaling(tmp_path / "one.xml"), Asked(), ["NPX"])
