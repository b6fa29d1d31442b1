"""Every estimator that a package exports keeps scikit-learn's contract.

The estimators are found, not listed: a new one is tested the day it is exported.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from smartrisk.errors import TableError
from smartrisk.schema import DECLARATIONS

PACKAGES = ("features", "models")
#: Shapes that others fill in; they cannot be fitted themselves.
BASES = {"DeclarationTransformer"}


def exported():
    """Return one instance with default settings of every exported estimator."""
    found = []
    for package in PACKAGES:
        module = importlib.import_module(f"smartrisk.{package}")
        for name in sorted(module.__all__):
            thing = getattr(module, name)
            if (
                inspect.isclass(thing)
                and issubclass(thing, BaseEstimator)
                and name not in BASES
            ):
                found.append(thing())
    return found


def named(estimator):
    return type(estimator).__name__


sklearn_version = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
ESTIMATORS = exported()
TRANSFORMERS = [e for e in ESTIMATORS if hasattr(e, "transform")]
CLASSIFIERS = [e for e in ESTIMATORS if is_classifier(e)]
each = pytest.mark.parametrize("estimator", ESTIMATORS, ids=named)


@parametrize_with_checks(ESTIMATORS)
def test_an_estimator_keeps_the_contract_of_scikit_learn(estimator, check):
    if "sample_weight_equivalence" in str(check) and sklearn_version < (1, 7):
        pytest.skip("this check names the classes by the first row, after a shuffle")
    check(estimator)


@each
def test_an_estimator_is_a_transformer_a_classifier_or_a_regressor(estimator):
    assert hasattr(estimator, "transform") or (
        is_classifier(estimator) or is_regressor(estimator)
    )


@each
def test_an_estimator_is_rebuilt_from_its_parameters(estimator):
    made = clone(estimator)
    assert type(made)(**made.get_params(deep=False)).get_params().keys() == (
        estimator.get_params().keys()
    )
    assert repr(made) == repr(estimator)


def touch(value):
    """Read every public attribute, as use does, of a value and of those inside it."""
    for name in dir(value):
        if not name.startswith("_"):
            getattr(value, name, None)
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for one in value:
            touch(one)


@each
def test_use_leaves_no_trace_in_the_stored_parameters(estimator):
    params = copy.deepcopy(estimator.get_params())
    before = {name: joblib.hash(value) for name, value in params.items()}
    for value in params.values():
        touch(value)
    assert {name: joblib.hash(value) for name, value in params.items()} == before


@each
def test_an_estimator_takes_at_most_its_first_setting_by_position(estimator):
    kinds = [
        p.kind
        for p in inspect.signature(type(estimator)).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    assert len(kinds) <= 2


# --------------------------------------------------------- on declarations


@pytest.fixture(scope="module")
def few(declarations, outcomes):
    """Return 1500 declared items and their labels, NaN where never inspected."""
    X = declarations.drop(columns=[c for c in declarations if c.startswith("dq_")])
    X = X.iloc[:1500]
    key = ["declaration_id", "item_number"]
    y = X[key].merge(outcomes[[*key, "illicit"]], on=key, how="left")["illicit"]
    return X, y.astype("float64").to_numpy()


@pytest.fixture(scope="module")
def labelled(few):
    """Return the inspected items only, with 0/1 labels."""
    X, y = few
    seen = ~np.isnan(y)
    return X[seen], y[seen].astype("int64")


def as_array(matrix):
    return np.asarray(matrix, dtype="float64")


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
def test_fitting_and_transforming_at_once_is_the_same_as_in_turn(transformer, few):
    X, y = few
    at_once = clone(transformer).fit_transform(X, y)
    in_turn = clone(transformer).fit(X, y).transform(X)
    np.testing.assert_array_equal(as_array(at_once), as_array(in_turn))


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
def test_one_item_at_a_time_equals_the_batch(transformer, few):
    X, y = few
    fitted = clone(transformer).fit(X, y)
    batch = as_array(fitted.transform(X))
    for i in (0, 700, 1499):
        np.testing.assert_array_equal(
            as_array(fitted.transform(X.iloc[[i]])), batch[[i]]
        )


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
def test_the_order_of_columns_and_items_changes_no_feature(transformer, few):
    X, y = few
    fitted = clone(transformer).fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    mixed = X.iloc[order][X.columns[::-1]]
    np.testing.assert_array_equal(
        as_array(fitted.transform(mixed)), as_array(fitted.transform(X))[order]
    )


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
def test_features_are_finite_or_missing_and_named_once(transformer, few):
    X, y = few
    fitted = clone(transformer).fit(X, y)
    matrix = as_array(fitted.transform(X))
    names = fitted.get_feature_names_out()
    assert not np.isinf(matrix).any()
    assert len(set(names)) == len(names) == matrix.shape[1]
    assert len(fitted.feature_info_) == len(names)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
def test_a_transformer_gives_a_frame_when_asked_and_survives_pickling(transformer, few):
    X, y = few
    fitted = clone(transformer).set_output(transform="pandas").fit(X, y)
    matrix = fitted.transform(X)
    assert isinstance(matrix, pd.DataFrame)
    assert matrix.index.equals(X.index)
    again = pickle.loads(pickle.dumps(fitted)).transform(X)
    pd.testing.assert_frame_equal(again, matrix)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
@pytest.mark.parametrize("name", DECLARATIONS.required)
def test_a_misspelt_required_column_is_refused_and_not_passed_through(
    transformer, few, name
):
    X, y = few
    misspelt = X.rename(columns={name: f"{name}s"})
    with pytest.raises(TableError, match=f"'{name}' is missing.*'{name}s'"):
        clone(transformer).fit(misspelt, y)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=named)
def test_a_transformer_leaves_the_callers_frame_alone(transformer, few):
    X, y = few
    before = X.copy(deep=True)
    clone(transformer).fit(X, y).transform(X)
    pd.testing.assert_frame_equal(X, before)


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=named)
def test_the_same_seed_gives_the_same_probabilities(classifier, labelled):
    X, y = inputs_of(classifier, labelled)
    first = clone(classifier).fit(X, y).predict_proba(X)
    second = clone(classifier).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, second)
    assert ((first >= 0) & (first <= 1)).all()
    np.testing.assert_allclose(first.sum(axis=1), 1.0)


def inputs_of(classifier, labelled):
    """Return declarations for the baselines, a plain matrix for the trees."""
    X, y = labelled
    if named(classifier) == "RiskClassifier":
        rng = np.random.default_rng(0)
        return rng.normal(size=(len(y), 4)) + y[:, None], y
    return X, y
