"""Every parameter of a model and a transformer is checked in `fit`."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.models import (
    ColumnBoosting,
    DateFeaturesClassifier,
    ImporterRateBaseline,
    RandomBaseline,
    RevenueRegressor,
    RiskClassifier,
    SmoothedRateSum,
    ValueBaseline,
)

TREES = {
    "n_estimators": (0, -5, 2.5, "many", True),
    "learning_rate": (0.0, -0.1, 1.5, np.nan, "fast"),
    "num_leaves": (1, 0, 200_000, 7.5),
    "validation_share": (-0.1, 1.0, np.nan),
    "n_jobs": (0, 1.5, True, "all"),
    "random_state": (-1, 2**31, None, 0.5),
    "categorical": ((9,), (-1,), (0.5,), ("x",), (True,), None, 3, True, "ab"),
}
PROFILES = (("a",), (("nowhere",),), 3, True, "office", (3,), ((3,),), ((),))
REFUSED = {
    RiskClassifier: TREES
    | {
        "feature_fraction": (0.0, -1, 3, np.inf),
        "min_child_items": (0, -3, 2.5),
        "l2": (-1.0, np.inf, None),
        "patience": (0, -1, 1.5),
        "members": ((), ("forest", "forest"), ("trees",), "forest", 3, None),
        "monotone": ((1,), (0, 0, 2, 0), (0, 0.5, 0, 0), None, 3, True, "abcd"),
        "suspicion": ((1.0,), (0, 0, np.nan, 0), (0, "x", 0, 0), None, 3, True),
    },
    RevenueRegressor: TREES | {"num_leaves": (*TREES["num_leaves"], None)},
    DateFeaturesClassifier: {
        "n_estimators": TREES["n_estimators"],
        "learning_rate": TREES["learning_rate"],
        "max_depth": (0, 17, 2.5),
        "flag_share": (-0.1, 1.1),
        "n_jobs": TREES["n_jobs"],
        "random_state": TREES["random_state"],
    },
    ColumnBoosting: {"library": ("sklearn", None), "random_state": (-1, 0.5)},
    ImporterRateBaseline: {"smoothing": (-1.0, "x"), "column": ("", 3, None)},
    SmoothedRateSum: {"smoothing": (-1.0,), "profiles": PROFILES},
    ValueBaseline: {"column": ("", 3, None)},
    RandomBaseline: {"random_state": (-3, 2**32, 0.5, "x", True)},
}
CASES = [
    pytest.param(model, name, value, id=f"{model.__name__}-{name}-{value}")
    for model, parameters in REFUSED.items()
    for name, values in parameters.items()
    for value in values
]


@pytest.fixture(scope="module")
def matrix():
    """Return four features, and 0/1 labels that serve as amounts too."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 4)), (np.arange(120) % 3 == 0).astype(int)


@pytest.mark.parametrize(("model", "name", "value"), CASES)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(model, name, value, matrix):
    X, y = matrix
    with pytest.raises(ArgumentError, match=f"{model.__name__}: '{name}'"):
        model(**{name: value}).fit(X, y)


@pytest.mark.parametrize("model", REFUSED)
def test_every_parameter_of_a_model_is_refused_somewhere(model):
    parameters = set(inspect.signature(model).parameters)
    assert parameters - {"random_state"} == set(REFUSED[model]) - {"random_state"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_estimators": np.int64(3), "num_leaves": 2, "min_child_items": 1},
        {"learning_rate": 1, "feature_fraction": 1, "l2": 0, "patience": 1},
        {"validation_share": 0, "n_jobs": -1, "random_state": 2**31 - 1},
        {"categorical": [0, 3], "monotone": [0, 1, -1, 0]},
    ],
)
def test_the_bounds_themselves_are_allowed(parameters, matrix):
    X, y = matrix
    parameters = {"n_estimators": 3} | parameters
    model = RiskClassifier(**parameters).fit(np.abs(X).round(), y)
    assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.parametrize("entries", [[1], [[1] * 120], 1.0, [1] * 121])
def test_a_time_or_a_scale_has_one_entry_for_each_item(entries, matrix):
    X, y = matrix
    text = ".fit: '{}' must have one entry for each of the 120 items"
    with pytest.raises(ArgumentError, match="RiskClassifier" + text.format("time")):
        RiskClassifier().fit(X, y, time=entries)
    for name in ("time", "scale"):
        message = "RevenueRegressor" + text.format(name)
        with pytest.raises(ArgumentError, match=message):
            RevenueRegressor().fit(X, y, **{name: entries})
    fitted = RevenueRegressor(n_estimators=2).fit(X, y)
    with pytest.raises(ArgumentError, match=r"RevenueRegressor.predict: 'scale' must"):
        fitted.predict(X, scale=entries)


@pytest.mark.parametrize("model", [RiskClassifier, DateFeaturesClassifier])
def test_the_message_about_jobs_allows_all_cores(model, matrix):
    with pytest.raises(ArgumentError, match="must be None or an integer other than 0"):
        model(n_jobs=0).fit(*matrix)


def test_seeds_of_scikit_learn_are_allowed(matrix):
    for seed in (None, np.random.RandomState(0), 2**32 - 1):
        RandomBaseline(random_state=seed).fit(*matrix)


def test_an_extreme_parameter_is_refused_before_the_native_code_sees_it(matrix):
    X, y = matrix
    with pytest.raises(ArgumentError, match="positions beyond the 4 features: 9"):
        RiskClassifier(categorical=(9,), monotone=(0, 0, 0, 0)).fit(X, y)


def test_declared_items_are_refused_with_the_same_parameters(world):
    X = world.declarations.head(60)
    y = np.arange(60) % 2
    with pytest.raises(ArgumentError, match="ImporterRateBaseline: 'smoothing'"):
        ImporterRateBaseline(smoothing=-1).fit(X, y)
    assert isinstance(X, pd.DataFrame)
