"""Files: written whole or not at all, and what a broken one is told."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from edge_toolkit.errors import InputError
from edge_toolkit.files import from_here, looked_in, read_yaml, replacing, write_text

NUMBERS: TypeAdapter[dict[str, dict[str, int]]] = TypeAdapter(dict[str, dict[str, int]])


def test_a_file_is_replaced_when_all_went_well(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_text(path, "one")
    before = os.umask(0o027)
    try:
        write_text(path, "two")
    finally:
        os.umask(before)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640, "as the umask has it"

    def break_off() -> None:
        with replacing(path) as beside:
            beside.write_text("three")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path], "nothing is left beside it"


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "")
    with pytest.raises(InputError, match=r"file/a\.txt: cannot be written \(File exists\); give a place that can"):
        write_text(tmp_path / "file" / "a.txt", "")


def test_a_path_is_told_as_a_user_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert from_here(tmp_path / "a" / "b") == Path("a/b")
    assert from_here(Path("/elsewhere")) == Path("/elsewhere")
    assert looked_in(Path("a")) == f" in {tmp_path}"
    assert looked_in(tmp_path / "a") == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: {b: 1\n", "is not YAML"),
        ("a: {b: 1, b: 2}\n", "'b' stands twice in one mapping .* line 1"),
        ("a: !!map 3\n", "is not YAML .*expected a mapping"),
        ("a: {b: 2026-99-99}\n", "is not YAML .*month must be in 1..12"),
        ("[" * 3000 + "]" * 3000, "is not YAML .*recursion"),
        ("a: !!python/object/apply:os.getcwd []\n", "is not YAML .*could not determine a constructor"),
        ("base: &base {k: 1}\na:\n  <<: *base\n  k: x\n", r"a\.k \(line 4\): .*, but got 'x'$"),
        ("base: &base {k: x}\n", r"base\.k \(line 1\)"),
        ("a: 3\n", r"a \(line 1\): .*dictionary, but got 3$"),
        ("", "valid dictionary, but got None"),
    ],
)
def test_broken_yaml_is_one_message(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"a\.yaml: {told}" if "is not" in told else told):
        read_yaml(tmp_path / "a.yaml", NUMBERS)


def test_a_merge_key_may_be_overridden(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: &base {k: 1, l: 2}\na:\n  <<: *base\n  k: 3\n")
    assert read_yaml(tmp_path / "a.yaml", NUMBERS) == {"base": {"k": 1, "l": 2}, "a": {"k": 3, "l": 2}}
