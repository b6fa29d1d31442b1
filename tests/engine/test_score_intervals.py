"""`score_lower` and `score_upper`: bounds of the hit rate, around every score."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from smartrisk import RiskEngine
from smartrisk.selectivity import mark_undecided, select

BOUNDS = ["score_lower", "score_upper"]


@pytest.fixture(scope="module")
def scores(calibrated_engine, calibrated_split):
    """Return SCORES of later items."""
    return calibrated_engine.score(calibrated_split.later)


def test_the_bounds_enclose_every_score(scores):
    """They are probabilities, and never the same."""
    assert scores["score_lower"].ge(0).all()
    assert scores["score_lower"].le(scores["risk_score"]).all()
    assert scores["score_upper"].ge(scores["risk_score"]).all()
    assert scores["score_upper"].le(1).all()
    assert scores["score_upper"].gt(scores["score_lower"]).all()


def test_they_are_those_of_the_classifier_and_of_one_item(
    calibrated_engine, calibrated_split, scores
):
    """Bit-identical: in a batch, alone, and from the matrix."""
    some = calibrated_split.later.head(5)
    matrix = calibrated_engine.features_.transform_matrix(some)
    bounds = calibrated_engine.classifier_.predict_interval(matrix)
    assert (bounds == scores[BOUNDS].head(5).to_numpy()).all()
    for k in range(5):
        one = calibrated_engine.score_one(some.iloc[k].to_dict())
        assert [one[name] for name in BOUNDS] == bounds[k].tolist()


def test_a_saved_engine_keeps_them(
    calibrated_engine, calibrated_split, scores, tmp_path
):
    """Bit-identical, as the scores."""
    again = RiskEngine.load(calibrated_engine.save(tmp_path / "engine"))
    found = again.score(calibrated_split.later.head(50))
    pd.testing.assert_frame_equal(found[BOUNDS], scores[BOUNDS].head(50))


def test_other_classifiers_have_none(past_and_new, outcomes):
    """Their columns are there, and missing; nothing is undecided by them."""
    past, new = past_and_new
    known = outcomes["known_at"] < past["lodged_at"].max()
    other = HistGradientBoostingClassifier(max_iter=5)
    engine = RiskEngine(classifier=other).fit(past, outcomes[known])
    scores = engine.score(new.head(20))
    assert scores[BOUNDS].isna().all(axis=None)
    assert not set(BOUNDS) & set(engine.score_one(new.iloc[0].to_dict()))
    assert not mark_undecided(scores, select(scores, capacity=0.2)).any()


def test_undecided_items_are_on_both_sides_of_the_cut(scores):
    """Some selected items, and some that were not."""
    decisions = select(scores, capacity=0.05)
    band = mark_undecided(scores, decisions)
    by_model = decisions["selected_by"].eq("model").to_numpy(bool)
    assert (band & by_model).any()
    assert (band & decisions["channel"].eq("green").to_numpy(bool)).any()
    assert not band.all()
