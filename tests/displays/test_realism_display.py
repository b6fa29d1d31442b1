"""The picture of the realism report."""

from __future__ import annotations

import pytest

from smartrisk.datasets import make_declarations, realism
from smartrisk.displays import RealismDisplay
from smartrisk.displays._figure_names import FIGURE_NAMES
from smartrisk.displays._realism import _RATIOS
from smartrisk.worlds._published_figures import ANCHORS


@pytest.fixture(scope="module")
def report():
    world = make_declarations(5_000, random_state=0, scenario="parcels")
    return realism(world, reference=make_declarations(2_000, random_state=1))


@pytest.mark.slow
def test_every_known_figure_has_its_row_and_its_dot(report):
    display = RealismDisplay.from_realism(report).plot()
    frame = display.frame()
    known = frame[frame["value"].notna()]
    labels = [t.get_text() for ax in display.ax_ for t in ax.get_yticklabels()]
    assert sorted(labels) == sorted(known["figure"])
    outside = [
        line
        for ax in display.ax_
        for line in ax.lines
        if line.get_markerfacecolor() == "white"
    ]
    assert sum(len(line.get_xdata()) for line in outside) == len(report.outside)
    drawn = {
        round(float(x), 9)
        for ax in display.ax_
        for line in ax.lines
        if line.get_marker() == "o"
        for x in line.get_xdata()
    }
    assert drawn == {round(float(x), 9) for x in known["value"]}


@pytest.mark.slow
def test_the_bytes_are_the_same_every_time(report, tmp_path):
    display = RealismDisplay.from_realism(report)
    first = display.save(tmp_path / "a.svg").read_bytes()
    assert display.save(tmp_path / "b.svg").read_bytes() == first


def test_every_figure_of_the_report_has_its_words_and_its_axis():
    figures = [anchor.figure for anchor in ANCHORS]
    assert sorted(FIGURE_NAMES) == sorted(figures)
    assert set(_RATIOS) <= set(figures)
