"""Figures that more than one command draws, by matplotlib, which is loaded when one is drawn."""

from pathlib import Path
from typing import IO, TYPE_CHECKING

from edge_toolkit.files import replacing
from edge_toolkit.front import Front
from edge_toolkit.profile import Profile

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

INK = "#24292f"
BUDGET = "#c2410c"
COLOURS = ("#2563eb", "#0d9488", "#9333ea", "#d97706", "#64748b", "#db2777", "#16a34a", "#94a3b8", "#475569")

ROLE_COLOURS = {
    "conv": "#4477aa",
    "depthwise": "#66ccee",
    "attention": "#ee6677",
    "mlp": "#aa3377",
    "normalisation": "#bbcc33",
    "recurrent": "#228833",
    "head": "#ccbb44",
    "matmul": "#ee8866",
    "pooling": "#44bb99",
    "elementwise": "#77aadd",
    "layout": "#999999",
    "runtime": "#c4c9cf",
    "binding": "#e3e6ea",
}
"""A colour for each role of a profile. Source: Paul Tol's qualitative schemes, made for the colour-blind too."""

OTHER_ROLE = "#555555"
"""The colour of a role that has none of its own."""

PANELS = (("latency_ms", "latency (ms)"), ("energy_mj", "energy (mJ)"))


def front_figure(front: Front) -> "Figure":
    """Accuracy against latency and against energy, with the budgets drawn and the picks named."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Space between the panels, so that the last tick of one is not read with the first of the other.
    figure = Figure(figsize=(10, 4), layout=ConstrainedLayoutEngine(wspace=0.05))
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (cost, label) in zip(axes, PANELS, strict=True):
        _front_panel(panel, front, cost)
        origin = front.candidates[0].origin[cost]
        panel.set_xlabel(plain(f"{label}, {origin} on {front.device}"))
    axes[0].set_ylabel(f"accuracy (%), {front.candidates[0].origin['accuracy']}, validation")
    title = f"{front.run}: {len(front.candidates)} of {front.evaluated} networks of {front.space} on {front.data}"
    figure.suptitle(plain(title))
    return figure


def _front_panel(panel: "Axes", front: Front, cost: str) -> None:
    x = [candidate.costs[cost] for candidate in front.candidates]
    y = [100 * candidate.accuracy for candidate in front.candidates]
    bound = front.budget.bounds.get(cost)
    widest = max(x) if bound is None else max(*x, bound)
    panel.scatter(x, y, color=COLOURS[0], s=28, zorder=3)
    for index in set(front.picks.values()):
        panel.scatter([x[index]], [y[index]], facecolors="none", edgecolors=INK, s=90, zorder=4)
        left = x[index] > 0.5 * widest  # towards the middle, where there is room
        offset, align = ((-8, -3), "right") if left else ((8, -3), "left")
        panel.annotate(
            front.names(index),
            (x[index], y[index]),
            offset,
            textcoords="offset points",
            ha=align,
            fontsize=8,
            color=INK,
        )
    if bound is not None:
        panel.axvline(bound, color=BUDGET, linestyle="--")
        panel.annotate(
            "budget",
            (bound, 0.02),
            (-3, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=8,
            color=BUDGET,
            rotation=90,
            ha="right",
        )
    panel.set_xlim(left=0)
    panel.grid(alpha=0.25)


def prediction_figure(predicted_ms: "Floats", measured_ms: "Floats", what: str) -> "Figure":
    """Predicted against measured latency, with the bands of 5 and 10 %.

    Args:
        predicted_ms: (networks,).
        measured_ms: (networks,), in the same order.
        what: the networks, for the title.
    """
    from matplotlib.figure import Figure

    errors = abs(predicted_ms / measured_ms - 1)
    low, high = min(predicted_ms.min(), measured_ms.min()) / 1.15, max(predicted_ms.max(), measured_ms.max()) * 1.15
    figure = Figure(figsize=(5.5, 5.2), layout="constrained")
    panel = figure.subplots()
    for band, strength in ((0.1, 0.1), (0.05, 0.2)):
        edges = [low * (1 - band), high * (1 - band)], [low * (1 + band), high * (1 + band)]
        label = f"{band:.0%}: {(errors <= band).mean():.1%} of the networks"
        panel.fill_between([low, high], *edges, color=COLOURS[0], alpha=strength, linewidth=0, label=label)
    panel.plot([low, high], [low, high], color=INK, linewidth=0.8)
    panel.scatter(measured_ms, predicted_ms, color=COLOURS[0], s=18, zorder=3)
    panel.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
    panel.set(xlabel="measured (ms)", ylabel="predicted (ms)")
    panel.set_title(plain(f"{what}\nmean error {errors.mean():.1%}"), fontsize=10, color=INK)
    panel.legend(loc="upper left", frameon=False, fontsize=9)
    panel.grid(alpha=0.25, which="both")
    return figure


def profile_figure(profile: Profile) -> "Figure":
    """Time of one inference as horizontal bars, one a block, stacked by role; the baseline's below on the same scale.

    Args:
        profile: what was measured, with a baseline or without.

    Returns:
        A figure that reads at a width of 900 pixels; one set of axes for each network.
    """
    from matplotlib.figure import Figure

    both = profile.both
    heights = [len(each.sums_by("block")) for each in both]
    figure = Figure(figsize=(9, 0.9 + 0.3 * sum(heights) + 0.55 * len(both)), layout="constrained")
    panels = figure.subplots(len(both), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for panel, each in zip(panels, both, strict=True):
        _profile_panel(panel, each)
    panels[-1].set_xlabel("time of one inference (µs)")
    panels[-1].set_xlim(right=1.08 * max(panel.dataLim.x1 for panel in panels))  # room for the longest bar's label
    roles = {row.role for each in both for row in each.rows}
    figure.legend(handles=_role_patches(roles), loc="outside lower center", ncols=8, frameon=False, fontsize=9)
    return figure


def _profile_panel(panel: "Axes", network: Profile) -> None:
    blocks = network.sums_by("block")
    for place, (block, whole) in enumerate(blocks.items()):
        reached = 0.0
        for role in _in_order({row.role for row in network.rows if row.block == block}):
            time_us = sum(row.time_us for row in network.rows if (row.block, row.role) == (block, role))
            panel.barh(place, time_us, left=reached, height=0.72, color=ROLE_COLOURS.get(role, OTHER_ROLE))
            reached += time_us
        label, end = network.time_text(reached, whole.rows), (max(reached, 0.0), place)
        panel.annotate(label, end, (4, 0), textcoords="offset points", va="center", fontsize=9, color=INK)
    panel.set_title(plain(_profile_title(network)), loc="left", fontsize=10, color=INK)
    panel.set_yticks(range(len(blocks)), [plain(block) for block in blocks], fontsize=9)
    panel.set_ylim(len(blocks) - 0.5, -0.5)  # the first block on top
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", alpha=0.25)
    panel.set_axisbelow(True)


def _profile_title(network: Profile) -> str:
    size = f"{network.macs / 1e6:.2f} MMACs, {network.parameters:,} parameters"
    where = f"{network.device} at {network.precision or 'unknown precision'}"
    return f"{network.name}: median {network.latency_ms.median:.4f} ms on {where}; {size}"


def _in_order(roles: set[str]) -> list[str]:
    """Roles in the order of the colours, those without one last."""
    return [role for role in ROLE_COLOURS if role in roles] + sorted(roles - ROLE_COLOURS.keys())


def _role_patches(roles: set[str]) -> "list[Patch]":
    from matplotlib.patches import Patch

    return [Patch(color=ROLE_COLOURS.get(role, OTHER_ROLE), label=plain(role)) for role in _in_order(roles)]


def plain(text: str) -> str:
    """Text that matplotlib shows as it stands: a dollar sign would begin a formula."""
    return text.replace("$", r"\$")


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure; its format is the path's suffix (.png, .svg, .pdf)."""
    with replacing(path) as beside:
        if path.suffix == ".svg":
            with beside.open("wb") as file:
                write_svg(figure, file)
        else:
            figure.savefig(beside, dpi=150)


def write_svg(figure: "Figure", file: IO[bytes]) -> None:
    """Write a figure as SVG, the same bytes for the same figure: no date inside, and ids from a fixed salt."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "edge-toolkit"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
