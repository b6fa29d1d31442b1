"""Lab 4: each catalogued mistake gets its own hint."""

from __future__ import annotations

import pytest

_KEYS = '["declaration_id", "item_number"]'
_RANK = f"r = lab.engine.score(lab.new).sort_values('risk_score')[{_KEYS}]"
_COUNT = """
import pandas as pd
keys = ["declaration_id", "item_number"]
t = lab.new.merge({outcomes}, on=keys, how="left").fillna(
    {{"illicit": 0, "revenue_adjustment": 0}}
)
t = t.merge(lab.engine.score(lab.new)[[*keys, "risk_score"]], on=keys)
n = lab.capacity
parts = {{
    "model": t.sort_values("risk_score", ascending={up}, kind="stable").head(n),
    "duty": t.sort_values("duties_taxes", ascending={up}, kind="stable").head(n),
    "random": lab.draw()[keys].merge(t, on=keys),
}}
total = t["revenue_adjustment"].sum()
orders = pd.DataFrame({{
    "revenue_share": [
        {x} * p["revenue_adjustment"].sum() / total for p in parts.values()
    ],
    "precision": [{x} * p["illicit"].mean() for p in parts.values()],
    "order": list(parts),
}})
"""
_TRUTH, _SEEN = "lab.world.full_outcomes()", "lab.world.outcomes"
MISTAKES = {
    ("4.1", "sorted upwards"): f"{_RANK}\nfirst_ten = r.head(10)",
    ("4.1", "in another order"): f"{_RANK}\nfirst_ten = r.tail(10)",
    ("4.2", "not inspected counted as innocent"): _COUNT.format(
        outcomes=_SEEN, up=False, x=1
    ),
    ("4.2", "sorted upwards"): _COUNT.format(outcomes=_TRUTH, up=True, x=1),
    ("4.2", "percentages"): _COUNT.format(outcomes=_TRUTH, up=False, x=100),
    ("4.3", "either instead of both"): f"""
import pandas as pd
r = lab.engine.score(lab.new).nlargest(lab.capacity, "risk_score")[{_KEYS}]
d = lab.new.nlargest(lab.capacity, "duties_taxes")[{_KEYS}]
both = pd.concat([r, d]).drop_duplicates()
""",
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(4), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    code = _COUNT.format(outcomes=_TRUTH, up=False, x=1)
    assert hand_in(make_lab(4), "4.2", code).status == "right"
