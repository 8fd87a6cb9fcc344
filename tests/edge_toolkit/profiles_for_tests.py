"""A profile's JSON form, written by hand: values that a page and a figure must show."""

from typing import Any

from pydantic import TypeAdapter

from edge_toolkit.profile import Profile

MODEL_ROWS = (
    ("stem/Conv", "conv", "stem", 3.25),
    ("stem/Reorder", "layout", "stem", 0.5),
    ("stages.0.blocks.0/Conv", "conv", "stages.0.blocks.0", 4.0),
    ("stages.0.blocks.0/Depthwise", "depthwise", "stages.0.blocks.0", 2.0),
    ("stages.0.blocks.0/Project", "conv", "stages.0.blocks.0", 1.5),
    ("head.pool/ReduceMean", "head", "head", 0.0),
    ("runtime", "runtime", "runtime", 6.75),
    ("binding", "binding", "binding", 7.0),
)
LSTM_ROWS = (
    ("stem/Conv", "conv", "stem", 3.0),
    ("lstm.0/LSTMSequence", "recurrent", "lstm.0", 77.0),
    ("runtime", "runtime", "runtime", -2.5),
    ("binding", "binding", "binding", 5.5),
)


def network(target: str, rows: tuple[tuple[str, str, str, float], ...], median_ms: float) -> dict[str, Any]:
    wall_us = sum(row[3] for row in rows)
    return {
        "target": target,
        "device": "CPU",
        "device_name": "Test Processor 9000",
        "precision": "f32",
        "asked_precision": "f32",
        "threads": 1,
        "streams": 1,
        "latency_ms": {
            "median": median_ms,
            "p90": median_ms,
            "p99": median_ms,
            "min": median_ms,
            "mean": median_ms,
            "interval": [median_ms, median_ms],
            "count": 4321,
        },
        "wall_us": wall_us,
        "counted_us": 1000 * median_ms,
        "unread_us": 2.2 * (len(rows) - 2),
        "uncounted": [],
        "inputs": [{"name": "input", "shape": [1, 6, 1, 200], "type": "f32"}],
        "macs": 1_230_000,
        "parameters": 4567,
        "rows": [
            {
                "name": name,
                "role": role,
                "kind": role,
                "block": block,
                "time_us": time_us,
                "share": time_us / wall_us,
                "macs": 1000,
                "kernel": "brgconv",
                "precision": "f32",
                "originals": [name],
            }
            for name, role, block, time_us in rows
        ],
        "machine": {"cpu": "Test Processor 9000", "cores": 4, "governor": None, "load_average": 0.25},
        "versions": {"openvino": "2026.2.0-test"},
    }


def profile_json(target: str = "bundles/knee") -> dict[str, Any]:
    return {
        "schema": 1,
        **network(target, MODEL_ROWS, 0.018),
        "baseline": network(f"{target}-lstm", LSTM_ROWS, 0.0775),
        "comparison": {"ratio": 0.2323, "interval": [0.2311, 0.2347], "verdict": "faster"},
    }


def profile_of(target: str = "bundles/knee") -> Profile:
    """The same as a value."""
    return TypeAdapter(Profile).validate_python(profile_json(target))
