"""The figures of mappings, read back from what matplotlib would draw."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_toolkit.architecture import Architecture
from edge_toolkit.cost.schedule import Schedule
from edge_toolkit.figures import save_figure
from edge_toolkit.layers import LayerTable, layers_of
from edge_toolkit.mapping_figures import schedule_figure, sweep_figure
from tests.edge_toolkit.systems_for_tests import device_with, places_by_hand


@pytest.fixture
def layers(image_architecture: Architecture) -> LayerTable:
    table = layers_of(image_architecture)
    return replace(table, **{name: getattr(table, name)[:3] for name in table.__dataclass_fields__})


def schedule() -> Schedule:
    crossing, stored, wait = [1, 2, 4, 8], [[0, 0, 40], [0, 0, 0]], [[0, 0, 10], [0, 0, 0]]
    busy = [[10, 20, 30], [5, 5, 5]]
    places = places_by_hand([0, 1], busy, cross_us=crossing, stored_bytes=stored, wait_us=wait)
    return Schedule(device_with((0, 0)), places, np.array([0, 1, 0]))


def lengths(panel: Any, rows: list[str]) -> dict[str, float]:
    bars: dict[str, float] = dict.fromkeys(rows, 0.0)
    for patch in panel.patches:
        bars[rows[round(patch.get_y() + patch.get_height() / 2)]] += patch.get_width()
    return bars


def test_a_row_is_as_full_as_its_layers_are_long(layers: LayerTable) -> None:
    time, loads = schedule_figure(schedule(), layers, "title").axes
    rows = [label.get_text() for label in time.get_yticklabels()]
    # p0: 10, then 30 and 10 of waiting for 40 bytes at 0.001 GB/s; p1: 5; the link: 2 there, 4 back
    assert lengths(time, rows) == pytest.approx({"p0": 50, "p1": 5, "link": 6, "DRAM": 40}, rel=0.02)
    assert lengths(loads, rows) == pytest.approx({"p0": 44, "p1": 7, "link": 6, "DRAM": 40})
    assert time.get_xlim() == (0, pytest.approx(61))


def test_what_is_drawn_is_in_the_legend(layers: LayerTable) -> None:
    (legend,) = schedule_figure(schedule(), layers, "title").legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown == ["conv", "depthwise", "transfer", "waiting for weights"]


def test_titles_with_dollars_are_no_formula(layers: LayerTable, tmp_path: Path) -> None:
    """matplotlib refuses to draw a formula that is none, and draws a true one as something else."""
    title = r"$\frac$"
    for figure in (schedule_figure(schedule(), layers, title), sweep_figure("cim.macros", {1.0: {"ms": 2.0}}, title)):
        save_figure(figure, tmp_path / "drawn.svg")
        assert figure.get_suptitle() == r"\$\frac\$"


def test_a_sweep_has_a_panel_for_each_column() -> None:
    points = {value: {"latency (ms)": 8 / value, "energy (mJ)": value} for value in (1.0, 2.0, 8.0)}
    first, second = sweep_figure("cim.macros", points, "title").axes
    assert first.get_lines()[0].get_xydata().tolist() == [[1, 8], [2, 4], [8, 1]]
    assert (first.get_xscale(), second.get_title(loc="left")) == ("log", "energy (mJ)")
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "2", "8"]
