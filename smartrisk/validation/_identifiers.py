"""Identifiers and free texts: one spelling for one name, and no number for a name."""

from __future__ import annotations

import datetime
import decimal
import re
import unicodedata
import uuid
from collections.abc import Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from smartrisk.schema import Field
from smartrisk.validation._column import Column
from smartrisk.validation._missing import (
    as_arrow,
    clean_names,
    clean_texts,
    is_identity,
    is_missing_sign,
    matches,
)
from smartrisk.validation._report import Findings

Flags: TypeAlias = NDArray[np.bool_]

#: An identifier that a spreadsheet turned into a number and rounded.
SCIENTIFIC = r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]{1,3}"
#: A whole number that was written as one with a fraction: 88.0 is 88.
POINT_ZERO = r"[0-9]+\.00?"
#: Whole numbers from here on are not all floats, by the type of the float.
_EXACT = {"d": 2**53, "f": 2**24, "e": 2**11}
#: Letters that look like Latin ones, in Cyrillic and in Greek.
_LOOKALIKE = frozenset(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0406\u0408\u0405\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5"
    "\u03a7\u03bf\u03b9\u03bd"
)
#: In texts joined by bars: what lets two of them differ in their spelling only.
_UNLIKE_CODES = re.compile(r"[^A-Z0-9|]|\|0")
#: What a decoder puts in the place of what it could not read.
_REPLACEMENT = "\ufffd"


def coerce_text(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return texts cleaned; identifiers that were numbers on the way are checked."""
    column = Column.read(field, series, work)
    clean = clean_names if is_identity(field) else clean_texts
    texts = clean(column.unique)
    broken = broken_texts(column.unique, texts)
    if broken.any():
        severity = "error" if is_identity(field) else "repaired"
        column.note(broken, "broken text", severity)
        texts = [without_surrogates(text) for text in texts]
    array = as_arrow(texts)  # once for all questions about the texts
    signs = is_missing_sign(texts if array is None else array, column.signs)
    if is_identity(field):
        pattern = rf"{SCIENTIFIC}|{POINT_ZERO}|[\W_]+"
        odd = np.flatnonzero(matches(texts if array is None else array, pattern))
        named = [n for n in odd if broken[n] or any(map(str.isalnum, texts[n]))]
        signs[odd] = True  # without a letter or a digit it names nobody
        signs[named] = is_missing_sign([texts[n] for n in named], column.signs)
        numbers = [n for n in named if texts[n].isascii()]
        if numbers or not column.is_text:
            texts = _restore_numbers(column, texts, np.array(numbers, np.intp))
        _note_characters(column, texts, broken)
        if field.role == "entity":
            note_spellings(column, texts, signs | broken)
    column.note_signs(signs)
    if not signs.any():
        return column.result(list(texts))
    return column.result([None if s else t for t, s in zip(texts, signs, strict=True)])


def broken_texts(unique: NDArray[np.object_], texts: Sequence[str]) -> Flags:
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


def without_surrogates(text: str) -> str:
    """Return a text that can be stored: half characters are replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _restore_numbers(
    column: Column, texts: list[str], numbers: NDArray[np.intp]
) -> list[str]:
    """Return identifiers in one form, and record what was a number or a date.

    `numbers` are the places of texts that look like a number with a fraction.
    """
    rounded, other = number_flags(column)
    whole = column.none()
    if len(numbers):
        whole[numbers] = matches([texts[n] for n in numbers], POINT_ZERO)
        rounded[numbers] |= ~whole[numbers]
    column.note(rounded, "scientific notation")
    column.note(other, "not an identifier")
    if whole.any():
        texts = [
            t.partition(".")[0] if w else t for t, w in zip(texts, whole, strict=True)
        ]
    restored = whole | (_are_floats(column) & ~rounded & ~other)
    column.note(restored, "number as identifier", "repaired")
    return texts


def number_flags(column: Column) -> tuple[Flags, Flags]:
    """Return which values are numbers that were rounded, and which can be no name."""
    rounded, other = column.none(), column.none()
    if column.is_text:
        return rounded, other
    char = str(getattr(column.series.dtype, "char", "d"))
    limit = _EXACT.get(char, _EXACT["d"])
    for place, value in enumerate(column.unique):
        if isinstance(value, (float, np.floating)):
            number = float(value)
            rounded[place] = abs(number) >= _limit_of(value, limit)
            other[place] = not rounded[place] and not number.is_integer()
        else:
            other[place] = not is_name(value)
    return rounded, other


def note_spellings(column: Column, texts: Sequence[str | None], signs: Flags) -> None:
    """Record values that differ only in case, blanks, points or zeros in front."""
    written = [None if s else t for t, s in zip(texts, signs, strict=True)]
    joined = "|".join(["", *filter(None, written)])
    if len(written) < 2 or not _UNLIKE_CODES.search(joined):
        return
    bare = pc.replace_substring_regex(
        pa.array(written, pa.large_string()), r"[\p{Z}\p{P}]+", ""
    )
    bare = pc.utf8_ltrim(pc.utf8_lower(bare), "0")
    pairs = pd.DataFrame({"bare": np.asarray(bare, object), "text": written})
    pairs = pairs[pairs["bare"].str.len() > 0]
    kinds = pairs.drop_duplicates()["bare"].value_counts()
    several = column.none()
    several[pairs.index[pairs["bare"].map(kinds) > 1]] = True
    column.note(several, "several spellings", "warning")


def is_name(value: object) -> bool:
    """Return whether a value may name something: a text, or a real number.

    Dates, flags, complex numbers, periods, intervals and objects of programs turn into
    texts too, but no table means those.
    """
    if isinstance(value, (bool, np.bool_, datetime.date, datetime.timedelta)):
        return False
    return isinstance(value, (str, bytes, int, uuid.UUID, Real, decimal.Decimal))


def _limit_of(value: Any, limit: int) -> int:
    """Return from where on a float may be rounded."""
    if isinstance(value, np.floating):
        return min(limit, _EXACT.get(value.dtype.char, limit))
    return limit


def _are_floats(column: Column) -> Flags:
    """Return which values are floats."""
    if column.is_text:
        return column.none()
    return np.array([isinstance(v, (float, np.floating)) for v in column.unique], bool)


def _note_characters(column: Column, texts: Sequence[str], broken: Flags) -> None:
    """Record identifiers whose characters were changed, or look like others."""
    if texts != column.unique.tolist():
        changed = [
            isinstance(value, str) and value != text and _bare(value) != text
            for value, text in zip(column.unique, texts, strict=True)
        ]
        column.note(np.array(changed, bool) & ~broken, "tidied text", "repaired")
    if "".join(texts).isascii():
        return
    has_latin = any(re.search("[A-Za-z]", text) for text in texts)
    latin = [has_latin and not t.isascii() and _looks_latin(t) for t in texts]
    column.doubt(latin, "mixed scripts")
    misread = np.array([_REPLACEMENT in text for text in texts], bool)
    column.doubt(misread & ~broken, "misread characters")


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
