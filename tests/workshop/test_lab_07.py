"""Lab 7: each catalogued mistake gets its own hint."""

from __future__ import annotations

import pytest

_BY_HAND = """
import pandas as pd
keys = ["declaration_id", "item_number"]
n = lab.roster.controls
r = lab.engine.score(lab.new).sort_values("risk_score", ascending=False)[keys]
m = r.head(n - n // 10).assign(selected_by="model")
x = ({lots}).assign(selected_by="random")
by_hand = pd.concat([x, m])
"""
_POLICY = """
must = (lab.new["importer_id"] == lab.roster.court_order).fillna(False).to_numpy(bool)
{name} = sr.selectivity.Policy({settings}).select(scores, lab.new{more})
"""
_MUST = ", mandatory=must"


def decide(name, settings, more=_MUST):
    """Return the code of a learner who decides with a policy."""
    return _POLICY.format(name=name, settings=settings, more=more)


MISTAKES = {
    ("7.1", "random share taken from the top"): _BY_HAND.format(
        lots="r.iloc[n - n // 10 : n]"
    ),
    ("7.1", "random share taken from the bottom"): _BY_HAND.format(
        lots="r.tail(n // 10)"
    ),
    ("7.2", "a share instead of a number"): decide("decided", "capacity=0.05"),
    ("7.2", "court order forgotten"): decide(
        "decided", "capacity=lab.roster.controls", ""
    ),
    ("7.2", "no random share"): decide(
        "decided", "capacity=lab.roster.controls, random_share=0.0"
    ),
    ("7.3", "divided by size"): decide(
        "limited", "capacity=lab.roster.controls, per='office'"
    ),
    ("7.3", "limits ignored"): decide("limited", "capacity=lab.roster.controls"),
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(7), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_equal_work_with_other_lots_is_right(make_lab, hand_in):
    lab = make_lab(7)
    lots = "r.iloc[n - n // 10 :].sample(n // 10, random_state=3)"
    assert hand_in(lab, "7.1", _BY_HAND.format(lots=lots)).status == "right"
    for task, name, settings in (
        ("7.2", "decided", "capacity=lab.roster.controls, random_state=5, red_share=1"),
        ("7.3", "limited", "capacity=lab.roster.limits, per='office', random_state=5"),
    ):
        code = f"{decide(name, settings)}{name} = {name}.iloc[::-1, ::-1]"
        assert hand_in(lab, task, code).status == "right", task


def test_lots_with_a_model_that_skips_the_top_are_not_right(make_lab, hand_in):
    code = _BY_HAND.format(lots="r.tail(1000).sample(n // 10, random_state=3)").replace(
        "r.head(n - n // 10)", "r.iloc[n : 2 * n - n // 10]"
    )
    assert hand_in(make_lab(7), "7.1", code).status == "wrong"


@pytest.mark.parametrize("seat", [1, 2])
def test_a_roster_has_a_limit_for_every_office(make_lab, seat):
    lab = make_lab(7, seat=seat)
    roster = lab.roster
    assert set(roster.limits) == set(lab.new["office"])
    assert sum(roster.limits.values()) == roster.controls
    assert min(roster.limits.values()) >= 1
    assert 4 <= (lab.new["importer_id"] == roster.court_order).sum() <= 8
