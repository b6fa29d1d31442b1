"""Lab 9: each catalogued mistake gets its own hint, and the rule decides by seat."""

from __future__ import annotations

import pytest

_MOVED = """
t = sr.monitoring.drift(later.{first}, later.{second}).frame()
moved = t[t["shift"].isin({shifts})][["psi", "field"]].iloc[::-1]
"""
_RATES = """
import pandas as pd
c = later.controls
c = {controls}
month = c["{by}"].dt.to_period("M")
c = c[month < pd.Period("{until}")]
illicit = c.groupby(month.rename("month"))["illicit"]
rates = illicit.agg(hit_rate="mean", n_results="size")
"""
_KNOWN = 'c[c["known_at"].notna()]'
_MATURE, _ALL = "2024-07", "2025-01"
_ALL_SHIFTS = ["large", "moderate", "stable"]
_DECISION = """
scores = [e.score(later.coming, guard="off") for e in (later.refitted, later.engine)]
g = sr.evaluation.paired_gain(*scores{order}, later.truth)
decision = {{"low": g.low, "high": g.high, "gain": g.gain, "refit": {refit}}}
"""
MISTAKES = {
    ("9.1", "periods exchanged"): _MOVED.format(
        first="last_quarter", second="first_year", shifts=["large"]
    ),
    ("9.1", "smaller shifts too"): _MOVED.format(
        first="first_year", second="last_quarter", shifts=_ALL_SHIFTS
    ),
    ("9.2", "months of unequal maturity"): _RATES.format(
        controls=_KNOWN, by="lodged_at", until=_ALL
    ),
    ("9.2", "no result counted as compliant"): _RATES.format(
        controls='c.fillna({"illicit": 0})', by="lodged_at", until=_MATURE
    ),
    ("9.2", "month of the result"): _RATES.format(
        controls=_KNOWN, by="known_at", until=_ALL
    ),
    ("9.3", "engines exchanged"): _DECISION.format(order="[::-1]", refit="g.low > 0"),
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(9), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


@pytest.mark.parametrize("seat", [1, 6])
def test_the_rule_decides_whatever_the_gain(make_lab, hand_in, seat):
    """One of these seats gains for certain, the gain of the other may be chance."""
    lab = make_lab(9, seat)
    answers = {
        refit: hand_in(lab, "9.3", _DECISION.format(order="", refit=refit))
        for refit in (True, False)
    }
    mistakes = {refit: found.mistake for refit, found in answers.items()}
    assert (
        mistakes
        == {
            1: {True: "", False: "a certain gain refused"},
            6: {True: "chance taken for a gain", False: ""},
        }[seat]
    )
    assert sorted(found.status for found in answers.values()) == ["mistake", "right"]


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    code = _RATES.format(controls=_KNOWN, by="lodged_at", until=_MATURE)
    assert hand_in(make_lab(9), "9.2", code).status == "right"
    code = _MOVED.format(first="first_year", second="last_quarter", shifts=["large"])
    assert hand_in(make_lab(9), "9.1", code).status == "right"
