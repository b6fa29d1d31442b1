"""The whole flow in scikit-learn's pipelines and searches, without a leak."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline

from smartrisk import RiskEngine
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import precision_at, revenue_at
from smartrisk.features import DeclarationFeatures, join_results
from smartrisk.items import are_among, item_ids, join_by_key
from smartrisk.models import RiskClassifier, SmoothedRateSum
from smartrisk.schema import DECLARATIONS, OUTCOMES
from smartrisk.validation import validate
from smartrisk.windows import RollingOrigin

FOLDS = RollingOrigin(n_splits=3, test_days=90)
BEST = precision_at(0.1)
#: What the probes of a cross-validation saw, in order: training and test of each fold.
SEEN = []


class Probe(TransformerMixin, BaseEstimator):
    """A step that passes the features on and keeps a copy."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)

    def transform(self, X):
        SEEN.append(np.array(X))
        return X


@pytest.fixture(scope="module")
def flow():
    """Return all items in order of lodgement, labels with NaN, outcomes, revenue."""
    world = make_declarations(3000, random_state=1, scenario="small")
    X = validate(world.declarations, DECLARATIONS)
    X = X.iloc[np.lexsort((item_ids(X), X["lodged_at"]))].reset_index(drop=True)
    outcomes = validate(world.outcomes, OUTCOMES)
    joined = join_by_key(X, outcomes, ["illicit", "revenue_adjustment"])
    return X, joined["illicit"].to_numpy(), outcomes, joined["revenue_adjustment"]


@pytest.fixture
def routing():
    """Turn metadata routing on."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def make_steps(*, probe=False, **settings):
    """Return the pipeline of the flow; `settings` are those of the classifier."""
    steps = [DeclarationFeatures(n_jobs=1)]
    if probe:
        steps.append(Probe())
    return make_pipeline(*steps, RiskClassifier(n_estimators=20, **settings))


def make_routed(*, probe=False):
    """Return the pipeline with its requests."""
    pipeline = make_steps(probe=probe)
    pipeline[0].set_fit_request(outcomes=True)
    pipeline[-1].set_fit_request(sample_weight=True, time=True)
    return pipeline


# ---------------------------------------------------------------- pipeline


def test_a_pipeline_on_the_whole_flow_learns_what_the_engine_learns(flow, routing):
    X, y, outcomes, _ = flow
    pipeline = make_pipeline(
        DeclarationFeatures(n_jobs=1).set_fit_request(outcomes=True), RiskClassifier()
    ).fit(X, y, outcomes=outcomes)
    engine = RiskEngine(random_state=0).fit(X, outcomes)
    np.testing.assert_array_equal(
        pipeline.predict_proba(X)[:, 1], engine.score(X)["risk_score"]
    )


def test_the_features_state_codes_constraints_and_days_to_the_classifier(flow):
    X, y, _, _ = flow
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X.iloc[order], y[order]  # the days matter: half of them calibrates
    pipeline = make_steps(validation_share=0.5).fit(X, y)
    assert pipeline[-1].calibration_ != (1.0, 0.0)
    info = pipeline[0].feature_info_
    signs = pipeline[-1].booster_.params["monotone_constraints"]
    assert signs == [feature.monotone for feature in info]
    assert sum(signs) > 5
    matrix = pipeline[0].transform(X)
    plain = RiskClassifier(
        n_estimators=20,
        validation_share=0.5,
        categorical=tuple(k for k, f in enumerate(info) if f.categorical),
        monotone=tuple(f.monotone for f in info),
        suspicion=tuple(f.suspicion for f in info),
    ).fit(np.asarray(matrix), y, time=X["lodged_at"].dt.floor("D"))
    np.testing.assert_array_equal(
        plain.predict_proba(matrix), pipeline.predict_proba(X)
    )
    again = pickle.loads(pickle.dumps(matrix))
    assert again.feature_info == info
    np.testing.assert_array_equal(again.day, matrix.day)
    assert matrix[:5].feature_info is matrix[:5].day is (matrix * 2).day is None


def test_settings_of_the_classifier_come_before_what_the_features_state(flow):
    X, y, _, _ = flow
    matrix = make_steps().fit(X, y)[0].transform(X)
    free = RiskClassifier(n_estimators=5, monotone=(0,) * matrix.shape[1])
    assert "monotone_constraints" not in free.fit(matrix, y).booster_.params
    rising = [k for k, f in enumerate(matrix.feature_info) if f.monotone]
    codes = RiskClassifier(n_estimators=5, categorical=(rising[0],)).fit(matrix, y)
    assert codes.booster_.params["monotone_constraints"][rising[0]] == 0


def test_a_frame_of_features_works_without_what_they_state(flow):
    X, y, _, _ = flow
    pipeline = make_steps().set_output(transform="pandas").fit(X, y)
    assert pipeline[-1].feature_names_in_.tolist() == [
        feature.name for feature in pipeline[0].feature_info_
    ]
    assert len(pipeline.predict_proba(X)) == len(X)


def test_the_pipeline_is_cloned_scored_and_takes_a_baseline_alone(flow):
    X, y, _, _ = flow
    pipeline = clone(make_steps()).fit(X, y)
    assert 0.5 < pipeline.score(X, y) <= 1
    found = cross_val_score(SmoothedRateSum(), X, y, cv=FOLDS, scoring=BEST)
    assert np.isfinite(found).all()


# ----------------------------------------------------------------- searches


def test_scores_of_folds_are_those_of_a_loop(flow):
    X, y, _, _ = flow
    found = cross_validate(make_steps(), X, y, cv=FOLDS, scoring=BEST)["test_score"]
    for (train, test), score in zip(FOLDS.split(X, y), found, strict=True):
        model = make_steps().fit(X.iloc[train], y[train])
        judged = ~np.isnan(y[test])
        risk = model.predict_proba(X.iloc[test])[judged, 1]
        assert score == precision_at(y[test][judged], risk, 0.1)
    other = cross_val_score(
        make_steps(), pl.from_pandas(X), pl.Series(y), cv=FOLDS, scoring=BEST
    )
    np.testing.assert_array_equal(other, found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(make_steps(), {"riskclassifier__num_leaves": [3, 9]}),
        RandomizedSearchCV(
            make_steps(), {"riskclassifier__l2": [1, 9]}, n_iter=2, random_state=0
        ),
        HalvingGridSearchCV(
            make_steps(),
            {"riskclassifier__num_leaves": [3, 9]},
            resource="riskclassifier__n_estimators",
            min_resources=10,
            max_resources=30,
        ),
    ],
    ids=lambda search: type(search).__name__,
)
def test_searches_run_on_declarations(flow, search):
    X, y, _, _ = flow
    search = clone(search).set_params(cv=FOLDS, scoring=BEST, error_score="raise")
    search.fit(X, y)
    assert 0 < search.best_score_ <= 1
    assert len(search.predict_proba(X.tail(3))) == 3
    if isinstance(search, HalvingGridSearchCV):
        assert search.n_resources_ == [10]


def test_a_search_that_thins_the_items_is_refused_by_name(flow):
    X, y, _, _ = flow
    halving = HalvingGridSearchCV(
        make_steps(),
        {"riskclassifier__num_leaves": [3, 9]},
        cv=FOLDS,
        scoring=BEST,
        min_resources=1000,
    )
    with pytest.raises(ArgumentError, match=r"HalvingGridSearchCV.*resource="):
        halving.fit(X, y)
    with pytest.raises(ArgumentError, match="missing in the history"):
        learning_curve(make_steps(), X, y, cv=FOLDS, scoring=BEST)
    with pytest.raises(ValueError, match="only works for partitions"):
        cross_val_predict(make_steps(), X, y, cv=FOLDS)


# ------------------------------------------------------------------ routing


def test_outcomes_weights_and_revenue_reach_the_steps_of_a_search(flow, routing):
    X, y, outcomes, revenue = flow
    search = GridSearchCV(
        make_routed(),
        {"riskclassifier__num_leaves": [3, 9]},
        cv=FOLDS,
        scoring={"hits": BEST, "revenue": revenue_at(0.1)},
        refit="hits",
        error_score="raise",
    )
    weight = np.where(y == 1, 2.0, 1.0)
    passed = {"outcomes": outcomes, "sample_weight": weight, "time": X["lodged_at"]}
    search.fit(X, y, revenue=revenue, **passed)
    assert (search.cv_results_["mean_test_revenue"] > 0).all()
    best = search.best_estimator_
    alone = clone(best).fit(X, y, **passed)
    np.testing.assert_array_equal(best.predict_proba(X), alone.predict_proba(X))
    assert best[0].parts_["history"].results_  # the table was counted
    light = clone(best).fit(X, y, **{**passed, "sample_weight": np.ones(len(X))})
    assert (light.predict_proba(X)[:, 1] < alone.predict_proba(X)[:, 1]).mean() > 0.9


def test_outcomes_of_other_items_are_left_out_where_labels_are_given(flow):
    X, y, outcomes, _ = flow
    train = X.index < 2000
    features = DeclarationFeatures(n_jobs=1)
    with pytest.raises(TableError, match="results have no item"):
        clone(features).fit(X[train], outcomes=outcomes)
    fold = clone(features).fit(X[train], y[train], outcomes=outcomes)
    own = outcomes[are_among(outcomes, X[train])]
    alone = clone(features).fit(X[train], outcomes=own)
    np.testing.assert_array_equal(fold.transform(X), alone.transform(X))
    with pytest.raises(TableError, match=r"9 items have a label in y but no result"):
        clone(features).fit(X[train], y[train], outcomes=own.iloc[9:])


def test_joined_results_of_another_table_are_refused(flow):
    X, y, outcomes, _ = flow
    joined = join_results(X, outcomes)
    with pytest.raises(TableError, match="joined to 3000 items, but X has 2000"):
        DeclarationFeatures().fit(X.head(2000), y[:2000], outcomes=joined)


def test_outcomes_cut_by_position_are_refused_and_never_counted(flow, routing):
    # As many rows as X: scikit-learn cuts the table like y, whatever its order.
    X, y, _, _ = flow
    full = X[["declaration_id", "item_number"]].assign(illicit=(np.nan_to_num(y) > 0))
    full["illicit"] = full["illicit"].astype(int)
    labels = full["illicit"].to_numpy(float)
    pipeline = make_steps()
    pipeline[0].set_fit_request(outcomes=True)
    settings = {"cv": FOLDS, "scoring": BEST, "error_score": "raise"}
    found = cross_val_score(pipeline, X, labels, params={"outcomes": full}, **settings)
    without = cross_val_score(pipeline, X, labels, **settings)
    np.testing.assert_array_equal(found, without)  # in the order of X: nothing is lost
    mixed = full.sample(frac=1, random_state=0)
    with pytest.raises(TableError, match="cuts it like y"):
        cross_val_score(pipeline, X, labels, params={"outcomes": mixed}, **settings)


# -------------------------------------------------------------------- leaks


def see_folds(X, y, **passed):
    """Return the matrices of every fold of a cross-validation: training, test, ..."""
    SEEN.clear()
    pipeline = make_routed(probe=True) if passed else make_steps(probe=True)
    pipeline.set_params(riskclassifier__n_estimators=1)
    params = {"params": passed} if passed else {}
    cross_val_score(
        pipeline, X, y, cv=FOLDS, scoring=BEST, error_score="raise", **params
    )
    assert len(SEEN) == 2 * FOLDS.n_splits
    return list(SEEN)


def equal_folds(left, right):
    """Return which folds have the same features in both parts."""
    same = [
        np.array_equal(a, b, equal_nan=True) for a, b in zip(left, right, strict=True)
    ]
    return [train and test for train, test in zip(same[::2], same[1::2], strict=True)]


@pytest.mark.slow
def test_shuffled_labels_of_a_test_fold_change_no_feature(flow):
    X, y, _, _ = flow
    before = see_folds(X, y)
    rng = np.random.default_rng(0)
    for k, (train, _) in enumerate(FOLDS.split(X, y)):
        shuffled = y.copy()
        # From the end of what was known on: the gap and all that is later too.
        later = np.arange(len(y)) > train.max()
        shuffled[later] = rng.permutation(y[later])
        same = equal_folds(see_folds(X, shuffled), before)
        assert same[: k + 1] == [True] * (k + 1)
    own = y.copy()  # those of the last fold change nothing at all
    *_, (_, test) = FOLDS.split(X, y)
    own[test] = rng.permutation(own[test])
    assert not np.array_equal(own, y, equal_nan=True)
    assert equal_folds(see_folds(X, own), before) == [True] * 3
    known = np.arange(len(y)) <= 1500
    shuffled = y.copy()
    shuffled[known] = rng.permutation(y[known])
    assert equal_folds(see_folds(X, shuffled), before) == [False] * 3


def test_other_items_after_a_fold_change_none_of_its_features(flow):
    X, y, _, _ = flow
    before = see_folds(X, y)
    for k, (_, test) in enumerate(FOLDS.split(X, y)):
        later = X.index > test.max()
        changed = X.copy()
        moved = X[later].sample(frac=1, random_state=0)
        for name in ("importer_id", "tariff_code", "origin", "customs_value"):
            changed.loc[later, name] = moved[name].to_numpy()
        same = equal_folds(see_folds(changed, y), before)
        assert same[: k + 1] == [True] * (k + 1)
        assert not any(same[k + 1 :])


def test_outcomes_of_a_test_fold_change_no_feature(flow, routing):
    X, y, outcomes, _ = flow
    passed = {"sample_weight": np.ones(len(X)), "time": X["lodged_at"]}
    before = see_folds(X, y, outcomes=outcomes, **passed)
    *_, (_, test) = FOLDS.split(X, y)
    tested = outcomes["declaration_id"].isin(X["declaration_id"].iloc[test])
    forged = outcomes.assign(
        illicit=outcomes["illicit"].where(~tested, 1 - outcomes["illicit"]),
        revenue_adjustment=outcomes["revenue_adjustment"].where(~tested, 1e9),
        known_at=outcomes["known_at"].where(~tested, pd.Timestamp("2000-01-01")),
    )
    after = see_folds(X, y, outcomes=forged, **passed)
    assert equal_folds(after, before) == [True] * 3
