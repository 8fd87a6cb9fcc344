"""`measure`: a model, or every network of a front or a list, once, resumable."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import edge_deploy.measure
from edge_deploy.measure_networks import listed_record, measure_front, measure_listed
from edge_toolkit.architecture import Architecture
from edge_toolkit.budget import Budget
from edge_toolkit.cli import main
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.front import Candidate, Front, write_front
from edge_toolkit.measured import read_measured
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec, digest, spec_to_json
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import ONE_POINT, PADDED_WINDOWS, SEQUENCE
from tests.edge_toolkit.calibrated_for_tests import calibrated

SPECS = {digest(spec): name for name, spec in (("sequence", SEQUENCE), ("padded-windows", PADDED_WINDOWS))}
QUICK = 0.02


class Exports:
    """Exports made ahead; notes what was asked for, and can be told to fail."""

    def __init__(self, ir: IRMaker, fails_at: int = 99) -> None:
        self.ir, self.fails_at, self.asked = ir, fails_at, list[str]()

    def __call__(self, spec: ModelSpec, folder: Path) -> Path:
        if len(self.asked) == self.fails_at:
            raise KeyboardInterrupt
        self.asked.append(SPECS[digest(spec)])
        source = self.ir(SPECS[digest(spec)])
        folder.mkdir(parents=True)
        for suffix in (".bin", ".xml"):
            (folder / f"model{suffix}").write_bytes(source.with_suffix(suffix).read_bytes())
        return folder / "model.xml"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    write(tmp_path, (SEQUENCE, PADDED_WINDOWS))
    (tmp_path / "run.yaml").write_text(json.dumps({"device": calibrated()}))
    return RunFolder(tmp_path)


def write(folder: Path, architectures: tuple[Architecture, ...]) -> None:
    origin = {"accuracy": "inherited", "latency_ms": "modelled", "energy_mj": "modelled"}
    candidates = tuple(Candidate(each, 0.5, 0.1, 0.2, 10, 20, origin) for each in architectures)
    picks = {"knee": 0, "fastest": 0}
    write_front(folder / "front.json", Front("run", "data", "space", "cpu", Budget(), candidates, picks, 5))


def test_every_candidate_is_measured_and_written(run: RunFolder, ir: IRMaker) -> None:
    exports = Exports(ir)
    measured = measure_front(run, seconds=QUICK, export=exports)
    assert exports.asked == ["sequence", "padded-windows"]
    assert list(measured.candidates) == list(SPECS)
    for taken in measured.candidates.values():
        low, high = taken.interval_ms
        assert 0 < low <= taken.latency_ms <= high
        assert taken.latency_ms <= taken.p90_ms
    assert (measured.settings.device, measured.settings.precision, measured.settings.threads) == ("CPU", "f32", 1)
    assert read_measured(run.measured) == measured
    assert not (run.path / "measured-models").exists()


def test_what_is_measured_is_kept_until_the_front_or_the_settings_change(run: RunFolder, ir: IRMaker) -> None:
    exports = Exports(ir)
    write(run.path, (SEQUENCE,))
    first = measure_front(run, seconds=QUICK, export=exports)
    write(run.path, (PADDED_WINDOWS, SEQUENCE))
    second = measure_front(run, seconds=QUICK, export=exports)
    assert exports.asked == ["sequence", "padded-windows", "sequence"], "all of one table were taken in one run"
    assert second.candidates.keys() == {digest(SEQUENCE), digest(PADDED_WINDOWS)}
    assert second.candidates[digest(SEQUENCE)] != first.candidates[digest(SEQUENCE)]
    written = run.measured.stat().st_mtime_ns
    assert measure_front(run, seconds=QUICK, export=exports) == second
    assert run.measured.stat().st_mtime_ns == written
    write(run.path, (PADDED_WINDOWS,))
    assert measure_front(run, seconds=QUICK, export=exports).candidates.keys() == {digest(PADDED_WINDOWS)}
    write(run.path, (PADDED_WINDOWS, SEQUENCE))
    assert len(exports.asked) == 3
    measure_front(run, threads=2, seconds=QUICK, export=exports)
    assert exports.asked[3:] == ["padded-windows", "sequence"]


def test_a_stop_costs_no_export(run: RunFolder, ir: IRMaker) -> None:
    stopped = Exports(ir, fails_at=1)
    with pytest.raises(KeyboardInterrupt):
        measure_front(run, seconds=QUICK, export=stopped)
    assert not run.measured.exists()
    again = Exports(ir)
    assert len(measure_front(run, seconds=QUICK, export=again).candidates) == 2
    assert (stopped.asked, again.asked) == (["sequence"], ["padded-windows"])


def test_the_command_exports_and_prints(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    write(run.path, (ONE_POINT,))
    with pytest.raises(SystemExit) as stopped:
        main(["measure", str(run.path), "--device", "CPU", "--seconds", str(QUICK), "--json", "-"])
    out, err = capsys.readouterr()
    assert stopped.value.code == 0
    assert list(json.loads(out)["candidates"]) == [digest(ONE_POINT)]
    assert "random weights" in err
    assert "front off by" not in err, "the front's device was calibrated so"
    with pytest.raises(SystemExit):
        main(["measure", str(run.path), "--threads", "2", "--seconds", str(QUICK)])
    told = " ".join(capsys.readouterr().err.split())
    assert "predicted for CPU in f32 with threads 1, and measured on CPU in f32 with threads 2" in told
    (run.path / "run.yaml").write_text(json.dumps({"device": load_device("xr-npu").model_dump(by_alias=True)}))
    with pytest.raises(SystemExit):
        main(["measure", str(run.path), "--threads", "2", "--seconds", str(QUICK)])
    assert "latencies are modelled, for xr-npu in int8" in " ".join(capsys.readouterr().err.split())


def test_threads_that_a_device_does_not_have_are_no_measurement(run: RunFolder, ir: IRMaker) -> None:
    with pytest.raises(MissingError, match=r"--threads 4096: CPU runs on \d+; ask for that"):
        measure_front(run, threads=4096, seconds=QUICK, export=Exports(ir))
    assert not run.measured.exists()


def test_int8_is_measured_of_quantised_networks(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    write(run.path, (SEQUENCE,))
    with pytest.raises(SystemExit) as stopped:
        main(["measure", str(run.path), "--precision", "int8", "--seconds", str(QUICK), "--json", "-"])
    assert stopped.value.code == 0
    assert json.loads(capsys.readouterr().out)["settings"]["precision"] == "int8"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--device", "WARP"], "--device WARP: OpenVINO does not see it on this machine; use one of CPU"),
        (["--precision", "int3"], "--precision int3 is not known"),
        (["--threads", "0"], "--threads 0 must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_told(
    run: RunFolder, capsys: pytest.CaptureFixture[str], options: list[str], told: str
) -> None:
    write(run.path, (ONE_POINT,))
    with pytest.raises(SystemExit) as stopped:
        main(["measure", str(run.path), *options])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err.replace("\n", " ")
    assert sorted(path.name for path in run.path.iterdir()) == ["front.json", "run.yaml"]


def test_a_device_that_computes_in_another_precision_is_no_measurement(
    run: RunFolder, ir: IRMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = edge_deploy.measure.compile_model
    monkeypatch.setattr(edge_deploy.measure, "compile_model", lambda *given: replace(original(*given), precision="f16"))
    with pytest.raises(MissingError, match="--precision f32: CPU computes in f16 instead"):
        measure_front(run, seconds=QUICK, export=Exports(ir))
    assert not run.measured.exists()


def test_a_damaged_file_is_told_and_written_anew(
    run: RunFolder, ir: IRMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    run.measured.write_text('{"settings": 3}')
    measured = measure_front(run, seconds=QUICK, export=Exports(ir))
    assert "everything is measured again" in capsys.readouterr().err
    assert read_measured(run.measured) == measured


def test_a_run_without_a_front_is_told(run: RunFolder, ir: IRMaker) -> None:
    run.front.unlink()
    with pytest.raises(InputError, match="there is no front yet"):
        measure_front(run, seconds=QUICK, export=Exports(ir))


def test_listed_networks_are_measured_once(tmp_path: Path, ir: IRMaker, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "two.jsonl"
    listed.write_text("".join(json.dumps(spec_to_json(spec)) + "\n" for spec in (PADDED_WINDOWS, SEQUENCE, SEQUENCE)))
    exports = Exports(ir)
    measured = measure_listed(listed, seconds=QUICK, export=exports)
    assert exports.asked == ["padded-windows", "sequence"]
    assert list(measured.candidates) == [digest(PADDED_WINDOWS), digest(SEQUENCE)]
    assert read_measured(listed_record(listed)) == measured
    assert sorted(path.name for path in tmp_path.iterdir()) == ["two.jsonl", "two.jsonl.measured.json"]
    assert measure_listed(listed, seconds=QUICK, export=exports) == measured
    assert len(exports.asked) == 2


def test_the_command_measures_a_bare_model(ir: IRMaker, capsys: pytest.CaptureFixture[str]) -> None:
    path = ir("one-point")
    with pytest.raises(SystemExit) as stopped:
        main(["measure", str(path), "--seconds", str(QUICK), "--json", "-"])
    told = json.loads(capsys.readouterr().out)
    assert stopped.value.code == 0
    assert told["weights"] == "the model's own"
    (taken,) = told["candidates"].items()
    assert taken[0] == str(path)
    assert 0 < taken[1]["latency_ms"] <= taken[1]["p90_ms"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "measure: give a run, a bundle or a model, or --architectures FILE; one of them"),
        (["x", "--architectures", "y"], "one of them"),
        (["."], ".: holds neither a run (run.yaml) nor a bundle (manifest.json)"),
        (["nothing.onnx"], "nothing.onnx: there is no such file or folder"),
        (["--architectures", "nothing.jsonl"], "nothing.jsonl: cannot be read"),
    ],
)
def test_what_is_no_target_is_told(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["measure", *arguments])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err
