"""What is at stake in an item: its value, its rate, and those of its peers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.engine._stakes import Stakes
from smartrisk.errors import DataQualityWarning
from smartrisk.features import join_results, peer_rates, peer_values
from smartrisk.models import RevenueRegressor, RiskClassifier

STAKES = Stakes(value=700.0, rate=0.1)


@pytest.fixture(scope="module")
def later(past_and_new):
    return past_and_new[1].head(300)


@pytest.fixture(scope="module")
def features(engine):
    return engine.features_


def test_the_stake_is_the_value_times_the_rate_and_a_base(features, later):
    value, rate = later["customs_value"], later["duty_rate"]
    found = STAKES.of_items(later, features)
    np.testing.assert_allclose(found, value * (0.05 + rate), rtol=1e-12)
    assert (found[rate == 0] > 0).all()


@pytest.mark.parametrize("missing", [np.nan, 0.0])
def test_a_missing_value_is_that_of_the_peers_and_not_zero(features, later, missing):
    unknown = later.assign(customs_value=missing)
    found = STAKES.of_items(unknown, features)
    logs = np.log(found / STAKES.of_items(later, features))
    assert (found > 0).all()
    assert abs(np.median(logs)) < 0.3
    usual = np.log(700.0 / later["customs_value"])
    assert logs.std() < 0.8 * usual.std()
    assert len(np.unique(found)) > 250


def test_peers_are_priced_by_mass_else_by_quantity_else_not_at_all(features, later):
    later = later[later["net_mass_kg"] > 0]
    twice = later.assign(net_mass_kg=2 * later["net_mass_kg"])
    np.testing.assert_allclose(
        peer_values(features, twice), 2 * peer_values(features, later), rtol=1e-6
    )
    light = later.assign(net_mass_kg=np.nan)
    by_number = peer_values(features, light)
    counted = (later["quantity"] > 0).to_numpy()
    assert np.isfinite(by_number[counted]).mean() > 0.9
    assert np.isnan(by_number[~counted]).all()
    nothing = light.assign(quantity=np.nan, customs_value=np.nan)
    found = STAKES.of_items(nothing, features)
    np.testing.assert_allclose(found, 700.0 * (0.05 + later["duty_rate"]))


def test_a_missing_rate_is_that_of_the_heading(features, later):
    rate = peer_rates(features, later)
    assert np.corrcoef(rate, later["duty_rate"])[0, 1] > 0.5
    found = STAKES.of_items(later.assign(duty_rate=np.nan), features)
    np.testing.assert_allclose(found, later["customs_value"] * (0.05 + rate))
    unseen = later.assign(duty_rate=np.nan, tariff_code="000000")
    found = STAKES.of_items(unseen, features)
    np.testing.assert_allclose(found, later["customs_value"] * (0.05 + 0.1))


@pytest.mark.parametrize("absent", [(), ("customs_value",), ("duty_rate",)])
def test_the_stake_of_one_item_has_the_bits_of_the_batch(features, later, absent):
    rows = later.head(20).assign(**dict.fromkeys(absent, np.nan))
    batch = STAKES.of_items(rows, features)
    for row in range(20):
        item = rows.iloc[row].to_dict()
        assert STAKES.of_item(item, features)[0] == batch[row]
        fewer = {name: item[name] for name in item if name not in absent}
        assert STAKES.of_item(fewer, features)[0] == batch[row]


def test_medians_are_learned_of_what_is_stated(later):
    found = Stakes.learn(later.assign(duty_rate=np.nan))
    assert found == Stakes(value=later["customs_value"].median(), rate=0.0)
    assert Stakes.learn(later[["lodged_at"]]) == Stakes(value=1.0, rate=0.0)
    for wrong in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="finite numbers"):
            Stakes(value=wrong, rate=0.0)


def test_items_without_a_value_are_counted_and_expect_revenue(engine, later):
    rows = later.head(20).copy()
    whole = engine.score(rows)["expected_revenue"].to_numpy()
    rows.loc[rows.index[:3], "customs_value"] = np.nan
    with pytest.warns(DataQualityWarning, match=r"score: 3 of 20 items state no 'cust"):
        scores = engine.score(rows)
    assert (scores["expected_revenue"] > 0).all()
    assert np.array_equal(scores["expected_revenue"].to_numpy()[3:], whole[3:])


def test_the_stakes_are_saved_and_are_part_of_the_version(engine, later, tmp_path):
    loaded = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    rows = later.head(5).assign(customs_value=np.nan)
    pd.testing.assert_frame_equal(
        loaded.score(rows, guard="off").drop(columns="scored_at", errors="ignore"),
        engine.score(rows, guard="off").drop(columns="scored_at", errors="ignore"),
    )
    from smartrisk.engine._version import digest_models

    models = engine.classifier_, engine.regressor_
    versions = {digest_models(*models, s) for s in (None, STAKES, Stakes.learn(later))}
    assert len(versions) == 3


def test_findings_of_other_laws_teach_no_share_of_zero(world):
    split = sr.windows.time_split(world.declarations, world.outcomes)
    known = split.known.copy()
    hits = known.index[known["illicit"] == 1]
    known["area"] = "revenue"
    known.loc[hits[::2], ["area", "revenue_adjustment"]] = ["drugs", 0.0]
    known.loc[hits[0], "revenue_adjustment"] = 50.0
    fiscal = join_results(split.past, known).fiscal
    assert (~fiscal).sum() == len(hits[2::2])
    parts = {
        "features": sr.features.DeclarationFeatures(parts=("item",)),
        "classifier": RiskClassifier(2, members=("boosting",)),
        "regressor": RevenueRegressor(n_estimators=2),
    }
    stated = sr.RiskEngine(**parts).fit(split.past, known)
    sunk = sr.RiskEngine(**parts).fit(split.past, known.assign(area=None))
    assert stated.regressor_.mean_ > 1.5 * sunk.regressor_.mean_


def test_the_interval_of_the_total_holds_both_spreads(engine, calibrated_engine):
    for fitted in (engine, calibrated_engine):
        lower, upper = fitted.revenue_interval_
        assert lower * upper == pytest.approx(1.0)
        spread, calibration = fitted.regressor_.spread_, fitted.classifier_.calibrator_
        variance = calibration.variance_intercept + calibration.drift**2 + spread**2
        assert np.log(upper) == pytest.approx(1.6449 * np.sqrt(variance), rel=1e-4)
