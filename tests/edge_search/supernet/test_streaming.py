"""A supernet trained from disk, against one trained on the same images in memory."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from edge_search.batches import tensors_of
from edge_search.evaluation import accuracy
from edge_search.search import inherited, trained_supernet
from edge_search.space import SearchSpace
from edge_search.supernet import Supernet
from edge_search.supernet.checkpoint import Origin, entries_in
from edge_toolkit.data import dataset as datasets
from edge_toolkit.data import load_dataset
from edge_toolkit.runs import RunFolder
from tests.edge_search.spaces_for_tests import changed
from tests.edge_search.supernet.toys import recipe
from tests.edge_search.test_search import run
from tests.edge_toolkit.data.test_data_folder import filled

SPACE = changed(("input", [3, 16, 16]), ("classes", 2), ("resolution", [12, 16]))


def test_images_on_disk_train_what_images_in_memory_do(tmp_path: Path) -> None:
    filled(tmp_path / "data/train", {"a": 30, "b": 31})
    filled(tmp_path / "data/val", {"a": 5, "b": 5}, first=100)
    space, weights, accuracies = SearchSpace.model_validate(SPACE), [], []
    for word in ("stream", "folder"):
        dataset, folder = load_dataset(f"{word}:{tmp_path}/data@16"), RunFolder(tmp_path / f"run-{word}")
        how = recipe(2).model_copy(update={"batch": 8})
        supernet = trained_supernet(Origin(space, how, dataset.fingerprint, 0), dataset, folder)
        weights.append(supernet.state_dict())
        accuracies.append(inherited(supernet, dataset, 0).accuracy(space.smallest()))
        assert len(entries_in(folder.supernet)) == 2
    assert all(torch.equal(weights[1][name], tensor) for name, tensor in weights[0].items())
    assert accuracies[0] == accuracies[1]


def test_of_many_images_some_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "data/train", {"a": 100, "b": 100})
    filled(tmp_path / "data/val", {"a": 5, "b": 5}, first=500)
    space = SearchSpace.model_validate(SPACE)
    whole = load_dataset(f"stream:{tmp_path}/data@16")
    monkeypatch.setattr(datasets, "ENOUGH", 5)
    some = whole.validation.some()
    assert (len(whole.validation), len(some)) == (20, 5)
    assert np.array_equal(some.x[:], whole.validation.x[::4])
    assert np.array_equal(some.y, whole.validation.y[::4])
    supernet = Supernet(space, seed=0)
    judge = inherited(supernet, whole, 0)
    shape = space.smallest().input
    expected = accuracy(judge.model(space.smallest()), tensors_of(some, whole.normalisation), shape)
    assert judge.accuracy(space.smallest()) == expected


def test_the_main_road_on_images_on_disk(tmp_path: Path) -> None:
    filled(tmp_path / "data/train", {"a": 20, "b": 21})
    filled(tmp_path / "data/val", {"a": 5, "b": 5}, first=100)
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    words = ["--data", f"stream:{tmp_path}/data@16", "--space", str(tmp_path / "space.yaml"), "--supernet-epochs", "1"]
    folder = str(tmp_path / "run")
    assert run("search", *words, "--device", "xr-npu", "--trials", "3", "--out", folder) == 0
    assert run("train", folder, "--pick", "knee", "--epochs", "1") == 0
    assert run("export", f"{folder}/models/knee") == 0
