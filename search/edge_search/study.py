"""The Optuna study: accuracy up, latency and energy down, budgets as constraints.

A proposal is costed first, which takes microseconds. One over the budget is told to Optuna with its constraints and
never pays for an accuracy evaluation; one seen before is answered from memory; what is new and inside the budget is
evaluated, and only that counts as a trial. All that a study knows is in its storage, so that a new process goes on
where another one was stopped.
"""

import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from threading import Event, Lock

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from edge_search.costs import tables_of
from edge_search.samplers import sampler_of
from edge_search.space import SearchSpace
from edge_toolkit.architecture import Architecture
from edge_toolkit.budget import Budget
from edge_toolkit.console import Advance
from edge_toolkit.device import Device
from edge_toolkit.errors import InputError
from edge_toolkit.front import Candidate
from edge_toolkit.layers import layers_of
from edge_toolkit.specs import digest

METRICS = ("accuracy", "latency_ms", "energy_mj")
PROPOSALS = 30
"""Proposals for each trial, on average, before a search gives up finding more inside the budget."""
STUCK = 10
"""Repeats in a row after which a proposal is drawn at random, so that a sampler that has converged goes on."""
NOT_EVALUATED = 0.0
"""What Optuna is told as the accuracy of a network over the budget. Constraints rank it below any that keeps it."""


@dataclass(frozen=True)
class Question:
    """What a search looks for: the best accuracy within `space` on `device` inside `budget`."""

    space: SearchSpace
    device: Device
    budget: Budget

    def costed(self, architecture: Architecture) -> Candidate:
        """An architecture with its cost, before its accuracy is known."""
        latency_ms, energy_mj = tables_of(self.space, self.device).cost(architecture)
        layers = layers_of(architecture)
        origin = {"accuracy": "none", "latency_ms": self.device.origin, "energy_mj": "modelled"}
        macs, parameters = int(layers.macs.sum()), int(layers.parameters.sum())
        return Candidate(architecture, NOT_EVALUATED, latency_ms, energy_mj, macs, parameters, origin)


class Search:
    """A study, and what it knows of architectures so far.

    Args:
        question: the space, bound to its data; the device; the budget.
        evaluate: accuracy of an architecture on the validation split; called once for each one inside the budget.
        study: from `open_study`; what it holds is taken up.
        sampler: a name of `edge_search.samplers.SAMPLERS`.
        seed: fixes the proposals, and with one job the whole search.
        start: the first proposal, best one inside the budget.
    """

    def __init__(
        self,
        question: Question,
        evaluate: Callable[[Architecture], float],
        study: optuna.Study,
        sampler: str,
        seed: int,
        start: Architecture,
    ) -> None:
        self.question = question
        self.evaluated: dict[Architecture, Candidate] = {}
        self.refused: dict[Architecture, Candidate] = {}
        self._evaluate = evaluate
        self._sampler = sampler
        self._seed = seed
        self._running: set[Architecture] = set()
        self._proposed = self._repeats = 0
        self._lock = Lock()
        self._study = study
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING:  # it was in hand when an earlier process was stopped
                self._study.tell(trial.number, state=TrialState.FAIL)
            elif trial.state == TrialState.COMPLETE:
                self._remember(trial)
        if not self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.WAITING)):
            self._study.enqueue_trial(question.space.values(start))

    def run(self, trials: int, jobs: int, advance: Advance) -> None:
        """Propose and evaluate until `trials` architectures have an accuracy, or no more are to be found.

        Args:
            trials: architectures to evaluate in all, those of earlier runs included.
            jobs: evaluations at a time.
            advance: called after each evaluation.
        """
        size = self.question.space.size()
        limit = PROPOSALS * max(trials, 20)

        stopped = Event()

        def work() -> None:
            while not stopped.is_set():
                with self._lock:
                    wanted = len(self.evaluated) + len(self._running) < trials
                    known = len(self.evaluated) + len(self.refused) + len(self._running)
                    if not wanted or known >= size or self._proposed >= limit:
                        return
                    proposal = self._propose()
                if proposal is not None:
                    self._judge(*proposal)
                    with self._lock:
                        advance(f"best {max(candidate.accuracy for candidate in self.evaluated.values()):.1%}")

        with ThreadPoolExecutor(jobs) as pool:
            workers = [pool.submit(work) for _ in range(jobs)]
            try:
                wait(workers, return_when=FIRST_EXCEPTION)
            finally:
                stopped.set()  # by an error in one of them, or Ctrl-C in here: the others end their evaluation
        for worker in workers:
            worker.result()

    def _propose(self) -> tuple[Trial, Candidate] | None:
        """Ask Optuna for an architecture; None where the answer is known without an evaluation."""
        name = "random" if self._repeats >= STUCK else self._sampler
        # A sampler of its own for each proposal: a resumed study draws what it would have drawn.
        self._study.sampler = sampler_of(name, self._seed * 1_000_003 + self._proposed)
        space = self.question.space
        trial = self._study.ask({gene.name: CategoricalDistribution(gene.choices) for gene in space.genes})
        self._proposed += 1
        candidate = self.question.costed(space.build(trial.params))
        if candidate.architecture in self._running:
            self._study.tell(trial, state=TrialState.FAIL)  # its answer is on the way in another thread
            return None
        for bound, excess in self.question.budget.excess(candidate.costs).items():
            trial.set_constraint(bound, excess)
        seen = self.evaluated.get(candidate.architecture)
        if self.question.budget.broken(candidate.costs):
            self._tell(trial, candidate, "over budget")
        elif seen is not None:
            self._tell(trial, seen, "repeat")
        else:
            self._running.add(candidate.architecture)
            return trial, candidate
        return None

    def _judge(self, trial: Trial, candidate: Candidate) -> None:
        accuracy = self._evaluate(candidate.architecture)
        with self._lock:
            self._running.remove(candidate.architecture)
            self._tell(trial, _with_accuracy(candidate, accuracy), "evaluated")

    def _tell(self, trial: Trial, candidate: Candidate, outcome: str) -> None:
        trial.set_user_attr("outcome", outcome)
        trial.set_user_attr("architecture", digest(candidate.architecture))
        trial.set_user_attr("macs", candidate.macs)
        trial.set_user_attr("parameters", candidate.parameters)
        self._study.tell(trial, (candidate.accuracy, candidate.latency_ms, candidate.energy_mj))
        self._keep(candidate, outcome)

    def _remember(self, trial: FrozenTrial) -> None:
        self._proposed += 1
        candidate = self.question.costed(self.question.space.build(trial.params))
        self._keep(_with_accuracy(candidate, trial.values[0]), trial.user_attrs["outcome"])

    def _keep(self, candidate: Candidate, outcome: str) -> None:
        known = candidate.architecture in self.evaluated or candidate.architecture in self.refused
        self._repeats = self._repeats + 1 if known else 0
        kept = self.refused if outcome == "over budget" else self.evaluated
        kept.setdefault(candidate.architecture, candidate)


def _with_accuracy(candidate: Candidate, accuracy: float) -> Candidate:
    return replace(candidate, accuracy=accuracy, origin={**candidate.origin, "accuracy": "inherited"})


def open_study(storage: BaseStorage, name: str, asked: str) -> optuna.Study:
    """The study of a name, made if the storage has none.

    Args:
        storage: any Optuna storage.
        name: of the study.
        asked: digest of all that decides its answers, kept with the study.

    Raises:
        InputError: the storage has a study of this name that was asked something else.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=storage, study_name=name, directions=["maximize", "minimize", "minimize"], load_if_exists=True
    )
    if not study.user_attrs and not study.get_trials(deepcopy=False):
        study.set_user_attr("asked", asked)
    if study.user_attrs.get("asked") != asked:
        raise InputError(
            f"the storage holds a study {name!r} that was asked something else, and its accuracies are no answers to "
            "this; use an --out of another name, or another --storage"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # naming the metrics is all that is experimental
        study.set_metric_names(list(METRICS))
    return study
