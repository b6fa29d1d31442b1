"""Metrics of a ranking, exact under ties."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError, check_choice, check_number, format_values
from smartrisk.evaluation._matched_tables import Float


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
    raise _rate_error("count_at", "rate", rate)


def check_rate(owner: str, name: str, rate: object) -> None:
    """Raise unless a rate is a share in [0, 1] or a number of items."""
    if isinstance(rate, (int, np.integer)) and not isinstance(rate, bool):
        is_allowed = bool(rate >= 0)
    else:
        is_share = isinstance(rate, (float, np.floating))
        is_allowed = is_share and 0.0 <= float(rate) <= 1.0  # type: ignore[arg-type]
    if not is_allowed:
        raise _rate_error(owner, name, rate)


def check_rates(owner: str, rates: object) -> None:
    """Raise unless rates are a sequence of shares and numbers of items."""
    if isinstance(rates, (str, bytes)) or not isinstance(rates, Iterable):
        raise ArgumentError(
            "evaluation.rates_not_a_sequence",
            "{owner}: 'rates' must be a sequence of rates, such as (0.05,); got "
            "{rates}.",
            owner=owner,
            rates=format_values([rates]),
        )
    for rate in rates:
        check_rate(owner, "rates", rate)


def _rate_error(owner: str, name: str, rate: object) -> ArgumentError:
    """Return the error of a rate that is not allowed."""
    return ArgumentError(
        "evaluation.rate_not_allowed",
        "{owner}: {name!r} must be a share in [0, 1] or a whole number not below 0; "
        "got {rate!r}.",
        owner=owner,
        name=name,
        rate=rate,
    )


def expected_sum(score: ArrayLike, value: ArrayLike, k: int) -> float:
    """Return the sum of values among the k best, the mean over all orders of ties.

    Parameters
    ----------
    score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    value : array-like of shape (n_items,)
        Values to add up, such as hits or amounts.
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
    n_left = k - int(above.sum())  # places for the items tied at the edge
    return float(value[above].sum() + value[at].sum() * n_left / int(at.sum()))


def sum_at(score: ArrayLike, value: ArrayLike, k: int, ties: str) -> float:
    """Return the sum of values among the k best, with the treatment of ties given."""
    check_choice("evaluation", "ties", ties, ("expected", "first"))
    score, value = _check_inputs(score, value)
    if ties == "expected":
        return expected_sum(score, value, k)
    return float((taken_at(score, k, ties=ties) * value).sum())


def _check_inputs(score: ArrayLike, value: ArrayLike) -> tuple[Float, Float]:
    """Return both as arrays; raise on NaN, which would be ranked without a warning."""
    score, value = np.asarray(score, np.float64), np.asarray(value, np.float64)
    if score.ndim != 1 or score.shape != value.shape:
        raise ArgumentError(
            "evaluation.shapes_differ",
            "evaluation: 'score' and the values to add up must have one dimension and "
            "the same length; got shapes {score_shape} and {value_shape}.",
            score_shape=str(score.shape),
            value_shape=str(value.shape),
        )
    unranked = np.isnan(score)
    if unranked.any():
        raise ArgumentError(
            "evaluation.scores_missing",
            "evaluation: {n_missing} of {n_items} scores are missing. Score the items, "
            "or leave them out.",
            n_missing=int(unranked.sum()),
            n_items=len(score),
        )
    wrong = ~np.isfinite(value) | (value < 0)
    if wrong.any():
        raise ArgumentError(
            "evaluation.values_not_allowed",
            "evaluation: {n_wrong} results are missing, infinite or negative, such as "
            "{examples}. Leave out items without a result; set negative amounts to 0.",
            n_wrong=int(wrong.sum()),
            examples=format_values(value[wrong].tolist()),
        )
    return score, value


def taken_at(score: Float, k: int, *, ties: str = "expected") -> Float:
    """Return how much of each item is taken among the k best.

    Parameters
    ----------
    score : ndarray of shape (n_items,)
        Items with greater scores are inspected first.
    k : int
        Number of items taken.
    ties : str, default="expected"
        "expected": tied items at the edge share the places that are left, the mean
        over all their orders; "first": they are taken in the order given.
    """
    if k <= 0 or not len(score):
        return np.zeros(len(score))
    if k >= len(score):
        return np.ones(len(score))
    if ties == "first":
        out = np.zeros(len(score))
        out[np.argsort(-score, kind="stable")[:k]] = 1.0
        return out
    edge = -np.partition(-score, k - 1)[k - 1]
    above, at = score > edge, score == edge
    return np.where(above, 1.0, np.where(at, (k - above.sum()) / at.sum(), 0.0))


def hit_share(y: ArrayLike, score: ArrayLike, rate: float, ties: str) -> float:
    """Return the share of hits among the items that the rate allows; NaN for none."""
    k = count_at(rate, len(np.asarray(y)))
    return sum_at(score, y, k, ties) / k if k else math.nan


def recall_at(
    y: ArrayLike, score: ArrayLike, rate: float, *, ties: str = "expected"
) -> float:
    """Return the share of all hits that the rate finds.

    Parameters
    ----------
    y : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    rate : float or int
        Share or number of items.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items, "first" for the order in
        which they are given.

    Returns
    -------
    recall : float
        NaN when there is no hit.

    Examples
    --------
    >>> from smartrisk.evaluation import recall_at
    >>> recall_at([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.8], 1)
    0.5
    """
    total = float(np.asarray(y, float).sum())
    k = count_at(rate, len(np.asarray(y)))
    return sum_at(score, y, k, ties) / total if total else math.nan


def revenue_share_at(
    revenue: ArrayLike, score: ArrayLike, rate: float, *, ties: str = "expected"
) -> float:
    """Return the share of all revenue that the rate recovers.

    Parameters
    ----------
    revenue : array-like of shape (n_items,)
        Recoverable amounts, not negative.
    score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    rate : float or int
        Share or number of items.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items, "first" for the order in
        which they are given.

    Returns
    -------
    share : float
        NaN when there is no revenue.

    Examples
    --------
    >>> from smartrisk.evaluation import revenue_share_at
    >>> revenue_share_at([30.0, 0.0, 70.0], [0.9, 0.5, 0.1], 1)
    0.3
    """
    return recall_at(revenue, score, rate, ties=ties)


def lift_at(
    y: ArrayLike, score: ArrayLike, rate: float, *, ties: str = "expected"
) -> float:
    """Return by how much the hit rate exceeds that of inspecting at random.

    Parameters
    ----------
    y : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    rate : float or int
        Share or number of items.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items, "first" for the order in
        which they are given.

    Returns
    -------
    lift : float
        1 is no better than chance; NaN when there is no hit or nothing is inspected.

    Examples
    --------
    >>> from smartrisk.evaluation import lift_at
    >>> lift_at([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.8], 2)
    2.0
    """
    base = float(np.asarray(y, float).mean()) if len(np.asarray(y)) else 0.0
    return hit_share(y, score, rate, ties) / base if base else math.nan


def net_benefit_at(
    revenue: ArrayLike,
    score: ArrayLike,
    rate: float,
    *,
    cost: float,
    ties: str = "expected",
) -> float:
    """Return the revenue that the rate recovers, minus the cost of the controls.

    Parameters
    ----------
    revenue : array-like of shape (n_items,)
        Recoverable amounts in national currency, not negative.
    score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    rate : float or int
        Share or number of items.
    cost : float
        Cost of one control, in national currency.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items, "first" for the order in
        which they are given.

    Returns
    -------
    benefit : float
        In national currency; negative when the controls cost more than they bring.

    Examples
    --------
    >>> from smartrisk.evaluation import net_benefit_at
    >>> net_benefit_at([30.0, 0.0, 70.0], [0.9, 0.5, 0.1], 2, cost=10.0)
    10.0
    """
    check_number("net_benefit_at", "cost", cost, low=0.0)
    k = count_at(rate, len(np.asarray(revenue)))
    return sum_at(score, revenue, k, ties) - cost * k


def normalised_at(
    values: ArrayLike, score: ArrayLike, rate: float, *, ties: str = "expected"
) -> float:
    """Return what the rate finds as a share of what an oracle would find with it.

    Parameters
    ----------
    values : array-like of shape (n_items,)
        Hits (0 or 1), or recoverable amounts.
    score : array-like of shape (n_items,)
        Items with greater scores are inspected first.
    rate : float or int
        Share or number of items.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items, "first" for the order in
        which they are given.

    Returns
    -------
    share : float
        1 for the best possible choice; NaN when there is nothing to find. For hits it
        is the normalised precision and the normalised recall at once, for amounts the
        normalised revenue of the customs-selection simulator.

    References
    ----------
    Kim, S., Mai, T.-D., Han, S., Park, S., Khanh, T. N. D., So, J., Singh, K., Cha, M.
    (2022). Active learning for human-in-the-loop customs inspection. IEEE TKDE.

    Examples
    --------
    >>> from smartrisk.evaluation import normalised_at
    >>> normalised_at([1, 0, 0, 0], [0.9, 0.1, 0.2, 0.8], 2)
    1.0
    """
    k = count_at(rate, len(np.asarray(values)))
    best = expected_sum(values, values, k)
    return sum_at(score, values, k, ties) / best if best > 0 else math.nan


def calibration_error(y: ArrayLike, probability: ArrayLike, n_bins: int = 10) -> float:
    """Return the mean gap between predicted and observed rates, in bins of equal size.

    Parameters
    ----------
    y : array-like of shape (n_items,)
        1 for a hit, 0 for none.
    probability : array-like of shape (n_items,)
        Predicted probability.
    n_bins : int, default=10
        Bins by quantile of the prediction. Equal predictions get the mean of their
        results, so that the order of the items does not matter.

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
    probability, y = _check_inputs(probability, y)
    _, group = np.unique(probability, return_inverse=True)
    y = (np.bincount(group, y) / np.maximum(np.bincount(group), 1))[group]
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
        Items with greater scores are inspected first; tied items at the edge share
        the places that are left.
    values : list of ndarray of shape (n_items,)
        Values to add up, such as hits or amounts.
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
    # Between the ends of two groups of ties, the mean over all orders is a line.
    ranked = score[order]
    start = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    ordered = [column[order] for column in values]
    out = np.empty((len(weights), len(values) + 1, len(shares) + 1))
    for r, weight in enumerate(weights):
        w = weight[order]
        drawn = _running(w, start)
        wanted = np.append(np.floor(np.array(shares) * drawn[-1] + 0.5), drawn[-1])
        for c, column in enumerate(ordered):
            out[r, c] = np.interp(wanted, drawn, _running(w * column, start))
        out[r, -1] = wanted
    return out


def _running(values: Float, start: NDArray[np.intp]) -> Float:
    """Return running sums at the ends of groups, 0 first."""
    return np.append(0.0, np.cumsum(np.add.reduceat(values, start)))
