"""Whether scores mean what they say: observed hit rate by score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from smartrisk.errors import ArgumentError, check_number, format_values
from smartrisk.results import Result

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Result):
    """Observed hit rate of groups of items of similar score.

    Parameters
    ----------
    table : DataFrame
        One row per group.

    Examples
    --------
    >>> from smartrisk.evaluation import calibration
    >>> result = calibration([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0], n_groups=2)
    >>> result.frame()["hit_rate"].tolist()
    [0.0, 0.5]
    """

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per group, from the lowest scores to the highest.

        Returns
        -------
        frame : DataFrame
            score (mean of the group), hit_rate, hit_rate_low, hit_rate_high (95 %),
            n_items.
        """
        return self.table.copy()

    @property
    def error(self) -> float:
        """Mean gap between score and hit rate, weighted by the size of the groups."""
        gap = (self.table["score"] - self.table["hit_rate"]).abs()
        return float((gap * self.table["n_items"]).sum() / self.table["n_items"].sum())

    def __repr__(self) -> str:
        return f"Calibration({len(self.table)} groups, error {self.error:.4f})"


def calibration(probability: Any, hits: Any, *, n_groups: int = 10) -> Calibration:
    """Return the observed hit rate of groups of items of similar score.

    Parameters
    ----------
    probability : array-like of shape (n_items,)
        Risk scores in [0, 1].
    hits : array-like of shape (n_items,)
        1 hit, 0 no hit, of the same items.
    n_groups : int, default=10
        Groups of equal size by score; equal scores stay together.

    Returns
    -------
    calibration : Calibration
        Groups with counts and Wilson's intervals.

    Raises
    ------
    ArgumentError
        If lengths differ, a probability lies outside [0, 1], or a hit is not 0 or 1.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22.

    Examples
    --------
    >>> from smartrisk.evaluation import calibration
    >>> round(calibration([0.2] * 10, [1, 1] + [0] * 8).error, 6)
    0.0
    """
    check_number("calibration", "n_groups", n_groups, low=1, integer=True)
    score, found = _checked(probability, hits)
    edges = np.quantile(score, np.linspace(0, 1, n_groups + 1)[1:-1])
    group = np.searchsorted(np.unique(edges), score, side="left")
    n = np.bincount(group)
    kept = n > 0
    n = n[kept]
    rate = np.bincount(group, weights=found)[kept] / n
    lower, upper = wilson_interval(rate, n)
    return Calibration(
        pd.DataFrame(
            {
                "score": np.bincount(group, weights=score)[kept] / n,
                "hit_rate": rate,
                "hit_rate_low": lower,
                "hit_rate_high": upper,
                "n_items": n,
            }
        )
    )


def wilson_interval(rate: Any, n: Any, *, level: float = 0.95) -> tuple[Float, Float]:
    """Return the interval of shares by Wilson (1927).

    Parameters
    ----------
    rate : array-like of shape (n_shares,)
        Observed shares; NaN where `n` is 0.
    n : array-like of shape (n_shares,)
        Of how many.
    level : float, default=0.95
        Of the interval.

    Returns
    -------
    low, high : ndarray of shape (n_shares,)
        Bounds within [0, 1].

    Examples
    --------
    >>> from smartrisk.evaluation import wilson_interval
    >>> low, high = wilson_interval([0.1], [100])
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0552, 0.1744)
    """
    check_number("wilson_interval", "level", level, low=0.5, high=0.9999)
    share, size = np.asarray(rate, np.float64), np.asarray(n, np.float64)
    z = float(norm.ppf(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
        inner = share * (1 - share) / size + z**2 / (4 * size**2)
        half = z / (1 + z**2 / size) * np.sqrt(inner)
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def _checked(probability: Any, hits: Any) -> tuple[Float, Float]:
    """Return both as arrays of one length, within what is allowed."""
    score = np.asarray(probability, dtype=np.float64).ravel()
    found = np.asarray(hits, dtype=np.float64).ravel()
    if len(score) != len(found) or not len(score):
        raise ArgumentError(
            "evaluation.probability_hits_length_got",
            "calibration: 'probability' and 'hits' must be of one length, at "
            "least 1; got {n_score} and {n_found}.",
            n_score=len(score),
            n_found=len(found),
        )
    wrong = score[~((score >= 0) & (score <= 1))]
    if len(wrong):
        raise ArgumentError(
            "evaluation.probabilities_lie_got_amounts",
            "calibration: probabilities must lie in [0, 1]; got {wrong}. "
            "Amounts cannot be calibrated: pass risk scores.",
            wrong=format_values(wrong.tolist()),
        )
    strange = found[~np.isin(found, (0.0, 1.0))]
    if len(strange):
        raise ArgumentError(
            "evaluation.hits_got_leave_out",
            "calibration: 'hits' must be 0 or 1; got {strange}. Leave out "
            "items that were not inspected.",
            strange=format_values(strange.tolist()),
        )
    return score, found
