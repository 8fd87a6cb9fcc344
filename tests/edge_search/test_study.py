"""The study: what is evaluated and how often, budgets as constraints, resumption, and the front it finds."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage, InMemoryStorage

from edge_search.feasibility import in_the_way, nearest
from edge_search.front import non_dominated
from edge_search.journal import journal_storage
from edge_search.samplers import SAMPLERS, sampler_of
from edge_search.space import SearchSpace
from edge_search.study import Question, Search, open_study
from edge_toolkit.architecture import Architecture
from edge_toolkit.budget import Budget
from edge_toolkit.device import Device, load_device
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.specs import digest
from tests.edge_search.spaces_for_tests import PLAIN, SMALL
from tests.edge_toolkit.calibrated_for_tests import calibrated

SPACE = SearchSpace.model_validate(PLAIN)
DEVICE = load_device("xr-npu")
ALL = {one: Question(SPACE, DEVICE, Budget()).costed(one) for one in SPACE.enumerate()}
LATENCIES = sorted(one.latency_ms for one in ALL.values())
MIDDLE = Budget(latency_ms=LATENCIES[len(LATENCIES) // 2])
OPEN = Question(SPACE, DEVICE, Budget())
HALF = Question(SPACE, DEVICE, MIDDLE)


def accuracy_of(architecture: Architecture) -> float:
    """Rises with size and differs from network to network."""
    return (
        0.5
        + 0.4 * ALL[architecture].macs / max(one.macs for one in ALL.values())
        + int(digest(architecture), 16) % 97 / 1e4
    )


def search_with(
    question: Question,
    evaluate: Callable[[Architecture], float] = accuracy_of,
    sampler: str = "nsga2",
    storage: BaseStorage | None = None,
    seed: int = 0,
) -> Search:
    storage = InMemoryStorage() if storage is None else storage
    return Search(question, evaluate, open_study(storage, "test", "this"), sampler, seed, start=SPACE.smallest())


def ignore(note: str = "") -> None:
    """No progress bar."""


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_architecture_is_evaluated_once_and_only_inside_the_budget(sampler: str) -> None:
    asked: Counter[Architecture] = Counter()

    def evaluate(architecture: Architecture) -> float:
        asked[architecture] += 1
        return accuracy_of(architecture)

    search = search_with(HALF, evaluate, sampler)
    search.run(trials=12, jobs=1, advance=ignore)
    assert len(asked) == 12
    assert set(asked.values()) == {1}
    assert all(ALL[one].latency_ms <= MIDDLE.bounds["latency_ms"] for one in asked)
    assert {one: found.accuracy for one, found in search.evaluated.items()} == {one: accuracy_of(one) for one in asked}


def test_optuna_holds_constraints_names_and_outcomes() -> None:
    storage = InMemoryStorage()
    search_with(HALF, storage=storage, sampler="random").run(trials=20, jobs=1, advance=ignore)
    study = optuna.load_study(study_name="test", storage=storage)
    assert study.metric_names == ["accuracy", "latency_ms", "energy_mj"]
    outcomes = Counter(trial.user_attrs["outcome"] for trial in study.trials)
    assert outcomes["evaluated"] == 20
    assert outcomes["over budget"] > 0
    for trial in study.trials:
        architecture = SPACE.build(trial.params)
        excess = ALL[architecture].latency_ms / MIDDLE.bounds["latency_ms"] - 1
        assert trial.constraints == pytest.approx({"latency_ms": excess})
        assert (excess > 0) == (trial.user_attrs["outcome"] == "over budget")
        assert trial.values[1:] == pytest.approx([ALL[architecture].latency_ms, ALL[architecture].energy_mj])
        assert set(trial.params) == {gene.name for gene in SPACE.genes}


def test_a_small_space_is_searched_to_its_end_and_gives_the_true_front() -> None:
    search = search_with(HALF, sampler="random")
    search.run(trials=10_000, jobs=1, advance=ignore)
    worth = {  # the more the better, each of them
        one: (accuracy_of(one), -found.latency_ms, -found.energy_mj)
        for one, found in ALL.items()
        if found.latency_ms <= MIDDLE.bounds["latency_ms"]
    }

    def dominated(one: Architecture) -> bool:
        return any(
            other != worth[one] and all(a >= b for a, b in zip(other, worth[one], strict=True))
            for other in worth.values()
        )

    assert set(search.evaluated) == set(worth)
    found = {one.architecture for one in non_dominated(tuple(search.evaluated.values()))}
    assert found == {one for one in worth if not dominated(one)}
    assert 1 < len(found) < len(worth)


def test_an_error_in_one_job_stops_the_others() -> None:
    asked: list[Architecture] = []

    def fails_once(architecture: Architecture) -> float:
        asked.append(architecture)
        if len(asked) == 2:
            raise InputError("no memory left")
        return accuracy_of(architecture)

    with pytest.raises(InputError, match="no memory left"):
        search_with(OPEN, fails_once).run(trials=len(ALL), jobs=2, advance=ignore)
    assert len(asked) < len(ALL) / 2, "the other job went on"


def test_a_study_that_was_asked_something_else_is_refused() -> None:
    storage = InMemoryStorage()
    open_study(storage, "demo", "one")
    open_study(storage, "demo", "one")
    open_study(storage, "other", "two")
    with pytest.raises(InputError, match="study 'demo' that was asked something else"):
        open_study(storage, "demo", "two")
    optuna.create_study(storage=storage, study_name="theirs").enqueue_trial({"x": 1})
    with pytest.raises(InputError, match="study 'theirs' that was asked something else"):
        open_study(storage, "theirs", "two")


@pytest.mark.parametrize("sampler", ["nsga2", "tpe", "random"])
def test_a_search_that_was_stopped_goes_on_as_if_it_had_not(sampler: str, tmp_path: Path) -> None:
    class Killed(Exception):  # noqa: N818 - stands for a kill
        pass

    whole = search_with(HALF, sampler=sampler)
    whole.run(trials=16, jobs=1, advance=ignore)
    storage, left = journal_storage(tmp_path / "study.journal"), iter(range(100))

    def dies(architecture: Architecture) -> float:
        if next(left) == 7:
            raise Killed
        return accuracy_of(architecture)

    with pytest.raises(Killed):
        search_with(HALF, dies, sampler, storage).run(trials=16, jobs=1, advance=ignore)
    again = search_with(HALF, sampler=sampler, storage=journal_storage(tmp_path / "study.journal"))
    assert len(again.evaluated) == 7, "no finished trial is lost"
    again.run(trials=16, jobs=1, advance=ignore)
    assert list(again.evaluated.items()) == list(whole.evaluated.items())


def test_several_jobs_evaluate_each_architecture_once() -> None:
    asked: Counter[Architecture] = Counter()

    def evaluate(architecture: Architecture) -> float:
        asked[architecture] += 1
        return accuracy_of(architecture)

    search = search_with(OPEN, evaluate)
    search.run(trials=30, jobs=3, advance=ignore)
    assert set(asked.values()) == {1}
    assert len(asked) == len(search.evaluated) == 30


def test_a_seed_fixes_the_search_and_another_differs() -> None:
    found = []
    for seed in (1, 1, 2):
        search = search_with(OPEN, seed=seed)
        search.run(trials=15, jobs=1, advance=ignore)
        found.append(list(search.evaluated))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_an_unknown_sampler_is_told_the_known_ones() -> None:
    with pytest.raises(InputError, match="--sampler grid: no such sampler; use nsga2, tpe, gp, random"):
        sampler_of("grid", 0)


def test_nearest_finds_what_is_inside_the_budget() -> None:
    """Bounds so tight that only a handful of all networks keep them."""
    third = Budget(latency_ms=LATENCIES[2])
    near = nearest(Question(SPACE, DEVICE, third), seed=0)
    assert near[0].latency_ms <= LATENCIES[2]
    excess = [max(third.excess(one.costs).values()) for one in near]
    assert all(before <= after for before, after in pairwise(excess))


def test_a_device_that_cannot_run_all_of_a_space_is_told_before_anything_is_trained() -> None:
    """The smallest network has no attention, and the calibrated device knows none."""
    with pytest.raises(AnswerIsNo, match=r"can't run .*blocks.*: none of cpu computes a layer of kind"):
        nearest(Question(SPACE, Device.model_validate(calibrated()), Budget()), seed=0)


def test_the_only_network_there_is_is_the_nearest() -> None:
    space = SMALL["one network"]
    near = nearest(Question(space, DEVICE, Budget(latency_ms=1e-6)), seed=0)
    assert [one.architecture for one in near] == [space.smallest()]


def test_nearest_are_different_networks_and_the_least_of_all() -> None:
    near = nearest(Question(SPACE, DEVICE, Budget(latency_ms=1e-6)), seed=0)
    assert [one.latency_ms for one in near] == pytest.approx(LATENCIES[: len(near)])
    assert len({one.architecture for one in near}) == len(near) > 3


def test_the_budget_in_the_way_is_named() -> None:
    least = min(one.energy_mj for one in ALL.values())
    question = Question(SPACE, DEVICE, Budget(latency_ms=LATENCIES[-1], energy_mj=least / 2))
    reason = in_the_way(question, seed=0)
    assert reason.startswith("energy_mj: the bound is")
    assert f"{least:.4g}" in reason
    assert "latency_ms" not in reason
