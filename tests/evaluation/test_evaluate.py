"""Figures equal brute force with ties, and scikit-learn where it has them."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    roc_auc_score,
)

from smartrisk.errors import ArgumentError, SmallSampleWarning, TableError
from smartrisk.evaluation import (
    calibration_error,
    compare,
    evaluate,
    precision_at,
    recall_at,
    revenue_share_at,
)


def tables(score, y, revenue=None, expected=None):
    ids = [f"D{k}" for k in range(len(score))]
    scores = pd.DataFrame({"declaration_id": ids, "risk_score": score})
    if expected is not None:
        scores["expected_revenue"] = expected
    outcomes = pd.DataFrame({"declaration_id": ids, "illicit": y})
    if revenue is not None:
        outcomes["revenue_adjustment"] = revenue
    return scores, outcomes


def brute(score, value, k):
    """Average over every order that the ties allow."""
    totals = [
        sum(value[i] for i in order[:k])
        for order in permutations(range(len(score)))
        if all(score[a] >= score[b] for a, b in pairwise(order))
    ]
    return float(np.mean(totals))


CASES = st.lists(
    st.tuples(st.sampled_from([0.1, 0.4, 0.4, 0.8]), st.booleans(), st.integers(0, 9)),
    min_size=2,
    max_size=6,
)


@given(CASES, st.sampled_from([0.2, 0.34, 0.5, 1.0]))
def test_figures_at_a_rate_equal_brute_force_with_ties(rows, rate):
    score = [row[0] for row in rows]
    y = [int(row[1]) for row in rows]
    revenue = [float(row[2] * row[1]) for row in rows]
    k = int(np.floor(rate * len(rows) + 0.5))
    assume(k > 0 and sum(y) > 0 and sum(revenue) > 0)
    assert precision_at(y, score, rate) == pytest.approx(brute(score, y, k) / k)
    assert recall_at(y, score, rate) == pytest.approx(brute(score, y, k) / sum(y))
    assert revenue_share_at(revenue, score, rate) == pytest.approx(
        brute(score, revenue, k) / sum(revenue)
    )


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    score = np.round(rng.random(500), 2)
    y = (rng.random(500) < score * 0.5).astype(int)
    revenue = y * rng.lognormal(5, 1, 500)
    return score, y, revenue


def test_the_whole_ranking_equals_scikit_learn(case):
    score, y, _ = case
    found = evaluate(*tables(score, y), n_bootstrap=0).overall()
    assert found["roc_auc"] == pytest.approx(roc_auc_score(y, score))
    assert found["average_precision"] == pytest.approx(
        average_precision_score(y, score)
    )
    assert found["brier"] == pytest.approx(brier_score_loss(y, score))


def test_an_oracle_reaches_one_when_normalised(case):
    _, y, revenue = case
    scores, outcomes = tables(y.astype(float), y, revenue, expected=revenue)
    frame = evaluate(scores, outcomes, n_bootstrap=0).frame()
    by_risk = frame[frame["rank_by"] == "risk_score"]
    by_revenue = frame[frame["rank_by"] == "expected_revenue"]
    np.testing.assert_allclose(by_risk["norm_precision"], 1.0)
    np.testing.assert_allclose(by_revenue["norm_revenue"], 1.0)


def test_equal_scores_do_as_well_as_chance(case):
    _, y, revenue = case
    scores, outcomes = tables(np.full(500, 0.3), y, revenue)
    frame = evaluate(scores, outcomes, n_bootstrap=0).frame()
    np.testing.assert_allclose(frame["precision"], y.mean())
    np.testing.assert_allclose(frame["lift"], 1.0)
    np.testing.assert_allclose(frame["revenue_share"], frame["n_inspected"] / 500)


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(case, random):
    scores, outcomes = tables(*case)
    order = list(range(500))
    random.shuffle(order)
    left = evaluate(scores, outcomes, n_bootstrap=0).frame()
    right = evaluate(scores.iloc[order], outcomes, n_bootstrap=0).frame()
    pd.testing.assert_frame_equal(left, right)


def test_a_monotone_change_of_scores_changes_no_ranking(case):
    score, y, revenue = case
    left = evaluate(*tables(score, y, revenue), n_bootstrap=0).frame()
    right = evaluate(*tables(score**3 / 2, y, revenue), n_bootstrap=0).frame()
    pd.testing.assert_frame_equal(left, right)


def test_calibration_error_is_zero_when_shares_are_met():
    probability = np.repeat([0.1, 0.5, 0.9], 10)
    y = np.concatenate([[1] + [0] * 9, [1] * 5 + [0] * 5, [1] * 9 + [0]])
    assert calibration_error(y, probability, n_bins=3) == pytest.approx(0.0)
    assert calibration_error(1 - y, probability, n_bins=3) > 0.4


def test_intervals_hold_the_figure_and_repeat_for_a_seed(case):
    scores, outcomes = tables(*case)
    first = evaluate(scores, outcomes, n_bootstrap=200).frame()
    again = evaluate(scores, outcomes, n_bootstrap=200).frame()
    pd.testing.assert_frame_equal(first, again)
    for name in ("precision", "recall", "revenue_share"):
        assert (first[f"{name}_low"] <= first[name] + 1e-9).all()
        assert (first[f"{name}_high"] >= first[name] - 1e-9).all()
    assert (first["precision_high"] > first["precision_low"]).all()


def test_segments_add_up_to_the_whole(case):
    scores, outcomes = tables(*case)
    office = np.where(np.arange(500) % 3 == 0, "a", "b")
    result = evaluate(
        scores, outcomes, rates=(0.1,), n_bootstrap=0, segments={"office": office}
    )
    parts = result.by_segment()
    assert parts["value"].tolist() == ["a", "b"]
    assert parts["n_items"].sum() == 500
    assert parts["n_inspected"].sum() == pytest.approx(50)
    found = (parts["precision"] * parts["n_inspected"]).sum() / 50
    whole = result.frame()["precision"].iloc[0]
    assert found == pytest.approx(whole)


def test_items_without_outcome_are_counted_and_left_out(case):
    scores, outcomes = tables(*case)
    result = evaluate(scores, outcomes.head(300), n_bootstrap=0)
    assert result.overall()["n_unlabelled"] == 200
    alone = evaluate(scores.head(300), outcomes.head(300), n_bootstrap=0)
    pd.testing.assert_frame_equal(result.frame(), alone.frame())


def test_outcomes_of_one_kind_are_warned_of():
    with pytest.warns(SmallSampleWarning, match="0 of them hits"):
        result = evaluate(*tables([0.1, 0.9], [0, 0]), n_bootstrap=0)
    assert np.isnan(result.overall()["roc_auc"])


def test_a_key_that_repeats_is_refused_with_count_and_key():
    scores, outcomes = tables([0.1, 0.9], [0, 1])
    with pytest.raises(TableError, match=r"OUTCOMES repeats .* of 2 rows, .* 'D0'"):
        evaluate(scores, pd.concat([outcomes, outcomes]), n_bootstrap=0)
    repeated = pd.concat([scores, scores.tail(1)])
    with pytest.raises(TableError, match=r"SCORES repeats .* of 1 rows, .* 'D1'"):
        evaluate(repeated, outcomes, n_bootstrap=0)


@pytest.mark.parametrize("column", ["risk_score", "expected_revenue"])
@pytest.mark.parametrize("value", [np.nan, np.inf, None])
def test_a_missing_score_of_a_judged_item_is_refused_by_name(column, value):
    scores, outcomes = tables([0.1, 0.9, 0.5], [0, 1, 0], expected=[1.0, 2.0, 3.0])
    scores[column] = pd.Series([value, 0.9, 0.5], dtype="Float64")
    message = f"'{column}' of SCORES is missing or not finite for 1 judged .* 'D0'"
    with pytest.raises(TableError, match=message):
        evaluate(scores, outcomes, n_bootstrap=0)
    judged = evaluate(scores, outcomes.tail(2), n_bootstrap=0)
    assert judged.overall()["n_items"] == 2


def test_revenue_is_ranked_by_expected_revenue():
    scores, outcomes = tables(
        [0.9, 0.1], [1, 1], revenue=[1.0, 99.0], expected=[1.0, 50.0]
    )
    with pytest.warns(SmallSampleWarning):
        frame = evaluate(scores, outcomes, rates=(1,), n_bootstrap=0).frame()
    shares = frame.set_index("rank_by")["revenue_share"]
    assert shares.to_dict() == {"risk_score": 0.01, "expected_revenue": 0.99}


def test_expected_revenue_without_any_value_is_not_a_ranking():
    scores, outcomes = tables([0.1, 0.9], [0, 1], expected=[np.nan, np.nan])
    frame = evaluate(scores, outcomes, n_bootstrap=0).frame()
    assert set(frame["rank_by"]) == {"risk_score"}


def test_scores_that_are_texts_are_refused():
    scores, outcomes = tables(["high", "low"], [0, 1])
    with pytest.raises(TableError, match="must hold numbers; got values such as 'hi"):
        evaluate(scores, outcomes, n_bootstrap=0)


def test_a_result_that_is_neither_hit_nor_none_is_refused():
    scores, outcomes = tables([0.1, 0.9], [0, 2])
    with pytest.raises(TableError, match="must be 0 or 1; 1 values are not"):
        evaluate(scores, outcomes, n_bootstrap=0)


def test_a_table_of_segments_is_joined_by_key(case):
    scores, outcomes = tables(*case)
    office = np.where(np.arange(500) % 3 == 0, "a", "b")
    by_place = evaluate(scores, outcomes, segments={"office": office}, n_bootstrap=0)
    table = scores[["declaration_id"]].assign(office=office)
    more = pd.DataFrame({"declaration_id": ["other"], "office": ["c"]})
    shuffled = pd.concat([table, more]).sample(frac=1, random_state=0)
    by_key = evaluate(scores, outcomes, segments=shuffled, n_bootstrap=0)
    pd.testing.assert_frame_equal(by_place.by_segment(), by_key.by_segment())


def test_an_item_without_a_segment_is_counted_as_missing(case):
    scores, outcomes = tables(*case)
    office = np.where(np.arange(500) < 40, None, "a")
    parts = evaluate(scores, outcomes, segments={"office": office}, n_bootstrap=0)
    sizes = parts.by_segment().groupby("value")["n_items"].first()
    assert sizes.to_dict() == {"a": 460, "missing": 40}


def test_missing_columns_are_named():
    scores, outcomes = tables([0.1, 0.9], [0, 1])
    with pytest.raises(TableError, match="risk_score"):
        evaluate(scores.drop(columns="risk_score"), outcomes)
    with pytest.raises(TableError, match="illicit"):
        evaluate(scores, outcomes.drop(columns="illicit"))


def test_a_segment_of_another_length_is_refused(case):
    scores, outcomes = tables(*case)
    with pytest.raises(TableError, match="Pass one value per item"):
        evaluate(scores, outcomes, segments={"office": ["a"]}, n_bootstrap=0)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), "5%"])
def test_a_rate_that_makes_no_sense_is_refused(case, rate):
    score, y, _ = case
    with pytest.raises(ArgumentError, match="rate"):
        precision_at(y, score, rate)


def test_results_side_by_side(case):
    score, y, revenue = case
    results = {
        "model": evaluate(*tables(score, y, revenue), n_bootstrap=0),
        "none": evaluate(*tables(np.zeros(500), y, revenue), n_bootstrap=0),
    }
    table = compare(results).frame()
    assert table["contender"].tolist() == ["model", "none"]
    assert table["precision"].is_monotonic_decreasing
    with pytest.raises(TableError, match=r"'model' was not evaluated at rate 0.3"):
        compare(results, rate=0.3)


def test_figures_for_a_tracking_store_are_finite_numbers(case):
    flat = evaluate(*tables(*case), n_bootstrap=0).to_dict()
    assert "precision_at_05pct" in flat
    assert all(np.isfinite(v) for v in flat.values())


def test_where_nothing_was_found_the_interval_is_not_a_point():
    key = pd.DataFrame({"declaration_id": [f"D{i}" for i in range(100)]})
    scores = key.assign(risk_score=np.linspace(1.0, 0.0, 100))
    hits = np.zeros(100, int)
    hits[-8:] = 1
    found = evaluate(
        scores,
        key.assign(illicit=hits, revenue_adjustment=hits * 10.0),
        rates=(0.2, 0.95),
    ).frame()
    at = found[found["rank_by"] == "risk_score"].iloc[0]
    assert at["precision"] == at["precision_low"] == 0.0
    assert at["precision_high"] == pytest.approx(0.1611, abs=1e-4)  # Wilson, 0 of 20
    assert at["recall_high"] == pytest.approx(0.3244, abs=1e-4)  # Wilson, 0 of 8
    assert np.isnan(at["revenue_share_high"])


def test_inspecting_all_finds_all_with_an_interval_of_no_width():
    key = pd.DataFrame({"declaration_id": [f"D{i}" for i in range(40)]})
    scores = key.assign(risk_score=np.linspace(1.0, 0.0, 40))
    truth = key.assign(illicit=[1, 0] * 20, revenue_adjustment=[5.0, 0.0] * 20)
    at = evaluate(scores, truth, rates=(1.0,)).frame().iloc[0]
    for name in ("recall", "revenue_share"):
        assert at[name] == at[f"{name}_low"] == at[f"{name}_high"] == 1.0
    assert at["precision_low"] < 0.5 < at["precision_high"]
