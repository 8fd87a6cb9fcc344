"""The command `devices`, against the files that ship."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import edge_toolkit
from edge_toolkit.cli import main
from edge_toolkit.commands import app
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from tests.edge_toolkit.calibrated_for_tests import calibrated

FOLDER = Path(edge_toolkit.__file__).parent / "devices"
FILES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
ATTACHED = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((FOLDER / "attached").glob("*.yaml"))}


PEAK_GMAC_S = {
    "cpu-host": 2.6 * 16,
    "npu-3720": 1.3 * 2 * 2048,
    "npu-4000": 1.7 * 6 * 2048,
    "xr-npu": 0.34 * 1024,
    "xr-npu-small": 0.34 * 256,
}


def constants_of(part: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Every mapping with a source, by its place."""
    if "source" in part:
        return {place: part}
    inner = {f"{place}.{name}".lstrip("."): each for name, each in part.items() if isinstance(each, dict)}
    return {at: constant for name, each in inner.items() for at, constant in constants_of(each, name).items()}


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
    lines = {line.split()[0]: line for line in run().splitlines() if line}
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


@pytest.mark.parametrize("name", ATTACHED)
def test_what_stands_beside_a_device_is_listed_and_shown_alone_and_with_it(name: str) -> None:
    listed = {each["name"]: each for each in json.loads(run("--json", "-"))["attachments"]}
    assert listed.keys() == ATTACHED.keys()
    expected = {
        place: (value["value"], value["source"], value.get("range"))
        for place, value in constants_of(ATTACHED[name]).items()
    }
    alone = json.loads(run(name, "--json", "-"))["attachment"]["constants"]
    assert {each["name"]: (each["value"], each["source"], each["range"]) for each in alone} == expected
    both = {each["name"] for each in json.loads(run(f"xr-npu+{name}", "--json", "-"))["device"]["constants"]}
    assert both == expected.keys() | constants_of(FILES["xr-npu"]).keys()


def test_an_assumed_constant_shows_its_range() -> None:
    (line,) = [line for line in run("cim-mram").splitlines() if line.startswith("link.hand_over_us")]
    assert line.split()[1:5] == ["1", "0.1", "to", "5"]


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


def test_a_calibrated_device_says_where_it_was_measured_and_how_well_it_predicts(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(calibrated(space="my-space", openvino="2026.4.1")))
    *_, where, how = run(str(path)).splitlines()
    assert "2026-01-02: 40 networks of my-space, 0.0500 to 0.2500 ms" in where
    assert "mean error 1.00% (95 % 0.50% to 2.00%), 100% within 5 %" in how
    shown = json.loads(run(str(path), "--json", "-"))["device"]["calibration"]
    assert (shown["space"], shown["held_out"]["mape"]) == ("my-space", 0.01)


def test_a_file_of_an_attachment_is_shown_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(ATTACHED["cim-mram"]))
    shown, shipped = (json.loads(run(each, "--json", "-"))["attachment"] for each in (str(path), "cim-mram"))
    assert shown == shipped


@pytest.mark.parametrize(
    ("place", "constant", "told"),
    [
        ("engines", {"value": 0.5}, "processors.npu.engines .*: must be a whole number"),
        (
            "half_block_share",
            {"value": 1.5, "range": None},
            "processors.npu.half_block_share .*: must be a share, 1 at",
        ),
        (
            "clock_mhz",
            {"range": [500, 100]},
            r"processors.npu.clock_mhz .*: range \[500, 100\] must hold the value 340",
        ),
    ],
)
def test_a_constant_that_breaks_its_rule_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, constant: dict[str, Any], told: str
) -> None:
    file = yaml.safe_load((FOLDER / "xr-npu.yaml").read_text())
    file["processors"]["npu"][place] |= constant
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(file))
    with pytest.raises(SystemExit) as stopped:
        main(["devices", str(path)])
    assert stopped.value.code == 2
    assert re.search(told, " ".join(capsys.readouterr().err.split()))


@pytest.mark.parametrize("name", ["gpu.0", "link", "NPU", ""])
def test_a_processor_has_a_plain_name(tmp_path: Path, name: str) -> None:
    file = yaml.safe_load((FOLDER / "xr-npu.yaml").read_text())
    file["processors"] = {name: file["processors"]["npu"]}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(file))
    with pytest.raises(InputError, match=f"processor '{name}': use small letters"):
        load_device(str(path))


def test_a_link_is_not_replaced_in_silence(tmp_path: Path) -> None:
    file = yaml.safe_load((FOLDER / "xr-npu.yaml").read_text())
    file["link"] = ATTACHED["cim-mram"]["link"] | {"gb_s": {"value": 1, "source": "by hand"}}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(file))
    with pytest.raises(InputError, match="xr-npu has a link of its own"):
        load_device(f"{path}+cim-mram")
