"""Every result: a table that is a copy, identity, a line of text, a notebook view."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk import evaluation
from smartrisk.benchmark import run_benchmark
from smartrisk.datasets import make_declarations
from smartrisk.results import Result

KEY = ["declaration_id", "item_number"]
KINDS = [
    name
    for name in evaluation.__all__
    if isinstance(getattr(evaluation, name), type)
    and issubclass(getattr(evaluation, name), Result)
]
OTHERS = ["Drift", "ClosedLoop", "BenchmarkResult"]
#: Results whose public fields are single figures; all others have none.
FIGURES = ["PairedGain"]


@pytest.fixture(scope="module")
def results():
    """Return one result of every kind, by the name of its class."""
    world = make_declarations(2_000, random_state=0, scenario="small")
    items, outcomes, truth = world.declarations, world.outcomes, world.full_outcomes()
    scores = items[KEY].assign(risk_score=items["duty_rate"].to_numpy() / 2)
    past = world.decisions()[(items["lodged_at"] < "2024-03-01").to_numpy()]
    everything = past.assign(propensity=1.0)
    judged = evaluation.evaluate(scores, truth, n_bootstrap=5)

    def by_value(past, known, later):
        return later["customs_value"]

    def by_office(declarations, outcomes):
        both = declarations.merge(outcomes, how="left")
        return both.groupby("office")["illicit"].transform("mean").fillna(0)

    by_rates = sr.simulation.Arm(contender=sr.models.SmoothedRateSum(), refit_every=9)
    made = [
        judged,
        evaluation.compare({"duty": judged}),
        evaluation.audit(items, truth),
        evaluation.backtest({"value": by_value}, items, outcomes, n_folds=1),
        evaluation.calibration(scores["risk_score"], truth["illicit"]),
        evaluation.effort_curve({"duty": scores}, truth),
        evaluation.prove_leak_free(by_office, items, outcomes),
        evaluation.off_policy(past, outcomes, everything, min_effective=1),
        evaluation.judge_overrides(past, past.head(3)),
        evaluation.by_period(scores, truth, items),
        evaluation.paired_gain(scores, scores, truth, n_bootstrap=5),
        evaluation.compare_policies({"a": scores, "b": scores}, truth, n_bootstrap=5),
        evaluation.by_segment(scores, truth, items[[*KEY, "office"]]),
        evaluation.whole_flow(past, outcomes, source="all"),
        sr.monitoring.drift(items.head(1_000), items.tail(1_000)),
        sr.simulation.close_loop({"rates": by_rates}, [world], start=23),
        run_benchmark(("stable",), n_items=4_000, n_seeds=1),
    ]
    return {type(result).__name__: result for result in made}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*KINDS, *OTHERS])
def test_a_result_is_read_only_and_shows_itself(results, kind):
    result = results[kind]
    frame = result.frame()
    assert len(frame)
    assert frame.columns.is_unique
    before = frame.copy(deep=True)
    frame[frame.columns[0]] = "changed"
    frame["added"] = 0
    pd.testing.assert_frame_equal(result.frame(), before)
    assert result == result
    assert result != dataclasses.replace(result)
    public = [f.name for f in dataclasses.fields(result) if f.name[0] != "_"]
    assert bool(public) == (kind in FIGURES)
    # What a caller could change in place is private.
    shown = {type(getattr(result, name)) for name in public}
    assert shown <= {float, int, evaluation.Metric}
    assert repr(result).startswith(kind)
    assert "\n" not in repr(result)
    assert len(repr(result)) < 200
    assert "<table>" in result._repr_html_()


@pytest.mark.slow
def test_what_a_result_returns_is_a_copy(results):
    for kind, name in (
        ("OfficerReport", "summary"),
        ("LeakReport", "checked"),
        ("BenchmarkResult", "verdicts"),
    ):
        handed_out = getattr(results[kind], name)
        before = dict(handed_out)
        handed_out.clear()
        assert getattr(results[kind], name) == before
    for kind, method in (
        ("Evaluation", "overall"),
        ("Backtest", "by_week"),
        ("OffPolicy", "overlap"),
        ("PolicyComparison", "differences"),
    ):
        handed_out = getattr(results[kind], method)()
        before = handed_out.copy()
        handed_out.iloc[0] = handed_out.iloc[1]
        assert not handed_out.equals(before)
        assert getattr(results[kind], method)().equals(before)
