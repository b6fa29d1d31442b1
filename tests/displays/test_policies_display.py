"""Policies compared, and calibrations, as pictures of their results."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from smartrisk.displays import PolicyComparisonDisplay, ReliabilityDisplay
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import calibration, compare_policies


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(0)
    n = 1_000
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    risk = rng.random(n)
    hit = (rng.random(n) < 0.5 * risk).astype(int)
    truth = key.assign(illicit=hit, revenue_adjustment=hit * rng.lognormal(5, 1, n))
    policies = {
        "rules": key.assign(risk_score=rng.random(n)),
        "engine": key.assign(risk_score=risk),
        "chance": key.assign(propensity=0.05),
    }
    return compare_policies(policies, truth, n_bootstrap=50)


@pytest.fixture
def display(comparison):
    yield PolicyComparisonDisplay.from_comparison(comparison)
    plt.close("all")


def test_points_are_drawn_at_the_differences(comparison, display):
    assert display.plot() is display
    assert len(display.ax_) == 3
    gaps = comparison.differences()
    for ax, measure in zip(
        display.ax_, ("hit_rate", "recall", "revenue_share"), strict=True
    ):
        drawn = [c.lines[0].get_xdata()[0] for c in ax.containers]
        wanted = gaps.loc[gaps["measure"] == measure, "difference"]
        assert drawn == pytest.approx(wanted.tolist())
    names = [text.get_text() for text in display.ax_[0].get_yticklabels()]
    assert names == ["engine", "chance"]


def test_it_draws_on_given_axes_and_writes_the_same_bytes(display, tmp_path):
    _, axes = plt.subplots(1, 3)
    assert display.plot(axes).ax_[0] is axes[0]
    first = display.save(tmp_path / "a.svg").read_bytes()
    assert display.save(tmp_path / "b.svg").read_bytes() == first


def test_its_frame_is_a_copy(display):
    taken = display.frame()
    taken["difference"] = 9.0
    assert (display.frame()["difference"] < 9.0).all()


def test_one_policy_by_itself_cannot_be_drawn():
    key = pd.DataFrame({"declaration_id": list("abcd")})
    alone = compare_policies({"a": key.assign(channel="red")}, key.assign(illicit=1))
    with pytest.raises(ArgumentError, match="two policies or more"):
        PolicyComparisonDisplay.from_comparison(alone)


def test_calibrations_are_drawn_as_they_are():
    rng = np.random.default_rng(0)
    p = rng.random(500)
    result = calibration(p, rng.random(500) < p, n_groups=4)
    one = ReliabilityDisplay.from_calibrations(result)
    pd.testing.assert_frame_equal(one.frame()[result.frame().columns], result.frame())
    both = ReliabilityDisplay.from_calibrations({"a": result, "b": result})
    assert both.frame()["contender"].tolist() == ["a"] * 4 + ["b"] * 4
    for wrong in ({}, {"a": 3}, {"a": result, "b": 3}, 3):
        with pytest.raises(ArgumentError, match=r"got (int|an empty mapping)"):
            ReliabilityDisplay.from_calibrations(wrong)
