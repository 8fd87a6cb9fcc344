"""Entry points against the standard library's reading of the same files."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from edge_toolkit.cli import GROUP
from edge_toolkit.plugins import announced, load


@pytest.mark.parametrize("group", [GROUP, "console_scripts", "pytest11", "no.such.group"])
def test_equal_to_the_standard_library(group: str) -> None:
    assert announced(group) == {entry.name: entry.value for entry in entry_points(group=group)}


def test_somebody_elses_package_adds_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "theirs-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text(
        f"[console_scripts]\nx = a:b\n\n[{GROUP}]\n# a comment = no entry\nzz_theirs = theirs_room:app [fast]\n"
    )
    (tmp_path / "theirs_room.py").write_text("app = 'their commands'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = announced(GROUP)
    assert found["zz_theirs"] == "theirs_room:app"
    assert list(found) == sorted(found)
    assert load(found["zz_theirs"]) == "their commands"
