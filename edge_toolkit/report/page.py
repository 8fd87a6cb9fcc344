"""The page: a run's evidence laid into the template."""

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edge_toolkit import __version__
from edge_toolkit.files import write_text
from edge_toolkit.report import grids, headline
from edge_toolkit.report.blocks import blocks_grid
from edge_toolkit.report.provenance import provenance
from edge_toolkit.report.sources import Evidence, read_evidence

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

    from edge_toolkit.runs import RunFolder


def report(run: "RunFolder") -> "Path":
    """Write the page of a run, from its files alone; nothing is measured anew.

    Args:
        run: an existing run; what it lacks, the page names with the command that makes it.

    Returns:
        The page, `RUN/report.html`.

    Raises:
        InputError: a file of the run breaks a rule.
    """
    return write_page(read_evidence(run))


def write_page(evidence: Evidence) -> "Path":
    """Write the page of evidence that is read already."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("edge_toolkit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    path = evidence.run.report
    write_text(path, environment.get_template("report.html").render(_content(evidence)))
    return path


def _content(evidence: Evidence) -> Mapping[str, Any]:
    front, profile, spec = evidence.front, evidence.profile, evidence.spec
    return {
        "version": __version__,
        "run": evidence.run.name,
        "pick": evidence.pick,
        "tiles": headline.tiles(evidence),
        "warnings": headline.warnings(evidence),
        "missing": headline.commands(evidence),
        "asked": grids.asked_grid(evidence),
        "front": grids.front_grid(evidence, front) if front else None,
        "blocks": blocks_grid(spec, profile) if spec else None,
        "models": grids.models_grid(evidence) if evidence.models else None,
        "roles": grids.roles_grid(profile) if profile else None,
        "rows": [(each.name, grids.rows_grid(each)) for each in profile.both] if profile else [],
        "machine": grids.machine_grid(evidence),
        "versions": grids.versions_grid(evidence),
        "provenance": provenance(evidence),
        **_figures(evidence),
    }


def _figures(evidence: Evidence) -> dict[str, str | None]:
    """The figures as addresses that hold the picture itself."""
    from edge_toolkit.figures import front_figure, profile_figure

    front, profile = evidence.front, evidence.profile
    return {
        "front_picture": _picture(front_figure(front)) if front and front.candidates else None,
        "profile_picture": _picture(profile_figure(profile)) if profile else None,
    }


def _picture(figure: "Figure") -> str:
    """A figure as an SVG in a `data:` address, so that the ids inside it are its own."""
    from edge_toolkit.figures import write_svg

    buffer = io.BytesIO()
    write_svg(figure, buffer)
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
