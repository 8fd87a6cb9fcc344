"""The figures, read back from what matplotlib would draw."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_toolkit.architecture import Architecture
from edge_toolkit.budget import Budget
from edge_toolkit.figures import front_figure, prediction_figure, profile_figure, save_figure
from edge_toolkit.front import Candidate, Front
from tests.edge_toolkit.profiles_for_tests import LSTM_ROWS, MODEL_ROWS, profile_of


def parts(panel: Any, place: int) -> list[tuple[float, float]]:
    """Where the coloured parts of one bar begin, and how long they are."""
    return [
        (patch.get_x(), patch.get_width())
        for patch in panel.patches
        if round(patch.get_y() + patch.get_height() / 2) == place
    ]


def bars(panel: Any) -> dict[str, float]:
    """Length of each block's bar, its coloured parts together."""
    names = [label.get_text() for label in panel.get_yticklabels()]
    return {name: sum(width for _, width in parts(panel, place)) for place, name in enumerate(names)}


def test_a_bar_is_as_long_as_the_rows_of_its_block() -> None:
    ours, lstm = profile_figure(profile_of()).axes
    assert bars(ours) == {"stem": 3.75, "stages.0.blocks.0": 7.5, "head": 0.0, "runtime": 6.75, "binding": 7.0}
    assert bars(lstm) == {"stem": 3.0, "lstm.0": 77.0, "runtime": -2.5, "binding": 5.5}
    assert ours.get_xlim() == lstm.get_xlim()
    assert ours.get_xlim()[1] > 77


def test_the_parts_of_a_bar_follow_each_other() -> None:
    ours, _ = profile_figure(profile_of()).axes
    assert parts(ours, 1) == [(0.0, 5.5), (5.5, 2.0)]  # conv, then depthwise


def test_each_bar_is_labelled_and_each_role_is_in_the_legend() -> None:
    figure = profile_figure(profile_of())
    assert [text.get_text() for text in figure.axes[0].texts] == ["3.8", "7.5", "<2", "6.8", "7.0"]
    (legend,) = figure.legends
    roles = {row[1] for row in (*MODEL_ROWS, *LSTM_ROWS)}
    assert {text.get_text() for text in legend.get_texts()} == roles


def test_a_profile_without_baseline_has_one_panel() -> None:
    alone = replace(profile_of(), baseline=None)
    (panel,) = profile_figure(alone).axes
    assert panel.get_title(loc="left").startswith("knee: median 0.0180 ms on CPU at f32")


def test_dollars_in_names_are_no_formula(image_architecture: Architecture, tmp_path: Path) -> None:
    save_figure(profile_figure(profile_of(r"bundles/$\frac$")), tmp_path / "profile.svg")
    save_figure(front_figure(front(image_architecture, r"$\frac$")), tmp_path / "front.svg")
    assert (tmp_path / "profile.svg").stat().st_size > 1000
    assert (tmp_path / "front.svg").stat().st_size > 1000


@pytest.mark.parametrize("bound", [None, 0.12, 2.0])
def test_the_names_of_picks_stay_in_their_panel(image_architecture: Architecture, bound: float | None) -> None:
    """Where matplotlib would draw them, in pixels; a bound far from the points moves all of them to the left."""
    one = front(image_architecture, "run")
    slow = replace(one.candidates[0], accuracy=0.6, latency_ms=0.12, energy_mj=0.1)
    picks = {"knee": 0, "fastest": 0, "least-energy": 0, "most-accurate": 1}
    figure = front_figure(replace(one, candidates=(*one.candidates, slow), picks=picks, budget=Budget(bound, bound)))
    figure.canvas.draw()
    for panel in figure.axes:
        inside = panel.get_window_extent()
        named = [text for text in panel.texts if text.get_text() in ("knee, fastest, least-energy", "most-accurate")]
        assert len(named) == 2
        for text in named:
            extent = text.get_window_extent()
            assert inside.x0 <= extent.x0 < extent.x1 <= inside.x1, text.get_text()


def test_predictions_are_drawn_against_measurements_with_shares_of_the_bands() -> None:
    measured = np.array([1.0, 2.0, 4.0, 8.0])
    (panel,) = prediction_figure(measured * [1.0, 1.04, 0.92, 1.3], measured, "four networks").axes
    (points,) = [each.get_offsets() for each in panel.collections if len(each.get_offsets()) == 4]
    assert points.tolist() == [[1, 1], [2, 2.08], [4, 3.68], [8, pytest.approx(10.4)]]
    (legend,) = [panel.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == [
        "10%: 75.0% of the networks",
        "5%: 50.0% of the networks",
    ]
    assert "mean error 10.5%" in panel.get_title()


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_the_same_figure_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in ("first", "second")]
    for path in paths:
        save_figure(profile_figure(profile_of()), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def front(architecture: Architecture, run: str) -> Front:
    origin = {"accuracy": "inherited", "latency_ms": "modelled", "energy_mj": "modelled"}
    candidate = Candidate(architecture, 0.5, 0.1, 0.01, 1, 1, origin)
    return Front(run, "digits", "image-s", "xr-npu", Budget(), (candidate,), {"knee": 0}, 1)
