"""A part of a data set, for benchmarks that would take hours on the whole."""

from pathlib import Path

import numpy as np

from edge_toolkit.data import load_dataset, load_test


def subset(data: str, samples: int, folder: Path) -> str:
    """`samples` training samples drawn at random, half as many to validate, the whole test split; as `npz:FILE`."""
    dataset, test = load_dataset(data), load_test(data)
    order = np.random.default_rng(0).permutation(len(dataset.train))[:samples]
    half = np.random.default_rng(1).permutation(len(dataset.validation))[: samples // 2]
    path = folder / "subset.npz"
    np.savez(
        path,
        x_train=dataset.train.x[order],
        y_train=dataset.train.y[order],
        x_val=dataset.validation.x[half],
        y_val=dataset.validation.y[half],
        x_test=test.x,
        y_test=test.y,
    )
    return f"npz:{path}"
