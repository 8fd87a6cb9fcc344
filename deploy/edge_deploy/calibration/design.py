"""Which networks to measure: few of many, such that every coefficient of the predictor is well determined."""

import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_toolkit.architecture import Architecture
from edge_toolkit.cli import answer_of
from edge_toolkit.cost import estimate
from edge_toolkit.device import load_device
from edge_toolkit.layer_terms import terms_of
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import ModelSpec, digest, spec_from_json

Floats = NDArray[np.float64]

DRAWS = 500
"""Networks that are drawn from a space to choose the sample from."""

SHALLOW_EVERY = 4
"""One of so many networks of a sample is a shallow one, or one of the space's extremes.

A layer takes a little longer in a deep network than in a shallow one, and a sum over rows can't tell the two apart.
With two thirds of shallow networks in the sample the deep ones of `imu-s` were predicted 1.9 % too low, with a third
0.9 %, and the shallow ones about as well (docs/lab-log.md).
"""

RIDGE = 0.1
"""What is taken as known of each coefficient beforehand, as a share of a network's mean evidence on it."""


@dataclass(frozen=True)
class Candidates:
    """Networks to choose a sample from: ordinary ones, and shallow ones with the extremes of their space."""

    ordinary: tuple[ModelSpec, ...]
    shallow: tuple[ModelSpec, ...] = ()


def drawn_from(space: str, seed: int) -> Candidates:
    """Networks of a space: draws, the same thinned out, and its smallest and its largest.

    The space belongs to another room, so it is asked through that room's commands: `edge-toolkit spaces`.

    Args:
        space: a space that ships, or the path of a YAML file.
        seed: of the draws.

    Raises:
        InputError: there is no such space, or its file breaks a rule.
    """
    facts = json.loads(answer_of("spaces", "show", space, "--json", "-"))
    count = str(min(DRAWS, facts["size"]))
    lines = answer_of("spaces", "sample", space, "--count", count, "--seed", str(seed)).splitlines()
    drawn = tuple(spec_from_json(json.loads(line)) for line in lines)
    extremes = (spec_from_json(facts[which]["architecture"]) for which in ("smallest", "largest"))
    rng = np.random.default_rng(seed)
    return Candidates(drawn, (*extremes, *(_thinned(spec, rng) for spec in drawn)))


def designed(candidates: Candidates, networks: int) -> tuple[ModelSpec, ...]:
    """Those whose terms, relative to about what each network takes, span the most: greedily D-optimal.

    Args:
        candidates: equal ones count once.
        networks: how many; all of the candidates where they are no more.

    Source: Atkinson, Donev and Tobias, Optimum Experimental Designs, with SAS, 2007, chapter 12 (sequential addition).
    """
    shallow = {digest(spec): spec for spec in candidates.shallow}
    ordinary = {digest(spec): spec for spec in candidates.ordinary if digest(spec) not in shallow}
    distinct = (*shallow.values(), *ordinary.values())
    tables = [layers_of(spec) for spec in distinct]
    device = load_device("cpu-host")  # any would do: what counts is the order of magnitude
    about_us = np.array([1e3 * estimate(table, device).latency_ms for table in tables])
    evidence = np.stack([terms_of(table).sum(axis=0) for table in tables]) / about_us[:, None]
    of_shallow = np.arange(len(distinct)) < len(shallow)
    return tuple(distinct[place] for place in spanning(evidence, min(networks, len(distinct)), of_shallow))


def spanning(evidence: Floats, count: int, shallow: NDArray[np.bool_]) -> list[int]:
    """Indices of `count` rows of (candidates, terms), each the one that adds most to the determinant of the moments.

    The first and every `SHALLOW_EVERY`-th after it comes from `shallow`, the others from the rest, while there are any.
    """
    used = evidence[:, evidence.any(axis=0)]
    scaled = used / np.sqrt((used**2).mean(axis=0))
    inverse = np.eye(scaled.shape[1]) / RIDGE
    left, chosen = np.ones(len(scaled), dtype=bool), list[int]()
    for turn in range(count):
        wanted = left & (shallow if turn % SHALLOW_EVERY == 0 else ~shallow)
        allowed = wanted if wanted.any() else left
        gains = np.where(allowed, np.einsum("nt,ts,ns->n", scaled, inverse, scaled, optimize=True), -np.inf)
        best = int(gains.argmax())
        chosen.append(best)
        left[best] = False
        along = inverse @ scaled[best]
        inverse -= np.outer(along, along) / (1 + scaled[best] @ along)
    return chosen


def _thinned(spec: ModelSpec, rng: np.random.Generator) -> ModelSpec:
    """A network with some of the last blocks of its stages left out: nearly all draws are deep, a front is not."""
    if not isinstance(spec, Architecture):
        return spec
    stages = (replace(stage, blocks=stage.blocks[: rng.integers(1, len(stage.blocks) + 1)]) for stage in spec.stages)
    return replace(spec, stages=tuple(stages))
