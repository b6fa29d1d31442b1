"""Fields that an administration adds reach keys, features, reasons and pages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, DataQualityWarning
from smartrisk.features import DeclarationFeatures, EntityHistory, Key
from smartrisk.schema import DECLARATIONS, OWN_FIELDS, ColumnMap

OWN = {"regime_special": "code", "delay_days": "number", "file_note": "text"}


@pytest.fixture(scope="module")
def tables(world):
    """Return items whose own code decides the hits, as an administration writes it."""
    rng = np.random.default_rng(0)
    items = world.declarations.head(3000).copy()
    code = np.where(rng.random(len(items)) < 0.3, "s1", "s2")
    items["RS"] = code
    items["DJ"] = rng.integers(0, 40, len(items)).astype(str)
    items["file_note"] = [f"holder {k}" for k in range(len(items))]
    keys = ["declaration_id", "item_number"]
    results = items[[*keys, "RS"]].iloc[::6]
    hit = (results["RS"] == "s1") & (rng.random(len(results)) < 0.8)
    results = results.assign(illicit=hit.astype(int)).drop(columns="RS")
    columns = ColumnMap({"regime_special": "RS", "delay_days": "DJ"}, own_fields=OWN)
    return sr.validation.validate(items, DECLARATIONS, columns=columns), results


@pytest.fixture(scope="module")
def engine(tables):
    """Return an engine that takes the own fields of its table."""
    items, results = tables
    return sr.RiskEngine(random_state=0).fit(items.head(2500), results[:416])


def test_scores_of_one_row_name_the_own_fields_as_those_of_many(engine, tables):
    items = tables[0].tail(2).copy()
    items.attrs.clear()
    many, one = engine.score(items), engine.score(items.tail(1))
    assert many.attrs == {OWN_FIELDS: OWN}
    assert one.attrs == many.attrs
    both = items.drop(columns="file_note")
    assert engine.score(both.tail(1)).attrs == engine.score(both).attrs != one.attrs


@pytest.mark.slow
def test_an_own_code_that_decides_the_hits_enters_keys_reasons_and_page(
    engine, tables, tmp_path
):
    items, _ = tables
    assert engine.own_fields_ == OWN
    names = set(engine.features_.get_feature_names_out())
    assert {"regime_special__hit_rate", "regime_special__code", "delay_days"} <= names
    assert not any("file_note" in name for name in names)
    new = items.tail(300)
    scores = engine.score(new)["risk_score"]
    special = (new["regime_special"] == "S1").to_numpy()
    assert scores[special].mean() > 3 * scores[~special].mean()
    reasons = engine.explain(new[special].head(20))
    first = [sentences[0] for sentences in reasons.sentences()]
    named = [text for text in first if "regime special S1" in text]
    assert len(named) > 10
    assert not any("holder" in t for texts in reasons.sentences() for t in texts)
    french = engine.explain_one(new[special].iloc[0].to_dict()).sentences(lang="fr")
    assert "regime special S1" in " ".join(french[0])
    page = sr.pages.CaseSheet.from_engine(engine, new[special].head(1)).to_html()
    assert "regime special" in page
    assert "S1" in page


@pytest.mark.slow
def test_every_way_to_score_takes_own_fields_and_says_the_same(
    engine, tables, tmp_path
):
    new = tables[0].tail(40)
    scores = engine.score(new)
    bare = pd.DataFrame(new)
    bare.attrs = {}
    pd.testing.assert_frame_equal(engine.score(bare), scores, check_exact=True)
    one = engine.score_one(new.iloc[3].to_dict())
    assert one["risk_score"] == scores["risk_score"].iloc[3]
    loaded = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    assert loaded.version_ == engine.version_
    assert loaded.own_fields_ == OWN
    pd.testing.assert_frame_equal(loaded.score(new), scores, check_exact=True)
    with pytest.warns(DataQualityWarning, match="'regime_special'"):
        engine.score(new.drop(columns="regime_special"))


@pytest.mark.slow
def test_own_fields_can_be_declared_at_the_engine(engine, tables):
    items, results = tables
    bare = items.head(2500).copy()
    bare.attrs = {}
    declared = sr.RiskEngine(random_state=0, own_fields=OWN).fit(bare, results[:416])
    assert declared.version_ == engine.version_
    without = sr.RiskEngine(random_state=0).fit(bare, results[:416])
    plain = bare.drop(columns=list(OWN))
    assert without.version_ == (
        sr.RiskEngine(random_state=0).fit(plain, results[:416]).version_
    )
    with pytest.raises(ArgumentError, match="own_fields"):
        sr.RiskEngine(own_fields={"regime": "word"}).fit(bare, results)


def test_a_key_that_is_not_there_is_named_with_the_nearest(tables):
    items, _ = tables
    few = items.head(50)
    with pytest.raises(ArgumentError, match=r"Did you mean 'regime_special'"):
        EntityHistory(keys=(Key(("regime_specail",)),)).fit(few)
    known = EntityHistory(keys=(Key(("regime_special", "hs4")),)).fit(few)
    assert [key.label for key in known.keys_] == ["regime_special_x_hs4"]
    few = few.drop(columns="departure")
    with pytest.warns(DataQualityWarning, match="lack 'departure'"):
        EntityHistory(keys=(Key(("departure", "hs4")),)).fit(few)
    DeclarationFeatures(parts=("history",)).fit(few)  # usual keys go without a word


def test_an_own_code_is_stated_in_words_and_an_own_text_never(tables):
    items, _ = tables
    keys = (Key(("regime_special",)), Key(("file_note",)))
    features = DeclarationFeatures(keys, parts=("history",)).fit(items.head(60))
    matrix = features.transform_matrix(items[60:61])
    info = features.feature_info_
    assert {i.concept for i in info} == {"own field"}
    contributions = np.zeros((1, len(info) + 1))
    for name in ("regime_special__n_items", "file_note__n_items"):
        contributions[0, [i.name for i in info].index(name)] = 1.0
    reasons = sr.explanations.explain(items[60:61], matrix, contributions, info)
    text = " ".join(reasons.sentences()[0])
    assert f"regime special {items['regime_special'].iloc[60]}" in text
    assert "file note" in text
    assert "holder" not in text
