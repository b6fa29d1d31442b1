"""Checks, statements, reasons to release, what would have lowered, what matters."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.explanations import (
    CONCEPTS,
    LANGUAGES,
    counterfactuals,
    dependence,
    explain,
    importance,
    removal,
    segment_profile,
    stability,
)
from smartrisk.explanations._wording import Wording
from smartrisk.features import FeatureInfo


@pytest.fixture(scope="module")
def new(past_and_new):
    """Return some later items."""
    return past_and_new[1].iloc[:300]


@pytest.fixture(scope="module")
def reasons(engine, new):
    """Return their reasons."""
    return engine.explain(new, top=3)


def made(contributions, concepts, fields=None):
    """Return reasons of one item with a feature per concept."""
    frame = pd.DataFrame({"declaration_id": ["A"], "item_number": [1]})
    infos = [
        FeatureInfo(
            name=f"f{n}",
            fields=((fields or {}).get(n, f"field{n}"),),
            concept=concept,
            statistic="value",
        )
        for n, concept in enumerate(concepts)
    ]
    matrix = np.ones((1, len(infos)))
    return explain(frame, matrix, [[*contributions, -2.0]], infos, risk=[0.3])


# ------------------------------------------------------------------ what is told


def test_each_concept_is_told_before_a_second_reason_of_one():
    concepts = ["valuation", "valuation", "valuation", "classification", "quantity"]
    told = made([0.9, 0.8, 0.7, 0.2, 0.05], concepts).frame()
    assert told["concept"].tolist() == ["valuation", "valuation", "classification"]
    assert told["contribution"].tolist() == [0.9, 0.8, 0.2]  # 0.05 is too weak


def test_what_says_the_same_comes_last():
    same = {0: "consignor_id", 1: "consignor_id"}
    found = made(
        [0.9, 0.8, 0.3, 0.2], ["novelty", "trader record", *CONCEPTS[:2]], same
    )
    assert found.frame()["concept"].tolist() == ["novelty", *CONCEPTS[:2]]


def test_a_declared_code_is_said_with_what_its_inspections_found():
    code = FeatureInfo(
        name="hs6__code",
        fields=("tariff_code",),
        concept="classification",
        statistic="code",
    )
    record = [
        FeatureInfo(
            name=f"hs6__{name}",
            fields=("tariff_code",),
            concept="trader record",
            statistic=name,
            key=("hs6",),
        )
        for name in ("inspections", "hits")
    ]
    frame = pd.DataFrame({"declaration_id": ["A"], "tariff_code": ["5606200000"]})
    infos = [code, *record]
    found = explain(frame, [[1.0, 35.0, 8.0]], [[0.8, 0.0, 0.0, -2.0]], infos)
    assert found.sentences() == [
        [
            "declared: tariff code 5606.20.0000; 8 of 35 earlier inspections of "
            "5606.20 with known result found an irregularity"
        ]
    ]
    assert '"more"' in found.frame()["evidence"].iloc[0]
    never = explain(frame, [[1.0, 0.0, 0.0]], [[0.8, 0.0, 0.0, -2.0]], infos)
    assert never.sentences() == [["declared: tariff code 5606.20.0000"]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_concept_has_a_check_of_its_own(lang):
    words = Wording(lang)
    checks = {words.check(concept) for concept in (*CONCEPTS, "other")}
    assert len(checks) == len(CONCEPTS) + 1
    assert words.check("a concept of tomorrow") == words.check("other")


def test_checks_are_listed_once_and_in_the_order_of_the_reasons(reasons):
    for said, item in zip(reasons.checks(), reasons, strict=True):
        assert said == list(dict.fromkeys(item.frame()["check"]))


@pytest.mark.parametrize(
    ("risk", "told"),
    [
        (0.3, "of 100 items with such a score about 30 turn out"),
        (
            0.0123,
            "of 100 items with such a score about 1 turns out",
        ),
        (
            0.0042,
            "of 1,000 items with such a score about 4 turn out",
        ),
        (0.0001, "of 1,000 items with such a score fewer than one"),
        (1.0, "of 100 items with such a score about 99 turn out"),
    ],
)
def test_strength_is_said_as_a_count_of_similar_items(risk, told):
    said = Wording("en").statement(risk)
    assert said.startswith(f"by earlier results, {told}")


def test_statements_follow_the_calibrated_score(engine, new, reasons):
    score = engine.score(new)["risk_score"]
    np.testing.assert_allclose(reasons.risk, score, rtol=1e-9)
    assert reasons[3].statements(lang="fr") == [reasons.statements(lang="fr")[3]]


def test_without_a_probability_nothing_is_stated():
    frame = pd.DataFrame({"declaration_id": ["A"], "item_number": [1]})
    with pytest.raises(ArgumentError, match="no calibrated probability"):
        explain(frame, np.empty((1, 0)), [[0.1]], []).statements()
    with pytest.raises(ArgumentError, match="one probability for each of the 1 items"):
        explain(frame, np.empty((1, 0)), [[0.1]], [], risk=[1.2])


def test_reasons_to_release_are_what_lowers_the_score(reasons):
    lowers = reasons.release
    told = lowers.frame()
    assert (told["contribution"] < 0).all()
    assert (told.groupby(["declaration_id", "item_number"]).size() <= 3).all()
    assert set(told["strength"]) >= {"slight", "weak"}  # by size, not by sign
    np.testing.assert_array_equal(lowers.raw_score, reasons.raw_score)
    assert lowers.release.frame().equals(reasons.frame())
    assert lowers[0].sentences() == lowers.sentences()[:1]
    assert "Motivos de levante" in lowers.to_html(lang="es")


# ------------------------------------------------------------------ instead


def test_a_plausible_value_that_scores_lower_is_told(engine, past_and_new, world):
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


def test_what_is_asked_for_is_as_it_was(engine, past_and_new):
    past, new = past_and_new
    before = new.head(5).copy()
    counterfactuals(before, engine.score, past)
    pd.testing.assert_frame_equal(before, new.head(5))


def test_no_item_and_no_past():
    frame = pd.DataFrame({"declaration_id": ["A"], "tariff_code": ["6403991000"]})
    with pytest.raises(TableError, match="must hold earlier items"):
        counterfactuals(frame, list, frame.iloc[:0])
    assert len(counterfactuals(frame.iloc[:0], list, frame).frame()) == 0


# ------------------------------------------------------------------ removal


def test_removing_the_first_reason_moves_the_score(engine, new, reasons):
    others = engine.features_.transform(new)
    told = removal(reasons, engine.classifier_.raw_score, others).frame()
    assert (told["moved"] > 0).mean() > 0.9
    lower = removal(reasons.release, engine.classifier_.raw_score, others).frame()
    assert (lower["moved"] < 0).mean() > 0.9
    with pytest.raises(ArgumentError, match="must have the"):
        removal(reasons, engine.classifier_.raw_score, np.ones((3, 2)))


def test_removal_replaces_the_reason_and_nothing_else():
    found = made([0.9, 0.2], ["valuation", "quantity"])
    seen = []

    def score(matrix):
        seen.append(matrix.copy())
        return matrix[:, 0]

    told = removal(found, score, np.full((4, 2), 5.0)).frame()
    np.testing.assert_array_equal(seen[0], np.tile([5.0, 1.0], (4, 1)))
    assert told["without"].tolist() == [5.0]


# ------------------------------------------------------------------ many items


def test_importance_covers_its_estimate_and_adds_up(reasons):
    for by in ("concept", "field", "feature"):
        told = importance(reasons, by, n_bootstrap=50).frame()
        assert told["share"].sum() == pytest.approx(1.0)
        assert (told["low"] <= told["mean_abs"] + 1e-12).all()
        assert (told["mean_abs"] <= told["high"] + 1e-12).all()
        assert told["mean_abs"].is_monotonic_decreasing
    with pytest.raises(ArgumentError, match="'by' must be one of"):
        importance(reasons, "office")
    with pytest.raises(ArgumentError, match="no item"):
        importance(reasons[:0])


def test_stability_of_all_periods_is_the_importance(reasons):
    told = stability(reasons, period="W").frame()
    weights = told["mean_abs"] * told["n_items"]
    whole = weights.groupby(told["name"]).sum() / len(reasons)
    overall = importance(reasons, n_bootstrap=1).frame().set_index("name")["mean_abs"]
    pd.testing.assert_series_equal(
        whole.sort_index(), overall.sort_index(), check_names=False
    )
    first = told.groupby("period")["share"].sum()
    np.testing.assert_allclose(first, 1.0)


def test_dependence_cuts_the_items_and_keeps_the_mean(reasons):
    told = dependence(reasons, "duty_rate", n_bins=4).frame()
    assert told["n_items"].sum() == len(reasons)
    mean = (told["mean"] * told["n_items"]).sum() / len(reasons)
    place = reasons.shap.feature_names.index("duty_rate")
    assert mean == pytest.approx(reasons.shap.values[:, place].mean())
    with pytest.raises(ArgumentError, match="Did you mean 'duty_rate'"):
        dependence(reasons, "duty_rat")


def test_a_segment_profile_adds_up_to_the_mean_score(reasons):
    told = segment_profile(reasons, "office").frame()
    parts = told.drop(columns=["segment", "n_items", "raw_score"]).sum(axis=1)
    np.testing.assert_allclose(parts, told["raw_score"])
    with pytest.raises(ArgumentError, match="no field 'offices'"):
        segment_profile(reasons, "offices")
    with pytest.raises(ArgumentError, match="one value for each"):
        segment_profile(reasons, ["a"])


# ------------------------------------------------------------------ strength, shap


def test_weaker_reasons_can_be_left_out(reasons):
    every, firm = reasons.frame(), reasons.at_least("clear").frame()
    counts = firm.groupby(["declaration_id", "item_number"]).size()
    assert len(counts) == len(every.groupby(["declaration_id", "item_number"]))
    alone = firm["rank"] == 1
    assert set(firm.loc[~alone, "strength"]) <= {"strong", "clear"}
    assert (every.loc[every["rank"] == 1, "strength"] == "weak").any()
    back = reasons.at_least("clear").at_least("weak")
    pd.testing.assert_frame_equal(back.frame(), every)
    lowers = reasons.at_least("slight")[4].release
    assert len(lowers.frame()) <= len(reasons[4].release.frame())
    with pytest.raises(ArgumentError, match="'strength' must be one of"):
        reasons.at_least("mighty")


def test_short_checks_name_the_means(reasons):
    long, short = reasons.checks(), reasons.checks(short=True)
    assert [len(a) for a in long] == [len(b) for b in short]
    assert all(
        len(b) < len(a)
        for x, y in zip(long, short, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_what_an_office_sees_asks_for_no_certificate_of_origin():
    office = {0: "office"}
    found = made([0.9, 0.4], ["origin and route", "valuation"], office)
    assert found.frame()["check"].tolist() == [
        Wording("en").check("other"),
        Wording("en").check("valuation"),
    ]


@pytest.mark.parametrize("by", ["concept", "field", "feature"])
def test_an_explanation_adds_up_and_shap_draws_it(reasons, by):
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        told = reasons.explanation(by, lang="fr")
        total = told.values.sum(axis=1) + told.base_values
        np.testing.assert_allclose(total, reasons.raw_score, rtol=0, atol=1e-9)
        shap.plots.waterfall(told[0], show=False)
        shap.plots.bar(told, show=False)
        plt.close("all")
    if by == "concept":
        assert "nouveauté" in told.feature_names
    with pytest.raises(ArgumentError, match="'by' must be one of"):
        reasons.explanation("office")


# ------------------------------------------------------------------ odd input


def test_removal_goes_by_the_names_of_the_features(engine, new, reasons):
    others = engine.features_.transform(new)
    names = engine.features_.get_feature_names_out()
    frame = pd.DataFrame(np.asarray(others), columns=names)
    raw = engine.classifier_.raw_score
    told = removal(reasons, raw, frame).frame()
    turned = removal(reasons, raw, frame[frame.columns[::-1]]).frame()
    pd.testing.assert_frame_equal(told, turned)
    with pytest.raises(ArgumentError, match=f"has no '{names[0]}'"):
        removal(reasons, raw, frame.rename(columns={names[0]: "x"}))
    with pytest.raises(ArgumentError, match="at least one other item"):
        removal(reasons, raw, frame.iloc[:0])


def test_at_least_looks_at_strength_before_it_looks_at_concepts():
    concepts = ["valuation", "valuation", *CONCEPTS[1:]]
    found = made([1.5, 1.2, *[0.3] * 7], concepts).at_least("strong")
    assert found.frame()["contribution"].tolist() == [1.5, 1.2]


def test_no_item_has_no_reason(engine, new):
    found = engine.explain(new.iloc[:0])
    assert len(found) == len(found.frame()) == len(found.sentences()) == 0
    assert len(engine.score(new.iloc[:0])) == 0
    assert "<h2>" not in found.to_html(lang="fr")


def test_a_frame_is_no_single_item(engine, new):
    with pytest.raises(ArgumentError, match="must be a mapping of fields"):
        engine.explain_one(new.iloc[[0]])


def test_counterfactuals_take_an_engine_and_odd_columns(engine, past_and_new):
    past, new = past_and_new
    risky = new.loc[engine.score(new)["risk_score"].nlargest(40).index]
    whole = counterfactuals(risky, engine, past).frame()
    # Preferences that no earlier item has are no plausible ones.
    bare = past.assign(preference=pd.Series(pd.NA, past.index, dtype=object))
    told = counterfactuals(risky, engine, bare).frame()
    assert "preference" not in set(told["field"])

    # Without a declared duty rate, another code is still plausible.
    def scored(frame):
        return engine.score(frame.assign(duty_rate=0.05))

    codes = counterfactuals(risky.drop(columns="duty_rate"), scored, past, min_reduction=0.0)
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
    told = seen[0].iloc[60:]
    before = new.head(60).set_index(["lodged_at", "customs_value"])
    same = told[told["customs_value"].isin(new.head(60)["customs_value"])]
    n = 0
    for line in same.to_dict("records"):
        was = before.loc[[(line["lodged_at"], line["customs_value"])]].iloc[0]
        if line["tariff_code"] != was["tariff_code"]:
            duty = line["customs_value"] * (line["duty_rate"] - was["duty_rate"])
            expected = max(was["duties_taxes"] + duty, 0.0)
            assert line["duties_taxes"] == pytest.approx(expected)
            n += 1
    assert n > 10


def test_reasons_say_how_far_the_history_goes(engine, past_and_new):
    past, new = past_and_new
    until = engine.history_until
    assert until == past["lodged_at"].max().normalize()
    found = engine.explain(new.head(3))
    assert found.until == found[1].until == found.release.until == until
    assert f"Earlier items are known until {until:%Y-%m-%d}." in found.to_html()
    assert "sont connus jusqu" in found.to_html(lang="fr")
