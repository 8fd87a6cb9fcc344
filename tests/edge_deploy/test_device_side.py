"""The device side alone: a fresh environment without extras, and a bundle that was exported elsewhere."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_deploy.export import export
from tests.edge_deploy.networks_for_tests import SEQUENCE, write_folder, write_npz

ROOT = Path(__file__).parents[2]
WORKSTATION = ("torch", "optuna", "onnx", "onnxruntime", "nncf", "matplotlib", "sklearn", "safetensors")

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of a fresh environment, with pip's own settings of this machine; returns its standard output."""
    venv = tmp_path_factory.mktemp("device") / "venv"
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

    def program(name: str, *arguments: object) -> str:
        command = [str(venv / "bin" / name), *(str(each) for each in arguments)]
        done = subprocess.run(command, cwd=venv, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    subprocess.run([sys.executable, "-m", "venv", str(venv)], env=environment, check=True)
    program("python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", ROOT)
    return program


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle, and its LSTM's beside it."""
    folder = tmp_path_factory.mktemp("exported")
    model = write_folder(folder / "model", SEQUENCE, write_npz(folder / "data.npz"))
    bundle = export(model, folder / "knee").path
    return bundle, bundle.with_name("knee-lstm")


@pytest.mark.slow
def test_nothing_of_the_workstation_is_there(run: Run) -> None:
    script = f"import importlib.util as u; print([name for name in {WORKSTATION} if u.find_spec(name)])"
    assert run("python", "-c", script) == "[]\n"
    assert run("python", "-c", "import edge_deploy; print(edge_deploy.__file__)").startswith(str(run_home(run)))


@pytest.mark.slow
def test_the_commands_of_the_device_work(run: Run, bundles: tuple[Path, Path], tmp_path: Path) -> None:
    bundle, lstm = bundles
    saved = tmp_path / "profile.json"
    profiled = json.loads(run("edge-toolkit", "profile", bundle, "-t", 0.05, "--baseline", "lstm", "--json", "-"))
    assert (profiled["precision"], profiled["baseline"]["target"]) == ("f32", str(lstm))
    verified = json.loads(run("edge-toolkit", "verify", bundle, "--json", "-"))
    assert verified["passed"] is True
    run("edge-toolkit", "profile", bundle, "-t", 0.05, "--json", saved, "--csv", tmp_path / "rows.csv")
    for a, b, evidence in ((bundle, lstm, "one run"), (bundle, saved, "separate runs")):
        compared = json.loads(run("edge-toolkit", "compare", a, b, "-t", 0.05, "--json", "-"))
        assert (compared["evidence"], compared["a"]["macs"]) == (evidence, profiled["macs"])
    signs = json.loads(run("edge-toolkit", "doctor", bundle, "--json", "-"))["signs"]
    assert [each["state"] for each in signs if each["topic"] == "on CPU"] == ["good"]


def run_home(run: Run) -> Path:
    """The folder of the fresh environment."""
    return Path(run("python", "-c", "import sys; print(sys.prefix)").strip())
