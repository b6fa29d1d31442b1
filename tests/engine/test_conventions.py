"""The engine keeps scikit-learn's conventions: parameters, clones, copies, display."""

from __future__ import annotations

import copy
import pickle

import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

import smartrisk as sr
from smartrisk.features import DeclarationFeatures
from smartrisk.models import RiskClassifier


def small_engine():
    """Return an unfitted engine with settings of its own."""
    return sr.RiskEngine(
        features=DeclarationFeatures(parts=("item", "structuring")),
        classifier=RiskClassifier(n_estimators=5),
        label_delay=7,
    )


@pytest.fixture(scope="module")
def fitted(world):
    return small_engine().fit(world.declarations, world.outcomes)


def test_repr_shows_the_changed_settings_only():
    assert repr(sr.RiskEngine()) == "RiskEngine()"
    assert repr(sr.RiskEngine(label_delay=7)) == "RiskEngine(label_delay=7)"


def test_settings_are_read_and_set_by_name_through_the_parts():
    engine = small_engine()
    assert engine.get_params()["classifier__n_estimators"] == 5
    engine.set_params(classifier__n_estimators=6, label_delay=8)
    assert (engine.classifier.n_estimators, engine.label_delay) == (6, 8)
    with pytest.raises(ValueError, match="Invalid parameter 'labeldelay'"):
        engine.set_params(labeldelay=3)


def test_a_setting_is_checked_in_fit_and_never_before(world):
    engine = sr.RiskEngine(label_delay="a").set_params(n_jobs=0)
    with pytest.raises(sr.errors.ArgumentError, match="label_delay"):
        engine.fit(world.declarations, world.outcomes)


def test_a_clone_has_the_settings_and_nothing_learned(fitted):
    cloned = clone(fitted)
    assert repr(cloned) == repr(fitted)
    assert cloned.classifier is not fitted.classifier
    check_is_fitted(fitted)
    with pytest.raises(NotFittedError):
        check_is_fitted(cloned)


def test_what_was_learned_is_one_private_attribute(fitted):
    settings = fitted.get_params(deep=False)
    assert set(vars(fitted)) == {*settings, "_state"}


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))]
)
def test_a_copy_scores_the_same_and_grows_on_its_own(fitted, world, copied):
    items = world.declarations.tail(20)
    other = copied(fitted)
    version, scores = fitted.version_, fitted.score(items)
    pd.testing.assert_frame_equal(other.score(items), scores)
    new = items.assign(declaration_id="later " + items["declaration_id"])
    other.update(new)
    assert other.version_ != version
    assert fitted.version_ == version
    pd.testing.assert_frame_equal(fitted.score(items), scores)


def test_a_deep_copy_has_settings_of_its_own(fitted):
    other = copy.deepcopy(fitted)
    other.classifier.n_estimators = 99
    assert fitted.classifier.n_estimators == 5


def test_a_notebook_shows_the_settings_and_the_version(fitted):
    shown = fitted._repr_mimebundle_()
    assert shown["text/plain"] == repr(fitted)
    assert fitted.version_ in shown["text/html"]
    assert "version_" not in small_engine()._repr_html_()


def test_no_argument_of_the_engine_is_routed_as_metadata():
    routed = [name for name in dir(sr.RiskEngine) if name.startswith("set_")]
    assert routed == ["set_params"]
