"""`train-supernet` and `extract` as a user runs them."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

from edge_search.request import read_request
from edge_search.search import inherited, trained_supernet
from edge_search.supernet.checkpoint import entries_in
from edge_toolkit.data import load_dataset
from edge_toolkit.model_folder import read_model
from edge_toolkit.nn import build
from edge_toolkit.runs import RunFolder
from tests.edge_search.spaces_for_tests import PLAIN
from tests.edge_search.test_search import run, toy

__all__ = ["toy"]  # a fixture

TRAIN = ["train-supernet", "--data", "npz:toy.npz", "--space", "space.yaml", "--supernet-epochs", "3"]
SEARCH = ["search", *TRAIN[1:], "--device", "xr-npu", "--trials", "5"]


@pytest.mark.usefixtures("toy")
def test_a_search_takes_up_what_train_supernet_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*TRAIN, "--out", "run", "--recipe", "two-phase", "--plot", "conflict.png", "--json", "-") == 0
    payload = json.loads(capsys.readouterr().out)
    assert payload["schema"] == 1
    assert payload["recipe"]["epochs"] == 3
    assert set(payload["validation_accuracy"]) == {"smallest", "largest without attention", "largest with attention"}
    assert [entry["epoch"] for entry in payload["epochs"]] == [1, 2, 3]
    assert set(payload["epochs"][2]["conflict"]["stages.0"]) == {"between", "within"}
    assert Path("conflict.png").stat().st_size > 0
    weights = Path("run/supernet.safetensors").read_bytes()
    assert run(*SEARCH, "--out", "run", "--recipe", "two-phase") == 0
    assert Path("run/supernet.safetensors").read_bytes() == weights
    assert run(*SEARCH, "--out", "another", "--recipe", "two-phase") == 0
    fronts = [{**json.loads(Path(name, "front.json").read_text()), "run": None} for name in ("run", "another")]
    assert fronts[0] == fronts[1]


@pytest.mark.usefixtures("toy")
def test_another_question_does_not_get_these_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*TRAIN, "--out", "run") == 0
    for words in (["--recipe", "labels"], ["--seed", "1"]):
        assert run(*TRAIN, "--out", "run", *words) == 2
        assert "run/supernet.safetensors: was trained for something else" in capsys.readouterr().err
    assert run(*TRAIN, "--out", "run") == 0


def test_a_killed_training_goes_on_bit_for_bit(toy: Path) -> None:
    words = [*TRAIN[:-1], "30", "--recipe", "projected", "--out"]
    command = [sys.executable, "-m", "edge_toolkit.cli", *words]
    subprocess.run([*command, "whole"], check=True, capture_output=True)
    with subprocess.Popen([*command, "killed"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "training the supernet: 9 of 30" in line:  # tenths are told where there is no terminal
                break
        process.send_signal(signal.SIGKILL)
    assert len(entries_in(toy / "killed/supernet.safetensors")) < 30
    subprocess.run([*command, "killed"], check=True, capture_output=True)
    whole, killed = (load_file(toy / name / "supernet.safetensors") for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert all(torch.equal(killed[name], tensor) for name, tensor in whole.items())


def test_what_is_extracted_computes_what_was_judged(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SEARCH, "--out", "run") == 0
    front = json.loads(Path("run/front.json").read_text())
    assert run("extract", "run", "--pick", "knee", "--json", "-") == 0
    facts = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    knee = front["candidates"][front["picks"]["knee"]]
    assert facts["model"] == "knee-inherited"
    assert facts["epochs"] == 0
    assert facts["validation_accuracy"] == knee["accuracy"]

    model = read_model(toy / "run/models/knee-inherited")
    request, dataset = read_request(RunFolder(toy / "run")), load_dataset("npz:toy.npz")
    supernet = trained_supernet(request.origin, dataset, RunFolder(toy / "run"))
    x = torch.from_numpy(dataset.normalisation.apply(dataset.validation.x)).to(memory_format=torch.channels_last)
    alone = build(model.spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves this form out
    alone.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in model.weights.items()})
    judged = inherited(supernet, dataset, request.seed).model(model.spec)  # type: ignore[arg-type]  # an architecture
    with torch.inference_mode():
        assert torch.equal(alone.eval()(x), judged(x))
        assert torch.equal(alone.train()(x), supernet(x, model.spec))  # type: ignore[arg-type]  # as above


@pytest.mark.usefixtures("toy")
def test_a_plot_of_no_conflict_is_refused_before_anything_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    stage = {"blocks": ["mbconv"], "width": [8], "depth": [1, 2], "stride": 2, "kernel": [3], "expand": [2]}
    Path("space.yaml").write_text(yaml.safe_dump({**PLAIN, "stages": [stage]}))
    assert run(*TRAIN, "--out", "run", "--plot", "conflict.svg") == 2
    assert "--plot conflict.svg: space.yaml has no networks with and without attention" in capsys.readouterr().err
    assert not Path("run/supernet.safetensors").exists()


@pytest.mark.usefixtures("toy")
def test_shared_weights_alone_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*TRAIN, "--out", "run", "--json", "-") == 0
    first, told = capsys.readouterr()
    assert "shared weights in run/supernet.safetensors\n" in told
    Path("copy").mkdir()
    shutil.copy("run/supernet.safetensors", "copy")
    assert run(*TRAIN, "--out", "copy", "--plot", "conflict.svg", "--json", "-") == 0
    again, told = capsys.readouterr()
    assert json.loads(again) == json.loads(first)
    assert "shared weights in copy/supernet.safetensors, trained to the end by an earlier command\n" in told


@pytest.mark.usefixtures("toy")
def test_another_number_of_epochs_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SEARCH, "--out", "run") == 0
    assert run(*SEARCH, "--supernet-epochs", "4", "--out", "run") == 2
    assert "holds a run that was asked something else (its recipe had epochs 3, not 4)" in capsys.readouterr().err


@pytest.mark.usefixtures("toy")
def test_extract_names_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*TRAIN, "--out", "run") == 0
    assert run("extract", "run", "--pick", "knee") == 2
    assert "run: holds no run" in capsys.readouterr().err
