"""Predictions that do not depend on which other items are asked about.

An estimator that multiplies matrices may round an item differently in a batch than
alone. The score of an item must be the same bits in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, TypeAlias

import joblib
import numpy as np
from numpy.typing import NDArray

from smartrisk.threads import is_forked_child

Float: TypeAlias = NDArray[np.float64]
Predict: TypeAlias = Callable[[Float], Float]

#: Items that trees are asked about at once: 250 features of 8,192 items take 16 MB.
_MANY = 8192
#: Items that other estimators are asked about at once. Every smaller number is tried in
#: fit, so that no number of items is asked about that was not compared.
_FEW = 32
#: Items on which trees are tried; only the steps before them could round differently.
_FEW_TREES = 8
#: Where the libraries keep estimators that go through a tree item by item.
_TREES = (
    "sklearn.tree.",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting",
    "lightgbm.",
    "xgboost.",
    "catboost.",
)


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, or the estimator itself."""
    steps = getattr(estimator, "steps", None)
    return last_step(steps[-1][1]) if steps else estimator


def steps_before(estimator: Any) -> Predict:
    """Return a function that gives what the last step of a pipeline is asked about."""
    steps = getattr(estimator, "steps", None)
    if not steps:
        return lambda X: X
    inner = steps_before(steps[-1][1])
    if len(steps) == 1:
        return inner
    head = estimator[:-1]
    return lambda X: inner(np.asarray(head.transform(X), np.float64))


def is_of_trees(estimator: Any) -> bool:
    """Return whether the last step goes through trees, item by item."""
    return type(last_step(estimator)).__module__.startswith(_TREES)


def choose_size(estimator: Any, predict: Predict, X: Float) -> int:
    """Return how many items may be asked about at once: 1 where neighbours count.

    Parameters
    ----------
    estimator : object
        Fitted estimator.
    predict : callable
        Returns one number for each item of a matrix.
    X : ndarray of shape (n_items, n_features)
        Some items.
    """
    trees = is_of_trees(estimator)
    few = np.ascontiguousarray(X[: _FEW_TREES if trees else _FEW])
    with one_thread_in_a_child():
        alone = np.concatenate([predict(few[k : k + 1]) for k in range(len(few))])
        for n_items in range(len(few) if trees else 2, len(few) + 1):
            if not np.array_equal(predict(few[:n_items]), alone[:n_items]):
                return 1
    return _MANY if trees else max(len(few), 1)


def predict_in_parts(predict: Predict, X: Float, size: int) -> Float:
    """Return one number for each item, asking about `size` items at once."""
    out = np.empty(len(X))
    with one_thread_in_a_child():
        for start in range(0, len(X), size):
            out[start : start + size] = predict(X[start : start + size])
    return out


def weigh_rows(X: Float, weights: Float) -> Float:
    """Return the sum of each row times the weights, the same for a row alone.

    NumPy adds the products of each row in the same order, however many rows there are;
    a matrix product does not.
    """
    total: Float = (np.ascontiguousarray(X, np.float64) * weights).sum(axis=1)
    return total


@contextmanager
def one_thread_in_a_child() -> Iterator[None]:
    """Keep the order of sums, and keep a forked child from waiting for lost threads.

    Forests add up their trees in the order in which threads end, so they get one.
    """
    with ExitStack() as stack:
        stack.enter_context(joblib.parallel_config(backend="sequential"))
        if is_forked_child():
            limit = _thread_pools().limit(limits=1, user_api="openmp")
            stack.enter_context(limit)
        yield


@cache
def _thread_pools() -> Any:
    """Return what limits the threads of the libraries that are loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
