"""Costs against a layer computed by hand, and devices against the rules of their files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from edge_toolkit.architecture import Architecture, Head, MBConv, Stage, Stem
from edge_toolkit.budget import Budget, budget_of
from edge_toolkit.cost import estimate
from edge_toolkit.device import Device, load_device, shipped_devices
from edge_toolkit.errors import InputError
from edge_toolkit.layers import KINDS, layers_of

NETWORK = Architecture((3, 8, 8), Stem(4, 3, 2), (Stage(8, 2, (MBConv(3, 2),)),), Head(5))


def plain(**changes: Any) -> dict[str, Any]:
    """A device whose numbers are easy to multiply by hand."""
    constants = {
        "processor": {
            "clock_mhz": 100,
            "macs_per_cycle": 10,
            "elements_per_cycle": 2,
            "layer_start_us": 1,
            "pj_per_mac": 2,
            "static_mw": 5,
        },
        "memory": {
            "on_chip_kib": 1000,
            "on_chip_gb_s": 1,
            "on_chip_pj_per_byte": 3,
            "dram_gb_s": 0.5,
            "dram_pj_per_byte": 7,
        },
    }
    whole: dict[str, Any] = {
        section: {name: {"value": changes.get(name, value), "source": "by hand"} for name, value in values.items()}
        for section, values in constants.items()
    }
    reached = dict.fromkeys(KINDS, 1.0) | {"conv": 0.5, "pool": 0.25}
    processor = {**whole.pop("processor"), "utilisation": {"value": reached, "source": "by hand"}, "kind": "roofline"}
    named = {"schema": 2, "name": "plain", "description": "by hand", "origin": "modelled", "precision": "int8"}
    return {**named, "processors": {"one": processor}, **whole}


def device(tmp_path: Path, **changes: Any) -> Device:
    path = tmp_path / "plain.yaml"
    path.write_text(yaml.safe_dump(plain(**changes)))
    return load_device(str(path))


def layer(cost_column: Any, name: str) -> float:
    (row,) = np.flatnonzero(layers_of(NETWORK).name == name)
    return float(cost_column[row])


def test_a_convolution_by_hand(tmp_path: Path) -> None:
    """The stem: 3x8x8 to 4x4x4 by 3x3, 1,728 MACs, 112 weights, 256 activations; computing is what takes longest."""
    cost = estimate(layers_of(NETWORK), device(tmp_path))
    compute_us = 1728 / (10 * 0.5) / 100
    traffic_us = (192 + 64 + 112) / 1000
    latency_ms = (1 + max(compute_us, traffic_us)) / 1000
    assert layer(cost.layer_latency_ms, "stem") == pytest.approx(latency_ms)
    dynamic_pj = 1728 * 2 + (192 + 64 + 112) * 3
    assert layer(cost.layer_energy_mj, "stem") == pytest.approx(dynamic_pj * 1e-9 + 5 * latency_ms * 1e-3)


def test_a_layer_without_macs_by_hand(tmp_path: Path) -> None:
    cost = estimate(layers_of(NETWORK), device(tmp_path))
    moved = 8 * 2 * 2 + 8  # pooling reads 8 x 2 x 2 and writes 8
    assert layer(cost.layer_latency_ms, "head.pool") == pytest.approx((1 + moved / (2 * 0.25) / 100) / 1000)


def test_weights_beyond_the_room_on_chip_stream_from_dram(tmp_path: Path) -> None:
    """512 bytes hold the largest layer's 256 activations and 256 of the weights; with 128 all activations spill too."""
    layers = layers_of(NETWORK)
    activations, weights = layers.inputs + layers.outputs, layers.weights.sum()
    assert activations.max() == 256
    fits, streams, spills = (estimate(layers, device(tmp_path, on_chip_kib=kib)) for kib in (1000, 0.5, 0.125))
    for cost, streamed in ((streams, weights - 256), (spills, weights + np.maximum(activations - 128, 0).sum())):
        slower_mj = 5 * (cost.latency_ms - fits.latency_ms) * 1e-3
        assert cost.energy_mj - fits.energy_mj == pytest.approx(streamed * 7e-9 + slower_mj)


def test_a_network_waits_for_what_streaming_takes_beyond_computing(tmp_path: Path) -> None:
    """At 0.001 GB/s a byte takes 1 us: every layer waits for its weights, less the 256 that find room."""
    layers = layers_of(NETWORK)
    fits, streams = (estimate(layers, device(tmp_path, on_chip_kib=kib, dram_gb_s=0.001)) for kib in (1000, 0.5))
    waits_us = np.maximum(layers.weights - fits.layer_latency_ms * 1e3, 0).sum() - 256
    assert waits_us > 0
    assert streams.latency_ms - fits.latency_ms == pytest.approx(waits_us / 1e3)


def test_bytes_follow_the_precision(tmp_path: Path) -> None:
    values = plain(on_chip_gb_s=0.001)
    costs = []
    for precision in ("int8", "f32"):
        path = tmp_path / f"{precision}.yaml"
        path.write_text(yaml.safe_dump({**values, "precision": precision}))
        costs.append(estimate(layers_of(NETWORK), load_device(str(path))).layer_latency_ms - 1e-3)
    np.testing.assert_allclose(costs[1], 4 * costs[0])


@pytest.mark.parametrize("name", shipped_devices())
def test_shipped_devices_say_where_each_constant_comes_from(name: str) -> None:
    loaded = load_device(name)
    constants = [constant for _, constant in loaded.constants()]
    assert len(constants) >= 12
    assert all(len(constant.source) > 10 for constant in constants)
    cost = estimate(layers_of(NETWORK), loaded)
    assert (cost.latency_origin, cost.energy_origin) == ("modelled", "modelled")
    assert len(cost.layer_latency_ms) == len(layers_of(NETWORK))


def test_a_device_file_is_told_every_problem(tmp_path: Path) -> None:
    broken = plain()
    broken["processors"]["one"]["clock_mhz"] = {"value": -1, "source": "x"}
    del broken["memory"]["dram_gb_s"]["source"]
    broken["colour"] = "red"
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(broken))
    with pytest.raises(InputError) as error:
        load_device(str(path))
    message = str(error.value)
    assert "3 problems" in message
    for part in ("processors.one.clock_mhz.value", "but got -1", "memory.dram_gb_s.source", "colour"):
        assert part in message


@pytest.mark.parametrize(
    ("reached", "told"),
    [
        ({"conv": 0.0}, r"utilisation\.value\.conv \(line \d+\): .* greater than 0, but got 0"),
        ({"conv": -0.5, "pool": 7}, "2 problems"),
        ({"conv": float("nan")}, r"utilisation\.value\.conv"),
        ({"conv": None}, "conv missing: each kind of layer needs its share"),
        ({"convolution": 0.5}, "convolution"),
    ],
)
def test_shares_of_the_peak_are_checked(tmp_path: Path, reached: dict[str, float | None], told: str) -> None:
    broken = plain()
    value = broken["processors"]["one"]["utilisation"]["value"] | reached
    broken["processors"]["one"]["utilisation"]["value"] = {
        kind: share for kind, share in value.items() if share is not None
    }
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(broken))
    with pytest.raises(InputError, match=told):
        load_device(str(tmp_path / "broken.yaml"))


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 0])
def test_a_constant_is_a_positive_number(tmp_path: Path, value: float) -> None:
    with pytest.raises(InputError, match=r"processors\.one\.clock_mhz\.value"):
        device(tmp_path, clock_mhz=value)


def test_an_unknown_device_is_told_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"--device tpu: no such device; use cpu-host, .*xr-npu, .*or the path of a \.yaml"
    ):
        load_device("tpu")


@pytest.mark.parametrize(
    ("latency_ms", "energy_mj", "fps", "bounds"),
    [
        (None, None, None, {}),
        (2.0, 0.1, None, {"latency_ms": 2.0, "energy_mj": 0.1}),
        (None, None, 90, {"latency_ms": 1000 / 90}),
        (2.0, None, 90, {"latency_ms": 2.0}),
        (20.0, None, 90, {"latency_ms": 1000 / 90}),
    ],
)
def test_budgets(
    latency_ms: float | None, energy_mj: float | None, fps: float | None, bounds: dict[str, float]
) -> None:
    assert budget_of(latency_ms, energy_mj, fps).bounds == pytest.approx(bounds)


def test_a_bound_is_kept_when_met_exactly_and_broken_above() -> None:
    budget = Budget(latency_ms=2.0, energy_mj=0.5)
    assert budget.broken({"latency_ms": 2.0, "energy_mj": 0.6}) == ["energy_mj"]
    assert budget.excess({"latency_ms": 1.0, "energy_mj": 0.6}) == pytest.approx({"latency_ms": -0.5, "energy_mj": 0.2})


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_bounds_are_positive(bad: float) -> None:
    with pytest.raises(InputError, match="must be a number greater than 0"):
        Budget(latency_ms=bad)
    with pytest.raises(InputError, match="--fps"):
        budget_of(None, None, bad)
