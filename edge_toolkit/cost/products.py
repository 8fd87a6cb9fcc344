"""The least product of two sums, from what is least in weighted sums of the two.

Of many (time, energy), both above 0, the least product is at a corner of their convex hull, and a corner is best for
some weights. So corners are looked for between two that are known, as long as the tangents that touch the hull there
leave room for a smaller product: they meet in a point that is below and left of all between.

Source: Aneja and Nair, Bicriteria transportation problem, Management Science 25, 1979.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

TOLERANCE = 1e-9


class Tangent(NamedTuple):
    """A line that no (time, energy) is below, and one that lies on it.

    All have `per_ms` * time + `per_mj` * energy >= `least`.
    """

    per_ms: float
    per_mj: float
    least: float
    at: tuple[float, float]

    @property
    def product(self) -> float:
        """Time x energy where it touches."""
        return self.at[0] * self.at[1]


Touch = Callable[[float, float], Tangent]
"""The tangent for two weights."""


def least_product(touch: Touch, known: Sequence[Tangent] = ()) -> tuple[Tangent, tuple[Tangent, ...]]:
    """The tangent that touches where the product is least, and all that were touched, flattest last.

    Args:
        touch: finds what is least in a weighted sum.
        known: tangents of a larger set, which no point of this one is below; flattest last.
    """
    if not known:
        fresh = [touch(1.0, 0.0), touch(0.0, 1.0)]
        touched = {_weights(each): each for each in fresh}
        between = [(fresh[0], fresh[1])]
    else:
        middle = min(known, key=lambda each: each.product).at
        touched = {(middle[1], middle[0]): touch(middle[1], middle[0])}
        between = list(pairwise(known))
    while between:
        left, right = (touched.get(_weights(each), each) for each in between.pop())
        best = min(each.product for each in touched.values())
        if _meeting(left, right) >= best * (1 - TOLERANCE):
            continue
        if not {_weights(left), _weights(right)} <= touched.keys():
            for each in (left, right):
                if _weights(each) not in touched:
                    touched[_weights(each)] = touch(*_weights(each))
            between.append((left, right))
            continue
        per_ms, per_mj = left.at[1] - right.at[1], right.at[0] - left.at[0]
        if per_ms <= 0 or per_mj <= 0:  # both touch one corner
            continue
        new = touched[per_ms, per_mj] = touch(per_ms, per_mj)
        if new.least < (per_ms * left.at[0] + per_mj * left.at[1]) * (1 - TOLERANCE):
            between += [(left, new), (new, right)]
    in_order = sorted(touched.values(), key=lambda each: each.per_mj / (each.per_ms + each.per_mj))
    return min(in_order, key=lambda each: each.product), tuple(in_order)


def _weights(tangent: Tangent) -> tuple[float, float]:
    return tangent.per_ms, tangent.per_mj


def _meeting(left: Tangent, right: Tangent) -> float:
    """The product where two tangents meet, infinite where they are parallel."""
    determinant = left.per_ms * right.per_mj - left.per_mj * right.per_ms
    if determinant <= 0:
        return float("inf")
    time = (left.least * right.per_mj - left.per_mj * right.least) / determinant
    energy = (left.per_ms * right.least - left.least * right.per_ms) / determinant
    return time * energy
