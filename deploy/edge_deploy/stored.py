"""What a layer keeps in memory besides its own weights: the constants of what runs inside it."""

from collections.abc import Iterable
from math import prod

from edge_deploy.graph import Op

_LINEAR = ("Add", "BatchNormInference", "Divide", "Multiply", "Subtract")
_CHANGES_NO_VALUE = ("Convert", "ConvertLike")
_SETTINGS = ("Interpolate",)
"""Their constants are scales of the whole layer, which a device is told."""


def stored_beside(ops: Iterable[Op], channels: int) -> int:
    """Elements of the constants that run with a layer.

    Ahead of its activation a layer's scales go into its weights, and its shifts become one bias.

    Args:
        ops: what runs inside the layer, in order.
        channels: of its output, where it has weights that take a scale each; else 0.

    Returns:
        Elements; single numbers and what is no weight (axes, shapes) are none.
    """
    bias, stored, linear = 0, 0, channels > 0
    for op in ops:
        sizes = [size for shape in op.constants if (size := prod(shape)) > 1]
        if op.kind in _SETTINGS or op.kind in _CHANGES_NO_VALUE:
            sizes = []
        linear = linear and (op.kind in _LINEAR or op.kind in _CHANGES_NO_VALUE)
        if op.kind == "BatchNormInference":
            sizes = sizes[:2]  # four vectors make a scale and a shift
        if not linear:
            stored += sum(sizes)
        elif op.kind in ("Multiply", "Divide"):
            stored += sum(size for size in sizes if size > channels)
        else:
            bias = max(bias, *sizes, 0)
    return bias + stored
