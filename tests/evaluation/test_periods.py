"""A ranking by month or week, each with the capacity of that period."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import (
    by_period,
    evaluate,
    lift_at,
    net_benefit_at,
    normalised_at,
    precision_at,
    recall_at,
    revenue_share_at,
)


def tables(n, seed):
    """Return scores with many ties, results of most items, and days."""
    rng = np.random.default_rng(seed)
    key = pd.DataFrame({"declaration_id": [f"D{k:03d}" for k in rng.permutation(n)]})
    hit = (rng.random(n) < 0.4).astype(int)
    truth = key.assign(illicit=hit, revenue_adjustment=hit * rng.integers(1, 9, n))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, n), "D")
    return key.assign(risk_score=rng.integers(0, 4, n) / 4), truth, pd.Series(days)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(0, 1000), st.sampled_from([0.1, 0.5, 3]))
def test_a_period_has_the_measures_of_its_items(n, seed, rate):
    scores, truth, days = tables(n, seed)
    result = by_period(scores, truth, days, rate=rate, cost=2.0).frame()
    for row in result.to_dict("records"):
        inside = (days.dt.strftime("%Y-%m") == row["period"]).to_numpy()
        risk, y = scores["risk_score"][inside], truth["illicit"][inside]
        money = truth["revenue_adjustment"][inside]
        assert row["n_items"] == inside.sum()
        expected = {
            "precision": precision_at(y, risk, rate),
            "recall": recall_at(y, risk, rate),
            "revenue_share": revenue_share_at(money, risk, rate),
            "lift": lift_at(y, risk, rate),
            "norm_precision": normalised_at(y, risk, rate),
            "norm_revenue": normalised_at(money, risk, rate),
            "net_benefit": net_benefit_at(money, risk, rate, cost=2.0),
        }
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, nan_ok=True), name


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(0, 1000), st.sampled_from(["expected", "first"]))
def test_the_order_of_rows_changes_nothing(n, seed, ties):
    scores, truth, days = tables(n, seed)
    order = np.random.default_rng(seed).permutation(n)
    found = by_period(scores, truth, days, rate=0.3, ties=ties).frame()
    other = by_period(
        scores.iloc[order], truth, days.iloc[order], rate=0.3, ties=ties
    ).frame()
    pd.testing.assert_frame_equal(found, other)


def test_of_tied_items_the_first_key_is_taken():
    key = pd.DataFrame({"declaration_id": ["b", "a"], "item_number": [1, 2]})
    scores, truth = key.assign(risk_score=0.5), key.assign(illicit=[0, 1])
    day = pd.to_datetime(["2024-01-01"] * 2)
    first = by_period(scores, truth, day, rate=1, ties="first").frame()
    assert first["precision"].tolist() == [1.0]
    assert by_period(scores, truth, day, rate=1).frame()["precision"].tolist() == [0.5]


def test_all_periods_at_once_are_what_evaluate_says():
    scores, truth, days = tables(500, 1)
    scores["expected_revenue"] = scores["risk_score"] * np.arange(500)
    found = by_period(scores, truth, days, period="all", rate=0.05).frame()
    whole = evaluate(scores, truth, rates=(0.05,), n_bootstrap=0).frame()
    assert found["rank_by"].tolist() == ["risk_score", "expected_revenue"]
    for name in ("precision", "recall", "revenue_share", "lift", "norm_revenue"):
        assert found[name].tolist() == pytest.approx(whole[name].tolist())


def test_weeks_begin_on_monday_and_quarters_are_named():
    scores, truth, _ = tables(3, 0)
    days = pd.to_datetime(["2024-03-31", "2024-04-01", "2024-04-07"])
    weeks = by_period(scores, truth, days, period="week").frame()
    assert weeks["period"].tolist() == ["2024-03-25", "2024-04-01"]
    assert weeks["n_items"].tolist() == [1, 2]
    quarters = by_period(scores, truth, days, period="quarter").frame()
    assert quarters["period"].tolist() == ["2024Q1", "2024Q2"]


def test_items_without_a_result_are_counted_and_months_without_any_are_noted():
    scores, truth, days = tables(200, 0)
    late = (days >= "2024-03-01").to_numpy()
    found = by_period(scores, truth[~late], days).frame().set_index("period")
    assert found["n_items"].sum() == 200
    assert found["n_judged"].sum() == (~late).sum()
    assert found.loc["2024-03", "note"] == "no item with a result"
    assert np.isnan(found.loc["2024-03", "precision"])
    assert found.loc["2024-01", "note"] == "fewer than 30 inspections and hits"


def test_days_are_taken_from_declarations_by_key():
    scores, truth, days = tables(200, 0)
    declarations = scores[["declaration_id"]].assign(lodged_at=days, origin="VN")
    more = declarations.tail(1).assign(declaration_id="other")
    shuffled = pd.concat([declarations, more]).sample(frac=1, random_state=0)
    by_key = by_period(scores, truth, shuffled).frame()
    pd.testing.assert_frame_equal(by_key, by_period(scores, truth, days).frame())
    with pytest.raises(TableError, match="'lodged_at' lacks 1 of the 200 items"):
        by_period(scores, truth, declarations.iloc[1:])


def test_each_period_has_a_capacity_of_its_own():
    key = pd.DataFrame({"declaration_id": list("abcd")})
    scores = key.assign(risk_score=[0.9, 0.8, 0.2, 0.1])
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-02-01", "2024-02-02"])
    frame = by_period(scores, key.assign(illicit=1), days, rate=0.5).frame()
    assert frame["n_inspected"].tolist() == [1, 1]
    assert frame["recall"].tolist() == [0.5, 0.5]


def test_a_refund_is_not_revenue():
    key = pd.DataFrame({"declaration_id": list("abc")})
    scores = key.assign(risk_score=[0.9, 0.8, 0.2])
    truth = key.assign(illicit=1, revenue_adjustment=[-50.0, np.nan, 100.0])
    days = pd.to_datetime(["2024-01-01"] * 3)
    row = by_period(scores, truth, days, rate=2, cost=1.0).frame().iloc[0]
    assert row["revenue_share"] == 0.0
    assert row["net_benefit"] == -2.0


def test_without_amounts_there_is_no_revenue():
    scores, truth, days = tables(50, 0)
    found = by_period(scores, truth[["declaration_id", "illicit"]], days).frame()
    assert found[["revenue_share", "net_benefit"]].isna().all(axis=None)


def test_what_cannot_be_judged_by_period_is_refused():
    scores, truth, days = tables(50, 0)
    with pytest.raises(ArgumentError, match="period"):
        by_period(scores, truth, days, period="fortnight")
    with pytest.raises(ArgumentError, match="cost"):
        by_period(scores, truth, days, cost=-1.0)
    with pytest.raises(ArgumentError, match="ties"):
        by_period(scores, truth, days, ties="lucky")
    with pytest.raises(TableError, match="has 49 values for 50 items"):
        by_period(scores, truth, days[:49])
    with pytest.raises(TableError, match="missing for 50 of 50 items"):
        by_period(scores, truth, [pd.NaT] * 50)
    with pytest.raises(
        TableError, match="is missing or not finite for 50 judged items"
    ):
        by_period(scores.assign(risk_score=np.nan), truth, days)
    with pytest.raises(TableError, match=r"OUTCOMES repeats the key .* of 50 rows"):
        by_period(scores, pd.concat([truth, truth]), days)
    twice = pd.concat([scores, scores.head(1)])
    with pytest.raises(TableError, match=r"SCORES repeats the key .* of 1 rows"):
        by_period(twice, truth, [*days, days[0]])
    with pytest.raises(TableError, match="columns missing in OUTCOMES: 'illicit'"):
        by_period(scores, truth[["declaration_id"]], days)
    with pytest.raises(TableError, match="no items"):
        by_period(scores.head(0), truth, days[:0])
