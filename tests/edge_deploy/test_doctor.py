"""`doctor`: a machine's signs, from trees of files and devices made here, and what devices say to a model."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openvino as ov
import pytest

from edge_deploy.doctor import _cpu, _device, _energy, _load, _memory, _takes, examine, examine_model
from edge_deploy.rapl import status_of
from edge_deploy.shapes import shapes_from
from edge_deploy.sign import Sign
from edge_deploy.watch import Watch
from edge_toolkit.conditions import Conditions, State
from edge_toolkit.measured import Machine
from tests.edge_deploy import powercap_for_tests as powercap
from tests.edge_deploy.conftest import Command
from tests.edge_deploy.small_models_for_tests import convolution, lstm_step, running_sum, scaling


@dataclass
class FakeCore:
    """A device that answers from a table, and takes all operations but those of some types."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    error: str = ""

    def get_property(self, device: str, name: str) -> Any:
        return self.answers[name]

    def query_model(self, model: Any, device: str) -> dict[str, str]:
        if self.error:
            raise RuntimeError(self.error)
        ops = [op for op in model.get_ordered_ops() if op.get_type_name() not in self.refused]
        return {op.get_friendly_name(): device for op in ops}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("file", "text", "found", "state", "told"),
    [
        ("intel_pstate/no_turbo", "0\n", "on", "note", "echo 1 | sudo tee"),
        ("intel_pstate/no_turbo", "1\n", "off", "good", "the same clock"),
        ("cpufreq/boost", "1\n", "on", "note", "echo 0 | sudo tee"),
        ("cpufreq/boost", "0\n", "off", "good", "the same clock"),
        ("nothing", "", "not told", "note", "may be faster"),
    ],
)
def test_turbo(tmp_path: Path, file: str, text: str, found: str, state: str, told: str) -> None:
    path = tmp_path / "devices/system/cpu" / file
    write(path, text)
    (sign,) = (each for each in _cpu(tmp_path) if each.topic == "turbo")
    assert (sign.found, sign.state) == (found, state)
    assert told in sign.meaning
    assert (str(path) in sign.meaning) is (found == "on"), "the remedy names the file that it writes"


@pytest.mark.parametrize(
    ("governor", "state", "told"),
    [
        (None, "note", "the host's affair"),
        ("performance", "good", "stays up"),
        ("powersave", "note", "cpupower frequency-set -g performance"),
    ],
)
def test_governor(monkeypatch: pytest.MonkeyPatch, governor: str | None, state: str, told: str) -> None:
    monkeypatch.setattr("edge_deploy.doctor.this_machine", lambda: Machine("Chip", 3, governor, 0.1))
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    signs = {each.topic: each for each in _cpu(Path("/nowhere"))}
    assert signs["CPU"].found == "Chip, 3 of 8 cores"
    assert (signs["governor"].found, signs["governor"].state) == (governor or "not told", state)
    assert told in signs["governor"].meaning


@pytest.mark.parametrize(
    ("flags", "found", "virtual"),
    [
        ({"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile"}, "AMX", False),
        ({"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "hypervisor"}, "AVX-512 with bf16", True),
        ({"avx2", "avx512f", "avx512_vnni"}, "AVX-512 with VNNI", False),
        ({"avx2", "avx512f"}, "AVX-512", False),
        ({"avx2", "avx_vnni"}, "AVX2 with VNNI", False),
        ({"avx2"}, "AVX2", False),
        ({"sse4_2"}, None, False),
    ],
)
def test_the_strongest_instructions_are_told(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], found: str | None, virtual: bool
) -> None:
    monkeypatch.setattr("edge_deploy.doctor.cpu_flags", lambda: frozenset(flags))
    signs = {each.topic: each for each in _cpu(Path("/nowhere"))}
    assert (signs["instructions"].found if "instructions" in signs else None) == found
    assert ("virtual machine" in signs) is virtual


@pytest.mark.parametrize(
    ("default", "state", "told"),
    [
        (ov.Type.f32, "good", "computes in f32 unless asked otherwise"),
        (ov.Type.bf16, "note", "computes f32 models in bf16 unless asked"),
        (None, "note", "does not tell which precision"),
    ],
)
def test_a_device_tells_its_own_precision(default: ov.Type | None, state: str, told: str) -> None:
    answers = {
        "FULL_DEVICE_NAME": "Processor 9 ",
        "OPTIMIZATION_CAPABILITIES": ["FP32", "BF16"],
        "SUPPORTED_PROPERTIES": [] if default is None else ["INFERENCE_PRECISION_HINT"],
        "INFERENCE_PRECISION_HINT": default,
    }
    sign = _device(FakeCore(answers), "NPU")
    assert (sign.topic, sign.found, sign.state) == ("device NPU", "Processor 9 (FP32, BF16)", state)
    assert told in sign.meaning


@pytest.mark.parametrize(
    ("spoil", "found", "state", "told"),
    [
        (lambda machine: None, "readable", "good", "package-0/dram"),
        (lambda machine: machine.stop(), "broken", "missing", "still reads"),
        (lambda machine: machine.file("intel-rapl:0").write_text("none\n"), "broken", "missing", "none"),
        (lambda machine: machine.file("intel-rapl:0").unlink(), "broken", "missing", "energy_uj"),
    ],
    ids=["moves", "stuck", "no number", "gone"],
)
def test_energy_is_what_the_counters_say(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[powercap.Machine], None],
    found: str,
    state: str,
    told: str,
) -> None:
    machine = powercap.Machine(tmp_path, powercap.LAPTOP)
    machine.look_s = 1e-3
    spoil(machine)
    monkeypatch.setattr("edge_deploy.doctor.status_of", lambda root: status_of(root, machine.clock))
    sign = _energy(machine.classes)
    assert (sign.found, sign.state) == (found, state)
    assert told in sign.meaning
    assert sign.meaning.endswith("; until then energy is modelled") is (state == "missing")


def test_energy_without_counters(tmp_path: Path) -> None:
    sign = _energy(tmp_path)
    assert (sign.found, sign.state) == ("absent", "missing")
    assert str(tmp_path) in sign.meaning


@pytest.mark.parametrize(
    ("available", "swapped", "found", "state"),
    [
        (2.0, 0.0, "2.0 of 16.0 GiB free", "good"),
        (1.9, 9.0, "1.9 of 16.0 GiB free", "note"),
        (8.0, 1.6, "8.0 of 16.0 GiB free", "good"),
        (8.0, 1.7, "8.0 of 16.0 GiB free, 1.7 GiB swapped out", "note"),
    ],
)
def test_memory(monkeypatch: pytest.MonkeyPatch, available: float, swapped: float, found: str, state: str) -> None:
    memory = SimpleNamespace(available=available * 2**30, total=16 * 2**30)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    monkeypatch.setattr("psutil.swap_memory", lambda: SimpleNamespace(used=swapped * 2**30))
    assert (_memory().found, _memory().state) == (found, state)


@pytest.mark.parametrize(
    ("others", "stolen", "found", "state"),
    [
        (0.05, 0.0, "5% of the cores", "good"),
        (0.06, None, "6% of the cores", "note"),
        (0.0, 0.01, "0% of the cores, 1% stolen", "good"),
        (0.0, 0.02, "0% of the cores, 2% stolen", "note"),
        (None, None, "not told", "note"),
    ],
)
def test_load(others: float | None, stolen: float | None, found: str, state: str) -> None:
    seen = Conditions(State(None, None, None), State(None, None, None), 0.5, others, stolen, 0.0)
    sign = _load(SimpleNamespace(conditions=lambda blocks: seen))  # type: ignore[arg-type]
    assert (sign.found, sign.state) == (found, state)


def test_a_device_that_takes_a_part_is_told_what_not(tmp_path: Path) -> None:
    model = ov.Core().read_model(convolution(tmp_path / "conv.xml"))
    count = len(model.get_ops())
    assert _takes(FakeCore(), model, "NPU") == Sign("on NPU", f"all {count} operations", "it runs there whole")
    partly = _takes(FakeCore(refused=("Convolution", "Relu")), model, "NPU")
    assert (partly.found, partly.state) == (f"{count - 2} of {count} operations", "missing")
    assert partly.meaning == "not conv, act; HETERO:NPU,CPU hands them on"
    mute = _takes(FakeCore(error="Check failed at x.cpp:1:\nno driver\n"), model, "NPU")
    assert mute == Sign("on NPU", "cannot be asked", "no driver", "missing")


def test_a_model_with_state_is_told(tmp_path: Path) -> None:
    signs = {each.topic: each for each in examine_model(running_sum(tmp_path / "state.xml"))}
    assert signs["inputs"].found == "x f32 [1, 4]"
    assert (signs["state"].found, signs["state"].state) == ("1 variables", "note")
    assert signs["state"].meaning.endswith("next: so far")
    assert signs["on CPU"].state == "good"


def test_a_model_without_state_tells_its_inputs_alone(tmp_path: Path) -> None:
    signs = {each.topic: each for each in examine_model(lstm_step(tmp_path / "lstm.xml"))}
    assert signs["inputs"].found == "x f32 [1, 3], hidden f32 [1, 2], cell f32 [1, 2]"
    assert "state" not in signs
    path = scaling(tmp_path / "open.xml", [1, -1])
    assert examine_model(path, shapes_from("[1,7]"))[0].found == "x f32 [1, 7]"


def test_the_whole_machine_is_examined(tmp_path: Path) -> None:
    (tmp_path / "class/accel/accel0").mkdir(parents=True)
    topics = [each.topic for each in examine(tmp_path, tmp_path, Watch())]
    assert topics[0] == "OpenVINO"
    assert {"device CPU", "NPU driver", "NPU compiler", "CPU", "governor", "turbo", "energy (RAPL)", "memory"} < {
        *topics
    }
    assert topics[-1] == "load by others"
    assert len({*topics}) == len(topics)


def test_the_command_tells_a_model_and_the_machine_in_json(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_deploy.doctor.LOOK_S", 0.01)
    status, out, err = command("doctor", convolution(tmp_path / "conv.xml"), "--json", "-")
    assert (status, err) == (0, "")
    plain = json.loads(out)
    assert plain["schema"] == 1
    assert plain["signs"][0] == {
        "topic": "inputs",
        "found": "x f32 [1, 3, 8, 8]",
        "meaning": "static: they can be measured",
        "state": "good",
    }
    assert [each["topic"] for each in plain["signs"][1:3]] == ["on CPU", "OpenVINO"]
    assert {each["state"] for each in plain["signs"]} <= {"good", "note", "missing"}
    status, out, _ = command("doctor")
    assert status == 0
    assert out.splitlines()[0].split() == ["what", "found", "what", "it", "means"]


def test_an_open_shape_is_told(tmp_path: Path, command: Command) -> None:
    status, out, err = command("doctor", scaling(tmp_path / "open.xml", [1, -1]))
    assert (status, out) == (2, "")
    assert '--shape "x[1,1]"' in err
