"""The commands `spaces`, `spaces show`, `spaces sample` and `spaces costs`."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edge_search.commands import app
from edge_search.space import load_space, presets
from edge_toolkit.architecture import Architecture
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import spec_from_json


def run(*arguments: str) -> str:
    """Standard output of a command that must end well."""
    result = CliRunner().invoke(app, ["spaces", *arguments])
    if result.exception:
        raise result.exception
    return result.stdout


def sampled(text: str) -> list[Architecture]:
    specs = [spec_from_json(json.loads(line)) for line in text.splitlines()]
    return [spec for spec in specs if isinstance(spec, Architecture)]


def test_the_list_as_json() -> None:
    listed = json.loads(run("--json", "-"))
    assert [item["name"] for item in listed["spaces"]] == list(presets())
    assert [item["size"] for item in listed["spaces"]] == [load_space(name).size() for name in presets()]


def test_the_list_as_a_table() -> None:
    lines = run().splitlines()
    assert lines[0].split()[:3] == ["space", "input", "networks"]
    assert [line.split()[0] for line in lines[1:4]] == list(presets())


def test_show_explains_the_choices() -> None:
    text = run("show", "image-s")
    assert f"{load_space('image-s').size():,} distinct networks" in text
    assert "1x24x24, 1x28x28, 1x32x32" in text
    stage = next(line for line in text.splitlines() if line.startswith("stages.1"))
    assert stage.split("  ")[0] == "stages.1"
    assert "mbconv, attention" in stage
    assert "32, 48" in stage


def test_show_writes_json_beside_the_table(tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    assert "distinct networks" in run("show", "imu-s", "--json", str(path))
    shown = json.loads(path.read_text())
    assert shown["schema"] == 1
    assert 0 < shown["smallest"]["macs"] < shown["largest"]["macs"]
    assert [spec_from_json(shown[which]["architecture"]) for which in ("smallest", "largest")] == [
        load_space("imu-s").smallest(),
        load_space("imu-s").largest(),
    ]
    assert shown["choices"]["stem"] == {"width": [16, 24], "kernel": 5, "stride": 2}


def test_samples_are_networks_of_the_space_and_follow_the_seed(tmp_path: Path) -> None:
    text = run("sample", "imu-s", "-n", "60", "--seed", "7")
    space = load_space("imu-s")
    drawn = sampled(text)
    assert len(drawn) == 60
    assert all(space.contains(network) for network in drawn)
    assert text != run("sample", "imu-s", "-n", "60", "--seed", "8")
    path = tmp_path / "networks.jsonl"
    assert run("sample", "imu-s", "-n", "60", "--seed", "7", "--out", str(path)) == ""
    assert path.read_text() == text


def test_costs_tell_what_the_networks_drawn_cost() -> None:
    told = json.loads(
        run("costs", "imu-s", "-d", "xr-npu", "-n", "40", "--seed", "3", "--latency-ms", "0.06", "--json", "-")
    )
    space, device = load_space("imu-s"), load_device("xr-npu")
    vectors = np.random.default_rng(3).integers(
        [len(gene.choices) for gene in space.genes], size=(40, len(space.genes))
    )
    costs = [estimate(layers_of(space.decode(vector)), device) for vector in vectors.tolist()]
    energies = sorted(cost.energy_mj for cost in costs)
    assert told["quantiles"]["energy_mj"]["least"] == pytest.approx(energies[0])
    assert told["quantiles"]["energy_mj"]["median"] == pytest.approx((energies[19] + energies[20]) / 2)
    kept = sum(cost.latency_ms <= 0.06 for cost in costs) / 40
    assert 0 < kept < 1
    assert told["kept"] == {"latency_ms": pytest.approx(kept)}


def test_costs_as_tables() -> None:
    lines = run("costs", "imu-s", "-d", "xr-npu", "-n", "10", "--fps", "90", "--energy-mj", "0.002").splitlines()
    assert lines[0] == "10 networks of imu-s on xr-npu, modelled"
    assert [line.split()[0] for line in lines[3:5]] == ["least", "1"]
    assert lines[-3].split() == ["latency_ms", "11.11", "100.00%"]
    assert lines[-1].split()[0] == "both"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("sample", "imu-s", "-n", "0"),
            f"-n 0 is out of range; use 1 to {load_space('imu-s').size():,}, the number of networks in imu-s",
        ),
        (("sample", "imu-s", "-n", str(10**30)), "is out of range; use 1 to "),
        (("sample", "imu-s", "--seed", "-1"), "--seed -1 is negative; use 0 or more"),
        (("costs", "imu-s", "-d", "nothing"), "--device nothing: no such device; use "),
        (("costs", "imu-s", "-d", "xr-npu", "--energy-mj", "-1"), "energy_mj=-1.0 must be a number greater than 0"),
        (("show", "nowhere.yaml"), "space 'nowhere.yaml' is no built-in space and no file"),
    ],
)
def test_what_cannot_be_served_is_told(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        run(*arguments)
    assert message in str(caught.value)


def test_announcing_the_commands_loads_nothing_heavy() -> None:
    code = (
        "import sys, edge_search.commands; print(sorted({'numpy', 'pydantic', 'torch', 'optuna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
