"""Numbers of a table, in the unit of their field."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import ColumnMap, Field
from smartrisk.validation._labels import read_labels
from smartrisk.validation._missing import (
    check_missing,
    factorize,
    matches,
    missing_signs,
    note_signs,
)
from smartrisk.validation._number_formats import (
    NumberFormat,
    NumbersRead,
    read_numbers,
)
from smartrisk.validation._report import Findings

Numbers: TypeAlias = NDArray[np.float64]

#: No ad valorem duty rate exceeds 1,000 %; a larger fraction was meant as percent.
HIGHEST_RATE = 10.0
#: No amount, mass or quantity of one item is larger, in any currency: the world's trade
#: of a year, 2.5e13 dollars, is 1e18 of the smallest currencies.
HUGE = 1e16
#: How many times the median a number is that is doubtful: a ship and a screw, or a
#: tonne and a gram, are less far apart.
_FAR = 1e9
#: Rows of which the median is taken, and how many of them must be positive.
_SAMPLED, _SOME = 1_000, 20
#: Types that keep seven digits, or three.
_SHORT_FLOATS = (np.float32, np.float16)
#: Texts of which each has a point before its last three digits and no other sign: a
#: point between thousands looks so. From this many different ones on it is reported.
_LEAST_GROUPED, _GROUPED, _WHOLE = 10, "-?[0-9]{1,3}[.][0-9]{3}", "-?[0-9]{1,3}"
#: Rows that rule it out in most columns.
_LOOKED_AT = 100
#: Whole numbers above this one are not all floats.
_LAST_EXACT = 2**53


def number_format(field: Field, columns: ColumnMap) -> NumberFormat:
    """Return how a map writes the numbers of a field."""
    return NumberFormat(
        columns.decimal,
        columns.thousands,
        columns.grouping,
        percent=field.name == "duty_rate",
    )


def coerce_number(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return numbers in the unit of the field; infinite ones fail."""
    read = _read(field, series, work)
    values = read.values
    infinite = np.isinf(values)
    if infinite.any():
        work.note(np.flatnonzero(infinite), field.name, "infinite", series)
        values = np.where(infinite, np.nan, values)
    if field.name == "duty_rate":
        values = _rates(field, values, read, series, work)
    factor = work.columns.factors.get(field.name)
    if factor is not None:
        values = values * factor
    _note_out_of_range(field, values, series, work)
    with np.errstate(invalid="ignore"):
        huge = np.flatnonzero(np.abs(values) > HUGE)
    work.doubt(huge, field.name, "huge number", series)
    far = _far_numbers(values)
    work.note(far, field.name, "far number", series, "warning")
    if series.dtype in _SHORT_FLOATS:
        some = np.flatnonzero(values * 1_024 % 1 != 0)  # 2000.5 is exact, 0.1 is not
        work.note(some, field.name, "float of 32 bits", series, "warning")
    out = pd.Series(values, index=series.index)
    check_missing(field, out, series, work)
    return out


def _far_numbers(values: Numbers) -> NDArray[np.intp]:
    """Return the rows whose number is far above the usual one of the column."""
    some = values[:: max(1, len(values) // _SAMPLED)]
    some = some[some > 0]
    if len(some) < _SOME:
        return np.zeros(0, np.intp)
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((values > _FAR * np.median(some)) & (values <= HUGE))


def _read(field: Field, series: pd.Series, work: Findings) -> NumbersRead:
    """Return a column as numbers, and record what is not and what was rewritten."""
    form = number_format(field, work.columns)
    read = read_numbers(series, form, missing_signs(field, work.columns))
    if read.unread.any():
        work.note(np.flatnonzero(read.unread), field.name, "not a number", series)
    if read.rewritten.any():
        rows = np.flatnonzero(read.rewritten)
        work.note(rows, field.name, "number rewritten", series, "repaired")
    if read.signs.any():
        note_signs(field, series, np.flatnonzero(read.signs), work)
    if form.decimal == "." and form.thousands is None and series.dtype.kind == "O":
        _note_grouped(field, series, work)
    return read


def _note_grouped(field: Field, series: pd.Series, work: Findings) -> None:
    """Record a column whose points may stand between thousands."""
    first = [v.strip() for v in series.head(_LOOKED_AT) if isinstance(v, str)]
    if not all(matches(first, f"{_GROUPED}|{_WHOLE}|")):
        return
    codes, unique = factorize(series)
    place = [n for n, v in enumerate(unique) if isinstance(v, str)]
    texts = [unique[n].strip() for n in place]
    if len(texts) < _LEAST_GROUPED:
        return
    grouped = matches(texts, _GROUPED)
    if grouped.sum() >= _LEAST_GROUPED and (grouped | matches(texts, _WHOLE)).all():
        flags = np.zeros(len(unique) + 1, bool)
        flags[np.array(place)[grouped]] = True
        rows = np.flatnonzero(flags[codes])
        work.note(rows, field.name, "point or thousands", series, "warning")


def _rates(
    field: Field,
    values: Numbers,
    read: NumbersRead,
    series: pd.Series,
    work: Findings,
) -> Numbers:
    """Return duty rates as fractions; a percent sign states the unit of its value."""
    if work.columns.duty_rate_unit == "percent":
        return values / 100.0
    if read.percent.any():
        rows = np.flatnonzero(read.percent)
        work.note(rows, field.name, "percent sign", series, "repaired")
        values = np.where(read.percent, values / 100.0, values)
    too_high = values > HIGHEST_RATE
    work.note(np.flatnonzero(too_high), field.name, "rate in percent", series)
    above_one = (values > 1.0) & ~too_high
    if 2 * above_one.sum() > (values > 0.0).sum():
        work.doubt(np.flatnonzero(above_one), field.name, "high rate", series)
    return values


def _note_out_of_range(
    field: Field, values: Numbers, series: pd.Series, work: Findings
) -> None:
    """Record numbers outside the bounds of their field."""
    outside = np.zeros(len(values), bool)
    if field.low is not None:
        outside |= values < field.low
    if field.high is not None:
        outside |= values > field.high
    is_label = field.kind == "integer" and (field.low, field.high) == (0, 1)
    reason = "not true or false" if is_label else "out of range"
    work.note(np.flatnonzero(outside), field.name, reason, series)


def coerce_integer(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return whole numbers; a label may be written as yes or no."""
    if pd.api.types.is_integer_dtype(series.dtype):
        return _whole_numbers(field, series, work)
    if field.name == "illicit":
        values = read_labels(field, series, work)
    else:
        values = _read(field, series, work).values
    is_fraction = ~np.isnan(values) & (values != np.rint(values))
    work.note(np.flatnonzero(is_fraction), field.name, "not a whole number", series)
    too_large = np.abs(np.nan_to_num(values)) > _LAST_EXACT
    work.note(np.flatnonzero(too_large), field.name, "out of range", series)
    _note_out_of_range(field, np.where(too_large, np.nan, values), series, work)
    is_missing = np.isnan(values) & ~work.bad
    work.note(np.flatnonzero(is_missing), field.name, "missing", series)
    safe = np.where(np.isfinite(values) & ~too_large, values, 0.0)
    return pd.Series(safe.astype(np.int64), index=series.index)


def _whole_numbers(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return whole numbers of a type that holds no others: never by way of floats."""
    is_missing = series.isna().to_numpy(bool)
    filled = series.fillna(0) if is_missing.any() else series
    whole = filled.to_numpy(np.int64)
    _note_out_of_range(field, whole.astype(np.float64), series, work)
    work.note(np.flatnonzero(is_missing & ~work.bad), field.name, "missing", series)
    return pd.Series(whole, index=series.index)
