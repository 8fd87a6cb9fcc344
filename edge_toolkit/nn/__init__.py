"""The torch models of `edge_toolkit.specs`. Nothing else in this package imports torch."""

from edge_toolkit.nn.blocks import Attend
from edge_toolkit.nn.model import Hybrid, LSTMClassifier, block_layers, build, head_layers, stem_layers

__all__ = ["Attend", "Hybrid", "LSTMClassifier", "block_layers", "build", "head_layers", "stem_layers"]
