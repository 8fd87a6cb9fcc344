"""`SupernetRecipe`: how shared weights are trained, as a YAML file; its phases, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import isclose
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from edge_search.recipe import warm_cosine
from edge_toolkit.errors import InputError
from edge_toolkit.files import read_yaml

FOLDER = Path(__file__).parent / "recipes"

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(strict=True, ge=0)]


class Phase(BaseModel):
    """A stretch of training with one sampling of networks, and one warm-up and cosine of the learning rate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: Annotated[float, Field(gt=0, le=1)]
    learning_rate: Rate
    conv_rate: Share = 1.0
    warmup: Share = 0.1
    attention: Count | Literal["all"] = "all"
    attention_share: Share | None = None
    random_subnets: Count = 2
    labels: Share = 0.0


def _adding_up(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    total = sum(phase.share for phase in phases)
    if not isclose(total, 1, abs_tol=1e-6):
        raise ValueError(f"the shares of the phases add up to {total:g}; they must add up to 1")
    return phases


class SupernetRecipe(BaseModel):
    """How the shared weights of a space are trained.

    `recipes/single-phase.yaml` explains each name.

    Source: Yu et al., BigNAS, ECCV 2020 (sandwich rule, in-place distillation); Gong et al., NASViT, ICLR 2022,
    section 4 (projected gradients); Wang et al., AlphaNet, ICML 2021 (adaptive alpha-divergence).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: Annotated[int, Field(strict=True, ge=1)]
    batch: Annotated[int, Field(strict=True, ge=2)] = 64
    weight_decay: Annotated[float, Field(ge=0)] = 0.02
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    distillation: Literal["kl", "alpha"] = "kl"
    gradients: Literal["sum", "projected"] = "sum"
    plain_share: Share = 0.25
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    phases: Annotated[tuple[Phase, ...], Field(min_length=1), AfterValidator(_adding_up)]

    def at(self, step: int, steps: int) -> "Moment":
        """Where training stands at a step of `steps`."""
        ends = [round(share * steps) for share in accumulate(phase.share for phase in self.phases)]
        ends[-1] = steps  # whatever rounding says
        index = next(index for index, end in enumerate(ends) if step < end)
        start = ends[index - 1] if index else 0
        phase = self.phases[index]
        rate = phase.learning_rate * warm_cosine(step - start, ends[index] - start, phase.warmup)
        return Moment(index, phase, rate, step >= self.plain_share * steps)


@dataclass(frozen=True)
class Moment:
    """One step's place in a recipe: its phase, the rate, and whether the steps in which gradients are only added up are
    over."""

    index: int
    phase: Phase
    rate: float
    late: bool


def recipe_differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a recipe was and another is, for a reader: `its recipe had epochs 2, not 3`; phases are only said to differ.

    Args:
        was: the one, as its fields dump to JSON.
        now: the other.
    """
    return [
        "its recipe had other phases" if name == "phases" else f"its recipe had {name} {was.get(name)}, not {value}"
        for name, value in now.items()
        if was.get(name) != value
    ]


_RECIPE: TypeAdapter[SupernetRecipe] = TypeAdapter(SupernetRecipe)


def presets() -> tuple[str, ...]:
    """Names of the recipes that ship."""
    return tuple(sorted(entry.stem for entry in FOLDER.glob("*.yaml")))


def load_recipe(name_or_path: str, epochs: int | None = None) -> SupernetRecipe:
    """A recipe that ships, by its name, or the one in a YAML file.

    Args:
        name_or_path: of the recipe.
        epochs: in place of the recipe's own number.

    Raises:
        InputError: there is neither, or the file breaks a rule; every broken rule is told with its place.
    """
    if name_or_path not in presets() and not Path(name_or_path).exists():
        known = ", ".join(presets())
        raise InputError(
            f"recipe {name_or_path!r} is no built-in recipe and no file; use {known} or the path of a YAML file"
        )
    path = FOLDER / f"{name_or_path}.yaml" if name_or_path in presets() else Path(name_or_path)
    recipe = read_yaml(path, _RECIPE, name_or_path)
    if epochs is None:
        return recipe
    if epochs < 1:
        raise InputError(
            f"--supernet-epochs {epochs} must be at least 1; leave it out for the recipe's {recipe.epochs}"
        )
    return recipe.model_copy(update={"epochs": epochs})
