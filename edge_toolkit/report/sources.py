"""`Evidence`: all that a run's files say, read once and checked where it enters."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from edge_toolkit.budget import Budget
from edge_toolkit.device import Device
from edge_toolkit.errors import InputError
from edge_toolkit.files import checked, read_json, read_yaml
from edge_toolkit.front import PICKS, Candidate, Front, read_front
from edge_toolkit.measured import Measured, Measurement, read_measured
from edge_toolkit.model_folder import Training
from edge_toolkit.profile import Profile, read_profile
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import ModelSpec, digest, read_spec


@dataclass(frozen=True)
class Asked:
    """What a search was asked (`run.yaml`), as far as the page shows it."""

    data: str
    fingerprint: str
    space_name: str
    space: Mapping[str, Any]
    device: Device
    budget: Budget
    recipe: Mapping[str, Any]
    sampler: str
    seed: int
    trials: int
    jobs: int


@dataclass(frozen=True)
class Trained:
    """A model folder without its weights."""

    name: str
    spec: ModelSpec
    training: Training


@dataclass(frozen=True)
class Accuracy:
    """Shares of the validation and the test split."""

    validation: float
    test: float


@dataclass(frozen=True)
class Parity:
    """How near the runtimes come to torch: largest relative errors, and the test samples that each names rightly."""

    samples: int
    bound: float
    errors: Mapping[str, float]
    right: Mapping[str, int]


@dataclass(frozen=True)
class Shipped:
    """What a bundle's manifest says, as far as the page shows it."""

    digest: str
    accuracy: Accuracy | None
    parity: Parity
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Evidence:
    """What a run's files say about it; None stands for a file that is not there yet.

    `pick` names the candidate that the page is about. `models` holds the pick first, its LSTM next, then the others.
    """

    run: RunFolder
    asked: Asked
    front: Front | None
    measured: Measured | None
    pick: str
    models: tuple[Trained, ...]
    bundle: Shipped | None
    profile: Profile | None

    @property
    def lstm_name(self) -> str:
        """Where `train --baseline lstm` puts the pick's LSTM."""
        return f"{self.pick}-lstm"

    def model(self, name: str) -> Trained | None:
        """The trained model of a name."""
        return next((model for model in self.models if model.name == name), None)

    @property
    def candidate(self) -> Candidate | None:
        """The pick in the front."""
        if self.front is None:
            return None
        try:
            return self.front.pick(self.pick)
        except InputError:  # a model folder may have any name
            return None

    @property
    def spec(self) -> ModelSpec | None:
        """The pick's network: the trained one, else the front's."""
        trained, candidate = self.model(self.pick), self.candidate
        return trained.spec if trained else candidate.architecture if candidate else None

    def measurement(self, candidate: Candidate) -> Measurement | None:
        """What `measure` saw of a candidate."""
        return self.measured.candidates.get(digest(candidate.architecture)) if self.measured else None


def read_evidence(run: RunFolder) -> Evidence:
    """Read a run's files.

    Raises:
        InputError: a file that is there breaks a rule.
    """
    models = {model.name: model for model in _models(run.path / "models")}
    pick = _pick(run, models)
    manifest, profile = run.bundle(pick) / "manifest.json", run.profile(pick)
    first = [name for name in (pick, f"{pick}-lstm") if name in models]
    return Evidence(
        run=run,
        asked=read_yaml(run.request, _ASKED),
        front=read_front(run.front) if run.front.is_file() else None,
        measured=read_measured(run.measured) if run.measured.is_file() else None,
        pick=pick,
        models=tuple(models[name] for name in dict.fromkeys((*first, *models))),
        bundle=checked(_SHIPPED, read_json(manifest), str(manifest)) if manifest.is_file() else None,
        profile=read_profile(profile) if profile.is_file() else None,
    )


def _models(folder: Path) -> list[Trained]:
    # A folder's spec is written last, so one without it is still being written.
    specs = sorted(folder.glob("*/architecture.json"))
    return [_trained(spec.parent) for spec in specs]


def _trained(folder: Path) -> Trained:
    training = folder / "training.json"
    return Trained(
        name=folder.name,
        spec=read_spec(folder / "architecture.json"),
        training=checked(_TRAINING, read_json(training), str(training)),
    )


def _pick(run: RunFolder, models: Mapping[str, Trained]) -> str:
    """The candidate that the page is about: the one that came furthest, the knee before others."""
    names = [name for name, model in models.items() if model.spec.kind == "hybrid"] or [PICKS[0]]

    def rank(name: str) -> tuple[bool, bool, int]:
        order = PICKS.index(name) if name in PICKS else len(PICKS)
        return not run.profile(name).is_file(), not (run.bundle(name) / "manifest.json").is_file(), order

    return min(names, key=rank)


_ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)
_TRAINING: TypeAdapter[Training] = TypeAdapter(Training)
_SHIPPED: TypeAdapter[Shipped] = TypeAdapter(Shipped)
