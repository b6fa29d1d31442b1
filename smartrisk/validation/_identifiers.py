"""Identifiers and free texts: one spelling for one name, and no number for a name."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import Field
from smartrisk.validation._missing import (
    check_missing,
    clean_texts,
    factorize,
    is_identity,
    is_missing_sign,
    matches,
    missing_signs,
    note_signs,
    rows_where,
    text_column,
)
from smartrisk.validation._report import Findings

Codes: TypeAlias = NDArray[np.intp]
Unique: TypeAlias = NDArray[np.object_]
Flags: TypeAlias = NDArray[np.bool_]

#: An identifier that a spreadsheet turned into a number and rounded.
SCIENTIFIC = r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]{1,3}"
#: A whole number that was written as one with a fraction: 88.0 is 88.
POINT_ZERO = r"[0-9]+\.00?"
#: Whole numbers from here on are not all floats, of either precision.
_EXACT = {"d": 2**53, "f": 2**24, "e": 2**11}
#: Letters that look like Latin ones, in Cyrillic and in Greek.
_LOOKALIKE = frozenset(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0406\u0408\u0405\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5"
    "\u03a7\u03bf\u03b9\u03bd"
)
#: What a decoder puts in the place of what it could not read.
_REPLACEMENT = "\ufffd"


def coerce_text(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return texts cleaned; identifiers that were numbers on the way are checked."""
    codes, unique = factorize(series)
    texts = clean_texts(unique)
    broken = broken_texts(unique, texts)
    if broken.any():
        rows = rows_where(codes, broken)
        named = is_identity(field)
        severity = "error" if named else "repaired"
        work.note(rows, field.name, "broken text", series, severity)
        texts = [_without_surrogates(t) for t in texts]
    signs = is_missing_sign(texts, missing_signs(field, work.columns))
    note_signs(field, series, rows_where(codes, signs), work)
    if is_identity(field):
        texts = _check_identity(field, codes, unique, texts, series, work)
    if series.dtype == "str" and not signs.any() and texts == list(unique):
        out = series
    else:
        cleaned = [None if s else t for t, s in zip(texts, signs, strict=True)]
        out = text_column(codes, cleaned, series.index)
    check_missing(field, out, series, work)
    return out


def broken_texts(unique: Unique, texts: Sequence[str]) -> Flags:
    """Return which values are not text: half characters, bytes in another encoding."""
    broken = np.zeros(len(unique), bool)
    if "".join(texts).isascii():
        return broken
    for place, (value, text) in enumerate(zip(unique, texts, strict=True)):
        if isinstance(value, bytes):
            broken[place] = _REPLACEMENT in text
        elif not text.isascii():
            broken[place] = any("\ud800" <= c <= "\udfff" for c in text)
    return broken


def _without_surrogates(text: str) -> str:
    """Return a text that can be stored: half characters are replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _check_identity(
    field: Field,
    codes: Codes,
    unique: Unique,
    texts: list[str],
    series: pd.Series,
    work: Findings,
) -> list[str]:
    """Return identifiers in one form, and record what was a number or a date."""
    name = field.name
    rounded, other = number_flags(unique, series)
    rounded |= matches(texts, SCIENTIFIC)
    work.note(rows_where(codes, rounded), name, "scientific notation", series)
    work.note(rows_where(codes, other), name, "not an identifier", series)
    whole = matches(texts, POINT_ZERO)
    restored = whole | (is_whole_float(unique, series) & ~rounded & ~other)
    if whole.any():
        texts = [
            t.partition(".")[0] if w else t for t, w in zip(texts, whole, strict=True)
        ]
    rows = rows_where(codes, restored)
    work.note(rows, name, "number as identifier", series, "repaired")
    _note_characters(field, codes, unique, texts, series, work)
    return texts


def number_flags(unique: Unique, series: pd.Series) -> tuple[Flags, Flags]:
    """Return which values are numbers that were rounded, and which can be no name."""
    char = str(getattr(series.dtype, "char", "d"))
    limit = _EXACT.get(char, _EXACT["d"])
    rounded, other = np.zeros(len(unique), bool), np.zeros(len(unique), bool)
    if series.dtype == "str":
        return rounded, other
    for place, value in enumerate(unique):
        if isinstance(value, (float, np.floating)):
            number = float(value)
            rounded[place] = abs(number) >= _limit_of(value, limit)
            other[place] = not rounded[place] and not number.is_integer()
        elif isinstance(value, (datetime.date, datetime.timedelta, bool, np.bool_)):
            other[place] = True
    return rounded, other


def _limit_of(value: Any, limit: int) -> int:
    """Return from where on a float may be rounded."""
    if isinstance(value, np.floating):
        return min(limit, _EXACT.get(value.dtype.char, limit))
    return limit


def is_whole_float(unique: Unique, series: pd.Series) -> Flags:
    """Return which values are whole numbers with a fraction of zero."""
    if series.dtype == "str":
        return np.zeros(len(unique), bool)
    return np.array([isinstance(v, (float, np.floating)) for v in unique], bool)


def _note_characters(
    field: Field,
    codes: Codes,
    unique: Unique,
    texts: Sequence[str],
    series: pd.Series,
    work: Findings,
) -> None:
    """Record identifiers whose characters were changed, or look like others."""
    if texts != unique.tolist():
        changed = [
            isinstance(value, str) and value != text and _bare(value) != text
            for value, text in zip(unique, texts, strict=True)
        ]
        rows = rows_where(codes, changed)
        work.note(rows, field.name, "tidied text", series, "repaired")
    if "".join(texts).isascii():
        return
    special = [n for n, t in enumerate(texts) if not t.isascii()]
    has_latin = any(re.search("[A-Za-z]", t) for t in texts)
    alike, misread = np.zeros(len(texts), bool), np.zeros(len(texts), bool)
    for place in special:
        alike[place] = has_latin and _looks_latin(texts[place])
        misread[place] = _REPLACEMENT in texts[place]
    work.doubt(rows_where(codes, alike), field.name, "mixed scripts", series)
    work.doubt(rows_where(codes, misread), field.name, "misread characters", series)


def _bare(text: str) -> str:
    """Return a text without the blanks at its edges and the fraction of a number."""
    bare = text.strip()
    return bare.partition(".")[0] if re.fullmatch(POINT_ZERO, bare) else bare


def _looks_latin(text: str) -> bool:
    """Return whether letters of another script pass for Latin ones."""
    letters = [c for c in text if c.isalpha() and not c.isascii()]
    foreign = [c for c in letters if not unicodedata.name(c, "").startswith("LATIN")]
    if not any(c in _LOOKALIKE for c in foreign):
        return False
    has_latin = any(c.isalpha() and c.isascii() for c in text)
    return has_latin or all(c in _LOOKALIKE for c in foreign)
