"""What each part of a supernet's training costs, as a share of a plain step.

Variants take the same steps (batches, subnets) in turn, so that a noisy moment meets all of them; figures are medians
of ratios to the plain step, with the 10th and the 90th percentile. A plain step trains the largest, the smallest and
two random networks on labels, in float32 and channels_last.

    python benchmarks/supernet_step.py
    python benchmarks/supernet_step.py --data idx:FASHION --samples 10000 --space image-s
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from machine import machine_line
from numpy.typing import NDArray
from subset import subset
from torch import Tensor

from edge_search.batches import Batch, Tensors, batches_in, resized, tensors_of, training_batches
from edge_search.evaluation import Inherited
from edge_search.search import inherited
from edge_search.space import SearchSpace, load_space
from edge_search.supernet import Supernet, weights
from edge_search.supernet.checkpoint import Origin, write_checkpoint
from edge_search.supernet.conflict import conflict, probe_of
from edge_search.supernet.recipe import SupernetRecipe
from edge_search.supernet.sampling import landmarks
from edge_search.supernet.training import Training
from edge_toolkit.architecture import Architecture
from edge_toolkit.data import Dataset, load_dataset

PLAIN = {"share": 1, "learning_rate": 1e-3, "labels": 1}


def recipe(phase: dict[str, object] | None = None, **fields: object) -> SupernetRecipe:
    """A recipe of one phase, plain but for what is given."""
    return SupernetRecipe.model_validate({"epochs": 1, "phases": [PLAIN | (phase or {})], "plain_share": 0, **fields})


VARIANTS = {
    "plain": recipe(),
    "without random networks": recipe({"random_subnets": 0}),
    "distillation, KL": recipe({"labels": 0}),
    "distillation, alpha": recipe({"labels": 0}, distillation="alpha"),
    "half labels, half KL": recipe({"labels": 0.5}),
    "projected gradients": recipe(gradients="projected"),
    "moving average": recipe(ema_decay=0.99),
    "drop-path": recipe(drop_path=0.1),
    "no attention": recipe({"attention": 0}),
    "attention alone learns": recipe({"conv_rate": 0}),
}


def main() -> None:
    """Take the figures and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="watch")
    parser.add_argument("--samples", type=int, help="train on that many samples only")
    parser.add_argument("--space", default="imu-s")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--compile", action="store_true", help="time torch.compile on the largest network, too")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        dataset = load_dataset(subset(asked.data, asked.samples, Path(folder)) if asked.samples else asked.data)
    space = load_space(asked.space).for_data(dataset.input_shape, dataset.classes)
    train = tensors_of(dataset.train, dataset.normalisation)
    batches = [batch for batch, _ in zip(training_batches(train, 64, 0, 0), range(asked.steps + 3), strict=False)]
    print(f"{asked.space} on {asked.data}; {machine_line()}, {torch.get_num_threads()} threads")
    steps: dict[str, Callable[[int], object]] = {name: stepping(space, how, batches) for name, how in VARIANTS.items()}
    steps["channels first"] = stepping(space, VARIANTS["plain"], batches, channels_last=False)
    steps["bfloat16 autocast"] = stepping(space, VARIANTS["plain"], batches, half=True)
    seconds = in_turn(steps, len(batches))
    plain = seconds["plain"]
    print(f"a plain step: {np.median(plain) * 1e3:.0f} ms")
    for name, each in seconds.items():
        low, middle, high = np.quantile(each / plain, (0.1, 0.5, 0.9))
        print(f"  {name}: {middle:.2f} ({low:.2f} to {high:.2f})", flush=True)
    epoch = float(np.median(plain)) * batches_in(len(train), 64)
    once(space, dataset, train, epoch)
    if asked.compile:
        compiled(space, batches[0])


def stepping(
    space: SearchSpace, how: SupernetRecipe, batches: list[Batch], channels_last: bool = True, half: bool = False
) -> Callable[[int], None]:
    """What takes step i of a training of its own."""
    training = Training(Supernet(space, 0), how, 0, len(batches))
    training._half = half
    if not channels_last:
        for weight in training.supernet.weights.values():
            # `contiguous` leaves kernels of 1 x 1 alone, whose strides torch takes for channels_last.
            weight.data = torch.empty(weight.shape).copy_(weight.data)

    def step(index: int) -> None:
        batch = batches[index]
        if channels_last:
            training.advance(batch)
        else:
            with patch.object(weights, "_channels_last", lambda x: x):
                training.advance(batch._replace(x=torch.empty(batch.x.shape).copy_(batch.x)))

    return step


def in_turn(steps: dict[str, Callable[[int], object]], count: int) -> dict[str, NDArray[np.float64]]:
    """Seconds of each variant's steps, (count - 3,), each time in another order; the first three warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    rng = np.random.default_rng(0)
    for index in range(count):
        for place in rng.permutation(len(steps)):
            name, step = list(steps.items())[place]
            begun = perf_counter()
            step(index)
            seconds[name].append(perf_counter() - begun)
    return {name: np.array(each[3:]) for name, each in seconds.items()}


def once(space: SearchSpace, dataset: Dataset, train: Tensors, epoch: float) -> None:
    """Print what is done now and then, as a share of an epoch of plain steps."""
    supernet = Supernet(space, 0)
    probe = probe_of(space, train, 0)
    assert probe is not None, "the space has both kinds of block"
    judge = inherited(supernet, dataset, 0)
    training = Training(supernet, VARIANTS["moving average"], 0, 10)
    origin = Origin(space, VARIANTS["moving average"], "", 0)
    networks = list(landmarks(space).values())
    with TemporaryDirectory() as folder:
        works: dict[str, Callable[[], object]] = {
            "a look at the conflict": lambda: conflict(supernet, probe),
            "a checkpoint": lambda: write_checkpoint(Path(folder) / "s", origin, training.checkpoint()),
            "judging the smallest network": lambda: judge_anew(judge, networks[0]),
            "judging the largest with attention": lambda: judge_anew(judge, networks[-1]),
        }
        for name, work in works.items():
            times = []
            for _ in range(5):
                begun = perf_counter()
                work()
                times.append(perf_counter() - begun)
            print(f"  {name}: {np.median(times):.2f} s, {np.median(times) / epoch:.1%} of an epoch", flush=True)


def judge_anew(judge: Inherited, network: Architecture) -> None:
    """Judge a network as if it had not been seen."""
    judge._statistics.clear()  # so that recalibration is timed as well
    judge.accuracy(network)


def compiled(space: SearchSpace, batch: Batch) -> None:
    """Print what torch.compile gains on one network, and after how many passes through it that pays."""
    supernet, network = Supernet(space, 0), landmarks(space)["largest with attention"]
    x = resized(batch.x, network.input)

    def loss(model: Callable[[Tensor], Tensor]) -> None:
        F.cross_entropy(model(x), batch.y).backward()  # type: ignore[no-untyped-call]  # torch's

    model = supernet.extract(network).train()
    optimised = torch.compile(model)
    begun = perf_counter()
    loss(optimised)
    first = perf_counter() - begun
    seconds = in_turn({"plain": lambda _: loss(model), "compiled": lambda _: loss(optimised)}, 13)
    plain, fast = (float(np.median(each)) for each in seconds.values())
    gain = f"pays after {first / (plain - fast):.0f} passes" if fast < plain else "never pays"
    print(f"  torch.compile, largest network alone: {fast / plain:.2f} of its time, {first:.0f} s to compile; {gain}")


if __name__ == "__main__":
    main()
