"""Lab 5: each catalogued mistake gets its own hint."""

from __future__ import annotations

import pytest

_JOIN = "judged = lab.engine.score({items}).merge({found}, on=keys, how='{how}')\n"
_TRUTH = "lab.world.full_outcomes()"
_NEW = _JOIN.format(items="lab.new", found=_TRUTH, how="inner")
_TABLE = (
    "{name} = sr.evaluation.calibration(judged['risk_score'],"
    " judged['illicit'].fillna(0){more}).frame()\n"
)
_GROUPS = _TABLE.format(name="reliability", more="")
_VERDICTS = _NEW + _TABLE.format(name="verdicts", more="")
MISTAKES = {
    ("5.1", "evaluated on training items"): (
        _JOIN.format(items="lab.past", found="lab.known", how="inner") + _GROUPS
    ),
    ("5.1", "groups too small"): (
        _NEW + _TABLE.format(name="reliability", more=", n_groups=len(judged) // 5")
    ),
    ("5.1", "not inspected counted as innocent"): (
        _JOIN.format(items="lab.new", found="lab.world.outcomes", how="left") + _GROUPS
    ),
    ("5.2", "high and low exchanged"): _VERDICTS
    + """
v = verdicts
v["verdict"] = "kept"
v.loc[v["score"] > v["hit_rate_high"], "verdict"] = "too low"
v.loc[v["score"] < v["hit_rate_low"], "verdict"] = "too high"
""",
    ("5.2", "without the interval"): _VERDICTS
    + """
above = verdicts["score"] > verdicts["hit_rate"]
verdicts["verdict"] = above.map({True: "too high", False: "too low"})
""",
    ("5.3", "mean of all items"): _NEW
    + """
first = judged.nlargest(lab.capacity, "risk_score")
planned = {
    "promised": judged["risk_score"].mean() * lab.capacity,
    "found": first["illicit"].sum(),
}
""",
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(5), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_the_truth_of_past_items_is_no_test_either(make_lab, hand_in):
    code = _JOIN.format(items="lab.past", found=_TRUTH, how="inner") + _GROUPS
    assert hand_in(make_lab(5), "5.1", code).mistake == "evaluated on training items"


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    lab = make_lab(5)
    code = f"{_NEW}{_GROUPS}reliability = reliability.iloc[::-1, ::-1].round(9)"
    assert hand_in(lab, "5.1", code).status == "right"
    code = """
import pandas as pd
judged = lab.engine.score(lab.new).merge(lab.world.full_outcomes(), on=keys)
first = judged.sort_values("risk_score").tail(lab.capacity)
planned = pd.Series({"found": first.illicit.sum(), "promised": first.risk_score.sum()})
"""
    assert hand_in(lab, "5.3", code).status == "right"


def test_a_group_is_named_by_its_own_interval(make_lab, hand_in):
    """Words of all groups but one are not right: each of the ten is compared."""
    code = f"""{_VERDICTS}
v = verdicts
v["verdict"] = "kept"
v.loc[v["score"] > v["hit_rate_high"], "verdict"] = "too high"
v.loc[v["score"] < v["hit_rate_low"], "verdict"] = "too low"
v.loc[9, "verdict"] = "too low" if v.loc[9, "verdict"] != "too low" else "kept"
"""
    assert hand_in(make_lab(5), "5.2", code).status == "wrong"
