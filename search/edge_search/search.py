"""`search`: data, space, device and budget in; a front out."""

from collections.abc import Callable

import optuna
from optuna.storages import BaseStorage

from edge_search.batches import tensors_of
from edge_search.evaluation import accuracy, calibration_samples, inherited_model
from edge_search.feasibility import in_the_way, nearest
from edge_search.front import non_dominated, picks_of
from edge_search.journal import journal_storage
from edge_search.request import Request, keep_request
from edge_search.study import Question, Search
from edge_search.supernet import Supernet
from edge_search.supernet_training import load_checkpoint, train_supernet
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import note, progress
from edge_toolkit.data import Dataset
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.front import Candidate, Front, write_front
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import digest

MISSES = 3
"""Nearest misses that are told where nothing is inside the budget."""


def search(request: Request, dataset: Dataset, run: RunFolder) -> Front:
    """Run a search, or go on with one, and write its front.

    Args:
        request: what is asked; its space is bound to the data.
        dataset: training and validation splits; a search never sees the test split.
        run: where everything is kept.

    Returns:
        The front, also in `front.json`.

    Raises:
        AnswerIsNo: nothing in the space is inside the budget; told with the nearest misses.
        InputError: the folder holds another run, or the storage can't be opened.
    """
    question = Question(request.space, request.device, request.budget)
    near = nearest(question, request.seed)
    if request.budget.broken(near[0].costs):
        raise AnswerIsNo(_nothing_fits(request, question, near))
    keep_request(run, request)
    supernet = trained_supernet(request, dataset, run)
    study = Search(
        question,
        inherited_accuracy(supernet, dataset, request.seed),
        request.sampler,
        request.seed,
        _storage(request.storage, run),
        run.name,
        start=near[0].architecture,
    )
    with progress("searching", request.trials, done=len(study.evaluated)) as advance:
        study.run(request.trials, request.jobs, advance)
    if len(study.evaluated) < request.trials:
        note(
            f"found {len(study.evaluated)} networks inside the budget, of the {request.trials} asked for with --trials"
        )
    front = front_of(request, run.name, tuple(study.evaluated.values()))
    write_front(run.front, front)
    return front


def front_of(request: Request, name: str, evaluated: tuple[Candidate, ...]) -> Front:
    """The front of what a run evaluated."""
    candidates = non_dominated(evaluated)
    return Front(
        run=name,
        data=request.data,
        space=request.space_name,
        device=request.device.name,
        budget=request.budget,
        candidates=candidates,
        picks=picks_of(candidates),
        evaluated=len(evaluated),
    )


def trained_supernet(request: Request, dataset: Dataset, run: RunFolder) -> Supernet:
    """The run's supernet, trained from where an earlier process left it.

    Raises:
        InputError: the run's checkpoint is damaged or another space's.
    """
    supernet = Supernet(request.space, request.seed)
    done = load_checkpoint(run.supernet, supernet)
    if done < request.recipe.epochs:
        train = tensors_of(dataset.train, dataset.normalisation)
        with progress("training the supernet", request.recipe.epochs, done) as advance:
            train_supernet(supernet, train, request.recipe, request.seed, run.supernet, advance)
    return supernet


def inherited_accuracy(supernet: Supernet, dataset: Dataset, seed: int) -> Callable[[Architecture], float]:
    """What judges a subnet: its accuracy on the validation split, with statistics of its own.

    Args:
        supernet: trained.
        dataset: its training split recalibrates.
        seed: fixes the samples that recalibrate, the same ones for every subnet.
    """
    validation = tensors_of(dataset.validation, dataset.normalisation)
    samples = calibration_samples(tensors_of(dataset.train, dataset.normalisation), seed)

    def judge(architecture: Architecture) -> float:
        return accuracy(inherited_model(supernet, architecture, samples), validation, architecture.input)

    return judge


def _storage(url: str | None, run: RunFolder) -> BaseStorage:
    if url is None:
        return journal_storage(run.journal)
    try:
        return optuna.storages.get_storage(url)
    except Exception as error:  # whatever a database driver raises
        reason = str(error).splitlines()[0]
        raise InputError(f"--storage {url}: cannot be opened ({reason}); give an Optuna storage URL") from error


def _nothing_fits(request: Request, question: Question, near: tuple[Candidate, ...]) -> str:
    misses = "\n".join(
        f"  - {digest(miss.architecture)}: {miss.latency_ms:.4g} ms, {miss.energy_mj:.4g} mJ, {miss.macs:,} MACs"
        for miss in near[:MISSES]
    )
    return (
        f"nothing in {request.space_name} is inside the budget on {request.device.name}: {in_the_way(question, near)}\n"
        f"nearest misses:\n{misses}\nloosen the bound that is in the way, or give a space with smaller networks"
    )
