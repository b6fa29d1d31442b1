"""Intervals: hand-computed cases, scipy where it has them, draws that stay the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from smartrisk.errors import ArgumentError
from smartrisk.intervals import (
    mean_half_width,
    percentile_interval,
    resampled_counts,
    wilson_interval,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 7), (10, 100), (20, 20)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_interval_of_a_share_is_that_of_scipy(hits, n, confidence):
    low, high = wilson_interval([hits / n], [n], confidence=confidence)
    expected = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    assert low[0] == pytest.approx(expected.low, abs=1e-12)
    assert high[0] == pytest.approx(expected.high, abs=1e-12)


def test_where_none_was_found_the_interval_has_a_width():
    low, high = wilson_interval([0.0, 1.0], [20, 20])
    assert low[0] == pytest.approx(0.0, abs=1e-12)
    assert high[0] == pytest.approx(0.1611, abs=1e-4)
    assert low[1] == pytest.approx(1 - high[0])


def test_a_share_of_nothing_has_no_interval():
    low, high = wilson_interval([math.nan], [math.nan])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_the_draws_of_a_seed_are_fixed():
    counts = np.array(list(resampled_counts(4, 3, random_state=0)))
    assert counts.tolist() == [[0, 1, 2, 1], [3, 1, 0, 0], [1, 0, 1, 2]]
    rng = np.random.default_rng(0)
    assert next(resampled_counts(4, 1, rng)).tolist() == counts[0].tolist()
    assert next(resampled_counts(4, 1, rng)).tolist() == counts[1].tolist()


def test_replicates_without_a_figure_are_left_out():
    values = [*range(101), math.nan, math.inf]
    assert percentile_interval(values) == (2.5, 97.5)
    assert percentile_interval(values, confidence=0.5) == (25.0, 75.0)
    assert np.isnan(percentile_interval([math.nan])).all()


def test_a_mean_has_students_interval():
    values = [0.2, 0.5, math.nan, 0.3, 0.9]
    known = np.array([0.2, 0.5, 0.3, 0.9])
    low, high = stats.t.interval(0.95, 3, known.mean(), stats.sem(known))
    assert mean_half_width(values) == pytest.approx((high - low) / 2)
    assert math.isnan(mean_half_width([0.2, math.nan]))


def test_confidence_is_a_probability():
    for refused in (
        lambda: wilson_interval([0.1], [10], confidence=95),
        lambda: percentile_interval([0.1], confidence=0.05),
        lambda: mean_half_width([0.1], confidence=1.0),
    ):
        with pytest.raises(ArgumentError, match="'confidence' must be a number"):
            refused()
