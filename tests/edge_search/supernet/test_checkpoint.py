"""Checkpoints: what is read is what was written, and nothing else is taken for one."""

from pathlib import Path

import pytest
import torch

from edge_search.supernet.checkpoint import Checkpoint, entries_in, read_checkpoint, write_checkpoint
from edge_search.supernet.log import Entry
from edge_toolkit.errors import InputError
from tests.edge_search.supernet.toys import IMAGES, SPACE, origin, recipe

HERE = origin(recipe(2))
SOME = Checkpoint(
    step=7,
    loss=1.25,
    seconds=3.5,
    weights={"stem.w": torch.randn(4, 3, 1, 1).to(memory_format=torch.channels_last), "head.b": torch.randn(2)},
    entries=(
        Entry(1, 6, 0, 0.1, 2.5, 3.25),
        Entry(2, 7, 1, 0.05, 1.5, 3.5, {"stem": {"between": 0.5, "within": 0.75}}),
    ),
    ema={"stem.w": torch.randn(4, 3, 1, 1)},
    optimizer={"stem.w": {"exp_avg": torch.randn(4, 3, 1, 1), "step": torch.tensor(7.0)}},
)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "supernet.safetensors"
    assert read_checkpoint(path, HERE) is None
    assert entries_in(path) == ()
    write_checkpoint(path, HERE, SOME)
    found = read_checkpoint(path, HERE)
    assert found is not None
    assert (found.step, found.loss, found.seconds) == (7, 1.25, 3.5)
    assert found.entries == entries_in(path) == SOME.entries
    for wanted, got in ((SOME.weights, found.weights), (SOME.ema, found.ema)):
        assert wanted.keys() == got.keys()
        assert all(torch.equal(got[name], tensor) for name, tensor in wanted.items())
    assert torch.equal(found.optimizer["stem.w"]["exp_avg"], SOME.optimizer["stem.w"]["exp_avg"])
    assert float(found.optimizer["stem.w"]["step"]) == 7


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\xff" * 64, None])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "supernet.safetensors"
    write_checkpoint(path, HERE, SOME)
    path.write_bytes(path.read_bytes()[:-5] if content is None else content)
    with pytest.raises(InputError, match=r"supernet\.safetensors: is no checkpoint of a supernet .*; remove it"):
        read_checkpoint(path, HERE)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (origin(recipe(3)), "its recipe had epochs 3, not 2"),
        (origin(recipe(2, {"share": 1, "learning_rate": 1.0})), "its recipe had other phases"),
        (origin(recipe(2), space=IMAGES), "its space was another"),
        (origin(recipe(2), seed=8), "its seed was 8, not 7"),
        (
            origin(recipe(3, batch=50), seed=8),
            "its seed was 8, not 7; its recipe had epochs 3, not 2; its recipe had batch 50, not 40",
        ),
    ],
)
def test_a_checkpoint_of_another_origin_is_told(tmp_path: Path, other: object, what: str) -> None:
    path = tmp_path / "supernet.safetensors"
    write_checkpoint(path, other, SOME)  # type: ignore[arg-type]  # an origin
    with pytest.raises(
        InputError, match=rf"was trained for something else \({what}\); use another folder, or remove it"
    ):
        read_checkpoint(path, origin(recipe(2), space=SPACE))
