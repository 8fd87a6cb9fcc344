"""`Recipe`: how weights are trained."""

from dataclasses import dataclass
from math import cos, pi

from edge_toolkit.errors import InputError


@dataclass(frozen=True)
class Recipe:
    """AdamW with a cosine schedule after a linear warm-up, label smoothing, and light augmentation.

    `random_subnets` counts the subnets drawn at each step beside the largest and the smallest one (the sandwich rule);
    it has no meaning for a network alone.

    Raises:
        InputError: a number is out of its range.

    Source: Loshchilov and Hutter, AdamW, ICLR 2019; Yu and Huang, Universally Slimmable Networks, ICCV 2019 (the
    sandwich rule and in-place distillation).
    """

    epochs: int
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: float = 0.1
    smoothing: float = 0.1
    random_subnets: int = 2

    def __post_init__(self) -> None:
        rules = {
            f"epochs={self.epochs} must be at least 1": self.epochs >= 1,
            f"batch={self.batch} must be at least 2": self.batch >= 2,
            f"learning_rate={self.learning_rate} must be greater than 0": self.learning_rate > 0,
            f"weight_decay={self.weight_decay} must be at least 0": self.weight_decay >= 0,
            f"warmup={self.warmup} must be a share from 0 to 1": 0 <= self.warmup <= 1,
            f"smoothing={self.smoothing} must be from 0 to below 1": 0 <= self.smoothing < 1,
            f"random_subnets={self.random_subnets} must be at least 0": self.random_subnets >= 0,
        }
        problems = [rule for rule, kept in rules.items() if not kept]
        if problems:
            raise InputError.listing("recipe", problems)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate at a step of `steps`, as a share of the highest."""
        warm = max(1, round(self.warmup * steps))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))
