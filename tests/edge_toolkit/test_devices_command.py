"""The command `devices`, against the files that ship."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import edge_toolkit
from edge_toolkit.cli import main
from edge_toolkit.commands import app

FOLDER = Path(edge_toolkit.__file__).parent / "devices"
FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


PEAK_GMAC_S = {
    "cpu-host": 2.6 * 16,
    "npu-3720": 1.3 * 2 * 2048,
    "npu-4000": 1.7 * 6 * 2048,
    "xr-npu": 0.34 * 1024,
    "xr-npu-small": 0.34 * 256,
}


def constants_of(file: dict[str, Any]) -> dict[str, Any]:
    """Every mapping with a source, by its place."""
    parts = {f"processors.{name}": part for name, part in file["processors"].items()} | {"memory": file["memory"]}
    return {
        f"{place}.{name}": value
        for place, part in parts.items()
        for name, value in part.items()
        if isinstance(value, dict) and "source" in value
    }


def run(*arguments: str) -> str:
    """Standard output of a command that must end well."""
    result = CliRunner().invoke(app, ["devices", *arguments])
    if result.exception:
        raise result.exception
    return result.stdout


def test_every_device_that_ships_is_listed_with_its_peak() -> None:
    listed = {each["name"]: each for each in json.loads(run("--json", "-"))["devices"]}
    assert sorted(listed) == sorted(FILES)
    for name, file in FILES.items():
        assert listed[name]["peak_gmac_s"] == pytest.approx(PEAK_GMAC_S[name])
        assert listed[name]["on_chip_kib"] == file["memory"]["on_chip_kib"]["value"]


def test_the_list_counts_what_is_assumed() -> None:
    lines = {line.split()[0]: line for line in run().splitlines()}
    for name, file in FILES.items():
        constants = list(constants_of(file).values())
        assumed = sum(constant.get("assumed", False) for constant in constants)
        assert f" {assumed} of {len(constants)} " in lines[name]


@pytest.mark.parametrize("name", FILES)
def test_each_constant_is_shown_with_its_source(name: str) -> None:
    shown = json.loads(run(name, "--json", "-"))["device"]["constants"]
    expected = {
        place: (value["value"], value["source"], value.get("assumed", False))
        for place, value in constants_of(FILES[name]).items()
    }
    assert {each["name"]: (each["value"], each["source"], each["assumed"]) for each in shown} == expected


def test_a_file_of_ones_own_is_shown(tmp_path: Path) -> None:
    own = {**FILES["xr-npu"], "name": "mine"}
    own["memory"] = {**own["memory"], "on_chip_kib": {"value": 777, "source": "our data sheet, page 3"}}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(own))
    (line,) = [line for line in run(str(path)).splitlines() if line.startswith("memory.on_chip_kib")]
    assert line.split() == ["memory.on_chip_kib", "777", "our", "data", "sheet,", "page", "3"]


def test_an_unknown_device_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["devices", "tpu"])
    assert caught.value.code == 2
    assert "tpu: no such device; use cpu-host, npu-3720" in capsys.readouterr().err
