"""A fitted engine's reasons: additive, sayable, the same one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def new(past_and_new):
    """Return some later items."""
    return past_and_new[1].iloc[:300]


@pytest.fixture(scope="module")
def reasons(engine, new):
    """Return their reasons."""
    return engine.explain(new, top=3)


def test_contributions_add_up_to_the_model_s_raw_score(engine, new, reasons):
    matrix = engine.features_.transform(new)
    raw = np.asarray(engine.classifier_.raw_score(matrix))
    np.testing.assert_allclose(reasons.raw_score, raw, rtol=0, atol=1e-9)
    for fold in (reasons.by_field(), reasons.by_concept()):
        total = fold.sum(axis=1) + reasons.base_values
        np.testing.assert_allclose(total, raw, rtol=0, atol=1e-9)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_reason_has_a_message_of_its_own(reasons, lang):
    lines = reasons.frame(lang=lang)
    assert len(lines) > 300
    assert not lines["sentence"].str.contains("__|: nan|: inf").any()
    assert not lines["evidence"].str.contains('"about": "item.feature').any()


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
