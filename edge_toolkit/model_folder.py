"""`Model`: a trained network as values, and its folder on disk, `models/PICK/`.

architecture.json     the spec (`edge_toolkit.specs`)
weights.safetensors   the state dict of `edge_toolkit.nn.build(spec)`, float32
preprocessing.json    what an input goes through before the network, and what its outputs are called
training.json         how it was trained, and what it reaches
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from edge_toolkit.data import Normalisation
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json, replacing, write_json, writing
from edge_toolkit.specs import ModelSpec, read_spec, spec_to_json

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Preprocessing:
    """What an input goes through: resized to the spec's input, then normalised by channel. `data` names its source."""

    data: str
    fingerprint: str
    normalisation: Normalisation
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """How a network was trained and what it reaches.

    Accuracies are shares of a split, at f32 in torch. `history` holds one entry an epoch: its mean loss and its
    validation accuracy.
    """

    start: str
    epochs: int
    seed: int
    validation_accuracy: float
    test_accuracy: float
    seconds: float
    history: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class Model:
    """A trained network."""

    spec: ModelSpec
    weights: Weights
    preprocessing: Preprocessing
    training: Training


def write_model(folder: Path, model: Model) -> None:
    """Write a model folder; the spec goes last, so that a folder with one is whole."""
    from safetensors.numpy import save

    with writing(folder):
        (folder / "architecture.json").unlink(missing_ok=True)
    with replacing(folder / "weights.safetensors") as beside:
        # Not `save_file`, which has errors of its own for a full disk.
        beside.write_bytes(save({name: np.ascontiguousarray(array) for name, array in model.weights.items()}))
    write_json(folder / "preprocessing.json", asdict(model.preprocessing))
    write_json(folder / "training.json", asdict(model.training))
    write_json(folder / "architecture.json", spec_to_json(model.spec))


def read_model(folder: Path) -> Model:
    """The model in a folder.

    Raises:
        InputError: the folder is no model folder, or a file in it breaks a rule.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not (folder / "architecture.json").is_file():
        raise InputError(f"{folder}: holds no model (architecture.json is missing); `edge-toolkit train` makes one")
    path = folder / "weights.safetensors"
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read ({error}); train the model again") from error
    return Model(
        spec=read_spec(folder / "architecture.json"),
        weights=weights,
        preprocessing=checked(
            _PREPROCESSING, read_json(folder / "preprocessing.json"), str(folder / "preprocessing.json")
        ),
        training=checked(_TRAINING, read_json(folder / "training.json"), str(folder / "training.json")),
    )


_PREPROCESSING: TypeAdapter[Preprocessing] = TypeAdapter(Preprocessing)
_TRAINING: TypeAdapter[Training] = TypeAdapter(Training)
