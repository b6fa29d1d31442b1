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
#: Months that such dates must be spread over to look exchanged.
_LEAST_MONTHS = 3.0
#: How many months there must be to a day of the month, and how many times as many as in
#: any usual batch: traders who declare once a month have several months to a day too.
_MONTHS_TO_A_DAY, _TIMES = 1.8, 1.5


def judge_dates(
    items: pd.DataFrame,
    first_day: pd.Timestamp,
    last_day: pd.Timestamp,
    usual_months: float,
) -> list[Finding]:
    """Return what is wrong with the dates of a batch.

    `usual_months` is the highest of `months_to_a_day` in usual batches.
    """
    lodged = items["lodged_at"]
    early = float((lodged < first_day - pd.Timedelta(days=_BEFORE)).mean())
    late = float((lodged >= last_day + pd.Timedelta(days=_AFTER)).mean())
    n_months = months_to_a_day(*days_and_months(lodged))
    exchanged = n_months > max(_MONTHS_TO_A_DAY, _TIMES * usual_months)
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


def days_and_months(
    lodged: pd.Series,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the day of the month and the month of each date."""
    dates = lodged.to_numpy().astype("datetime64[D]")
    start = dates.astype("datetime64[M]")
    days = (dates - start).astype(np.int64) + 1
    return days, start.astype(np.int64) % _MONTHS + 1


def months_to_a_day(days: NDArray[np.int64], months: NDArray[np.int64]) -> float:
    """Return over how many months the dates spread to each day of the month.

    Among days up to the twelfth, which can be read as months: dates of one month that
    were read so have one day and many months. 0 where there are too few of either.
    """
    low = days <= _MONTHS
    if low.sum() < _LEAST:
        return 0.0
    n_months = _effective_number(months[low])
    if n_months < _LEAST_MONTHS:
        return 0.0
    return n_months / _effective_number(days[low])


def _effective_number(values: NDArray[np.int64]) -> float:
    """Return how many equally frequent values would repeat as often as these do."""
    shares = np.bincount(values) / len(values)
    return float(1.0 / (shares**2).sum())
