"""The conflict through training, drawn: one panel for each part of the network."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_search.supernet.log import Entry
from edge_toolkit.figures import COLOURS, INK, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINES = {
    "between": ("without and with attention", COLOURS[0], "-"),
    "within": ("two of one sort", COLOURS[4], "--"),
}


def conflict_figure(entries: Sequence[Entry], what: str) -> "Figure":
    """Cosine of two networks' gradients on the weights that they share, over the epochs.

    Args:
        entries: the log of a training that looked at the conflict.
        what: was trained, for the title.
    """
    from matplotlib.figure import Figure

    looks = [(entry, entry.conflict) for entry in entries if entry.conflict is not None]
    parts = list(looks[0][1])
    figure = Figure(figsize=(2.6 * len(parts), 3.4), layout="constrained")
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    begins = [one.epoch - 1 for before, one in itertools.pairwise(entries) if one.phase != before.phase]
    for panel, part in zip(panels, parts, strict=True):
        for key, (label, colour, style) in LINES.items():
            values = [found[part][key] for _, found in looks]
            panel.plot([entry.epoch for entry, _ in looks], values, style, marker=".", color=colour, label=label)
        for epoch in begins:
            panel.axvline(epoch, color=INK, linewidth=0.6, linestyle=":", label="a phase ends")
        panel.axhline(0, color=INK, linewidth=0.6)
        panel.set_title(part, fontsize=10, color=INK)
        panel.set_xlabel("epoch")
        panel.set_xlim(0, entries[-1].epoch + 0.5)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("cosine of gradients")
    figure.suptitle(plain(what), fontsize=11, color=INK)
    handles, labels = panels[0].get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))  # each once
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=len(known), frameon=False)
    return figure
