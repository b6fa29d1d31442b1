"""Scorers leave out items without a label; arrays give the figures of tables."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin

from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import evaluate, evaluate_arrays, precision_at, revenue_at


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose probability is the first column."""

    def fit(self, X, y=None):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


@pytest.fixture(scope="module")
def judged():
    """Return scores with ties, labels with gaps and amounts with gaps."""
    rng = np.random.default_rng(0)
    score = rng.integers(0, 12, 400) / 12
    y = (rng.random(400) < 0.1 + 0.4 * score).astype(float)
    y[rng.random(400) < 0.5] = np.nan
    revenue = np.where(y == 1, rng.lognormal(5, 1, 400), 0.0)
    revenue[::7] = np.nan
    return score, y, revenue


@pytest.fixture
def routing():
    """Turn metadata routing on."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_a_scorer_of_precision_judges_labelled_items_only(judged):
    score, y, _ = judged
    known = ~np.isnan(y)
    model, X = Given().fit(None), score[:, None]
    for rate in (0.05, 0.3, 17):
        found = precision_at(rate)(model, X, y)
        assert found == precision_at(y[known], score[known], rate)
    order = np.random.default_rng(1).permutation(len(y))
    assert precision_at(0.05)(model, X[order], y[order]) == precision_at(0.05)(
        model, X, y
    )
    assert pickle.loads(pickle.dumps(precision_at(0.05)))(model, X, y) > 0


def test_a_scorer_of_revenue_gets_its_amounts_by_routing(judged, routing):
    score, y, revenue = judged
    model, X = Given().fit(None), score[:, None]
    known = ~np.isnan(y)
    found = revenue_at(0.1)(model, X, y, revenue=revenue)
    table = evaluate_arrays(y, score, revenue=revenue, capacity=0.1, n_bootstrap=0)
    assert found == table.frame()["revenue_share"].iloc[0]
    outside = np.where(known, revenue, 1e9)  # amounts of items without a label
    assert revenue_at(0.1)(model, X, y, revenue=outside) == found
    negative = np.where(np.isnan(revenue), -5.0, revenue)  # as if missing
    assert revenue_at(0.1)(model, X, y, revenue=negative) == found
    with pytest.raises(ArgumentError, match="no 'revenue' was passed"):
        revenue_at(0.1)(model, X, y)
    with pytest.raises(ArgumentError, match="one amount for each of the 400"):
        revenue_at(0.1)(model, X, y, revenue=[1.0])
    with pytest.raises(ArgumentError, match="has a positive 'revenue'"):
        revenue_at(0.1)(model, X, y, revenue=np.zeros(400))


def test_a_scorer_of_revenue_needs_routing():
    with pytest.raises(ArgumentError, match="enable_metadata_routing=True"):
        revenue_at(0.05)


@pytest.mark.parametrize("make", [precision_at, revenue_at])
def test_rates_of_scorers_are_checked(make, routing):
    for rate in (1.5, -1, "0.05", None):
        with pytest.raises(ArgumentError, match="'rate' must be"):
            make(rate)


def test_a_part_that_cannot_be_judged_is_refused(judged):
    score, y, _ = judged
    model, X = Given().fit(None), score[:, None]
    with pytest.raises(ArgumentError, match="none of the 400 items"):
        precision_at(0.05)(model, X, np.full(400, np.nan))
    with pytest.raises(ArgumentError, match="allows no inspection among 2 labelled"):
        precision_at(0.05)(model, X[:2], np.array([0.0, 1.0]))
    with pytest.raises(ArgumentError, match="1 entries are none of these"):
        precision_at(0.05)(model, X, np.where(np.arange(400) == 5, 2.0, y))
    with pytest.raises(ArgumentError, match="for a figure, or the rate"):
        precision_at(y, score)


# ------------------------------------------------------------------- arrays


def test_arrays_give_the_figures_of_tables(judged):
    score, y, revenue = judged
    keys = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(400)]})
    known = ~np.isnan(y)
    outcomes = keys[known].assign(
        illicit=y[known].astype(int), revenue_adjustment=revenue[known]
    )
    table = evaluate(keys.assign(risk_score=score), outcomes, rates=(0.05, 20))
    arrays = evaluate_arrays(y, score, revenue=revenue, capacity=(0.05, 20))
    pd.testing.assert_frame_equal(arrays.frame(), table.frame())
    pd.testing.assert_series_equal(arrays.overall(), table.overall())
    assert arrays.overall()["n_unlabelled"] == (~known).sum()
    assert arrays.notes == table.notes
    one = evaluate_arrays(y, score, capacity=0.05, n_bootstrap=0).frame()
    assert len(one) == 1
    assert np.isnan(one["revenue_share"].iloc[0])


def test_labels_may_be_missing_in_any_way(judged):
    score, y, _ = judged
    want = evaluate_arrays(y, score, n_bootstrap=0).frame()
    nullable = pd.Series(y).astype("Int64")
    objects = [None if np.isnan(v) else bool(v) for v in y]
    for labels in (nullable, objects):
        found = evaluate_arrays(labels, list(score), n_bootstrap=0).frame()
        pd.testing.assert_frame_equal(found, want)


def test_arrays_that_cannot_be_judged_are_refused(judged):
    score, y, _ = judged
    with pytest.raises(ArgumentError, match="they have 400 and 3"):
        evaluate_arrays(y, [1, 2, 3])
    with pytest.raises(ArgumentError, match="'y_score' must hold one number per item"):
        evaluate_arrays(y, score[:, None])
    with pytest.raises(ArgumentError, match="'capacity' must be a share"):
        evaluate_arrays(y, score, capacity=1.5)
    with pytest.raises(TableError, match="'y_score' is missing or infinite for"):
        evaluate_arrays(y, np.where(np.arange(400) < 50, np.nan, score))
