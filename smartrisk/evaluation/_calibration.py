"""Calibration: the observed hit rate of items by their score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from smartrisk.errors import ArgumentError, check_number, format_values
from smartrisk.evaluation._matched_tables import Float
from smartrisk.intervals import wilson_interval
from smartrisk.results import Result


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Result):
    """Observed hit rate of groups of items of similar score.

    Parameters
    ----------
    _table : DataFrame
        One row per group.

    Examples
    --------
    >>> from smartrisk.evaluation import calibration
    >>> result = calibration([0.1, 0.1, 0.9, 0.9], [0, 0, 1, 0], n_groups=2)
    >>> result.frame()["hit_rate"].tolist()
    [0.0, 0.5]
    """

    _table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per group, from the lowest scores to the highest.

        Returns
        -------
        frame : DataFrame
            score (mean of the group), hit_rate, hit_rate_low, hit_rate_high (95 %),
            n_items.
        """
        return self._table.copy()

    @property
    def error(self) -> float:
        """Mean gap between score and hit rate, weighted by the size of the groups."""
        gap = (self._table["score"] - self._table["hit_rate"]).abs()
        return float(
            (gap * self._table["n_items"]).sum() / self._table["n_items"].sum()
        )

    def __repr__(self) -> str:
        """Return the number of groups and the error."""
        return f"Calibration({len(self._table)} groups, error {self.error:.4f})"


def calibration(
    probability: ArrayLike, hits: ArrayLike, *, n_groups: int = 10
) -> Calibration:
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
    score, found = _check_inputs(probability, hits)
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


def _check_inputs(probability: ArrayLike, hits: ArrayLike) -> tuple[Float, Float]:
    """Return both as arrays of the same length; raise when values are not allowed."""
    score = np.asarray(probability, dtype=np.float64).ravel()
    found = np.asarray(hits, dtype=np.float64).ravel()
    if len(score) != len(found) or not len(score):
        raise ArgumentError(
            "evaluation.calibration_lengths",
            "calibration: 'probability' and 'hits' must have the same length, at "
            "least 1; got {n_probabilities} and {n_hits}.",
            n_probabilities=len(score),
            n_hits=len(found),
        )
    wrong = score[~((score >= 0) & (score <= 1))]
    if len(wrong):
        raise ArgumentError(
            "evaluation.calibration_not_probabilities",
            "calibration: probabilities must lie in [0, 1]; got {examples}. "
            "Amounts cannot be calibrated: pass risk scores.",
            examples=format_values(wrong.tolist()),
        )
    strange = found[~np.isin(found, (0.0, 1.0))]
    if len(strange):
        raise ArgumentError(
            "evaluation.calibration_hits_not_binary",
            "calibration: 'hits' must be 0 or 1; got {examples}. Leave out "
            "items that were not inspected.",
            examples=format_values(strange.tolist()),
        )
    return score, found
