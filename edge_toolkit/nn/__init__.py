"""The torch models of `edge_toolkit.specs`. Nothing else in this package imports torch."""

from edge_toolkit.nn.blocks import RESIDUALS, Attend, ConvNorm, DropPath
from edge_toolkit.nn.model import Hybrid, LSTMClassifier, block_layers, build, head_layers, stem_layers
from edge_toolkit.nn.streaming import StreamingLSTM

__all__ = [
    "RESIDUALS",
    "Attend",
    "ConvNorm",
    "DropPath",
    "Hybrid",
    "LSTMClassifier",
    "StreamingLSTM",
    "block_layers",
    "build",
    "head_layers",
    "stem_layers",
]
