"""The search as a user runs it: one command, resumed, killed, refused; and what it may see of the data."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml
from numpy.typing import NDArray
from optuna.trial import TrialState

import edge_search.picks
import edge_toolkit.data
from edge_search.journal import journal_storage
from edge_search.lock import alone
from edge_search.request import without_password
from edge_toolkit.cli import main
from edge_toolkit.data import Split
from edge_toolkit.layers import KINDS, layers_of
from edge_toolkit.specs import read_spec
from tests.edge_search.spaces_for_tests import PLAIN, changed
from tests.edge_toolkit.calibrated_for_tests import calibrated

Arrays = dict[str, NDArray[np.generic]]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a space and data whose three classes two channel means tell apart."""
    rng = np.random.default_rng(0)
    means = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.5]])
    arrays: Arrays = {}
    for split, samples in (("train", 240), ("val", 120), ("test", 120)):
        y = np.arange(samples) % 3
        arrays[f"x_{split}"] = (means[y][:, :, None, None] + rng.normal(size=(samples, 2, 1, 32))).astype(np.float32)
        arrays[f"y_{split}"] = y
    np.savez(tmp_path / "toy.npz", **arrays)  # type: ignore[arg-type]  # numpy types the keywords as its own flags
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(changed(("classes", 3), base=PLAIN)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


SEARCH = ["search", "--data", "npz:toy.npz", "--space", "space.yaml", "--device", "xr-npu", "--supernet-epochs", "2"]


def run(*arguments: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as done:
        main([*arguments])
    return int(done.value.code or 0)


def front_of(folder: str) -> str:
    return Path(folder, "front.json").read_text().replace(folder, "RUN")


def test_the_main_road_without_the_test_split(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A search never loads the test split; training loads it once."""
    calls: list[str] = []
    real: Callable[..., Split] = edge_toolkit.data.load_test

    def counted(name: str, seed: int = 0) -> Split:
        calls.append(name)
        return real(name, seed)

    for module in (edge_toolkit.data, edge_toolkit.data.sources, edge_search.picks):
        monkeypatch.setattr(module, "load_test", counted)
    assert run(*SEARCH, "--trials", "6", "--out", "run", "--json", "-") == 0
    assert calls == []
    payload = json.loads(capsys.readouterr().out)
    assert payload["schema"] == 1
    assert payload["evaluated"] == 6
    assert set(payload["picks"]) == {"knee", "fastest", "most-accurate", "least-energy"}
    assert payload["candidates"][0]["origin"] == {
        "accuracy": "inherited",
        "latency_ms": "modelled",
        "energy_mj": "modelled",
    }
    for name in ("run.yaml", "study.journal", "supernet.safetensors", "front.json", "front.png", "front.svg"):
        assert (toy / "run" / name).stat().st_size > 0

    assert run("train", "run", "--pick", "knee", "--epochs", "4") == 0
    assert calls == ["npz:toy.npz"]
    training = json.loads((toy / "run/models/knee/training.json").read_text())
    assert training["test_accuracy"] > 0.8
    assert len(training["history"]) == 4
    assert run("train", "--baseline", "lstm", "--like", "run/models/knee", "--epochs", "1") == 0
    lstm = (toy / "run/models/knee-lstm/architecture.json").read_text()
    assert json.loads(lstm)["kind"] == "lstm"
    assert run("train", "--baseline", "lstm", "--like", "run/models/knee", "--epochs", "1", "--match", "macs") == 0
    assert (toy / "run/models/knee-lstm/architecture.json").read_text() == lstm, "what ships is matched by parameters"
    by_macs = read_spec(toy / "run/models/knee-lstm-macs/architecture.json")
    knee = read_spec(toy / "run/models/knee/architecture.json")
    assert layers_of(by_macs).macs.sum() == pytest.approx(layers_of(knee).macs.sum(), rel=0.02)


def test_the_test_split_has_no_say_in_a_search(toy: Path) -> None:
    """Another test split, the same front."""
    assert run(*SEARCH, "--trials", "5", "--out", "one") == 0
    with np.load("toy.npz", allow_pickle=False) as file:
        arrays: Arrays = dict(file)
    arrays["x_test"] = arrays["x_test"][::-1] * np.float32(-3)
    np.savez("toy.npz", **arrays)  # type: ignore[arg-type]  # as above
    assert run(*SEARCH, "--trials", "5", "--out", "two") == 0
    assert front_of("one") == front_of("two")


def test_a_killed_search_goes_on_and_loses_nothing(toy: Path) -> None:
    """SIGKILL at some moment of the trials; the same command then gives the front of an undisturbed run."""
    command = [sys.executable, "-m", "edge_toolkit.cli", *SEARCH, "--trials", "25", "--out"]
    subprocess.run([*command, "whole"], check=True, capture_output=True)
    with subprocess.Popen([*command, "killed"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.startswith("searching: 8 of 25") for line in process.stderr)
        process.send_signal(signal.SIGKILL)
    journal = toy / "killed/study.journal"
    before = _evaluated(journal)
    subprocess.run([*command, "killed"], check=True, capture_output=True)
    after = _evaluated(journal)
    assert 8 <= len(before) < 25
    assert before.items() <= after.items(), "what had finished stands as it was"
    assert len(after) == len(set(after.values())) == 25, "nothing that had finished was evaluated again"
    assert front_of("killed") == front_of("whole")


def _evaluated(journal: Path) -> dict[int, str]:
    """The architecture's digest by trial, of those that finished with an accuracy of their own."""
    study = optuna.load_study(study_name=None, storage=journal_storage(journal))
    finished = study.get_trials(states=[TrialState.COMPLETE])
    return {
        trial.number: trial.user_attrs["architecture"]
        for trial in finished
        if trial.user_attrs["outcome"] == "evaluated"
    }


def test_nothing_inside_the_budget_is_a_no_with_the_nearest_misses(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*SEARCH, "--latency-ms", "0.0001", "--out", "run") == 1
    message = capsys.readouterr().err
    assert "nothing in space.yaml is inside the budget on xr-npu: latency_ms: the bound is 0.0001" in message
    assert "nearest misses:" in message
    assert not (toy / "run").exists(), "nothing was trained for it"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--latency-ms", "-1"], "latency_ms=-1.0 must be a number greater than 0"),
        (["--latency-ms", "inf"], "latency_ms=inf must be a number greater than 0"),
        (["--fps", "0"], "--fps 0.0 must be a number greater than 0"),
        (["--trials", "0"], "--trials 0 must be at least 1"),
        (["--supernet-epochs", "0"], "--supernet-epochs 0 must be at least 1"),
        (["--device", "tpu"], "--device tpu: no such device"),
        (["--space", "nowhere"], "space 'nowhere' is no built-in space and no file"),
        (["--data", "nowhere"], "nowhere"),
        (["--sampler", "grid"], "grid"),
        (["--storage", "postgres://nowhere"], "--storage postgres://nowhere: cannot be opened"),
    ],
)
def test_bad_requests_are_one_message(
    toy: Path, capsys: pytest.CaptureFixture[str], extra: list[str], message: str
) -> None:
    assert run(*SEARCH, *extra, "--out", "run") == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_two_runs_of_one_name_in_one_storage_do_not_mix(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = ("--trials", "3", "--storage", "sqlite:///all.db")
    assert run(*SEARCH, *shared, "--out", "here/run") == 0
    assert run(*SEARCH, *shared, "--seed", "5", "--out", "there/run") == 2
    assert "study 'run' that was asked something else" in capsys.readouterr().err
    assert not (toy / "there/run/run.yaml").exists(), "another --storage may still be given"
    assert run(*SEARCH, "--trials", "3", "--seed", "5", "--out", "there/run") == 0


def test_one_process_at_a_time_searches_in_a_folder(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with alone(toy / "run"):
        assert run(*SEARCH, "--trials", "3", "--out", "run") == 2
    assert "--out run: another process is at work in it" in capsys.readouterr().err
    assert run(*SEARCH, "--trials", "3", "--out", "run") == 0


def test_a_folder_that_cannot_be_written_to_is_told(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (toy / "file").write_text("")
    assert run(*SEARCH, "--trials", "3", "--out", "file/run") == 2
    assert capsys.readouterr().err.startswith("edge-toolkit: file/run: cannot be written (Not a directory)")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@host:5432/all", "postgresql://***@host:5432/all"),
        ("postgresql://me:se/cret@host/all", "postgresql://***@host/all"),
        ("mysql+pymysql://me:s@cret@host/all", "mysql+pymysql://***@host/all"),
        ("mysql://me@host/all?password=secret", "mysql://***@host/all?***"),
        ("postgresql//me:secret@host/all", "***@host/all"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        (None, None),
    ],
)
def test_a_password_is_neither_shown_nor_kept(url: str | None, shown: str | None) -> None:
    assert without_password(url) == shown


def test_another_request_in_the_same_folder_is_refused(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SEARCH, "--trials", "3", "--out", "run") == 0
    before = front_of("run")
    assert run(*SEARCH, "--trials", "3", "--seed", "5", "--out", "run") == 2
    assert "holds a run that was asked something else (seed was 0); use another folder" in capsys.readouterr().err
    assert front_of("run") == before
    assert run(*SEARCH, "--trials", "6", "--out", "run") == 0
    assert json.loads(Path("run/front.json").read_text())["evaluated"] == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["front", "nowhere"], "nowhere: holds no run"),
        (["train", "nowhere", "--pick", "knee"], "nowhere: holds no run"),
        (["train"], "write `train RUN --pick NAME`"),
        (["train", "--baseline", "lstm"], "write `train --baseline lstm --like MODEL`"),
        (["train", "--baseline", "lstm", "--like", "nowhere"], "nowhere: holds no model"),
    ],
)
def test_what_is_not_there_is_told(
    toy: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


def test_the_front_shows_measurements_beside_the_model(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*SEARCH, "--trials", "4", "--latency-ms", "0.1", "--out", "run") == 0
    from edge_toolkit.front import read_front
    from edge_toolkit.measured import Machine, Measured, Measurement, Settings, write_measured
    from edge_toolkit.specs import digest

    first = read_front(Path("run/front.json")).candidates[0]
    found = {digest(first.architecture): Measurement(0.25, (0.2, 0.3), 0.4, 100)}
    settings = Settings("CPU", "some CPU", "f32", 1, {"openvino": "1"})
    write_measured(Path("run/measured.json"), Measured(settings, Machine("some CPU", 2, None, None), found))
    capsys.readouterr()
    assert run("front", "run") == 0
    printed = capsys.readouterr().out
    assert "measured_ms (CPU, f32)" in printed
    assert "0.2500" in printed
    assert "broken: 2.50 times" in printed
    assert f"{first.latency_ms / 0.25 - 1:+.1%}" in printed, "how far the model is off"
    assert found[digest(first.architecture)].off_by(0.3) == pytest.approx(0.2)
    assert Measurement(0.25, (0.2, 0.3), 0.4, 100, quiet_ms=0.24).off_by(0.3) == pytest.approx(0.25)


def test_a_front_is_measured_where_its_device_was_calibrated(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, elsewhere = calibrated(), calibrated(cpu="another one")
    for name, whole in (("here.yaml", here), ("elsewhere.yaml", elsewhere)):
        whole["processors"]["cpu"]["ns"] = {kind: {"start": 1000} for kind in KINDS}
        Path(name).write_text(yaml.safe_dump(whole))
    asked = [*SEARCH[:5], "--supernet-epochs", "1", "--trials", "2"]
    assert run(*asked, "--device", "here.yaml", "--out", "run", "--json", "-") == 0
    payload = json.loads(capsys.readouterr().out)
    assert all(each["measured"]["latency_ms"] > 0 for each in payload["candidates"])
    assert Path("run/measured.png").is_file()
    for number, options in enumerate((["--device", "elsewhere.yaml"], ["--device", "here.yaml", "--no-measure"])):
        assert run(*asked, *options, "--out", f"other{number}") == 0
        told = " ".join(capsys.readouterr().err.split())
        assert f"`edge-toolkit measure other{number} --device CPU --precision f32 --threads 1` holds" in told
        assert not Path(f"other{number}/measured.json").exists()
