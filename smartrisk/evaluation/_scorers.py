"""Scorers for scikit-learn's searches, which leave out items without a label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import ArrayLike
from sklearn.metrics import make_scorer

from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.evaluation._matched_tables import Bool, Float
from smartrisk.evaluation._ranking import (
    check_rate,
    count_at,
    expected_sum,
    hit_share,
)
from smartrisk.items import clean_amounts

#: What scikit-learn calls with an estimator, items and labels.
Scorer: TypeAlias = Callable[..., float]


@overload
def precision_at(rate: float, /) -> Scorer: ...  # numpydoc ignore=GL08
@overload
def precision_at(  # numpydoc ignore=GL08
    y: ArrayLike, score: ArrayLike, rate: float, *, ties: str = "expected"
) -> float: ...
def precision_at(
    y: Any,
    score: ArrayLike | None = None,
    rate: float | None = None,
    *,
    ties: str = "expected",
) -> float | Scorer:
    """Return the share of hits among the items that a rate allows, or a scorer of it.

    ``precision_at(y, score, 0.05)`` is the figure of two arrays. ``precision_at(0.05)``
    is a scorer for `cross_val_score`, `GridSearchCV` and similar.

    Parameters
    ----------
    y : array-like of shape (n_items,), or float or int
        1 for a hit, 0 for none. Alone: the rate of a scorer.
    score : array-like of shape (n_items,), default=None
        Items with greater scores are inspected first.
    rate : float or int, default=None
        Share or number of items.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items, "first" for the order in
        which they are given.

    Returns
    -------
    precision : float or callable
        NaN when nothing is inspected; or the scorer, of which greater is better.

    Raises
    ------
    ArgumentError
        If an argument is outside what is allowed; from the scorer also where no item of
        a fold has a label, or the rate allows no inspection.

    See Also
    --------
    revenue_at : A scorer for the revenue that a rate recovers.

    Notes
    -----
    The scorer leaves out items without a label (NaN), and its rate is a share of the
    labelled items. These were selected by whoever selected them: among the items that
    a risk rule sent to inspection, precision is higher than in the whole flow, and it
    judges only how a model orders what was inspected. Ties count by the mean over all
    their orders, so the order of the items does not matter.

    Examples
    --------
    >>> from smartrisk.evaluation import precision_at
    >>> precision_at([1, 0, 0, 1], [0.9, 0.5, 0.5, 0.5], 2)
    0.6666666666666666
    >>> scorer = precision_at(0.05)
    """
    if score is None and rate is None:
        check_rate("precision_at", "rate", y)
        scorer: Scorer = make_scorer(
            _precision_of_labelled, response_method="predict_proba", rate=y
        )
        return scorer
    if score is None or rate is None:
        raise ArgumentError(
            "evaluation.precision_of_what",
            "precision_at: pass 'y', 'score' and 'rate' for a figure, or the rate "
            "alone for a scorer.",
        )
    return hit_share(y, score, rate, ties)


def revenue_at(rate: float) -> Scorer:
    """Return a scorer: the share of the revenue that an inspection rate recovers.

    Parameters
    ----------
    rate : float or int
        Share of the labelled items, or a number of items.

    Returns
    -------
    scorer : callable
        For `cross_val_score`, `GridSearchCV` and similar; greater is better. It asks
        for `revenue`, the amounts recovered in the order of the items: pass it by
        metadata routing, ``params={"revenue": amounts}``. Amounts that are missing or
        negative count as 0.

    Raises
    ------
    ArgumentError
        If the rate is not allowed, metadata routing is off, or, when it is called,
        `revenue` is not passed, or no item has a label or revenue.

    See Also
    --------
    precision_at : The share of hits; also a scorer, without amounts.
    revenue_share_at : The same figure of arrays.

    Notes
    -----
    As with `precision_at`, items without a label are left out and the rate is a share
    of the others, which were selected by whoever selected them.

    Examples
    --------
    >>> import sklearn
    >>> from smartrisk.evaluation import revenue_at
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scorer = revenue_at(0.05)
    """
    check_rate("revenue_at", "rate", rate)
    if not sklearn.get_config()["enable_metadata_routing"]:
        raise ArgumentError(
            "evaluation.routing_is_off",
            "revenue_at: the amounts reach the scorer by scikit-learn's metadata "
            "routing, which is off. Call "
            "sklearn.set_config(enable_metadata_routing=True) first.",
        )
    scorer = make_scorer(
        _revenue_of_labelled, response_method="predict_proba", rate=rate
    )
    requested: Scorer = scorer.set_score_request(revenue=True)
    return requested


def _precision_of_labelled(y_true: ArrayLike, y_score: ArrayLike, rate: float) -> float:
    """Return the share of hits among the labelled items that the rate allows."""
    hits, known, score = read_arrays("precision_at", y_true, y_score)
    _check_some_labelled("precision_at", known)
    k = _count_labelled("precision_at", rate, int(known.sum()))
    return expected_sum(score[known], hits[known], k) / k


def _revenue_of_labelled(
    y_true: ArrayLike,
    y_score: ArrayLike,
    rate: float,
    revenue: ArrayLike | None = None,
) -> float:
    """Return the share of the revenue of labelled items that the rate recovers."""
    if revenue is None:
        raise ArgumentError(
            "evaluation.revenue_not_passed",
            "revenue_at: no 'revenue' was passed. Pass one amount per item: "
            "cross_val_score(..., params={{'revenue': amounts}}), or "
            "GridSearchCV(...).fit(X, y, revenue=amounts).",
        )
    _, known, score = read_arrays("revenue_at", y_true, y_score)
    _check_some_labelled("revenue_at", known)
    amounts = read_amounts("revenue_at", revenue, len(known))[known]
    if not amounts.any():
        raise ArgumentError(
            "evaluation.no_revenue_to_share",
            "revenue_at: none of the {n_labelled} labelled items of this part has a "
            "positive 'revenue'. Use larger folds, or precision_at.",
            n_labelled=int(known.sum()),
        )
    k = _count_labelled("revenue_at", rate, int(known.sum()))
    return expected_sum(score[known], amounts, k) / float(amounts.sum())


def read_arrays(
    owner: str, y_true: ArrayLike, y_score: ArrayLike
) -> tuple[Float, Bool, Float]:
    """Return hits (NaN where unknown), which are known, and scores."""
    hits = _read_numbers(owner, "y_true", y_true)
    score = _read_numbers(owner, "y_score", y_score)
    if hits.shape != score.shape:
        raise ArgumentError(
            "evaluation.arrays_of_other_length",
            "{owner}: 'y_true' and 'y_score' must have one entry per item; they have "
            "{n_labels} and {n_scores}.",
            owner=owner,
            n_labels=len(hits),
            n_scores=len(score),
        )
    known = ~np.isnan(hits)
    strange = known & ~np.isin(hits, (0.0, 1.0))
    if strange.any():
        raise ArgumentError(
            "evaluation.labels_not_binary",
            "{owner}: 'y_true' must be 1 for a hit, 0 for none and NaN where an item "
            "was not inspected; {n_strange} entries are none of these, such as "
            "{examples}.",
            owner=owner,
            n_strange=int(strange.sum()),
            examples=format_values(np.unique(hits[strange]).tolist()),
        )
    absent = known & ~np.isfinite(score)
    if absent.any():
        raise TableError(
            "evaluation.array_scores_missing",
            "{owner}: 'y_score' is missing or infinite for {n_missing} items with a "
            "label, at positions {examples}. Fill it in, or leave the items out.",
            owner=owner,
            n_missing=int(absent.sum()),
            examples=format_values(np.flatnonzero(absent).tolist()),
        )
    return hits, known, score


def _read_numbers(owner: str, name: str, values: ArrayLike) -> Float:
    """Return an argument as numbers in one dimension, NaN where missing."""
    array = np.asarray(values)
    try:
        if array.ndim != 1:
            raise ValueError(f"shape {array.shape}")
        numbers = pd.Series(array).to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "evaluation.array_not_numeric",
            "{owner}: {name!r} must hold one number per item ({problem}).",
            owner=owner,
            name=name,
            problem=str(error),
        ) from error
    return np.asarray(numbers)


def read_amounts(owner: str, revenue: ArrayLike, n_items: int) -> Float:
    """Return amounts, 0 where missing or negative."""
    amounts = _read_numbers(owner, "revenue", revenue)
    if len(amounts) != n_items:
        raise ArgumentError(
            "evaluation.amounts_of_other_length",
            "{owner}: 'revenue' must have one amount for each of the {n_items} items; "
            "got {n_amounts}.",
            owner=owner,
            n_items=n_items,
            n_amounts=len(amounts),
        )
    return clean_amounts(pd.Series(amounts))


def _check_some_labelled(owner: str, known: Bool) -> None:
    """Raise where no item of a part has a label."""
    if not known.any():
        raise ArgumentError(
            "evaluation.no_label_to_judge",
            "{owner}: none of the {n_items} items of this part has a label. Use larger "
            "folds, or leave out the periods without inspections.",
            owner=owner,
            n_items=len(known),
        )


def _count_labelled(owner: str, rate: float, n_labelled: int) -> int:
    """Return how many labelled items the rate allows; raise where it is none."""
    k = count_at(rate, n_labelled)
    if not k:
        raise ArgumentError(
            "evaluation.rate_allows_no_item",
            "{owner}: a rate of {rate} allows no inspection among {n_labelled} "
            "labelled items. Use larger folds or a higher rate.",
            owner=owner,
            rate=rate,
            n_labelled=n_labelled,
        )
    return k
