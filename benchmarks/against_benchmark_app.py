"""Our latency against OpenVINO's benchmark_app, in turn; what the rows add up to; what counting costs.

pip download --no-deps mediapipe==0.10.21       # models that are not ours: hands, eyes and palms, in its wheel
python benchmarks/against_benchmark_app.py --run runs/demo --wheel mediapipe-0.10.21-*.whl

Both are told the same: CPU, float32, one thread, one stream, one request at a time, and run in a fresh process each,
by turns, in an order that is reversed every round.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import numpy as np
from machine import machine_line

from edge_deploy.latency import compare, interleaved
from edge_deploy.runtime import compile_model, with_counters
from edge_deploy.settings import Asked
from edge_toolkit.console import progress

THEIRS = {
    "hand_landmark_lite": "mediapipe/modules/hand_landmark/hand_landmark_lite.tflite",
    "iris_landmark": "mediapipe/modules/iris_landmark/iris_landmark.tflite",
    "palm_detection_lite": "mediapipe/modules/palm_detection/palm_detection_lite.tflite",
}
UNITS = {"ms": 1.0, "us": 1e-3}


def benchmark_app_ms(model: Path, seconds: float) -> float:
    """The median that benchmark_app tells."""
    script = "import sys; from openvino.tools.benchmark.main import main; sys.exit(main())"
    settings = [
        "-d",
        "CPU",
        "-hint",
        "none",
        "-api",
        "sync",
        "-nthreads",
        "1",
        "-nstreams",
        "1",
        "-infer_precision",
        "f32",
    ]
    words = [sys.executable, "-c", script, "-m", str(model), *settings, "-t", f"{seconds:.0f}"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Median:\s+([\d.]+) (ms|us)", told)
    if found is None:
        raise SystemExit(f"benchmark_app tells no median of {model}:\n{told[-2000:]}")
    return float(found[1]) * UNITS[found[2]]


def ours_of(command: str, model: Path, seconds: float) -> dict[str, Any]:
    """The JSON of a command of ours."""
    script = "import sys; from edge_toolkit.cli import main; main(sys.argv[1:])"
    words = [sys.executable, "-c", script, command, str(model), "-t", str(seconds), "--json", "-"]
    plain: dict[str, Any] = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return plain


def our_median_ms(model: Path, seconds: float) -> float:
    """The median that `measure` tells, which is `profile`'s without the rows."""
    (taken,) = ours_of("measure", model, seconds)["candidates"].values()
    return float(taken["latency_ms"])


def rows_over_wall(model: Path, seconds: float) -> tuple[float, float]:
    """The sum of a profile's rows over its wall time: all of them, and the executed ones alone."""
    plain = ours_of("profile", model, seconds)
    rows = plain["rows"]
    executed = [row["time_us"] for row in rows if row["name"] not in ("runtime", "binding")]
    return sum(row["time_us"] for row in rows) / plain["wall_us"], sum(executed) / plain["wall_us"]


def counting(model: Path, seconds: float) -> str:
    """Latency with counters over latency without, both in one process, block by block."""
    ready = compile_model(model, Asked())
    counted, plain = interleaved([with_counters(ready), ready], seconds)
    found = compare(counted, plain)
    return f"{found.ratio:.3f} ({found.interval[0]:.3f} to {found.interval[1]:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run", type=Path, default=Path("runs/demo"), help="a run with a bundle, as `make demo` leaves it"
    )
    parser.add_argument("--pick", default="knee")
    parser.add_argument("--wheel", type=Path, required=True, help="mediapipe's wheel")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    print(machine_line())
    with TemporaryDirectory() as folder, ZipFile(given.wheel) as wheel:
        models = {name: Path(wheel.extract(inside, folder)) for name, inside in THEIRS.items()}
        bundles = given.run / "bundles"
        models = {
            "our pick": bundles / given.pick / "model.xml",
            "its LSTM": bundles / f"{given.pick}-lstm" / "model.xml",
            **models,
        }
        heads = ("model", "benchmark_app ms", "ours ms", "quietest over quietest", "median of rounds, from, to")
        print(f"| {' | '.join(heads)} | all rows / wall | executed rows / wall | counting costs |")
        print("|---|---|---|---|---|---|---|---|")
        for name, model in models.items():
            theirs, ours = measured(model, given.rounds, given.seconds)
            ratios = ours / theirs
            whole, executed = rows_over_wall(model, given.seconds)
            print(
                f"| {name} | {theirs.min():.4f} | {ours.min():.4f} | {ours.min() / theirs.min():.3f} | "
                f"{np.median(ratios):.3f}, {ratios.min():.3f}, {ratios.max():.3f} | {whole:.4f} | {executed:.3f} | "
                f"{counting(model, given.seconds)} |",
                flush=True,
            )


def measured(model: Path, rounds: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Medians of benchmark_app and ours, ms, of each round."""
    theirs, ours = [], []
    with progress(model.stem, rounds) as advance:
        for turn in range(rounds):
            for mine in (turn % 2 == 0, turn % 2 == 1):
                if mine:
                    ours.append(our_median_ms(model, seconds))
                else:
                    theirs.append(benchmark_app_ms(model, seconds))
            advance()
    return np.array(theirs), np.array(ours)


if __name__ == "__main__":
    main()
