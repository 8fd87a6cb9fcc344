"""`--shape`: what it is read as, what it does to a model, and what it is refused for."""

from pathlib import Path

import openvino as ov
import pytest

from edge_deploy.shapes import MOST_ELEMENTS, ShapeAsked, apply_shapes, shapes_from
from edge_toolkit.errors import InputError
from tests.edge_deploy.small_models_for_tests import scaling, two_inputs

READ = [
    ("[1,3,224,224]", [("", (1, 3, 224, 224))]),
    ("in[1,3]", [("in", (1, 3))]),
    ("in[1,3,224,224],state[1,64]", [("in", (1, 3, 224, 224)), ("state", (1, 64))]),
    (" in [ 1 , 3 ] , state [64] ", [("in", (1, 3)), ("state", (64,))]),
    ("serving_default_frame:0[1,2]", [("serving_default_frame:0", (1, 2))]),
    ("a/b.c-d[7]", [("a/b.c-d", (7,))]),
    (f"[{MOST_ELEMENTS}]", [("", (2**28,))]),
]


@pytest.mark.parametrize(("text", "expected"), READ, ids=[text for text, _ in READ])
def test_shapes_are_read_as_benchmark_app_reads_them(text: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert shapes_from(text) == tuple(ShapeAsked(*each) for each in expected)


@pytest.mark.parametrize("text", [text for text, _ in READ[:3]])
def test_a_shape_is_told_as_it_was_written(text: str) -> None:
    assert ",".join(map(str, shapes_from(text))) == text


REFUSED = [
    ("", "is empty"),
    ("  ", "is empty"),
    ("1,3,224,224", "sizes of at least 1 in brackets"),
    ("[]", "sizes of at least 1"),
    ("[1,]", "sizes of at least 1"),
    ("[1,0]", "sizes of at least 1"),
    ("[1,-1]", "sizes of at least 1"),
    ("[1,?]", "sizes of at least 1"),
    ("[1..3]", "sizes of at least 1"),
    ("[1.5]", "sizes of at least 1"),
    ("[1", "sizes of at least 1"),
    ("in[1]]", "sizes of at least 1"),
    ("in[1],state", "sizes of at least 1"),
    ("[12345678901]", "sizes of at least 1"),  # more digits than any size has
    (f"x[2,{MOST_ELEMENTS // 2 + 1}]", f"x\\[2,134217729\\]: has {2**28 + 2:,} elements, and at most 268,435,456"),
]


@pytest.mark.parametrize(("text", "told"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_shape_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"--shape.*{told}"):
        shapes_from(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a[4,3]", [[4, 3], [2, 3]]),
        ("b[1,3],a[5,3]", [[5, 3], [1, 3]]),
        ("a[2,3],b[2,3]", [[2, 3], [2, 3]]),
    ],
)
def test_each_input_gets_its_own(tmp_path: Path, text: str, expected: list[list[int]]) -> None:
    """`y0` is broadcast from both: its rows are the larger of theirs."""
    model = ov.Core().read_model(two_inputs(tmp_path / "two.xml"))
    if "b[" not in text:
        model.reshape({"b": [1, 3]})
        expected = [expected[0], [1, 3]]
    apply_shapes(Path("two.xml"), model, shapes_from(text))
    assert [list(port.shape) for port in model.inputs] == expected
    assert list(model.output("y0").shape) == [max(expected[0][0], expected[1][0]), 3]


def test_no_name_is_needed_for_an_only_input(tmp_path: Path) -> None:
    model = ov.Core().read_model(scaling(tmp_path / "one.xml", [1, -1]))
    apply_shapes(Path("one.xml"), model, shapes_from("[1,9]"))
    assert list(model.output(0).shape) == [1, 9]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1,3]", r"--shape \[1,3\]: the model has 2 inputs; give one of a, b"),
        ("c[1,3]", r"--shape c\[1,3\]: the model has no input c; give one of a, b"),
        ("a[1,7]", r"--shape a\[1,7\]: the model does not go with it; its inputs are a\[1,3\], b\[2,3\]"),
        ("a[1,3],a[2,3]", r"--shape a\[2,3\]: input a has a shape already"),
    ],
)
def test_what_a_model_does_not_go_with_is_told_beside_its_inputs(tmp_path: Path, text: str, told: str) -> None:
    model = ov.Core().read_model(two_inputs(tmp_path / "two.xml"))
    with pytest.raises(InputError, match=f"two.xml: {told}"):
        apply_shapes(Path("two.xml"), model, shapes_from(text))
