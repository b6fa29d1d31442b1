"""Columns of dates: one column has one format, which is declared or the only one left.

Which number is the day is never decided row by row. What the whole column leaves open
is refused.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError
from smartrisk.validation._date_formats import (
    CANDIDATES,
    DAY,
    EXCEL,
    EXCEL_1904,
    DateFormat,
    Readings,
    Shapes,
    date_format,
)
from smartrisk.validation._missing import (
    MISSING,
    NOT_AVAILABLE,
    clean_texts,
    factorize,
    is_missing_sign,
)
from smartrisk.validation._number_formats import is_boolean, typed_number

Int: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Moments: TypeAlias = NDArray[np.datetime64]

#: Why a value is not read; the numbers are places in this tuple.
REASONS = (
    "",
    "not a date",
    "ambiguous date",
    "mixed date formats",
    "mixed time zones",
    "no time zone",
    "days turned into months",
)
_NOT_READ, _AMBIGUOUS, _MIXED, _MIXED_ZONES, _NO_ZONE, _TURNED = range(1, 7)
#: A reading is ruled out by any date of a few, but by no single one of many: one typing
#: error, or a column that a spreadsheet half converted, must not decide all others.
_FEW, _SHARE_THAT_RULES_OUT = 30, 0.1
#: First serial number after the day of 1900 that spreadsheets have and the calendar
#: lacks; and the days from 1970 back to day 0 of either system.
_FIRST_SERIAL, _DAY_ZERO = 61, {EXCEL: -25_569, EXCEL_1904: -24_107}
#: Serial numbers hold the time of day to a little better than a millisecond.
_MILLISECONDS = 86_400_000
#: No later serial number is a date that a computer writes: the year 9999.
_LAST_SERIAL = 2_958_465


@dataclass(frozen=True)
class DateRules:
    """What is declared about the dates of a column."""

    date_format: str | None = None
    day_first: bool | None = None
    time_zone: str | None = None
    width: int | None = None
    missing: frozenset[str] = field(default=MISSING | NOT_AVAILABLE)


@dataclass(frozen=True, eq=False)
class DatesRead:
    """Dates of a column or of its unique values, and why others were not read."""

    moments: Moments
    #: Places in `REASONS`; 0 where read or missing.
    reasons: NDArray[np.int8]
    #: Values that had lost a zero in front; signs of missing values.
    restored: Flags
    signs: Flags
    #: Moments that were stated in another time zone.
    converted: Flags
    #: The format; None where it was a type and not a text.
    code: str | None = None

    @property
    def unread(self) -> Flags:
        """Values that are neither missing nor read."""
        return self.reasons > 0

    @property
    def read(self) -> Flags:
        """Values that are read."""
        return ~np.isnat(self.moments)


def read_date_column(series: pd.Series, rules: DateRules) -> DatesRead:
    """Return the dates of a column of any type."""
    if isinstance(series.dtype, pd.ArrowDtype):
        series = _from_arrow(series)
    dtype = series.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        zone = _zone(rules.time_zone or "UTC")
        local = series.dt.tz_convert(zone).dt.tz_localize(None)
        is_same = str(dtype.tz) == str(zone)
        return _keep_typed(local, converted=not is_same)
    if pd.api.types.is_datetime64_dtype(dtype):
        return _keep_typed(series)
    if isinstance(dtype, pd.PeriodDtype):
        is_day = dtype.freq.rule_code in ("D", "h", "min", "s", "ms", "us", "ns")
        return (
            _keep_typed(series.dt.to_timestamp()) if is_day else _nothing_read(series)
        )
    if is_boolean(dtype) or getattr(dtype, "kind", "O") in "cm":
        return _nothing_read(series)
    codes, unique = factorize(series)
    weights = np.bincount(codes[codes >= 0], minlength=len(unique))
    read = read_unique_dates(unique, rules, weights)
    return DatesRead(
        np.append(read.moments, np.datetime64("NaT", "us"))[codes],
        np.append(read.reasons, np.int8(0))[codes],
        np.append(read.restored, False)[codes],
        np.append(read.signs, False)[codes],
        np.append(read.converted, False)[codes],
        read.code,
    )


def _from_arrow(series: pd.Series) -> pd.Series:
    """Return a column of Arrow as pandas has it without Arrow."""
    kind = cast(pd.ArrowDtype, series.dtype).pyarrow_dtype
    if pa.types.is_date(kind):
        return series.astype("datetime64[us]")
    if pa.types.is_timestamp(kind):
        zone = kind.tz
        kind = np.dtype("datetime64[us]") if zone is None else _aware_dtype(zone)
        return series.astype(kind)
    return series


def _aware_dtype(zone: str) -> pd.DatetimeTZDtype:
    """Return the type of moments in a time zone."""
    return pd.DatetimeTZDtype("us", zone)


def _keep_typed(series: pd.Series, *, converted: bool = False) -> DatesRead:
    """Return moments that have their type already."""
    moments = series.to_numpy(dtype="datetime64[us]")
    none = np.zeros(len(moments), bool)
    is_converted = ~np.isnat(moments) if converted else none
    return DatesRead(moments, np.zeros(len(moments), np.int8), none, none, is_converted)


def _nothing_read(series: pd.Series) -> DatesRead:
    """Return a column of which nothing is a date."""
    none = np.zeros(len(series), bool)
    reasons = np.where(series.notna(), _NOT_READ, 0).astype(np.int8)
    moments = np.full(len(series), "NaT", "datetime64[us]")
    return DatesRead(moments, reasons, none, none, none)


def read_unique_dates(
    unique: NDArray[np.object_], rules: DateRules, weights: Int | None = None
) -> DatesRead:
    """Return the dates of unique values, each with the number of its rows."""
    n = len(unique)
    found = _Found(n)
    texts = found.sort_out(unique, rules)
    places = np.flatnonzero(found.is_text)
    if rules.date_format in _DAY_ZERO:
        found.read_serials(texts, places, rules.date_format)
    elif len(places):
        rows = np.ones(n, np.int64) if weights is None else weights
        found.read_texts(texts, places, rows[places], rules)
    return found.result(rules)


class _Found:
    """What is found of unique values, while they are read."""

    def __init__(self, n: int) -> None:
        self.moments = np.zeros(n, np.int64)
        self.offsets = np.zeros(n, np.int64)
        self.reasons = np.zeros(n, np.int8)
        self.read, self.aware, self.restored, self.signs, self.is_text = (
            np.zeros(n, bool) for _ in range(5)
        )
        self.code: str | None = None
        self._year_first = True

    def sort_out(self, unique: NDArray[np.object_], rules: DateRules) -> list[str]:
        """Read moments, find signs of missing values; return what are texts."""
        raw: list[Any] = []
        for place, value in enumerate(unique):
            if isinstance(value, (str, bytes)):
                self.is_text[place] = True
                raw.append(value)
            elif isinstance(value, (datetime.date, np.datetime64)):
                self._read_moment(place, value)
            else:
                number = typed_number(value)
                self.is_text[place] = number is not None
                if number is None:
                    self.reasons[place] = _NOT_READ
                else:
                    is_whole = math.isfinite(number) and number.is_integer()
                    raw.append(str(int(value)) if is_whole else str(value))
        texts = clean_texts(np.array([*raw, None], object)[:-1])
        if rules.width is not None:
            texts = self._fill(texts, rules.width)
        places = np.flatnonzero(self.is_text)
        is_sign = is_missing_sign(texts, rules.missing)
        self.signs[places[is_sign]] = True
        self.is_text[places[is_sign]] = False
        return [t for t, s in zip(texts, is_sign, strict=True) if not s]

    def _fill(self, texts: list[str], width: int) -> list[str]:
        """Return texts of digits with the zeros that they lost."""
        filled = [t.zfill(width) if t.isdigit() else t for t in texts]
        changed = [a != b for a, b in zip(texts, filled, strict=True)]
        self.restored[np.flatnonzero(self.is_text)[changed]] = True
        return filled

    def _read_moment(self, place: int, value: Any) -> None:
        """Read a moment or a day that is no text."""
        try:
            moment = pd.Timestamp(value)
            offset = moment.utcoffset()
            if offset is not None:
                self.aware[place] = True
                self.offsets[place] = offset // datetime.timedelta(microseconds=1)
                moment = moment.tz_convert("UTC").tz_localize(None)
            self.moments[place] = moment.as_unit("us").asm8.astype(np.int64)
            self.read[place] = True
        except (ValueError, TypeError, OverflowError):
            self.reasons[place] = _NOT_READ

    def read_serials(
        self, texts: list[str], places: NDArray[np.intp], system: str
    ) -> None:
        """Read days since 1900 or 1904, with the time of day as a fraction."""
        self.code = system
        for place, text in zip(places, texts, strict=True):
            try:
                number = float(text) if text.isascii() and "_" not in text else math.nan
            except ValueError:
                number = math.nan
            if _FIRST_SERIAL <= number <= _LAST_SERIAL:
                milliseconds = round((number + _DAY_ZERO[system]) * _MILLISECONDS)
                self.moments[place] = milliseconds * 1000
                self.read[place] = True
            else:
                self.reasons[place] = _NOT_READ

    def read_texts(
        self,
        texts: list[str],
        places: NDArray[np.intp],
        weights: Int,
        rules: DateRules,
    ) -> None:
        """Read texts in the declared format, or in the only one that is left."""
        shapes = Shapes(texts)
        form: DateFormat | None
        if rules.date_format is not None:
            form = date_format(rules.date_format)
            readings, reasons = shapes.read(form), np.zeros(len(texts), np.int8)
            reasons[~readings.read] = _NOT_READ
        else:
            form, readings, reasons = _choose(shapes, weights, rules.day_first)
        is_read = readings.read & (reasons == 0)
        self.reasons[places] = reasons
        self.read[places] = is_read
        self.moments[places] = readings.moments
        self.offsets[places] = readings.offsets
        self.aware[places] = readings.aware & is_read
        self.restored[places] |= readings.restored & is_read
        self.code = None if form is None else form.code
        self._year_first = form is None or form.code.startswith(("%Y", "iso"))

    def result(self, rules: DateRules) -> DatesRead:
        """Return what was read, in one time zone."""
        self._refuse_half_converted(rules)
        converted = self._to_one_zone(rules.time_zone)
        moments = self.moments.astype("datetime64[us]")
        moments[~self.read] = np.datetime64("NaT", "us")
        restored = self.restored & self.read
        return DatesRead(
            moments, self.reasons, restored, self.signs, converted, self.code
        )

    def _refuse(self, places: Flags, reason: int) -> None:
        """Leave values unread for a reason."""
        self.reasons[places] = reason
        self.read[places] = False

    def _refuse_half_converted(self, rules: DateRules) -> None:
        """Refuse texts beside moments, of which a spreadsheet made some.

        It converts 03/04/2024 to the fourth of March where days come first, and leaves
        25/04/2024 as it is.
        """
        texts, typed = self.read & self.is_text, self.read & ~self.is_text
        if self._year_first or not (texts.any() and typed.any()):
            return
        if (_day_of(self.moments[typed]) <= 12).all() and (
            _day_of(self.moments[texts]) > 12
        ).all():
            self._refuse(texts | typed, _TURNED)
        elif rules.date_format is None and rules.day_first is None:
            self._refuse(texts | typed, _MIXED)

    def _to_one_zone(self, name: str | None) -> Flags:
        """Put aware moments into the declared time zone, or refuse them."""
        aware = self.aware & self.read
        none = np.zeros(len(aware), bool)
        if not aware.any():
            return none
        if name is None:
            if (self.read & ~aware).any():
                self._refuse(self.read.copy(), _MIXED_ZONES)
            elif self.offsets[aware].any():
                self._refuse(aware, _NO_ZONE)
            return none
        moments = pd.DatetimeIndex(self.moments[aware].astype("datetime64[us]"))
        local = moments.tz_localize("UTC").tz_convert(_zone(name)).tz_localize(None)
        utc = self.moments[aware] + self.offsets[aware]
        self.moments[aware] = np.asarray(local, "datetime64[us]").astype(np.int64)
        none[aware] = self.moments[aware] != utc
        return none


def _zone(name: str) -> Any:
    """Return a time zone, or raise where nobody knows it."""
    if name == "UTC":
        return datetime.UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ArgumentError(
            "validation.time_zone_unknown",
            "ColumnMap: 'time_zone' {name!r} is not known. Write a name of the IANA "
            "database, such as 'Africa/Dakar', or 'UTC'.",
            name=name,
        ) from error


def _day_of(moments: Int) -> Int:
    """Return the day of the month."""
    days = moments.astype("datetime64[us]").astype("datetime64[D]")
    first = days.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray((days - first).astype(np.int64) + 1)


def _choose(
    shapes: Shapes, weights: Int, day_first: bool | None
) -> tuple[DateFormat | None, Readings, NDArray[np.int8]]:
    """Return the format of a column, what it reads, and why other texts are not.

    The format is the one that reads most rows. Another one that reads the same texts
    otherwise must be ruled out by texts that it cannot read.
    """
    found = [(form, shapes.read(form)) for form in CANDIDATES if _fits(form, day_first)]
    found = [(form, readings) for form, readings in found if readings.read.any()]
    n = shapes.n_texts
    if not found:
        zero, none = np.zeros(n, np.int64), np.zeros(n, bool)
        empty = Readings(zero, none, none, zero, none)
        return None, empty, np.full(n, _NOT_READ, np.int8)
    best, readings = max(found, key=lambda pair: int(weights[pair[1].read].sum()))
    reasons = np.where(readings.read, 0, _NOT_READ).astype(np.int8)
    for form, other in found:
        if form is best:
            continue
        reasons[other.read & ~readings.read] = _MIXED
        differ = readings.read & other.read & (readings.moments != other.moments)
        if differ.any() and not _is_ruled_out(readings, other):
            reasons[differ] = _AMBIGUOUS
    return best, readings, reasons


def _fits(form: DateFormat, day_first: bool | None) -> bool:
    """Return whether a format agrees with what is declared; short years do too."""
    if day_first is None:
        return True
    if form.short or form.order != "ymd":
        return form.order == ("dmy" if day_first else "mdy")
    return True


def _is_ruled_out(best: Readings, other: Readings) -> bool:
    """Return whether enough texts that one format reads are none of the other's."""
    if (other.read & ~best.read).any():
        return False
    n_read = len(np.unique(best.moments[best.read] // DAY))
    against = best.read & ~other.read
    n_against = len(np.unique(best.moments[against] // DAY))
    needed = 1 if n_read < _FEW else math.ceil(_SHARE_THAT_RULES_OUT * n_read)
    return n_against >= needed
