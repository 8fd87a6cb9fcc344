"""What is asked of a device: which devices that means, which properties it becomes, and what is read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openvino as ov
import pytest

from edge_deploy.profile import profile
from edge_deploy.runtime import compile_model
from edge_deploy.settings import HINTS, PRECISIONS, Asked, devices_in, properties_of, reported
from edge_toolkit.errors import InputError, MissingError
from edge_toolkit.profile import Setting, doubts_of
from tests.edge_deploy.small_models_for_tests import convolution

PINNED = ("INFERENCE_PRECISION_HINT", "INFERENCE_NUM_THREADS", "NUM_STREAMS", "PERFORMANCE_HINT", "PERF_COUNT")


@dataclass
class FakeCore:
    """A machine with devices that know some properties."""

    available_devices: list[str]
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get_property(self, device: str, name: str) -> tuple[str, ...]:
        if name == "OPTIMIZATION_CAPABILITIES":
            return ("FP16", "INT8") if device == "NPU" else ("FP32", "BF16", "INT8")
        assert name == "SUPPORTED_PROPERTIES"
        return self.known[device]


@dataclass
class FakeCompiled:
    """A compiled model that answers from a table."""

    answers: dict[str, Any]

    def get_property(self, name: str) -> Any:
        if name not in self.answers:
            raise RuntimeError(f"unsupported property {name}")
        return self.answers[name]


@pytest.fixture(scope="module")
def conv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convolution(tmp_path_factory.mktemp("settings") / "conv.xml")


RULES: list[tuple[dict[str, Any], str]] = [
    ({"precision": "fp32"}, "--precision fp32 is not known; use one of f32, bf16, f16, int8"),
    ({"hint": "LATENCY"}, "--hint LATENCY is not known; use one of latency, throughput, cumulative_throughput, none"),
    ({"threads": 0}, "--threads 0 must be at least 1"),
    ({"streams": -1}, "--streams -1 must be at least 1"),
    ({"cache": Path(__file__)}, "--cache-dir .*test_settings.py is no folder"),
    ({"threads": 0, "hint": "fast"}, "(?s)2 problems.*--hint fast.*--threads 0"),
]


@pytest.mark.parametrize(("wrong", "told"), RULES)
def test_what_cannot_be_asked_is_told(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Asked(**wrong)


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        (Asked(), {"precision": "f32", "threads": "1", "streams": "1"}),
        (Asked(precision="int8", threads=None), {"precision": "f32", "streams": "1"}),
        (
            Asked(precision="bf16", threads=None, streams=None, hint="throughput"),
            {"precision": "bf16", "hint": "throughput"},
        ),
    ],
)
def test_values_are_what_was_asked(asked: Asked, values: dict[str, str]) -> None:
    assert asked.values == values


LAPTOP = ["CPU", "GPU.0", "GPU.1", "NPU"]
DEVICES: list[tuple[str, list[str], tuple[str, ...]]] = [
    ("CPU", LAPTOP, ("CPU",)),
    ("GPU", LAPTOP, ("GPU",)),
    ("GPU.1", LAPTOP, ("GPU.1",)),
    ("AUTO", ["CPU", "NPU"], ("CPU", "NPU")),
    ("AUTO:NPU,CPU", LAPTOP, ("NPU", "CPU")),
    ("AUTO: NPU , CPU ", LAPTOP, ("NPU", "CPU")),
    ("HETERO:GPU.1,CPU", LAPTOP, ("GPU.1", "CPU")),
    ("MULTI:CPU(2),NPU(4)", LAPTOP, ("CPU", "NPU")),
    ("BATCH:CPU(2)", LAPTOP, ("CPU",)),
    ("BATCH:GPU.1(16)", LAPTOP, ("GPU.1",)),
    ("AUTO:-NPU", LAPTOP, ("CPU", "GPU.0", "GPU.1")),
    ("AUTO:-GPU", LAPTOP, ("CPU", "NPU")),
    ("AUTO:-GPU.0", LAPTOP, ("CPU", "GPU.1", "NPU")),
    ("AUTO:-GPU,-NPU", LAPTOP, ("CPU",)),
]


@pytest.mark.parametrize(("device", "available", "expected"), DEVICES)
def test_devices_that_a_name_stands_for(device: str, available: list[str], expected: tuple[str, ...]) -> None:
    assert devices_in(FakeCore(available), device) == expected


@pytest.mark.parametrize(
    ("device", "told"),
    [
        ("TPU", "--device TPU: OpenVINO does not see it on this machine; use one of CPU, GPU.0, .*the driver of TPU"),
        ("GPU.2", "--device GPU.2: OpenVINO does not see it"),
        ("AUTO:TPU,CPU", "--device AUTO:TPU,CPU: OpenVINO does not see TPU on this machine"),
        ("HETERO:CPU,GPU.7(2)", "OpenVINO does not see GPU.7 on"),
        ("CPU:NPU", "--device CPU:NPU: OpenVINO does not see it"),
    ],
)
def test_devices_that_are_not_here_are_told(device: str, told: str) -> None:
    with pytest.raises(MissingError, match=told):
        devices_in(FakeCore(LAPTOP), device)


CORE = FakeCore(
    ["CPU", "NPU"],
    {
        "CPU": PINNED,
        "NPU": ("PERF_COUNT", "INFERENCE_PRECISION_HINT"),
        "AUTO": ("PERFORMANCE_HINT", "ENABLE_STARTUP_FALLBACK"),
        "HETERO": (),
    },
)
F32 = {"INFERENCE_PRECISION_HINT": "f32", "PERF_COUNT": False}
ON_NPU = {"PERF_COUNT": False}
ON_CPU = F32 | {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
HINTED = Asked(threads=None, streams=None, hint="throughput")
BY_HINT = {"PERFORMANCE_HINT": "THROUGHPUT"}
PROPERTIES: list[tuple[Asked, bool, dict[str, Any]]] = [
    (Asked(), False, ON_CPU),
    (Asked(precision="bf16", threads=4), True, ON_CPU | {"PERF_COUNT": True} | {
        "INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 4}),
    (Asked(precision="int8"), False, ON_CPU),  # what is not quantised computes in f32
    (HINTED, False, F32 | BY_HINT),
    (Asked("NPU", cache=Path("kept")), False, ON_NPU | {"CACHE_DIR": "kept"}),  # which refuses to be asked for f32
    (Asked("NPU", "int8"), False, ON_NPU),
    (Asked("NPU", "f16"), False, ON_NPU | {"INFERENCE_PRECISION_HINT": "f16"}),
    (Asked("BATCH:CPU(2)"), False, ON_CPU | {"AUTO_BATCH_TIMEOUT": 1}),
    (Asked("HETERO:NPU,CPU"), False, {"DEVICE_PROPERTIES": {"NPU": ON_NPU, "CPU": ON_CPU}}),
    (replace(HINTED, device="HETERO:NPU,CPU"), False, {"DEVICE_PROPERTIES": {"NPU": ON_NPU, "CPU": F32 | BY_HINT}}),
    (Asked("AUTO:CPU", cache=Path("kept")), False, {
        "CACHE_DIR": "kept", "ENABLE_STARTUP_FALLBACK": False, "DEVICE_PROPERTIES": {"CPU": ON_CPU}}),
    (replace(HINTED, device="AUTO"), False, {
        "ENABLE_STARTUP_FALLBACK": False, "DEVICE_PROPERTIES": {"NPU": ON_NPU, "CPU": F32}} | BY_HINT),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "counters", "expected"), PROPERTIES, ids=str)
def test_properties_are_those_that_each_device_knows(asked: Asked, counters: bool, expected: dict[str, Any]) -> None:
    assert properties_of(CORE, asked, counters) == expected


@pytest.mark.parametrize("device", ["CPU", "AUTO:CPU", "HETERO:CPU", "MULTI:CPU"])
def test_a_compiled_model_tells_what_it_does(conv: Path, device: str) -> None:
    ready = compile_model(conv, Asked(device, precision="bf16"))
    told = {each.name: (each.asked, each.reported) for each in ready.settings}
    assert told["precision"] == ("bf16", "bf16")
    assert (told["threads"], told["streams"]) == (("1", "1"), ("1", "1"))
    assert told["runs on"] == ("", "CPU")
    assert told["execution mode"] == ("", "performance")
    assert not any(each.differs for each in ready.settings)
    assert (ready.precision, ready.threads, ready.streams, ready.runs_on) == ("bf16", 1, 1, ("CPU",))


def test_batching_compiles_and_tells_what_its_device_tells(conv: Path) -> None:
    ready = compile_model(conv, Asked("BATCH:CPU(2)", precision="bf16"))
    told = {each.name: each.reported for each in ready.settings}
    assert (told["requests at once"], told["precision"], told["runs on"]) == ("2", "bf16", "CPU")
    assert (ready.runs_on, ready.threads) == (("CPU",), 1)


@pytest.mark.parametrize("hint", [each for each in HINTS if each not in ("none", "cumulative_throughput")])
def test_a_hint_is_read_back(conv: Path, hint: str) -> None:
    ready = compile_model(conv, Asked(threads=None, streams=None, hint=hint))
    assert Setting("hint", hint, hint) in ready.settings


def test_precisions_are_spelled_as_openvino_spells_its_types() -> None:
    assert [getattr(ov.Type, name).to_string() for name in PRECISIONS if name != "int8"] == ["f32", "bf16", "f16"]


REPORTS: list[tuple[dict[str, Any], Setting]] = [
    ({"INFERENCE_PRECISION_HINT": ov.Type.bf16}, Setting("precision", "f32", "bf16")),
    ({}, Setting("precision", "f32", "")),
    ({"NUM_STREAMS": 2}, Setting("streams", "1", "2")),
    ({"ENABLE_CPU_PINNING": True}, Setting("pinned to cores", "", "yes")),
    ({"ENABLE_HYPER_THREADING": False}, Setting("hyper-threading", "", "no")),
    ({"EXECUTION_DEVICES": ["NPU", "CPU"]}, Setting("runs on", "", "NPU, CPU")),
    ({"EXECUTION_DEVICES": ["NPU"], "DEVICE_PROPERTIES": {"NPU": {"NUM_STREAMS": 4}}}, Setting("streams", "1", "4")),
    # What the virtual device says itself comes first.
    (
        {"EXECUTION_DEVICES": ["CPU"], "NUM_STREAMS": 3, "DEVICE_PROPERTIES": {"CPU": {"NUM_STREAMS": 4}}},
        Setting("streams", "1", "3"),
    ),
]


@pytest.mark.parametrize(("answers", "expected"), REPORTS)
def test_answers_are_told_beside_what_was_asked(answers: dict[str, Any], expected: Setting) -> None:
    settings = {each.name: each for each in reported(FakeCompiled(answers), Asked())}
    assert settings[expected.name] == expected
    assert settings.keys() - {"precision", "threads", "streams"} <= {expected.name, "runs on"}


def test_a_setting_that_differs_is_a_doubt(conv: Path) -> None:
    made = replace(profile(conv, seconds=0.01), conditions=None)
    quiet = replace(made, counted_us=made.request_us)
    assert list(doubts_of(quiet)) == []
    other = replace(quiet, settings=(*quiet.settings, Setting("threads", "4", "2"), Setting("hint", "", "latency")))
    assert list(doubts_of(other)) == ["conv.xml: threads: 4 was asked for, and CPU reports 2."]
