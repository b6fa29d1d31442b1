"""An engine with classifiers and regressors of other libraries."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import smartrisk as sr
from smartrisk.errors import ArgumentError, ArtefactError, SmartRiskWarning
from smartrisk.features import DeclarationFeatures
from smartrisk.models import RiskClassifier

FEATURES = DeclarationFeatures(parts=("item", "history"))


def impute(*steps):
    """Return a pipeline that fills in missing values first."""
    return make_pipeline(SimpleImputer(add_indicator=True), *steps)


MODELS = {
    "hist": (
        HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=7),
        HistGradientBoostingRegressor(max_iter=15),
    ),
    "lightgbm": (
        LGBMClassifier(n_estimators=15, num_leaves=7, verbose=-1),
        LGBMRegressor(n_estimators=15, verbose=-1),
    ),
    "extra": (impute(ExtraTreesClassifier(15, max_depth=6)), None),
    "logistic": (
        impute(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)),
        impute(StandardScaler(), Ridge()),
    ),
}


@pytest.fixture(scope="module")
def later(calibrated_split):
    return calibrated_split.later.head(300)


SLOW = {"lightgbm", "extra"}
EACH = [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in MODELS]


@pytest.fixture(scope="module", params=EACH)
def fitted(request, calibrated_split):
    """Return an engine with the models of another library."""
    classifier, regressor = MODELS[request.param]
    engine = sr.RiskEngine(
        features=FEATURES, classifier=classifier, regressor=regressor, random_state=3
    )
    return engine.fit(calibrated_split.past, calibrated_split.known)


@pytest.fixture(scope="module")
def scores(fitted, later):
    return fitted.score(later)


# ------------------------------------------------------------- scores, selection


def test_scores_are_those_of_the_classifier(fitted, later, scores):
    matrix = fitted.classifier_.prepare(fitted.features_.transform_matrix(later))
    own = fitted.classifier_.estimator_.predict_proba(matrix)[:, 1]
    np.testing.assert_allclose(scores["risk_score"], own, atol=1e-6)
    assert scores["risk_score"].nunique() > 20
    assert (scores["expected_revenue"] >= 0).all()


def test_one_item_equals_the_batch_bitwise(fitted, later, scores):
    for row in (0, 150, 299):
        one = fitted.score_one(later.iloc[row].to_dict())
        assert one["risk_score"] == scores["risk_score"].iloc[row]
        assert one["expected_revenue"] == scores["expected_revenue"].iloc[row]


def test_reasons_add_up_to_the_log_odds_of_the_score(fitted, later, scores):
    reasons = fitted.explain(later.head(40), top=2)
    risk = scores["risk_score"].head(40)
    bounded = risk.clip(1e-3, 1 - 1e-3) if "extra" in str(fitted) else risk
    log_odds = np.log(bounded / (1 - bounded))
    np.testing.assert_allclose(reasons.raw_score, log_odds, atol=1e-4)
    alone = fitted.explain_one(later.iloc[7].to_dict(), top=2)
    assert np.array_equal(alone.raw_score, reasons[7].raw_score)
    assert alone.sentences() == reasons[7].sentences()
    assert any(reasons.sentences())


def test_items_are_selected_and_the_history_is_updated(fitted, later):
    decisions = fitted.select(later, 0.1)
    assert (decisions["channel"] != "green").sum() == 30
    longer = fitted.copy().update(later)
    assert longer.version_ != fitted.version_
    assert longer.classifier_ is fitted.classifier_


# ------------------------------------------------------------ saving and settings


def test_a_loaded_engine_scores_the_same_and_fits_again_to_the_same_version(
    fitted, later, scores, calibrated_split, tmp_path
):
    folder = fitted.save(tmp_path / "engine")
    loaded = sr.RiskEngine.load(folder)
    assert loaded.version_ == fitted.version_
    pd.testing.assert_frame_equal(loaded.score(later), scores)
    assert repr(loaded) == repr(fitted)
    assert loaded.describe() == fitted.describe()
    again = sr.RiskEngine.load(loaded.save(tmp_path / "again"))
    assert again.version_ == fitted.version_
    loaded.fit(calibrated_split.past, calibrated_split.known)
    assert loaded.version_ == fitted.version_


def test_a_changed_byte_of_the_model_is_refused(fitted, tmp_path):
    folder = fitted.save(tmp_path / "engine")
    path = folder / "classifier.skops"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtefactError, match=r"'classifier\.skops'"):
        sr.RiskEngine.load(folder)


def test_copies_share_the_model_and_clones_have_the_settings(fitted, later, scores):
    pd.testing.assert_frame_equal(copy.deepcopy(fitted).score(later), scores)
    unpickled = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(unpickled.score(later), scores)
    assert unpickled.version_ == fitted.version_
    assert repr(clone(fitted)) == repr(fitted)


def test_the_description_names_class_and_settings(fitted):
    described = fitted.describe()
    assert described["classifier.class"] == type(fitted.classifier).__name__
    assert "n_trees" not in described
    assert all(
        isinstance(value, str | int | float | list | None)
        for value in described.values()
    )


def test_a_setting_of_the_classifier_is_part_of_the_version(calibrated_split):
    versions = {
        sr.RiskEngine(
            features=FEATURES,
            classifier=HistGradientBoostingClassifier(max_iter=n),
        )
        .fit(calibrated_split.past, calibrated_split.known)
        .version_
        for n in (2, 3)
    }
    assert len(versions) == 2


# ------------------------------------------------------------------- refusals


class OwnClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of an administration: the mean of a feature."""

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        self.share_ = float(np.mean(y))
        return self

    def predict_proba(self, X):
        hit = np.full(len(X), self.share_)
        return np.column_stack([1 - hit, hit])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"classifier": LinearSVC()}, "LinearSVC.*no predict_proba"),
        ({"classifier": LogisticRegression()}, "LogisticRegression.*SimpleImputer"),
        ({"classifier": LogisticRegression}, "must be an unfitted"),
        ({"regressor": LogisticRegression()}, "is no regressor"),
        ({"regressor": Ridge()}, r"Ridge, given as 'regressor'"),
    ],
    ids=str,
)
def test_a_model_that_cannot_be_used_is_refused_before_any_work(settings, text):
    engine = sr.RiskEngine(**settings)
    with pytest.raises(ArgumentError, match=f"RiskEngine: .*{text}"):
        engine.fit("no table", "no table")


def test_a_class_outside_the_list_is_warned_of_before_and_trusted_by_name(
    calibrated_split, later, tmp_path
):
    engine = sr.RiskEngine(features=FEATURES, classifier=OwnClassifier())
    with pytest.warns(SmartRiskWarning, match=r"not on the list .*OwnClassifier") as w:
        engine.fit(calibrated_split.past, calibrated_split.known)
    assert w[0].filename == __file__
    name = f"{__name__}.OwnClassifier"
    with pytest.raises(ArgumentError, match=r"RiskEngine\.save: OwnClassifier"):
        engine.save(tmp_path / "engine")
    assert not (tmp_path / "engine").exists()
    folder = engine.save(tmp_path / "engine", trusted=[name])
    with pytest.raises(ArtefactError, match=rf"load: .*{name}.*'trusted'"):
        sr.RiskEngine.load(folder)
    loaded = sr.RiskEngine.load(folder, trusted=[name])
    pd.testing.assert_frame_equal(loaded.score(later), engine.score(later))
    with pytest.raises(ArgumentError, match="no explainer of its own for OwnClass"):
        engine.explain(later.head(2))


def test_a_model_without_an_explainer_scores_and_names_what_remains(
    calibrated_split, later, tmp_path
):
    trees = HistGradientBoostingClassifier(max_iter=5)
    engine = sr.RiskEngine(
        features=FEATURES, classifier=CalibratedClassifierCV(trees, cv=2)
    )
    engine.fit(calibrated_split.past, calibrated_split.known)
    assert engine.score(later)["risk_score"].between(0, 1).all()
    text = "CalibratedClassifierCV. Scores, selection, updates and saving work"
    with pytest.raises(ArgumentError, match=text):
        engine.explain(later.head(2))
    loaded = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    assert loaded.version_ == engine.version_


class ChangedClassifier(RiskClassifier):
    """A subclass of our own classifier."""


def test_a_subclass_of_our_own_model_is_not_saved_as_its_parent(
    calibrated_split, tmp_path
):
    engine = sr.RiskEngine(
        features=FEATURES, classifier=ChangedClassifier(n_estimators=3)
    )
    engine.fit(calibrated_split.past, calibrated_split.known)
    with pytest.raises(ArgumentError, match="ChangedClassifier, the classifier, is a"):
        engine.save(tmp_path / "engine")
