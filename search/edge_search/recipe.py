"""`Recipe`: how a network alone is trained."""

from dataclasses import dataclass
from math import cos, pi

from edge_toolkit.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """AdamW with a cosine schedule after a linear warm-up, label smoothing, and light augmentation.

    Raises:
        InputError: a number is out of its range.

    Source: Loshchilov and Hutter, AdamW, ICLR 2019.
    """

    epochs: int
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: float = 0.1
    smoothing: float = 0.1

    def __post_init__(self) -> None:
        rules = {
            f"epochs={self.epochs} must be at least 1": self.epochs >= 1,
            f"batch={self.batch} must be at least 2": self.batch >= 2,
            f"learning_rate={self.learning_rate} must be greater than 0": self.learning_rate > 0,
            f"weight_decay={self.weight_decay} must be at least 0": self.weight_decay >= 0,
            f"warmup={self.warmup} must be a share from 0 to 1": 0 <= self.warmup <= 1,
            f"smoothing={self.smoothing} must be from 0 to below 1": 0 <= self.smoothing < 1,
        }
        problems = [rule for rule, kept in rules.items() if not kept]
        if problems:
            raise InputError.listing("recipe", problems)


def warm_cosine(step: int, steps: int, warmup: float) -> float:
    """The learning rate at a step of `steps`, as a share of the highest: a linear warm-up, then a cosine to 0.

    Source: Loshchilov and Hutter, SGDR, ICLR 2017, equation 5, without restarts.
    """
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))
