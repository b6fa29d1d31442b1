"""What a user passes wrongly is refused by the function that was called."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import (
    audit,
    backtest,
    by_segment,
    compare_policies,
    effort_curve,
    evaluate,
    standard_segments,
)

KEY = pd.DataFrame({"declaration_id": list("abcd")})
SCORES = KEY.assign(risk_score=[0.9, 0.8, 0.2, 0.1])
OUTCOMES = KEY.assign(illicit=[1, 0, 0, 1], revenue_adjustment=[5.0, 0, 0, 2])


@pytest.fixture(scope="module")
def world():
    return make_declarations(1_000, random_state=0, scenario="small")


@pytest.mark.parametrize("rates", [(1.5,), (-1,), ("a",), (True,), 0.05])
def test_rates_are_refused_in_the_name_of_the_caller(rates, world):
    with pytest.raises(ArgumentError, match="evaluate: 'rates'"):
        evaluate(SCORES, OUTCOMES, rates=rates)
    with pytest.raises(ArgumentError, match="backtest: 'rates'"):
        backtest({"a": len}, world.declarations, world.outcomes, rates=rates)


def test_a_rate_by_segment_is_refused_in_its_name():
    with pytest.raises(ArgumentError, match="by_segment: 'rate'"):
        by_segment(SCORES, OUTCOMES, {"all": list("aaaa")}, rate=2.5)


def test_the_audit_speaks_in_its_own_name(world):
    items = world.declarations
    for table in (items.iloc[:0], items.drop(columns="lodged_at")):
        with pytest.raises(TableError, match=r"^audit: "):
            audit(table, world.outcomes)
    with pytest.raises(TableError, match="audit: DECLARATIONS repeats the key"):
        audit(pd.concat([items, items.head(1)]), world.outcomes)


@pytest.mark.parametrize("column", ["illicit", "revenue_adjustment"])
def test_texts_in_place_of_results_are_refused(column):
    outcomes = OUTCOMES.assign(**{column: list("xyzw")})
    for function in (
        lambda: evaluate(SCORES, outcomes),
        lambda: by_segment(SCORES, outcomes, {"all": list("aaaa")}),
    ):
        with pytest.raises(TableError, match=f"'{column}' of OUTCOMES must hold num"):
            function()


@pytest.mark.parametrize("seed", ["a", -1, 0.5])
def test_a_seed_that_is_no_number_is_refused(seed):
    with pytest.raises(ArgumentError, match="evaluate: 'random_state'"):
        evaluate(SCORES, OUTCOMES, random_state=seed)


def test_segments_without_a_name_are_refused():
    with pytest.raises(ArgumentError, match="evaluate: 'segments' must be a table"):
        evaluate(SCORES, OUTCOMES, segments=[1, 2])


def test_a_missing_channel_is_called_missing():
    decisions = KEY.assign(channel=["red", None, "green", "red"])
    with pytest.raises(TableError, match="items without a channel in DECISIONS: 1"):
        by_segment(decisions, OUTCOMES, {"all": list("aaaa")})


def test_a_missing_column_is_named_with_a_remedy():
    with pytest.raises(TableError, match=r"missing in OUTCOMES: 'illicit'.*add them"):
        evaluate(SCORES, KEY)


def test_truth_needs_items_that_can_be_distinguished(world):
    items = pd.concat([world.declarations.head(3)] * 2).drop(columns="item_number")
    with pytest.raises(TableError, match="standard_segments: DECLARATIONS repeats"):
        standard_segments(items, truth=world.truth)


@pytest.mark.parametrize("n_jobs", [0, 1.5, "a"])
def test_a_number_of_jobs_is_not_zero(n_jobs, world):
    with pytest.raises(ArgumentError, match="backtest: 'n_jobs'"):
        backtest({"a": len}, world.declarations, world.outcomes, n_jobs=n_jobs)


@pytest.mark.parametrize(
    "function",
    [
        lambda: effort_curve({}, OUTCOMES),
        lambda: compare_policies({}, OUTCOMES),
        lambda: backtest({}, KEY, OUTCOMES),
    ],
)
def test_without_a_contender_a_remedy_is_named(function):
    with pytest.raises(ArgumentError, match="a mapping from names to"):
        function()
