"""The manager's page: what its words and tables state, and what they never state."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError
from smartrisk.languages import LANGUAGES
from smartrisk.pages import StatisticsReport
from smartrisk.pages._sparkline import draw_sparkline

NOT_ESTIMABLE = {
    "en": "not estimable: no random control has a result",
    "fr": "non estimable",
    "es": "no estimable",
}


@pytest.fixture(scope="module")
def world():
    """Return a small world."""
    return sr.datasets.make_declarations(3_000, scenario="small", random_state=0)


@pytest.fixture(scope="module")
def figures(world):
    """Return its figures by month and office."""
    return sr.statistics.enforcement(
        world.declarations,
        world.outcomes,
        world.decisions(),
        milestones=world.milestones(),
    )


@pytest.fixture(scope="module")
def report(figures):
    """Return its page."""
    return StatisticsReport.from_statistics(figures, currency="EUR")


@pytest.fixture(scope="module")
def html(report):
    """Return its page in English."""
    return report.to_html()


def block(html, name):
    """Return the part of a page on one indicator."""
    return re.search(
        rf'id="{name}">(.*?)(?=<div class="indicator|</section>)', html, re.S
    )[1]


def rows(text):
    """Return the rows of the tables of a part of a page as lists of texts."""
    found = re.findall(r"<tr>(.*?)</tr>", text, re.S)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in found]


def total_of(figures, name, part=""):
    """Return the figure of all together."""
    table = figures.frame()
    chosen = (table["month"] == "total") & (table["office"] == "total")
    table = table[chosen & (table["indicator"] == name) & (table["part"] == part)]
    return table.iloc[0]


def test_the_half_page_states_the_figures_of_the_result(figures, report):
    brief = report.brief()
    assert list(brief) == [
        *("What was expected", "What was found", "What was recovered"),
        *("What it cost", "What it does not show"),
    ]
    expected, found, recovered, cost, unknown = map(" ".join, brief.values())
    row = total_of(figures, "non_compliance")
    assert f"{100 * row['value']:.1f} %" in expected
    assert f"about {row['numerator']:,.0f} of {row['denominator']:,.0f} items" in (
        expected
    )
    row = total_of(figures, "hit_rate")
    assert f"An irregularity was found in {row['numerator']:.0f}: " in found
    assert f"{100 * row['value']:.1f} % ({100 * row['low']:.1f} %" in found
    assert f"n\u00a0=\u00a0{row['n']:.0f}" in found
    row = total_of(figures, "revenue_per_control")
    assert f"{row['numerator']:,.0f}, which is {row['value']:,.0f} per" in recovered
    row = total_of(figures, "control_rate")
    assert f"Controlled: {row['numerator']:,.0f} of {row['denominator']:,.0f}" in cost
    median = total_of(figures, "release_time", "median")["value"]
    assert f"median: {median:.0f} h" in cost
    assert "What controls miss is in no figure." in unknown
    pending = total_of(figures, "hit_rate")["pending"]
    assert f"does not count yet: {pending}." in unknown
    assert "2024-10, 2024-11, 2024-12" in unknown
    assert "cancelled or superseded by a milestone (" in unknown


def test_an_open_month_has_no_rate_and_states_what_is_pending(html):
    months = {row[0]: row for row in rows(block(html, "hit_rate")) if row}
    for month in ("2024-10", "2024-11", "2024-12"):
        _, value, interval, n, pending, why = months[month]
        assert (value, interval, n) == ("–", "", "0")
        assert int(pending) > 0
        assert why.startswith("open: younger than the age")
    closed = months["2024-05"]
    assert closed[1].endswith(" %")
    assert closed[5] == ""


def test_n_stands_beside_every_figure(html):
    lines = re.findall(
        r'<dd class="value">(.*?)</dd>\s*<dd class="meta">(.*?)</dd>', html, re.S
    )
    assert len(lines) > 40
    for value, beside in lines:
        if value == "–":
            assert re.search(r"absent|not estimable|open|fewer than 10", beside)
        else:
            assert re.search(r"n = [0-9]", beside)


def test_no_rate_on_fewer_than_ten_is_shown_without_its_interval(world):
    few = world.decisions()
    controlled = few["channel"] != "green"
    keep = controlled & (controlled.cumsum() <= 9)
    few["channel"] = few["channel"].where(keep, "green")
    figures = sr.statistics.enforcement(
        world.declarations, world.full_outcomes(), few, age=None
    )
    page = StatisticsReport.from_statistics(figures)
    html = page.to_html()
    shown = block(html, "revenue_per_control")
    assert '<dd class="value">–</dd>' in shown
    assert "fewer than 10" in shown
    assert "spark" not in shown
    rate = block(html, "hit_rate")
    assert re.search(r'<dd class="value">[0-9.]+ %</dd>', rate)
    assert re.search(r"% … [0-9.]+ % · n = \d\b", rate)
    assert "spark" not in rate
    assert not re.search(r"per control", " ".join(page.brief()["What was recovered"]))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_a_random_stratum_the_page_states_it_in_words(world, lang):
    ruled = world.decisions()
    ruled["selected_by"] = ruled["selected_by"].where(
        ruled["selected_by"].isna(), "rule"
    )
    page = StatisticsReport.from_statistics(
        sr.statistics.enforcement(
            world.declarations, world.outcomes, ruled.drop(columns="draw_probability")
        )
    )
    brief = page.brief(lang=lang)
    expected = next(iter(brief.values()))
    assert all(NOT_ESTIMABLE[lang] in text for text in expected)
    assert len(expected) == 2
    assert NOT_ESTIMABLE[lang] in block(page.to_html(lang=lang), "non_compliance")


def test_each_indicator_has_its_definition_one_click_away(figures, html):
    for name, one in figures.definitions.items():
        part = block(html, name)
        first = re.search(r"<details>.*?</details>", part, re.S)[0]
        assert one.numerator.replace("<", "&lt;") in first
        assert one.unit in ("item", "declaration")
        assert f"unit: {one.unit}" in first
    assert html.count("<details>") > len(figures.definitions)


def test_lines_have_the_offices_with_most_declarations_and_their_course(figures, html):
    part = block(html, "control_rate")
    table = figures.frame().query("indicator == 'lodged' and month == 'total'")
    table = table[table["office"] != "total"].sort_values(
        ["value", "office"], ascending=[False, True]
    )
    second = part.split("<table")[2]
    offices = [row[0] for row in rows(second) if row]
    assert offices == table["office"].head(10).tolist()
    # A course needs a month with ten declarations or more.
    assert 1 <= second.count('class="spark"') <= len(offices)


def test_a_selection_whose_interval_holds_one_is_not_called_better(figures, report):
    row = total_of(figures, "lift")
    text = " ".join(report.brief()["What was found"])
    assert row["low"] < 1 < row["high"]
    assert "No difference between selection by risk" in text


def test_other_groups_and_none_have_a_page(world):
    for by in ((), ("office",), ("quarter",), ("month", "office", "origin")):
        figures = sr.statistics.enforcement(
            world.declarations, world.outcomes, world.decisions(), by=by
        )
        html = StatisticsReport.from_statistics(figures).to_html()
        assert ('class="spark"' in html) == bool(set(by) & {"quarter", "month"})
        assert (">2024-Q3<" in html) == ("quarter" in by)
        tables = len(re.findall("<table", block(html, "hit_rate")))
        assert tables == len(by[:2])


def test_own_indicators_have_a_heading_of_their_own(world):
    own = """
    [[indicator]]
    id = "red_rate"
    measure = "share"
    numerator = "count where channel = red"
    denominator = "count where decided"
    name = {en = "Red rate", fr = "Taux rouge", es = "Tasa roja"}
    definition = {en = "Sent to red.", fr = "En rouge.", es = "En rojo."}
    """
    figures = sr.statistics.enforcement(
        world.declarations, world.outcomes, world.decisions(), definitions=own
    )
    html = StatisticsReport.from_statistics(figures).to_html()
    assert "Red rate" in html.split("Your own indicators")[1]


def test_items_are_called_items(world):
    figures = sr.statistics.enforcement(
        world.declarations, world.outcomes, unit="item", by=("month",)
    )
    html = StatisticsReport.from_statistics(figures).to_html()
    assert f"items lodged: {len(world.declarations):,}" in html


def test_what_is_no_result_is_refused():
    with pytest.raises(ArgumentError, match="must be a EnforcementStatistics"):
        StatisticsReport.from_statistics(pd.DataFrame())


def test_a_sparkline_is_interrupted_where_a_value_is_missing():
    values = np.array([1.0, 2.0, np.nan, 3.0, np.nan, np.nan])
    drawn = str(draw_sparkline(values, [False] * 4 + [True] * 2, "<lab&el>"))
    assert drawn.count("<polyline") == 1
    assert drawn.count("<circle") == 2
    assert re.findall(r'points="([^"]*)"', drawn) == ["8,40 65,24"]
    assert '<rect x="207"' in drawn
    assert 'aria-label="&lt;lab&amp;el&gt;"' in drawn


def test_a_sparkline_begins_at_zero():
    drawn = str(draw_sparkline(np.array([0.9, 1.0]), [False, False], "x"))
    first, second = re.findall(r",(\d+)", re.search(r'points="(.*?)"', drawn)[1])
    assert int(first) - int(second) < 8
    assert "rect" not in drawn
