"""Labels of which some are missing, and weights: what each model learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.validation import check_consistent_length

from smartrisk.errors import ArgumentError, format_values

Bool = NDArray[np.bool_]


class LabelledClassifier(ClassifierMixin):
    """Base of classifiers that leave out items without a label."""

    def score(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the share of the labelled items whose class is predicted.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            As in `predict`.
        y : array-like of shape (n_items,)
            Labels; items whose label is missing (NaN) are left out.
        sample_weight : array-like of shape (n_items,), default=None
            Weight of each item; None for 1.

        Returns
        -------
        accuracy : float
            Where hits are rare it is close to 1 for any model: see
            `smartrisk.evaluation.precision_at`.
        """
        predicted = self.predict(X)
        labels, known = read_labels(type(self).__name__, predicted, y)
        weights = known_entries(sample_weight, known)
        predicted = known_entries(predicted, known)
        return float(accuracy_score(labels, predicted, sample_weight=weights))


#: Whole weights are repeated rows up to this many rows per item on average. Beyond it,
#: weights are amounts rather than counts, and rows would fill the memory.
_MOST_REPEATS = 8


def read_labels(owner: str, X: Any, y: ArrayLike) -> tuple[NDArray[Any], Bool | None]:
    """Return the labels of inspected items, and which items these are.

    Parameters
    ----------
    owner : str
        Name of the calling class, for the error message.
    X : DataFrame or ndarray of shape (n_items, n_features)
        The items.
    y : array-like of shape (n_items,)
        Labels; NaN, None or NA where the item was not inspected.

    Returns
    -------
    labels : ndarray of shape (n_known,)
        Labels without missing ones.
    known : ndarray of bool, shape (n_items,), or None
        Which items have a label; None where all do.
    """
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    missing = np.asarray(pd.isna(labels))
    known = None
    if missing.any():
        if missing.all():
            raise ArgumentError(
                "models.no_label",
                "{owner}: y is NaN for all {n_items} items: none was inspected. At "
                "least one hit and one inspection without a hit are needed.",
                owner=owner,
                n_items=len(labels),
            )
        known = ~missing
        labels = labels[known]
        if labels.dtype == object:
            labels = np.array(labels.tolist())
    assert_all_finite(labels, input_name="y")
    return labels, known


def known_entries(
    values: ArrayLike | None, known: Bool | NDArray[np.intp] | None
) -> Any:
    """Return the entries of some items, by mask or position; None stays None."""
    if values is None or known is None:
        return values
    return np.asarray(values)[known]


def read_weights(
    owner: str, weights: ArrayLike | None, n_items: int
) -> NDArray[np.float64] | None:
    """Return weights as numbers, or raise unless there is one for each item."""
    if weights is None:
        return None
    numbers = np.asarray(weights, np.float64)
    if numbers.ndim == 0:
        numbers = np.full(n_items, float(numbers))
    if numbers.shape != (n_items,):
        raise ArgumentError(
            "models.weights_of_other_length",
            "{owner}: Sample weights must be 1D array or scalar with one entry for "
            "each of the {n_items} items; got shape {shape}.",
            owner=owner,
            n_items=n_items,
            shape=list(numbers.shape),
        )
    return numbers


def check_weights(owner: str, weights: NDArray[np.float64]) -> None:
    """Raise unless weights are finite, not negative, and not all zero."""
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        raise ArgumentError(
            "models.weights_not_allowed",
            "{owner}: 'sample_weight' must be finite and not negative; {n_wrong} "
            "entries of labelled items are not, such as {examples}.",
            owner=owner,
            n_wrong=int(wrong.sum()),
            examples=format_values(weights[wrong].tolist()),
        )
    if not weights.any():
        raise ArgumentError(
            "models.weights_all_zero",
            "{owner}: 'sample_weight' is zero for all {n_items} labelled items, so "
            "that there is nothing to learn from. Sample weights must contain at "
            "least one non-zero number.",
            owner=owner,
            n_items=len(weights),
        )


def count_by_weight(
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64] | None]:
    """Return the rows to learn from, and their weights.

    An item of weight 3 counts as three equal items: whole weights become repeated
    rows, so that minimum leaf sizes, bins and the latest share count them too. Items
    of weight 0 are left out.

    Returns
    -------
    rows : ndarray of int
        Positions of items, repeated ones several times.
    rest : ndarray of float, or None
        Weights of these rows; None where each counts once.
    """
    whole = bool((weights == np.floor(weights)).all())
    if whole and weights.sum() <= _MOST_REPEATS * len(weights):
        return np.repeat(np.arange(len(weights)), weights.astype(np.intp)), None
    rows = np.flatnonzero(weights)
    return rows, weights[rows]
