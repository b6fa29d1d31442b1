"""Lab 6: each catalogued mistake gets its own hint."""

from __future__ import annotations

import pytest

_COPY = "cleared = lab.case.copy()\n"
MISTAKES = {
    ("6.1", "reasons to release"): (
        "three = lab.engine.explain(lab.case, top=3).release.frame()"
    ),
    ("6.1", "another item"): "three = lab.engine.explain(last, top=3).frame()",
    ("6.2", "largest value taken as the cause"): """
import pandas as pd
numbers = pd.to_numeric(parts["declared"].where(
    [str(lab.case[name].dtype) == "float64" for name in parts["field"]]
))
moved = parts.loc[numbers.nlargest(3).index, ["contribution", "field"]]
""",
    ("6.2", "fields that lower the risk"): (
        "moved = parts.sort_values('contribution').head(3)"
    ),
    ("6.3", "a field that the trader cannot know"): _COPY
    + "cleared['importer_id'] = lab.past['importer_id'].value_counts().index[0]",
    ("6.3", "several fields at once"): _COPY
    + "cleared['customs_value'] *= 3\ncleared['net_mass_kg'] /= 2",
    ("6.3", "a value beyond all earlier items"): _COPY
    + "cleared['customs_value'] = 1e12",
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(6), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_a_change_that_leaves_the_risk_above_the_limit_is_not_right(make_lab, hand_in):
    for change in ("", "cleared['customs_value'] *= 1.0001\n"):
        found = hand_in(make_lab(6), "6.3", _COPY + change)
        assert (found.status, found.mistake) == ("wrong", "")


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    lab = make_lab(6)
    code = "moved = parts.sort_values('contribution').iloc[::-1, ::-1].head(3)"
    assert hand_in(lab, "6.2", code).status == "right"
    code = "three = lab.engine.explain(lab.case).frame(lang='fr').iloc[::-1]"
    assert hand_in(lab, "6.1", code).status == "right"


@pytest.mark.parametrize("seat", [1, 2])
def test_a_case_is_among_the_selected_and_its_usual_value_releases_it(make_lab, seat):
    lab = make_lab(6, seat=seat)
    risk = lab.engine.score(lab.new)["risk_score"]
    assert risk[lab.case.index[0]] >= risk.nlargest(lab.capacity).min()
    assert lab.case["customs_value"].iloc[0] >= 1_000
