"""Data sets: built in, or from a user's files, checked once at the door."""

from edge_toolkit.data.dataset import Dataset, Normalisation, Split, normalisation_from_json, normalisation_of
from edge_toolkit.data.sources import Builtin, list_builtin, load_dataset, load_test
from edge_toolkit.data.streaming import Streamed

__all__ = [
    "Builtin",
    "Dataset",
    "Normalisation",
    "Split",
    "Streamed",
    "list_builtin",
    "load_dataset",
    "load_test",
    "normalisation_from_json",
    "normalisation_of",
]
