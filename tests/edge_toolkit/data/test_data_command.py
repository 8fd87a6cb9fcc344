"""`edge-toolkit data`: what it prints and writes, and what it loads to do so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from edge_toolkit.commands import app
from edge_toolkit.errors import InputError


@pytest.fixture(scope="module")
def whole() -> typer.Typer:
    """The room's commands as `edge_toolkit.cli` mounts them: one among others, so that none is the only one."""
    mounted = typer.Typer()
    mounted.callback()(lambda: None)
    mounted.add_typer(app)
    return mounted


def test_listing(whole: typer.Typer) -> None:
    result = CliRunner().invoke(whole, ["data"])
    assert result.exit_code == 0
    for text in ("digits", "recall", "watch", "6x1x200", "BSD-3-Clause", "npz:FILE", "folder:DIR[@SIZE]"):
        assert text in result.stdout


def test_description_in_words(whole: typer.Typer) -> None:
    result = CliRunner().invoke(whole, ["data", "watch"])
    assert result.exit_code == 0
    assert "split by person: train 1, 2, 3, 4, 5, 6; validation 7, 10; test 8, 9" in result.stdout
    assert ["all", "2501", "987", "909"] in [line.split() for line in result.stdout.splitlines()]


def test_description_as_json(whole: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(whole, ["data", "recall:16", "--json", "-"])
    told = json.loads(result.stdout)
    assert told["schema"] == 1
    assert told["input_shape"][1:] == [1, 16]
    assert {name: split["samples"] for name, split in told["splits"].items()} == {
        "train": 4000,
        "validation": 1000,
        "test": 1000,
    }
    assert len(told["normalisation"]["mean"]) == told["input_shape"][0]
    CliRunner().invoke(whole, ["data", "recall:16", "--json", str(tmp_path / "a.json")])
    assert json.loads((tmp_path / "a.json").read_text()) == told


def test_listing_as_json(whole: typer.Typer) -> None:
    told = json.loads(CliRunner().invoke(whole, ["data", "--json", "-"]).stdout)
    assert [one["name"] for one in told["builtin"]] == ["digits", "recall", "watch"]


def test_an_unknown_name_is_an_error_of_the_users(whole: typer.Typer) -> None:
    result = CliRunner().invoke(whole, ["data", "wacth"])
    assert isinstance(result.exception, InputError)
    assert result.exception.exit_status == 2


def test_the_commands_load_nothing_heavy() -> None:
    heavy = ("numpy", "pydantic", "torch", "openvino", "optuna", "sklearn", "PIL")
    code = f"import sys, edge_toolkit.commands; print([name for name in {heavy!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
