"""Yes and no, and the codes of closed lists, in the words of three languages."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import Field, list_code
from smartrisk.validation._missing import (
    clean_text,
    clean_texts,
    factorize,
    is_missing_sign,
    missing_signs,
    note_signs,
    rows_where,
    text_column,
)
from smartrisk.validation._number_formats import (
    NumberFormat,
    is_boolean,
    typed_number,
)
from smartrisk.validation._report import Findings

Numbers: TypeAlias = NDArray[np.float64]


def read_labels(field: Field, series: pd.Series, work: Findings) -> Numbers:
    """Return yes and no as 1 and 0; other numbers as they are."""
    if is_boolean(series.dtype) or getattr(series.dtype, "kind", "O") in "iuf":
        return np.asarray(series.to_numpy(np.float64, na_value=np.nan))
    codes, unique = factorize(series)
    texts = clean_texts(unique)
    signs = is_missing_sign(texts, missing_signs(field, work.columns))
    values, wrong = np.full(len(texts) + 1, np.nan), np.zeros(len(texts), bool)
    for place, (text, raw) in enumerate(zip(texts, unique, strict=True)):
        if not signs[place]:
            number = _one_label(field, text, raw)
            wrong[place] = number is None
            values[place] = np.nan if number is None else number
    note_signs(field, series, rows_where(codes, signs), work)
    work.note(rows_where(codes, wrong), field.name, "not true or false", series)
    return values[codes]


def _one_label(field: Field, text: str, raw: Any) -> float | None:
    """Return 1 or 0 for a word, a number as it is, None for anything else."""
    if isinstance(raw, (bool, np.bool_)):
        return float(raw)
    word = list_code("boolean", text)
    if word is None and field.name == "illicit":
        word = list_code("illicit", text)
    if word is not None:
        return float(word)
    return NumberFormat().read(text) if isinstance(raw, str) else typed_number(raw)


def coerce_boolean(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return yes and no as nullable booleans."""
    if series.dtype == "boolean":
        return series
    values = read_labels(field, series, work)
    outside = ~np.isnan(values) & (values != 0) & (values != 1)
    work.note(np.flatnonzero(outside), field.name, "not true or false", series)
    out = pd.Series(values == 1, index=series.index, dtype="boolean")
    out[np.isnan(values) | outside] = pd.NA
    return out


def coerce_listed(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return codes of a closed list; words for them are put in their place."""
    codes, unique = factorize(series)
    texts = [clean_text(value).lower() for value in unique]
    signs = is_missing_sign(texts, missing_signs(field, work.columns))
    cleaned: list[str | None] = []
    wrong, put = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    for place, text in enumerate(texts):
        code = None if signs[place] else _listed_code(field, text)
        wrong[place] = code is None and not signs[place]
        put[place] = code is not None and code != text
        cleaned.append(code)
    note_signs(field, series, rows_where(codes, signs), work)
    work.note(rows_where(codes, wrong), field.name, "not in list", series)
    rows = rows_where(codes, put)
    work.note(rows, field.name, "word of the list", series, "repaired")
    if series.dtype == "str" and cleaned == list(unique):
        return series
    return text_column(codes, cleaned, series.index)


def _listed_code(field: Field, text: str) -> str | None:
    """Return the code of a list for a text in lower case."""
    return text if text in field.codes else list_code(field.name, text)
