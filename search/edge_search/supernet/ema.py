"""The moving average of shared weights, which is what networks inherit where a recipe keeps one."""

from collections.abc import Mapping

import torch
from torch import Tensor


def update(ema: Mapping[str, Tensor], weights: Mapping[str, Tensor], decay: float, step: int) -> None:
    """Take a step's weights into their exponential moving average.

    Args:
        ema: changed in place.
        weights: of the same names.
        decay: of the average; less in the first steps, which would else be remembered for too long.
        step: from 0.

    Source: Polyak and Juditsky, SIAM Journal on Control and Optimization 30(4), 1992 (averaging); the lower decay of
    the first steps is that of TensorFlow's ExponentialMovingAverage.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for name, mean in ema.items():
            mean.lerp_(weights[name], share)
