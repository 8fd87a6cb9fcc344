"""The sample: against brute force, and through the other room's commands."""

from itertools import combinations

import numpy as np
import pytest

from edge_deploy.calibration.design import RIDGE, Candidates, designed, drawn_from, spanning
from edge_toolkit.architecture import Architecture, Head, MBConv, Stage, Stem
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import digest


def test_each_choice_adds_most_to_the_determinant() -> None:
    evidence = np.random.default_rng(0).exponential(size=(30, 4)) * np.array([1e6, 1.0, 1e-3, 1.0])
    scaled = evidence / np.sqrt((evidence**2).mean(axis=0))

    def determinant(rows: list[int]) -> float:
        return float(np.linalg.det(RIDGE * np.eye(4) + scaled[rows].T @ scaled[rows]))

    shallow, chosen = np.arange(30) < 2, list[int]()
    for turn, found in enumerate(spanning(evidence, 12, shallow)):
        pool = {0: [0, 1], 4: [0, 1]}.get(turn, range(2, 30))  # the third turn of the shallow finds none left
        best = max(determinant([*chosen, row]) for row in pool if row not in chosen)
        assert determinant([*chosen, found]) == pytest.approx(best)
        chosen.append(found)
    assert len(set(chosen)) == 12


def test_a_greedy_choice_is_near_the_best_one() -> None:
    evidence = np.random.default_rng(1).exponential(size=(12, 3))
    scaled = evidence / np.sqrt((evidence**2).mean(axis=0))

    def determinant(rows: tuple[int, ...]) -> float:
        return float(np.linalg.det(RIDGE * np.eye(3) + scaled[list(rows)].T @ scaled[list(rows)]))

    best = max(determinant(rows) for rows in combinations(range(12), 5))
    assert determinant(tuple(spanning(evidence, 5, np.zeros(12, dtype=bool)))) > 0.8 * best


def test_equal_networks_count_once_and_few_are_all_taken() -> None:
    one, other = (
        Architecture((3, 8, 8), Stem(width, 3, 2), (Stage(8, 2, (MBConv(3, 2),)),), Head(5)) for width in (4, 6)
    )
    assert {digest(spec) for spec in designed(Candidates((one, other, one), (other,)), 40)} == {
        digest(one),
        digest(other),
    }


def test_a_space_is_asked_through_its_command() -> None:
    candidates = drawn_from("imu-s", seed=1)
    assert candidates == drawn_from("imu-s", seed=1)
    assert candidates != drawn_from("imu-s", seed=2)
    macs = [layers_of(spec).macs.sum() for spec in (*candidates.shallow, *candidates.ordinary)]
    assert (min(macs), max(macs)) == (macs[0], macs[1]), "the smallest and the largest of the space stand first"
    chosen = designed(candidates, 20)
    assert sum(spec in candidates.shallow for spec in chosen) == 5
    kernels = {(row["kind"], row["kernel_w"]) for spec in chosen for row in layers_of(spec).rows()}
    assert {("depthwise", size) for size in (3, 5, 7)} <= kernels
    assert candidates.shallow[0] in chosen


def test_a_space_that_is_none_is_told() -> None:
    with pytest.raises(InputError, match="space 'warp' is no built-in space and no file"):
        drawn_from("warp", seed=0)
