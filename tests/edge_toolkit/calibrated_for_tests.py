"""A calibrated device with numbers that are easy to follow."""

from typing import Any

from edge_toolkit.calibration import Calibration, HeldOut, Repeatability
from edge_toolkit.machine import installed_openvino, this_machine


def calibration(**changes: Any) -> Calibration:
    """Made on this very machine, unless told otherwise."""
    here = this_machine()
    values: dict[str, Any] = {
        "date": "2026-01-02",
        "cpu": here.cpu,
        "cores": here.cores,
        "governor": here.governor,
        "load_average": 0.5,
        "openvino": installed_openvino(),
        "device": "CPU",
        "device_name": here.cpu,
        "threads": 1,
        "space": "imu-s",
        "networks": 40,
        "latency_ms": (0.05, 0.25),
        "held_out": HeldOut(mape=0.01, mape_interval=(0.005, 0.02), within_5_percent=1, within_10_percent=1),
        "repeatability": Repeatability(mean=0.005, p95=0.01),
    }
    return Calibration(**(values | changes))


def calibrated(**changes: Any) -> dict[str, Any]:
    """The file's form of a device; `changes` are its calibration's."""
    constants = {
        "on_chip_kib": 1,  # so little, and DRAM so slow, that a modelled device would wait
        "on_chip_gb_s": 1,
        "on_chip_pj_per_byte": 3,
        "dram_gb_s": 1e-3,
        "dram_pj_per_byte": 7,
    }
    cpu = {
        "kind": "calibrated",
        "ns": {
            "conv": {"start": 1000, "macs": 2},
            "depthwise": {"start": 500},
            "linear": {"start": 3000},
            "pool": {"inputs": 1},
        },
        "pj_per_mac": {"value": 2, "source": "by hand"},
        "static_mw": {"value": 5, "source": "by hand"},
    }
    return {
        "schema": 2,
        "name": "mine",
        "description": "by hand",
        "origin": "calibrated",
        "precision": "f32",
        "processors": {"cpu": cpu},
        "memory": {name: {"value": value, "source": "by hand"} for name, value in constants.items()},
        "calibration": calibration(**changes).model_dump(mode="json"),
    }
