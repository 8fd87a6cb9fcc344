"""Figures of a mapping: the schedule of a frame along time, and what a sweep gives; matplotlib is loaded when drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edge_toolkit.cost.schedule import DRAM, LINK, Schedule
from edge_toolkit.cost.timeline import timeline
from edge_toolkit.figures import BUDGET, COLOURS, INK, OTHER_ROLE, ROLE_COLOURS
from edge_toolkit.layers import LayerTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CROSSING = "#475569"
WAITING = "#d0d4da"


def schedule_figure(schedule: Schedule, layers: LayerTable, title: str) -> "Figure":
    """A frame along time, a row for each processor, the link and the DRAM, layers coloured by role; loads beside it.

    Args:
        schedule: of a network.
        layers: the network.
        title: what is drawn, in a few words.

    Returns:
        A figure that reads at a width of 1,000 pixels.
    """
    from matplotlib.figure import Figure

    bars = timeline(schedule)
    used = {bar.row for bar in bars}
    rows = [row for row in (*schedule.device.processors, LINK, DRAM) if row in used]
    figure = Figure(figsize=(11, 1.7 + 0.5 * len(rows)), layout="constrained")
    panel, loads = figure.subplots(1, 2, sharey=True, width_ratios=[4.2, 1])
    figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left", fontsize=11, color=INK)
    _gantt(panel, schedule, layers, rows)
    _loads(loads, schedule, rows)
    figure.legend(
        handles=_legend(layers, {bar.what for bar in bars}),
        loc="outside lower center",
        ncols=9,
        frameon=False,
        fontsize=9,
    )
    return figure


def _gantt(panel: "Axes", schedule: Schedule, layers: LayerTable, rows: Sequence[str]) -> None:
    scale, unit = _unit(schedule.cost.latency_ms * 1e3)
    fringe = schedule.cost.latency_ms * 1e3 / scale * 4e-4  # parts layers of one colour where there is room
    for bar in timeline(schedule):
        role = OTHER_ROLE if bar.layer is None else ROLE_COLOURS.get(str(layers.role[bar.layer]), OTHER_ROLE)
        colour = {"waiting": WAITING, "crossing": CROSSING}.get(bar.what, role)
        us = bar.us / scale
        panel.barh(
            rows.index(bar.row), max(us - fringe, 0.6 * us), left=bar.start_us / scale, height=0.66, color=colour
        )
    panel.set_yticks(range(len(rows)), [row.replace("$", r"\$") for row in rows])
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlim(0, schedule.cost.latency_ms * 1e3 / scale)
    panel.set_xlabel(f"time within a frame ({unit})")
    panel.set_title(f"one frame: {schedule.cost.latency_ms:.4g} ms", loc="left", fontsize=10, color=INK)
    _plain_axes(panel)


def _loads(panel: "Axes", schedule: Schedule, rows: Sequence[str]) -> None:
    """How long a frame keeps each row busy; the longest is the period of frames that overlap."""
    scale, unit = _unit(schedule.period_ms * 1e3)
    for place, row in enumerate(rows):
        busy = schedule.loads_ms[row] * 1e3 / scale
        panel.barh(
            place, busy, height=0.66, color=COLOURS[0] if schedule.loads_ms[row] < schedule.period_ms else BUDGET
        )
        panel.annotate(
            f"{busy:.3g}", (busy, place), (3, 0), textcoords="offset points", va="center", fontsize=9, color=INK
        )
    panel.set_xlim(0, 1.3 * schedule.period_ms * 1e3 / scale)
    panel.set_xlabel(f"load a frame ({unit})")
    panel.set_title(f"overlapped: every {schedule.period_ms:.4g} ms", loc="left", fontsize=10, color=INK)
    _plain_axes(panel)


def sweep_figure(place: str, points: Mapping[float, Mapping[str, float]], title: str) -> "Figure":
    """Each column of a sweep against the constant that was set.

    Args:
        place: the constant.
        points: for each of its values, columns by their labels; the same ones everywhere.
        title: what is drawn, in a few words.
    """
    from matplotlib.figure import Figure

    values, labels = list(points), list(next(iter(points.values())))
    figure = Figure(figsize=(3.4 * len(labels), 3.3), layout="constrained")
    figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left", fontsize=11, color=INK)
    for label, panel, colour in zip(labels, figure.subplots(1, len(labels), squeeze=False)[0], COLOURS, strict=False):
        panel.plot(values, [points[value][label] for value in values], marker="o", color=colour)
        if min(values) > 0 and max(values) >= 8 * min(values):
            panel.set_xscale("log")
            panel.minorticks_off()
        panel.set_xticks(values, [f"{value:g}" for value in values])
        panel.set_ylim(0, 1.1 * max(points[value][label] for value in values))
        panel.set_xlabel(place)
        panel.set_title(label, loc="left", fontsize=10, color=INK)
        _plain_axes(panel)
    return figure


def _unit(us: float) -> tuple[float, str]:
    return (1e3, "ms") if us >= 2000 else (1.0, "µs")


def _plain_axes(panel: "Axes") -> None:
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", alpha=0.25)
    panel.set_axisbelow(True)


def _legend(layers: LayerTable, kinds: set[str]) -> list[Any]:
    from matplotlib.patches import Patch

    roles = set(layers.role.tolist())
    named = {role: ROLE_COLOURS.get(role, OTHER_ROLE) for role in [*ROLE_COLOURS, *sorted(roles)] if role in roles}
    named |= {"transfer": CROSSING} if "crossing" in kinds else {}
    named |= {"waiting for weights": WAITING} if "waiting" in kinds else {}
    return [Patch(color=colour, label=name) for name, colour in named.items()]
