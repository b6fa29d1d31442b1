"""The backtest: nothing learned too early, any contender, stopped and resumed."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import smartrisk as sr
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import backtest, precision_at
from smartrisk.intervals import resampled_counts

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
    options = {"n_folds": 3, "judge": world.full_outcomes(), **options}
    return backtest(contenders, world.declarations, world.outcomes, **options)


def test_figures_of_a_period_are_those_of_its_items(world):
    frame = run(world, {"value": value}, rates=(0.05, 10)).frame()
    month = world.declarations["lodged_at"].dt.strftime("%Y-%m")
    for row in frame.itertuples():
        own = (month == row.period).to_numpy()
        expected = precision_at(
            world.truth["illicit"][own],
            world.declarations["customs_value"][own],
            10 if row.rate == 10 else row.rate,
        )
        assert row.precision == pytest.approx(expected)
        assert row.n_items == row.n_judged == own.sum()
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


@pytest.mark.slow
def test_engines_classifiers_and_functions_run_side_by_side(world):
    result = run(
        world,
        {
            "engine": sr.RiskEngine(),
            "sum": sr.models.SmoothedRateSum(),
            "value": value,
        },
        n_folds=2,
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


@pytest.mark.slow
def test_jobs_in_parallel_give_the_same_figures(world):
    both = {"value": value, "sum": sr.models.SmoothedRateSum()}
    alone = run(world, both)
    together = run(world, both, n_jobs=2)
    pd.testing.assert_frame_equal(alone.by_week(), together.by_week())


#: How often contenders were fitted; the content of a module is not fingerprinted.
RECORDS = ModuleType("records")
RECORDS.fits = 0


class Counting(ClassifierMixin, BaseEstimator):
    """A classifier that counts how often it was fitted."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        RECORDS.fits += 1
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        p = np.clip(X["duty_rate"].to_numpy() + self.shift, 0, 1)
        return np.stack([1 - p, p], axis=1)


def test_a_backtest_that_was_stopped_resumes(world, tmp_path):
    RECORDS.fits = 0

    class StopError(Exception):
        pass

    def stop(done, total, contender, period):
        if done == 2:
            raise StopError

    with pytest.raises(StopError):
        run(world, {"count": Counting()}, folder=tmp_path, progress=stop)
    assert RECORDS.fits == 2
    result = run(world, {"count": Counting()}, folder=tmp_path)
    assert RECORDS.fits == 3
    plain = run(world, {"count": Counting()})
    pd.testing.assert_frame_equal(result.by_week(), plain.by_week())
    run(world, {"count": Counting(shift=0.1)}, folder=tmp_path)
    assert RECORDS.fits == 9  # other settings are another contender


def count_fits(world, folder, contender=None, **options):
    """Return how many fits a backtest with a folder needs."""
    RECORDS.fits = 0
    run(world, {"count": contender or Counting()}, folder=folder, **options)
    return RECORDS.fits


def test_a_backtest_resumes_only_what_was_computed_from_equal_inputs(world, tmp_path):
    assert count_fits(world, tmp_path) == 3
    assert count_fits(world, tmp_path) == 0
    assert count_fits(world, tmp_path, rates=(0.1,)) == 3
    assert count_fits(world, tmp_path, label_delay=10) == 3
    assert count_fits(world, tmp_path, judge=world.outcomes) == 3
    assert count_fits(world, tmp_path, refit_every=3) == 1
    nested = make_pipeline(FunctionTransformer(), Counting())
    assert count_fits(world, tmp_path, nested) == 3
    assert count_fits(world, tmp_path, clone(nested)) == 0
    other = make_pipeline(FunctionTransformer(), Counting(shift=0.1))
    assert count_fits(world, tmp_path, other) == 3


def test_further_periods_reuse_the_stored_ones(world, tmp_path):
    assert count_fits(world, tmp_path, n_folds=2) == 2
    assert count_fits(world, tmp_path, n_folds=4) == 2


def test_a_backtest_of_another_version_starts_again(world, tmp_path, monkeypatch):
    assert count_fits(world, tmp_path) == 3
    monkeypatch.setattr(sr, "__version__", "99.0")
    assert count_fits(world, tmp_path) == 3


def test_repeated_keys_and_missing_scores_are_refused(world):
    twice = pd.concat([world.full_outcomes(), world.full_outcomes().head(2)])
    with pytest.raises(TableError, match=r"the results to judge by repeats .* 2 rows"):
        run(world, {"value": value}, judge=twice)

    def gaps(past, known, later):
        return np.where(np.arange(len(later)) < 2, np.nan, 0.5)

    message = r"'risk_score' of SCORES is missing or not finite for 2 judged"
    with pytest.raises(TableError, match=message):
        run(world, {"gaps": gaps})


def test_a_result_known_after_the_period_began_is_not_learned_from(world):
    """A result of a past item that becomes known during the period stays out."""
    Recorder.log.clear()
    run(world, {"recorder": Recorder()}, n_folds=1)
    (_, past, known) = next(entry for entry in Recorder.log if entry[0] == "fit")
    lodged = world.outcomes.merge(past[KEY], on=KEY)
    late = lodged[lodged["known_at"] >= "2024-12-01"]
    assert len(late) > 5
    keys = [set(map(tuple, table[KEY].to_numpy())) for table in (late, known)]
    assert not keys[0] & keys[1]


def test_a_group_of_periods_is_fitted_on_its_first(world):
    Recorder.log.clear()
    run(world, {"recorder": Recorder()}, refit_every=3)
    ((_, past, known),) = (entry for entry in Recorder.log if entry[0] == "fit")
    assert past["lodged_at"].max() < pd.Timestamp("2024-10-01")
    assert known["known_at"].max() < pd.Timestamp("2024-10-01")


def test_revenue_is_taken_by_expected_revenue(world):
    truth = world.full_outcomes()

    def oracle(past, known, later):
        worth = later[KEY].merge(truth, on=KEY)["revenue_adjustment"]
        return later[KEY].assign(
            risk_score=0.5, expected_revenue=worth.to_numpy(np.float64)
        )

    frame = run(world, {"oracle": oracle}, rates=(1.0, 0.3)).frame()
    assert (frame["revenue_share"] > 0.99).all()


def test_a_notebook_shows_totals_and_periods(world):
    html = run(world, {"value": value})._repr_html_()
    assert "Backtest(1 contenders, 3 periods): over all periods" in html
    assert "precision_low" in html
    assert "By period" in html


def test_weeks_are_drawn_as_blocks(world):
    result = run(world, {"value": value})
    weeks = result.by_week()
    sums = weeks.groupby("week")[["hits", "taken"]].sum()
    counts = resampled_counts(len(sums), 500, random_state=0)
    rates = [float(c @ sums["hits"] / (c @ sums["taken"])) for c in counts]
    total = result.total().iloc[0]
    assert (total["precision_low"], total["precision_high"]) == pytest.approx(
        np.quantile(rates, [0.025, 0.975])
    )


def test_a_damaged_record_is_done_again(world, tmp_path):
    run(world, {"value": value}, folder=tmp_path)
    for path in tmp_path.iterdir():
        path.write_text("{", encoding="utf-8")
    assert len(run(world, {"value": value}, folder=tmp_path).frame()) == 3


def test_progress_is_reported(world):
    found = []
    run(world, {"value": value}, progress=lambda *a: found.append(a))
    assert found[-1] == (3, 3, "value", "2024-12")


def test_periods_without_results_are_noted(world):
    early = world.outcomes[world.outcomes["known_at"] < "2024-10-15"]
    result = backtest(
        {"value": value}, world.declarations, early, n_folds=2, rates=(0.05,)
    )
    frame = result.frame()
    assert (frame["n_judged"] == 0).all()
    assert frame["precision"].isna().all()
    assert (frame["note"] == "no item of the period has a result").all()
    assert result.total()["precision"].isna().all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("contenders", "options", "message"),
    [
        ({}, {}, "at least one"),
        ({"a": 3}, {}, "a contender must"),
        ({"a": value}, {"n_folds": 0}, "n_folds"),
        ({"a": value}, {"label_delay": -1}, "label_delay"),
        ({"a": value}, {"refit_every": 0.5}, "refit_every"),
        ({"a": value}, {"n_jobs": "all"}, "n_jobs"),
        ({"a": value}, {"months": 0}, "months"),
    ],
)
def test_what_cannot_run_is_refused(world, contenders, options, message):
    with pytest.raises(ArgumentError, match=message):
        run(world, contenders, **options)


def test_a_contender_must_score_every_item(world):
    with pytest.raises(TableError, match="scores that a contender returned: 1"):
        run(world, {"short": lambda past, known, later: [0.5]})
    with pytest.raises(ArgumentError, match="contender"):
        run(world, {"value": value}).compare("value", "other")
