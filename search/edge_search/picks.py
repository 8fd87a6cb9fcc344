"""`train`: a pick of a front, or its LSTM baseline, trained alone and written as a model folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from torch import nn

from edge_search.batches import tensors_of
from edge_search.evaluation import accuracy
from edge_search.recipe import Recipe
from edge_search.request import Request, read_request
from edge_search.search import inherited, trained_supernet
from edge_search.supernet.parallel import training_device
from edge_search.training import fit, untrained
from edge_toolkit.architecture import Architecture
from edge_toolkit.console import progress
from edge_toolkit.data import Dataset, load_dataset, load_test
from edge_toolkit.errors import InputError
from edge_toolkit.front import read_front
from edge_toolkit.matching import Match, matched_lstm
from edge_toolkit.model_folder import Model, Preprocessing, Training, read_model, write_model
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec


def train_pick(run: RunFolder, pick: str, recipe: Recipe, from_scratch: bool, seed: int) -> tuple[Path, Model]:
    """Train a pick of a run's front and write its model folder.

    Args:
        run: holds a front, and the supernet it came from.
        pick: a name or an index of the front.
        recipe: epochs, batch size, learning rate.
        from_scratch: start from random weights, not from the supernet's.
        seed: fixes initial weights, order and augmentation.

    Raises:
        InputError: there is no such run or pick, or its data changed since the search.
    """
    request, architecture, dataset = _picked(run, pick)
    if from_scratch:
        network, start = untrained(architecture, seed), "scratch"
    else:
        network, start = _inherited_model(request, architecture, dataset, run), "supernet"
    model = trained(architecture, network, start, dataset, recipe, seed)
    write_model(run.model(pick), model)
    return run.model(pick), model


def extract_pick(run: RunFolder, pick: str) -> tuple[Path, Model]:
    """Write a pick with the weights that it inherits, and statistics of its own, as the model folder `PICK-inherited`.

    Args:
        run: holds a front, and the supernet it came from.
        pick: a name or an index of the front.

    Raises:
        InputError: there is no such run or pick, or its data changed since the search.
    """
    request, architecture, dataset = _picked(run, pick)
    network = _inherited_model(request, architecture, dataset, run)
    model = judged(architecture, network, Record("supernet", 0, request.seed), dataset)
    folder = run.model(f"{pick}-inherited")
    write_model(folder, model)
    return folder, model


def _picked(run: RunFolder, pick: str) -> tuple[Request, Architecture, Dataset]:
    request = read_request(run)
    architecture = read_front(run.front).pick(pick).architecture
    dataset = load_dataset(request.data)
    if dataset.fingerprint != request.fingerprint:
        raise InputError(f"{request.data}: the data are not those that {run.path} was searched with; search again")
    return request, architecture, dataset


def _inherited_model(request: Request, architecture: Architecture, dataset: Dataset, run: RunFolder) -> nn.Module:
    supernet = trained_supernet(request.origin, dataset, run)
    return inherited(supernet, dataset, request.seed).model(architecture)


def train_baseline(like: Path, match: Match, recipe: Recipe, seed: int) -> tuple[Path, Model]:
    """Train the LSTM of equal size beside a model, from scratch, and write its folder.

    That is `LIKE-lstm`, which `export` ships beside the model, or `LIKE-lstm-macs` for one of equal MACs.

    Args:
        like: the folder of a hybrid model.
        match: what is made equal, parameters or macs.
        recipe: epochs, batch size, learning rate.
        seed: fixes initial weights, order and augmentation.

    Raises:
        InputError: `like` is no model folder of a hybrid, or its data changed since.
    """
    twin = read_model(like)
    if not isinstance(twin.spec, Architecture):
        raise InputError(f"--like {like}: is a baseline itself; give the folder of a hybrid model")
    dataset = load_dataset(twin.preprocessing.data)
    if dataset.fingerprint != twin.preprocessing.fingerprint:
        raise InputError(
            f"{twin.preprocessing.data}: the data are not those that {like} was trained on; train it again"
        )
    spec = matched_lstm(twin.spec, match)
    model = trained(spec, untrained(spec, seed), "scratch", dataset, recipe, seed)
    folder = like.with_name(f"{like.name}-lstm" if match == "parameters" else f"{like.name}-lstm-{match}")
    write_model(folder, model)
    return folder, model


def trained(spec: ModelSpec, network: nn.Module, start: str, dataset: Dataset, recipe: Recipe, seed: int) -> Model:
    """Train a network and judge it: on validation after every epoch, on the test split once, at the end.

    Args:
        spec: what `network` is.
        network: trained in place.
        start: where its weights come from, for the record.
        dataset: training and validation splits.
        recipe: epochs, batch size, learning rate.
        seed: fixes order and augmentation.
    """
    device = training_device()
    train, validation = (
        tensors_of(split, dataset.normalisation, device) for split in (dataset.train, dataset.validation)
    )
    network.to(device)
    begun = perf_counter()
    with progress("training", recipe.epochs) as advance:
        history = fit(network, spec.input, train, validation, recipe, seed, advance)
    return judged(spec, network, Record(start, recipe.epochs, seed, perf_counter() - begun, history), dataset)


@dataclass(frozen=True)
class Record:
    """How a network came to its weights, as `edge_toolkit.model_folder.Training` has it."""

    start: str
    epochs: int
    seed: int
    seconds: float = 0.0
    history: tuple[Mapping[str, float], ...] = ()


def judged(spec: ModelSpec, network: nn.Module, record: Record, dataset: Dataset) -> Model:
    """A network as a model for its folder, judged on validation and, this once, on the test split.

    Args:
        spec: what `network` is.
        network: in evaluation mode.
        record: how it was trained.
        dataset: what it was trained on.
    """
    test = load_test(dataset.name)
    validation, unseen = (
        accuracy(network, tensors_of(split, dataset.normalisation, training_device()), spec.input)
        for split in (dataset.validation, test)
    )
    return Model(
        spec=spec,
        weights={name: tensor.numpy(force=True) for name, tensor in network.state_dict().items()},
        preprocessing=Preprocessing(dataset.name, dataset.fingerprint, dataset.normalisation, dataset.labels),
        training=Training(
            start=record.start,
            epochs=record.epochs,
            seed=record.seed,
            validation_accuracy=validation,
            test_accuracy=unseen,
            seconds=record.seconds,
            history=record.history,
        ),
    )
