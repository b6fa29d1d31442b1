"""The measures and the runs behind the tables of quality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit


@pytest.fixture(scope="module")
def measures(program):
    return program("quality_measures")


@pytest.fixture(scope="module")
def runs(program):
    return program("quality_runs")


def make_items(n=20_000, seed=0):
    """Return true probabilities and outcomes drawn from them."""
    rng = np.random.default_rng(seed)
    chance = expit(rng.normal(-3.0, 1.0, n))
    return chance, (rng.random(n) < chance).astype(float)


def make_tables(risk, hit, **more):
    """Return SCORES and the truth of the same items."""
    truth = pd.DataFrame({"illicit": hit, "revenue_adjustment": 100.0 * hit})
    return pd.DataFrame({"risk_score": risk, **more}), truth


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_the_slope_is_that_of_the_truth_on_the_score(measures, factor):
    chance, hit = make_items()
    raw = factor * logit(chance)
    assert measures.fit_slope(expit(raw), hit) == pytest.approx(1 / factor, rel=0.05)
    assert np.isnan(measures.fit_slope(np.full(len(hit), 0.2), hit))


def test_an_item_with_a_certain_score_does_not_end_the_slope(measures):
    chance, hit = make_items()
    chance[:5], hit[:5] = 1.0, 0.0
    assert 0.2 < measures.fit_slope(chance, hit) < 1.1


def test_the_measures_of_a_perfect_order_and_of_chance(measures):
    chance, hit = make_items()
    best = measures.judge(*make_tables(hit, hit, expected_revenue=hit))
    assert best["precision"] == 1.0
    assert best["average_precision"] == 1.0
    assert best["revenue"] == pytest.approx(1_000 / hit.sum())
    level = measures.judge(*make_tables(np.full(len(hit), hit.mean()), hit))
    assert level["lift"] == pytest.approx(1.0)
    assert level["ece"] == pytest.approx(0.0)
    right = measures.judge(*make_tables(chance, hit))
    assert right["ece"] < 0.005
    assert right["hits_ratio"] == pytest.approx(1.0, abs=0.05)
    assert 1.0 < right["lift"] < best["lift"]


def test_bins_are_covered_where_their_hit_rate_lies_within_the_bounds(measures):
    chance, hit = make_items()
    wide = make_tables(chance, hit, score_lower=chance / 2, score_upper=2 * chance)
    assert measures.judge(*wide)["covered"] >= 0.95
    off = make_tables(chance, hit, score_lower=3 * chance, score_upper=4 * chance)
    assert measures.judge(*off)["covered"] == 0.0
    assert measures.judge(*off)["width"] == pytest.approx(np.median(chance))
    assert np.isnan(measures.judge(*make_tables(chance, hit))["covered"])


def test_a_better_order_is_significant_and_the_same_order_is_not(measures):
    chance, hit = make_items()
    scores, truth = make_tables(chance, hit)
    noise = np.random.default_rng(1).random(len(hit))
    gain, error = measures.paired_error(scores, scores.assign(risk_score=noise), truth)
    assert gain > 4 * error > 0
    gain, error = measures.paired_error(scores, scores.copy(), truth)
    assert (gain, error) == (0.0, 0.0)


def test_the_gain_is_the_difference_of_the_precisions(measures):
    chance, hit = make_items()
    scores, truth = make_tables(chance, hit)
    other = scores.assign(risk_score=chance[::-1].copy())
    gain, _ = measures.paired_error(scores, other, truth)
    both = [measures.judge(table, truth)["precision"] for table in (scores, other)]
    assert gain == pytest.approx(both[0] - both[1])


def test_holm_allows_for_the_number_of_worlds(measures):
    found = measures.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])
    # One of fifty at p = .002 is chance; one at p = .00001 is not.
    gains = pd.Series(np.zeros(50))
    errors = pd.Series(np.ones(50))
    gains[0] = -3.1
    assert measures.count_worse(gains, errors) == 0
    gains[0] = -4.5
    assert measures.count_worse(gains, errors) == 1
    assert measures.count_worse(-gains, errors) == 0


def measure_stub(world, *, seen):
    """Note that a world was measured, and return two rows of it."""
    seen.append(world)
    return [{"contender": name, "precision": 0.1 * world.seed} for name in ("a", "b")]


def test_a_run_goes_on_where_it_was_stopped(runs, tmp_path):
    path = tmp_path / "rows.csv"
    worlds = [runs.World("national", 100, seed) for seed in (2, 1, 3)]
    seen = []
    runs.run(worlds[:1], measure_stub, path, processes=1, seen=seen)
    table = runs.run(worlds, measure_stub, path, processes=1, seen=seen)
    assert seen == worlds
    assert table["seed"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table["contender"].tolist() == ["a", "b"] * 3
    whole = tmp_path / "whole.csv"
    again = runs.run(worlds, measure_stub, whole, processes=1, seen=[])
    columns = [name for name in table if name != "world_seconds"]
    pd.testing.assert_frame_equal(table[columns], again[columns])


def test_no_world_is_begun_after_the_time(runs, tmp_path):
    path = tmp_path / "rows.csv"
    worlds = [runs.World("national", 100, 1)]
    runs.run(worlds, measure_stub, path, processes=1, seen=[])
    more = [*worlds, runs.World("national", 100, 2)]
    table = runs.run(more, measure_stub, path, processes=1, seconds=-1.0, seen=[])
    assert table["seed"].unique().tolist() == [1]


def test_thinned_results_hold_the_wanted_hits_and_keep_their_rate(program):
    few_results = program("few_results")
    rng = np.random.default_rng(0)
    known = pd.DataFrame({"illicit": (rng.random(5_000) < 0.1).astype(int)})
    some = few_results.thin(known, 100, 3)
    assert some["illicit"].sum() == 100
    assert some["illicit"].mean() == pytest.approx(0.1, abs=0.03)
    assert some.index.is_monotonic_increasing
    # The fewer results are among the more.
    assert set(few_results.thin(known, 10, 3).index) <= set(some.index)
    assert few_results.thin(known, 5_000, 3) is None


def test_features_like_those_of_date_flag_the_riskiest_entities(program):
    lite_date = program("quality_lite_date")
    names = pd.Series(["a", "a", "b", "c", "d", "e", "f", "g", "h", "i"])
    hits = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    assert lite_date.flag(names, hits) == {"a"}
    assert lite_date.flag(names, np.zeros(10)) == set()
