"""Revenue recovered, given a hit."""

from __future__ import annotations

import math
from functools import cached_property
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
Bool = NDArray[np.bool_]

#: Trees without gain before stopping: fewer than for hits, since amounts are noisier
#: and more patience mostly follows single large recoveries.
_PATIENCE = 30
#: Fewer hits than this give the mean share: trees of them would fit single amounts.
FEWEST_HITS = 30
#: Fewer hits than this on either side of the split cannot decide when to stop.
_FEWEST_TO_STOP = 20
#: Trees when early stopping was asked for and nothing can stop them.
_USUAL_TREES = 100
#: Contiguous parts of the time of the hits, each predicted by a model of the others:
#: four leave three quarters to learn from, at the cost of three more models.
_FOLDS = 4
#: Recoveries that count for as much as the level that the trees have of themselves: of
#: a sum that one recovery decides, little is to be learned.
_LEVEL_PULL = 10.0
#: Standard deviation of the log of observed over predicted totals of other worlds, and
#: the parts that this is worth beside those of the fit: totals were off by a factor of
#: 1.4 to 1.7.
_USUAL_SPREAD = math.log(1.6)
_SPREAD_PULL = 3.0
#: Farthest level: one recovery of a million times the stake must not decide it.
_MOST_LEVEL = 2.0
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
    n_estimators : int, default=100
        Number of trees; with early stopping the maximum.
    learning_rate : float, default=0.05
        Shrinkage of each tree.
    num_leaves : int, default=7
        Leaves of a tree.
    categorical : tuple of int, default=()
        Positions of features that are codes without order.
    validation_share : float, default=0.0
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
    level_ : float
        What the shares are multiplied by, so that totals are those observed.
    spread_ : float or None
        Standard deviation of the log of observed over predicted totals, from one part
        of the time to another; None for models that earlier versions saved.
    usual_scale_ : float or None
        Median scale of the hits, for items without one; None as for `spread_`.

    Notes
    -----
    The model learns the *share* of a scale (what is at stake) that was recovered, with
    a Tweedie deviance, which has the mean as its target and admits zeros. So the
    prediction grows with the stake beyond any seen, which plain trees cannot do. Shares
    are cut at their 99.5th percentile.

    The level comes from four parts of the time: a model of the other three predicts the
    hits of each. The sum of what was recovered, over the sum that was predicted, is
    drawn towards 1 where few recoveries decide the sum, and stays between a half and 2.
    The spread of that ratio between the parts is drawn towards log 1.6. It holds for
    the revenue of hits; how many hits there will be is another matter.

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
        n_estimators: int = 100,
        *,
        learning_rate: float = 0.05,
        num_leaves: int = 7,
        categorical: tuple[int, ...] = (),
        validation_share: float = 0.0,
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
        fiscal: ArrayLike | None = None,
    ) -> Self:
        """Learn from items where an irregularity was found.

        Parameters
        ----------
        X : array-like of shape (n_hits, n_features)
            Features of the items with a hit.
        y : array-like of shape (n_hits,)
            Revenue recovered, national currency, not negative.
        scale : array-like of shape (n_hits,), default=None
            What the revenue is a share of, such as the stake; None for 1. Items without
            a positive one get the median.
        time : array-like of shape (n_hits,), default=None
            When each item was lodged; None for row order.
        fiscal : array-like of bool, shape (n_hits,), default=None
            False for findings under other laws, such as drugs, of which nothing can be
            recovered: no share is learned from them, so that they do not sink to zero,
            and they count in the level, so that totals hold. None for all true.

        Returns
        -------
        self : RevenueRegressor
            The fitted regressor.
        """
        matrix, target = validate_data(self, X, y, y_numeric=True, **_TAKE)
        self._check_params(matrix.shape[1])
        n_items = len(matrix)
        owner = "RevenueRegressor.fit"
        for name, given in (("scale", scale), ("time", time), ("fiscal", fiscal)):
            check_one_per_item(owner, name, given, n_items)
        revenue = np.asarray(target, np.float64)
        if (revenue < 0).any():
            raise ArgumentError(
                "models.negative_revenue",
                "RevenueRegressor: y must not be negative; {n_negative} values are. "
                "Set refunds to 0, as smartrisk.items.clean_amounts does.",
                n_negative=int((revenue < 0).sum()),
            )
        self.usual_scale_: float | None = find_usual_scale(scale)
        self.spread_: float | None
        factor = fill_scale(scale, n_items, self.usual_scale_)
        learned = choose_fiscal(fiscal, n_items)
        share = np.zeros(n_items)
        share[learned] = clip_shares(revenue[learned] / factor[learned])
        self.mean_ = float(share[learned].mean())
        self.booster_ = None
        params = self._params(int(learned.sum()))
        work = _Shares(matrix, share, learned, params, self.categorical)
        if learned.sum() >= FEWEST_HITS and share.max() > 0:
            self.booster_ = self._train(work, time)
        predicted = factor * self._predict_parts(work, time)
        self.level_, self.spread_ = find_level(
            revenue, predicted, split_time(time, n_items)
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
            As in fit.
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
        factor = fill_scale(scale, len(matrix), self.usual_scale_)
        if self.booster_ is None:
            return np.asarray(np.full(len(matrix), self.mean_) * factor * self.level_)
        share = self.booster_.predict(
            matrix, num_threads=count_threads(self.n_jobs, len(matrix))
        )
        return np.asarray(share * factor * self.level_)

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
                Mean share, level and spread, usual scale and number of features.
        """
        check_is_fitted(self, "mean_")
        state = {"mean": self.mean_, "n_features": int(self.n_features_in_)}
        if self.usual_scale_ is None:  # as an earlier version saved it
            return state
        more = {"level": self.level_, "spread": self.spread_}
        return {**state, **more, "usual_scale": self.usual_scale_}

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
        is_new = isinstance(state, dict) and "level" in state
        read_state(owner, state, STATE_RANGES | (_NEW_RANGES if is_new else {}))
        booster, n_features = None, int(state["n_features"])
        if text is not None:
            booster = read_booster(text, name=name, owner=owner, objective="tweedie")
            if booster.num_feature() != n_features:
                problem = f"{n_features} features are stated, other ones found"
                raise damaged_model(owner, name, problem)
        self._check_params(n_features)
        self.mean_ = float(state["mean"])
        self.level_ = float(state["level"]) if is_new else 1.0
        self.spread_ = float(state["spread"]) if is_new else None
        self.usual_scale_ = float(state["usual_scale"]) if is_new else None
        self.n_features_in_ = n_features
        self.booster_ = booster
        return self

    def _train(self, work: _Shares, time: ArrayLike | None) -> Any:
        """Return the trees of all hits whose amounts are evidence."""
        params, rows = work.params, work.learned
        late = mark_latest(
            None if time is None else np.asarray(time)[rows],
            int(rows.sum()),
            self.validation_share,
        )
        if min(late.sum(), (~late).sum()) < _FEWEST_TO_STOP:
            if self.validation_share <= 0:
                return train(work.data, params, self.n_estimators)
            return train(work.data, params, min(self.n_estimators, _USUAL_TREES))
        return train_with_early_stopping(
            work.data, late, params, self.n_estimators, _PATIENCE
        )

    def _predict_parts(self, work: _Shares, time: ArrayLike | None) -> Float:
        """Return the share of each hit by a model of the other parts of the time."""
        part = split_time(time, len(work.share))
        n_trees = 0 if self.booster_ is None else _count_trees(self.booster_)
        found = np.full(len(part), self.mean_)
        for number in np.unique(part):
            others = work.learned & (part != number)
            if not others.any():
                continue
            here = np.flatnonzero(part == number)
            if n_trees and work.share[others].max() > 0:
                model = train(work.take(others), work.params, n_trees)
                found[here] = model.predict(work.matrix[here], num_threads=1)
            else:
                found[here] = work.share[others].mean()
        return found

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
            # Near gamma (2), whose spread grows with the mean as that of amounts does;
            # below 2, zeros are admitted.
            "tweedie_variance_power": 1.9,
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


#: What `fitted_state` holds, and the ranges of its numbers: what every version saves,
#: and what those save besides that know a level.
STATE_RANGES = {"mean": (0.0, 1e300), "n_features": (1, 2**31 - 1)}
USUAL_SCALE = {"usual_scale": (0.0, 1e300)}
_NEW_RANGES = {
    "level": (1.0 / _MOST_LEVEL, _MOST_LEVEL),
    "spread": (0.0, 1e3),
    **USUAL_SCALE,
}


def _count_trees(booster: Any) -> int:
    """Return how many trees predict: those up to where early stopping went back to."""
    best = int(booster.best_iteration)
    return best if best > 0 else int(booster.num_trees())


class _Shares:
    """Hits with their shares, binned once for all the models of them."""

    def __init__(
        self,
        matrix: NDArray[Any],
        share: Float,
        learned: Bool,
        params: dict[str, Any],
        categorical: tuple[int, ...],
    ) -> None:
        self.matrix, self.share, self.learned = matrix, share, learned
        self.params, self.categorical = params, categorical

    @cached_property
    def data(self) -> Any:
        """Return the binned hits whose shares are learned."""
        rows = self.learned
        return make_dataset(
            self.matrix[rows], self.share[rows], self.params, self.categorical
        )

    def take(self, rows: Bool) -> Any:
        """Return some of them."""
        return self.data.subset(np.flatnonzero(rows[self.learned]))


def find_level(
    revenue: Float, predicted: Float, part: NDArray[np.intp]
) -> tuple[float, float]:
    """Return the level and its spread, from predictions out of each part of the time.

    Parameters
    ----------
    revenue, predicted : ndarray of shape (n_hits,)
        What was recovered, and what a model of the other parts predicts.
    part : ndarray of int, shape (n_hits,)
        Part of the time.
    """
    observed, expected = float(revenue.sum()), float(predicted.sum())
    if observed <= 0 or expected <= 0:
        return 1.0, _USUAL_SPREAD
    # Kish's effective number: that of equal recoveries with the same uncertain sum.
    effective = observed**2 / float((revenue**2).sum())
    log_level = math.log(observed / expected) * effective / (effective + _LEVEL_PULL)
    bound = math.log(_MOST_LEVEL)
    log_level = min(max(log_level, -bound), bound)
    sums = np.array(
        [
            (revenue[part == k].sum(), predicted[part == k].sum())
            for k in np.unique(part)
        ]
    )
    sums = sums[(sums > 0).all(axis=1)]
    logs = np.log(sums[:, 0] / sums[:, 1])
    mean = logs.sum() / max(len(logs), 1)
    squares = float(((logs - mean) ** 2).sum()) + _SPREAD_PULL * _USUAL_SPREAD**2
    spread = math.sqrt(squares / (_SPREAD_PULL + max(len(logs) - 1, 0)))
    return math.exp(log_level), spread


def split_time(time: ArrayLike | None, n_items: int) -> NDArray[np.intp]:
    """Return to which of four parts of the time each item belongs, whole moments."""
    moments = np.arange(n_items) if time is None else np.asarray(time)
    ordered = np.sort(moments)
    cuts = ordered[[n_items * k // _FOLDS for k in range(1, _FOLDS)]]
    return np.asarray(np.searchsorted(cuts, moments, side="right"))


def choose_fiscal(fiscal: ArrayLike | None, n_items: int) -> Bool:
    """Return from which hits shares are learned: all where nothing else is left."""
    chosen = np.ones(n_items, bool) if fiscal is None else np.asarray(fiscal, bool)
    return chosen if chosen.any() else np.ones(n_items, bool)


def clip_shares(share: Float) -> Float:
    """Return shares cut at their 99.5th percentile."""
    return np.minimum(share, np.quantile(share, _CUT))


def find_usual_scale(scale: ArrayLike | None) -> float:
    """Return the median of the positive scales, 1 where there is none."""
    if scale is None:
        return 1.0
    values = np.asarray(scale, np.float64)
    positive = values[(values > 0) & np.isfinite(values)]
    return float(np.median(positive)) if len(positive) else 1.0


def fill_scale(scale: ArrayLike | None, n_items: int, usual: float | None) -> Float:
    """Return the scale of each item, the usual one where there is no positive one.

    Without a usual one, which earlier versions did not save, it counts as 0.
    """
    if scale is None:
        return np.ones(n_items)
    values = np.asarray(scale, np.float64)
    if usual is None:
        return np.nan_to_num(values)
    return np.where(values > 0, values, usual)
