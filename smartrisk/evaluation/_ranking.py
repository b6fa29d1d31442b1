"""Metrics of a ranking, exact under ties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError

Float = NDArray[np.float64]


def count_at(rate: float, n_items: int) -> int:
    """Return how many items an inspection rate allows.

    Parameters
    ----------
    rate : float or int
        Share in [0, 1] as a float, or a number of items as an integer.
    n_items : int
        Number of items.

    Returns
    -------
    k : int
        ``floor(rate * n_items + 0.5)``, or the number itself, at most `n_items`.

    Examples
    --------
    >>> from smartrisk.evaluation import count_at
    >>> count_at(0.05, 813), count_at(5, 3)
    (41, 3)
    """
    if isinstance(rate, (int, np.integer)) and not isinstance(rate, bool):
        if rate >= 0:
            return min(int(rate), n_items)
    elif isinstance(rate, (float, np.floating)) and 0.0 <= rate <= 1.0:
        return min(math.floor(float(rate) * n_items + 0.5), n_items)
    raise ArgumentError(
        "count_at: 'rate' must be a share in [0, 1] or a whole number not below 0; "
        f"got {rate!r}."
    )


def expected_sum(score: Any, value: Any, k: int) -> float:
    """Return the sum of values among the k best, the mean over all orders of ties.

    Parameters
    ----------
    score : array-like of shape (n_items,)
        The greater the sooner.
    value : array-like of shape (n_items,)
        What is added up.
    k : int
        Number of items taken.
    """
    score, value = np.asarray(score, float), np.asarray(value, float)
    if k <= 0:
        return 0.0
    if k >= len(score):
        return float(value.sum())
    edge = -np.partition(-score, k - 1)[k - 1]
    above, at = score > edge, score == edge
    room = k - int(above.sum())
    return float(value[above].sum() + value[at].sum() * room / int(at.sum()))


def precision_at(y: Any, score: Any, rate: float) -> float:
    """Return the share of hits among the items that the rate allows.

    Parameters
    ----------
    y : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    score : array-like of shape (n_items,)
        The greater the sooner.
    rate : float or int
        Share or number of items.

    Returns
    -------
    precision : float
        Mean over all orders of tied items; NaN when nothing is inspected.

    Examples
    --------
    >>> from smartrisk.evaluation import precision_at
    >>> precision_at([1, 0, 0, 1], [0.9, 0.5, 0.5, 0.5], 2)
    0.6666666666666666
    """
    k = count_at(rate, len(np.asarray(y)))
    return expected_sum(score, y, k) / k if k else math.nan


def recall_at(y: Any, score: Any, rate: float) -> float:
    """Return the share of all hits that the rate finds.

    Parameters
    ----------
    y : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    score : array-like of shape (n_items,)
        The greater the sooner.
    rate : float or int
        Share or number of items.

    Returns
    -------
    recall : float
        Mean over all orders of tied items; NaN when there is no hit.

    Examples
    --------
    >>> from smartrisk.evaluation import recall_at
    >>> recall_at([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.8], 1)
    0.5
    """
    total = float(np.asarray(y, float).sum())
    k = count_at(rate, len(np.asarray(y)))
    return expected_sum(score, y, k) / total if total else math.nan


def revenue_share_at(revenue: Any, score: Any, rate: float) -> float:
    """Return the share of all revenue that the rate recovers.

    Parameters
    ----------
    revenue : array-like of shape (n_items,)
        Recoverable amounts, not negative.
    score : array-like of shape (n_items,)
        The greater the sooner.
    rate : float or int
        Share or number of items.

    Returns
    -------
    share : float
        Mean over all orders of tied items; NaN when there is no revenue.

    Examples
    --------
    >>> from smartrisk.evaluation import revenue_share_at
    >>> revenue_share_at([30.0, 0.0, 70.0], [0.9, 0.5, 0.1], 1)
    0.3
    """
    return recall_at(revenue, score, rate)


def calibration_error(y: Any, probability: Any, n_bins: int = 10) -> float:
    """Return the mean gap between predicted and found, over bins of equal size.

    Parameters
    ----------
    y : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    probability : array-like of shape (n_items,)
        Predicted probability.
    n_bins : int, default=10
        Bins by quantile of the prediction.

    Returns
    -------
    error : float
        Expected calibration error; 0 is perfect.

    References
    ----------
    Naeini, M. P., Cooper, G., Hauskrecht, M. (2015). Obtaining well calibrated
    probabilities using Bayesian binning. AAAI.

    Examples
    --------
    >>> from smartrisk.evaluation import calibration_error
    >>> calibration_error([0, 1], [0.0, 1.0])
    0.0
    """
    y, probability = np.asarray(y, float), np.asarray(probability, float)
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(y[part].mean() - probability[part].mean()) * len(part)
        for part in np.array_split(order, min(n_bins, len(order)))
        if len(part)
    ]
    return float(sum(gaps) / len(y)) if len(y) else math.nan


def weighted_curve(
    score: Float, values: list[Float], weights: Float, shares: list[float]
) -> NDArray[np.float64]:
    """Return weighted sums among the best shares, for bootstrap replicates.

    Parameters
    ----------
    score : ndarray of shape (n_items,)
        The greater the sooner; ties keep their order.
    values : list of ndarray of shape (n_items,)
        What is added up.
    weights : ndarray of shape (n_replicates, n_items)
        How often each item was drawn.
    shares : list of float
        Share of the drawn items that is taken.

    Returns
    -------
    sums : ndarray of shape (n_replicates, len(values) + 1, len(shares) + 1)
        Sums by value, the count last; the last share is everything.
    """
    order = np.argsort(-score, kind="stable")
    columns = [*values, np.ones(len(score))]
    out = np.empty((len(weights), len(columns), len(shares) + 1))
    for r, weight in enumerate(weights):
        w = weight[order]
        drawn = np.cumsum(w)
        wanted = np.append(np.floor(np.array(shares) * drawn[-1] + 0.5), drawn[-1])
        last = np.minimum(np.searchsorted(drawn, wanted), len(w) - 1)
        for c, column in enumerate(columns):
            total = np.cumsum(w * column[order])
            over = drawn[last] - wanted
            out[r, c] = total[last] - over * column[order][last]
    return out
