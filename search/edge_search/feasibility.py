"""Whether anything in a space is inside a budget, before a second is spent on training."""

from collections.abc import Iterator

import numpy as np

from edge_search.study import Question
from edge_toolkit.front import Candidate

STARTS = 8
STEPS = 150


def nearest(question: Question, seed: int) -> tuple[Candidate, ...]:
    """Networks near the budget or inside it, nearest first: descents from the smallest one and from random ones.

    Args:
        question: the space, the device and the budget.
        seed: fixes the descents.

    Returns:
        Distinct candidates with their costs, the least excess over the budget first.
    """
    rng = np.random.default_rng(seed)
    ends = {end.architecture: end for end in _ends(question, rng)}
    return tuple(sorted(ends.values(), key=lambda candidate: _excess(question, candidate)))


def in_the_way(question: Question, candidates: tuple[Candidate, ...]) -> str:
    """One sentence on the bound that keeps everything out, from the least costs that were seen."""
    reasons = []
    for name, bound in question.budget.bounds.items():
        least = min(candidate.costs[name] for candidate in candidates)
        if least > bound:
            reasons.append(f"{name}: the bound is {bound:g}, and the least found in the space is {least:.4g}")
    return "; ".join(reasons) or "each bound can be kept alone, but no network was found that keeps them together"


def _ends(question: Question, rng: np.random.Generator) -> Iterator[Candidate]:
    starts = [question.space.smallest(), *(question.space.sample(rng) for _ in range(STARTS - 1))]
    for start in starts:
        here = question.costed(start)
        for _ in range(STEPS):
            if _excess(question, here) <= 0:
                break
            there = question.costed(question.space.mutate(here.architecture, rng, rate=0.1))
            here = min(here, there, key=lambda candidate: _excess(question, candidate))
        yield here


def _excess(question: Question, candidate: Candidate) -> float:
    return max(question.budget.excess(candidate.costs).values(), default=0.0)
