"""Metrics equal what brute force over all orders of ties gives."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score

from smartrisk.errors import ArgumentError
from smartrisk.evaluation import (
    calibration,
    calibration_error,
    count_at,
    evaluate,
    lift_at,
    net_benefit_at,
    normalised_at,
    precision_at,
    recall_at,
    revenue_share_at,
    wilson_interval,
)
from smartrisk.evaluation._ranking import expected_sum, weighted_curve

CASES = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n),
        st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), min_size=n, max_size=n),
        st.lists(st.integers(0, 9), min_size=n, max_size=n),
        st.integers(0, n),
    )
)


def orders(score):
    """Yield every order that goes by score, ties in all orders."""
    for order in itertools.permutations(range(len(score))):
        if all(score[a] >= score[b] for a, b in itertools.pairwise(order)):
            yield order


def brute(y, score, k):
    """Return the mean sum of the first k over all orders."""
    return float(np.mean([sum(y[i] for i in order[:k]) for order in orders(score)]))


def check(case):
    """Compare every measure with brute force."""
    y, score, amount, k = case
    revenue = [a * b for a, b in zip(y, amount, strict=True)]
    hits, got = brute(y, score, k), brute(revenue, score, k)
    nan = math.nan

    def check_equal(value, expected):
        assert value == pytest.approx(expected, nan_ok=True)

    check_equal(precision_at(y, score, k), hits / k if k else nan)
    check_equal(recall_at(y, score, k), hits / sum(y) if sum(y) else nan)
    check_equal(
        revenue_share_at(revenue, score, k),
        got / sum(revenue) if sum(revenue) else nan,
    )
    base = sum(y) / len(y)
    check_equal(lift_at(y, score, k), hits / k / base if k and base else nan)
    check_equal(net_benefit_at(revenue, score, k, cost=2.0), got - 2.0 * k)
    best = min(k, sum(y))
    check_equal(normalised_at(y, score, k), hits / best if best else nan)
    most = sum(sorted(revenue, reverse=True)[:k])
    check_equal(normalised_at(revenue, score, k), got / most if most else nan)
    first = sorted(range(len(y)), key=lambda i: -score[i])[:k]
    chosen = sum(y[i] for i in first)
    check_equal(precision_at(y, score, k, ties="first"), chosen / k if k else nan)
    check_equal(
        recall_at(y, score, k, ties="first"), chosen / sum(y) if sum(y) else nan
    )
    check_equal(
        lift_at(y, score, k, ties="first"), chosen / k / base if k and base else nan
    )
    check_equal(
        normalised_at(y, score, k, ties="first"), chosen / best if best else nan
    )
    earned = sum(revenue[i] for i in first)
    check_equal(
        net_benefit_at(revenue, score, k, cost=2.0, ties="first"), earned - 2.0 * k
    )
    share = earned / sum(revenue) if sum(revenue) else nan
    check_equal(revenue_share_at(revenue, score, k, ties="first"), share)


@settings(max_examples=300, deadline=None)
@given(CASES)
def test_measures_equal_brute_force_over_the_orders_of_ties(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(CASES)
def test_measures_equal_brute_force_ten_thousand_times(case):
    check(case)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 60), st.integers(0, 10_000))
def test_without_ties_they_equal_scikit_learns(n, seed):
    rng = np.random.default_rng(seed)
    y, score = rng.integers(0, 2, n), rng.permutation(n) / n
    k = int(rng.integers(1, n + 1))
    chosen = np.zeros(n, int)
    chosen[np.argsort(-score)[:k]] = 1
    assert precision_at(y, score, k) == pytest.approx(precision_score(y, chosen))
    if y.sum():
        assert recall_at(y, score, k) == pytest.approx(recall_score(y, chosen))


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1), st.integers(0, 1000))
def test_a_rate_and_its_count_give_the_same_figures(rate, n):
    k = count_at(rate, n)
    y, score = np.arange(n) % 2, np.sin(np.arange(n))
    assert precision_at(y, score, rate) == pytest.approx(
        precision_at(y, score, k), nan_ok=True
    )


def test_a_share_gives_the_nearest_number_of_items():
    assert [count_at(share, 10) for share in (0.04, 0.05, 0.14, 0.15, 1.0)] == [
        *(0, 1, 1, 2, 10)
    ]


def test_a_perfect_ranking_is_an_oracle_and_a_flat_one_is_chance():
    y = np.array([0, 1, 0, 1, 0, 0, 0, 0])
    assert normalised_at(y, y, 3) == 1.0
    assert lift_at(y, np.zeros(8), 3) == pytest.approx(1.0)
    assert lift_at(y, y, 2) == 4.0


def test_ties_are_expected_or_first():
    with pytest.raises(ArgumentError, match="ties"):
        precision_at([0, 1], [1, 1], 1, ties="lucky")


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([1, 0, 1], [0.1], "one dimension and the same length"),
        ([1, 0, 1], [0.1, math.nan, 0.3], "1 of 3 scores are missing"),
        ([1, math.nan, 1], [0.1, 0.2, 0.3], "Leave out items without a result"),
        ([1, -1, 1], [0.1, 0.2, 0.3], "negative, such as -1.0"),
    ],
)
def test_what_cannot_be_ranked_is_refused(y, score, message):
    for measure in (precision_at, recall_at, revenue_share_at, lift_at, normalised_at):
        for ties in ("expected", "first"):
            with pytest.raises(ArgumentError, match=message):
                measure(y, score, 2, ties=ties)


def test_a_control_costs_something_or_nothing():
    for cost in (-1.0, math.nan):
        with pytest.raises(ArgumentError, match="cost"):
            net_benefit_at([1.0], [0.5], 1, cost=cost)


# ------------------------------------------------------------------- replicates


def replicated(weight, y, score, k):
    """Return the expected sum among the k best of the items drawn, by repeating."""
    drawn = np.repeat(np.arange(len(y)), weight)
    return expected_sum(score[drawn], y[drawn], k)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 30), st.integers(0, 10_000))
def test_replicates_share_ties_as_estimates_do(n, seed):
    rng = np.random.default_rng(seed)
    score, y = rng.integers(0, 3, n) / 3, rng.integers(0, 2, n).astype(float)
    weights = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in "abc"])
    share = float(rng.random())
    sums = weighted_curve(score, [y], weights.astype(float), [share])
    k = math.floor(share * n + 0.5)
    for r, weight in enumerate(weights):
        assert sums[r, 0, 0] == pytest.approx(replicated(weight, y, score, k))
        assert sums[r, 1].tolist() == [k, n]


def test_the_interval_of_a_flat_score_holds_the_hit_rate():
    key = pd.DataFrame({"declaration_id": [f"D{k:04d}" for k in range(1_000)]})
    hit = np.repeat([1, 0], [300, 700])
    found = evaluate(key.assign(risk_score=0.5), key.assign(illicit=hit), rates=(0.1,))
    row = found.frame().iloc[0]
    assert row["precision_low"] < row["precision"] < row["precision_high"]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_the_calibration_error_does_not_depend_on_the_order(n, seed):
    rng = np.random.default_rng(seed)
    p, y = rng.integers(0, 4, n) / 3, rng.integers(0, 2, n)
    order = rng.permutation(n)
    other = calibration_error(y[order], p[order])
    assert calibration_error(y, p) == pytest.approx(other)


# ------------------------------------------------------------------ calibration


def test_groups_hold_all_items_and_average_to_the_whole():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=1_003)
    hits = rng.uniform(size=1_003) < p
    result = calibration(p, hits, n_groups=10)
    table = result.frame()
    assert table["n_items"].sum() == 1_003
    whole = (table["hit_rate"] * table["n_items"]).sum() / 1_003
    assert whole == pytest.approx(hits.mean())
    assert (table["hit_rate_low"] <= table["hit_rate"]).all()
    assert len(table) == 10
    assert result.error < 0.06
    assert "10 groups" in repr(result)


def test_wilsons_interval_of_nothing_is_nothing():
    low, high = wilson_interval([0.0, math.nan], [10, 0])
    assert low[0] == 0.0
    assert high[0] == pytest.approx(0.2775, abs=1e-4)
    assert math.isnan(low[1])


@pytest.mark.parametrize(
    ("p", "hits", "message"),
    [
        ([0.5], [0, 1], "the same length"),
        ([1.5], [0], "must lie in"),
        ([0.5], [0.3], "must be 0 or 1"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(p, hits, message):
    with pytest.raises(ArgumentError, match=message):
        calibration(p, hits)
