"""Bundles: what is written is read back, and nothing else is. No model is needed for that."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_deploy.bundle import Vectors, check_place, read_bundle, records_of, vectors_file, write_bundle
from edge_deploy.manifest import Accuracy, Manifest, Parity, Variant
from edge_toolkit.data import Normalisation
from edge_toolkit.errors import AnswerIsNo, InputError, MissingError
from edge_toolkit.specs import digest, spec_to_json
from tests.edge_deploy.networks_for_tests import ONE_LAYER, SEQUENCE

VECTORS = Vectors(
    np.arange(180, dtype=np.float32).reshape(2, 3, 1, 30),
    np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32),
    np.array([3, 0]),
)
CONTENTS = {
    "model.onnx": b"onnx",
    "model.xml": b"<net/>",
    "model.bin": b"\0\1\2\3",
    "architecture.json": json.dumps(spec_to_json(SEQUENCE)).encode(),
    "test_vectors.npz": vectors_file(VECTORS),
}
MANIFEST = Manifest(
    name="knee",
    digest=digest(SEQUENCE),
    input=SEQUENCE.input,
    labels=("a", "b", "c", "d"),
    normalisation=Normalisation((0.0, 1.0, 2.0), (1.0, 2.0, 3.0)),
    data="watch",
    fingerprint="f" * 64,
    trained=True,
    accuracy=Accuracy(0.75, 0.5, "a test"),
    parity=Parity(20, 1e-4, {"openvino": 1e-7}, {"torch": 10, "openvino": 10}),
    macs=1000,
    parameters=100,
    precisions={"f32": Variant("model.xml", 10, "f32", 1e-7, Accuracy(0.75, 0.5, "a test"))},
    versions={"torch": "2.13.0"},
    files=records_of(CONTENTS),
    baseline="../knee-lstm",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "bundles" / "knee"
    write_bundle(place, MANIFEST, CONTENTS)
    return place


def edit(folder: Path, **fields: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_bundle_is_read_as_it_was_written(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert (bundle.path, bundle.manifest, bundle.spec) == (folder, MANIFEST, SEQUENCE)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"} == CONTENTS
    assert bundle.baseline == folder.resolve().parent / "knee-lstm"
    assert (bundle.ir.name, bundle.onnx.name) == ("model.xml", "model.onnx")
    vectors = bundle.vectors()
    for name in ("inputs", "expected", "labels"):
        np.testing.assert_array_equal(getattr(vectors, name), getattr(VECTORS, name))


def test_manifest_is_of_plain_numbers_and_hashes(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["schema"] == 2
    assert manifest["precisions"]["f32"]["file"] == "model.xml"
    # By hand: `printf '\0\1\2\3' | sha256sum`.
    assert manifest["files"]["model.bin"] == {
        "sha256": "054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8",
        "size_bytes": 4,
    }


@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_changed_file_is_named(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(AnswerIsNo, match=f"{name}: was changed after the export"):
        read_bundle(folder)


def test_missing_file_is_named(folder: Path) -> None:
    (folder / "model.bin").unlink()
    with pytest.raises(AnswerIsNo, match=r"model\.bin: is missing"):
        read_bundle(folder)


def test_link_out_of_the_folder_is_refused(folder: Path) -> None:
    outside = folder.parent / "outside.bin"
    (folder / "model.bin").rename(outside)
    (folder / "model.bin").symlink_to(outside)
    with pytest.raises(AnswerIsNo, match=r"model\.bin: is missing or no plain file"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "..", ".", "a\\b", "C:evil", ""])
def test_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    edit(folder, files={**files, name: {"sha256": "0" * 64, "size_bytes": 1}})
    with pytest.raises(InputError, match="is no name of a file in the bundle's folder"):
        read_bundle(folder)


@pytest.mark.parametrize("place", ["knee-lstm", "../../other", "/tmp/other", "..", "../", "../.."])
def test_baseline_lies_beside_the_bundle(folder: Path, place: str) -> None:
    edit(folder, baseline=place)
    with pytest.raises(InputError, match="must be a folder beside the bundle"):
        read_bundle(folder)


def test_manifest_s_problems_are_told_together(folder: Path) -> None:
    edit(folder, schema=3, macs="many", colour="blue")
    with pytest.raises(InputError, match="3 problems") as told:
        read_bundle(folder)
    assert all(name in str(told.value) for name in ("schema", "macs", "colour"))


@pytest.mark.parametrize(
    ("precisions", "told"),
    [
        ({}, "lacks f32"),
        ({"f32": "model.onnx"}, "names model.onnx, and files holds no model.onnx.bin"),
        ({"f32": "model.xml", "int8": "int8.xml"}, "names int8.xml, and files holds no int8.xml"),
    ],
)
def test_each_precision_has_its_files(folder: Path, precisions: dict[str, str], told: str) -> None:
    whole = {"size_bytes": 10, "computed_in": "f32", "error": 0.0, "accuracy": None}
    edit(folder, precisions={name: {"file": file, **whole} for name, file in precisions.items()})
    with pytest.raises(InputError, match=f"precisions.*{told}"):
        read_bundle(folder)


def test_a_bundle_without_int8_says_how_to_get_it(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.ir_in("bf16") == bundle.ir  # a device computes in it from float32's file
    with pytest.raises(MissingError, match=r"--precision int8: .* holds f32; run `edge-toolkit export"):
        bundle.ir_in("int8")


def test_manifest_records_every_file(folder: Path) -> None:
    files = json.loads((folder / "manifest.json").read_text())["files"]
    edit(folder, files={name: record for name, record in files.items() if name != "model.xml"})
    with pytest.raises(InputError, match=r"files lacks model\.xml"):
        read_bundle(folder)


def test_manifest_and_architecture_are_of_one_network(folder: Path) -> None:
    edit(folder, digest=digest(ONE_LAYER))
    with pytest.raises(AnswerIsNo, match=f"the manifest is of {digest(ONE_LAYER)}"):
        read_bundle(folder)


def test_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no bundle \(manifest\.json is missing\)"):
        read_bundle(tmp_path)


def test_older_bundle_is_replaced_and_nothing_is_left_beside(folder: Path) -> None:
    (folder / "stale.txt").write_text("of the older bundle")
    newer = {**CONTENTS, "model.bin": b"new"}
    write_bundle(folder, replace(MANIFEST, macs=2000, files=records_of(newer)), newer)
    assert read_bundle(folder).manifest.macs == 2000
    assert sorted(path.name for path in folder.iterdir()) == sorted([*CONTENTS, "manifest.json"])
    assert [path.name for path in folder.parent.iterdir()] == ["knee"]


def test_bundle_that_would_not_pass_replaces_nothing(folder: Path) -> None:
    with pytest.raises(AnswerIsNo, match=r"model\.bin: was changed"):
        write_bundle(folder, MANIFEST, {**CONTENTS, "model.bin": b"new"})
    assert read_bundle(folder).manifest == MANIFEST
    assert [path.name for path in folder.parent.iterdir()] == ["knee"]


def test_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds something other than a bundle"):
        write_bundle(tmp_path, MANIFEST, CONTENTS)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="is no folder"):
        write_bundle(tmp_path / "thesis.tex", MANIFEST, CONTENTS)


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/b/c: cannot be made, since .*file is no folder that can be written to"):
        check_place(tmp_path / "file" / "b" / "c")
    check_place(tmp_path / "new" / "b")


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (replace(VECTORS, inputs=VECTORS.inputs[:, :2]), "has the shapes"),
        (replace(VECTORS, labels=np.array([0])), "has the shapes"),
        (replace(VECTORS, expected=np.array([[object()]])), "holds no test vectors"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(tmp_path: Path, vectors: Vectors, told: str) -> None:
    contents = {**CONTENTS, "test_vectors.npz": vectors_file(vectors)}
    bundle = write_bundle(tmp_path / "knee", replace(MANIFEST, files=records_of(contents)), contents)
    with pytest.raises(InputError, match=told):
        bundle.vectors()


def test_device_reads_a_bundle_without_the_workstation_s_packages(folder: Path) -> None:
    heavy = ("torch", "onnx", "onnxruntime", "onnxscript", "optuna", "safetensors", "sklearn", "openvino")
    program = f"""
import sys
for name in {heavy}:
    sys.modules[name] = None  # importing it raises
from pathlib import Path
from edge_deploy.bundle import read_bundle
bundle = read_bundle(Path(sys.argv[1]))
print(bundle.manifest.name, len(bundle.vectors().labels))
"""
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("knee 2\n", "")
