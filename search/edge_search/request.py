"""`Request`: all that a search was asked, resolved, and its file `run.yaml`."""

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import yaml
from pydantic import TypeAdapter

from edge_search.space import SearchSpace
from edge_search.supernet.checkpoint import Origin
from edge_search.supernet.recipe import SupernetRecipe, recipe_differences
from edge_toolkit.budget import Budget
from edge_toolkit.device import Device
from edge_toolkit.errors import InputError
from edge_toolkit.files import read_yaml, write_text
from edge_toolkit.runs import RunFolder
from edge_toolkit.specs import digest_of

FREE = ("trials", "jobs")
"""What the same run may be asked anew: to go on for longer, on more threads."""


@dataclass(frozen=True)
class Request:
    """All that a search was asked.

    `space` is bound to the data; `fingerprint` is the data's. Nothing outside it decides what a run finds, except the
    versions of the libraries.
    """

    data: str
    fingerprint: str
    space_name: str
    space: SearchSpace
    device: Device
    budget: Budget
    recipe: SupernetRecipe
    sampler: str
    seed: int
    storage: str | None
    trials: int
    jobs: int
    schema: Literal[1] = 1

    def __post_init__(self) -> None:
        counts = {"--trials": self.trials, "--jobs": self.jobs}
        problems = [f"{name} {value} must be at least 1" for name, value in counts.items() if value < 1]
        if problems:
            raise InputError.listing("search", problems)

    @property
    def origin(self) -> Origin:
        """What decides the shared weights."""
        return Origin(self.space, self.recipe, self.fingerprint, self.seed)

    @property
    def identity(self) -> str:
        """Digest of what decides a run's answers: all but how long it goes on, and where it is kept."""
        plain = {name: value for name, value in _plain(self).items() if name not in (*FREE, "storage")}
        return digest_of(plain)


def check_request(run: RunFolder, request: Request) -> None:
    """See that the run in the folder, if there is one, was asked the same.

    Raises:
        InputError: it was asked something else.
    """
    if run.request.is_file():
        earlier = read_request(run)
        same = replace(request, storage=without_password(request.storage))
        differs = [
            field.name
            for field in fields(Request)
            if field.name not in FREE and getattr(earlier, field.name) != getattr(same, field.name)
        ]
        if differs:
            was = [f"{name} was {_short(getattr(earlier, name))}" for name in differs if name != "recipe"]
            was += recipe_differences(*(each.recipe.model_dump(mode="json") for each in (earlier, same)))
            raise InputError(
                f"--out {run.path}: holds a run that was asked something else ({'; '.join(was)}); use another folder"
            )


def write_request(run: RunFolder, request: Request) -> None:
    """Write `run.yaml`, the password of its storage left out."""
    write_text(run.request, yaml.safe_dump(_plain(request), sort_keys=False, allow_unicode=True))


def read_request(run: RunFolder) -> Request:
    """What a run was asked.

    Raises:
        InputError: `run.yaml` is missing or breaks a rule.
    """
    return read_yaml(run.request, _ADAPTER)


def _plain(request: Request) -> dict[str, Any]:
    plain = asdict(request)
    plain["storage"] = without_password(request.storage)
    plain["space"] = request.space.model_dump(mode="json")
    plain["recipe"] = request.recipe.model_dump(mode="json")
    plain["device"] = request.device.model_dump(mode="json", by_alias=True)
    return plain


def without_password(url: str | None) -> str | None:
    """A storage URL as it may be shown and kept: without what stands before its host, and without its query."""
    if url is None or re.match(r"\w+:///", url):  # a file, which nobody logs in to
        return url
    return re.sub(r"\?.*", "?***", re.sub(r"^(\w[\w+]*://)?.*@", r"\1***@", url))


def _short(value: object) -> str:
    text = value.name if isinstance(value, Device) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_ADAPTER: TypeAdapter[Request] = TypeAdapter(Request)
