"""`SearchSpace` against brute force over every vector of small spaces, and its properties on those that ship."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare  # type: ignore[import-untyped]  # scipy ships no types

from edge_search.counting import draw
from edge_search.space import SearchSpace, load_space, presets
from edge_toolkit.architecture import Architecture
from edge_toolkit.errors import InputError
from edge_toolkit.layers import layers_of
from tests.edge_search.spaces_for_tests import PLAIN, SMALL, changed
from tests.strategies import architectures

small = pytest.mark.parametrize("space", SMALL.values(), ids=SMALL)
SHIPPED = {name: load_space(name) for name in presets()}


def every_network(space: SearchSpace) -> set[Architecture]:
    """The oracle: what all the vectors come to, by construction alone."""
    return {space.decode(vector) for vector in product(*(range(len(gene.choices)) for gene in space.genes))}


def vectors(space: SearchSpace) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*(st.integers(0, len(gene.choices) - 1) for gene in space.genes))


@st.composite
def spaces_and_vectors(draw: st.DrawFn) -> tuple[SearchSpace, tuple[int, ...]]:
    space = draw(st.sampled_from([*SMALL.values(), *SHIPPED.values()]))
    return space, draw(vectors(space))


@small
def test_the_size_is_exact(space: SearchSpace) -> None:
    listed = list(space.enumerate())
    assert space.size() == len(listed) == len(set(listed))
    assert set(listed) == every_network(space)


def test_a_size_counted_by_hand() -> None:
    # 2 stem widths; 2 widths; the opening MBConv has 2 kernels; behind it 2 MBConv or 2 * 2 * 2 attention, or nothing.
    assert SMALL["plain"].size() == 2 * 2 * (2 + 2 * (2 + 8))
    # The stem leaves 1 point: nothing but widths, depth and expansion is left to choose, in both stages.
    assert SMALL["a stride on a single point"].size() == 2 * (2 * (2 + 2 * 2)) ** 2
    assert SMALL["one network, several vectors"].size() == 1


def test_some_spaces_here_have_choices_that_collapse() -> None:
    collapsing = [
        name for name, space in SMALL.items() if space.size() < np.prod([len(gene.choices) for gene in space.genes])
    ]
    assert "one network, several vectors" in collapsing
    assert "one network" not in collapsing


@given(spaces_and_vectors())
def test_a_vector_goes_round(case: tuple[SearchSpace, tuple[int, ...]]) -> None:
    space, vector = case
    network = space.decode(vector)
    canonical = space.encode(network)
    assert space.decode(canonical) == network
    assert space.encode(space.decode(canonical)) == canonical
    # No index is larger than that of any other spelling, so the canonical one is the first of its kind.
    used = space.values(network)
    assert all(first <= index for first, index in zip(canonical, vector, strict=True))
    assert not any(index for gene, index in zip(space.genes, canonical, strict=True) if gene.name not in used)
    assert space.build(used) == network


@small
def test_the_canonical_vector_is_one_a_network(space: SearchSpace) -> None:
    assert len({space.encode(network) for network in space.enumerate()}) == space.size()


def test_the_genes_are_named_after_their_places() -> None:
    assert [(gene.name, gene.choices) for gene in SMALL["plain"].genes] == [
        ("stem.width", (4, 8)),
        ("stages.0.width", (8, 16)),
        ("stages.0.depth", (1, 2)),
        ("stages.0.blocks.0.kernel", (3, 5)),
        ("stages.0.blocks.1.kind", ("mbconv", "attention")),
        ("stages.0.blocks.1.kernel", (3, 5)),
        ("stages.0.blocks.1.head_dim", (4, 8)),
        ("stages.0.blocks.1.mlp_ratio", (1, 2)),
        ("stages.0.blocks.1.window", (0, 4)),
    ]
    assert SMALL["one network"].genes == ()
    assert SMALL["collapse depends on the resolution"].genes[0].name == "resolution"


def test_samples_are_uniform_over_distinct_networks() -> None:
    space = SMALL["collapse depends on the resolution"]
    every = dict.fromkeys(space.enumerate(), 0)
    by_gene = dict(every)
    rng = np.random.default_rng(5)
    for _ in range(40 * len(every)):
        every[space.sample(rng)] += 1
        by_gene[space.decode([int(rng.integers(len(gene.choices))) for gene in space.genes])] += 1
    assert chisquare(list(every.values())).pvalue > 0.01
    # What this test must tell apart: drawing each gene evenly favours the networks that many vectors spell.
    assert chisquare(list(by_gene.values())).pvalue < 1e-6


@pytest.mark.parametrize("bound", [1, 2, 3, 255, 256, 257, 3 << 70, (1 << 64) + 1])
def test_draws_are_uniform_however_large_the_bound(bound: int) -> None:
    rng = np.random.default_rng(1)
    numbers = [draw(rng, bound) for _ in range(3000)]
    assert 0 <= min(numbers) <= max(numbers) < bound
    parts = min(bound, 3)
    counts = np.bincount([number * parts // bound for number in numbers], minlength=parts)
    expected = [3000 * (-(-(part + 1) * bound // parts) + (-part * bound // parts)) / bound for part in range(parts)]
    assert parts == 1 or chisquare(counts, expected).pvalue > 0.01


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_seed_gives_the_same_samples(name: str) -> None:
    space = SHIPPED[name]
    drawn = [[space.sample(np.random.default_rng(seed)) for _ in range(3)] for seed in (7, 7, 8)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


@given(spaces_and_vectors(), st.integers(0, 1 << 32), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_a_mutant_is_another_network_of_the_space(
    case: tuple[SearchSpace, tuple[int, ...]], seed: int, rate: float
) -> None:
    space, vector = case
    parent = space.decode(vector)
    child = space.mutate(parent, np.random.default_rng(seed), rate)
    assert space.contains(child)
    assert (child == parent) == (space.size() == 1)


def test_mutation_reaches_every_network() -> None:
    space, rng = SMALL["kernels and windows collapse"], np.random.default_rng(3)
    network, seen = space.smallest(), set()
    for _ in range(100 * space.size()):
        network = space.mutate(network, rng, 0.2)
        seen.add(network)
    assert len(seen) == space.size()


def test_a_rate_is_a_probability() -> None:
    space = SMALL["plain"]
    with pytest.raises(InputError, match=r"rate=1\.5 must be from 0 to 1"):
        space.mutate(space.smallest(), np.random.default_rng(0), 1.5)


@given(st.data(), st.sampled_from([*SMALL.values(), *SHIPPED.values()]), st.integers(0, 1 << 32))
def test_a_child_takes_each_gene_from_a_parent(data: st.DataObject, space: SearchSpace, seed: int) -> None:
    a, b = (space.decode(data.draw(vectors(space))) for _ in range(2))
    child = space.crossover(a, b, np.random.default_rng(seed))
    assert space.contains(child)
    assert child.input in (a.input, b.input)
    assert child.stem.width in (a.stem.width, b.stem.width)
    for here, of_a, of_b in zip(child.stages, a.stages, b.stages, strict=True):
        assert here.width in (of_a.width, of_b.width)
        assert len(here.blocks) in (len(of_a.blocks), len(of_b.blocks))
    if a == b:
        assert child == a


def test_a_child_can_differ_from_both_parents() -> None:
    space, rng = SMALL["plain"], np.random.default_rng(0)
    a, b = space.smallest(), space.largest()
    assert len({space.crossover(a, b, rng) for _ in range(50)} - {a, b}) > 5


@small
def test_the_extremes_by_brute_force(space: SearchSpace) -> None:
    def cost(network: Architecture) -> tuple[int, int]:
        layers = layers_of(network)
        return int(layers.macs.sum()), int(layers.parameters.sum())

    costs = [cost(network) for network in every_network(space)]
    assert cost(space.smallest()) == min(costs)
    assert cost(space.largest()) == max(costs)
    assert space.contains(space.smallest())
    assert space.contains(space.largest())


EVERY_PLAIN = every_network(SMALL["plain"])


@given(st.one_of(architectures(), st.sampled_from(sorted(EVERY_PLAIN, key=str))))
def test_a_space_contains_what_it_lists_and_no_more(network: Architecture) -> None:
    assert SMALL["plain"].contains(network) == (network in EVERY_PLAIN)


def _other(*changes: tuple[str, object]) -> Architecture:
    space = SearchSpace.model_validate(changed(*changes))
    return space.largest()


NOT_INSIDE = [
    (("input", [2, 1, 30]), "input=(2, 1, 30) is not in the space; use one of [2, 1, 32]"),
    (("classes", 4), "head.classes=4 is not in the space; use one of 3"),
    (("head", {"width": 16}), "head.width=16 is not in the space; use one of 0"),
    (("stem.width", [16]), "stem.width=16 is not in the space; use one of 4, 8"),
    (("stem.kernel", 5), "stem.kernel=5 is not in the space; use one of 3"),
    (("stem.stride", 1), "stem.stride=1 is not in the space; use one of 2"),
    (("stages.0.width", [24]), "stages.0.width=24 is not in the space; use one of 8, 16"),
    (("stages.0.stride", 1), "stages.0.stride=1 is not in the space; use one of 2"),
    (("stages", PLAIN["stages"] * 2), "stages (their number)=2 is not in the space; use one of 1"),
]


@pytest.mark.parametrize(("change", "message"), NOT_INSIDE)
def test_what_is_not_inside_is_told_with_place_value_and_choices(change: tuple[str, object], message: str) -> None:
    space, stranger = SMALL["plain"], _other(change)
    assert not space.contains(stranger)
    with pytest.raises(InputError) as caught:
        space.encode(stranger)
    assert str(caught.value) == f"architecture: {message}"


def test_all_places_that_differ_are_told() -> None:
    stranger = _other(
        ("stem.width", [16]), ("stages.0.depth", [3]), ("stages.0.mlp_ratio", [3]), ("stages.0.expand", [4])
    )
    with pytest.raises(InputError) as caught:
        SMALL["plain"].encode(stranger)
    lines = str(caught.value).splitlines()
    assert lines[0] == "architecture: 5 problems"
    assert lines[1:4] == [
        "  - stem.width=16 is not in the space; use one of 4, 8",
        "  - stages.0.depth=3 is not in the space; use one of 1, 2",
        "  - stages.0.blocks.0.expand=4 is not in the space; use one of 2",
    ]


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ((0, 0), "vector has 2 entries, but the space has 9 genes; give one index a gene"),
        ((2, 0, 0, 0, 0, 0, 0, 0, 0), "vector: stem.width: index 2 is out of range; use 0 to 1"),
        ((0, 0, 0, 0, 0, 0, 0, 0, -1), "vector: stages.0.blocks.1.window: index -1 is out of range; use 0 to 1"),
    ],
)
def test_a_vector_is_checked(vector: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        SMALL["plain"].decode(vector)
    assert str(caught.value) == message


def test_named_choices_are_checked() -> None:
    with pytest.raises(InputError) as caught:
        SMALL["plain"].build({"stem.width": 5, "stem.depth": 1})
    assert str(caught.value).splitlines() == [
        "choices: 2 problems",
        "  - stem.depth is no gene of the space",
        "  - stem.width=5 is not in the space; use one of 4, 8",
    ]
