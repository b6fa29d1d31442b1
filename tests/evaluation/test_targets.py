"""An engine that looks for one finding is judged by the hits of this finding."""

from __future__ import annotations

import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError
from smartrisk.evaluation import backtest
from smartrisk.features import DeclarationFeatures, Key
from smartrisk.items import label_outcomes
from smartrisk.models import RevenueRegressor, RiskClassifier

TARGET = "offence:undervaluation"


def quick(**settings):
    """Return an engine of few trees."""
    return sr.RiskEngine(
        features=DeclarationFeatures((Key(("importer_id",)),)),
        classifier=RiskClassifier(3, members=("boosting",)),
        regressor=RevenueRegressor(n_estimators=3),
        n_jobs=1,
        **settings,
    )


@pytest.mark.filterwarnings("ignore::smartrisk.errors.DataQualityWarning")
def test_a_backtest_judges_an_engine_by_the_hits_of_its_target(calibrated_world):
    items, outcomes = calibrated_world.declarations, calibrated_world.outcomes
    labelled = label_outcomes(outcomes, TARGET)
    found = backtest({"own": quick(target=TARGET)}, items, outcomes, n_folds=2).frame()
    wanted = backtest({"own": quick()}, items, labelled, n_folds=2).frame()
    columns = [name for name in wanted if "seconds" not in name]
    assert found[columns].equals(wanted[columns])
    whole = backtest({"own": quick()}, items, outcomes, n_folds=2).frame()
    assert not whole[columns].equals(found[columns])


def test_results_to_judge_by_that_state_no_kind_are_refused(calibrated_world):
    with pytest.raises(ArgumentError, match="has no hit"):
        backtest(
            {"own": quick(target=TARGET)},
            calibrated_world.declarations,
            calibrated_world.outcomes,
            judge=calibrated_world.full_outcomes(),
        )
