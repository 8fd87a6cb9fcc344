"""Energy of an inference: measured on a machine in virtual time, else what the device's file makes of the layers."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from openvino import opset13 as ops

from edge_deploy.energy import measure_energy
from edge_deploy.inference_energy import MODELS, energy_of_inference
from edge_deploy.model_layers import model_layers
from edge_deploy.profile import profile
from edge_deploy.rapl import readable_zones
from edge_deploy.runtime import compile_model
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.energy import Energy, ModelledEnergy
from edge_toolkit.layers import layers_of
from tests.edge_deploy.conftest import IRMaker
from tests.edge_deploy.networks_for_tests import SEQUENCE
from tests.edge_deploy.powercap_for_tests import LAPTOP, Machine
from tests.edge_deploy.small_models_for_tests import convolution, save


def modelled(device: str, energy_mj: float) -> ModelledEnergy:
    constants = [value for _, value in load_device(device).constants()]
    assumed = [value for value in constants if value.assumed]
    return ModelledEnergy(energy_mj, device, len(assumed), len(constants))


def test_a_network_that_is_known_is_modelled_by_its_layers(ir: IRMaker) -> None:
    expected = modelled("cpu-host", estimate(layers_of(SEQUENCE), load_device("cpu-host")).energy_mj)
    assert energy_of_inference(compile_model(ir("sequence")), SEQUENCE, 0.1, 1.0, ()) == expected


def test_a_bare_model_is_modelled_by_its_own(tmp_path: Path) -> None:
    path = convolution(tmp_path / "conv.xml")
    expected = modelled("cpu-host", estimate(model_layers(path).table, load_device("cpu-host")).energy_mj)
    assert energy_of_inference(compile_model(path), None, 0.1, 1.0, ()) == expected


def test_the_model_stays_as_it_was(tmp_path: Path) -> None:
    """Its layers are found by folding constants, here the sum that makes the weights."""
    x, half = ops.parameter([1, 6], np.float32, name="x"), ops.constant(np.ones((6, 4), np.float32))
    ready = compile_model(save(tmp_path / "sum.xml", [ops.matmul(x, ops.add(half, half), False, False)], [x]))
    assert energy_of_inference(ready, None, 0.1, 1.0, ()) is not None
    assert "Add" in {op.get_type_name() for op in ready.model.get_ops()}


@pytest.mark.parametrize(
    ("runs_on", "architecture", "precision", "device"),
    [
        (("CPU",), "intel64", "f32", "cpu-host"),
        (("CPU",), "intel64", "bf16", None),
        (("CPU", "GPU.0"), "", "f32", None),
        (("NPU",), "3720", "int8", "npu-3720"),
        (("NPU.4000",), "4000", "int8", "npu-4000"),
        (("NPU",), "4000", "f16", None),
        (("NPU",), "5000", "int8", None),
        (("GPU.0",), "", "f32", None),
    ],
)
def test_a_device_is_modelled_by_the_file_of_its_architecture(
    ir: IRMaker, runs_on: tuple[str, ...], architecture: str, precision: str, device: str | None
) -> None:
    ready = replace(compile_model(ir("sequence")), runs_on=runs_on, architecture=architecture, precision=precision)
    found = energy_of_inference(ready, SEQUENCE, 0.1, 1.0, ())
    assert (found.device if isinstance(found, ModelledEnergy) else found) == device
    assert device is None or device in MODELS.values()


def test_what_has_shapes_that_only_a_run_tells_is_not_modelled(tmp_path: Path) -> None:
    x = ops.parameter([1, 6], np.float32, name="x")
    path = save(tmp_path / "nonzero.xml", [ops.non_zero(x)], [x])
    assert energy_of_inference(compile_model(path), None, 0.1, 1.0, ()) is None


def test_it_is_measured_where_counters_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop takes 6 W idle and 0.25 mJ an inference of 1 ms; blocks are of 100 inferences, a tenth of a second."""
    machine = Machine(tmp_path, LAPTOP, block_s=0.001)
    done = []

    def infer() -> None:
        done.append(machine.now_s)
        machine.run_block()

    monkeypatch.setattr(
        "edge_deploy.inference_energy.measure_energy",
        partial(measure_energy, rounds=2, clock=machine.clock, idle=machine.idle),
    )
    zones = readable_zones(machine.classes, machine.clock)
    ready = SimpleNamespace(infer=infer, runs_on=("CPU",))
    found = energy_of_inference(ready, SEQUENCE, 1.0, 1.0, zones)  # type: ignore[arg-type]
    assert isinstance(found, Energy)
    assert found.inferences == len(done) == 1000
    assert found.total.net_mj == pytest.approx(0.25, abs=2e-3)
    assert found.total.idle_w == pytest.approx(6, rel=1e-3)


def test_the_package_s_counters_say_nothing_of_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    ready = SimpleNamespace(infer=None, runs_on=("GPU.1",))
    assert energy_of_inference(ready, None, 1.0, 1.0, ("zone",)) is None  # type: ignore[arg-type]
    assert "a GPU may lie outside it" in capsys.readouterr().err


@pytest.mark.parametrize(("request_ms", "block"), [(1.0, 100), (0.3, 334), (250.0, 1), (0.0, 100_000)])
def test_blocks_last_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch, request_ms: float, block: int) -> None:
    done = []
    ready = SimpleNamespace(infer=lambda: done.append(1), runs_on=("CPU",))
    monkeypatch.setattr("edge_deploy.inference_energy.measure_energy", lambda run_block, *_: run_block())
    assert energy_of_inference(ready, None, request_ms, 1.0, ("zone",)) == block  # type: ignore[arg-type]
    assert len(done) == block


def test_a_profile_without_counters_has_the_modelled_energy(ir: IRMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_deploy.profile._zones", lambda: ())
    found = profile(ir("one-point"), seconds=0.01).energy
    assert isinstance(found, ModelledEnergy)
    assert (found.device, found.origin) == ("cpu-host", "modelled")
