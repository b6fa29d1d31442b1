"""The models of an engine: its own, or any of scikit-learn behind an adapter.

Everything that differs between the two is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from smartrisk.errors import ArgumentError
from smartrisk.explanations import model_contributions
from smartrisk.features import FeatureInfo
from smartrisk.items import ANY_HIT
from smartrisk.models import (
    MEMBERS,
    ClassifierAdapter,
    RegressorAdapter,
    RevenueRegressor,
    RiskClassifier,
    check_classifier,
    check_regressor,
    dump_estimator,
    load_estimator,
)

Classifier: TypeAlias = RiskClassifier | ClassifierAdapter
Regressor: TypeAlias = RevenueRegressor | RegressorAdapter
Model: TypeAlias = Classifier | Regressor
Float: TypeAlias = NDArray[np.float64]
#: Fields that say how much duty is due.
_DUTY = frozenset(("duty_rate", "duties_taxes"))
#: Parameters of our own classifier that follow from the features.
_FROM_FEATURES = ("categorical", "monotone", "suspicion")
#: Name of a file to its bytes.
Blobs: TypeAlias = dict[str, bytes]
#: The files of the trees of our own models.
_TREES = {"classifier": "risk.txt", "regressor": "revenue.txt"}
_OWN: dict[str, Any] = {"classifier": RiskClassifier, "regressor": RevenueRegressor}
_ADAPTERS: dict[str, Any] = {
    "classifier": ClassifierAdapter,
    "regressor": RegressorAdapter,
}


def check_models(classifier: Any, regressor: Any) -> None:
    """Raise unless an engine can use the models that were given to it."""
    if classifier is not None and not isinstance(classifier, RiskClassifier):
        check_classifier(classifier)
    if regressor is not None and not isinstance(regressor, RevenueRegressor):
        check_regressor(regressor)


def new_model(part: str, given: Any, *, n_jobs: int | None, random_state: int) -> Any:
    """Return an unfitted model: the default, a copy of the given one, or an adapter."""
    own = _OWN[part]
    if given is None:
        return own(n_jobs=n_jobs, random_state=random_state)
    if isinstance(given, own):
        return clone(given)
    return _ADAPTERS[part](clone(given), random_state=random_state)


def set_columns(
    classifier: Classifier, info: Sequence[FeatureInfo], *, target: str = ANY_HIT
) -> None:
    """Set which features are codes, and which may only rise, in our own classifier.

    A low duty rate is suspicious where duty may be evaded: it is no signal of a target
    such as drugs, nor of one offence rather than another.
    """
    if not isinstance(classifier, RiskClassifier):
        return
    if not classifier.categorical:
        codes = tuple(k for k, feature in enumerate(info) if feature.categorical)
        classifier.set_params(categorical=codes)
    if not classifier.monotone:
        classifier.set_params(monotone=tuple(feature.monotone for feature in info))
    if "signals" in getattr(classifier, "members", ()) and not classifier.suspicion:
        weights = tuple(
            0.0
            if target != ANY_HIT and _DUTY.intersection(feature.fields)
            else float(feature.suspicion)
            for feature in info
        )
        classifier.set_params(suspicion=weights)


def takes_signals(classifier: Classifier) -> bool:
    """Return whether a model scores by signals too, which need no results."""
    return "signals" in getattr(classifier, "members", ())


def name_model(model: Model) -> str:
    """Return how a model is named to its user: its class, and which members it has."""
    if isinstance(model, ClassifierAdapter | RegressorAdapter):
        return type(model.estimator).__name__
    name = type(model).__name__
    members = getattr(model, "members", MEMBERS)
    return name if members == MEMBERS else f"{name}(members={tuple(members)!r})"


def signals_weight(classifier: Classifier) -> float:
    """Return the share of the signals in the raw score of a fitted model."""
    members = getattr(classifier, "members_", ())
    return float(sum(m.weight for m in members if m.name == "signals"))


def predict_risk(classifier: Classifier, matrix: NDArray[Any]) -> Float:
    """Return the probability of a hit of each item."""
    if isinstance(classifier, ClassifierAdapter):
        return classifier.predict_hit(matrix)
    return classifier.calibrate(classifier.raw_score(matrix, checked=True))


def predict_interval(
    classifier: Classifier, matrix: NDArray[Any]
) -> tuple[Float, Float, Float]:
    """Return the probability of a hit of each item, and the bounds of its interval.

    The bounds are missing for models of other libraries, and where neither trees nor a
    calibration learned from results.
    """
    calibrator = getattr(classifier, "calibrator_", None)
    if calibrator is None or not (count_trees(classifier) or calibrator.n_items):
        risk = predict_risk(classifier, matrix)
        missing = np.full(len(risk), np.nan)
        return risk, missing, missing
    raw = classifier.raw_score(matrix, checked=True)
    lower, upper = calibrator.interval(raw)
    return classifier.calibrate(raw), lower, upper


def find_contributions(
    classifier: Classifier, matrix: NDArray[Any]
) -> tuple[Float, Float]:
    """Return contributions to the log-odds, and the probability, of each item."""
    if isinstance(classifier, ClassifierAdapter):
        found = model_contributions(classifier, matrix)
        return found, classifier.predict_hit(matrix)
    found = classifier.contributions(matrix, checked=True)
    return found, classifier.calibrate(found.sum(axis=1))


def count_trees(classifier: Classifier) -> int | None:
    """Return the number of trees of our own classifier; None of others."""
    return classifier.n_trees_ if isinstance(classifier, RiskClassifier) else None


def describe_model(model: Any) -> dict[str, Any]:
    """Return the parameters of a model; of other libraries by class and plain values.

    What follows from the features is left out.
    """
    if isinstance(model, BaseEstimator):
        params = model.get_params(deep=False)
        return {k: v for k, v in params.items() if k not in _FROM_FEATURES}
    parts = {
        name: _describe_value(value)
        for name, value in model.get_params(deep=True).items()
        if name != "steps"
    }
    return {"class": type(model.estimator).__name__, **parts}


def _describe_value(value: Any) -> Any:
    """Return a plain value as it is, NaN as a text, an object by its class."""
    if isinstance(value, float) and np.isnan(value):
        return "nan"
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return type(value).__name__


# ------------------------------------------------------------------ as a folder


def pack_model(
    part: str, model: Model, trusted: Iterable[str]
) -> tuple[dict[str, Any], dict[str, str], Blobs]:
    """Return a fitted model as plain values, texts and bytes by file name."""
    owner = "RiskEngine.save"
    if isinstance(model, ClassifierAdapter | RegressorAdapter):
        plain = {"estimator": _settings_file(part), "state": model.fitted_state()}
        blobs = {_settings_file(part): dump_estimator(model.estimator)}
        content = model.to_bytes(trusted=trusted, owner=owner)
        if content is not None:
            blobs[_fitted_file(part)] = content
        return {**plain, "random_state": model.random_state}, {}, blobs
    _check_own_class(part, model)
    fitted = {"params": model.get_params(), "state": model.fitted_state()}
    if isinstance(model, RiskClassifier):
        fitted["stopping_curve"] = [list(point) for point in model.stopping_curve_]
        trees = model.booster_texts()
        texts = {_member_file(name): text for name, text in trees.items()}
    else:
        text = model.booster_text()
        texts = {} if text is None else {_TREES[part]: text}
    return fitted, texts, {}


def unpack_model(
    part: str,
    plain: dict[str, Any],
    texts: dict[str, str],
    blobs: Blobs,
    trusted: Iterable[str],
) -> Any:
    """Return the model that `pack_model` packed."""
    if "params" in plain:
        model = _own_model(part, plain["params"])
        name = _TREES[part]
        if isinstance(model, RiskClassifier):
            files = {member: _member_file(member) for member in MEMBERS}
            trees = {m: texts[file] for m, file in files.items() if file in texts}
            model.restore(trees, plain["state"], files=files)
            curve = plain.get("stopping_curve", [])  # earlier versions wrote none
            model.stopping_curve_ = tuple((int(k), float(loss)) for k, loss in curve)
            return model
        return model.restore(texts.get(name), plain["state"], name=name)
    owner = "RiskEngine.load"
    name = _settings_file(part)
    if plain["estimator"] != name:
        raise ValueError(f"the estimator of the {part} is in {plain['estimator']!r}")
    unfitted = load_estimator(blobs[name], trusted=trusted, owner=owner, name=name)
    adapter = _ADAPTERS[part](unfitted, random_state=plain["random_state"])
    name = _fitted_file(part)
    content = blobs.get(name)
    return adapter.restore(content, plain["state"], trusted=trusted, name=name)


def pack_setting(part: str, given: Any) -> tuple[Any, Blobs]:
    """Return an unfitted model of the settings as plain values and bytes."""
    if given is None:
        return None, {}
    if isinstance(given, _OWN[part]):
        _check_own_class(part, given)
        return given.get_params(), {}
    name = f"settings.{part}.skops"
    return name, {name: dump_estimator(given)}


def unpack_setting(part: str, plain: Any, blobs: Blobs, trusted: Iterable[str]) -> Any:
    """Return the unfitted model that `pack_setting` packed."""
    if plain is None:
        return None
    if isinstance(plain, str):
        content = blobs[plain]
        return load_estimator(
            content, trusted=trusted, owner="RiskEngine.load", name=plain
        )
    return _own_model(part, plain)


def _own_model(part: str, params: dict[str, Any]) -> Any:
    """Return a model of our own with saved parameters.

    Parameters of versions that knew one member only do not name it.
    """
    params = with_tuples(params)
    if part == "classifier":
        params.setdefault("members", ("boosting",))
    return _OWN[part](**params)


def _member_file(name: str) -> str:
    """Return the name of the file of the trees of a member."""
    return "risk.txt" if name == "boosting" else f"risk.{name}.txt"


def with_tuples(params: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with tuples again where JSON has lists."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in params.items()}


def _settings_file(part: str) -> str:
    """Return the name of the file of the estimator that a model was fitted from."""
    return f"{part}.unfitted.skops"


def _fitted_file(part: str) -> str:
    """Return the name of the file of a fitted estimator."""
    return f"{part}.skops"


def _check_own_class(part: str, model: Any) -> None:
    """Raise for a subclass of our own models, which loading would not restore."""
    if type(model) is _OWN[part]:
        return
    raise ArgumentError(
        "engine.subclass_not_saved",
        "RiskEngine.save: {name}, the {part}, is a subclass of {own}; a folder holds "
        "no code, so loading would lose what it changes. Fit with {own}, or with an "
        "estimator that does not inherit from it.",
        name=type(model).__name__,
        part=part,
        own=_OWN[part].__name__,
    )
