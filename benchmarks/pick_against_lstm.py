"""Test accuracy and measured latency of a search's pick against the LSTM of equal parameters, over several seeds.

One search, as in `make demo`; then the pick and its LSTM are trained with each seed, the LSTM for as many epochs as the
supernet and the pick had together; then both are exported and profiled, interleaved, in one run.

    python benchmarks/pick_against_lstm.py                                            # watch, imu-s, as the demo
    python benchmarks/pick_against_lstm.py --data idx:DIR --space image-s --samples 10000 ...
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from machine import machine_line
from subset import subset

from edge_toolkit.architecture import Attention
from edge_toolkit.front import Candidate, Front, read_front


def command(*arguments: object) -> None:
    """Run a command of the tool, as a user would."""
    print("$ edge-toolkit", *arguments, flush=True)
    subprocess.run(
        [sys.executable, "-m", "edge_toolkit.cli", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL
    )


def reached(model: Path) -> float:
    """Test accuracy in percent."""
    return 100 * float(json.loads((model / "training.json").read_text())["test_accuracy"])


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="watch")
    parser.add_argument("--samples", type=int, help="train on that many samples only")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--latency-ms", type=float, default=0.08)
    parser.add_argument("--energy-mj", type=float, default=0.0022)
    parser.add_argument("--trials", type=int, default=80)
    parser.add_argument("--supernet-epochs", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--pick", default="knee")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        data = subset(asked.data, asked.samples, Path(folder)) if asked.samples else asked.data
        budget = ("--latency-ms", asked.latency_ms, "--energy-mj", asked.energy_mj)
        search = ("--data", data, "--space", asked.space, "--device", "xr-npu", *budget, "--trials", asked.trials)
        command("search", *search, "--supernet-epochs", asked.supernet_epochs, "--out", run)
        ours, theirs = run / "models" / asked.pick, run / "models" / f"{asked.pick}-lstm"
        accuracies: dict[str, list[float]] = {"pick": [], "pick from scratch": [], "lstm": []}
        longer = asked.supernet_epochs + asked.epochs
        for seed in range(asked.seeds):
            command("train", run, "--pick", asked.pick, "--epochs", longer, "--from-scratch", "--seed", seed)
            accuracies["pick from scratch"].append(reached(ours))
            command("train", run, "--pick", asked.pick, "--epochs", asked.epochs, "--seed", seed)
            accuracies["pick"].append(reached(ours))
            command("train", "--baseline", "lstm", "--like", ours, "--epochs", longer, "--seed", seed)
            accuracies["lstm"].append(reached(theirs))
            print({name: f"{values[-1]:.2f}" for name, values in accuracies.items()}, flush=True)
        command("export", ours)
        profile = Path(folder) / "profile.json"
        command("profile", run / "bundles" / asked.pick, "--baseline", "lstm", "--seconds", 10, "--json", profile)
        report(asked, read_front(run / "front.json"), accuracies, json.loads(profile.read_text()))


def attention_blocks(candidate: Candidate) -> int:
    """How many of a network's blocks are attention."""
    return sum(isinstance(block, Attention) for stage in candidate.architecture.stages for block in stage.blocks)


def report(
    asked: argparse.Namespace, front: Front, accuracies: dict[str, list[float]], profile: dict[str, object]
) -> None:
    """Print what was found."""
    samples = f"{asked.samples or 'all'} training samples"
    print(f"\n{asked.data} ({samples}), {asked.space}, pick {asked.pick}; {machine_line()}")
    for name, values in accuracies.items():
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        each = ", ".join(f"{value:.2f}" for value in values)
        print(f"test accuracy, {name}: {statistics.mean(values):.2f} +- {spread:.2f} % ({each})")
    for name, one in (("pick", profile), ("lstm", profile["baseline"])):
        latency = one["latency_ms"]
        print(f"{name}: {one['parameters']:,} parameters, {one['macs']:,} MACs, median {latency['median']:.4f} ms")
    with_attention = [str(index) for index, each in enumerate(front.candidates) if attention_blocks(each)]
    print(f"pick: {attention_blocks(front.pick(asked.pick))} of its blocks are attention")
    print(f"front: {len(front.candidates)} networks, with attention: {', '.join(with_attention) or 'none'}")
    comparison = profile["comparison"]
    print(f"latency, pick over lstm: {comparison['ratio']:.3f}, 95 % {comparison['interval']}: {comparison['verdict']}")


if __name__ == "__main__":
    main()
