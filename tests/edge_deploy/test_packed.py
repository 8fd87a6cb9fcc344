"""Bundles in one file: read as they lie there, the same bytes each time, and refused where they hold anything else."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pytest

from edge_deploy.bundle import read_bundle, write_bundle
from edge_deploy.packed import LONGEST_MANIFEST, pack
from edge_toolkit.cli import main
from edge_toolkit.errors import AnswerIsNo, InputError
from tests.edge_deploy.test_bundle import CONTENTS, MANIFEST, VECTORS


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "knee", MANIFEST, CONTENTS)
    pack(tmp_path / "knee", tmp_path / "knee.zip")
    return tmp_path / "knee.zip"


def test_a_packed_bundle_is_the_folder_s(packed: Path) -> None:
    bundle = read_bundle(packed)
    assert bundle.path == packed
    assert bundle.manifest == MANIFEST
    assert {each.name: each.read_bytes() for each in bundle.folder.iterdir() if each.name in CONTENTS} == CONTENTS
    np.testing.assert_array_equal(bundle.vectors().inputs, VECTORS.inputs)
    assert bundle.baseline == packed.with_name("knee-lstm.zip")


def test_its_files_go_with_it(packed: Path) -> None:
    bundle = read_bundle(packed)
    folder = bundle.folder
    assert folder.is_dir()
    del bundle
    assert not folder.exists()


def test_the_same_bundle_gives_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    write_bundle(tmp_path / "again", MANIFEST, dict(reversed(CONTENTS.items())))
    pack(tmp_path / "again", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def entries(packed: Path) -> dict[str, bytes]:
    with ZipFile(packed) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewritten(packed: Path, change: Callable[[ZipFile, dict[str, bytes]], None]) -> Path:
    contents = entries(packed)
    with ZipFile(packed, "w", ZIP_DEFLATED) as file:
        change(file, contents)
        for name, content in contents.items():
            file.writestr(name, content)
    return packed


def adding(name: str, mode: int = stat.S_IFREG) -> Callable[[ZipFile, dict[str, bytes]], None]:
    def change(file: ZipFile, contents: dict[str, bytes]) -> None:
        info = ZipInfo(name)
        info.external_attr = (mode | 0o644) << 16
        file.writestr(info, b"/etc/passwd")

    return change


def replacing(name: str, content: bytes | None) -> Callable[[ZipFile, dict[str, bytes]], None]:
    def change(file: ZipFile, contents: dict[str, bytes]) -> None:
        del contents[name]
        if content is not None:
            contents[name] = content

    return change


NO = [
    (adding("../evil.txt"), "leads out of it"),
    (adding("/etc/evil"), "leads out of it"),
    (adding("a/b.txt"), "leads out of it"),
    (adding("a\\b.txt"), "leads out of it"),
    (adding("..", stat.S_IFREG), "leads out of it"),
    (adding("link", stat.S_IFLNK), "no plain file"),
    (adding("pipe", stat.S_IFIFO), "no plain file"),
    (adding("extra.txt"), "does not record"),
    (replacing("model.bin", None), "model.bin is missing"),
    (replacing("model.bin", b"\0"), "model.bin is 1 bytes, and the manifest records 4"),
    (replacing("model.bin", b"\3\2\1\0"), "was changed"),
    (replacing("model.bin", bytes(10**7)), "model.bin is 10000000 bytes"),
]


@pytest.mark.parametrize(("change", "told"), NO, ids=[told for _, told in NO])
def test_what_the_manifest_does_not_record_is_refused(
    packed: Path, tmp_path: Path, change: Callable[[ZipFile, dict[str, bytes]], None], told: str
) -> None:
    before = set(tmp_path.parent.rglob("*"))
    with pytest.raises(AnswerIsNo, match=told.replace("(", r"\(")):
        read_bundle(rewritten(packed, change))
    assert set(tmp_path.parent.rglob("*")) == before, "nothing is written outside"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(packed: Path) -> None:
    with pytest.raises(AnswerIsNo, match=r"'model\.bin' twice"):
        read_bundle(rewritten(packed, adding("model.bin")))


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (lambda path: path.write_bytes(b""), "is no .zip"),
    (lambda path: path.write_bytes(b"text"), "is no .zip"),
    (lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), "is no .zip"),
    (lambda path: rewritten(path, replacing("manifest.json", None)), "manifest.json is missing"),
    (lambda path: rewritten(path, replacing("manifest.json", b"")), "manifest.json is missing, empty"),
    (lambda path: rewritten(path, replacing("manifest.json", bytes(LONGEST_MANIFEST + 1))), "or too long"),
    (lambda path: rewritten(path, replacing("manifest.json", b"{")), "is not JSON"),
    (lambda path: rewritten(path, replacing("manifest.json", b'{"schema": 1}')), "schema 1, from before"),
    (lambda path: rewritten(path, replacing("manifest.json", json.dumps({"schema": 99}).encode())), "problems"),
]


@pytest.mark.parametrize(("damage", "told"), BROKEN, ids=[told for _, told in BROKEN])
def test_what_is_no_bundle_is_told(packed: Path, damage: Callable[[Path], object], told: str) -> None:
    damage(packed)
    with pytest.raises(InputError, match=told) as stopped:
        read_bundle(packed)
    assert str(stopped.value).startswith(str(packed)), "nobody knows the folder that it was unpacked into"


def test_bytes_that_were_damaged_on_the_way_are_refused(packed: Path) -> None:
    data = bytearray(packed.read_bytes())
    data[data.index(b"\0\1\2\3")] = 9  # the weights; the .zip has a checksum of its own
    packed.write_bytes(bytes(data))
    with pytest.raises(AnswerIsNo, match=r"knee\.zip/model\.bin: was changed or damaged \(Bad CRC"):
        read_bundle(packed)


def test_a_tampered_one_is_exit_status_1_on_the_command_line(packed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rewritten(packed, replacing("model.bin", b"\3\2\1\0"))
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(packed)])
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (1, "")
    assert "was changed after the export" in err
