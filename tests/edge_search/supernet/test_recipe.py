"""Recipes: the files that ship, broken ones, and where a step stands."""

from pathlib import Path

import pytest
import torch
import yaml

from edge_search.recipe import warm_cosine
from edge_search.supernet.recipe import FOLDER, Phase, SupernetRecipe, load_recipe, presets
from edge_toolkit.errors import InputError
from tests.edge_search.supernet.toys import recipe


def test_the_recipes_that_ship_load_and_take_another_number_of_epochs() -> None:
    assert {"labels", "projected", "single-phase", "two-phase"} <= set(presets())
    for name in presets():
        assert load_recipe(name, epochs=3).epochs == 3


def test_the_first_recipe_explains_every_name_and_default() -> None:
    """A default stands behind its name, before the words that explain it; no default is a gap."""
    lines = [line for line in (FOLDER / "single-phase.yaml").read_text().splitlines() if line.startswith("#   ")]
    told = {line[1:23].split()[0]: line[1:26].split()[1:] for line in lines if line[1:23].strip()}
    fields = {**SupernetRecipe.model_fields, **Phase.model_fields}
    assert told.keys() == fields.keys()
    for name, field in fields.items():
        default = (
            []
            if field.is_required() or field.default is None
            else [f"{field.default:g}" if isinstance(field.default, float) else str(field.default)]
        )
        assert told[name] == default, name


def test_two_phases_begin_without_attention_and_end_with_all() -> None:
    phases = load_recipe("two-phase").phases
    assert phases[0].attention == 0
    assert phases[-1].attention == "all"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"phases": []}, "phases"),
        ({"phases": [{"share": 0.5, "learning_rate": 1e-3}]}, "add up to 0.5; they must add up to 1"),
        ({"epochs": 0}, "epochs (line "),
        ({"distilation": "kl"}, "distilation (line 5): is no name that belongs here"),
        ({"gradients": "clipped"}, "gradients"),
        ({"phases": [{"share": 1, "learning_rate": 0}]}, "phases[0].learning_rate"),
    ],
)
def test_a_broken_recipe_is_told_with_its_place(tmp_path: Path, change: dict[str, object], told: str) -> None:
    whole = {"epochs": 2, "phases": [{"share": 1, "learning_rate": 1e-3}], **change}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(whole, sort_keys=False))
    with pytest.raises(InputError) as error:
        load_recipe(str(path))
    assert told in str(error.value)


def test_an_unknown_recipe_names_those_that_ship() -> None:
    with pytest.raises(
        InputError, match="no built-in recipe and no file; use labels, projected, single-phase, two-phase"
    ):
        load_recipe("three-phase")


def test_each_phase_has_a_warm_up_and_a_cosine_of_its_own() -> None:
    how = recipe(
        1, {"share": 0.25, "learning_rate": 1.0}, {"share": 0.75, "learning_rate": 0.1, "warmup": 0.0}, plain_share=0.5
    )
    moments = [how.at(step, 40) for step in range(40)]
    assert [moment.index for moment in moments] == [0] * 10 + [1] * 30
    assert moments[0].rate == moments[1].rate == 1.0, "a warm-up of one step, and the top of the cosine"
    assert moments[10].rate == pytest.approx(0.1)
    assert [moment.rate for moment in moments[10:]] == sorted((m.rate for m in moments[10:]), reverse=True)
    assert [moment.late for moment in moments] == [False] * 20 + [True] * 20


def test_every_step_has_a_phase_whatever_the_rounding() -> None:
    how = recipe(1, *({"share": 1 / 3, "learning_rate": 1e-3} for _ in range(3)))
    for steps in range(1, 50):
        indices = [how.at(step, steps).index for step in range(steps)]
        assert indices == sorted(indices)


def test_the_rate_is_torchs_warm_up_and_cosine() -> None:
    steps, warm = 50, 10
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warm, 1.0, warm - 1),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warm),
        ],
        [warm],
    )
    for step in range(steps):
        assert warm_cosine(step, steps, warm / steps) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
