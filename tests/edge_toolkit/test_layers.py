"""The layer table against hand-computed layers and against torch's own count of the torch models."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from edge_search.space import load_space, presets
from edge_toolkit.architecture import Architecture, Attention, Head, MBConv, Stage, Stem
from edge_toolkit.layers import KINDS, ROLES, layers_of
from edge_toolkit.lstm import LSTMBaseline
from edge_toolkit.matching import Match, matched_lstm
from edge_toolkit.nn import build
from edge_toolkit.specs import ModelSpec

TINY = Architecture(
    (3, 8, 8),
    Stem(4, 3, 2),  # 4 x 4 x 4
    (Stage(8, 2, (MBConv(3, 2), Attention(4, 2, 0))),),  # 8 x 2 x 2
    Head(5),
)


def torch_counts(spec: ModelSpec) -> tuple[int, int]:
    """MACs (half of the floating-point operations that torch itself counts) and parameters.

    On the meta device an LSTM runs as matrix products, which torch counts; on a CPU it would miss them.
    """
    with torch.device("meta"):
        model, x = build(spec).eval(), torch.empty(1, *spec.input)
        with FlopCounterMode(display=False) as counter:
            model(x)
    return counter.get_total_flops() // 2, sum(parameter.numel() for parameter in model.parameters())


def our_counts(spec: ModelSpec) -> tuple[int, int]:
    table = layers_of(spec)
    return int(table.macs.sum()), int(table.parameters.sum())


# Each by hand: output positions x products a position x output channels.
@pytest.mark.parametrize(
    ("name", "macs", "weights"),
    [
        ("stem", 16 * 27 * 4, 27 * 4 + 4),
        ("stages.0.blocks.0.expand", 16 * 4 * 8, 4 * 8 + 8),
        ("stages.0.blocks.0.depthwise", 4 * 9 * 8, 9 * 8 + 8),
        ("stages.0.blocks.0.project", 4 * 8 * 8, 8 * 8 + 8),
        ("stages.0.blocks.1.position", 4 * 1 * 8, 8 + 8),  # a kernel of 3 on 2 x 2 points is one of 1
        ("stages.0.blocks.1.query", 4 * 8 * 8, 8 * 8 + 8),
        ("stages.0.blocks.1.scores", 2 * 4 * 4 * 4, 0),  # 2 heads, 4 tokens, 4 of each head, 4 tokens
        ("stages.0.blocks.1.softmax", 0, 0),
        ("stages.0.blocks.1.mix", 2 * 4 * 4 * 4, 0),
        ("stages.0.blocks.1.mlp_in", 4 * 8 * 16, 8 * 16 + 16),
        ("head.classifier", 8 * 5, 8 * 5 + 5),
    ],
)
def test_layers_by_hand(name: str, macs: int, weights: int) -> None:
    table = layers_of(TINY)
    (row,) = np.flatnonzero(table.name == name)
    assert (table.macs[row], table.weights[row]) == (macs, weights)


def test_lstm_by_hand() -> None:
    table = layers_of(LSTMBaseline((6, 1, 10), Stem(4, 3, 2), (8,), Head(5)))
    (row,) = np.flatnonzero(table.kind == "lstm")
    assert table.macs[row] == 5 * (4 + 8) * 32
    assert table.parameters[row] == 32 * (4 + 8) + 2 * 32
    assert table.weights[row] == 32 * (4 + 8) + 32


def test_what_an_lstm_moves_by_hand() -> None:
    """5 steps of 4 features become a sequence, and of 8 units a feature map again; one step is both at once."""
    table = layers_of(LSTMBaseline((6, 1, 10), Stem(4, 3, 2), (8,), Head(5)))
    moves = {row["name"]: (row["inputs"], row["outputs"]) for row in table.rows() if row["kind"] == "layout"}
    assert moves == {"sequence": (20, 20), "positions": (40, 40)}
    assert "layout" not in layers_of(LSTMBaseline((6, 1, 1), Stem(4, 1, 1), (8,), Head(5))).kind


def test_windows_by_hand() -> None:
    """9 tokens under windows of 4: 3 windows of 3, so nothing is padded; 10 tokens make 3 of 4, two of them padding."""
    for tokens, windows, extent in ((9, 3, 3), (10, 3, 4)):
        stage = Stage(4, 1, (MBConv(1, 1), Attention(4, 1, 4)))
        table = layers_of(Architecture((2, 1, tokens), Stem(4, 1, 1), (stage,), Head(2)))
        (row,) = np.flatnonzero(table.name == "stages.0.blocks.1.scores")
        assert table.macs[row] == windows * extent * extent * 4
        assert table.weights[row] == (windows * extent if windows * extent > tokens else 0)  # the mask of padding
        assert np.count_nonzero(table.role == "layout") == 2


@pytest.mark.parametrize("count", [25, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("preset", presets())
def test_equal_to_torch_over_random_architectures(preset: str, count: int) -> None:
    space, rng = load_space(preset), np.random.default_rng(11)
    for _ in range(count):
        architecture = space.sample(rng)
        assert our_counts(architecture) == torch_counts(architecture)


@pytest.mark.parametrize(("match", "which"), [("parameters", 1), ("macs", 0)])
def test_matched_lstm_is_within_two_percent_and_equal_to_torch(match: Match, which: int) -> None:
    space, rng = load_space("imu-s"), np.random.default_rng(5)
    for architecture in (space.smallest(), space.largest(), *(space.sample(rng) for _ in range(10))):
        baseline = matched_lstm(architecture, match)
        ours, theirs = torch_counts(architecture)[which], torch_counts(baseline)[which]
        assert abs(theirs - ours) <= 0.02 * ours
        assert (baseline.stem, baseline.head) == (architecture.stem, architecture.head)
        assert our_counts(baseline) == torch_counts(baseline)


def test_names_are_unique_and_kinds_and_roles_are_known() -> None:
    space, rng = load_space("xr-vision"), np.random.default_rng(0)
    for _ in range(20):
        table = layers_of(space.sample(rng))
        assert len(set(table.name.tolist())) == len(table)
        assert set(table.kind.tolist()) <= set(KINDS)
        assert set(table.role.tolist()) <= set(ROLES)


def test_rows_are_plain_data_with_the_macs() -> None:
    rows = layers_of(TINY).rows()
    assert rows[0]["name"] == "stem"
    assert rows[0]["macs"] == 16 * 27 * 4
    assert all(type(value) in (int, str) for row in rows for value in row.values())
