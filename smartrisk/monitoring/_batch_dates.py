"""Dates of a batch: near the history, and days not read as months."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.monitoring._guard_report import Finding

#: Share of the items with such a date from which it is no typing error.
_SHARE = 0.05
#: Days before the first item of the history that are still allowed: histories are cut
#: at the start of a month.
_BEFORE = 31
#: Days after the last item of the history: the windows of the features reach back a
#: year at most, so that later items have no recent past at all.
_AFTER = 366
#: Last day of a month that is also the number of a month.
_MONTHS = 12
#: Items with such days without which a pattern of days and months is chance.
_LEAST = 50
#: Months over which dates must be spread to look exchanged, and how many times more
#: evenly than the days of the month.
_SPREAD, _TIMES = 3.0, 1.8


def judge_dates(
    items: pd.DataFrame, first_day: pd.Timestamp, last_day: pd.Timestamp
) -> list[Finding]:
    """Return what is wrong with the dates of a batch."""
    lodged = items["lodged_at"]
    early = float((lodged < first_day - pd.Timedelta(days=_BEFORE)).mean())
    late = float((lodged >= last_day + pd.Timedelta(days=_AFTER)).mean())
    exchanged = are_exchanged(lodged)
    facts = (("early", early), ("late", late), ("exchanged", float(exchanged)))
    return [
        Finding(
            check=check,
            fields=("lodged_at",),
            seen=share,
            usual=0.0,
            allowed=_SHARE,
            n_items=len(items),
            example=f"{lodged.min():%Y-%m-%d} to {lodged.max():%Y-%m-%d}",
        )
        for check, share in facts
        if share > _SHARE
    ]


def are_exchanged(lodged: pd.Series) -> bool:
    """Return whether days up to the twelfth were read as months.

    Dates of one month then have one day and all months, while those of its other days,
    which cannot be read as months, stay within that month.
    """
    days, months = lodged.dt.day.to_numpy(), lodged.dt.month.to_numpy()
    low = days <= _MONTHS
    if low.sum() < _LEAST or (~low).sum() < _LEAST:
        return False
    n_days, n_months = _effective_number(days[low]), _effective_number(months[low])
    n_others = _effective_number(months[~low])
    return (
        n_months >= _SPREAD
        and n_months > _TIMES * n_days
        and n_months > _TIMES * n_others
    )


def _effective_number(values: NDArray[np.int32]) -> float:
    """Return how many equally frequent values would repeat as often as these do."""
    shares = np.bincount(values) / len(values)
    return float(1.0 / (shares**2).sum())
