"""The torch models of `edge_toolkit.specs`. Nothing else in this package imports torch."""

from edge_toolkit.nn.model import Hybrid, LSTMClassifier, build

__all__ = ["Hybrid", "LSTMClassifier", "build"]
