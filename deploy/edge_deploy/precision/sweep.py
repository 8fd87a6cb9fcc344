"""The sensitivity sweep as a file, a table and a figure: which blocks int8 hurts, and what keeping them brought."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from rich.table import Table

from edge_deploy.precision.mix import Sweep
from edge_toolkit.console import table
from edge_toolkit.files import checked, read_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SWEEP = "sensitivity.json"
"""Its name in a bundle."""


def sweep_file(found: Sweep) -> bytes:
    """The sweep as JSON; the same one gives the same bytes."""
    return (json.dumps(asdict(found), indent=2) + "\n").encode()


def read_sweep(path: Path) -> Sweep:
    """The sweep in a file.

    Raises:
        InputError: the file is missing, or breaks a rule.
    """
    return checked(_ADAPTER, read_json(path), str(path))


def sweep_tables(found: Sweep) -> Sequence[Table | str]:
    """The blocks, the most sensitive first, and the mixes in the order in which they were tried."""
    blocks = [(each.block, f"{each.snr_db:.1f}", each.lost) for each in found.sensitivities]
    mixes = [
        (", ".join(each.kept) or "none", each.right, "yes" if each.right >= found.wanted else "no")
        for each in found.tried
    ]
    return [
        table(("block, alone in int8", "signal to noise dB", "right answers lost"), blocks),
        "",
        table(("kept in f32", "right", f"at least {found.wanted}"), mixes),
    ]


def sweep_figure(found: Sweep) -> "Figure":
    """Each block's signal to noise, and the right answers of each mix against the bound."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    blocks, mixes = figure.subplots(1, 2)
    blocks.barh([each.block for each in found.sensitivities][::-1], [each.snr_db for each in found.sensitivities][::-1])
    blocks.set_xlabel("signal to noise of the logits, this block alone in int8 (dB)")
    mixes.plot(range(len(found.tried)), [each.right for each in found.tried], marker="o")
    mixes.axhline(found.wanted, color="#c2410c", linestyle="--", label="the bound")
    mixes.set_xlabel("blocks kept in f32, the most sensitive first")
    mixes.set_ylabel("right answers, validation")
    mixes.legend()
    return figure


_ADAPTER: TypeAdapter[Sweep] = TypeAdapter(Sweep)
