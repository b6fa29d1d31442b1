"""From what an administration writes to canonical values, without loss."""

from __future__ import annotations

import decimal
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.schema import ColumnMap, Field
from smartrisk.validation._report import Findings

MISSING = {"", "N/A", "n/a", "#N/A", "NULL", "null", "None", "none", "NaN", "nan", "-"}
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Somewhere in texts joined by a bar: a control character or a blank at an edge.
_UNTIDY = re.compile(r"[\x00-\x1f\x7f]|\| | \|")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}")


def is_canonical(field: Field, value: Any) -> bool:
    """Tell whether a single value is as the house wants it, so needs no checking.

    Parameters
    ----------
    field : Field
        The field that the value is for.
    value : object
        The value.

    Returns
    -------
    answer : bool
        False also where only a closer look could tell.

    Examples
    --------
    >>> from smartrisk.schema import DECLARATIONS
    >>> from smartrisk.validation import is_canonical
    >>> is_canonical(DECLARATIONS["tariff_code"], "010121")
    True
    >>> is_canonical(DECLARATIONS["tariff_code"], 10121)
    False
    """
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return field.nullable
    if field.kind == "number":
        known = isinstance(value, (float, int)) and not isinstance(value, bool)
        low = -np.inf if field.low is None else field.low
        high = 10.0 if field.name == "duty_rate" else np.inf
        return known and low <= value <= high and abs(value) != np.inf
    if field.kind == "datetime":
        return (
            isinstance(value, pd.Timestamp)
            and value.tz is None
            and (1900 <= value.year <= 2200)
        )
    if field.kind == "boolean":
        return isinstance(value, (bool, np.bool_))
    if field.kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not isinstance(value, str) or _clean_text(value) != value:
        return False
    if field.pattern is not None:
        return re.fullmatch(field.pattern, value) is not None
    return field.kind == "text" or value == value.upper()


def _texts(series: pd.Series) -> tuple[np.ndarray[Any, Any], Any]:
    """Return (codes, unique values); work is done on the unique ones."""
    codes, unique = pd.factorize(series)
    return codes, np.asarray(unique, dtype=object)


def _clean_text(value: Any) -> str | None:
    """Return a text in one canonical spelling; None when it says missing."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = _CONTROL.sub(" ", text).strip()
    return None if text in MISSING else text


def _cleaned(unique: Any) -> list[str | None]:
    """Return texts in their canonical spelling; at once where all have it already."""
    if all(type(v) is str for v in unique) and MISSING.isdisjoint(unique):
        joined = "|".join(["", *unique, ""])
        if joined.isascii() and not _UNTIDY.search(joined):
            return list(unique)
    return [_clean_text(v) for v in unique]


def _spread(codes: Any, values: list[Any], index: pd.Index) -> pd.Series:
    """Return values of unique codes as a text column; -1 is missing."""
    table = np.array([*values, None], dtype=object)
    return pd.Series(table[codes], index=index, dtype="str")


def _coerce_text(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    codes, unique = _texts(series)
    cleaned = _cleaned(unique)
    out = (
        series
        if series.dtype == "str" and all(map(_same, cleaned, unique))
        else _spread(codes, cleaned, series.index)
    )
    if field.role == "key":
        odd = np.array([bool(c and _SCIENTIFIC.fullmatch(c)) for c in cleaned], bool)
        rows = np.flatnonzero(np.append(odd, False)[codes])
        work.note(rows, field.name, "scientific notation", series)
    _check_missing(field, out, series, work)
    return out


def _same(left: Any, right: Any) -> bool:
    return left is not None and left == right


def _coerce_code(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    if field.name == "tariff_code":
        return _coerce_tariff(field, series, work)
    codes, unique = _texts(series)
    keep_na = field.name in ("origin", "departure")
    cleaned: list[str | None] = []
    for value in unique:
        text = "NA" if keep_na and value == "NA" else _clean_text(value)
        if text is not None and text.endswith(".0") and text[:-2].isdigit():
            text = text[:-2]
        cleaned.append(text if field.codes or text is None else text.upper())
    if field.codes:
        cleaned = [c.lower() if c is not None else None for c in cleaned]
        wrong = np.array([c is not None and c not in field.codes for c in cleaned])
        rows = np.flatnonzero(np.append(wrong, False).astype(bool)[codes])
        work.note(rows, field.name, "not in list", series)
    if series.dtype == "str" and all(map(_same, cleaned, unique)):
        out = series
    else:
        out = _spread(codes, cleaned, series.index)
    _check_missing(field, out, series, work)
    return out


def _coerce_tariff(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    codes, unique = _texts(series)
    width = work.columns.tariff_digits
    cleaned, repaired, wrong, odd = [], [], [], []
    for value in unique:
        fixed, doubtful = _one_tariff(value, width)
        good = fixed is None or re.fullmatch(field.pattern or ".*", fixed) is not None
        cleaned.append(fixed if good else None)
        repaired.append(good and fixed is not None and fixed != value)
        wrong.append(not good)
        odd.append(good and doubtful)
    at = np.append(np.array(wrong, bool), False)[codes]
    work.note(np.flatnonzero(at), field.name, "bad pattern", series)
    fixed_rows = np.flatnonzero(np.append(np.array(repaired, bool), False)[codes])
    work.note(fixed_rows, field.name, "restored code", series, "repaired")
    odd_rows = np.flatnonzero(np.append(np.array(odd, bool), False)[codes])
    work.note(odd_rows, field.name, "odd number of digits", series, "warning")
    if series.dtype == "str" and all(map(_same, cleaned, unique)):
        return series
    out = _spread(codes, cleaned, series.index)
    _check_missing(field, out, series, work, skip=at)
    return out


def _one_tariff(value: Any, width: int | None) -> tuple[str | None, bool]:
    """Return a tariff code, and whether it may have lost a zero that we cannot tell.

    A number of 5, 7 or 9 digits lost its leading zero for certain, and so did any
    text of 5. A longer text is kept: codes of 7, 9 and 11 digits exist, and a table
    that is checked twice must come out as it did the first time.
    """
    text = _clean_text(value)
    if text is None:
        return None, False
    whole = _no_point_zero(text)
    plain = re.sub(r"[\s.]", "", whole)
    if not plain.isdigit() or not _well_parted(whole):
        return whole, False
    if width is not None:
        return plain.zfill(width), False
    if len(plain) == 5:
        return "0" + plain, False
    if len(plain) in (7, 9):
        number = not isinstance(value, (str, bytes)) or whole != text
        return ("0" + plain, False) if number else (plain, True)
    return plain, False


def _well_parted(text: str) -> bool:
    """Tell whether points stand where those of a tariff code do: not in 6403.9."""
    first, *others = text.split(".")
    return not others or (len(first) % 2 == 0 and all(len(part) > 1 for part in others))


def _no_point_zero(text: str) -> str:
    """Return ``90121.0`` as ``90121``; ``6403.99`` keeps its digits."""
    head, point, tail = text.partition(".")
    return head if point and tail == "0" and len(head) > 4 else text


def _coerce_number(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    if pd.api.types.is_bool_dtype(series.dtype):
        work.note(np.arange(len(series)), field.name, "not a number", series)
        return pd.Series(np.nan, index=series.index)
    values = _numbers(field, series, work)
    infinite = np.isinf(values)
    work.note(np.flatnonzero(infinite), field.name, "infinite", series)
    values = np.where(infinite, np.nan, values)
    if field.name == "duty_rate" and work.columns.duty_rate_unit == "percent":
        values = values / 100.0
    if field.name == "duty_rate" and work.columns.duty_rate_unit == "fraction":
        high = values > 10
        work.note(np.flatnonzero(high), field.name, "rate in percent", series)
    factor = work.columns.factors.get(field.name)
    if factor is not None:
        values = values * factor
    outside = np.zeros(len(values), bool)
    if field.low is not None:
        outside |= values < field.low
    if field.high is not None:
        outside |= values > field.high
    work.note(np.flatnonzero(outside), field.name, "out of range", series)
    out = pd.Series(values, index=series.index)
    _check_missing(field, out, series, work)
    return out


def _numbers(field: Field, series: pd.Series, work: Findings) -> Any:
    """Return a column as floats; texts are read by the signs of the ColumnMap."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, unique = _texts(series)
    values, wrong = [], []
    for value in unique:
        number = _one_number(value, work.columns)
        wrong.append(number is None)
        values.append(np.nan if number is None else number)
    rows = np.flatnonzero(np.append(np.array(wrong, bool), False)[codes])
    work.note(rows, field.name, "not a number", series)
    return np.array([*values, np.nan], np.float64)[codes]


def _one_number(value: Any, columns: ColumnMap) -> float | None:
    """Return a number, NaN for missing, None for what cannot be read for sure."""
    if not isinstance(value, str):
        if isinstance(value, (bool, np.bool_)):
            return None
        try:
            return float(value)
        except (TypeError, ValueError):
            return None
    text = value.strip().replace("\u00a0", "").replace("\u202f", "")
    if text in MISSING:
        return float("nan")
    if columns.thousands:
        text = text.replace(columns.thousands, "")
    if columns.decimal != ".":
        if "." in text:
            return None
        text = text.replace(columns.decimal, ".")
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    return float(text)


def _coerce_integer(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    if pd.api.types.is_integer_dtype(series.dtype) and not series.isna().any():
        values = series.to_numpy(np.float64)
    elif field.name == "illicit":
        values = _labels(field, series, work)
    else:
        values = _numbers(field, series, work)
    bad = ~np.isnan(values) & (values != np.rint(values))
    work.note(np.flatnonzero(bad), field.name, "not a whole number", series)
    outside = np.zeros(len(values), bool)
    if field.low is not None:
        outside |= values < field.low
    if field.high is not None:
        outside |= values > field.high
    work.note(np.flatnonzero(outside), field.name, "out of range", series)
    gone = np.isnan(values) & ~work.bad
    if not field.nullable or field.kind == "integer":
        work.note(np.flatnonzero(gone), field.name, "missing", series)
    safe = np.where(np.isfinite(values), values, 0.0)
    return pd.Series(safe.astype(np.int64), index=series.index)


def _labels(field: Field, series: pd.Series, work: Findings) -> Any:
    """Return yes and no as 1 and 0."""
    codes, unique = _texts(series)
    known = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    values, wrong = [], []
    for value in unique:
        text = str(value).strip().lower()
        number = known.get(text)
        if number is None and text not in {m.lower() for m in MISSING}:
            number = _one_number(value, work.columns)
            wrong.append(number is None)
        else:
            wrong.append(False)
        values.append(np.nan if number is None else number)
    rows = np.flatnonzero(np.append(np.array(wrong, bool), False)[codes])
    work.note(rows, field.name, "not true or false", series)
    return np.array([*values, np.nan], np.float64)[codes]


def _coerce_boolean(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    if series.dtype == "boolean":
        return series
    values = (
        series.to_numpy(np.float64)
        if pd.api.types.is_bool_dtype(series.dtype)
        else _labels(field, series, work)
    )
    outside = ~np.isnan(values) & (values != 0) & (values != 1)
    work.note(np.flatnonzero(outside), field.name, "not true or false", series)
    out = pd.Series(values == 1, index=series.index, dtype="boolean")
    out[np.isnan(values) | outside] = pd.NA
    return out


def _coerce_datetime(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        out = series
    elif pd.api.types.is_numeric_dtype(series.dtype):
        out = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us]")
        if work.columns.date_format:
            out = _parsed_dates(field, series.astype("Int64").astype("str"), work)
        else:
            rows = np.flatnonzero(series.notna())
            work.note(rows, field.name, "date out of range", series)
    else:
        out = _parsed_dates(field, series, work)
    if getattr(out.dt, "tz", None) is not None:
        out = out.dt.tz_convert("UTC").dt.tz_localize(None)
    if out.dtype != "datetime64[us]":
        out = out.astype("datetime64[us]")
    year = out.dt.year
    odd = ((year < 1900) | (year > 2200)).to_numpy()
    work.note(np.flatnonzero(odd), field.name, "date out of range", series)
    _check_missing(field, out, series, work)
    return out


def _parsed_dates(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Read dates written as text, on their unique values."""
    codes, unique = _texts(series)
    texts = [_clean_text(v) if isinstance(v, str) else v for v in unique]
    parsed, doubt, wrong = [], [], []
    for value in texts:
        moment, unsure = _one_date(value, work.columns)
        gone = value is None
        parsed.append(moment)
        doubt.append(unsure)
        wrong.append(moment is pd.NaT and not gone and not unsure)
    rows = np.flatnonzero(np.append(np.array(doubt, bool), False)[codes])
    work.note(rows, field.name, "ambiguous date", series)
    rows = np.flatnonzero(np.append(np.array(wrong, bool), False)[codes])
    work.note(rows, field.name, "not a date", series)
    table = pd.Series([*parsed, pd.NaT], dtype="datetime64[us]").to_numpy()
    return pd.Series(table[codes], index=series.index)


def _one_date(value: Any, columns: ColumnMap) -> tuple[Any, bool]:
    """Return (moment, ambiguous); NaT where it cannot be read."""
    if value is None:
        return pd.NaT, False
    try:
        if isinstance(value, (int, float, decimal.Decimal, np.number)):
            return pd.NaT, False  # a serial number of some spreadsheet or system
        if not isinstance(value, str):
            return _naive(pd.Timestamp(value)), False
        if columns.date_format:
            return _naive(pd.to_datetime(value, format=columns.date_format)), False
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return _naive(pd.Timestamp(value)), False
        match = re.match(r"([0-9]{1,2})([/.\-])([0-9]{1,2})\2([0-9]{4})(.*)", value)
        if match is None:
            if re.fullmatch(r"[0-9.]+", value):
                return pd.NaT, False
            return _naive(pd.Timestamp(value)), False
        first, second = int(match[1]), int(match[3])
        if columns.day_first is None and first <= 12 and second <= 12:
            return pd.NaT, True
        day_first = columns.day_first if columns.day_first is not None else first > 12
        day, month = (first, second) if day_first else (second, first)
        text = f"{match[4]}-{month:02d}-{day:02d}{match[5]}"
        return _naive(pd.Timestamp(text)), False
    except (ValueError, TypeError, OverflowError):
        return pd.NaT, False


def _naive(moment: Any) -> Any:
    """Return a moment without zone, in UTC, if it can be kept in microseconds."""
    if pd.isna(moment):
        return pd.NaT
    if moment.tz is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    return moment.as_unit("us")


COERCE: dict[str, Callable[[Field, pd.Series, Findings], pd.Series]] = {
    "text": _coerce_text,
    "code": _coerce_code,
    "number": _coerce_number,
    "integer": _coerce_integer,
    "boolean": _coerce_boolean,
    "datetime": _coerce_datetime,
}


def _check_missing(
    field: Field, out: pd.Series, series: pd.Series, work: Findings, skip: Any = None
) -> None:
    """Take down missing values of a field that must have one."""
    if field.nullable:
        return
    gone = out.isna().to_numpy() & ~work.bad
    if skip is not None:
        gone &= ~skip
    work.note(np.flatnonzero(gone), field.name, "missing", series)
