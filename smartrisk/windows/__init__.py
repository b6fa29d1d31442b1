"""Moments and windows: what was known when, and splits that respect it.

Reads DECLARATIONS and OUTCOMES; writes the parts of them that a moment allows.
"""

from smartrisk.windows._empty_months import months_without_results, unlabelled_months
from smartrisk.windows._moments import (
    Moment,
    Snapshot,
    as_of,
    known_at,
    read_moment,
)
from smartrisk.windows._rolling_folds import RollingOrigin
from smartrisk.windows._splits import (
    GOODS_LINE,
    Split,
    rolling_origin,
    seen_before,
    time_split,
)

__all__ = [
    "GOODS_LINE",
    "Moment",
    "RollingOrigin",
    "Snapshot",
    "Split",
    "as_of",
    "known_at",
    "months_without_results",
    "read_moment",
    "rolling_origin",
    "seen_before",
    "time_split",
    "unlabelled_months",
]
