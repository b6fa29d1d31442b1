"""LightGBM behind a guard: threads, categories, monotone constraints, latest slice."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, format_values

#: Set before OpenMP starts: spinning threads cost 100 x on small, busy machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_SMALL = 20_000
#: OpenMP threads do not survive a fork: a child must do with one.
_HOME = os.getpid()


def lightgbm() -> Any:
    """Load LightGBM with its lines sent to the log of this library."""
    import lightgbm as lgb

    lgb.register_logger(logging.getLogger("smartrisk.lightgbm"))
    return lgb


def threads(n_jobs: int | None, n_items: int) -> int:
    """Return how many threads to use: one for small data unless told otherwise."""
    if os.getpid() != _HOME:
        return 1
    if n_jobs is None:
        return 1 if n_items < _SMALL else min(os.cpu_count() or 1, 4)
    return (os.cpu_count() or 1) if n_jobs < 0 else max(n_jobs, 1)


def check_monotone(
    owner: str, monotone: Sequence[int], categorical: Sequence[int], n_features: int
) -> None:
    """Raise where a constraint would make the native code end the process."""
    if monotone and len(monotone) != n_features:
        raise ArgumentError(
            "models.monotone_entry_per_feature",
            "{owner}: 'monotone' must have one entry per feature "
            "({n_features}); got {n_monotone}.",
            owner=owner,
            n_features=n_features,
            n_monotone=len(monotone),
        )
    wrong = [k for k in categorical if monotone and monotone[k]]
    if wrong:
        raise ArgumentError(
            "models.monotone_categorical_features_features",
            "{owner}: 'monotone' must be 0 for categorical features; features "
            "{wrong} are both. Set their constraint to 0.",
            owner=owner,
            wrong=format_values(wrong),
        )
    beyond = [k for k in categorical if not 0 <= k < n_features]
    if beyond:
        raise ArgumentError(
            "models.categorical_positions_beyond_features",
            "{owner}: 'categorical' has positions beyond the {n_features} "
            "features: {beyond}.",
            owner=owner,
            n_features=n_features,
            beyond=format_values(beyond),
        )


def latest_slice(
    time: NDArray[Any] | None, n_items: int, share: float
) -> NDArray[np.bool_]:
    """Mark the latest items, whole moments together; by position without a time."""
    count = int(n_items * share)
    if count < 1:
        return np.zeros(n_items, bool)
    if time is None:
        return np.arange(n_items) >= n_items - count
    ordered = np.sort(time)
    return np.asarray(time >= ordered[n_items - count])


def binned(
    X: NDArray[Any],
    y: NDArray[np.float64],
    params: dict[str, Any],
    categorical: Sequence[int],
) -> Any:
    """Bin a matrix once, for all the boosters that are trained on it.

    Parameters
    ----------
    X : ndarray of shape (n_items, n_features)
        Matrix.
    y : ndarray of shape (n_items,)
        Target.
    params : dict
        LightGBM parameters.
    categorical : sequence of int
        Positions of features that are codes.
    """
    known: Any = list(categorical) or "auto"
    return lightgbm().Dataset(X, y, categorical_feature=known, params=params)


def train(data: Any, params: dict[str, Any], n_trees: int) -> Any:
    """Train a booster of so many trees on all items."""
    return lightgbm().train(params, data, n_trees)


def train_until(
    data: Any,
    late: NDArray[np.bool_],
    params: dict[str, Any],
    n_trees: int,
    patience: int,
) -> Any:
    """Train a booster on the earlier items, stopping by the latest ones.

    Parameters
    ----------
    data : lightgbm.Dataset
        What `binned` gave.
    late : ndarray of bool, shape (n_items,)
        Items held out to stop by.
    params : dict
        LightGBM parameters.
    n_trees, patience : int
        Most trees, and trees without gain before stopping.
    """
    lgb = lightgbm()
    early = data.subset(np.flatnonzero(~late))
    watched = data.subset(np.flatnonzero(late))
    stop = lgb.early_stopping(patience, verbose=False)
    return lgb.train(params, early, n_trees, valid_sets=[watched], callbacks=[stop])
