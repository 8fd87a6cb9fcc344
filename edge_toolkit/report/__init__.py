"""The page of a run: one HTML file that opens offline, made from the run's files alone.

sources       what the files hold, checked at the door
grids         the page's tables
blocks        a network block by block
headline      the pick in a few figures, and what a reader should know first
provenance    how each number was taken
page          the template, filled in
"""

from edge_toolkit.report.page import report

__all__ = ["report"]
