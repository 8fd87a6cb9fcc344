"""Figures that more than one command draws, by matplotlib, which is loaded when one is drawn."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_toolkit.files import replacing
from edge_toolkit.front import Front

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#24292f"
BUDGET = "#c2410c"
COLOURS = ("#2563eb", "#0d9488", "#9333ea", "#d97706", "#64748b", "#db2777", "#16a34a", "#94a3b8", "#475569")

PANELS = (("latency_ms", "latency (ms)"), ("energy_mj", "energy (mJ)"))


def front_figure(front: Front) -> "Figure":
    """Accuracy against latency and against energy, with the budgets drawn and the picks named."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for panel, (cost, label) in zip(axes, PANELS, strict=True):
        _front_panel(panel, front, cost)
        origin = front.candidates[0].origin[cost]
        panel.set_xlabel(f"{label}, {origin} on {front.device}")
    axes[0].set_ylabel(f"accuracy (%), {front.candidates[0].origin['accuracy']}, validation")
    figure.suptitle(
        f"{front.run}: {len(front.candidates)} of {front.evaluated} networks of {front.space} on {front.data}"
    )
    return figure


def _front_panel(panel: "Axes", front: Front, cost: str) -> None:
    x = [candidate.costs[cost] for candidate in front.candidates]
    y = [100 * candidate.accuracy for candidate in front.candidates]
    panel.scatter(x, y, color=COLOURS[0], s=28, zorder=3)
    for index in set(front.picks.values()):
        names = ", ".join(name for name, at in front.picks.items() if at == index)
        panel.scatter([x[index]], [y[index]], facecolors="none", edgecolors=INK, s=90, zorder=4)
        left = x[index] > 0.5 * max(x)  # towards the middle, where there is room
        offset, align = ((-8, -3), "right") if left else ((8, -3), "left")
        panel.annotate(names, (x[index], y[index]), offset, textcoords="offset points", ha=align, fontsize=8, color=INK)
    bound = front.budget.bounds.get(cost)
    if bound is not None:
        panel.axvline(bound, color=BUDGET, linestyle="--")
        panel.annotate(
            "budget",
            (bound, 0.02),
            xycoords=("data", "axes fraction"),
            fontsize=8,
            color=BUDGET,
            rotation=90,
            ha="right",
        )
    panel.set_xlim(left=0)
    panel.grid(alpha=0.25)


def save_figure(figure: "Figure", path: Path) -> None:
    """Write a figure; its format is the path's suffix (.png, .svg, .pdf)."""
    with replacing(path) as beside:
        # No date inside, so that the same figure is the same file.
        metadata: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(beside, dpi=150, metadata=metadata)
