"""Yes and no, and the codes of closed lists, in the words of three languages."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import Field, list_code
from smartrisk.validation._column import Column
from smartrisk.validation._missing import clean_text, clean_texts, is_missing_sign
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
    column = Column.read(field, series, work)
    texts = clean_texts(column.unique)
    signs = is_missing_sign(texts, column.signs)
    values, wrong = np.full(len(texts) + 1, np.nan), column.none()
    for place, (text, raw) in enumerate(zip(texts, column.unique, strict=True)):
        if not signs[place]:
            number = _one_label(field, text, raw)
            wrong[place] = number is None
            values[place] = np.nan if number is None else number
    column.note_signs(signs)
    column.note(wrong, "not true or false")
    return values[column.codes]


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
    column = Column.read(field, series, work)
    texts = [clean_text(value).lower() for value in column.unique]
    signs = is_missing_sign(texts, column.signs)
    cleaned: list[str | None] = []
    wrong, put = column.none(), column.none()
    for place, text in enumerate(texts):
        code = None if signs[place] else _listed_code(field, text)
        wrong[place] = code is None and not signs[place]
        put[place] = code is not None and code != text
        cleaned.append(code)
    column.note_signs(signs)
    column.note(wrong, "not in list")
    column.note(put, "word of the list", "repaired")
    return column.result(cleaned)


def _listed_code(field: Field, text: str) -> str | None:
    """Return the code of a list for a text in lower case."""
    return text if text in field.codes else list_code(field.name, text)
