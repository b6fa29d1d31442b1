"""Other plausible values of declared fields that lower the score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.explanations import LANGUAGES, counterfactuals


def test_a_plausible_value_that_scores_lower_is_listed(engine, past_and_new, world):
    past, new = past_and_new
    risky = new.loc[engine.score(new)["risk_score"].nlargest(20).index]
    found = counterfactuals(risky, engine.score, past)
    table = found.frame()
    assert len(table) > 5
    assert (table["risk_instead"] <= 0.9 * table["risk_score"]).all()
    assert (table.groupby(["declaration_id", "item_number"]).size() <= 3).all()
    assert not set(table["field"]) & {"importer_id", "declarant_id", "consignor_id"}
    for line in table.head(3).itertuples():
        key = (risky["declaration_id"] == line.declaration_id) & (
            risky["item_number"] == line.item_number
        )
        now = float(engine.score(risky[key])["risk_score"].iloc[0])
        assert now == pytest.approx(line.risk_score, rel=1e-9)
    for lang in LANGUAGES:
        assert not found.frame(lang=lang)["sentence"].str.contains("nan|None|{").any()
    assert "<table" in found._repr_html_()


def test_the_items_of_the_caller_are_not_changed(engine, past_and_new):
    past, new = past_and_new
    before = new.head(5).copy()
    counterfactuals(before, engine.score, past)
    pd.testing.assert_frame_equal(before, new.head(5))


def test_without_earlier_items_nothing_is_plausible():
    frame = pd.DataFrame({"declaration_id": ["A"], "tariff_code": ["6403991000"]})
    with pytest.raises(TableError, match="must hold earlier items"):
        counterfactuals(frame, list, frame.iloc[:0])
    assert len(counterfactuals(frame.iloc[:0], list, frame).frame()) == 0


def test_counterfactuals_take_an_engine_and_unusual_columns(engine, past_and_new):
    past, new = past_and_new
    risky = new.loc[engine.score(new)["risk_score"].nlargest(40).index]
    whole = counterfactuals(risky, engine, past).frame()
    # Preferences that no earlier item has are not plausible.
    bare = past.assign(preference=pd.Series(pd.NA, past.index, dtype=object))
    table = counterfactuals(risky, engine, bare).frame()
    assert "preference" not in set(table["field"])

    # Without a declared duty rate, another code is still plausible.
    def scored(frame):
        return engine.score(frame.assign(duty_rate=0.05), guard="off")

    codes = counterfactuals(
        risky.drop(columns="duty_rate"), scored, past, min_reduction=0.0
    )
    assert "tariff_code" in set(codes.frame()["field"])
    masses = whole[whole["field"] == "net_mass_kg"].merge(
        risky[["declaration_id", "item_number", "gross_mass_kg", "quantity_unit"]]
    )
    assert (masses["instead"] <= masses["gross_mass_kg"]).all()
    assert (masses["quantity_unit"] != "KGM").all()
    with pytest.raises(ArgumentError, match="'score' must return SCORES"):
        counterfactuals(risky, 3, past)


def test_another_duty_rate_leaves_the_other_taxes_as_they_are(past_and_new):
    seen = []

    def scored(frame):
        seen.append(frame)
        return frame[["declaration_id"]].assign(risk_score=0.5)

    past, new = past_and_new
    counterfactuals(new.head(60), scored, past, top=9)
    table = seen[0].iloc[60:]
    before = new.head(60).set_index(["lodged_at", "customs_value"])
    same = table[table["customs_value"].isin(new.head(60)["customs_value"])]
    n = 0
    for line in same.to_dict("records"):
        was = before.loc[[(line["lodged_at"], line["customs_value"])]].iloc[0]
        if line["tariff_code"] != was["tariff_code"]:
            duty = line["customs_value"] * (line["duty_rate"] - was["duty_rate"])
            expected = max(was["duties_taxes"] + duty, 0.0)
            assert line["duties_taxes"] == pytest.approx(expected)
            n += 1
    assert n > 10


@pytest.mark.parametrize(("least", "fields"), [(0.1, ["origin"]), (0.3, [])])
def test_a_change_is_listed_from_the_least_reduction_on(least, fields):
    item = {"tariff_code": "6403991000", "origin": "VN", "departure": "CN"}
    frame = pd.DataFrame([{"declaration_id": "A", "item_number": 1} | item])

    def score(items):
        lower = (items["origin"] == "CN") & (items["departure"] == "CN")
        other = (items["origin"] == "VN") & (items["departure"] == "VN")
        risk = np.where(lower, 0.4, np.where(other, 0.49, 0.5))
        return items[["declaration_id"]].assign(risk_score=risk)

    found = counterfactuals(frame, score, frame, min_reduction=least)
    table = found.frame()
    assert table["field"].tolist() == fields
    assert table["change"].tolist() == pytest.approx([-0.1] * len(fields))
    assert repr(found) == f"Counterfactuals(n_changes={len(fields)}, n_items=1)"
