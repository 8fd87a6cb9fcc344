"""`Architecture`: its canonical form, its rules, and its JSON form."""

import hashlib
import json
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_toolkit.architecture import Architecture, Attention, Block, Head, MBConv, Shape, Stage, Stem, canonical_block
from edge_toolkit.errors import InputError
from edge_toolkit.specs import digest, read_spec, spec_from_json, spec_to_json
from tests.strategies import architectures


def network(
    shape: Shape = (6, 1, 48), stem: Stem | None = None, stages: tuple[Stage, ...] | None = None
) -> Architecture:
    return Architecture(shape, stem or Stem(8), stages or (Stage(8, 1, (MBConv(), Attention(head_dim=4))),), Head(7))


CANONICAL: list[tuple[Shape, Block, Block]] = [
    # A window that covers the grid is none; one that cuts it alike is the smallest that does.
    ((8, 1, 24), Attention(8, window=24), Attention(8, window=0)),
    ((8, 1, 24), Attention(8, window=99), Attention(8, window=0)),
    ((8, 1, 24), Attention(8, window=23), Attention(8, window=12)),
    ((8, 1, 24), Attention(8, window=13), Attention(8, window=12)),
    ((8, 1, 24), Attention(8, window=12), Attention(8, window=12)),
    ((8, 1, 25), Attention(8, window=10), Attention(8, window=9)),
    ((8, 4, 8), Attention(8, window=8), Attention(8, window=0)),
    ((8, 4, 8), Attention(8, window=7), Attention(8, window=4)),
    ((8, 1, 1), Attention(8, window=1), Attention(8, window=0)),
    ((8, 1, 24), Attention(8, window=0), Attention(8, window=0)),
    # A kernel is no larger than its grid, along the longer axis, and odd.
    ((8, 1, 3), MBConv(kernel=7), MBConv(kernel=3)),
    ((8, 1, 6), MBConv(kernel=7), MBConv(kernel=5)),
    ((8, 1, 7), MBConv(kernel=7), MBConv(kernel=7)),
    ((8, 2, 5), MBConv(kernel=7), MBConv(kernel=5)),
    ((8, 1, 1), MBConv(kernel=5), MBConv(kernel=1)),
]


@pytest.mark.parametrize(("shape", "block", "canonical"), CANONICAL)
def test_canonical_block(shape: Shape, block: Block, canonical: Block) -> None:
    assert canonical_block(block, shape) == canonical


TWO_SPELLINGS = {
    "window 12 or 13 on 24 tokens": [
        network(stages=(Stage(8, 1, (MBConv(), Attention(4, window=window))),)) for window in (12, 13)
    ],
    "kernel 3 or 7 on 3 points": [
        network((6, 1, 6), stages=(Stage(8, 1, (MBConv(kernel=kernel),)),)) for kernel in (3, 7)
    ],
    "kernel 3 or 9 in the stem": [network((6, 1, 4), Stem(8, kernel=kernel)) for kernel in (3, 9)],
    "stem stride 4 or 9 on 4 points": [network((6, 1, 4), Stem(8, stride=stride)) for stride in (4, 9)],
    "stride 1 or 2 on a single point": [
        network((6, 1, 2), stages=(Stage(8, stride, (MBConv(),)),)) for stride in (1, 2)
    ],
}


@pytest.mark.parametrize("pair", TWO_SPELLINGS.values(), ids=TWO_SPELLINGS)
def test_two_spellings_are_one_network(pair: list[Architecture]) -> None:
    one, other = pair
    assert one == other
    assert len({one, other}) == 1
    assert digest(one) == digest(other)


def test_different_networks_differ() -> None:
    base = network()
    others = [
        network((6, 1, 50)),
        network(stem=Stem(8, stride=3)),
        network(stages=(Stage(8, 1, (MBConv(), Attention(head_dim=4, window=6))),)),
        network(stages=(Stage(8, 1, (MBConv(kernel=5), Attention(head_dim=4))),)),
        replace(base, head=Head(7, 16)),
    ]
    assert len({base, *others}) == 6
    assert len({digest(spec) for spec in (base, *others)}) == 6


@given(architectures())
def test_the_canonical_form_is_its_own(architecture: Architecture) -> None:
    again = Architecture(architecture.input, architecture.stem, architecture.stages, architecture.head)
    assert again == architecture


@given(architectures())
def test_shapes_join_from_block_to_block(architecture: Architecture) -> None:
    assert all(before.output == after.input for before, after in pairwise(architecture.blocks))
    assert architecture.features == architecture.blocks[-1].output
    assert [placed.block for placed in architecture.blocks] == [
        b for stage in architecture.stages for b in stage.blocks
    ]


def test_a_hand_walked_network() -> None:
    stages = (Stage(8, 1, (MBConv(),)), Stage(16, 2, (MBConv(), Attention(8))))
    placed = network((3, 17, 30), Stem(8, stride=2), stages).blocks
    assert [(block.name, block.input, block.output, block.stride) for block in placed] == [
        ("stages.0.blocks.0", (8, 9, 15), (8, 9, 15), 1),
        ("stages.1.blocks.0", (8, 9, 15), (16, 5, 8), 2),
        ("stages.1.blocks.1", (16, 5, 8), (16, 5, 8), 1),
    ]


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        network().input = (1, 1, 1)  # type: ignore[misc]


PROBLEMS = [
    ({"input": (0, 1, 8)}, "input channels=0 must be at least 1"),
    (
        {"stem": Stem(8, kernel=4)},
        "stem.kernel=4 must be odd and at least 1, so that padding is symmetric; use 3, 5, 7, ...",
    ),
    ({"stem": Stem(0)}, "stem.width=0 must be at least 1"),
    ({"stem": Stem(8, stride=0)}, "stem.stride=0 must be at least 1"),
    ({"head": Head(1)}, "head.classes=1 must be at least 2"),
    ({"head": Head(2, -1)}, "head.width=-1 must be at least 0"),
    ({"stages": ()}, "stages is empty; a network has at least one stage"),
    ({"stages": (Stage(8, 1, ()),)}, "stages[0].blocks is empty; a stage has at least one block"),
    ({"stages": (Stage(8, 1, (MBConv(expand=0),)),)}, "stages[0].blocks[0].expand=0 must be at least 1"),
    ({"stages": (Stage(8, 1, (MBConv(kernel=2),)),)}, "stages[0].blocks[0].kernel=2 must be odd"),
    ({"stages": (Stage(8, 1, (Attention(8, mlp_ratio=0),)),)}, "stages[0].blocks[0].mlp_ratio=0 must be at least 1"),
    ({"stages": (Stage(8, 1, (Attention(8, window=-1),)),)}, "stages[0].blocks[0].window=-1 must be at least 0"),
    (
        {"stages": (Stage(8, 1, (Attention(head_dim=5),)),)},
        "stages[0].blocks[0].head_dim=5 does not divide width=8; use one of 1, 2, 4, 8",
    ),
    (
        {"stages": (Stage(8, 2, (Attention(8),)),)},
        "stages[0] changes the shape (stride=2, width 8 to 8) and opens with attention, which keeps it; open the stage "
        "with an MBConv",
    ),
    ({"stages": (Stage(16, 1, (Attention(8),)),)}, "stages[0] changes the shape (stride=1, width 8 to 16)"),
]


@pytest.mark.parametrize(("change", "message"), PROBLEMS)
def test_what_is_no_network_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(network(), **change)
    assert str(caught.value).startswith(f"architecture: {message}")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Architecture((6, 1, 48), Stem(8, kernel=4), (Stage(8, 1, (MBConv(expand=0),)),), Head(1))
    assert str(caught.value).splitlines() == [
        "architecture: 3 problems",
        "  - stem.kernel=4 must be odd and at least 1, so that padding is symmetric; use 3, 5, 7, ...",
        "  - stages[0].blocks[0].expand=0 must be at least 1",
        "  - head.classes=1 must be at least 2",
    ]


@given(architectures())
def test_json_round_trip(architecture: Architecture) -> None:
    again = spec_from_json(json.loads(json.dumps(spec_to_json(architecture))))
    assert again == architecture
    assert digest(again) == digest(architecture)


@given(st.lists(architectures(), min_size=2, max_size=2))
def test_digests_are_equal_where_networks_are(pair: list[Architecture]) -> None:
    one, other = pair
    assert (digest(one) == digest(other)) == (one == other)


def test_the_digest_is_the_same_everywhere() -> None:
    # Files on disk carry it: it must not change with a version, so its text is written out here.
    text = (
        '{"head":{"classes":7,"width":0},"input":[6,1,48],"kind":"hybrid","stages":[{"blocks":'
        '[{"expand":4,"kernel":3,"kind":"mbconv"},{"head_dim":4,"kind":"attention","mlp_ratio":2,"window":0}],'
        '"stride":1,"width":8}],"stem":{"kernel":3,"stride":2,"width":8}}'
    )
    assert digest(network()) == hashlib.sha256(text.encode()).hexdigest()[:12]


def _changed(path: list[str | int], value: object) -> dict[str, Any]:
    spec: dict[str, Any] = json.loads(json.dumps(spec_to_json(network())))
    place: Any = spec
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return spec


BROKEN_JSON: list[tuple[object, str]] = [
    (_changed(["heads"], 3), "heads: "),
    (_changed(["stem", "widht"], 3), "stem.widht: "),
    (_changed(["stages", 0, "blocks", 0, "kernal"], 3), "stages[0].blocks[0].kernal: "),
    (_changed(["stages", 0, "blocks", 1, "expand"], 3), "stages[0].blocks[1].expand: "),
    (_changed(["stages", 0, "blocks", 1, "kind"], "conv"), "stages[0].blocks[1]: "),
    (_changed(["head", "classes"], "seven"), "head.classes: "),
    (_changed(["input"], [6, 48]), "input[2]: "),
    (_changed(["stem", "kernel"], 4), "stem.kernel=4 must be odd"),
    ([1, 2], "must be a mapping of names"),
    (None, "must be a mapping of names"),
]


@pytest.mark.parametrize(("value", "message"), BROKEN_JSON)
def test_broken_json_is_refused_with_its_place(value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        spec_from_json(value, "candidate.json")
    assert "candidate.json: " in str(caught.value)
    assert message in str(caught.value)


def test_read_spec_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "architecture.json"
    path.write_text(json.dumps(spec_to_json(network())))
    assert read_spec(path) == network()
    path.write_text("{")
    with pytest.raises(InputError, match=r"architecture\.json: is not JSON"):
        read_spec(path)
    with pytest.raises(InputError, match=r"missing\.json: cannot be read"):
        read_spec(tmp_path / "missing.json")
