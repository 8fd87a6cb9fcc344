"""Whole-process time of `edge-toolkit --help` against `python -c pass`, in pairs.

python benchmarks/startup.py
"""

import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from machine import machine_line

PAIRS = 40
HELP = [str(Path(sys.executable).parent / "edge-toolkit"), "--help"]
PASS = [sys.executable, "-c", "pass"]


def seconds(command: list[str]) -> float:
    """Wall time of one process."""
    begun = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - begun


def main() -> None:
    """Take the figure and print it."""
    for command in (HELP, PASS):
        seconds(command)
    pairs = [(seconds(HELP), seconds(PASS)) for _ in range(PAIRS)]
    ratios = sorted(ours / theirs for ours, theirs in pairs)
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{PAIRS} pairs; {machine_line()}")
    print(f"edge-toolkit --help {1000 * ours:.0f} ms, python -c pass {1000 * theirs:.0f} ms (medians)")
    print(f"ratio: median {statistics.median(ratios):.1f}, from {ratios[0]:.1f} to {ratios[-1]:.1f}")


if __name__ == "__main__":
    main()
