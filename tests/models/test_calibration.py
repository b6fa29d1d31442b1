"""The map from raw scores to probabilities: finite, rising, never saturated."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from smartrisk.errors import ArgumentError, DataQualityWarning
from smartrisk.models import ScoreCalibration, fit_calibration
from smartrisk.models._calibration import steepness_of_all


def logit(p):
    """Return log-odds."""
    return np.log(p / (1.0 - p))


@st.composite
def scored_blocks(draw):
    """Return raw scores, hits, blocks and weights of any odd kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.sampled_from([1, 5, 60, 800]))
    n_blocks = draw(st.integers(1, 5))
    raw = rng.normal(-3.0, draw(st.sampled_from([0.0, 0.1, 1.0, 2.0])), n)
    block = np.sort(rng.integers(0, n_blocks, n))
    rate = np.full(n, draw(st.sampled_from([0.002, 0.02, 0.05])))
    rate[block == n_blocks - 1] *= draw(st.sampled_from([20.0, 1.0, 0.05]))
    hits = (rng.random(n) < np.clip(rate, 0.0, 1.0)).astype(float)
    kind = draw(
        st.sampled_from(
            ["usual", "one class", "one class in a block", "turned", "scaled", "odd"]
        )
    )
    if kind == "one class":
        hits[:] = rng.integers(2)
    elif kind == "one class in a block":
        hits[block == n_blocks - 1] = rng.integers(2)
    elif kind == "turned":
        raw = np.where(hits == 1, -5.0, 5.0) + rng.normal(size=n) / 10
    elif kind == "scaled":
        raw *= draw(st.sampled_from([1e3, 1e6]))
    elif kind == "odd":
        raw[0] = draw(st.sampled_from([1e6, -1e6, 40.0]))
    weights = rng.choice([0.0, 1.0, 0.001, 50.0], n) if draw(st.booleans()) else None
    return raw, hits, block, weights


@settings(max_examples=40)
@given(case=scored_blocks())
def test_the_map_is_finite_rising_and_not_saturated(case):
    """Whatever the scores and the hits are, also after a jump by twenty."""
    raw, hits, block, weights = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        found = fit_calibration(raw, hits, block=block, weights=weights)
    assert np.isfinite(list(found.to_plain().values())).all()
    assert found.slope > 0
    middle = np.unique(np.quantile(raw, [0.05, 0.25, 0.5, 0.75, 0.95]))
    if np.ptp(middle) > 1e-9 * np.abs(middle).max():
        inner = found.apply(middle)
        if found.n_items:  # else the scores are taken for log-odds as they are
            assert (np.diff(inner) > 0).all()
            assert 1e-10 < np.median(inner) < 1 - 1e-10
    probability = found.apply(raw)
    lower, upper = found.interval(raw)
    assert (lower >= 0).all()
    assert (lower <= probability).all()
    assert (upper <= 1).all()
    assert (upper >= probability).all()


@pytest.mark.parametrize(("before", "last"), [(0.02, 0.4), (0.4, 0.02)])
@pytest.mark.parametrize(("n", "near"), [(4000, 0.25), (40_000, 0.15)])
def test_the_level_follows_a_jump_of_the_hit_rate_in_the_last_block(
    before, last, n, near
):
    """By twenty, up or down: the map is no constant and has the new level."""
    rng = np.random.default_rng(0)
    raw = rng.normal(logit(before), 1.0, n)
    block = np.arange(n) // (n // 4)
    level = np.where(block == 3, logit(last) - logit(before), 0.0)
    hits = (rng.random(n) < expit(raw + level)).astype(float)
    found = fit_calibration(raw, hits, block=block)
    mean = found.apply(raw[block == 3]).mean()
    assert mean == pytest.approx(hits[block == 3].mean(), rel=near)
    assert 0.8 < found.slope < 1.2
    assert found.drift > 0.5


def test_few_hits_leave_the_scores_nearly_as_they_are():
    """The map is drawn to the identity; many hits decide against it."""
    rng = np.random.default_rng(1)

    def draw(n_items):
        raw = rng.normal(-1.0, 1.0, n_items)
        return raw, (rng.random(n_items) < expit(2.0 * raw - 1.0)).astype(float)

    raw, hits = draw(40_000)
    few, many = fit_calibration(raw[:40], hits[:40]), fit_calibration(*draw(400_000))
    assert 1.0 < few.slope < 1.2
    assert abs(few.apply(-1.0) - expit(-1.0)) < 0.05
    assert many.slope == pytest.approx(2.0, abs=0.1)
    assert many.intercept == pytest.approx(-1.0, abs=0.1)
    assert few.variance_intercept > many.variance_intercept


def test_weights_count_items():
    """A weight of two is the item twice."""
    rng = np.random.default_rng(2)
    raw = rng.normal(-2.0, 1.0, 300)
    hits = (rng.random(300) < expit(raw)).astype(float)
    times = rng.integers(0, 4, 300)
    weighted = fit_calibration(raw, hits, weights=times)
    again = fit_calibration(np.repeat(raw, times), np.repeat(hits, times))
    assert weighted.slope == pytest.approx(again.slope, rel=1e-6)
    assert weighted.intercept == pytest.approx(again.intercept, rel=1e-6)
    assert weighted.n_hits == again.n_hits


def test_a_map_that_turns_the_order_is_refused():
    """The slope is held at its bound, and the warning states it."""
    rng = np.random.default_rng(3)
    hits = (rng.random(4000) < 0.2).astype(float)
    raw = rng.normal(-1.4, 0.2, 4000) - 2.0 * hits
    with pytest.warns(DataQualityWarning, match="the slope was held at 0.1"):
        found = fit_calibration(raw, hits)
    assert found.slope == pytest.approx(0.1)
    assert found.apply(raw).mean() == pytest.approx(0.2, abs=0.03)


def test_scores_that_are_no_log_odds_are_scaled_with_a_warning():
    """As log-odds they would make every probability 0 or 1."""
    rng = np.random.default_rng(4)
    truth = rng.normal(-2.0, 1.0, 4000)
    hits = (rng.random(4000) < expit(truth)).astype(float)
    with pytest.warns(DataQualityWarning, match="are no log-odds"):
        found = fit_calibration(1000.0 * truth + 5000.0, hits)
    probability = found.apply(1000.0 * truth + 5000.0)
    assert probability.mean() == pytest.approx(hits.mean(), abs=0.02)
    assert np.ptp(probability) > 0.3


@pytest.mark.parametrize("n_items", [400, 20_000])
def test_bins_of_later_items_lie_in_their_intervals(n_items):
    """Where nothing changes, nine of ten bins do, and the bounds are not idle."""
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(10):
        raw = rng.normal(-3.0, 1.0, n_items)
        hits = (rng.random(n_items) < expit(0.9 * raw - 0.2)).astype(float)
        found = fit_calibration(raw, hits, block=np.arange(n_items) * 4 // n_items)
        later = np.sort(rng.normal(-3.0, 1.0, 4000))
        observed = rng.random(4000) < expit(0.9 * later - 0.2)
        lower, upper = (b.reshape(20, -1).mean(1) for b in found.interval(later))
        rate = observed.reshape(20, -1).mean(1)
        inside.append((lower <= rate) & (rate <= upper))
    assert np.mean(inside) >= 0.87
    middle = found.apply(np.median(later))
    assert upper[10] < 6 * middle


def test_more_evidence_narrows_the_interval():
    """Ten thousand items narrow the interval; a level that moves widens it."""
    rng = np.random.default_rng(6)
    raw = rng.normal(-2.0, 1.0, 10_000)
    hits = (rng.random(10_000) < expit(raw)).astype(float)
    widths = []
    for n in (0, 100, 10_000):
        block = np.arange(n) * 4 // max(n, 1)
        lower, upper = fit_calibration(raw[:n], hits[:n], block=block).interval([-2.0])
        widths.append(float(upper[0] - lower[0]))
    assert widths[0] > widths[1] > widths[2]
    steady, moving = (
        ScoreCalibration(drift=d).interval([-2.0])[1][0] for d in (0.1, 1.0)
    )
    assert moving > steady + 0.1


def test_the_numbers_survive_json():
    """A map from plain values equals the one that was saved."""
    found = fit_calibration([-1.0, 0.0, 1.0], [0, 0, 1])
    assert (
        ScoreCalibration.from_plain(json.loads(json.dumps(found.to_plain()))) == found
    )
    assert ScoreCalibration.from_plain({}) == ScoreCalibration()


@pytest.mark.parametrize(
    "plain", [{"slope": 0.0}, {"slope": "1"}, {"bend": 1.0}, {"drift": float("nan")}]
)
def test_numbers_of_no_map_are_refused(plain):
    """Unknown names, texts, missing numbers, and a slope that does not rise."""
    with pytest.raises(ArgumentError, match=next(iter(plain))):
        ScoreCalibration.from_plain(plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 1.0], [1]), "one per item"),
        (([0.0, np.nan], [0, 1]), "1 of raw"),
        (([0.0, 1.0], [0, 2]), "1 of hits"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, message):
    """Lengths that differ, missing scores, and hits that are neither 0 nor 1."""
    with pytest.raises(ArgumentError, match=message):
        fit_calibration(*arguments)


def test_negative_weights_are_refused():
    """They would count items as less than none."""
    with pytest.raises(ArgumentError, match="1 of weights"):
        fit_calibration([0.0, 1.0], [0, 1], weights=[1.0, -1.0])


def test_a_steeper_map_turns_around_the_centre_of_the_information():
    """Slope and its error grow by the factor; the level at the centre stays."""
    rng = np.random.default_rng(6)
    raw = rng.normal(-3.0, 1.0, 20_000)
    hits = (rng.random(20_000) < expit(raw)).astype(float)
    one, more = (fit_calibration(raw, hits, steeper=f) for f in (1.0, 1.3))
    assert more.slope == pytest.approx(1.3 * one.slope)
    assert more.variance_slope == pytest.approx(1.3**2 * one.variance_slope)
    weight = expit(raw) * (1 - expit(raw))
    centre = (weight * raw).sum() / weight.sum()
    assert more.apply(centre) == pytest.approx(float(one.apply(centre)))
    assert more.apply(centre + 1) > one.apply(centre + 1)
    variances = [
        found.variance_slope * centre**2
        + 2 * found.covariance * centre
        + found.variance_intercept
        for found in (one, more)
    ]
    assert variances[1] == pytest.approx(variances[0])


def test_the_truth_of_all_items_is_steeper_where_few_were_inspected():
    """From nothing at few hits to a half more; nothing where all were inspected."""
    assert steepness_of_all(5_000.0, 1.0) == 1.0
    assert steepness_of_all(20.0, 0.0) == 1.0
    assert steepness_of_all(1e9, 0.0) == 1.5
    steps = [steepness_of_all(200.0, share) for share in (0.0, 0.1, 0.5, 0.9)]
    assert steps == sorted(steps, reverse=True)
    hits = [steepness_of_all(n, 0.1) for n in (100.0, 200.0, 400.0)]
    assert 1.0 < hits[0] < hits[1] < hits[2]
