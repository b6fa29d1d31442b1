"""The level of the revenue model, missing scales, and findings of other laws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from smartrisk.models import RegressorAdapter, RevenueRegressor
from smartrisk.models._revenue import find_level, split_time


@pytest.fixture
def noisy():
    """Return hits whose amounts have nothing to do with the features."""
    rng = np.random.default_rng(3)
    X, stake = rng.normal(size=(240, 6)), rng.lognormal(6, 0.5, 240)
    return X, stake, stake * rng.lognormal(-1, 1.2, 240)


def test_the_level_is_that_of_sums_which_the_trees_did_not_see(noisy):
    X, stake, revenue = noisy
    settings = {"n_estimators": 200, "learning_rate": 0.2, "num_leaves": 15}
    model = RevenueRegressor(**settings).fit(X, revenue, scale=stake)
    part = np.arange(240) // 60
    unseen, seen = np.empty(240), model.predict(X, scale=stake) / model.level_
    for k in range(4):
        rest = part != k
        other = RevenueRegressor(**settings).fit(
            X[rest], revenue[rest], scale=stake[rest]
        )
        unseen[~rest] = other.predict(X[~rest], scale=stake[~rest]) / other.level_
    effective = revenue.sum() ** 2 / (revenue**2).sum()
    weight = effective / (effective + 10)
    expected = (revenue.sum() / unseen.sum()) ** weight
    assert model.level_ == pytest.approx(expected, rel=0.08)
    within = (revenue.sum() / seen.sum()) ** weight
    assert abs(np.log(within / expected)) > 0.16


def test_totals_hold_where_large_stakes_recover_less():
    rng = np.random.default_rng(1)
    X, stake = rng.normal(size=(2000, 2)), rng.lognormal(6, 1, 2000)
    revenue = 0.3 * stake**0.5 * rng.gamma(4, 0.25, 2000)
    model = RevenueRegressor().fit(X[:1000], revenue[:1000], scale=stake[:1000])
    total = model.predict(X[1000:], scale=stake[1000:]).sum()
    assert total == pytest.approx(revenue[1000:].sum(), rel=0.1)
    assert model.level_ < 0.7


def test_one_recovery_does_not_decide_the_level():
    revenue, predicted = np.ones(100), np.ones(100)
    part = np.arange(100) // 25
    assert find_level(revenue, predicted, part)[0] == 1.0
    twice = find_level(1.5 * revenue, predicted, part)[0]
    assert 1.4 < twice < 1.5
    revenue[7] = 1e9
    assert find_level(revenue, predicted, part)[0] == 2.0
    revenue[7] = 100.0
    assert find_level(revenue, predicted, part)[0] < 1.3


def test_the_spread_is_drawn_to_the_usual_one():
    predicted, part = np.ones(400), np.arange(400) // 100
    _, even = find_level(predicted, predicted, part)
    assert even == pytest.approx(np.log(1.6) / np.sqrt(2))
    uneven = predicted * np.array([0.2, 1.0, 1.0, 5.0])[part]
    assert find_level(uneven, predicted, part)[1] > np.log(1.6)


def test_parts_of_the_time_keep_moments_whole():
    time = np.repeat([5, 1, 3], 40)
    part = split_time(time, 120)
    assert all(len(set(part[time == t])) == 1 for t in (1, 3, 5))
    assert part[time == 1].max() < part[time == 5].min()
    assert split_time(None, 8).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_an_item_without_a_scale_gets_the_usual_one(noisy):
    X, stake, revenue = noisy
    unknown = stake.copy()
    unknown[:60:2], unknown[1:60:2] = np.nan, 0.0
    model = RevenueRegressor().fit(X, revenue, scale=unknown)
    assert model.usual_scale_ == np.median(stake[60:])
    usual = np.full(len(X), model.usual_scale_)
    for missing in (np.nan, 0.0):
        found = model.predict(X, scale=np.full(len(X), missing))
        assert np.array_equal(found, model.predict(X, scale=usual))


@pytest.mark.parametrize("make", [RevenueRegressor, lambda: RegressorAdapter(Ridge())])
def test_findings_of_other_laws_do_not_sink(noisy, make):
    X, stake, revenue = noisy
    other = X[:, 0] > 0.8
    revenue = np.where(other, 0.0, revenue)
    sunk = make().fit(X, revenue, scale=stake)
    stated = make().fit(X, revenue, scale=stake, fiscal=~other)
    shares = {}
    for name, model in (("sunk", sunk), ("stated", stated)):
        share = model.predict(X)
        shares[name] = share[other].mean() / share[~other].mean()
    assert shares["sunk"] < 0.6
    assert shares["stated"] > 0.75


def test_findings_of_other_laws_count_in_the_level(noisy):
    X, stake, revenue = noisy
    other = np.arange(240) % 2 == 0
    nothing = np.where(other, 0.0, revenue)
    model = RevenueRegressor().fit(X, nothing, scale=stake, fiscal=~other)
    alone = RevenueRegressor().fit(X[~other], revenue[~other], scale=stake[~other])
    assert model.mean_ == alone.mean_
    assert model.level_ < 0.65 * alone.level_


def test_findings_of_other_laws_alone_still_fit(noisy):
    X, stake, _ = noisy
    none = np.zeros(len(X))
    model = RevenueRegressor().fit(X, none, scale=stake, fiscal=none > 0)
    assert not model.predict(X, scale=stake).any()
    assert model.level_ == 1.0


def test_level_and_usual_scale_are_restored_bit_for_bit(noisy):
    X, stake, revenue = noisy
    model = RevenueRegressor().fit(X, revenue, scale=stake)
    again = RevenueRegressor().restore(model.booster_text(), model.fitted_state())
    stake[:5] = np.nan
    found = model.predict(X, scale=stake)
    assert np.array_equal(again.predict(X, scale=stake), found)
    assert again.spread_ == model.spread_


def test_a_state_without_a_level_predicts_as_it_did(noisy):
    X, stake, revenue = noisy
    model = RevenueRegressor().fit(X, revenue, scale=stake)
    state = {key: model.fitted_state()[key] for key in ("mean", "n_features")}
    old = RevenueRegressor().restore(model.booster_text(), state)
    assert (old.level_, old.spread_, old.usual_scale_) == (1.0, None, None)
    assert old.fitted_state() == state
    assert np.array_equal(old.predict(X), model.booster_.predict(X))
    assert not old.predict(X, scale=np.full(len(X), np.nan)).any()
