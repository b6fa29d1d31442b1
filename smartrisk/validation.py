"""Check and coerce a frame against a table; give back all failures at once.

Reads a frame as an administration has it and a table of `schema`; writes the
canonical frame with data-quality columns (``dq_...``), and a report of every failure,
repair and doubt, row by row.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import (
    DataQualityWarning,
    LeakageError,
    TableError,
    check_choice,
    nearest,
    shown,
)
from smartrisk.schema import DECLARATIONS, OUTCOMES, ColumnMap, Field, Table

__all__ = ["ValidationReport", "check", "is_canonical", "validate"]

_COLUMNS = (
    "declaration_id",
    "item_number",
    "row",
    "field",
    "reason",
    "value",
    "severity",
    "source_column",
)
_MISSING = {"", "N/A", "n/a", "#N/A", "NULL", "null", "None", "none", "NaN", "nan", "-"}
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,3}")
_REMEDY = {
    "missing": "Give every item a value.",
    "not a number": "Write numbers as digits; name decimal and thousands signs in "
    "the ColumnMap.",
    "infinite": "Write what is unknown as missing.",
    "out of range": "Correct the value; units and signs are in the schema.",
    "bad pattern": "Give the code as digits, with its leading zeros, as text.",
    "not in list": "Use the codes of the schema.",
    "ambiguous date": "Pass ColumnMap(day_first=True or False) or date_format.",
    "not a date": "Give dates as YYYY-MM-DD, or pass ColumnMap(date_format=...).",
    "date out of range": "Give dates between 1900 and 2200; spreadsheet serial "
    "numbers must be converted first.",
    "duplicate key": "Keep one row per (declaration_id, item_number).",
    "scientific notation": "A spreadsheet rounded this identifier: export it as text.",
    "rate in percent": "Pass ColumnMap(duty_rate_unit='percent').",
    "not true or false": "Use true/false or 1/0.",
}


@dataclass(frozen=True)
class ValidationReport:
    """What came of checking a frame.

    Parameters
    ----------
    table : DataFrame
        Canonical rows that passed, with ``dq_...`` columns and the caller's index.
    set_aside : DataFrame
        The caller's rows that did not pass, untouched.
    failures : DataFrame
        One row per failure, repair or doubt: key, row, field, reason, value,
        severity ("error", "warning", "repaired"), source column.
    name : str
        Name of the table checked.
    ignored : tuple of str
        Columns of the caller that the table does not know.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.schema import OUTCOMES
    >>> from smartrisk.validation import check
    >>> frame = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": [1, 3]})
    >>> report = check(frame, OUTCOMES)
    >>> report.ok, len(report.table), report.failures["reason"].tolist()
    (False, 1, ['out of range'])
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    failures: pd.DataFrame
    name: str
    ignored: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether no row had to be set aside."""
        return not (self.failures["severity"] == "error").any()

    def frame(self) -> pd.DataFrame:
        """Return the failures.

        Returns
        -------
        failures : DataFrame
            One row per failure, repair or doubt.
        """
        return self.failures

    def summary(self) -> pd.DataFrame:
        """Return counts by field, reason and severity.

        Returns
        -------
        summary : DataFrame
            Columns field, reason, severity, count.
        """
        by = ["field", "reason", "severity"]
        return self.failures.groupby(by, sort=True).size().reset_index(name="count")

    def message(self) -> str:
        """Say in a few sentences what stops the table.

        Returns
        -------
        message : str
            One sentence per field and reason, with up to five values and the remedy.
        """
        errors = self.failures[self.failures["severity"] == "error"]
        parts = [f"{self.name}: {len(self.set_aside)} rows cannot be used."]
        groups = list(errors.groupby(["field", "reason"], sort=False))
        for (field, reason), group in groups[:12]:
            source = group["source_column"].iloc[0]
            named = f"{field!r}" + (f" (column {source!r})" if source != field else "")
            values = shown(list(dict.fromkeys(group["value"]))[:5])
            remedy = _REMEDY.get(str(reason), "")
            parts.append(f"{named}: {reason} in {len(group)} rows: {values}. {remedy}")
        if len(groups) > 12:
            parts.append(f"And {len(groups) - 12} more kinds of failure.")
        return " ".join(parts)[:2000]


def validate(
    frame: Any,
    table: Table,
    *,
    columns: ColumnMap | None = None,
    on_error: str = "raise",
) -> pd.DataFrame:
    """Return the canonical frame of a table, or say everything that is wrong.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        What the administration has; it is never changed.
    table : Table
        One of the tables of `smartrisk.schema`.
    columns : ColumnMap, default=None
        Names, units and formats of the administration; None for canonical names.
    on_error : str, default="raise"
        "raise", or "set_aside" to go on with the good rows and a warning that
        counts the others.

    Returns
    -------
    canonical : DataFrame
        Columns in the order of the table, then ``dq_...`` flags.

    Raises
    ------
    TableError
        With every failure in ``.failures``.
    LeakageError
        If DECLARATIONS hold columns known only after a control.

    See Also
    --------
    check : The same, with the report.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.schema import OUTCOMES
    >>> from smartrisk.validation import validate
    >>> validate(pd.DataFrame({"declaration_id": ["A"], "illicit": [True]}),
    ...          OUTCOMES)["illicit"].tolist()
    [1]
    """
    check_choice("validate", "on_error", on_error, ("raise", "set_aside"))
    report = check(frame, table, columns=columns)
    if report.ok:
        return report.table
    if on_error == "raise":
        raise TableError(report.message(), report.failures)
    warnings.warn(
        f"{report.message()} They were set aside.", DataQualityWarning, stacklevel=2
    )
    return report.table


def check(
    frame: Any, table: Table, *, columns: ColumnMap | None = None
) -> ValidationReport:
    """Check a frame against a table and report everything.

    Parameters
    ----------
    frame : DataFrame, polars.DataFrame, pyarrow.Table or mapping of columns
        What the administration has; it is never changed.
    table : Table
        One of the tables of `smartrisk.schema`.
    columns : ColumnMap, default=None
        Names, units and formats of the administration.

    Returns
    -------
    report : ValidationReport
        Canonical rows, rows set aside, and every failure.

    Raises
    ------
    TableError
        If the frame has no such form, or required columns are missing.

    Examples
    --------
    See `ValidationReport`.
    """
    source = _as_pandas(frame, table)
    columns = columns or ColumnMap({})
    named, renamed, ignored = _named(source, table, columns)
    _refuse_later_columns(source, table, ignored)
    work = _Work(table, columns, source, renamed)
    done: dict[str, Any] = {}
    for field in table:
        if field.name in named:
            done[field.name] = _COERCE[field.kind](field, named[field.name], work)
    _add_item_number(done, work)
    result = pd.DataFrame(done, index=source.index)
    result = result[[name for name in table.names if name in result]]
    _check_keys(result, work)
    for name, flag in _quality_flags(result, table).items():
        result[name] = flag
        work.note(np.flatnonzero(flag), name[3:], "doubtful", flag, "warning")
    bad = work.bad
    return ValidationReport(
        result[~bad] if bad.any() else result,
        source[bad],
        work.failures(result),
        table.name,
        tuple(ignored),
    )


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


class _Work:
    """Failures collected while a frame is checked."""

    def __init__(
        self,
        table: Table,
        columns: ColumnMap,
        source: pd.DataFrame,
        renamed: Mapping[str, str],
    ) -> None:
        self.table, self.columns, self.source = table, columns, source
        self.renamed = renamed
        self.bad = np.zeros(len(source), bool)
        self.notes: list[tuple[Any, str, str, Any, str]] = []

    def note(
        self, rows: Any, field: str, reason: str, values: Any, severity: str = "error"
    ) -> None:
        """Take down rows that fail, with the values as they came."""
        rows = np.asarray(rows)
        if not len(rows):
            return
        if severity == "error":
            self.bad[rows] = True
        came = np.asarray(values, dtype=object)[rows]
        self.notes.append((rows, field, reason, came, severity))

    def failures(self, result: pd.DataFrame) -> pd.DataFrame:
        """Return what was taken down as a frame."""
        parts = []
        ids = (
            result["declaration_id"].to_numpy() if "declaration_id" in result else None
        )
        number = result["item_number"].to_numpy() if "item_number" in result else None
        for rows, field, reason, values, severity in self.notes:
            parts.append(
                pd.DataFrame(
                    {
                        "declaration_id": ids[rows] if ids is not None else None,
                        "item_number": number[rows] if number is not None else None,
                        "row": rows,
                        "field": field,
                        "reason": reason,
                        "value": [_short(v) for v in values],
                        "severity": severity,
                        "source_column": self.renamed.get(field, field),
                    }
                )
            )
        if not parts:
            return pd.DataFrame({name: [] for name in _COLUMNS})
        return pd.concat(parts, ignore_index=True)


def _short(value: Any) -> str:
    """Return a value as text of at most 40 characters without control characters."""
    text = _CONTROL.sub("?", str(value))
    return text if len(text) <= 40 else text[:37] + "..."


def _as_pandas(frame: Any, table: Table) -> pd.DataFrame:
    """Return the frame as pandas, whatever it came as."""
    if isinstance(frame, pd.DataFrame):
        source = frame
    elif isinstance(frame, Mapping):
        try:
            source = pd.DataFrame(dict(frame))
        except ValueError as error:
            raise TableError(f"{table.name}: a mapping of columns: {error}") from error
    elif hasattr(frame, "to_pandas"):
        source = frame.to_pandas()
    else:
        raise TableError(
            f"{table.name}: a data frame of pandas, Polars or PyArrow, or a mapping "
            f"of columns is needed; got {type(frame).__name__}."
        )
    if isinstance(source.columns, pd.MultiIndex):
        raise TableError(f"{table.name}: column names must be single texts.")
    twice = source.columns[source.columns.duplicated()]
    if len(twice):
        raise TableError(
            f"{table.name}: columns appear twice: {shown(twice)}. Rename or drop one."
        )
    return source


def _named(
    source: pd.DataFrame, table: Table, columns: ColumnMap
) -> tuple[dict[str, pd.Series], dict[str, str], list[str]]:
    """Find the column of every field; say at once which required ones are missing."""
    mapping = {k: v for k, v in columns.mapping.items() if k in table}
    plain = {_plain(str(c)): c for c in source.columns}
    named, renamed, gone = {}, {}, []
    for field in table:
        wanted = mapping.get(field.name, field.name)
        found = wanted if wanted in source.columns else None
        if found is None and field.name in mapping:
            gone.append((field.name, wanted))
        if found is None and field.name not in mapping:
            found = plain.get(_plain(wanted))
        if found is not None:
            named[field.name] = source[found]
            renamed[field.name] = str(found)
        elif field.required and field.name not in mapping:
            gone.append((field.name, wanted))
    if gone:
        hints = "; ".join(
            f"{wanted!r} for field {name!r}.{nearest(wanted, source.columns)}"
            for name, wanted in gone[:5]
        )
        raise TableError(
            f"{table.name}: {len(gone)} columns are missing: {hints} "
            "Name your own columns with ColumnMap({field: column})."
        )
    used = set(renamed.values())
    ignored = [
        str(c)
        for c in source.columns
        if str(c) not in used and not str(c).startswith("dq_")
    ]
    return named, renamed, ignored


def _plain(name: str) -> str:
    """Return a column name without case, white space and separators."""
    return re.sub(r"[\s_.\-]+", "", name).casefold()


def _refuse_later_columns(
    source: pd.DataFrame, table: Table, ignored: list[str]
) -> None:
    """Refuse results offered among what was declared."""
    if table is not DECLARATIONS:
        return
    later = {_plain(f.name) for f in OUTCOMES if f.known == "inspection"}
    found = [name for name in ignored if _plain(name) in later]
    if found:
        raise LeakageError(
            f"DECLARATIONS: columns known only after a control: {shown(found)}. "
            "Drop them here and pass results as OUTCOMES."
        )


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
    return None if text in _MISSING else text


def _spread(codes: Any, values: list[Any], index: pd.Index) -> pd.Series:
    """Return values of unique codes as a text column; -1 is missing."""
    table = np.array([*values, None], dtype=object)
    return pd.Series(table[codes], index=index, dtype="str")


def _coerce_text(field: Field, series: pd.Series, work: _Work) -> pd.Series:
    codes, unique = _texts(series)
    cleaned = [_clean_text(v) for v in unique]
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


def _coerce_code(field: Field, series: pd.Series, work: _Work) -> pd.Series:
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


def _coerce_tariff(field: Field, series: pd.Series, work: _Work) -> pd.Series:
    codes, unique = _texts(series)
    width = work.columns.tariff_digits
    cleaned, repaired, wrong = [], [], []
    for value in unique:
        text = _clean_text(value)
        plain = None if text is None else re.sub(r"[\s.]", "", _no_point_zero(text))
        fixed = plain
        if plain is not None and plain.isdigit():
            if width is not None and len(plain) < width:
                fixed = plain.zfill(width)
            elif len(plain) in (5, 7, 9, 11) and width is None:
                fixed = "0" + plain
        good = fixed is None or re.fullmatch(field.pattern or ".*", fixed) is not None
        cleaned.append(fixed if good else None)
        repaired.append(good and fixed is not None and fixed != value)
        wrong.append(not good)
    at = np.append(np.array(wrong, bool), False)[codes]
    work.note(np.flatnonzero(at), field.name, "bad pattern", series)
    fixed_rows = np.flatnonzero(np.append(np.array(repaired, bool), False)[codes])
    work.note(fixed_rows, field.name, "restored code", series, "repaired")
    if series.dtype == "str" and all(map(_same, cleaned, unique)):
        return series
    out = _spread(codes, cleaned, series.index)
    _check_missing(field, out, series, work, skip=at)
    return out


def _no_point_zero(text: str) -> str:
    """Return ``90121.0`` as ``90121``; ``6403.99`` keeps its digits."""
    head, point, tail = text.partition(".")
    return head if point and tail == "0" and len(head) > 4 else text


def _coerce_number(field: Field, series: pd.Series, work: _Work) -> pd.Series:
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


def _numbers(field: Field, series: pd.Series, work: _Work) -> Any:
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
        try:
            return float(value)
        except (TypeError, ValueError):
            return None
    text = value.strip().replace("\u00a0", "").replace("\u202f", "")
    if text in _MISSING:
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


def _coerce_integer(field: Field, series: pd.Series, work: _Work) -> pd.Series:
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


def _labels(field: Field, series: pd.Series, work: _Work) -> Any:
    """Return yes and no as 1 and 0."""
    codes, unique = _texts(series)
    known = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
    values, wrong = [], []
    for value in unique:
        text = str(value).strip().lower()
        number = known.get(text)
        if number is None and text not in {m.lower() for m in _MISSING}:
            number = _one_number(value, work.columns)
            wrong.append(number is None)
        else:
            wrong.append(False)
        values.append(np.nan if number is None else number)
    rows = np.flatnonzero(np.append(np.array(wrong, bool), False)[codes])
    work.note(rows, field.name, "not true or false", series)
    return np.array([*values, np.nan], np.float64)[codes]


def _coerce_boolean(field: Field, series: pd.Series, work: _Work) -> pd.Series:
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


def _coerce_datetime(field: Field, series: pd.Series, work: _Work) -> pd.Series:
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


def _parsed_dates(field: Field, series: pd.Series, work: _Work) -> pd.Series:
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


_COERCE: dict[str, Callable[[Field, pd.Series, _Work], pd.Series]] = {
    "text": _coerce_text,
    "code": _coerce_code,
    "number": _coerce_number,
    "integer": _coerce_integer,
    "boolean": _coerce_boolean,
    "datetime": _coerce_datetime,
}


def _check_missing(
    field: Field, out: pd.Series, series: pd.Series, work: _Work, skip: Any = None
) -> None:
    """Take down missing values of a field that must have one."""
    if field.nullable:
        return
    gone = out.isna().to_numpy() & ~work.bad
    if skip is not None:
        gone &= ~skip
    work.note(np.flatnonzero(gone), field.name, "missing", series)


def _add_item_number(done: dict[str, Any], work: _Work) -> None:
    """Give the items of each declaration numbers when they have none."""
    if "item_number" not in done and "declaration_id" in done:
        number = done["declaration_id"].groupby(done["declaration_id"]).cumcount() + 1
        done["item_number"] = number.astype(np.int64)
        several = np.flatnonzero(number.to_numpy() > 1)
        values = number.to_numpy()
        work.note(several, "item_number", "numbered by order", values, "repaired")


def _check_keys(result: pd.DataFrame, work: _Work) -> None:
    """Take down keys that appear more than once."""
    if "declaration_id" not in result or work.source.empty:
        return
    ids = result["declaration_id"]
    if ids.is_unique:
        return
    twice = result.duplicated(["declaration_id", "item_number"], keep=False)
    twice &= ~pd.Series(work.bad, index=result.index)
    work.note(np.flatnonzero(twice), "declaration_id", "duplicate key", ids)


def _quality_flags(result: pd.DataFrame, table: Table) -> dict[str, Any]:
    """Return what is doubtful but legal, as boolean columns."""
    flags: dict[str, Any] = {}
    if table is DECLARATIONS:
        for name in ("net_mass_kg", "customs_value", "quantity"):
            if name in result:
                flags[f"dq_zero_{name}"] = (result[name] == 0).to_numpy()
        if {"net_mass_kg", "gross_mass_kg"} <= set(result):
            over = result["net_mass_kg"] > result["gross_mass_kg"] * 1.0001
            flags["dq_net_exceeds_gross"] = over.to_numpy()
        for name in ("origin", "departure"):
            if name in result:
                odd = ~result[name].str.fullmatch("[A-Z]{2}").fillna(True).astype(bool)
                flags[f"dq_unknown_{name}"] = odd.to_numpy()
    if table is OUTCOMES and "revenue_adjustment" in result:
        odd = (result["illicit"] == 0) & (result["revenue_adjustment"] > 0)
        flags["dq_contradiction"] = odd.to_numpy()
        flags["dq_negative_adjustment"] = (result["revenue_adjustment"] < 0).to_numpy()
    if table is OUTCOMES and {"known_at", "inspected_at"} <= set(result):
        early = result["known_at"] < result["inspected_at"]
        flags["dq_known_before_inspected"] = early.to_numpy()
    return flags
