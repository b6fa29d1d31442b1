"""Any classifier and regressor of scikit-learn behind the interface of our models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from smartrisk.errors import ArgumentError
from smartrisk.models._boosting import STATE_FILE, damaged_model, read_state
from smartrisk.models._estimator_adapter import EstimatorAdapter
from smartrisk.models._labels import known_entries
from smartrisk.models._revenue import (
    FEWEST_HITS,
    STATE_RANGES,
    USUAL_SCALE,
    choose_fiscal,
    clip_shares,
    fill_scale,
    find_usual_scale,
)
from smartrisk.models._rows import (
    Float,
    Predict,
    choose_size,
    last_step,
    predict_in_parts,
)

#: Log-odds and probability of a model must agree to this; single precision gives 1e-7.
_AGREE = 1e-6
#: Lowest probability that becomes log-odds where a model gives probabilities only: a
#: forest of a hundred trees has no probabilities between 0 and 1 %.
LEAST_CHANCE = 1e-3
#: What a classifier is explained in.
_SPACES = ("log-odds", "probability")


class ClassifierAdapter(EstimatorAdapter):
    """Any scikit-learn classifier with `predict_proba` as the model of an engine.

    `RiskEngine(classifier=...)` makes it; you meet it as ``engine.classifier_``.

    Parameters
    ----------
    estimator : estimator
        Unfitted classifier with `predict_proba`; it is cloned in fit and never changed.
    random_state : int, default=0
        Seed of the parts whose own `random_state` is None, so that fitting again gives
        the same model.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier; of a search, such as `GridSearchCV`, the best one.
    space_ : {"log-odds", "probability"}
        What the classifier computes first. Log-odds are explained as they are.
        Contributions to a probability are rescaled to its log-odds.

    See Also
    --------
    RiskClassifier : The default; calibrated on the latest items.

    Notes
    -----
    The probability is the one that the classifier gives: it is not calibrated again.
    An item has the same bits alone and among others: linear models are added up row by
    row, and classifiers that round differently in a batch are asked item by item, which
    is slower.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from smartrisk.models import ClassifierAdapter
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = (X[:, 0] + rng.normal(size=500) > 1).astype(int)
    >>> model = ClassifierAdapter(HistGradientBoostingClassifier(max_iter=5)).fit(X, y)
    >>> bool((model.predict_hit(X) == model.estimator_.predict_proba(X)[:, 1]).all())
    True
    >>> model.space_
    'log-odds'
    """

    space_: str

    def fit(
        self, X: NDArray[Any], y: NDArray[Any], *, time: ArrayLike | None = None
    ) -> Self:
        """Learn from inspected items.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Features of inspected items; NaN is a missing value.
        y : ndarray of shape (n_items,)
            1 for a hit, 0 for none.
        time : array-like of shape (n_items,), default=None
            When each item was lodged, for classifiers whose `fit` takes it.

        Returns
        -------
        self : ClassifierAdapter
            The fitted model.
        """
        hits = np.asarray(y).astype(np.int64)
        if len(np.unique(hits)) < 2:
            raise ArgumentError(
                "models.adapter_one_class_only",
                "RiskEngine: the results hold one class only ({label}); at least one "
                "hit and one inspection without a hit are needed.",
                label=int(hits[0]) if len(hits) else "none",
            )
        some = self._fit_estimator(X, hits, time)
        chance = self._ask(some)
        shape = getattr(self.estimator_, "classes_", np.arange(2)).shape
        if shape != (2,) or not ((chance >= 0) & (chance <= 1)).all():
            raise ArgumentError(
                "models.classifier_without_probabilities",
                "RiskEngine: predict_proba of {name} must return one probability for "
                "each of two classes.",
                name=type(self.estimator_).__name__,
            )
        raw = self._raw()
        is_logistic = raw is not None and np.allclose(
            expit(raw(some)), chance, rtol=0.0, atol=_AGREE
        )
        self.space_ = "log-odds" if is_logistic else "probability"
        self._size = choose_size(self.estimator_, self._hit, some)
        return self

    def predict_hit(self, X: NDArray[Any], *, checked: bool = True) -> Float:
        """Return the probability of a hit.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Features, in the order of fit.
        checked : bool, default=True
            Not used: the classifier checks its input itself.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            In [0, 1]; of an item the same bits alone and among others.
        """
        return predict_in_parts(self._hit, self.prepare(X), self._size)

    def raw_score(self, X: NDArray[Any], *, checked: bool = True) -> Float:
        """Return the log-odds of a hit.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Features, in the order of fit.
        checked : bool, default=True
            Not used: the classifier checks its input itself.

        Returns
        -------
        raw : ndarray of shape (n_items,)
            What the classifier computes; where it computes a probability, the log-odds
            of that, between 0.001 and 0.999.
        """
        raw = self._raw() if self.space_ == "log-odds" else None
        if raw is not None:
            return predict_in_parts(raw, self.prepare(X), self._size)
        chance = self.predict_hit(X)
        return np.asarray(logit(np.clip(chance, LEAST_CHANCE, 1.0 - LEAST_CHANCE)))

    def calibrate(self, raw: Float) -> Float:
        """Return the probability that belongs to log-odds.

        Parameters
        ----------
        raw : ndarray of shape (n_items,)
            Log-odds, as from `raw_score`.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            Probability of a hit.
        """
        return np.asarray(expit(raw))

    def fitted_state(self) -> dict[str, Any]:
        """Return what was learned besides the classifier, as plain values for JSON.

        Returns
        -------
        state : dict
            Mean of each feature, items at once, and what the classifier computes.
        """
        return {**super().fitted_state(), "space": self.space_}

    def restore(
        self,
        content: bytes | None,
        state: dict[str, Any],
        *,
        trusted: Iterable[str] = (),
        name: str = "content",
    ) -> Self:
        """Restore a classifier that was saved.

        Parameters
        ----------
        content : bytes
            As from `to_bytes`.
        state : dict
            As from `fitted_state`.
        trusted : iterable of str, default=()
            Types besides those of the list that the bytes may name.
        name : str, default="content"
            Name of the file that held the bytes, for messages.

        Returns
        -------
        self : ClassifierAdapter
            Fitted as it was when saved; its predictions are bit-identical.
        """
        if content is None or state["space"] not in _SPACES:
            raise damaged_model("RiskEngine.load", STATE_FILE, "it has no estimator")
        self._restore(content, state, trusted, name)
        self.space_ = str(state["space"])
        return self

    def _ask(self, X: Float) -> Float:
        """Return the second column of `predict_proba`."""
        return np.asarray(self.estimator_.predict_proba(X)[:, 1], np.float64)

    def _hit(self, X: Float) -> Float:
        """Return the probability of a hit; of linear models from their own sum."""
        linear = self._linear() if self.space_ == "log-odds" else None
        return self._ask(X) if linear is None else np.asarray(expit(linear(X)))

    def _raw(self) -> Predict | None:
        """Return a function that gives the raw output of the classifier."""
        estimator = self.estimator_
        linear = self._linear()
        if linear is not None:
            return linear
        library = type(last_step(estimator)).__module__.split(".")[0]
        option = {"lightgbm": "raw_score", "xgboost": "output_margin"}.get(library)
        if option is not None:
            return lambda X: np.asarray(
                estimator.predict(X, **{option: True}), np.float64
            ).ravel()
        if not hasattr(estimator, "decision_function"):
            return None
        return lambda X: np.asarray(estimator.decision_function(X), np.float64).ravel()


class RegressorAdapter(EstimatorAdapter):
    """Any scikit-learn regressor as the revenue model of an engine.

    `RiskEngine(regressor=...)` makes it; you meet it as ``engine.regressor_``.

    Parameters
    ----------
    estimator : estimator
        Unfitted regressor; it is cloned in fit and never changed.
    random_state : int, default=0
        Seed of the parts whose own `random_state` is None, so that fitting again gives
        the same model.

    Attributes
    ----------
    estimator_ : estimator
        The fitted regressor; None when fewer than 30 hits were seen: then the mean
        share is used.
    mean_ : float
        Mean share of the stake that was recovered.
    usual_scale_ : float or None
        Median stake of the hits, for items without one; None for models that earlier
        versions saved.

    See Also
    --------
    RevenueRegressor : The default.

    Notes
    -----
    The regressor learns the *share* of the stake that was recovered, cut at its 99.5th
    percentile, as `RevenueRegressor` does; the level is that of the shares. Negative
    predictions count as 0.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from smartrisk.models import RegressorAdapter
    >>> rng = np.random.default_rng(0)
    >>> X, value = rng.normal(size=(200, 2)), rng.lognormal(8, 1, 200)
    >>> model = RegressorAdapter(Ridge()).fit(X, 0.1 * value, scale=value)
    >>> bool(abs(model.predict(X, scale=value) / value - 0.1).max() < 0.01)
    True
    """

    mean_: float
    usual_scale_: float | None

    def fit(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        *,
        scale: ArrayLike | None = None,
        time: ArrayLike | None = None,
        fiscal: ArrayLike | None = None,
    ) -> Self:
        """Learn from items where an irregularity was found.

        Parameters
        ----------
        X : ndarray of shape (n_hits, n_features)
            Features of the items with a hit.
        y : ndarray of shape (n_hits,)
            Revenue recovered, national currency, not negative.
        scale : array-like of shape (n_hits,), default=None
            What the revenue is a share of, such as the stake; None for 1. Items without
            a positive one get the median.
        time : array-like of shape (n_hits,), default=None
            When each item was lodged, for regressors whose `fit` takes it.
        fiscal : array-like of bool, shape (n_hits,), default=None
            False for findings under other laws, such as drugs, which are left out; None
            for all true.

        Returns
        -------
        self : RegressorAdapter
            The fitted model.
        """
        self.usual_scale_ = find_usual_scale(scale)
        factor = fill_scale(scale, len(y), self.usual_scale_)
        learned = choose_fiscal(fiscal, len(y))
        share = clip_shares((np.asarray(y, np.float64) / factor)[learned])
        X, time = np.asarray(X)[learned], known_entries(time, learned)
        self.mean_ = float(share.mean())
        self.estimator_ = None
        self.n_features_in_ = np.shape(X)[1]
        if len(share) < FEWEST_HITS or share.max() <= 0:
            return self
        some = self._fit_estimator(X, share, time)
        self._size = choose_size(self.estimator_, self._share, some)
        return self

    def predict(
        self, X: ArrayLike, *, scale: ArrayLike | None = None, checked: bool = True
    ) -> Float:
        """Return the expected recovery given a hit.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.
        scale : array-like of shape (n_items,), default=None
            As in fit.
        checked : bool, default=True
            Not used: the regressor checks its input itself.

        Returns
        -------
        revenue : ndarray of shape (n_items,)
            National currency, not negative; of an item the same bits alone and among
            others.
        """
        matrix = self.prepare(X) if self.estimator_ is not None else np.asarray(X)
        factor = fill_scale(scale, len(matrix), self.usual_scale_)
        if self.estimator_ is None:
            return np.asarray(np.full(len(matrix), self.mean_) * factor)
        return predict_in_parts(self._share, matrix, self._size) * factor

    def fitted_state(self) -> dict[str, Any]:
        """Return what was learned besides the regressor, as plain values for JSON.

        Returns
        -------
        state : dict
            Mean of each feature, items at once, the mean share and the usual scale.
        """
        state = {
            **super().fitted_state(),
            "mean": self.mean_,
            "n_features": self.n_features_in_,
        }
        if self.usual_scale_ is not None:
            state["usual_scale"] = self.usual_scale_
        return state

    def content(self) -> bytes:
        """Return what decides the predictions, the same after saving and loading.

        Returns
        -------
        content : bytes
            A digest of the settings and of what was fitted, the mean share and the
            usual scale.
        """
        numbers = self.mean_.hex()
        if self.usual_scale_ is not None:
            numbers += self.usual_scale_.hex()
        return super().content() + numbers.encode()

    def restore(
        self,
        content: bytes | None,
        state: dict[str, Any],
        *,
        trusted: Iterable[str] = (),
        name: str = "content",
    ) -> Self:
        """Restore a regressor that was saved.

        Parameters
        ----------
        content : bytes or None
            As from `to_bytes`.
        state : dict
            As from `fitted_state`.
        trusted : iterable of str, default=()
            Types besides those of the list that the bytes may name.
        name : str, default="content"
            Name of the file that held the bytes, for messages.

        Returns
        -------
        self : RegressorAdapter
            Fitted as it was when saved; its predictions are bit-identical.
        """
        self.estimator_ = None
        self._restore(content, state, trusted, name)
        ranges = STATE_RANGES | (USUAL_SCALE if "usual_scale" in state else {})
        read_state("RiskEngine.load", {key: state[key] for key in ranges}, ranges)
        self.mean_ = float(state["mean"])
        usual = state.get("usual_scale")
        self.usual_scale_ = None if usual is None else float(usual)
        self.n_features_in_ = int(state["n_features"])
        return self

    def _share(self, X: Float) -> Float:
        """Return the share that the regressor predicts, not negative."""
        linear = self._linear() if self._adds_up() else None
        found = self.estimator_.predict(X) if linear is None else linear(X)
        return np.maximum(np.asarray(found, np.float64).ravel(), 0.0)

    def _adds_up(self) -> bool:
        """Return whether a linear model predicts the sum itself, without a link."""
        return not hasattr(last_step(self.estimator_), "_base_loss")
