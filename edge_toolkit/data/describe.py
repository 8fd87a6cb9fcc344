"""Data sets in words and in plain data, for the command `data`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.table import Table

from edge_toolkit.console import table
from edge_toolkit.data.dataset import Dataset, Split
from edge_toolkit.data.sources import SOURCES, list_builtin

Page = tuple[list[Table | str], dict[str, Any]]
"""What a person reads, and the same as plain data."""


def listing() -> Page:
    """What is built in, and how data from outside is named."""
    builtin = list_builtin()
    rows = [(one.name, one.what, one.shape, one.classes, one.source) for one in builtin]
    outside = [source.form for source in SOURCES.values() if source.needs]
    drawn: list[Table | str] = [
        table(("name", "what", "shape", "classes", "source"), rows),
        f"\nYour own: {', '.join(outside)}. `edge-toolkit data NAME` describes one.",
    ]
    return drawn, {"builtin": [asdict(one) for one in builtin], "forms": [source.form for source in SOURCES.values()]}


def description(data: Dataset, test: Split) -> Page:
    """One data set: its shape, splits, classes, normalisation and fingerprint."""
    counts = {
        name: [int(count) for count in np.bincount(split.y, minlength=data.classes)]
        for name, split in (("train", data.train), ("validation", data.validation), ("test", test))
    }
    shape = "x".join(str(size) for size in data.input_shape)
    rows: Sequence[Sequence[object]] = [
        *((label, *(counts[name][index] for name in counts)) for index, label in enumerate(data.labels)),
        ("all", *(sum(numbers) for numbers in counts.values())),
    ]
    channels = zip(range(data.input_shape[0]), data.normalisation.mean, data.normalisation.std, strict=True)
    drawn: list[Table | str] = [
        f"{data.name}: {shape} (channels x height x width), {data.classes} classes",
        f"source: {data.source}",
        *(f"note: {text}" for text in data.notes),
        f"fingerprint of train and validation: {data.fingerprint}\n",
        table(("class", *counts), rows),
        "",
        table(("channel", "mean", "std"), [(index, f"{mean:.6g}", f"{std:.6g}") for index, mean, std in channels]),
    ]
    return drawn, {
        "name": data.name,
        "source": data.source,
        "notes": list(data.notes),
        "input_shape": list(data.input_shape),
        "classes": data.classes,
        "labels": list(data.labels),
        "splits": {name: {"samples": sum(numbers), "class_counts": numbers} for name, numbers in counts.items()},
        "normalisation": asdict(data.normalisation),
        "fingerprint": data.fingerprint,
    }
