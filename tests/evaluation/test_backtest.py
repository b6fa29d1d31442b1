"""The backtest: nothing learned too early, any contender, stopped and resumed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

import smartrisk as sr
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import backtest, precision_at

KEY = ["declaration_id", "item_number"]


@pytest.fixture(scope="module")
def world():
    return make_declarations(6_000, random_state=0, scenario="small")


def value(past, known, later):
    """Return the value as a score."""
    return later["customs_value"]


class Recorder:
    """An engine that keeps what it was given."""

    log: ClassVar[list] = []

    def fit(self, declarations, outcomes):
        Recorder.log.append(("fit", declarations, outcomes))
        return self

    def update(self, declarations, outcomes):
        Recorder.log.append(("update", declarations, outcomes))
        return self

    def score(self, new):
        Recorder.log.append(("score", new, None))
        return new[KEY].assign(risk_score=new["duty_rate"])


def run(world, contenders, **options):
    options = {"n_periods": 3, "judge": world.full_outcomes(), **options}
    return backtest(contenders, world.declarations, world.outcomes, **options)


def test_figures_of_a_period_are_those_of_its_items(world):
    frame = run(world, {"value": value}, rates=(0.05, 10)).frame()
    month = world.declarations["lodged_at"].dt.strftime("%Y-%m")
    for row in frame.itertuples():
        mine = (month == row.period).to_numpy()
        expected = precision_at(
            world.truth["illicit"][mine],
            world.declarations["customs_value"][mine],
            10 if row.rate == 10 else row.rate,
        )
        assert row.precision == pytest.approx(expected)
        assert row.n_items == row.n_judged == mine.sum()
    assert frame["period"].unique().tolist() == ["2024-10", "2024-11", "2024-12"]


def test_only_what_was_known_before_a_period_is_learned_from(world):
    Recorder.log.clear()
    run(world, {"recorder": Recorder()})
    starts = pd.to_datetime(["2024-10-01", "2024-11-01", "2024-12-01"])
    fits = [entry for entry in Recorder.log if entry[0] == "fit"]
    scores = [entry for entry in Recorder.log if entry[0] == "score"]
    assert len(fits) == len(scores) == 3
    for start, (_, past, known), (_, new, _) in zip(starts, fits, scores, strict=True):
        assert (past["lodged_at"] < start).all()
        assert (known["known_at"] < start).all()
        assert (new["lodged_at"] >= start).all()


def test_between_two_fits_an_engine_is_updated(world):
    Recorder.log.clear()
    run(world, {"recorder": Recorder()}, refit_every=2)
    kinds = [entry[0] for entry in Recorder.log]
    assert kinds == ["fit", "score", "update", "score", "fit", "score"]


def test_engines_classifiers_and_functions_run_side_by_side(world):
    result = run(
        world,
        {
            "engine": sr.RiskEngine(),
            "sum": sr.models.SmoothedRateSum(),
            "value": value,
        },
        n_periods=2,
    )
    total = result.total().set_index("contender")
    assert total.loc["engine", "precision"] > total.loc["value", "precision"]
    assert (total["precision_low"] <= total["precision"]).all()
    assert (total["precision"] <= total["precision_high"]).all()
    gap = result.compare("engine", "value").set_index("measure").loc["precision"]
    assert gap["difference"] == pytest.approx(gap["one"] - gap["other"])
    assert gap["low"] > 0
    mirror = result.compare("value", "engine").set_index("measure").loc["precision"]
    assert mirror["difference"] == pytest.approx(-gap["difference"])


def test_jobs_in_parallel_give_the_same(world):
    both = {"value": value, "sum": sr.models.SmoothedRateSum()}
    alone = run(world, both)
    together = run(world, both, n_jobs=2)
    pd.testing.assert_frame_equal(alone.weeks, together.weeks)


class Counting(ClassifierMixin, BaseEstimator):
    """A classifier that counts how often it was fitted."""

    fits = 0

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        Counting.fits += 1
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        p = np.clip(X["duty_rate"].to_numpy() + self.shift, 0, 1)
        return np.stack([1 - p, p], axis=1)


def test_a_backtest_that_was_stopped_goes_on(world, tmp_path):
    Counting.fits = 0

    class StopError(Exception):
        pass

    def stop(done, total, contender, period):
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        run(world, {"count": Counting()}, folder=tmp_path, progress=stop)
    assert Counting.fits == 2
    result = run(world, {"count": Counting()}, folder=tmp_path)
    assert Counting.fits == 3
    plain = run(world, {"count": Counting()})
    pd.testing.assert_frame_equal(result.weeks, plain.weeks)
    run(world, {"count": Counting(shift=0.1)}, folder=tmp_path)
    assert Counting.fits == 9  # other settings are another contender


def test_a_damaged_record_is_done_again(world, tmp_path):
    run(world, {"value": value}, folder=tmp_path)
    for path in tmp_path.iterdir():
        path.write_text("{", encoding="utf-8")
    assert len(run(world, {"value": value}, folder=tmp_path).frame()) == 3


def test_progress_is_told(world):
    told = []
    run(world, {"value": value}, progress=lambda *a: told.append(a))
    assert told[-1] == (3, 3, "value", "2024-12")


def test_periods_without_results_say_so(world):
    early = world.outcomes[world.outcomes["known_at"] < "2024-10-15"]
    result = backtest(
        {"value": value}, world.declarations, early, n_periods=2, rates=(0.05,)
    )
    frame = result.frame()
    assert (frame["n_judged"] == 0).all()
    assert frame["precision"].isna().all()
    assert (frame["note"] == "no item of the period has a result").all()
    assert result.total()["precision"].isna().all()


@pytest.mark.parametrize(
    ("contenders", "options", "message"),
    [
        ({}, {}, "at least one"),
        ({"a": 3}, {}, "a contender must"),
        ({"a": value}, {"n_period": 3}, "Did you mean 'n_periods'"),
        ({"a": value}, {"months": 0}, "months"),
    ],
)
def test_what_cannot_run_is_refused(world, contenders, options, message):
    with pytest.raises(ArgumentError, match=message):
        run(world, contenders, **options)


def test_a_contender_must_score_every_item(world):
    with pytest.raises(TableError, match="gave 1 scores"):
        run(world, {"short": lambda past, known, later: [0.5]})
    with pytest.raises(ArgumentError, match="contender"):
        run(world, {"value": value}).compare("value", "other")
