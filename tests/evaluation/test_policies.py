"""Detection effort, and policies on the same items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.datasets import make_declarations
from smartrisk.displays import EffortCurveDisplay, PolicyComparisonDisplay
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import (
    compare_policies,
    effort_curve,
    net_benefit_at,
    precision_at,
    recall_at,
    revenue_share_at,
)

KEY = ["declaration_id", "item_number"]


def table(n, seed):
    rng = np.random.default_rng(seed)
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    hit = (rng.random(n) < 0.3).astype(int)
    hit[0] = 1
    truth = key.assign(illicit=hit, revenue_adjustment=hit * rng.integers(1, 9, n))
    scores = key.assign(risk_score=rng.integers(0, 4, n) / 4)
    return scores, truth


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(0, 1000))
def test_the_curve_is_recall_at_every_count(n, seed):
    scores, truth = table(n, seed)
    curve = effort_curve({"rule": scores}, truth, n_points=n).frame()
    rule = curve[curve["contender"] == "rule"]
    for k in range(n + 1):
        row = rule.iloc[k]
        hit, revenue = truth["illicit"], truth["revenue_adjustment"]
        assert row["hits_share"] == pytest.approx(
            recall_at(hit, scores["risk_score"], k)
        )
        assert row["revenue_share"] == pytest.approx(
            revenue_share_at(revenue, scores["risk_score"], k)
        )
    best = curve[curve["contender"] == "oracle"]["hits_share"].to_numpy()
    assert (rule["hits_share"].to_numpy() <= best + 1e-9).all()
    chance = curve[curve["contender"] == "random"]
    assert np.allclose(chance["hits_share"], chance["inspected"])


def test_the_picture_draws_what_is_stored(tmp_path):
    scores, truth = table(60, 0)
    curve = effort_curve({"rule": scores, "other": scores}, truth)
    display = EffortCurveDisplay.from_curve(curve).plot()
    assert len(display.ax_[0].lines) == 4
    drawn = display.ax_[0].lines[0].get_ydata()
    found = curve.frame().query("contender == 'rule'")["hits_share"]
    assert np.allclose(drawn, found)
    first = display.save(tmp_path / "a.svg").read_bytes()
    assert display.save(tmp_path / "b.svg").read_bytes() == first


# --------------------------------------------------------------------- policies


@pytest.fixture(scope="module")
def world():
    return make_declarations(10_000, random_state=0, scenario="small")


def test_figures_are_those_of_the_decisions(world):
    decisions, truth = world.decisions(), world.full_outcomes()
    row = compare_policies({"offices": decisions}, truth, cost=10.0).frame().iloc[0]
    looked = (decisions["channel"] != "green").to_numpy()
    hit, revenue = truth["illicit"], truth["revenue_adjustment"]
    assert row["n_controls"] == looked.sum()
    assert row["hit_rate"] == pytest.approx(hit[looked].mean())
    assert row["recall"] == pytest.approx(hit[looked].sum() / hit.sum())
    assert row["revenue_share"] == pytest.approx(revenue[looked].sum() / revenue.sum())
    assert row["net_benefit"] == pytest.approx(
        revenue[looked].sum() - 10.0 * looked.sum()
    )


def test_a_better_policy_is_clearly_better_and_itself_is_not(world):
    decisions, truth = world.decisions(), world.full_outcomes()
    n = int((decisions["channel"] != "green").sum())
    hits = world.truth["illicit"].rank(method="first", ascending=False) <= n
    oracle = decisions[KEY].assign(channel=np.where(hits, "red", "green"))
    found = compare_policies(
        {"offices": decisions, "oracle": oracle, "same": decisions}, truth
    ).differences()
    gaps = found.set_index(["policy", "measure"])
    assert gaps.loc[("oracle", "hit_rate"), "low"] > 0
    same = gaps.loc["same"]
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)


def test_the_picture_of_a_comparison_draws_its_differences(world, tmp_path):
    key, truth = world.declarations[KEY], world.full_outcomes()
    all_of_it, half = key.assign(channel="red"), key.assign(propensity=0.5)
    found = compare_policies(
        {"offices": world.decisions(), "all": all_of_it, "half": half}, truth
    )
    display = PolicyComparisonDisplay.from_comparison(found).plot()
    gaps = found.differences().set_index(["policy", "measure"])["difference"]
    dots = [
        line.get_xdata()[0] for line in display.ax_[1].lines if len(line.get_xdata())
    ]
    assert any(np.isclose(dots, gaps["all", "recall"]))
    assert any(np.isclose(dots, gaps["half", "recall"]))
    first = display.save(tmp_path / "a.svg").read_bytes()
    assert display.save(tmp_path / "b.svg").read_bytes() == first
    with pytest.raises(ArgumentError, match="two policies or more"):
        PolicyComparisonDisplay.from_comparison(compare_policies({"a": half}, truth))


def test_expected_shares_count_as_such(world):
    key, truth = world.declarations[KEY], world.full_outcomes()
    row = compare_policies({"half": key.assign(propensity=0.5)}, truth).frame().iloc[0]
    assert row["n_controls"] == 5_000
    assert row["recall"] == pytest.approx(0.5)


def test_scores_choose_their_best_and_share_ties():
    scores, truth = table(400, 3)
    found = compare_policies({"a": scores, "b": scores}, truth, rate=0.1, cost=1.0)
    row = found.frame().iloc[0]
    hit, revenue = truth["illicit"], truth["revenue_adjustment"]
    risk = scores["risk_score"]
    assert row["n_controls"] == pytest.approx(40)
    assert row["hit_rate"] == pytest.approx(precision_at(hit, risk, 0.1))
    assert row["recall"] == pytest.approx(recall_at(hit, risk, 0.1))
    gain = net_benefit_at(revenue, risk, 0.1, cost=1.0)
    assert row["net_benefit"] == pytest.approx(gain)
    assert (found.differences()["difference"] == 0).all()


def test_what_a_policy_leaves_open_is_refused():
    scores, truth = table(50, 0)
    key = scores[["declaration_id"]]
    cases = (
        (
            {"channel": [None, *["red"] * 49]},
            "without a channel in 'a': 1, such",
        ),
        ({"propensity": 3.0}, r"must lie in \[0, 1\]; 50 values"),
        ({"risk_score": np.nan}, "'risk_score' of 'a' is missing or not finite for 50"),
    )
    for column, message in cases:
        with pytest.raises(TableError, match=message):
            compare_policies({"a": key.assign(**column)}, truth)
    with pytest.raises(TableError, match="effort_curve: column 'risk_score'"):
        effort_curve({"a": key.assign(risk_score=np.nan)}, truth)


@pytest.mark.parametrize("judge", [effort_curve, compare_policies])
def test_repeated_keys_are_refused_with_count_and_key(judge):
    scores, truth = table(50, 0)
    twice = pd.concat([scores, scores.tail(2)])
    with pytest.raises(TableError, match=r"'a' repeats .* of 2 rows, such as 'D48'"):
        judge({"a": twice}, truth)
    with pytest.raises(TableError, match=r"'b' repeats .* of 2 rows, such as 'D48'"):
        judge({"a": scores, "b": twice}, truth)
    with pytest.raises(TableError, match=r"OUTCOMES repeats .* of 1 rows"):
        judge({"a": scores}, pd.concat([truth, truth.head(1)]))


def test_contenders_in_another_order_are_the_same_contenders():
    scores, truth = table(60, 1)
    shuffled = scores.sample(frac=1, random_state=0)
    curve = effort_curve({"a": scores, "b": shuffled}, truth).frame()
    one, other = (curve[curve["contender"] == c]["hits_share"] for c in "ab")
    assert one.tolist() == other.tolist()
    worth = pd.Series(1.0, scores.index).where(scores.index > 0)
    with pytest.raises(TableError, match="'expected_revenue' of 'a' is missing"):
        effort_curve({"a": scores.assign(expected_revenue=worth)}, truth)


def test_the_interval_of_a_difference_covers_it():
    rng = np.random.default_rng(1)
    n, covered = 2_000, []
    for seed in range(40):
        key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
        draw = np.random.default_rng(seed)
        risk = draw.random(n)
        truth = key.assign(illicit=(draw.random(n) < 0.4 * risk).astype(int))
        good = key.assign(propensity=(risk > 0.8).astype(float))
        poor = key.assign(propensity=(rng.random(n) < 0.2).astype(float))
        found = compare_policies({"poor": poor, "good": good}, truth, n_bootstrap=200)
        gap = found.differences().set_index("measure").loc["hit_rate"]
        covered.append(gap["low"] <= 0.36 - 0.20 <= gap["high"])
    assert np.mean(covered) >= 0.85


def test_what_cannot_be_compared_is_refused(world):
    key, truth = world.declarations[KEY], world.full_outcomes()
    with pytest.raises(TableError, match="'channel', 'propensity' or 'risk_score'"):
        compare_policies({"a": key}, truth)
    both = {"a": key.assign(channel="red"), "b": key.head(1).assign(channel="red")}
    with pytest.raises(TableError, match="'b' lacks 9999 of the 10000 items"):
        compare_policies(both, truth)
    with pytest.raises(TableError, match="none of the 10000 items has a result"):
        compare_policies({"a": key.assign(channel="red")}, truth.iloc[:0])
    with pytest.raises(ArgumentError, match="at least one"):
        compare_policies({}, truth)
    with pytest.raises(ArgumentError, match="at least one"):
        effort_curve({}, truth)
