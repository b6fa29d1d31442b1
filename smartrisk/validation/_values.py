"""Values as an administration writes them, coerced to canonical ones without loss."""

from __future__ import annotations

import decimal
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import ColumnMap, Field
from smartrisk.validation._report import Findings

Codes: TypeAlias = NDArray[np.intp]
Unique: TypeAlias = NDArray[np.object_]
Numbers: TypeAlias = NDArray[np.float64]

#: Texts that mean a missing value. "NA" is not among them: it is Namibia.
MISSING = frozenset(
    {"", "N/A", "n/a", "#N/A", "NULL", "null", "None", "none", "NaN", "nan", "-"}
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: In texts joined by bars: a control character, or a blank at the edge of a text.
_UNTIDY = re.compile(r"[\x00-\x1f\x7f]|\| | \|")
#: An identifier that a spreadsheet turned into a number and rounded.
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}")


#: No ad valorem duty rate exceeds 1,000 %; a larger fraction was meant as percent.
_HIGHEST_RATE = 10.0
#: Years of a date that can be right; others are serial numbers or typing errors.
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
#: Texts of a yes-or-no field.
_YES_OR_NO: Mapping[str, float] = MappingProxyType(
    {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
)


def is_canonical(field: Field, value: Any) -> bool:
    """Return whether a single value is canonical, so that it needs no check.

    Parameters
    ----------
    field : Field
        The field that the value is for.
    value : object
        The value.

    Returns
    -------
    answer : bool
        False also where only a full check could decide.

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
        is_number = isinstance(value, (float, int)) and not isinstance(value, bool)
        low = -np.inf if field.low is None else field.low
        high = _HIGHEST_RATE if field.name == "duty_rate" else np.inf
        return is_number and low <= value <= high and abs(value) != np.inf
    if field.kind == "datetime":
        return (
            isinstance(value, pd.Timestamp)
            and value.tz is None
            and (_FIRST_YEAR <= value.year <= _LAST_YEAR)
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


def _factorize(series: pd.Series) -> tuple[Codes, Unique]:
    """Return codes and unique values; work is done on the unique ones only."""
    codes, unique = pd.factorize(series)
    return codes, np.asarray(unique, dtype=object)


def _clean_text(value: Any) -> str | None:
    """Return a text in one canonical spelling; None where it means missing."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = _CONTROL.sub(" ", text).strip()
    return None if text in MISSING else text


def _clean_texts(unique: Unique) -> list[str | None]:
    """Return texts in their canonical spelling, fast where all have it already."""
    if all(type(v) is str for v in unique) and MISSING.isdisjoint(unique):
        joined = "|".join(["", *unique, ""])
        if joined.isascii() and not _UNTIDY.search(joined):
            return list(unique)
    return [_clean_text(v) for v in unique]


def _rows_where(codes: Codes, flags: Iterable[bool]) -> NDArray[np.intp]:
    """Return the rows whose unique value is flagged; missing values are not."""
    table = np.array([*flags, False], bool)
    return np.flatnonzero(table[codes])


def _text_column(
    codes: Codes, values: Sequence[str | None], index: pd.Index
) -> pd.Series:
    """Return values of unique codes as a text column; -1 is missing."""
    table = np.array([*values, None], dtype=object)
    return pd.Series(table[codes], index=index, dtype="str")


def _coerce_text(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return texts cleaned; keys that a spreadsheet rounded fail."""
    codes, unique = _factorize(series)
    cleaned = _clean_texts(unique)
    if series.dtype == "str" and _are_equal(cleaned, unique):
        out = series
    else:
        out = _text_column(codes, cleaned, series.index)
    if field.role == "key":
        rounded = [bool(c and _SCIENTIFIC.fullmatch(c)) for c in cleaned]
        rows = _rows_where(codes, rounded)
        work.note(rows, field.name, "scientific notation", series)
    _check_missing(field, out, series, work)
    return out


def _are_equal(cleaned: Sequence[str | None], unique: Unique) -> bool:
    """Return whether cleaning changed nothing."""
    pairs = zip(cleaned, unique, strict=True)
    return all(left is not None and left == right for left, right in pairs)


def _coerce_code(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return codes in upper case; those of a closed list in lower case."""
    if field.name == "tariff_code":
        return _coerce_tariff(field, series, work)
    codes, unique = _factorize(series)
    cleaned: list[str | None] = []
    for value in unique:
        text = _clean_text(value)
        if text is not None and text.endswith(".0") and text[:-2].isdigit():
            text = text[:-2]
        cleaned.append(text if field.codes or text is None else text.upper())
    if field.codes:
        cleaned = [c.lower() if c is not None else None for c in cleaned]
        wrong = [c is not None and c not in field.codes for c in cleaned]
        work.note(_rows_where(codes, wrong), field.name, "not in list", series)
    if series.dtype == "str" and _are_equal(cleaned, unique):
        out = series
    else:
        out = _text_column(codes, cleaned, series.index)
    _check_missing(field, out, series, work)
    return out


def _coerce_tariff(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return tariff codes as digits, with the leading zeros that can be restored."""
    codes, unique = _factorize(series)
    width = work.columns.tariff_digits
    cleaned, repaired, wrong, doubtful = [], [], [], []
    for value in unique:
        code, is_doubtful = _one_tariff(value, width)
        is_valid = code is None or re.fullmatch(field.pattern or ".*", code) is not None
        cleaned.append(code if is_valid else None)
        repaired.append(is_valid and code is not None and code != value)
        wrong.append(not is_valid)
        doubtful.append(is_valid and is_doubtful)
    is_wrong = np.append(np.array(wrong, bool), False)[codes]
    work.note(np.flatnonzero(is_wrong), field.name, "bad pattern", series)
    rows = _rows_where(codes, repaired)
    work.note(rows, field.name, "restored code", series, "repaired")
    rows = _rows_where(codes, doubtful)
    work.note(rows, field.name, "odd number of digits", series, "warning")
    if series.dtype == "str" and _are_equal(cleaned, unique):
        out = series
    else:
        out = _text_column(codes, cleaned, series.index)
    _check_missing(field, out, series, work, skip=is_wrong)
    return out


def _one_tariff(value: Any, width: int | None) -> tuple[str | None, bool]:
    """Return a tariff code, and whether it may have lost a leading zero.

    A number of 5, 7 or 9 digits certainly lost its leading zero, and so did any text
    of 5. A longer text is kept: codes of 7, 9 and 11 digits exist, and the second
    check of a table must not change what the first one returned.
    """
    text = _clean_text(value)
    if text is None:
        return None, False
    whole = _drop_point_zero(text)
    plain = re.sub(r"[\s.]", "", whole)
    if not plain.isdigit() or not _has_code_points(whole):
        return whole, False
    if width is not None:
        return plain.zfill(width), False
    if len(plain) == 5:
        return "0" + plain, False
    if len(plain) in (7, 9):
        number = not isinstance(value, (str, bytes)) or whole != text
        return ("0" + plain, False) if number else (plain, True)
    return plain, False


def _has_code_points(text: str) -> bool:
    """Return whether points separate pairs of digits: in 6403.99, not in 6403.9."""
    first, *others = text.split(".")
    return not others or (len(first) % 2 == 0 and all(len(part) > 1 for part in others))


def _drop_point_zero(text: str) -> str:
    """Return ``90121.0`` as ``90121``; ``6403.99`` keeps its digits."""
    head, point, tail = text.partition(".")
    return head if point and tail == "0" and len(head) > 4 else text


def _note_out_of_range(
    field: Field, values: Numbers, series: pd.Series, work: Findings
) -> None:
    """Record numbers outside the bounds of their field."""
    outside = np.zeros(len(values), bool)
    if field.low is not None:
        outside |= values < field.low
    if field.high is not None:
        outside |= values > field.high
    work.note(np.flatnonzero(outside), field.name, "out of range", series)


def _coerce_number(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return numbers in the unit of the field; infinite ones fail."""
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
        too_high = values > _HIGHEST_RATE
        work.note(np.flatnonzero(too_high), field.name, "rate in percent", series)
    factor = work.columns.factors.get(field.name)
    if factor is not None:
        values = values * factor
    _note_out_of_range(field, values, series, work)
    out = pd.Series(values, index=series.index)
    _check_missing(field, out, series, work)
    return out


def _numbers(field: Field, series: pd.Series, work: Findings) -> Numbers:
    """Return a column as floats; texts are read by the signs of the ColumnMap."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    codes, unique = _factorize(series)
    values, wrong = [], []
    for value in unique:
        number = _one_number(value, work.columns)
        wrong.append(number is None)
        values.append(np.nan if number is None else number)
    rows = _rows_where(codes, wrong)
    work.note(rows, field.name, "not a number", series)
    return np.array([*values, np.nan], np.float64)[codes]


def _one_number(value: Any, columns: ColumnMap) -> float | None:
    """Return a number, NaN where missing, None where it cannot be read for certain."""
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
    """Return whole numbers; a label may be written as yes or no."""
    if pd.api.types.is_integer_dtype(series.dtype) and not series.isna().any():
        values = series.to_numpy(np.float64)
    elif field.name == "illicit":
        values = _labels(field, series, work)
    else:
        values = _numbers(field, series, work)
    is_fraction = ~np.isnan(values) & (values != np.rint(values))
    work.note(np.flatnonzero(is_fraction), field.name, "not a whole number", series)
    _note_out_of_range(field, values, series, work)
    is_missing = np.isnan(values) & ~work.bad
    if not field.nullable or field.kind == "integer":
        work.note(np.flatnonzero(is_missing), field.name, "missing", series)
    safe = np.where(np.isfinite(values), values, 0.0)
    return pd.Series(safe.astype(np.int64), index=series.index)


def _labels(field: Field, series: pd.Series, work: Findings) -> Numbers:
    """Return yes and no as 1 and 0."""
    codes, unique = _factorize(series)
    missing = {text.lower() for text in MISSING}
    values, wrong = [], []
    for value in unique:
        text = str(value).strip().lower()
        number = _YES_OR_NO.get(text)
        if number is None and text not in missing:
            number = _one_number(value, work.columns)
            wrong.append(number is None)
        else:
            wrong.append(False)
        values.append(np.nan if number is None else number)
    rows = _rows_where(codes, wrong)
    work.note(rows, field.name, "not true or false", series)
    return np.array([*values, np.nan], np.float64)[codes]


def _coerce_boolean(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return yes and no as nullable booleans."""
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
    """Return moments without zone, in UTC and microseconds."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        out = series
    elif pd.api.types.is_numeric_dtype(series.dtype):
        out = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us]")
        if work.columns.date_format:
            out = _parse_dates(field, series.astype("Int64").astype("str"), work)
        else:
            rows = np.flatnonzero(series.notna())
            work.note(rows, field.name, "date out of range", series)
    else:
        out = _parse_dates(field, series, work)
    if getattr(out.dt, "tz", None) is not None:
        out = out.dt.tz_convert("UTC").dt.tz_localize(None)
    if out.dtype != "datetime64[us]":
        out = out.astype("datetime64[us]")
    year = out.dt.year
    is_odd = ((year < _FIRST_YEAR) | (year > _LAST_YEAR)).to_numpy()
    work.note(np.flatnonzero(is_odd), field.name, "date out of range", series)
    _check_missing(field, out, series, work)
    return out


def _parse_dates(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Read dates written as text, on their unique values."""
    codes, unique = _factorize(series)
    texts = [_clean_text(v) if isinstance(v, str) else v for v in unique]
    parsed, ambiguous, wrong = [], [], []
    for value in texts:
        moment, is_ambiguous = _one_date(value, work.columns)
        parsed.append(moment)
        ambiguous.append(is_ambiguous)
        wrong.append(moment is pd.NaT and value is not None and not is_ambiguous)
    rows = _rows_where(codes, ambiguous)
    work.note(rows, field.name, "ambiguous date", series)
    rows = _rows_where(codes, wrong)
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
            return _drop_zone(pd.Timestamp(value)), False
        if columns.date_format:
            return _drop_zone(pd.to_datetime(value, format=columns.date_format)), False
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return _drop_zone(pd.Timestamp(value)), False
        match = re.match(r"([0-9]{1,2})([/.\-])([0-9]{1,2})\2([0-9]{4})(.*)", value)
        if match is None:
            if re.fullmatch(r"[0-9.]+", value):
                return pd.NaT, False
            return _drop_zone(pd.Timestamp(value)), False
        first, second = int(match[1]), int(match[3])
        if columns.day_first is None and first <= 12 and second <= 12:
            return pd.NaT, True
        day_first = columns.day_first if columns.day_first is not None else first > 12
        day, month = (first, second) if day_first else (second, first)
        text = f"{match[4]}-{month:02d}-{day:02d}{match[5]}"
        return _drop_zone(pd.Timestamp(text)), False
    except (ValueError, TypeError, OverflowError):
        return pd.NaT, False


def _drop_zone(moment: Any) -> Any:
    """Return a moment without zone, in UTC, in microseconds."""
    if pd.isna(moment):
        return pd.NaT
    if moment.tz is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    return moment.as_unit("us")


#: The coercion of each kind of field.
COERCE: dict[str, Callable[[Field, pd.Series, Findings], pd.Series]] = {
    "text": _coerce_text,
    "code": _coerce_code,
    "number": _coerce_number,
    "integer": _coerce_integer,
    "boolean": _coerce_boolean,
    "datetime": _coerce_datetime,
}


def _check_missing(
    field: Field,
    out: pd.Series,
    series: pd.Series,
    work: Findings,
    skip: NDArray[np.bool_] | None = None,
) -> None:
    """Record missing values of a field that must have one."""
    if field.nullable:
        return
    is_missing = out.isna().to_numpy() & ~work.bad
    if skip is not None:
        is_missing &= ~skip
    work.note(np.flatnonzero(is_missing), field.name, "missing", series)
