"""Reasons of a fitted engine: additive, in words, the same one by one."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.schema import DECLARATIONS


def test_contributions_add_up_to_the_model_s_raw_score(engine, new, reasons):
    matrix = engine.features_.transform(new)
    raw = np.asarray(engine.classifier_.raw_score(matrix))
    np.testing.assert_allclose(reasons.raw_score, raw, rtol=0, atol=1e-9)
    for fold in (reasons.by_field(), reasons.by_concept()):
        total = fold.sum(axis=1) + reasons.base_values
        np.testing.assert_allclose(total, raw, rtol=0, atol=1e-9)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_reason_has_its_own_message(reasons, lang):
    lines = reasons.frame(lang=lang)
    assert len(lines) > 300
    assert not lines["sentence"].str.contains("__|: nan|: inf").any()
    assert not lines["evidence"].str.contains('"about": "item.feature').any()


def test_what_is_not_declared_or_never_seen_has_a_message_too(engine, new):
    items = new.head(60).assign(declaration_id=[f"N{i}" for i in range(60)])
    items.loc[items.index[:20], "tariff_code"] = "97129999"
    empty = np.random.default_rng(0).random((60, items.shape[1])) < 0.25
    empty[:, items.columns.isin([*DECLARATIONS.required, "item_number"])] = False
    lines = engine.explain(items.mask(empty), top=300).frame()
    assert not lines["evidence"].str.contains('"about": "item.feature').any()


def test_a_code_without_siblings_has_a_message(engine, new):
    (column,) = [
        k
        for k, info in enumerate(engine.features_.feature_info_)
        if info.statistic == "sibling_gap"
    ]
    matrix = engine.features_.transform(new)
    alone = np.isnan(np.asarray(matrix)[:, column]) & new["duty_rate"].notna()
    lines = engine.explain(new[alone.to_numpy()], top=300).frame()
    about = lines["evidence"].map(lambda text: json.loads(text)["about"])
    assert about.isin(["tariff.no_siblings", "tariff.no_heading"]).any()


def test_no_sentence_names_a_trader(reasons, new):
    text = " ".join(s for item in reasons.sentences() for s in item)
    for name in ("importer_id", "declarant_id", "consignor_id"):
        assert not [v for v in new[name].dropna().unique() if f" {v} " in f" {text} "]


def test_explaining_one_item_equals_explaining_the_batch(engine, new, reasons):
    lines = reasons.frame()
    for number in (0, 150, 299):
        one = engine.explain(new.iloc[[number]]).frame()
        key = new[["declaration_id", "item_number"]].iloc[number]
        same = (lines["declaration_id"] == key.iloc[0]) & (
            lines["item_number"] == key.iloc[1]
        )
        expected = lines[same].reset_index(drop=True)
        pd.testing.assert_frame_equal(one, expected, check_exact=True)


def test_the_shap_explanation_is_that_of_the_matrix(engine, new, reasons):
    assert reasons.shap.feature_names == [
        i.name for i in engine.features_.feature_info_
    ]
    assert reasons.shap.values.shape == engine.features_.transform(new).shape


@pytest.mark.parametrize("by", ["concept", "field", "feature"])
def test_an_explanation_adds_up_and_shap_draws_it(reasons, by):
    import matplotlib.pyplot as plt

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        table = reasons.explanation(by, lang="fr")
        total = table.values.sum(axis=1) + table.base_values
        np.testing.assert_allclose(total, reasons.raw_score, rtol=0, atol=1e-9)
        shap.plots.waterfall(table[0], show=False)
        shap.plots.bar(table, show=False)
        plt.close("all")
    if by == "concept":
        assert "nouveauté" in table.feature_names
    with pytest.raises(ArgumentError, match="'by' must be one of"):
        reasons.explanation("office")


def test_no_item_has_no_reason(engine, new):
    found = engine.explain(new.iloc[:0])
    assert len(found) == len(found.frame()) == len(found.sentences()) == 0
    assert len(engine.score(new.iloc[:0])) == 0
    assert "<h2>" not in found.to_html(lang="fr")


def test_a_frame_is_not_a_single_item(engine, new):
    with pytest.raises(ArgumentError, match="must be a mapping of fields"):
        engine.explain_one(new.iloc[[0]])


def test_reasons_state_how_far_the_history_goes(engine, past_and_new):
    past, new = past_and_new
    until = engine.history_until
    assert until == past["lodged_at"].max().normalize()
    found = engine.explain(new.head(3))
    assert found.until == found[1].until == found.release.until == until
    day = f"{until.day} {until:%B %Y}"
    assert f"Earlier items are known until {day}." in found.to_html()
    assert "sont connus jusqu" in found.to_html(lang="fr")
