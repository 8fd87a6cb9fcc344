"""The plot of the conflict, by what matplotlib was told to draw."""

from edge_search.supernet.conflict_figure import conflict_figure
from edge_search.supernet.log import Entry


def test_each_part_has_its_cosines_over_the_epochs() -> None:
    looks = {
        epoch: {
            "stem": {"between": 0.1 * epoch, "within": 0.2 * epoch},
            "head": {"between": -0.1 * epoch, "within": 0.9},
        }
        for epoch in (2, 4)
    }
    entries = [Entry(epoch, 3 * epoch, epoch // 3, 0.1, 1.0, 1.0, looks.get(epoch)) for epoch in range(1, 5)]
    panels = conflict_figure(entries, "a recipe on data").axes
    assert [panel.get_title() for panel in panels] == ["stem", "head"]
    for panel in panels:
        for kind, label in (("between", "without and with attention"), ("within", "two of one sort")):
            line = next(line for line in panel.lines if line.get_label() == label)
            assert list(line.get_xdata()) == [2, 4]
            assert list(line.get_ydata()) == [looks[epoch][panel.get_title()][kind] for epoch in (2, 4)]
        dotted = [line for line in panel.lines if line.get_linestyle() == ":"]
        assert [list(line.get_xdata()) for line in dotted] == [[2, 2]], "the second phase begins behind epoch 2"
