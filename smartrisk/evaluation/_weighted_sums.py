"""Intervals of weighted sums, of their ratios and of shares."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.stats import t as student

from smartrisk.evaluation._matched_tables import Float


class Interval(NamedTuple):
    """An estimate and the bounds of its interval."""

    estimate: float
    low: float
    high: float


#: The answer where nothing can be estimated.
UNKNOWN = Interval(math.nan, math.nan, math.nan)


def half_width(parts: Float, confidence: float) -> float:
    """Return the half-width of an interval from the parts of a variance.

    Student's quantile with Satterthwaite's (1946) degrees of freedom: where a few
    large weights or amounts make most of the variance, it is itself uncertain. Below
    1.5 degrees the quantile is too large to be of use.
    """
    total = float(parts.sum())
    if total <= 0:
        return 0.0
    freedom = max(total**2 / float((parts**2).sum()), 1.5)
    return float(student.ppf(0.5 + confidence / 2, freedom)) * math.sqrt(total)


def log_interval(estimate: float, half: float) -> Interval:
    """Return an interval that is symmetric in the logarithm; it starts at 0 for 0."""
    if not math.isfinite(estimate):
        return UNKNOWN
    if estimate <= 0:
        return Interval(max(estimate, 0.0), 0.0, max(estimate + half, 0.0))
    # exp overflows beyond 709; 50 is already wider than any amount of money.
    factor = math.exp(min(half / estimate, 50.0))
    return Interval(estimate, estimate / factor, estimate * factor)


def rate_interval(estimate: float, half: float) -> Interval:
    """Return an interval of a rate, on the log scale, that ends at one."""
    middle, low, high = log_interval(estimate, half)
    return Interval(min(max(middle, 0.0), 1.0), min(low, 1.0), min(high, 1.0))


def logit_interval(share: float, half: float) -> Interval:
    """Return an interval of a share that is symmetric in its log odds."""
    if not math.isfinite(share):
        return UNKNOWN
    if not 0 < share < 1:
        inside = min(max(share, 0.0), 1.0)
        return Interval(inside, max(inside - half, 0.0), min(inside + half, 1.0))
    odds = math.log(share / (1 - share))
    wide = min(half / (share * (1 - share)), 50.0)
    low, high = (1 / (1 + math.exp(-(odds + sign * wide))) for sign in (-1, 1))
    return Interval(share, low, high)
