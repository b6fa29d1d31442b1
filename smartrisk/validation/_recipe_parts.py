"""Columns of a field that is not one column: joined, split, dates, mapped, filled.

What is wrong with a part is a failure of the field, under the column of the part.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from smartrisk.schema import DateParts, Field, Join, Split
from smartrisk.validation._report import Findings
from smartrisk.validation._values import COERCE

if TYPE_CHECKING:
    from smartrisk.validation._recipe import Recipe

#: Types that a cell must not hold, and the kinds of column that pandas finds free of
#: them.
_SEVERAL = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)
_PLAIN_KINDS = frozenset({"string", "bytes", "integer", "floating", "boolean"})
#: Parts of fields are read by the grammar of their kind.
TEXT_PART = Field("part", "text", "key", "part of a field")
NUMBER_PART = Field("part", "number", "measure", "part of a sum")
CODE_PART = Field("part", "code", "measure", "unit or currency")
DATE_PART = Field("part", "datetime", "time", "a moment", nullable=False)
#: What stands for every other value in a value map.
_OTHERS = "*"
#: Years of two digits are no years.
_FIRST_YEAR, _LAST_YEAR = 1000, 9999


def single_values(series: pd.Series, work: Findings, name: str = "") -> pd.Series:
    """Record cells that hold lists or similar, and return them as empty."""
    if series.dtype != object or pd.api.types.infer_dtype(series) in _PLAIN_KINDS:
        return series
    is_several = series.map(_is_no_value).to_numpy(bool)
    work.note(np.flatnonzero(is_several), name, "not a single value", series)
    return series.mask(is_several, None) if is_several.any() else series


def _is_no_value(value: object) -> bool:
    """Return whether a cell holds several values, or a number that signals none."""
    if isinstance(value, Decimal):
        return value.is_snan()
    return isinstance(value, _SEVERAL)


def _texts(recipe: Recipe, column: str, field: str, work: Findings) -> pd.Series:
    """Return a column as texts in their one spelling."""
    series = recipe.raw(column, field, work)
    return COERCE["text"](TEXT_PART, series, work.under(field, column))


def join_columns(recipe: Recipe, name: str, join: Join, work: Findings) -> pd.Series:
    """Return columns joined; where a part is missing, the whole is."""
    parts = []
    for k, column in enumerate(join.columns):
        part = _texts(recipe, column, name, work)
        here = work.under(name, column)
        if join.widths and join.widths[k]:
            part = fill_zeros(part, join.widths[k], here)
        if join.separator.strip():
            has_sign = _contain(part, join.separator)
            here.note(has_sign, "", "separator inside a part", part, "warning")
        parts.append(part)
    is_missing = np.column_stack([part.isna().to_numpy() for part in parts])
    is_partial = is_missing.any(axis=1) & ~is_missing.all(axis=1)
    for k, column in enumerate(join.columns):
        rows = np.flatnonzero(is_partial & is_missing[:, k])
        severity = "error" if name in recipe.table.required else "warning"
        work.under(name, column).note(
            rows, "", "part of the key missing", parts[k], severity
        )
    arrays = [pa.array(part, pa.large_string(), from_pandas=True) for part in parts]
    separator = pa.scalar(join.separator, pa.large_string())
    joined = pc.binary_join_element_wise(*arrays, separator)
    return pd.Series(pd.array(joined, dtype="str"), index=recipe.source.index)


def _contain(series: pd.Series, text: str) -> NDArray[np.intp]:
    """Return the rows of texts that hold another one."""
    found = series.str.contains(text, regex=False, na=False)
    return np.flatnonzero(found.to_numpy(bool))


def split_column(recipe: Recipe, name: str, work: Findings) -> pd.Series:
    """Return one of the parts of a column; what has other parts is refused."""
    split: Split = next(s for s in recipe.columns.split if name in s.fields)
    whole = _texts(recipe, split.column, name, work)
    codes, unique = pd.factorize(whole)
    parts = [[p.strip() for p in text.split(split.separator)] for text in unique]
    wrong = [len(part) != len(split.fields) for part in parts]
    k = list(split.fields).index(name)
    if k == 0:
        rows = np.flatnonzero(np.array([*wrong, False], bool)[codes])
        work.under(name, split.column).note(rows, "", "not in parts", whole)
    texts = [None if w else p[k] for p, w in zip(parts, wrong, strict=True)]
    table = np.array([*texts, None], dtype=object)
    return pd.Series(table[codes], index=whole.index, dtype="str")


def make_dates(
    recipe: Recipe, name: str, parts: DateParts, work: Findings
) -> pd.Series:
    """Return dates of a year, a month and a day; what is no day is refused."""
    columns = (parts.year, parts.month, parts.day)
    raw = [recipe.raw(column, name, work) for column in columns]
    year, month, day = (
        COERCE["number"](NUMBER_PART, series, work.under(name, column)).to_numpy()
        for series, column in zip(raw, columns, strict=True)
    )
    numbers = np.column_stack([year, month, day])
    is_missing = np.isnan(numbers)
    is_day = _are_days(numbers)
    texts = pd.DataFrame(dict(enumerate(raw))).astype(object)
    rows = np.flatnonzero(~is_day & ~is_missing.all(axis=1))
    shown = np.full(len(texts), None, dtype=object)
    shown[rows] = ["-".join(map(str, row)) for row in texts.to_numpy()[rows]]
    work.under(name, " + ".join(columns)).note(rows, "", "not a date", shown)
    whole = np.where(is_day[:, None], numbers, [1970, 1, 1]).astype(np.int64)
    months = (whole[:, 0] - 1970) * 12 + whole[:, 1] - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (whole[:, 2] - 1)
    moments = days.astype("datetime64[us]")
    moments[~is_day] = np.datetime64("NaT")
    return pd.Series(moments, index=recipe.source.index)


def _are_days(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows of year, month and day are days of the calendar."""
    safe = np.nan_to_num(numbers, nan=0.0)
    year, month, day = safe.T
    is_day = (safe == np.rint(safe)).all(axis=1)
    is_day &= (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    is_day &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = np.where(is_day, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    first = months.astype("datetime64[M]")
    length = (first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")
    return np.asarray(is_day & (day <= length.astype(np.int64)))


def _fold(value: Any) -> str:
    """Return a value as the text that a value map is looked up by."""
    if isinstance(value, (float, np.floating)) and value.is_integer():
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(str(value).split()).casefold()


def map_values(
    series: pd.Series, values: Mapping[str, Any], work: Findings | None = None
) -> pd.Series:
    """Return a column with the values of a map; others are kept as they are.

    Where the map states what others become, they are reported.
    """
    ours = {_fold(key): value for key, value in values.items()}
    codes, unique = pd.factorize(series)
    folded = [_fold(value) for value in unique]
    if _OTHERS in ours and work is not None:
        is_other = [bool(key) and key not in ours for key in folded]
        rows = np.flatnonzero(np.array([*is_other, False], bool)[codes])
        work.note(rows, "", "not in the value map", series, "warning")
        found = [ours.get(key, ours[_OTHERS]) for key in folded]
    else:
        found = [ours.get(k, v) for k, v in zip(folded, unique, strict=True)]
    table = np.empty(len(found) + 1, dtype=object)
    table[:-1] = found
    table[-1] = ours.get("")
    is_text = all(isinstance(value, str) for value in found)
    is_text &= table[-1] is None or isinstance(table[-1], str)
    out = table[codes]
    return pd.Series(out, index=series.index, dtype="str" if is_text else object)


def fill_zeros(series: pd.Series, width: int, work: Findings) -> pd.Series:
    """Return a column whose digits are filled with zeros on the left."""
    if series.dtype == "str":
        fast = _fill_digits(series, width)
        if fast is not None:
            return fast
    codes, unique = pd.factorize(series)
    filled = [_fill(value, width) for value in unique]
    longer = [text is not None and len(text) > width for text in filled]
    rows = np.flatnonzero(np.array([*longer, False], bool)[codes])
    work.note(rows, "", "longer than its width", series, "warning")
    table = np.empty(len(filled) + 1, dtype=object)
    table[:-1] = [
        value if text is None else text
        for value, text in zip(unique, filled, strict=True)
    ]
    table[-1] = None
    is_text = all(isinstance(value, str) for value in table[:-1])
    out = table[codes]
    return pd.Series(out, index=series.index, dtype="str" if is_text else object)


def _fill_digits(series: pd.Series, width: int) -> pd.Series | None:
    """Return texts with their zeros where all are digits of at most a width."""
    array = pa.array(series, pa.large_string(), from_pandas=True)
    is_plain = pc.and_(
        pc.match_substring_regex(array, "^[0-9]*$"),
        pc.less_equal(pc.binary_length(array), width),
    )
    if not pc.all(is_plain, skip_nulls=True, min_count=0).as_py():
        return None
    filled = pc.utf8_lpad(array, width, padding="0")
    return pd.Series(pd.array(filled, dtype="str"), index=series.index)


def _fill(value: Any, width: int) -> str | None:
    """Return digits with their zeros; None where a value is not digits."""
    if isinstance(value, (bool, np.bool_)):
        return None
    if isinstance(value, (float, np.floating)):
        value = int(value) if value.is_integer() else value
    text = str(value).strip()
    if text.endswith(".0"):
        text = text[:-2]
    is_digits = text.isascii() and text.isdigit()
    return text.zfill(width) if is_digits else None
