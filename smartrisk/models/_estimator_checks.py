"""Checks of a classifier or a regressor before any work is done with it."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from sklearn.base import is_classifier
from sklearn.utils import get_tags

from smartrisk.errors import ArgumentError, SmartRiskWarning
from smartrisk.models._stored_estimators import join_types, unlisted_classes

#: Parts of scikit-learn whose transformers leave missing values missing. Others, such
#: as imputers, are taken to replace them.
_KEEP_MISSING = ("sklearn.preprocessing.", "sklearn.feature_selection.")


def check_classifier(classifier: Any) -> None:
    """Raise unless an engine can use a classifier; warn if it could not be saved.

    Parameters
    ----------
    classifier : object
        Unfitted estimator.

    Raises
    ------
    ArgumentError
        If it is no estimator, has no `predict_proba`, or takes no missing values.

    Warns
    -----
    SmartRiskWarning
        If it has parts that this library does not know how to save.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from smartrisk.models import check_classifier
    >>> check_classifier(LogisticRegression())
    Traceback (most recent call last):
    ...
    smartrisk.errors.ArgumentError: RiskEngine: LogisticRegression, given as
    'classifier', does not take missing values (NaN), and features of items without a
    history are missing. Use make_pipeline(SimpleImputer(add_indicator=True),
    LogisticRegression(...)), or an estimator that takes them, such as
    HistGradientBoosting or LightGBM.
    """
    _check_estimator("classifier", classifier)
    if not hasattr(classifier, "predict_proba"):
        raise ArgumentError(
            "models.classifier_without_predict_proba",
            "RiskEngine: {name}, given as 'classifier', has no predict_proba. Use a "
            "classifier that returns probabilities, or wrap it: "
            "CalibratedClassifierCV({name}(...)).",
            name=type(classifier).__name__,
        )
    _check_missing("classifier", classifier)
    _warn_unless_storable("classifier", classifier)


def check_regressor(regressor: Any) -> None:
    """Raise unless an engine can use a regressor; warn if it could not be saved.

    Parameters
    ----------
    regressor : object
        Unfitted estimator.

    Raises
    ------
    ArgumentError
        If it is no estimator, is a classifier, or takes no missing values.

    Warns
    -----
    SmartRiskWarning
        If it has parts that this library does not know how to save.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from smartrisk.models import check_regressor
    >>> check_regressor(HistGradientBoostingRegressor())
    """
    _check_estimator("regressor", regressor)
    if is_classifier(regressor) or not hasattr(regressor, "predict"):
        raise ArgumentError(
            "models.not_a_regressor",
            "RiskEngine: {name}, given as 'regressor', is no regressor: it must "
            "predict the share of the declared value that a control recovers.",
            name=type(regressor).__name__,
        )
    _check_missing("regressor", regressor)
    _warn_unless_storable("regressor", regressor)


def _check_estimator(part: str, estimator: Any) -> None:
    """Raise unless something is an instance that can be fitted and cloned."""
    methods = ("fit", "get_params", "set_params")
    if inspect.isclass(estimator) or not all(hasattr(estimator, m) for m in methods):
        raise ArgumentError(
            "models.not_an_estimator",
            "RiskEngine: {part!r} must be an unfitted scikit-learn estimator, such as "
            "HistGradientBoosting{suffix}(); got {value}.",
            part=part,
            suffix="Classifier" if part == "classifier" else "Regressor",
            value=repr(estimator),
        )


def _check_missing(part: str, estimator: Any) -> None:
    """Raise when an estimator, or the first part that meets them, refuses NaN."""
    refusing = _find_refusing(estimator)
    if refusing is not None:
        raise ArgumentError(
            "models.estimator_takes_no_missing_values",
            "RiskEngine: {name}, given as {part!r}, does not take missing values "
            "(NaN), and features of items without a history are missing. Use "
            "make_pipeline(SimpleImputer(add_indicator=True), {name}(...)), or an "
            "estimator that takes them, such as HistGradientBoosting or LightGBM.",
            name=type(refusing).__name__,
            part=part,
        )


def _find_refusing(estimator: Any) -> Any:
    """Return the part that refuses missing values that reach it; None if none does."""
    steps = getattr(estimator, "steps", None)
    if steps:
        for _, step in steps[:-1]:
            if step in (None, "passthrough"):
                continue
            if not get_tags(step).input_tags.allow_nan:
                return step
            if not type(step).__module__.startswith(_KEEP_MISSING):
                return None
        return _find_refusing(steps[-1][1])
    if get_tags(estimator).input_tags.allow_nan:
        return None
    # The tags of a search or of a calibration do not look at what they wrap.
    inner = getattr(estimator, "estimator", None)
    return estimator if inner is None else _find_refusing(inner)


def _warn_unless_storable(part: str, estimator: Any) -> None:
    """Warn before the work of a fit when the model could not be saved after it."""
    unlisted = unlisted_classes(estimator)
    if unlisted:
        warnings.warn(
            SmartRiskWarning(
                "models.estimator_not_listed",
                "RiskEngine.fit: {part!r} has parts of classes that are not on the "
                "list of this library: {classes}. You can fit and score; "
                "RiskEngine.save(folder, trusted=[...]) will ask you to name the "
                "types that you trust, and refuses what it cannot write.",
                part=part,
                classes=join_types(unlisted),
            ),
            stacklevel=6,  # the caller of RiskEngine.fit
        )
