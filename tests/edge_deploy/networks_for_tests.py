"""Small networks that several test modules share, and model folders of them."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from edge_toolkit.architecture import Architecture, Attention, Head, MBConv, Stage, Stem
from edge_toolkit.data import load_dataset
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.model_folder import Model, Preprocessing, Training, write_model
from edge_toolkit.nn import build
from edge_toolkit.specs import ModelSpec

SEQUENCE = Architecture(
    (3, 1, 30), Stem(8, 5, 2), (Stage(8, 1, (MBConv(5, 2), MBConv(3, 1), Attention(4, 2, 0))),), Head(4, 12)
)
PADDED_WINDOWS = Architecture(
    (2, 13, 11),
    Stem(8, 3, 1),
    (Stage(8, 1, (Attention(8, 1, 5), Attention(1, 1, 1))), Stage(12, 2, (MBConv(3, 2), Attention(6, 2, 2)))),
    Head(3),
)
SEQUENCE_WINDOWS = Architecture((3, 1, 30), Stem(8, 3, 1), (Stage(8, 1, (Attention(4, 1, 7),)),), Head(4))
ONE_POINT = Architecture((1, 1, 1), Stem(4, 1, 1), (Stage(4, 1, (MBConv(1, 2), Attention(2, 1, 0))),), Head(2))
ONE_LAYER = LSTMBaseline((3, 1, 30), Stem(8, 5, 2), (9,), Head(4, 12))
TWO_LAYERS = LSTMBaseline((2, 6, 7), Stem(8, 3, 2), (5, 11), Head(3))

NETWORKS = {
    "sequence": SEQUENCE,
    "padded-windows": PADDED_WINDOWS,
    "sequence-windows": SEQUENCE_WINDOWS,
    "one-point": ONE_POINT,
    "lstm": ONE_LAYER,
    "lstm-of-two": TWO_LAYERS,
}


def trained_like(spec: ModelSpec, seed: int = 0) -> nn.Module:
    """A network whose batch normalisations all do something, as a trained one's do, so that folding is put to test."""
    model = build(spec, seed)
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.3, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(std=0.3, generator=generator)
    return model.eval()


def inputs_of(spec: ModelSpec, samples: int = 6) -> np.ndarray:
    """(samples, channels, height, width), normally distributed."""
    return np.random.default_rng(1).standard_normal((samples, *spec.input)).astype(np.float32)


def write_npz(path: Path, shape: tuple[int, int, int] = SEQUENCE.input, classes: int = 4, seed: int = 0) -> str:
    """A data set as a file; returns its name for `load_dataset`."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for split, samples in (("train", 24), ("val", 12), ("test", 20)):
        arrays[f"x_{split}"] = generator.normal(2, 3, (samples, *shape)).astype(np.float32)
        arrays[f"y_{split}"] = np.arange(samples) % classes
    np.savez(path, **arrays)
    return f"npz:{path}"


def write_folder(folder: Path, spec: ModelSpec, data: str, seed: int = 0) -> Path:
    """A model folder on `data`, with weights that nobody trained."""
    dataset = load_dataset(data)
    weights = {name: value.numpy() for name, value in trained_like(spec, seed).state_dict().items()}
    preprocessing = Preprocessing(data, dataset.fingerprint, dataset.normalisation, dataset.labels)
    training = Training("random", 1, seed, 0.5, 0.25, 1.0, ({"loss": 1.0, "validation_accuracy": 0.5},))
    write_model(folder, Model(spec, weights, preprocessing, training))
    return folder
