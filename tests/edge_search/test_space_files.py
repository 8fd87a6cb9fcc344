"""Spaces as files: those that ship, their rules, and what a broken file is told."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from edge_search.space import SearchSpace, load_space, presets
from edge_toolkit.architecture import Shape
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from tests.edge_search.spaces_for_tests import PLAIN, changed


def written(folder: Path, data: object) -> str:
    path = folder / "space.yaml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


# name, input, classes, more networks than, MMACs of the smallest at least, MMACs of the largest at most
SHIPPED = [
    ("image-s", (1, 64, 64), 10, 10**8, 0.4, 60),
    ("imu-s", (6, 1, 200), 7, 10**6, 0.15, 6.5),
    ("xr-vision", (3, 224, 224), 1000, 10**12, 100, 800),
]


@pytest.mark.parametrize(("name", "shape", "classes", "networks", "least", "most"), SHIPPED)
def test_what_ships_is_as_large_as_it_says(
    name: str, shape: tuple[int, ...], classes: int, networks: int, least: float, most: float
) -> None:
    space = load_space(name)
    assert (space.input, space.classes) == (shape, classes)
    assert space.size() > networks
    smallest, largest = layers_of(space.smallest()), layers_of(space.largest())
    assert least * 1e6 <= smallest.macs.sum() < largest.macs.sum() <= most * 1e6
    assert smallest.parameters.sum() >= 6000
    kinds = {block.block.kind for architecture in (space.smallest(), space.largest()) for block in architecture.blocks}
    assert kinds == {"mbconv", "attention"}


def test_each_preset_is_held_to_figures() -> None:
    assert presets() == tuple(name for name, *_ in SHIPPED)


@pytest.mark.parametrize("name", presets())
def test_each_preset_opens_with_a_comment_and_describes_itself(name: str) -> None:
    text = (Path(__file__).parents[2] / "search/edge_search/spaces" / f"{name}.yaml").read_text()
    assert text.startswith(f"# {name}: ")
    assert load_space(name).description


@pytest.mark.parametrize("name", presets())
def test_a_space_written_down_is_the_same_space(name: str, tmp_path: Path) -> None:
    space = load_space(name).for_data(load_space(name).input, 5)
    assert load_space(written(tmp_path, space.model_dump(mode="json"))) == space


def test_unknown_names_are_told_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        load_space("imu")
    assert str(caught.value) == (
        "space 'imu' is no built-in space and no file; use image-s, imu-s, xr-vision or the path of a YAML file"
    )


STAGE: dict[str, Any] = PLAIN["stages"][0]
NO_ATTENTION = {key: STAGE[key] for key in ("width", "depth", "stride", "kernel", "expand")} | {"blocks": ["mbconv"]}

BROKEN: list[tuple[tuple[str, object], str]] = [
    (("classes", 1), "classes: Input should be greater than or equal to 2, but got 1"),
    (("classes", "3"), "classes: Input should be a valid integer, but got '3'"),
    (("input", [2, 32]), "input[2]: is missing"),
    (("input", [2, 0, 32]), "input[1]: Input should be greater than or equal to 1, but got 0"),
    (("inputs", 1), "inputs: is no name that belongs here; remove it, or see to its spelling"),
    (("stages", []), "stages: is empty; a space has at least one stage"),
    (("stem.width", 8), "stem.width: 8 is not a list of choices; write [8]"),
    (("stem.width", []), "stem.width: is empty; list at least one choice"),
    (("stem.width", [8, 4]), "stem.width: [8, 4] must ascend without repeats; write [4, 8]"),
    (("stem.width", [4, 4]), "stem.width: [4, 4] must ascend without repeats; write [4]"),
    (("stem.width", [4, True]), "stem.width[1]: Input should be a valid integer, but got True"),
    (("stem.kernel", 4), "stem.kernel: 4 must be odd, so that padding is symmetric; use 3 or 5"),
    (("stages.0.kernel", [3, 4]), "stages[0].kernel[1]: 4 must be odd, so that padding is symmetric; use 3 or 5"),
    (("stages.0.kernal", [3]), "stages[0].kernal: is no name that belongs here; remove it, or see to its spelling"),
    (("stages.0.stride", 0), "stages[0].stride: Input should be greater than or equal to 1, but got 0"),
    (("stages.0.blocks", []), "stages[0].blocks: is empty; list mbconv, attention or both"),
    (("stages.0.blocks", ["conv"]), "stages[0].blocks[0]: Input should be 'mbconv' or 'attention', but got 'conv'"),
    (
        ("stages.0.blocks", ["mbconv", "mbconv"]),
        "stages[0].blocks: ['mbconv', 'mbconv'] names a kind twice; write ['mbconv']",
    ),
    (
        ("stages.0.depth", [1]),
        "stages[0].depth: [1] leaves no place for attention behind the opening MBConv; allow a depth of 2 or drop it",
    ),
    (
        ("stages.0.head_dim", [3, 8]),
        "stages[0].head_dim: 3 does not divide width 8, 3 does not divide width 16; every head_dim divides every "
        "width of its stage",
    ),
    (
        ("stages.0.head_dim", []),
        "stages[0].head_dim: is missing, and blocks allows attention; list at least one choice",
    ),
    (("stages.0.mlp_ratio", [2, 1]), "stages[0].mlp_ratio: [2, 1] must ascend without repeats; write [1, 2]"),
    (
        ("stages.0.window", [0, 1]),
        "stages[0].window[1]: 1 would let each token see itself alone; use 0 for no window, or at least 2",
    ),
    (
        ("stages.0", {**NO_ATTENTION, "window": [0]}),
        "stages[0].window: [0] has no use, since blocks=['mbconv'] has no attention; drop one or add it",
    ),
    (
        ("resolution", [16, 32]),
        "resolution: [16, 32] holds for square images, and input=[2, 1, 32] is not one of those sizes; write input: "
        "[2, 32, 32] or drop resolution",
    ),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_broken_file_is_told_where(change: tuple[str, object], message: str, tmp_path: Path) -> None:
    path = written(tmp_path, changed(change))
    with pytest.raises(InputError) as caught:
        load_space(path)
    assert re.sub(r" \(line \d+\)", "", str(caught.value)) == f"{path}: {message}"


def test_each_problem_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(
        "input: [2, 1, 32]\nclasses: 1\nstem:\n  width: [4]\n  kernel: 4\nstages:\n"
        "  - {blocks: [mbconv], width: [8], depth: [1], stride: 2, kernel: [3], expand: [2]}\n"
        "  - blocks: [mbconv]\n    depth:\n      - 1\n      - 0\n    kernel: [3]\n    expand: [2]\n"
    )
    with pytest.raises(InputError) as caught:
        load_space(str(path))
    places = [line.split(": ")[0].strip(" -") for line in str(caught.value).splitlines()[1:]]
    # What is missing is told with the line of what lacks it.
    assert places == [
        "classes (line 2)",
        "stem.kernel (line 5)",
        "stages[1].width (line 8)",
        "stages[1].depth[1] (line 11)",
    ]


@pytest.mark.parametrize("text", ["input: [1]\nclasses: 3\ninput: [2]\n", "stem: {width: [4], width: [8]}\n"])
def test_a_name_that_stands_twice_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(
        InputError, match=r"space\.yaml: is not YAML \('(input|width)' stands twice in one mapping .*line"
    ):
        load_space(str(path))


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    stage = {**NO_ATTENTION, "blocks": ["mbconv", "attention"], "kernel": [2]}
    with pytest.raises(InputError) as caught:
        load_space(written(tmp_path, changed(("stem.width", []), ("stages.0", stage), ("head", {"widht": 3}))))
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("space.yaml: 6 problems")
    assert [line.split(" (line")[0] for line in lines[1:]] == [
        "  - stem.width",
        "  - stages[0].kernel[0]",
        "  - stages[0].head_dim",
        "  - stages[0].mlp_ratio",
        "  - stages[0].window",
        "  - head.widht",
    ]


@pytest.mark.parametrize("text", ["", "[1, 2]", "three"])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"space\.yaml: must be a mapping of names to values"):
        load_space(str(path))


def test_a_space_for_data() -> None:
    sequences = load_space("imu-s").for_data((3, 1, 128), 4)
    assert (sequences.inputs, sequences.classes) == (((3, 1, 128),), 4)
    assert sequences.sample(np.random.default_rng(0)).input == (3, 1, 128)


@pytest.mark.parametrize(
    ("shape", "sides"),
    [((3, 28, 28), (24, 28)), ((3, 40, 36), (24, 28, 32)), ((1, 99, 64), (24, 28, 32, 48, 64)), ((1, 8, 8), (24,))],
)
def test_images_are_not_enlarged(shape: Shape, sides: tuple[int, ...]) -> None:
    images = load_space("image-s").for_data(shape, 4)
    assert images.inputs == tuple((shape[0], side, side) for side in sides)
    assert images.largest().head.classes == 4


def test_what_is_derived_follows_the_data() -> None:
    space = SearchSpace.model_validate(PLAIN)
    short = space.for_data((2, 1, 4), 3)
    assert space.size() == 88
    assert short.size() < space.size()  # on one point, kernels and windows make no difference


def test_a_sequence_does_not_fit_a_space_of_images() -> None:
    with pytest.raises(InputError) as caught:
        load_space("image-s").for_data((6, 1, 200), 7)
    assert str(caught.value) == (
        "data of shape [6, 1, 200] is a sequence, and the space resizes images to [24, 28, 32, 48, 64]; use a space "
        "without `resolution`, such as imu-s"
    )
