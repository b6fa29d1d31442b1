"""Probability of a hit if inspected."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import ArgumentError, check_number
from smartrisk.models._boosting import (
    binned,
    check_monotone,
    latest_slice,
    lightgbm,
    threads,
    train,
    train_until,
)

Float = NDArray[np.float64]

#: Fewer hits (or misses) than this in the latest slice cannot steer or calibrate.
_ENOUGH = 10
#: How much longer the steps are that look for the number of trees.
_STRIDE = 4
_MANY_HITS = 1000
#: How firmly the slope of the calibration is held at 1, in units of information.
_PULL = 100.0


class RiskClassifier(ClassifierMixin, BaseEstimator):
    """Gradient-boosted, calibrated probability that a control would find something.

    Parameters
    ----------
    n_estimators : int, default=800
        Most trees.
    learning_rate : float, default=0.04
        Shrinkage of each tree.
    num_leaves : int, default=None
        Leaves of a tree; None for 7 with fewer than 1,000 hits, else 15: few labels
        want few leaves.
    feature_fraction : float, default=0.4
        Share of the features that each tree may look at.
    min_child_items : int, default=30
        Fewest items in a leaf.
    l2 : float, default=10.0
        Penalty on the squared leaf values.
    patience : int, default=50
        Trees without gain on the latest slice before stopping.
    categorical : tuple of int, default=()
        Positions of features that are codes without order.
    monotone : tuple of int, default=()
        Per feature 1, -1 or 0: the score may only rise, fall, or do either. Empty
        for no constraint.
    validation_share : float, default=0.2
        Latest share of the items, used to stop and to calibrate; 0 for neither.
    n_jobs : int, default=None
        Threads; None for one on small data, -1 for all.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    booster_ : lightgbm.Booster
        The trees.
    calibration_ : tuple of float
        Slope and intercept from raw score to calibrated log-odds; slope > 0.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    Notes
    -----
    No class weights: they ruin calibration and buy no ranking. Trees stop by the
    latest slice of time, and a sigmoid map (Platt 1999) fitted there turns raw scores
    into probabilities without changing their order. The probability is that of a hit
    *if inspected*; it says nothing of guilt, and items never inspected taught it
    nothing. No rows are sampled, so the order of items does not matter.

    References
    ----------
    Ke, G. et al. (2017). LightGBM: a highly efficient gradient boosting decision
    tree. NeurIPS 30. Platt, J. (1999). Probabilistic outputs for support vector
    machines.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.models import RiskClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = (X[:, 0] + rng.normal(size=500) > 1).astype(int)
    >>> RiskClassifier().fit(X, y).predict_proba(X).shape
    (500, 2)
    """

    def __init__(  # noqa: PLR0913 - the knobs that users of LightGBM expect
        self,
        n_estimators: int = 800,
        *,
        learning_rate: float = 0.04,
        num_leaves: int | None = None,
        feature_fraction: float = 0.4,
        min_child_items: int = 30,
        l2: float = 10.0,
        patience: int = 50,
        categorical: tuple[int, ...] = (),
        monotone: tuple[int, ...] = (),
        validation_share: float = 0.2,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.feature_fraction = feature_fraction
        self.min_child_items = min_child_items
        self.l2 = l2
        self.patience = patience
        self.categorical = categorical
        self.monotone = monotone
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, time: Any = None) -> Self:
        """Learn from inspected items.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features of inspected items; NaN is a value, infinity is refused.
        y : array-like of shape (n_items,)
            Two classes, the hit the greater one.
        time : array-like of shape (n_items,), default=None
            When each item was lodged, to hold out the latest; None for row order.

        Returns
        -------
        self : RiskClassifier
            The fitted classifier.
        """
        X, y = validate_data(self, X, y, ensure_all_finite="allow-nan", **_TAKE)
        self._check_params(X.shape[1])
        check_classification_targets(y)
        if type_of_target(y) == "multiclass":
            raise ArgumentError(
                "models.only_binary_classification_supported_2",
                "Only binary classification is supported. RiskClassifier: y has "
                "{n_y} classes; pass 1 for a hit and 0 for none.",
                n_y=len(np.unique(y)),
            )
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ArgumentError(
                "models.class_only_hit_inspection_2",
                "RiskClassifier: y holds one class only ({classes!r}); at least "
                "one hit and one inspection without a hit are needed.",
                classes=self.classes_[0],
            )
        hits = target.astype(np.float64)
        moments = None if time is None else np.asarray(time)
        late = latest_slice(moments, len(hits), self.validation_share)
        if not _enough(hits[late]) or not _enough(hits[~late]):
            late = np.zeros(len(hits), bool)
        params = self._params(hits)
        data = binned(X, hits, params, self.categorical)
        self.n_trees_ = min(self.n_estimators, 120)
        self.calibration_ = (1.0, 0.0)
        if late.any():
            self._stop_and_calibrate(X, hits, late, data, params)
        self.booster_ = train(data, params, self.n_trees_)
        return self

    def predict_proba(self, X: Any) -> Float:
        """Return the calibrated probability of no hit and of a hit.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        proba : ndarray of shape (n_items, 2)
            Columns follow `classes_`.
        """
        hit = self.calibrated(self.raw_score(X))
        return np.column_stack([1.0 - hit, hit])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier class of each item.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        label : ndarray of shape (n_items,)
            One of `classes_`.
        """
        likely = (self.predict_proba(X)[:, 1] > 0.5).astype(int)
        label: NDArray[Any] = self.classes_[likely]
        return label

    def raw_score(self, X: Any) -> Float:
        """Return the uncalibrated log-odds of the trees.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        raw : ndarray of shape (n_items,)
            Log-odds.
        """
        check_is_fitted(self, "booster_")
        return self._raw(
            validate_data(self, X, reset=False, ensure_all_finite="allow-nan", **_TAKE)
        )

    def contributions(self, X: Any) -> Float:
        """Return what each feature adds to the raw score (tree SHAP).

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        contributions : ndarray of shape (n_items, n_features + 1)
            Log-odds; the last column is the base value. Rows sum to `raw_score`.
        """
        check_is_fitted(self, "booster_")
        X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan", **_TAKE)
        return np.asarray(
            self.booster_.predict(
                X,
                pred_contrib=True,
                num_iteration=self.n_trees_,
                num_threads=threads(self.n_jobs, len(X) * 40),
            )
        )

    def calibrated(self, raw: Float) -> Float:
        """Return the probability that belongs to raw scores.

        Parameters
        ----------
        raw : ndarray of shape (n_items,)
            Log-odds of the trees.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            Calibrated probability of a hit, in the order of the raw scores.
        """
        slope, intercept = self.calibration_
        return np.asarray(1.0 / (1.0 + np.exp(-(slope * raw + intercept))))

    def restore(self, text: str, learned: dict[str, Any]) -> Self:
        """Take up trees and calibration that were saved as text.

        Parameters
        ----------
        text : str
            The booster as LightGBM writes it.
        learned : dict
            What `learned` gave.

        Returns
        -------
        self : RiskClassifier
            Fitted as it was saved.
        """
        self.booster_ = lightgbm().Booster(model_str=text)
        self.calibration_ = tuple(learned["calibration"])
        self.n_trees_ = int(learned["n_trees"])
        self.n_features_in_ = int(learned["n_features"])
        self.classes_ = np.array([0, 1])
        return self

    def learned(self) -> dict[str, Any]:
        """Return what was learned besides the trees, fit for JSON.

        Returns
        -------
        learned : dict
            Calibration, number of trees, number of features.
        """
        return {
            "calibration": [float(v) for v in self.calibration_],
            "n_trees": int(self.n_trees_),
            "n_features": int(self.n_features_in_),
        }

    def _raw(self, X: NDArray[Any], n_trees: int | None = None) -> Float:
        return np.asarray(
            self.booster_.predict(
                X,
                raw_score=True,
                num_iteration=n_trees or self.n_trees_,
                num_threads=threads(self.n_jobs, len(X)),
            )
        )

    def _stop_and_calibrate(
        self,
        X: NDArray[Any],
        hits: Float,
        late: NDArray[np.bool_],
        data: Any,
        params: dict[str, Any],
    ) -> None:
        """Find the number of trees and the calibration on the latest items.

        In longer steps, so fewer of them: that costs a part of the final trees, and
        what it finds holds for those.
        """
        coarse = dict(params, learning_rate=_STRIDE * self.learning_rate)
        scout = train_until(
            data,
            late,
            coarse,
            math.ceil(self.n_estimators / _STRIDE),
            math.ceil(self.patience / _STRIDE),
        )
        best = scout.best_iteration or scout.num_trees()
        self.n_trees_ = min(_STRIDE * best, self.n_estimators)
        self.booster_ = scout
        self.calibration_ = _sigmoid(self._raw(X[late], best), hits[late])

    def _check_params(self, n_features: int) -> None:
        owner = type(self).__name__
        check_number(owner, "n_estimators", self.n_estimators, low=1, integer=True)
        check_number(owner, "learning_rate", self.learning_rate, low=1e-6, high=1.0)
        if self.num_leaves is not None:
            check_number(owner, "num_leaves", self.num_leaves, low=2, integer=True)
        check_number(
            owner, "validation_share", self.validation_share, low=0.0, high=0.9
        )
        check_monotone(owner, self.monotone, self.categorical, n_features)

    def _params(self, hits: Float) -> dict[str, Any]:
        n_items = len(hits)
        leaves = self.num_leaves or (7 if hits.sum() < _MANY_HITS else 15)
        params: dict[str, Any] = {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": leaves,
            "feature_fraction": self.feature_fraction,
            "min_data_in_leaf": max(1, min(self.min_child_items, n_items // 10)),
            "lambda_l2": self.l2,
            "cat_smooth": 20.0,
            "deterministic": True,
            "force_col_wise": True,
            "seed": self.random_state,
            "num_threads": threads(self.n_jobs, n_items),
            "verbosity": -1,
        }
        if any(self.monotone):
            params["monotone_constraints"] = list(self.monotone)
        return params

    def __sklearn_tags__(self) -> Any:
        """Say what input is taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


_TAKE: dict[str, Any] = {"dtype": [np.float32, np.float64]}


def _enough(hits: Float) -> bool:
    """Tell whether both classes are there often enough."""
    return bool(min(hits.sum(), len(hits) - hits.sum()) >= _ENOUGH)


def _sigmoid(raw: Float, hits: Float) -> tuple[float, float]:
    """Fit slope and intercept of the log-odds; the slope is drawn towards 1.

    Newton's method on the log-likelihood less ``_PULL * (slope - 1)**2 / 2``: with
    few hits the map only moves the level, with many it also turns.
    """
    slope, intercept = 1.0, 0.0
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(slope * raw + intercept, -35, 35)))
        weight = np.maximum(p * (1 - p), 1e-12)
        gradient = np.array(
            [((hits - p) * raw).sum() - _PULL * (slope - 1.0), (hits - p).sum()]
        )
        cross = (weight * raw).sum()
        curvature = np.array(
            [[(weight * raw * raw).sum() + _PULL, cross], [cross, weight.sum()]]
        )
        step = np.linalg.solve(curvature, gradient)
        slope, intercept = slope + float(step[0]), intercept + float(step[1])
        if np.abs(step).max() < 1e-10:
            break
    return max(slope, 1e-3), intercept
