"""`compare`, whole: saved and live models in every combination, on tiny IRs."""

import json
from pathlib import Path

import pytest

from edge_toolkit.profile import Peaks
from tests.edge_deploy.conftest import Command
from tests.edge_deploy.small_models_for_tests import convolution, scaling
from tests.edge_toolkit.profiles_for_tests import profile_json

QUICK = ("-t", "0.02")


@pytest.fixture(autouse=True)
def no_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring the machine's peaks takes longer than all else here; `test_peaks` sees to them."""
    monkeypatch.setattr("edge_deploy.profile.peaks", lambda *_: Peaks(50.0, 10.0, None))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A profile of 0.018 ms that another machine took, with its baseline."""
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(profile_json()))
    return path


def test_saved_against_saved(saved: Path, tmp_path: Path, command: Command) -> None:
    other = profile_json("bundles/other")
    other["latency_ms"] = {**other["latency_ms"], "median": 0.036, "interval": [0.03, 0.04]}
    other["rows"][0]["time_us"] = 20.0
    (tmp_path / "other.json").write_text(json.dumps(other))
    status, out, err = command("compare", saved, tmp_path / "other.json", "--json", "-")
    assert status == 0
    plain = json.loads(out)
    assert plain["comparison"] == {
        "ratio": pytest.approx(0.5),
        "interval": [pytest.approx(0.018 / 0.04), pytest.approx(0.018 / 0.03)],
        "verdict": "faster",
    }
    assert (plain["schema"], plain["evidence"], plain["unlike"]) == (1, "separate runs", [])
    assert plain["rows"] == [{"name": "stem/Conv", "a_us": 3.25, "b_us": 20.0, "what": "time"}]
    assert [plain[side]["target"] for side in "ab"] == ["bundles/knee", "bundles/other"]
    assert plain["a"]["baseline"] is None, "what is compared is the model alone"
    # Its request took 0.036 ms, but 0.018 ms while its rows were counted: a doubt of the second alone.
    assert "warning: other: a request took 18.0 us while its rows were timed, but 36.0 us before" in err
    assert "warning: knee" not in err


def test_saved_against_saved_in_words(saved: Path, command: Command) -> None:
    status, out, err = command("compare", saved, saved)
    assert (status, err) == (0, "")
    assert "no difference seen between A and B" in out
    assert "evidence: taken in separate runs, which is weaker" in out
    assert "rows that differ" not in out
    assert [line.split()[:3] for line in out.splitlines() if line.startswith("depthwise")] == [
        ["depthwise", "2.0", "2.0"]
    ]


def test_live_against_live_in_one_run(tmp_path: Path, command: Command) -> None:
    one, other = convolution(tmp_path / "conv.xml"), scaling(tmp_path / "scaling.xml")
    status, out, _ = command("compare", one, other, *QUICK, "--json", "-")
    assert status == 0
    plain = json.loads(out)
    assert plain["evidence"] == "one run"
    assert [plain[side]["target"] for side in "ab"] == [str(one), str(other)]
    a, b = (plain[side]["latency_ms"]["median"] for side in "ab")
    assert plain["comparison"]["ratio"] == pytest.approx(a / b)
    low, high = plain["comparison"]["interval"]
    assert low <= plain["comparison"]["ratio"] <= high
    gone = {each["name"] for each in plain["rows"] if each["what"] == "only in the first"}
    assert "conv" in gone
    assert [each.partition(":")[0] for each in plain["unlike"]] == ["inputs"]


def test_a_model_against_itself(tmp_path: Path, command: Command) -> None:
    path = scaling(tmp_path / "scaling.xml")
    status, out, _ = command("compare", path, path, *QUICK, "--top", 0)
    assert status == 0
    assert "evidence: both measured in turn, in one run" in out
    assert "only in" not in out


@pytest.mark.parametrize("first", ["saved", "live"])
def test_live_against_saved(saved: Path, tmp_path: Path, command: Command, first: str) -> None:
    live = convolution(tmp_path / "conv.xml")
    pair = (saved, live) if first == "saved" else (live, saved)
    status, out, _ = command("compare", *pair, *QUICK, "--precision", "f32", "--json", "-")
    assert status == 0
    plain = json.loads(out)
    assert plain["evidence"] == "separate runs"
    assert [plain[side]["target"] for side in "ab"] == ["bundles/knee" if path == saved else str(live) for path in pair]
    mine, its = (plain["a"], plain["b"]) if first == "live" else (plain["b"], plain["a"])
    assert its["latency_ms"]["median"] == 0.018
    assert mine["macs"] == 4 * 64 * 27
    assert any(each.startswith("CPU: ") and "Test Processor 9000" in each for each in plain["unlike"])


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 1}', "no json"])
def test_what_is_no_profile_is_told(saved: Path, tmp_path: Path, command: Command, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    status, out, err = command("compare", saved, path)
    assert (status, out) == (2, "")
    assert err.startswith(f"edge-toolkit: {path}")


def test_a_missing_model_is_told_before_the_work(saved: Path, tmp_path: Path, command: Command) -> None:
    status, out, err = command("compare", tmp_path / "none.xml", saved, "-t", 1000)
    assert (status, out) == (2, "")
    assert "none.xml: there is no such file or folder" in err
