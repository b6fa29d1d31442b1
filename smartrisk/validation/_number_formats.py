"""Formats of numbers: each reads a text in full, or not at all."""

from __future__ import annotations

import decimal as decimals
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from smartrisk.validation._missing import (
    MISSING,
    NOT_AVAILABLE,
    clean_texts,
    factorize,
    is_missing_sign,
)

Numbers: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

#: Blanks that never break a line stand between groups of three digits, never elsewhere.
_FIXED_BLANK = re.compile("(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3}(?![0-9]))")
#: Most texts of a table: no sign between groups, no exponent.
_PLAIN = "^-?[0-9]{{1,15}}(?:[{decimal}][0-9]{{1,15}})?$"
#: The minus sign of typography, and signs that look like an apostrophe.
_TYPOGRAPHIC = str.maketrans(
    {"\u2212": "-", "\u2010": "-", "\u2019": "'", "\u00b4": "'"}
)
#: Below this many unique values, the fixed cost of Arrow is more than it saves.
_MANY = 1_000
#: Types of a cell that are a number; bool is none.
_TYPES = (int, float, np.integer, np.floating, decimals.Decimal)


@dataclass(frozen=True)
class NumberFormat:
    """How numbers are written.

    Parameters
    ----------
    decimal : str, default="."
        Decimal sign.
    thousands : str, default=None
        Sign between groups of digits; None for none.
    grouping : {"western", "indian"}, default="western"
        Groups of three digits, or of two before the last three.
    percent : bool, default=False
        Whether a percent sign may follow.
    """

    decimal: str = "."
    thousands: str | None = None
    grouping: str = "western"
    percent: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Expression that a text must match in full."""
        point = re.escape(self.decimal)
        whole = "[0-9]+"
        if self.thousands:
            sign = re.escape(self.thousands)
            pairs = f"(?:{sign}[0-9]{{2}})*" if self.grouping == "indian" else ""
            groups = (
                f"[0-9]{{1,2}}{pairs}{sign}[0-9]{{3}}"
                if self.grouping == "indian"
                else f"[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+"
            )
            whole = f"(?:{groups}|[0-9]+)"
        exponent = "(?:[eE][+-]?[0-9]{1,3})?"
        body = (
            f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+|[0-9]+(?:{point}[0-9]*)?"
            f"{exponent})"
        )
        return re.compile(f"[+-]?{body}" + (" ?%?" if self.percent else ""))

    def read(self, text: str) -> float | None:
        """Return the number of a text in one spelling; None where it is none."""
        if self.pattern.fullmatch(text) is None:
            return None
        plain = text.rstrip("% ")
        if self.thousands:
            plain = plain.replace(self.thousands, "")
        return float(plain.replace(self.decimal, "."))


@dataclass(frozen=True, eq=False)
class NumbersRead:
    """What a format reads of a column; one entry for each row."""

    #: Numbers; NaN where missing or not read.
    values: Numbers
    #: Rows with a value that cannot be read.
    unread: Flags
    #: Rows whose text was put in another form before it was read.
    rewritten: Flags
    #: Rows with a sign for a missing value.
    signs: Flags
    #: Rows with a percent sign.
    percent: Flags


def read_numbers(
    values: pd.Series, form: NumberFormat, missing: frozenset[str] | None = None
) -> NumbersRead:
    """Return a column as numbers; work is done on the unique values only."""
    n = len(values)
    none = np.zeros(n, bool)
    dtype = values.dtype
    if is_boolean(dtype) or getattr(dtype, "kind", "O") in "cmM":
        unread = values.notna().to_numpy(bool)
        return NumbersRead(np.full(n, np.nan), unread, none, none, none)
    if pd.api.types.is_numeric_dtype(dtype):
        numbers = np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return NumbersRead(numbers, none, none, none, none)
    codes, unique = factorize(values)
    signs = MISSING | NOT_AVAILABLE if missing is None else missing
    return _spread(codes, _read_unique(unique, form, signs))


def is_boolean(dtype: Any) -> bool:
    """Return whether a column holds yes and no."""
    return bool(pd.api.types.is_bool_dtype(dtype))


def _spread(codes: NDArray[np.intp], unique: NumbersRead) -> NumbersRead:
    """Return readings of unique values as those of the rows."""

    def flags(values: Flags) -> Flags:
        return np.append(values, False)[codes]

    return NumbersRead(
        np.append(unique.values, np.nan)[codes],
        flags(unique.unread),
        flags(unique.rewritten),
        flags(unique.signs),
        flags(unique.percent),
    )


def _read_unique(
    unique: NDArray[np.object_], form: NumberFormat, signs: frozenset[str]
) -> NumbersRead:
    """Return what a format reads of unique values."""
    n = len(unique)
    out = NumbersRead(np.full(n, np.nan), *(np.zeros(n, bool) for _ in range(4)))
    is_text = np.array([isinstance(v, (str, bytes)) for v in unique], bool)
    for place in np.flatnonzero(~is_text):
        number = typed_number(unique[place])
        out.unread[place] = number is None
        out.values[place] = np.nan if number is None else number
    places = np.flatnonzero(is_text)
    if len(places):
        _read_texts(unique[places], places, form, signs, out)
    return out


def typed_number(value: Any) -> float | None:
    """Return a value that is a number as a float; None where it is none."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, _TYPES):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):  # a signalling NaN; beyond all floats
        return None


def _read_texts(
    texts: NDArray[np.object_],
    places: NDArray[np.intp],
    form: NumberFormat,
    signs: frozenset[str],
    out: NumbersRead,
) -> None:
    """Read the texts among the unique values."""
    done = np.zeros(len(texts), bool)
    if len(texts) >= _MANY and form.decimal in (".", ","):
        done = _read_plain(texts, places, form.decimal, out)
    rest = np.flatnonzero(~done)
    came = texts[rest].tolist()
    joined = [_join_groups(t) for t in came]
    cleaned = clean_texts(np.array([*joined, None], object)[:-1])
    for place, raw, text, is_sign in zip(
        places[rest], came, cleaned, is_missing_sign(cleaned, signs), strict=True
    ):
        out.signs[place] = is_sign
        if is_sign:
            continue
        usual = text if text.isascii() else text.translate(_TYPOGRAPHIC)
        number = form.read(usual)
        out.unread[place] = number is None
        if number is not None:
            out.values[place] = number
            out.percent[place] = usual.endswith("%")
            out.rewritten[place] = _is_rewritten(raw, usual, form)


def _is_rewritten(raw: Any, usual: str, form: NumberFormat) -> bool:
    """Return whether a text had to be put in another form before it was read."""
    bare = raw.strip() if isinstance(raw, str) else raw
    if form.thousands == " " and isinstance(bare, str):
        bare, usual = _join_groups(bare), _join_groups(usual)
    return bare != usual or usual.lstrip("+-").startswith(form.decimal)


def _read_plain(
    texts: NDArray[np.object_],
    places: NDArray[np.intp],
    decimal: str,
    out: NumbersRead,
) -> Flags:
    """Read texts of digits and a point at once; return which these were."""
    try:
        array = pa.array(texts, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return np.zeros(len(texts), bool)
    pattern = _PLAIN.format(decimal=decimal)
    is_plain = np.asarray(pc.match_substring_regex(array, pattern))
    plain = pc.replace_substring(array.filter(pa.array(is_plain)), decimal, ".")
    numbers = pc.cast(plain, pa.float64())
    out.values[places[is_plain]] = numbers.to_numpy(zero_copy_only=False)
    return is_plain


def _join_groups(text: Any) -> Any:
    """Return a text without the fixed blanks between its groups of digits."""
    if isinstance(text, str) and not text.isascii():
        return _FIXED_BLANK.sub("", text)
    return text


#: Formats that are tried on numbers of unknown form, the usual ones first.
FORMATS: Sequence[NumberFormat] = (
    NumberFormat(),
    NumberFormat(","),
    NumberFormat(".", ","),
    NumberFormat(",", "."),
    NumberFormat(",", " "),
    NumberFormat(".", " "),
    NumberFormat(".", "'"),
    NumberFormat(".", ",", "indian"),
)
