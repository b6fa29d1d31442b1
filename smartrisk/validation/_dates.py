"""Dates of a table: read in one format, and looked at as a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import ColumnMap, Field
from smartrisk.validation._date_columns import REASONS, DateRules, read_date_column
from smartrisk.validation._missing import check_missing, missing_signs, note_signs
from smartrisk.validation._report import Findings

Days: TypeAlias = NDArray[np.int64]

#: Years of a date that can be right; others are serial numbers or typing errors.
FIRST_YEAR, LAST_YEAR = 1900, 2200
#: A date is far from the others beyond two years and ten times the median distance.
_FAR_DAYS, _FAR_TIMES = 730, 10
#: A larger share of the dates is another period, no typing error.
_FEW_FAR = 0.05
#: Different days from which a column without any after the twelfth is suspicious: four
#: of ten days are up to the twelfth, so that chance gives that once in 80 million; and
#: the months that they must be of, since an extract may end on the twelfth.
_LEAST_DAYS, _LEAST_MONTHS, _LAST_MONTH = 20, 3, 12
#: Fewer dates have no middle to be far from.
_LEAST_DATES = 3


def coerce_datetime(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return moments without zone, in microseconds."""
    if series.dtype == "datetime64[us]":
        out = series
    else:
        read = read_date_column(series, date_rules(field, work.columns))
        for number, reason in enumerate(REASONS):
            if number:
                rows = np.flatnonzero(read.reasons == number)
                work.note(rows, field.name, reason, series)
        note_signs(field, series, np.flatnonzero(read.signs), work)
        for flags, reason in (
            (read.restored, "restored zero"),
            (read.converted, "time zone converted"),
        ):
            rows = np.flatnonzero(flags)
            work.note(rows, field.name, reason, series, "repaired")
        out = pd.Series(read.moments, index=series.index)
    _note_odd_dates(field, out, series, work)
    check_missing(field, out, series, work)
    return out


def date_rules(field: Field, columns: ColumnMap) -> DateRules:
    """Return what a map declares about the dates of a field."""
    declared = columns.date_format
    if isinstance(declared, Mapping):
        declared = declared.get(field.name)
    return DateRules(
        date_format=declared,
        day_first=columns.day_first,
        time_zone=columns.time_zone,
        missing=missing_signs(field, columns),
    )


def _note_odd_dates(
    field: Field, out: pd.Series, series: pd.Series, work: Findings
) -> None:
    """Record dates of another century, far from the others, or of no late day."""
    moments = out.to_numpy()
    is_date = ~np.isnat(moments)
    days = moments.astype("datetime64[D]").astype(np.int64)
    first = np.datetime64(f"{FIRST_YEAR}-01-01").astype(np.int64)
    last = np.datetime64(f"{LAST_YEAR}-12-31").astype(np.int64)
    is_odd = is_date & ((days < first) | (days > last))
    work.note(np.flatnonzero(is_odd), field.name, "date out of range", series)
    good = np.flatnonzero(is_date & ~is_odd)
    if len(good) >= _LEAST_DATES:
        work.doubt(good[_are_far(days[good])], field.name, "far date", series)
        if _has_no_late_day(moments[good]):
            work.note(good, field.name, "no day after the 12th", series, "warning")


def _are_far(days: Days) -> NDArray[np.bool_]:
    """Return which days are far from the middle of all days."""
    distance = np.abs(days - int(np.median(days)))
    limit = _FAR_DAYS + _FAR_TIMES * float(np.median(distance))
    far = np.asarray(distance > limit)
    return far if far.sum() <= max(1.0, _FEW_FAR * len(days)) else np.zeros_like(far)


def _has_no_late_day(moments: NDArray[np.datetime64]) -> bool:
    """Return whether no date of many is after the twelfth of its month."""
    days = moments.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    late = (days - months.astype("datetime64[D]")).astype(np.int64) >= _LAST_MONTH
    if late.any():
        return False
    n_days, n_months = len(np.unique(days)), len(np.unique(months))
    return n_days >= _LEAST_DAYS and n_months >= _LEAST_MONTHS
