"""The calibrated classifier and the revenue model: pitfalls closed, laws kept."""

from __future__ import annotations

import os
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from smartrisk.errors import ArgumentError, DataQualityWarning
from smartrisk.evaluation import calibration_error
from smartrisk.models import RevenueRegressor, RiskClassifier, fit_calibration
from smartrisk.models._boosting import mark_latest
from smartrisk.models._calibration import steepness_of_all

NAMES = ["rate", "price", "code", "noise"]


def made(n=6000, seed=0, hits=0.08):
    """Return features, labels and the true probability."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    X[:, 2] = rng.integers(0, 12, n)
    raw = 1.5 * X[:, 0] - X[:, 1] + 0.4 * (X[:, 2] % 3 == 0)
    p = 1 / (1 + np.exp(-(raw + np.log(hits / (1 - hits)) - 0.9)))
    return X, (rng.random(n) < p).astype(int), p


@pytest.fixture(scope="module")
def learned():
    X, y, _ = made()
    return RiskClassifier(categorical=(2,), monotone=(1, 0, 0, 0)).fit(X, y)


@pytest.fixture(scope="module")
def fresh():
    return made(n=8000, seed=1)


def test_it_ranks_and_is_calibrated_on_new_items(learned, fresh):
    X, y, p = fresh
    found = learned.predict_proba(X)[:, 1]
    assert roc_auc_score(y, found) > roc_auc_score(y, p) - 0.02
    assert calibration_error(y, found) < 0.02
    assert abs(found.mean() - y.mean()) < 0.01


@pytest.mark.parametrize("hits", [0.02, 0.3])
def test_imbalance_does_not_spoil_calibration(hits):
    X, y, _ = made(n=12_000, hits=hits)
    model = RiskClassifier().fit(X[:8000], y[:8000])
    found = model.predict_proba(X[8000:])[:, 1]
    assert calibration_error(y[8000:], found) < 0.03


def test_calibration_keeps_the_order_exactly(learned, fresh):
    raw = learned.raw_score(fresh[0])
    found = learned.predict_proba(fresh[0])[:, 1]
    assert learned.calibration_[0] > 0
    assert (np.diff(found[np.argsort(raw)]) >= 0).all()


def test_the_constraint_holds(learned, fresh):
    X = fresh[0][:50].copy()
    scores = []
    for rate in np.linspace(-3, 3, 25):
        X[:, 0] = rate
        scores.append(learned.raw_score(X))
    assert (np.diff(scores, axis=0) >= -1e-12).all()


def test_a_constraint_on_a_categorical_feature_is_refused_before_the_native_call():
    X, y, _ = made(300)
    with pytest.raises(ArgumentError, match="must be 0 for categorical"):
        RiskClassifier(categorical=(2,), monotone=(0, 0, 1, 0)).fit(X, y)
    with pytest.raises(ArgumentError, match="one entry per feature"):
        RiskClassifier(monotone=(1,)).fit(X, y)
    with pytest.raises(ArgumentError, match="beyond the 4 features"):
        RiskClassifier(categorical=(9,)).fit(X, y)


def test_columns_in_another_order_are_refused_not_misread():
    X, y, _ = made(600)
    frame = pd.DataFrame(X, columns=NAMES)
    model = RiskClassifier(n_estimators=5).fit(frame, y)
    with pytest.raises(ValueError, match="order"):
        model.predict_proba(frame[NAMES[::-1]])
    with pytest.raises(ValueError, match="feature names"):
        model.predict_proba(frame.rename(columns={"rate": "other"}))


def test_infinity_is_refused_and_missing_is_a_value(learned):
    X, y, _ = made(300)
    X[3, 1] = np.nan
    assert np.isfinite(learned.predict_proba(X)).all()
    X[4, 1] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        learned.predict_proba(X)
    with pytest.raises(ValueError, match="infinity"):
        RiskClassifier().fit(X, y)


def test_one_class_is_refused_with_what_is_needed():
    X, y, _ = made(100)
    with pytest.raises(ArgumentError, match="one class"):
        RiskClassifier().fit(X, np.zeros(len(y)))
    with pytest.raises(ArgumentError, match="binary"):
        RiskClassifier().fit(X, np.arange(len(y)) % 3)


def test_threads_change_no_bit():
    X, y, _ = made(3000)
    one = RiskClassifier(n_jobs=1).fit(X, y)
    two = RiskClassifier(n_jobs=2).fit(X, y)
    assert np.array_equal(one.predict_proba(X), two.predict_proba(X))


STOPPED = {"members": ("boosting",), "n_estimators": 800, "patience": 50}


def test_the_latest_items_steer_the_number_of_trees_where_patience_is_set():
    X, y, _ = made(4000)
    time = np.arange(4000)
    base = RiskClassifier(**STOPPED).fit(X, y, time=time)
    mixed = np.random.default_rng(0).permutation(4000)
    again = RiskClassifier(**STOPPED).fit(X[mixed], y[mixed], time=time[mixed])
    assert base.n_trees_ == again.n_trees_
    assert base.calibration_ == pytest.approx(again.calibration_, abs=1e-9)
    noise = y.copy()
    noise[3200:] = np.random.default_rng(1).permutation(noise[3200:])
    drifted = RiskClassifier(**STOPPED).fit(X, noise, time=time)
    assert drifted.n_trees_ < base.n_trees_
    fixed = RiskClassifier(members=("boosting",)).fit(X, noise, time=time)
    assert fixed.n_trees_ == fixed.n_estimators


def test_the_latest_items_set_the_level_of_the_probabilities():
    X, early, _ = made(6000, hits=0.3)
    _, late, _ = made(6000, hits=0.05)
    time = np.arange(6000)
    y = np.where(time < 4800, early, late)
    model = RiskClassifier(n_estimators=200).fit(X, y, time=time)
    raw = model.raw_score(X[4800:])
    rate = y[4800:].mean()
    assert (1 / (1 + np.exp(-raw))).mean() > 2 * rate
    assert model.predict_proba(X[4800:])[:, 1].mean() == pytest.approx(rate, rel=0.4)


def test_whole_moments_are_held_out_together():
    time = np.array([1, 1, 2, 2, 2, 3, 2, 1, 3, 2])
    assert mark_latest(time, 10, 0.3).tolist() == (time >= 2).tolist()
    assert mark_latest(None, 10, 0.3).tolist() == [False] * 7 + [True] * 3
    assert not mark_latest(time, 10, 0.05).any()


def test_it_can_be_fitted_on_a_handful_of_items():
    X, y, _ = made(40)
    y[:2] = [0, 1]
    assert np.isfinite(RiskClassifier().fit(X, y).predict_proba(X)).all()


def test_contributions_add_up_to_the_raw_score(learned, fresh):
    X = fresh[0][:200]
    total = learned.contributions(X).sum(axis=1)
    np.testing.assert_allclose(total, learned.raw_score(X), atol=1e-9)


def test_a_classifier_restored_from_text_is_bit_identical(learned, fresh):
    again = RiskClassifier(**learned.get_params())
    again.restore(learned.booster_texts(), learned.fitted_state())
    assert np.array_equal(
        again.predict_proba(fresh[0]), learned.predict_proba(fresh[0])
    )


def test_no_weights_reach_the_booster(learned):
    params = learned.booster_.params
    assert not params.get("is_unbalance")
    assert float(params.get("scale_pos_weight", 1.0)) == 1.0
    assert params["deterministic"]
    assert isinstance(learned.booster_, lgb.Booster)


@pytest.mark.slow
def test_spinning_threads_are_switched_off_before_they_start():
    code = (
        "import os, smartrisk.models as m; m.RiskClassifier; "
        "print(os.environ['OMP_WAIT_POLICY'])"
    )
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "PASSIVE"


# ----------------------------------------------------------------- revenue


@pytest.fixture(scope="module")
def recoveries():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 3))
    value = rng.lognormal(8, 1.5, 1500)
    share = 0.1 * np.exp(0.5 * X[:, 0]) * rng.gamma(4, 0.25, 1500)
    return X, value, share * value


def test_revenue_grows_with_the_value_beyond_any_seen(recoveries):
    X, value, revenue = recoveries
    model = RevenueRegressor().fit(X, revenue, scale=value)
    once = model.predict(X, scale=value)
    np.testing.assert_allclose(model.predict(X, scale=1000 * value), 1000 * once)
    assert (once >= 0).all()


def test_revenue_is_right_on_the_whole_and_in_order(recoveries):
    X, value, revenue = recoveries
    model = RevenueRegressor().fit(X[:1000], revenue[:1000], scale=value[:1000])
    found = model.predict(X[1000:], scale=value[1000:])
    assert found.sum() == pytest.approx(revenue[1000:].sum(), rel=0.15)
    share = found / value[1000:]
    true = revenue[1000:] / value[1000:]
    assert np.corrcoef(share, true)[0, 1] > 0.4


def test_a_few_hits_give_the_mean_share(recoveries):
    X, value, revenue = recoveries
    model = RevenueRegressor().fit(X[:10], revenue[:10], scale=value[:10])
    assert model.booster_ is None
    usual = model.mean_ * model.level_
    np.testing.assert_allclose(model.predict(X, scale=value), usual * value)


def test_negative_revenue_is_refused_with_its_number(recoveries):
    X, value, revenue = recoveries
    with pytest.raises(ArgumentError, match="2 values are"):
        RevenueRegressor().fit(X, np.r_[-1.0, -2.0, revenue[2:]], scale=value)


def test_a_single_huge_recovery_does_not_decide_the_mean(recoveries):
    X, value, revenue = recoveries
    usual = RevenueRegressor(n_estimators=1).fit(X, revenue, scale=value)
    huge = revenue.copy()
    huge[7] = 1e6 * value[7]
    model = RevenueRegressor(n_estimators=1).fit(X, huge, scale=value)
    assert model.mean_ == pytest.approx(usual.mean_, rel=0.02)
    # One of 200 items is the 0.5 % that is cut.
    share = (revenue / value)[:200]
    cut = np.minimum(share, np.quantile(share, 0.995))
    few = RevenueRegressor(n_estimators=1).fit(
        X[:200], revenue[:200], scale=value[:200]
    )
    assert few.mean_ == pytest.approx(cut.mean(), rel=1e-12)
    assert few.mean_ < share.mean()


def test_the_latest_recoveries_decide_the_number_of_trees_where_asked_for(recoveries):
    X, value, revenue = recoveries
    model = RevenueRegressor(300, validation_share=0.2)
    model.fit(X, revenue, scale=value, time=np.arange(len(X)))
    assert 1 < model.booster_.best_iteration < 300
    every = RevenueRegressor().fit(X, revenue, scale=value)
    assert every.booster_.num_trees() == 100
    few = RevenueRegressor(300, validation_share=0.2).fit(
        X[:60], revenue[:60], scale=value[:60]
    )
    assert few.booster_.num_trees() == 100


# ------------------------------------------------------- the map to probabilities


def logits(n_items, slope, seed=0):
    """Return raw scores, and hits whose log-odds are `slope` times the scores."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=n_items)
    return raw, (rng.random(n_items) < 1 / (1 + np.exp(-slope * raw))).astype(float)


def test_few_late_items_leave_the_slope_at_one_and_many_estimate_it():
    found = fit_calibration(*logits(60, 3.0))
    assert found.slope == pytest.approx(1.0, abs=0.2)
    found = fit_calibration(*logits(600_000, 3.0))
    assert found.slope == pytest.approx(3.0, rel=0.03)
    assert found.intercept == pytest.approx(0.0, abs=0.03)


def test_the_map_keeps_the_order_where_high_scores_have_few_hits():
    raw, hits = logits(50_000, 2.0)
    with pytest.warns(DataQualityWarning, match="keeps the order"):
        assert fit_calibration(-raw, hits).slope > 0


def test_selected_items_make_the_probabilities_steeper():
    X, y, _ = made(3000)
    one = RiskClassifier(n_estimators=12).fit(X, y)
    few = RiskClassifier(n_estimators=12).fit(X, y, inspected_share=0.1)
    factor = steepness_of_all(float(y.sum()), 0.1)
    assert factor > 1.05
    assert few.calibration_[0] == pytest.approx(factor * one.calibration_[0])
    assert np.array_equal(few.raw_score(X), one.raw_score(X))
    with pytest.raises(ArgumentError, match="inspected_share"):
        RiskClassifier().fit(X, y, inspected_share=1.5)
