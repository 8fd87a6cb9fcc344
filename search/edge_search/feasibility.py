"""Whether anything in a space is inside a budget, before a second is spent on training."""

from collections.abc import Callable
from operator import attrgetter

import numpy as np

from edge_search.costs import Costs, estimate_many, tables_of
from edge_search.passages import Floats
from edge_search.segments import Integers, segments_of
from edge_search.study import Question
from edge_toolkit.cost.mapping import see_that_all_run
from edge_toolkit.cost.placing import places_of
from edge_toolkit.front import Candidate

SAMPLES = 2048
"""Vectors that are drawn at random to start with."""
PARENTS, CHILDREN, RATE = 16, 32, 0.1
"""How many of the best go on to the next round, children of each, and the chance that a gene of theirs is redrawn."""
ROUNDS = 30


def nearest(question: Question, seed: int) -> tuple[Candidate, ...]:
    """Networks near the budget or inside it, nearest first: the smallest one if it is inside, else the best found.

    Args:
        question: the space, the device and the budget.
        seed: fixes what is tried.

    Returns:
        Distinct candidates with their costs, the least excess over the budget first.

    Raises:
        AnswerIsNo: some layers that the space may choose run nowhere on the device.
    """
    for table in segments_of(question.space).tables:
        see_that_all_run(table, question.device, places_of(table, question.device))
    smallest = question.costed(question.space.smallest())
    if not question.budget.broken(smallest.costs):
        return (smallest,)
    bounds = question.budget.bounds

    def excess(costs: Costs) -> Floats:
        return np.asarray(np.max([getattr(costs, name) / bound for name, bound in bounds.items()], axis=0))

    return _least(question, seed, excess)


def in_the_way(question: Question, seed: int) -> str:
    """One sentence on the bound that keeps everything out, from the least of each cost that is found.

    Args:
        question: the space, the device and the budget.
        seed: fixes what is tried.
    """
    reasons = []
    for name, bound in question.budget.bounds.items():
        least = _least(question, seed, attrgetter(name))[0].costs[name]
        if least > bound:
            reasons.append(f"{name}: the bound is {bound:g}, and the least found in the space is {least:.4g}")
    return "; ".join(reasons) or "each bound can be kept alone, but no network was found that keeps them together"


def _least(question: Question, seed: int, worth: Callable[[Costs], Floats]) -> tuple[Candidate, ...]:
    """Distinct candidates of the least worth, by random draws and then mutations of the best.

    Rounds go by rough costs, for a large space has mappings that take long; what they end with is costed exactly.
    """
    space, rng = question.space, np.random.default_rng(seed)
    sizes = [len(gene.choices) for gene in space.genes]
    smallest = np.array(space.encode(space.smallest()), dtype=np.int64)
    vectors = np.vstack([smallest, rng.integers(sizes, size=(SAMPLES, len(sizes)))])
    for _ in range(ROUNDS):
        parents = _best(question, vectors, worth)
        children = np.repeat(parents, CHILDREN, axis=0)
        redrawn = rng.random(children.shape) < RATE
        vectors = np.vstack([parents, np.where(redrawn, rng.integers(sizes, size=children.shape), children)])
    best = _best(question, vectors, worth)
    order = np.argsort(worth(estimate_many(space, best, question.device)), kind="stable")
    return tuple(question.costed(space.decode(vector)) for vector in best[order].tolist())


def _best(question: Question, vectors: Integers, worth: Callable[[Costs], Floats]) -> Integers:
    """A vector of each of the networks that look best, best first."""
    _, first = np.unique(segments_of(question.space).chains(vectors), axis=0, return_index=True)
    distinct = vectors[first]
    order = np.argsort(worth(tables_of(question.space, question.device).roughly(distinct)), kind="stable")
    return distinct[order[:PARENTS]]
