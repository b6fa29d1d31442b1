"""Intervals: Wilson's for shares, the bootstrap, and Student's for a mean.

Reads counts, figures and replicates as arrays; writes bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

from smartrisk.errors import check_number

__all__ = [
    "mean_half_width",
    "percentile_interval",
    "resampled_counts",
    "wilson_interval",
]


def wilson_interval(
    rate: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return the intervals of observed shares by the score method of Wilson.

    Use it for hit rates: it stays within [0, 1], and its width is above 0 where no item
    or every item is a hit. That of the bootstrap is 0 there.

    Parameters
    ----------
    rate : array-like of shape (n_shares,)
        Observed shares; NaN where `n` is 0.
    n : array-like of shape (n_shares,)
        Number of items that each share is of.
    confidence : float, default=0.95
        Probability with which the interval covers the true share.

    Returns
    -------
    low, high : ndarray of float64, shape (n_shares,)
        Bounds within [0, 1]; NaN where the share is NaN.

    Raises
    ------
    ArgumentError
        If `confidence` lies outside [0.5, 0.9999].

    Notes
    -----
    With the share :math:`p`, its :math:`n` and the normal quantile :math:`z`:

    .. math:: \frac{p + z^2/2n \pm z \sqrt{p(1-p)/n + z^2/4n^2}}{1 + z^2/n}

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22.

    Examples
    --------
    >>> from smartrisk.intervals import wilson_interval
    >>> low, high = wilson_interval([0.1], [100])
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0552, 0.1744)
    """
    check_number("wilson_interval", "confidence", confidence, low=0.5, high=0.9999)
    share, size = np.asarray(rate, np.float64), np.asarray(n, np.float64)
    z = float(ndtri(0.5 + confidence / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
        inner = share * (1 - share) / size + z**2 / (4 * size**2)
        half = z / (1 + z**2 / size) * np.sqrt(inner)
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def resampled_counts(
    n_units: int, n_bootstrap: int, random_state: int | np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield how often each unit is drawn, replicate by replicate.

    Units are drawn with replacement, as many as there are. A figure that is a ratio of
    sums needs no more of a replicate than these counts, and two figures judged on the
    same counts are paired.

    Parameters
    ----------
    n_units : int
        Items, declarations, weeks or blocks to draw from.
    n_bootstrap : int
        Number of replicates.
    random_state : int or Generator
        Seed; a generator continues from its current state.

    Yields
    ------
    counts : ndarray of int64, shape (n_units,)
        Number of draws of each unit; they sum to `n_units`.

    References
    ----------
    Efron, B., Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and
    Hall.

    Examples
    --------
    >>> from smartrisk.intervals import resampled_counts
    >>> [int(counts.sum()) for counts in resampled_counts(5, 3, random_state=0)]
    [5, 5, 5]
    """
    rng = np.random.default_rng(random_state)
    for _ in range(n_bootstrap):
        yield np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)


def percentile_interval(
    replicates: ArrayLike, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the middle part of the replicates of a figure.

    Parameters
    ----------
    replicates : array-like of shape (n_bootstrap,)
        The figure in every replicate; those where it does not exist (NaN, infinite)
        are left out.
    confidence : float, default=0.95
        Share of the replicates within the bounds.

    Returns
    -------
    low, high : float
        NaN where the figure exists in no replicate.

    Raises
    ------
    ArgumentError
        If `confidence` lies outside [0.5, 0.9999].

    Examples
    --------
    >>> from smartrisk.intervals import percentile_interval
    >>> percentile_interval([0.0, 0.1, 0.2, float("nan")], confidence=0.5)
    (0.05, 0.15000000000000002)
    """
    check_number("percentile_interval", "confidence", confidence, low=0.5, high=0.9999)
    values = np.asarray(replicates, np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return math.nan, math.nan
    # Rounded, so that 0.95 gives 0.025 itself and not the float next to it.
    tail = round((1 - confidence) / 2, 12)
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def mean_half_width(values: ArrayLike, *, confidence: float = 0.95) -> float:
    """Return the half-width of Student's interval of a mean.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        One figure per independent run, such as a seed; NaN is left out.
    confidence : float, default=0.95
        Probability with which the interval covers the mean.

    Returns
    -------
    half_width : float
        NaN for fewer than two values.

    Raises
    ------
    ArgumentError
        If `confidence` lies outside [0.5, 0.9999].

    Examples
    --------
    >>> from smartrisk.intervals import mean_half_width
    >>> round(mean_half_width([1.0, 2.0, 3.0]), 3)
    2.484
    """
    check_number("mean_half_width", "confidence", confidence, low=0.5, high=0.9999)
    known = np.asarray(values, np.float64)
    known = known[~np.isnan(known)]
    n = len(known)
    if n < 2:
        return math.nan
    quantile = float(stdtrit(n - 1, 0.5 + confidence / 2))
    return quantile * float(known.std(ddof=1)) / math.sqrt(n)
