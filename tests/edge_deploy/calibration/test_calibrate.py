"""A real calibration of four tiny networks: its file, its stops, what it refuses, and the device side's install."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_deploy.calibration import windows
from edge_deploy.calibration.calibrate import beside, calibrate, samples_of
from edge_deploy.calibration.fit import fit
from edge_deploy.calibration.kit import Kit, Plan, prepared, read_kit, spec_of
from edge_deploy.calibration.windows import Visit, repeatability, requests_us, rows_us
from edge_deploy.measure import settings_of
from edge_toolkit.cli import main
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.layer_terms import terms_of
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import ModelSpec, digest, spec_to_json
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import NETWORKS

HYBRIDS = {digest(spec): name for name, spec in NETWORKS.items() if not name.startswith("lstm")}
PLAN = Plan("tiny", len(HYBRIDS), 0)


visit = windows._visit


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TURNS": 2, "MOST_TURNS": 2, "VISIT_MS": 1.0, "COUNTED": (0,)}.items():
        monkeypatch.setattr(windows, name, value)


@pytest.fixture
def export(ir: IRMaker) -> Callable[[ModelSpec, Path], Path]:
    """Exports made ahead."""

    def copied(spec: ModelSpec, folder: Path) -> Path:
        source = ir(HYBRIDS[digest(spec)])
        for suffix in (".bin", ".xml"):
            (folder / f"model{suffix}").write_bytes(source.with_suffix(suffix).read_bytes())
        return folder / "model.xml"

    return copied


@pytest.fixture
def kit(tmp_path: Path, export: Callable[[ModelSpec, Path], Path]) -> tuple[Path, Kit]:
    folder = tmp_path / "kit"
    return folder, prepared(folder, PLAN, networks, export)


def networks() -> list[ModelSpec]:
    return [NETWORKS[name] for name in HYBRIDS.values()]


def test_a_calibrated_device_is_a_device_like_any_other(
    kit: tuple[Path, Kit], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.yaml"
    done = calibrate(*kit, out, settings_of("CPU", "f32", 1))
    capsys.readouterr()
    loaded = load_device(str(out))
    assert capsys.readouterr().err == "", "it was calibrated here"
    assert loaded == done.device
    assert (loaded.name, loaded.origin, loaded.precision) == ("mine", "calibrated", "f32")
    assert loaded.calibration is not None
    assert (loaded.calibration.space, loaded.calibration.networks) == ("tiny", 4)
    fastest, slowest = loaded.calibration.latency_ms
    assert (fastest, slowest) == pytest.approx((done.measured_us.min() / 1e3, done.measured_us.max() / 1e3), abs=1e-6)
    kept = windows.measured(*kit, beside(out) / "visits.jsonl", settings_of("CPU", "f32", 1))
    samples = samples_of(*kit, kept)
    refitted_us = np.stack([terms_of(each.layers).sum(axis=0) for each in samples]) @ fit(samples) / 1e3
    costs = [estimate(layers_of(spec), loaded) for spec in networks()]
    assert [1e3 * cost.latency_ms for cost in costs] == pytest.approx(refitted_us, rel=1e-4), "the file rounds"
    assert {cost.latency_origin for cost in costs} == {"calibrated"}


def test_a_stop_loses_one_visit_at_most(kit: tuple[Path, Kit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, settings, visit = tmp_path / "mine.yaml", settings_of("CPU", "f32", 1), windows._visit
    visits: list[tuple[str, int]] = []

    def noted(folder: Path, name: str, turn: int, *rest: Any) -> Visit:
        if len(visits) == 5:
            raise KeyboardInterrupt
        visits.append((name, turn))
        return visit(folder, name, turn, *rest)

    monkeypatch.setattr(windows, "_visit", noted)
    with pytest.raises(KeyboardInterrupt):
        calibrate(*kit, out, settings)
    assert not out.exists()
    kept = beside(out) / "visits.jsonl"
    assert len(kept.read_text().splitlines()) == 1 + 5
    with kept.open("a") as file:
        file.write('{"network": "cut o')  # as a process that was killed leaves it
    visits.clear()
    calibrate(*kit, out, settings)
    assert len(visits) == 3
    assert out.is_file()


def test_other_settings_do_not_go_on(kit: tuple[Path, Kit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, settings = tmp_path / "mine.yaml", settings_of("CPU", "f32", 1)
    monkeypatch.setattr(windows, "_visit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        calibrate(*kit, out, settings)
    with pytest.raises(InputError, match="was begun with other settings, or on other networks"):
        calibrate(*kit, out, replace(settings, threads=2))


def test_another_precision_than_asked_for_is_none(
    kit: tuple[Path, Kit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = windows.compile_model
    monkeypatch.setattr(windows, "compile_model", lambda *given: replace(compiled(*given), precision="f16"))
    with pytest.raises(MissingError, match="--precision f32: CPU computes in f16 instead"):
        calibrate(*kit, tmp_path / "mine.yaml", settings_of("CPU", "f32", 1))


def test_a_kit_is_finished_where_it_was_left(tmp_path: Path, export: Callable[[ModelSpec, Path], Path]) -> None:
    asked: list[str] = []

    def failing(spec: ModelSpec, folder: Path) -> Path:
        asked.append(digest(spec))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return export(spec, folder)

    with pytest.raises(KeyboardInterrupt):
        prepared(tmp_path, PLAN, networks, failing)
    with pytest.raises(InputError, match="was not finished"):
        read_kit(tmp_path)
    with pytest.raises(InputError, match=r"holds another calibration \(4 networks of tiny, seed 0, f32\)"):
        prepared(tmp_path, replace(PLAN, seed=1), networks, export)
    kit = prepared(tmp_path, PLAN, networks, failing)
    assert len(asked) == 5, "two were there, the third is made again"
    assert read_kit(tmp_path) == kit
    assert [spec_of(tmp_path, name) for name in kit.names] == networks()
    (tmp_path / "kit.json").unlink()
    with pytest.raises(InputError, match=r"holds no kit"):
        read_kit(tmp_path)


def test_statistics_by_hand() -> None:
    rows = {"executed_by": (0.0, 0.0), "time_us": (3.0, 0.0), "nodes": (1.0, 0.0)}
    visits = [
        Visit("a", 0, (10.0, 12.0), rows),
        Visit("b", 0, (30.0, 20.0)),
        Visit("a", 1, (11.0, 11.5), rows | {"time_us": (2.0, 0.0)}),
        Visit("b", 1, (19.0, 40.0)),
    ]
    assert requests_us(visits) == {"a": 10.0, "b": 19.0}
    found = repeatability(visits)
    assert found.mean == pytest.approx((abs(10 / 11 - 1) + abs(20 / 19 - 1)) / 2, abs=1e-5)
    counted = rows_us(visits)
    assert counted["b"] is None
    assert counted["a"] is not None
    assert counted["a"].time_us.tolist() == [2.0, 0.0]
    assert counted["a"].executed_by.tolist() == [0, 0]


def test_the_rows_of_a_network_are_its_layers(kit: tuple[Path, Kit], tmp_path: Path) -> None:
    """Each executed node finds its layer, and a residual is added in the convolution before it."""
    folder, names = kit[0], kit[1].names
    heading = settings_of("CPU", "f32", 1)
    visits = windows.measured(folder, kit[1], tmp_path / "visits.jsonl", heading)
    for name in names:
        layers, rows = layers_of(spec_of(folder, name)), rows_us(visits)[name]
        assert rows is not None
        kind, role = layers.kind, layers.role
        convs = np.isin(kind, ["conv", "depthwise", "linear"])
        assert (rows.nodes[rows.executed_by[convs]] > 0).all()
        added = (kind == "elementwise") & (role == "conv")
        assert (kind[rows.executed_by[added]] == "conv").all()
        assert (rows.nodes[rows.executed_by != np.arange(len(kind))] == 0).all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--out", "a.yaml"], "give one of --space, --architectures and --run"),
        (["--space", "imu-s", "--run", "kit", "--out", "a.yaml"], "give one of --space, --architectures and --run"),
        (["--space", "imu-s"], "--out is missing; give the device's file"),
        (["--space", "imu-s", "--out", "a.json"], "--out a.json must end in .yaml or .yml"),
        (["--space", "imu-s", "--prepare", "kit", "--out", "a.yaml"], "--prepare measures nothing"),
        (["--space", "imu-s", "--prepare", "kit", "--json", "-"], "--prepare measures nothing"),
        (["--run", "kit", "--out", "a.yaml", "--seed", "1"], "--run measures the networks of its folder"),
        (["--space", "imu-s", "--out", "a.yaml", "--plot", "a.pdf"], "--plot a.pdf: must end in .png or .svg"),
        (["--space", "imu-s", "--out", "a.yaml", "--precision", "f8"], "--precision f8 is not known"),
        (["--space", "imu-s", "--out", "a.yaml", "-d", "WARP"], "--device WARP: OpenVINO does not see it"),
        (["--space", "warp", "--out", "a.yaml"], "space 'warp' is no built-in space"),
        (["--space", "imu-s", "--prepare", "kit", "--precision", "f8"], "--precision f8 is not known"),
        (["--run", "nowhere", "--out", "a.yaml"], "nowhere: holds no kit"),
        (["--architectures", "nowhere", "--out", "a.yaml"], "nowhere: cannot be read"),
    ],
)
def test_refusals(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["calibrate", *options])
    assert stopped.value.code == 2
    assert told in capsys.readouterr().err.replace("\n", " ")
    assert not any(path.suffix == ".yaml" for path in tmp_path.iterdir())


def test_the_command_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed, out = tmp_path / "listed.jsonl", tmp_path / "mine.yaml"
    few = ("one-point", "sequence")
    listed.write_text("".join(json.dumps(spec_to_json(NETWORKS[name])) + "\n" for name in few))
    asked = ["--architectures", str(listed), "--out", str(out), "--plot", str(tmp_path / "plot.png"), "--json", "-"]
    with pytest.raises(SystemExit) as stopped:
        main(["calibrate", *asked])
    assert stopped.value.code == 0
    printed, told = capsys.readouterr()
    assert json.loads(printed)["device"]["calibration"]["networks"] == 2
    assert "predicts latencies by it" in told
    assert (tmp_path / "plot.png").stat().st_size > 1000
    assert load_device(str(out)).origin == "calibrated"
    assert not beside(out).exists()


def test_what_was_measured_is_kept_until_all_is_written(
    kit: tuple[Path, Kit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, blocked = tmp_path / "mine.yaml", tmp_path / "file"
    blocked.write_text("")
    asked = ["calibrate", "--run", str(kit[0]), "--out", str(out), "--plot"]
    with pytest.raises(SystemExit) as stopped:
        main([*asked, str(blocked / "plot.png")])
    assert stopped.value.code == 2
    monkeypatch.setattr(windows, "_visit", lambda *_: pytest.fail("measured again"))
    with pytest.raises(SystemExit) as stopped:
        main([*asked, str(tmp_path / "plot.png")])
    assert stopped.value.code == 0
    assert not beside(out).exists()


def test_a_damaged_record_is_told(kit: tuple[Path, Kit], tmp_path: Path) -> None:
    out, settings = tmp_path / "mine.yaml", settings_of("CPU", "f32", 1)
    calibrate(*kit, out, settings)
    record = beside(out) / "visits.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join([*lines[:3], "\0\0\n", *lines[4:]]))
    with pytest.raises(InputError, match=r"visits.jsonl: line 4 is damaged; remove the line"):
        calibrate(*kit, out, settings)
    record.write_text("".join([*lines[:3], *lines[4:]]))
    assert calibrate(*kit, out, settings).calibration.networks == 4


def test_a_list_that_changed_is_another_calibration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed, folder = tmp_path / "listed.jsonl", tmp_path / "kit"

    def prepare(*names: str) -> tuple[object, str]:
        listed.write_text("".join(json.dumps(spec_to_json(NETWORKS[name])) + "\n" for name in names))
        with pytest.raises(SystemExit) as stopped:
            main(["calibrate", "--architectures", str(listed), "--prepare", str(folder)])
        return stopped.value.code, capsys.readouterr().err.replace("\n", " ")

    status, told = prepare("one-point", "one-point")
    assert (status, "holds 1 distinct network; a calibration takes 2 or more" in told) == (2, True)
    assert prepare("one-point", "sequence")[0] == 0
    status, told = prepare("one-point", "sequence-windows")
    assert (status, "holds another calibration" in told) == (2, True)
    (folder / "networks" / digest(NETWORKS["sequence"]) / "model.bin").unlink()
    with pytest.raises(InputError, match=r"is not whole; copy the folder again"):
        read_kit(folder)


@pytest.mark.slow
def test_quantised_networks_make_an_int8_device(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--prepare` quantises, `--run` sees that it did, and every convolution's executed node is found."""
    listed, folder, out = tmp_path / "listed.jsonl", tmp_path / "kit", tmp_path / "mine.yaml"
    few = ("one-point", "sequence")
    listed.write_text("".join(json.dumps(spec_to_json(NETWORKS[name])) + "\n" for name in few))
    kept: list[Visit] = []
    monkeypatch.setattr(windows, "_visit", lambda *given: kept.append(visit(*given)) or kept[-1])

    def run(status: int, *options: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(["calibrate", *options])
        assert stopped.value.code == status
        return capsys.readouterr().err.replace("\n", " ")

    told = run(0, "--architectures", str(listed), "--prepare", str(folder), "--precision", "int8")
    assert f"calibrate --run {folder} --precision int8 --out" in told
    told = run(2, "--run", str(folder), "--out", str(out))
    assert "its networks are in int8; measure them with --precision int8" in told
    run(0, "--run", str(folder), "--precision", "int8", "--out", str(out))
    device = load_device(str(out))
    assert (device.precision, device.element_bytes) == ("int8", 1)
    for each in kept:
        rows = rows_us(kept)[each.network]
        convs = np.isin(layers_of(spec_of(folder, each.network)).kind, ["conv", "depthwise"])
        assert rows is not None
        assert (rows.nodes[rows.executed_by[convs]] > 0).all()


def test_a_kit_runs_without_the_workstations_packages(kit: tuple[Path, Kit], tmp_path: Path) -> None:
    blocked = ["torch", "onnx", "onnxscript", "onnxruntime", "scipy", "sklearn", "matplotlib", "optuna", "safetensors"]
    out = tmp_path / "mine.yaml"
    script = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({blocked}))\n"
        "from edge_deploy.calibration import windows\n"
        "windows.TURNS = windows.MOST_TURNS = 2\n"
        "from edge_toolkit.cli import main\n"
        f"main(['calibrate', '--run', {str(kit[0])!r}, '--out', {str(out)!r}])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "4 networks of tiny" in done.stdout
    assert load_device(str(out)).calibration is not None
