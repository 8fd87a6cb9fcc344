"""`search`: data, space, device and budget in; a front out."""

import optuna
from optuna.storages import BaseStorage

from edge_search.batches import tensors_of
from edge_search.evaluation import Inherited
from edge_search.feasibility import in_the_way, nearest
from edge_search.front import non_dominated, picks_of
from edge_search.journal import journal_storage
from edge_search.lock import alone
from edge_search.request import Request, check_request, without_password, write_request
from edge_search.study import Question, Search, open_study
from edge_search.supernet import Supernet
from edge_search.supernet.checkpoint import Origin, entries_in
from edge_search.supernet.training import train_supernet
from edge_toolkit.console import note, progress
from edge_toolkit.data import Dataset
from edge_toolkit.errors import AnswerIsNo, InputError
from edge_toolkit.front import Candidate, Front, write_front
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import digest

MISSES = 3
"""Nearest misses that are told where nothing is inside the budget."""


def run_search(request: Request, dataset: Dataset, run: RunFolder) -> Front:
    """Run a search, or go on with one, and write its front.

    Args:
        request: what is asked; its space is bound to the data.
        dataset: training and validation splits; a search never sees the test split.
        run: where everything is kept.

    Returns:
        The front, also in `front.json`.

    Raises:
        AnswerIsNo: nothing in the space is inside the budget; told with the nearest misses.
        InputError: the folder holds another run, another process is at it, or the storage can't be opened.
    """
    question = Question(request.space, request.device, request.budget)
    near = nearest(question, request.seed)
    if request.budget.broken(near[0].costs):
        raise AnswerIsNo(_nothing_fits(request, question, near))
    with alone(run.path):
        check_request(run, request)
        study = open_study(_storage(request.storage, run), run.name, request.identity)
        write_request(run, request)  # after what a mistyped storage would stop, before what takes long
        supernet = trained_supernet(request.origin, dataset, run)
        judge = inherited(supernet, dataset, request.seed).accuracy
        search = Search(question, judge, study, request.sampler, request.seed, start=near[0].architecture)
        with progress("searching", request.trials, done=len(search.evaluated)) as advance:
            search.run(request.trials, request.jobs, advance)
        front = _front_of(request, run.name, tuple(search.evaluated.values()))
        write_front(run.front, front)
    if front.evaluated < request.trials:
        note(f"found {front.evaluated} networks inside the budget, of the {request.trials} asked for with --trials")
    return front


def _front_of(request: Request, name: str, evaluated: tuple[Candidate, ...]) -> Front:
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


def trained_supernet(origin: Origin, dataset: Dataset, run: RunFolder) -> Supernet:
    """The supernet of an origin, trained from where an earlier process left it.

    Args:
        origin: what decides its weights.
        dataset: its training split is used.
        run: where the checkpoint is kept.

    Raises:
        InputError: the checkpoint is damaged or of another origin.
    """
    supernet = Supernet(origin.space, origin.seed)
    train = tensors_of(dataset.train, dataset.normalisation, supernet.device)
    with progress("training the supernet", origin.recipe.epochs, len(entries_in(run.supernet))) as advance:
        train_supernet(supernet, train, origin, run.supernet, advance)
    return supernet


def inherited(supernet: Supernet, dataset: Dataset, seed: int) -> Inherited:
    """A supernet's subnets as models, judged on the validation split, or on some of it where it is streamed.

    Args:
        supernet: trained.
        dataset: its training split recalibrates.
        seed: fixes the samples that do.
    """
    splits = dataset.train, dataset.validation.some()  # decoded again for every subnet
    train, validation = (tensors_of(split, dataset.normalisation, supernet.device) for split in splits)
    return Inherited(supernet, train, validation, seed)


def _storage(url: str | None, run: RunFolder) -> BaseStorage:
    if url is None:
        return journal_storage(run.journal)
    try:
        return optuna.storages.get_storage(url)
    except Exception as error:  # whatever a database driver raises
        told = f"--storage {without_password(url)}: cannot be opened ({(str(error).splitlines() or [''])[0]})"
        raise InputError(f"{told}; give an Optuna storage URL") from error


def _nothing_fits(request: Request, question: Question, near: tuple[Candidate, ...]) -> str:
    misses = "\n".join(
        f"  - {digest(miss.architecture)}: {miss.latency_ms:.4g} ms, {miss.energy_mj:.4g} mJ, {miss.macs:,} MACs"
        for miss in near[:MISSES]
    )
    reason = in_the_way(question, request.seed)
    return (
        f"nothing in {request.space_name} is inside the budget on {request.device.name}: {reason}\n"
        f"nearest misses:\n{misses}\nloosen the bound that is in the way, or give a space with smaller networks"
    )
