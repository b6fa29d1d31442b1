"""Revenue recovered, given a hit."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import ArgumentError
from smartrisk.models._boosting import (
    MOST_THREADS,
    check_categorical,
    check_jobs_and_seed,
    check_one_per_item,
    check_trees,
    count_threads,
    damaged_model,
    make_dataset,
    mark_latest,
    read_booster,
    read_state,
    train,
    train_with_early_stopping,
)

Float = NDArray[np.float64]

#: Trees without gain before stopping: fewer than for hits, since amounts are noisier
#: and more patience mostly follows single large recoveries.
_PATIENCE = 30
#: Fewer hits than this give the mean share: trees of them would fit single amounts.
FEWEST_HITS = 30
#: Fewer hits than this on either side of the split cannot decide when to stop.
_FEWEST_TO_STOP = 20
#: Trees when nothing can stop them: enough for the mean level at the default learning
#: rate (0.95**60 is 5 %), too few to fit single recoveries.
_USUAL_TREES = 60
#: Shares above this quantile are cut: one recovery of many times the declared value
#: would otherwise decide the mean.
_CUT = 0.995
_TAKE: dict[str, Any] = {
    "dtype": [np.float32, np.float64],
    "ensure_all_finite": "allow-nan",
}


class RevenueRegressor(RegressorMixin, BaseEstimator):
    """Expected recovery of an item, given that the control finds an irregularity.

    Parameters
    ----------
    n_estimators : int, default=300
        Maximum number of trees.
    learning_rate : float, default=0.05
        Shrinkage of each tree.
    num_leaves : int, default=7
        Leaves of a tree.
    categorical : tuple of int, default=()
        Positions of features that are codes without order.
    validation_share : float, default=0.2
        Latest share of the items, used to stop; 0 for no early stopping.
    n_jobs : int, default=4
        Threads at most; fewer than 20,000 items use one. None for one, or as
        ``joblib.parallel_config`` says; -1 for every processor, -2 for all but one.
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
    The model learns the *share* of a scale (the declared value) that was recovered,
    with a Tweedie deviance, which has the mean as its target and admits zeros. So the
    prediction grows with the value beyond any value seen, which plain trees cannot do.
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
        n_jobs: int | None = MOST_THREADS,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.categorical = categorical
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        scale: ArrayLike | None = None,
        time: ArrayLike | None = None,
    ) -> Self:
        """Learn from items where an irregularity was found.

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
        matrix, target = validate_data(self, X, y, y_numeric=True, **_TAKE)
        self._check_params(matrix.shape[1])
        owner = "RevenueRegressor.fit"
        check_one_per_item(owner, "scale", scale, len(matrix))
        check_one_per_item(owner, "time", time, len(matrix))
        revenue = np.asarray(target, np.float64)
        if (revenue < 0).any():
            raise ArgumentError(
                "models.negative_revenue",
                "RevenueRegressor: y must not be negative; {n_negative} values are. "
                "Set refunds to 0, as smartrisk.items.clean_amounts does.",
                n_negative=int((revenue < 0).sum()),
            )
        share = clip_shares(revenue / positive_scale(scale, len(revenue)))
        self.mean_ = float(share.mean())
        self.booster_ = None
        if len(share) < FEWEST_HITS or share.max() <= 0:
            return self
        late = mark_latest(time, len(share), self.validation_share)
        if min(late.sum(), (~late).sum()) < _FEWEST_TO_STOP:
            late = np.zeros(len(share), bool)
        params = self._params(len(share))
        data = make_dataset(matrix, share, params, self.categorical)
        self.booster_ = (
            train_with_early_stopping(data, late, params, self.n_estimators, _PATIENCE)
            if late.any()
            else train(data, params, min(self.n_estimators, _USUAL_TREES))
        )
        return self

    def predict(
        self, X: ArrayLike, *, scale: ArrayLike | None = None, checked: bool = False
    ) -> Float:
        """Return the expected recovery given a hit.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.
        scale : array-like of shape (n_items,), default=None
            As in fit; missing values count as 0.
        checked : bool, default=False
            Whether X is known to be a float matrix without infinity, with the features
            in the order of fit: then it is not checked again.

        Returns
        -------
        revenue : ndarray of shape (n_items,)
            National currency, not negative.
        """
        if not checked:
            check_is_fitted(self, "mean_")
            X = validate_data(self, X, reset=False, **_TAKE)
        matrix = np.asarray(X)
        check_one_per_item("RevenueRegressor.predict", "scale", scale, len(matrix))
        factor = 1.0 if scale is None else np.nan_to_num(np.asarray(scale, float))
        if self.booster_ is None:
            return np.asarray(np.full(len(matrix), self.mean_) * factor)
        share = self.booster_.predict(
            matrix, num_threads=count_threads(self.n_jobs, len(matrix))
        )
        return np.asarray(share * factor)

    def booster_text(self) -> str | None:
        """Return the trees as text.

        Returns
        -------
        text : str or None
            The trees as LightGBM writes them and `restore` reads them; None when too
            few hits were seen for trees.
        """
        check_is_fitted(self, "mean_")
        return None if self.booster_ is None else str(self.booster_.model_to_string())

    def fitted_state(self) -> dict[str, Any]:
        """Return what was learned besides the trees, as plain values for JSON.

        Returns
        -------
        state : dict
            Mean share and number of features.
        """
        return {"mean": self.mean_, "n_features": int(self.n_features_in_)}

    def restore(
        self, text: str | None, state: dict[str, Any], *, name: str = "text"
    ) -> Self:
        """Restore trees that were saved.

        Parameters
        ----------
        text : str or None
            As from `booster_text`.
        state : dict
            As from `fitted_state`.
        name : str, default="text"
            Name of the file that held the text, for messages.

        Returns
        -------
        self : RevenueRegressor
            Fitted as it was when saved; its predictions are bit-identical.

        Raises
        ------
        ArtefactError
            If the text describes no trees, or the state does not belong to them.
        """
        owner = f"{type(self).__name__}.restore"
        read_state(owner, state, STATE_RANGES)
        booster, n_features = None, int(state["n_features"])
        if text is not None:
            booster = read_booster(text, name=name, owner=owner, objective="tweedie")
            if booster.num_feature() != n_features:
                problem = f"{n_features} features are stated, other ones found"
                raise damaged_model(owner, name, problem)
        self._check_params(n_features)
        self.mean_ = float(state["mean"])
        self.n_features_in_ = n_features
        self.booster_ = booster
        return self

    def _check_params(self, n_features: int) -> None:
        """Check all parameters: LightGBM would raise late or not at all."""
        owner = type(self).__name__
        check_trees(
            owner,
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            num_leaves=self.num_leaves,
            validation_share=self.validation_share,
        )
        check_jobs_and_seed(owner, self.n_jobs, self.random_state)
        check_categorical(owner, self.categorical, n_features)

    def _params(self, n_items: int) -> dict[str, Any]:
        """Return the parameters of LightGBM."""
        return {
            "objective": "tweedie",
            # Half-way between Poisson (1) and gamma (2): zeros with amounts above.
            "tweedie_variance_power": 1.5,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "feature_fraction": 0.4,
            "min_data_in_leaf": max(1, min(20, n_items // 10)),
            "lambda_l2": 5.0,
            "deterministic": True,
            "force_col_wise": True,
            "seed": self.random_state,
            "num_threads": count_threads(self.n_jobs, n_items),
            "verbosity": -1,
        }

    def __sklearn_tags__(self) -> Any:
        """Return what input the regressor takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.positive_only = True
        return tags


#: What `fitted_state` holds, and the ranges of its numbers.
STATE_RANGES = {"mean": (0.0, 1e300), "n_features": (1, 2**31 - 1)}


def clip_shares(share: Float) -> Float:
    """Return shares cut at their 99.5th percentile."""
    return np.minimum(share, np.quantile(share, _CUT))


def positive_scale(scale: ArrayLike | None, n_items: int) -> Float:
    """Return the scale of each item, 1 where there is no positive one."""
    if scale is None:
        return np.ones(n_items)
    values = np.asarray(scale, np.float64)
    return np.where(values > 0, values, 1.0)
