"""Two processes against one: the same statistics, the same gradients, the same weights."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from edge_search.batches import training_batches
from edge_search.supernet import Supernet, training
from edge_search.supernet.bfloat16 import bfloat16_pays
from edge_search.supernet.checkpoint import entries_in
from edge_search.supernet.parallel import WholeBatchNorm, add_up, together
from edge_search.supernet.recipe import SupernetRecipe
from edge_search.supernet.sampling import sandwich
from edge_search.supernet.training import Training
from edge_toolkit.errors import InputError, MissingError
from tests.edge_search.spaces_for_tests import PLAIN, changed
from tests.edge_search.supernet.toys import TWO_STAGES, recipe, separable

ROWS = (5, 3)
"""An uneven share of a batch of eight."""


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 4, 2, 3, generator=generator), torch.randn(8, 4, 2, 3, generator=generator)


def norm() -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(4, track_running_stats=False)
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(1))
    return layer


def one_of_two(rank: int, meeting: str, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    x, wanted = (torch.split(each, ROWS)[rank].clone() for each in batch())
    x.requires_grad_()
    layer = WholeBatchNorm(norm())
    y = layer(x)
    (y * wanted).sum().backward()  # type: ignore[no-untyped-call]  # torch's
    gradients = [layer.weight.grad, layer.bias.grad]
    add_up(gradients)
    torch.save([y.detach(), x.grad, *gradients], Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def test_statistics_and_gradients_are_those_of_the_whole_batch(tmp_path: Path) -> None:
    multiprocessing.spawn(one_of_two, (str(tmp_path / "meeting"), str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]  # torch's
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    (x, wanted), layer = batch(), norm()
    x.requires_grad_()
    y = layer(x)
    (y * wanted).sum().backward()
    for index, expected in enumerate((y, x.grad)):
        torch.testing.assert_close(torch.cat([part[index] for part in parts]), expected, atol=1e-5, rtol=1e-5)
    for index, expected in ((2, layer.weight.grad), (3, layer.bias.grad)):
        for part in parts:
            torch.testing.assert_close(part[index], expected, atol=1e-5, rtol=1e-5)


class Step(NamedTuple):
    """A first step: how many processes take it, by what recipe, with how many samples, from what seed."""

    processes: int
    recipe: SupernetRecipe
    samples: int
    seed: int = 0


FROZEN = {"share": 1, "learning_rate": 1e-3, "conv_rate": 0, "attention_share": 0.3}
STEPS = {
    "unequal shares, drop-path, projection": Step(
        2, recipe(1, gradients="projected", plain_share=0.0, drop_path=0.2), samples=25
    ),
    "a process without samples, alpha": Step(3, recipe(1, distillation="alpha", drop_path=0.5), samples=2),
    "a largest network that learns nothing": Step(
        2, recipe(1, FROZEN, gradients="projected", plain_share=0.0), samples=9, seed=5
    ),
    "nothing that learns": Step(2, recipe(1, {**FROZEN, "attention_share": 0}), samples=9),
}


def first_gradients(step: Step, part: int, parts: int) -> dict[str, Tensor]:
    """A tenth of what a first step's gradients are, which is AdamW's first mean; weights are drawn, so none is 0."""
    supernet, generator = Supernet(TWO_STAGES, seed=0), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in supernet.weights.values():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training, "bfloat16_pays", lambda device: False)  # whatever this CPU has
        learning = Training(supernet, step.recipe, step.seed, steps=10)
    learning.advance(next(training_batches(separable(step.samples), step.samples, 0, 0, 0, part, parts)))
    return {name: slots["exp_avg"].contiguous() for name, slots in learning.checkpoint().optimizer.items()}


def gradients_of_one(rank: int, name: str, meeting: str, folder: str) -> None:
    step = STEPS[name]
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=step.processes)
    save_file(first_gradients(step, rank, step.processes), Path(folder) / f"{rank}.safetensors")
    dist.destroy_process_group()


@pytest.mark.parametrize("name", STEPS)
def test_several_processes_take_the_step_of_one(tmp_path: Path, name: str) -> None:
    words, step = (name, str(tmp_path / "meeting"), str(tmp_path)), STEPS[name]
    multiprocessing.spawn(gradients_of_one, words, nprocs=step.processes)  # type: ignore[no-untyped-call]  # torch's
    expected = first_gradients(step, 0, 1)
    assert bool(expected) == (name != "nothing that learns")
    # The gradient of a shift before a normalisation is 0, and what is seen of it is rounding of the others' size.
    rounding = 0.1 * max((float(gradient.abs().max()) for gradient in expected.values()), default=0.0)
    for rank in range(step.processes):
        found = load_file(tmp_path / f"{rank}.safetensors")
        assert found.keys() == expected.keys()
        for weight, gradient in expected.items():
            size = float(gradient.abs().max())
            torch.testing.assert_close(found[weight], gradient, atol=1e-4 * (size + rounding), rtol=0, msg=weight)


def test_the_largest_network_of_that_step_has_no_attention() -> None:
    step = STEPS["a largest network that learns nothing"]
    largest, others = sandwich(TWO_STAGES, step.recipe.phases[0], np.random.default_rng((step.seed, 0)))
    kinds = [{placed.block.kind for placed in network.blocks} for network in (largest, *others)]
    assert "attention" not in kinds[0]
    assert any("attention" in each for each in kinds[1:])


def test_torchrun_trains_as_one_process_does(tmp_path: Path) -> None:
    rng, arrays = np.random.default_rng(0), {}
    for split, samples in (("train", 46), ("val", 20), ("test", 20)):  # the last of four batches is of one sample
        y = np.arange(samples) % 3
        arrays[f"x_{split}"] = (y[:, None, None, None] + rng.normal(size=(samples, 2, 1, 32))).astype(np.float32)
        arrays[f"y_{split}"] = y
    np.savez(tmp_path / "toy.npz", **arrays)  # type: ignore[arg-type]  # numpy types the keywords as its own flags
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(changed(("classes", 3), base=PLAIN)))
    phases = [{"share": 1, "learning_rate": 1e-3}]
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"epochs": 2, "batch": 15, "phases": phases}))
    command = ["train-supernet", "--data", "npz:toy.npz", "--space", "space.yaml", "--recipe", "recipe.yaml", "--out"]
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    losses = []
    for name, launcher in (("one", []), ("two", torchrun)):
        words = [sys.executable, "-m", *launcher, "edge_toolkit.cli", *command, name]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True, env=environment)
        assert done.stdout.count("inherited accuracy") == 1, "one process talks"
        losses.append([entry.loss for entry in entries_in(tmp_path / name / "supernet.safetensors")])
    assert losses[1] == pytest.approx(losses[0], rel=2e-2 if bfloat16_pays(torch.device("cpu")) else 1e-3)


def counted_in_half(rank: int, meeting: str, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    x = torch.randn(301, 4, 5, 7, generator=torch.Generator().manual_seed(0)).bfloat16()
    torch.save(WholeBatchNorm(norm())(torch.split(x, (200, 101))[rank]).detach(), Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


def test_rows_are_counted_right_in_bfloat16(tmp_path: Path) -> None:
    """10,535 values a channel, which bfloat16 can't tell from 10,496."""
    multiprocessing.spawn(counted_in_half, (str(tmp_path / "meeting"), str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]  # torch's
    found = torch.cat([torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)])
    x = torch.randn(301, 4, 5, 7, generator=torch.Generator().manual_seed(0)).bfloat16()
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, norm()(x.float()).detach().bfloat16(), atol=0, rtol=0.01)


def left_alone(rank: int, meeting: str, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    if rank == 1:
        os._exit(0)  # as if killed
    with pytest.raises(MissingError) as raised:
        add_up([torch.ones(3)])
    (Path(folder) / "told").write_text(str(raised.value))


def test_a_process_that_is_left_alone_says_so(tmp_path: Path) -> None:
    multiprocessing.spawn(left_alone, (str(tmp_path / "meeting"), str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]  # torch's
    told = (tmp_path / "told").read_text()
    assert told.startswith("another process of this training has ended")
    assert told.endswith("the same command goes on from the last checkpoint")


def test_as_many_processes_as_gpus_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match="--nproc-per-node 2: GPUs here: 1; start no more"), together():
        pytest.fail("joined")
