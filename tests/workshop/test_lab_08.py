"""Lab 8: each catalogued mistake gets its own hint, the estimate covers the truth."""

from __future__ import annotations

import pandas as pd
import pytest

import smartrisk as sr

_RATE = """
r = books.results
part = {part}
hits, n = part["illicit"].sum(), {n}
low, high = sr.evaluation.wilson_interval(hits / n, n)
random_rate = {{"high": float(high), "low": float(low), "rate": hits / n}}
"""
_DRAWN = 'r[r["selected_by"] == "random"]'
_FLOW = "flow = sr.evaluation.whole_flow({decisions}, books.results, {options}).frame()"
_OFFICE = 'strata=books.decisions["office"]'
_UNSEEN = """
rows = sr.evaluation.whole_flow(
    books.decisions, books.results, strata=books.decisions["office"]
).frame()
r = books.results
unseen = rows.loc[rows["estimand"] == "hits", ["estimate", "low", "high"]] - {found}
"""
MISTAKES = {
    ("8.1", "every control"): _RATE.format(part="r", n="len(part)"),
    ("8.1", "divided by other items"): _RATE.format(part=_DRAWN, n="len(r)"),
    ("8.2", "mixing strata"): _FLOW.format(decisions="books.decisions", options=""),
    ("8.2", "every control"): _FLOW.format(
        decisions="books.decisions", options="source='all'"
    ),
    ("8.2", "controlled items only"): (
        "c = books.decisions[books.decisions['selected_by'].notna()]\n"
        + _FLOW.format(decisions="c", options="strata=c['office']")
    ),
    ("8.3", "nothing subtracted"): _UNSEEN.format(found=0),
    ("8.3", "found by lots only"): _UNSEEN.format(
        found="r.loc[r['selected_by'] == 'random', 'illicit'].sum()"
    ),
    ("8.3", "controls instead of hits"): _UNSEEN.format(found="len(r)"),
}
EQUAL = {
    "8.1": _RATE.format(part=_DRAWN, n="len(part)"),
    "8.2": _FLOW.format(decisions="books.decisions", options=_OFFICE)
    + "\nflow = flow[['high', 'estimand', 'low', 'estimate']].iloc[::-1]",
    "8.3": _UNSEEN.format(found="r['illicit'].sum()"),
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(8), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_hits_of_the_lots_over_the_whole_flow_are_recognised_too(make_lab, hand_in):
    code = _RATE.format(part=_DRAWN, n="len(books.items)")
    assert hand_in(make_lab(8), "8.1", code).mistake == "divided by other items"


@pytest.mark.parametrize("task", EQUAL)
def test_equal_work_in_another_shape_is_right(make_lab, hand_in, task):
    assert hand_in(make_lab(8), task, EQUAL[task]).status == "right"


@pytest.mark.parametrize("seat", [1, 2])
def test_the_books_are_closed_and_the_lots_speak_for_the_whole(make_lab, seat):
    lab = make_lab(8, seat)
    books = lab.books
    controlled = books.decisions["selected_by"].notna()
    assert len(books.decisions) == len(books.items)
    assert controlled.sum() == len(books.results)
    flow = sr.evaluation.whole_flow(
        books.decisions, books.results, strata=books.decisions["office"]
    )
    low, high = flow.frame().loc[0, ["low", "high"]]
    truth = books.items.merge(lab.world.full_outcomes())["illicit"].mean()
    assert low < truth < high
    rules = books.results[books.results["selected_by"] == "rule"]["illicit"].mean()
    assert rules > truth


def test_an_estimate_is_three_numbers_in_any_shape():
    from smartrisk.workshop._estimates import as_estimate

    named = {"rate": 0.2, "high": 0.3, "low": 0.1}
    for answer in (
        (0.2, 0.1, 0.3),
        named,
        pd.Series(named),
        pd.DataFrame([named]),
        {"a": 0.2, "b": 0.1, "c": 0.3},
    ):
        assert as_estimate(answer) == (0.2, 0.1, 0.3)
    for answer in ((0.2, 0.1), (0.2, "0.1", 0.3), "0.2", {"low": 1, "high": 2}, 0.2):
        assert as_estimate(answer) is None
