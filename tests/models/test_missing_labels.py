"""Items without a label were not inspected, so models leave them out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from smartrisk.errors import ArgumentError
from smartrisk.models import (
    DateFeaturesClassifier,
    DutyBaseline,
    ImporterRateBaseline,
    RandomBaseline,
    RiskClassifier,
    SmoothedRateSum,
    ValueBaseline,
)

BASELINES = [
    DateFeaturesClassifier(n_estimators=5),
    ImporterRateBaseline(),
    RandomBaseline(),
    SmoothedRateSum(),
    ValueBaseline(),
    DutyBaseline(),
]


@pytest.fixture(scope="module")
def plain():
    """Return features, labels with gaps, times in another order, and weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, 4))
    y = (X[:, 0] + rng.normal(size=900) > 0.8).astype(float)
    y[rng.random(900) < 0.4] = np.nan
    return X, y, rng.permutation(900), rng.integers(0, 4, 900)


def test_the_classifier_learns_from_labelled_items_only(plain):
    X, y, time, weight = plain
    known = ~np.isnan(y)
    model = RiskClassifier(n_estimators=40)
    whole = clone(model).fit(X, y, time=time, sample_weight=weight)
    part = clone(model).fit(
        X[known], y[known], time=time[known], sample_weight=weight[known]
    )
    assert whole.calibration_ != (1.0, 0.0)  # time decided something
    np.testing.assert_array_equal(whole.predict_proba(X), part.predict_proba(X))


@pytest.mark.parametrize("missing", [np.nan, None, pd.NA], ids=repr)
def test_every_kind_of_missing_label_is_left_out(plain, missing):
    X, y, _, _ = plain
    labels = pd.Series(y).astype(object).where(~np.isnan(y), missing)
    model = RiskClassifier(n_estimators=10).fit(X, labels)
    again = RiskClassifier(n_estimators=10).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    named = labels.map({0.0: "fine", 1.0: "hit"}, na_action="ignore")
    assert RiskClassifier(n_estimators=10).fit(X, named).classes_.tolist() == [
        "fine",
        "hit",
    ]


@pytest.mark.parametrize(
    "model", [RiskClassifier(), *BASELINES], ids=lambda m: type(m).__name__
)
def test_labels_that_are_all_missing_or_infinite_are_refused(plain, model):
    X, y, _, _ = plain
    with pytest.raises(ArgumentError, match="NaN for all 900 items"):
        clone(model).fit(X, np.full(900, np.nan))
    with pytest.raises(ValueError, match="Input y contains infinity"):
        clone(model).fit(X, np.where(np.arange(900) == 3, np.inf, y))


@pytest.mark.parametrize("model", BASELINES, ids=lambda m: type(m).__name__)
def test_a_baseline_learns_from_labelled_items_only(model, declarations, outcomes):
    X = declarations.iloc[:1500]
    key = ["declaration_id", "item_number"]
    y = X[key].merge(outcomes[[*key, "illicit"]], on=key, how="left")["illicit"]
    known = y.notna().to_numpy()
    whole = clone(model).fit(X, y.to_numpy())
    part = clone(model).fit(X[known], y.to_numpy()[known])
    np.testing.assert_array_equal(whole.predict_proba(X), part.predict_proba(X))
    assert whole.score(X, y) == part.score(X[known], y[known])


def test_the_share_of_right_classes_is_that_of_labelled_items(plain):
    X, y, _, weight = plain
    known = ~np.isnan(y)
    model = RiskClassifier(n_estimators=10).fit(X, y)
    right = model.predict(X)[known] == y[known]
    assert model.score(X, y) == pytest.approx(right.mean())
    assert model.score(X, y, weight) == pytest.approx(
        np.average(right, weights=weight[known])
    )


# ----------------------------------------------------------------- weights


def test_whole_weights_count_items_as_often(plain):
    X, y, _, weight = plain
    known = ~np.isnan(y)
    X, y, weight = X[known], y[known], weight[known]
    weighted = RiskClassifier().fit(X, y, sample_weight=weight)
    repeated = RiskClassifier().fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_array_equal(weighted.predict_proba(X), repeated.predict_proba(X))


def test_weights_of_one_change_nothing_and_others_move_the_level(plain):
    X, y, time, _ = plain
    bare = RiskClassifier(n_estimators=20).fit(X, y, time=time).predict_proba(X)[:, 1]

    def weighted(weight):
        model = RiskClassifier(n_estimators=20)
        model.fit(X, y, time=time, sample_weight=weight)
        return model.predict_proba(X)[:, 1]

    np.testing.assert_array_equal(weighted(np.ones(900)), bare)
    halves = weighted(np.where(y == 1, 0.5, 1.5))  # not whole: weights of LightGBM
    assert halves.mean() < bare.mean() / 1.5
    amounts = weighted(np.where(y == 1, 5_000.0, 1_000.0))
    assert amounts.mean() > bare.mean() * 1.5


def test_the_calibration_counts_weights_that_are_not_whole(plain):
    # Late hits count more than early ones, so only the calibration can raise the level.
    X, y, time, _ = plain
    late = time >= np.quantile(time[~np.isnan(y)], 0.8)
    weight = np.where((y == 1) & late, 4.0, 1.0)

    def intercept(weight):
        model = RiskClassifier(num_leaves=7)
        return model.fit(X, y, time=time, sample_weight=weight).calibration_[1]

    whole, near = intercept(weight), intercept(weight + 1e-6)
    bare = intercept(np.ones(900))
    assert whole > bare + 0.3
    assert near == pytest.approx(whole, abs=0.3)


def test_weights_that_cannot_be_are_refused(plain):
    X, y, _, _ = plain
    known = np.flatnonzero(~np.isnan(y))
    model = RiskClassifier()
    weight = np.ones(900)
    weight[known[:2]] = -1.0, np.inf
    with pytest.raises(ArgumentError, match="2 entries of labelled items"):
        model.fit(X, y, sample_weight=weight)
    with pytest.raises(ArgumentError, match=r"got shape \[3\]"):
        model.fit(X, y, sample_weight=[1, 1, 1])
    with pytest.raises(ArgumentError, match="zero for all"):
        model.fit(X, y, sample_weight=np.isnan(y).astype(float))
    weight = np.where(np.isnan(y), np.nan, 1.0)  # not read
    assert model.fit(X, y, sample_weight=weight).n_trees_
