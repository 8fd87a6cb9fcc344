"""The picture of a profile: where the time goes, block by block, beside the baseline's."""

from pathlib import Path
from typing import Any

from edge_deploy.profile import Profile
from edge_toolkit.errors import InputError
from edge_toolkit.extras import require
from edge_toolkit.files import replacing

COLOURS = {
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
    "runtime": "#cccccc",
    "binding": "#e8e8e8",
}
"""A colour for each role. Source: Paul Tol's qualitative schemes, which the colour-blind can tell apart."""


def write_plot(path: Path, made: Profile) -> None:
    """Draw horizontal bars, one a block, stacked by role; the baseline's below on the same scale.

    Args:
        path: a .png or .svg file.
        made: the profile.

    Raises:
        InputError: the file would be of another kind.
        MissingError: matplotlib is not installed.
    """
    check_plot(path)
    from matplotlib.figure import Figure

    both = [each for each in (made, made.baseline) if each is not None]
    heights = [len(dict.fromkeys(row.block for row in each.rows)) for each in both]
    figure = Figure(figsize=(8, 0.9 + 0.26 * sum(heights) + 0.5 * len(both)), layout="constrained")
    axes = figure.subplots(len(both), sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, each in zip(axes, both, strict=True):
        _bars(axis, each)
    axes[-1].set_xlabel("time of one inference (us)")
    figure.legend(handles=_handles(both), loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=150)


def check_plot(path: Path) -> None:
    """See that a plot can be written, before the measuring.

    Raises:
        InputError: the file's name ends in neither .png nor .svg.
        MissingError: matplotlib is not installed.
    """
    if path.suffix not in (".png", ".svg"):
        raise InputError(f"--plot {path}: must end in .png or .svg")
    require("search", "matplotlib")


def _bars(axis: Any, made: Profile) -> None:
    blocks = list(dict.fromkeys(row.block for row in made.rows))
    left = [0.0] * len(blocks)
    for role, colour in COLOURS.items():
        for place, block in enumerate(blocks):
            width = sum(row.time_us for row in made.rows if row.block == block and row.role == role)
            axis.barh(place, width, left=left[place], color=colour)
            left[place] += width
    latency = made.latency_ms
    title = f"{Path(made.target).name}: median {latency.median:.3f} ms, {made.macs / 1e6:.2f} MMACs"
    axis.set_title(title, loc="left", fontsize=9)
    axis.set_yticks(range(len(blocks)), blocks, fontsize=8)
    axis.set_ylim(len(blocks) - 0.5, -0.5)  # the first block on top
    axis.spines[["top", "right"]].set_visible(False)


def _handles(both: list[Profile]) -> list[Any]:
    from matplotlib.patches import Patch

    roles = {row.role for each in both for row in each.rows}
    return [Patch(color=colour, label=role) for role, colour in COLOURS.items() if role in roles]
