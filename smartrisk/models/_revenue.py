"""Revenue recovered, given a hit."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import ArgumentError
from smartrisk.models._boosting import (
    binned,
    latest_slice,
    lightgbm,
    threads,
    train,
    train_until,
)

Float = NDArray[np.float64]

#: Trees without gain before stopping.
_PATIENCE = 30
_TAKE: dict[str, Any] = {
    "dtype": [np.float32, np.float64],
    "ensure_all_finite": "allow-nan",
}


class RevenueRegressor(RegressorMixin, BaseEstimator):
    """Expected recovery of an item, given that the control finds something.

    Parameters
    ----------
    n_estimators : int, default=300
        Most trees.
    learning_rate : float, default=0.05
        Shrinkage of each tree.
    num_leaves : int, default=7
        Leaves of a tree.
    categorical : tuple of int, default=()
        Positions of features that are codes without order.
    validation_share : float, default=0.2
        Latest share of the items, used to stop.
    n_jobs : int, default=None
        Threads; None for one on small data.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    booster_ : lightgbm.Booster
        The trees; None when fewer than 30 hits were seen: then the mean share is used.
    mean_ : float
        Mean share of the scale that was recovered.

    Notes
    -----
    What is learned is the *share* of a scale (the declared value) that was recovered,
    with a Tweedie deviance, which has the mean as its target and admits zeros. So the
    prediction grows with the value beyond any value seen, which plain trees cannot.
    Shares are cut at their 99.5th percentile.

    References
    ----------
    Jørgensen, B. (1987). Exponential dispersion models. Journal of the Royal
    Statistical Society B 49(2).

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.models import RevenueRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, value = rng.normal(size=(200, 2)), rng.lognormal(8, 1, 200)
    >>> model = RevenueRegressor().fit(X, 0.1 * value, scale=value)
    >>> bool(abs(model.predict(X, scale=value) / value - 0.1).max() < 0.01)
    True
    """

    def __init__(
        self,
        n_estimators: int = 300,
        *,
        learning_rate: float = 0.05,
        num_leaves: int = 7,
        categorical: tuple[int, ...] = (),
        validation_share: float = 0.2,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.categorical = categorical
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, scale: Any = None, time: Any = None) -> Self:
        """Learn from items where something was found.

        Parameters
        ----------
        X : array-like of shape (n_hits, n_features)
            Features of the items with a hit.
        y : array-like of shape (n_hits,)
            Revenue recovered, national currency, not negative.
        scale : array-like of shape (n_hits,), default=None
            What the revenue is a share of, such as the declared value; None for 1.
        time : array-like of shape (n_hits,), default=None
            When each item was lodged; None for row order.

        Returns
        -------
        self : RevenueRegressor
            The fitted regressor.
        """
        X, y = validate_data(self, X, y, y_numeric=True, **_TAKE)
        y = np.asarray(y, np.float64)
        if (y < 0).any():
            raise ArgumentError(
                "models.negative_values_set_what",
                "RevenueRegressor: y must not be negative; {value} values are. Set "
                "what was refunded to 0.",
                value=int((y < 0).sum()),
            )
        share = y / _scale(scale, len(y))
        share = np.minimum(share, np.quantile(share, 0.995))
        self.mean_ = float(share.mean())
        self.booster_ = None
        if len(y) < 30 or share.max() <= 0:
            return self
        late = latest_slice(
            None if time is None else np.asarray(time), len(y), self.validation_share
        )
        if late.sum() < 20 or (~late).sum() < 20:
            late = np.zeros(len(y), bool)
        params = self._params(len(y))
        data = binned(X, share, params, self.categorical)
        self.booster_ = (
            train_until(data, late, params, self.n_estimators, _PATIENCE)
            if late.any()
            else train(data, params, min(self.n_estimators, 60))
        )
        return self

    def predict(self, X: Any, *, scale: Any = None) -> Float:
        """Return the expected recovery given a hit.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.
        scale : array-like of shape (n_items,), default=None
            As in fit; missing values count as 0.

        Returns
        -------
        revenue : ndarray of shape (n_items,)
            National currency, not negative.
        """
        check_is_fitted(self, "mean_")
        X = validate_data(self, X, reset=False, **_TAKE)
        return self._predict_checked(X, scale)

    def _predict_checked(self, X: NDArray[Any], scale: Any) -> Float:
        factor = 1.0 if scale is None else np.nan_to_num(np.asarray(scale, float))
        if self.booster_ is None:
            return np.asarray(np.full(len(X), self.mean_) * factor)
        share = self.booster_.predict(X, num_threads=threads(self.n_jobs, len(X)))
        return np.asarray(share * factor)

    def restore(self, text: str | None, learned: dict[str, Any]) -> Self:
        """Take up trees that were saved as text.

        Parameters
        ----------
        text : str or None
            The booster as LightGBM writes it; None when there was none.
        learned : dict
            What `learned` gave.

        Returns
        -------
        self : RevenueRegressor
            Fitted as it was saved.
        """
        self.mean_ = float(learned["mean"])
        self.n_features_in_ = int(learned["n_features"])
        self.booster_ = lightgbm().Booster(model_str=text) if text else None
        return self

    def learned(self) -> dict[str, Any]:
        """Return what was learned besides the trees, fit for JSON.

        Returns
        -------
        learned : dict
            Mean share and number of features.
        """
        return {"mean": self.mean_, "n_features": int(self.n_features_in_)}

    def _params(self, n_items: int) -> dict[str, Any]:
        return {
            "objective": "tweedie",
            "tweedie_variance_power": 1.5,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "feature_fraction": 0.4,
            "min_data_in_leaf": max(1, min(20, n_items // 10)),
            "lambda_l2": 5.0,
            "deterministic": True,
            "force_col_wise": True,
            "seed": self.random_state,
            "num_threads": threads(self.n_jobs, n_items),
            "verbosity": -1,
        }

    def __sklearn_tags__(self) -> Any:
        """Say what input is taken."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.positive_only = True
        return tags


def _scale(scale: Any, n_items: int) -> Float:
    """Return the scale as positive numbers."""
    if scale is None:
        return np.ones(n_items)
    values = np.asarray(scale, np.float64)
    return np.where(values > 0, values, 1.0)
