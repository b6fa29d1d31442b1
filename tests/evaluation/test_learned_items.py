"""A model that is judged by what it learned from does not pass in silence."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest

from smartrisk.errors import LeakageWarning
from smartrisk.evaluation import backtest, by_segment, compare_policies, evaluate
from smartrisk.items import are_learned, item_ids, join_by_key, mark_learned


@pytest.fixture(scope="module")
def scores(calibrated_engine, calibrated_world):
    """Return SCORES of past and later items together."""
    return calibrated_engine.score(calibrated_world.declarations)


def counted(warned):
    """Return how many learned items a warning counts."""
    (message,) = (w.message for w in warned if w.category is LeakageWarning)
    return message.values["n_learned"]


def test_the_warning_counts_the_labels_of_the_fit(
    scores, calibrated_world, calibrated_split
):
    outcomes = calibrated_world.outcomes
    with pytest.warns(LeakageWarning, match="time_split") as warned:
        evaluate(scores, outcomes, n_bootstrap=0)
    assert counted(warned) == len(calibrated_split.known)
    assert warned[0].filename == __file__


def test_later_items_and_other_items_of_the_history_pass(
    calibrated_engine, calibrated_world, calibrated_split
):
    later = calibrated_engine.score(calibrated_split.later)
    assert later.attrs == {}
    evaluate(later, calibrated_world.outcomes, n_bootstrap=0)
    # Items of the history without a result then are judged by what was found later.
    learned = calibrated_engine.has_learned(calibrated_split.past)
    assert learned.sum() == len(calibrated_split.known)
    rest = calibrated_engine.score(calibrated_split.past[~learned])
    evaluate(rest, calibrated_world.full_outcomes(), n_bootstrap=0)


@pytest.mark.parametrize(
    "change",
    [
        lambda scores, items: scores[scores["risk_score"] > 0.01],
        lambda scores, items: scores.sort_values("risk_score").reset_index(drop=True),
        lambda scores, items: scores.assign(risk_score=scores["risk_score"] / 2),
        lambda scores, items: join_by_key(scores, items, ["office"]),
    ],
    ids=["filter", "sort", "assign", "join"],
)
def test_the_mark_survives_work_with_the_table(scores, calibrated_world, change):
    changed = change(scores, calibrated_world.declarations)
    with pytest.warns(LeakageWarning):
        evaluate(changed, calibrated_world.outcomes, n_bootstrap=0)


def test_the_mark_survives_parquet(scores, calibrated_world, tmp_path):
    scores.to_parquet(tmp_path / "scores.parquet")
    again = pd.read_parquet(tmp_path / "scores.parquet")
    with pytest.warns(LeakageWarning):
        evaluate(again, calibrated_world.outcomes, n_bootstrap=0)


def test_learned_items_can_be_passed_where_the_mark_is_lost(
    scores, calibrated_world, calibrated_split
):
    plain = scores.copy()
    plain.attrs = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(plain, calibrated_world.outcomes, n_bootstrap=0)
    with pytest.warns(LeakageWarning) as warned:
        evaluate(
            plain,
            calibrated_world.outcomes,
            n_bootstrap=0,
            learned=calibrated_split.known,
        )
    assert counted(warned) == len(calibrated_split.known)


def test_decisions_are_marked_as_scores_are(calibrated_engine, calibrated_world):
    items = calibrated_world.declarations
    decisions = calibrated_engine.select(items, 0.1)
    with pytest.warns(LeakageWarning, match="by_segment"):
        by_segment(decisions, calibrated_world.outcomes, {"office": items["office"]})
    with pytest.warns(LeakageWarning, match="compare_policies"):
        compare_policies(
            {"a": decisions, "b": decisions}, calibrated_world.outcomes, n_bootstrap=2
        )


def test_a_backtest_judges_nothing_that_was_learned(world):
    from smartrisk import RiskEngine

    backtest({"engine": RiskEngine()}, world.declarations, world.outcomes, n_folds=2)


def test_no_mark_is_set_for_no_items(scores):
    table = scores.copy()
    mark_learned(table, item_ids(table.head(2)))
    assert are_learned(table).sum() == 2
    mark_learned(table, item_ids(table.head(0)))
    assert not are_learned(table).any()
