"""Texts in one spelling, and the signs that administrations write for "no value"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from smartrisk.schema import ColumnMap, Field
from smartrisk.validation._report import Findings

Codes: TypeAlias = NDArray[np.intp]
Unique: TypeAlias = NDArray[np.object_]
Flags: TypeAlias = NDArray[np.bool_]

#: Texts that mean a missing value in every field, in lower case: exports of databases,
#: spreadsheets (in three languages) and programs, and what clerks type.
MISSING = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "\u2013",
        "\u2014",
        ".",
        "?",
        "??",
        "\\n",
        "n/a",
        "#n/a",
        "#n/d",
        "n.a.",
        "n.d.",
        "n/d",
        "(blank)",
        "(empty)",
        "(vide)",
        "(en blanco)",
        "undefined",
        "s/d",
        "s.d.",
        "sin dato",
        "sin datos",
        "missing",
        "nan",
        "nat",
        "<na>",
        "null",
        "(null)",
        "[null]",
        "<null>",
        "none",
        "nil",
        "#ref!",
        "#value!",
        "#name?",
        "#null!",
        "#num!",
        "#div/0!",
        "#valeur!",
        "#nom?",
        "#nul!",
        "#nombre!",
        "#\u00a1ref!",
        "#\u00a1valor!",
        "#\u00a1num!",
        "#\u00a1div/0!",
        "#\u00bfnombre?",
    }
)
#: "NA" is Namibia, so that it is missing everywhere but in a country.
NOT_AVAILABLE = frozenset({"na"})
#: What means that a party is not known; a description may consist of such a word.
NO_PARTY = frozenset(
    {
        "unknown",
        "inconnu",
        "desconocido",
        "not available",
        "non disponible",
        "no disponible",
        "nd",
        "s/n",
    }
)
#: Fields that hold countries.
COUNTRIES = frozenset({"origin", "departure", "transit_countries"})
#: Fields that name something and are neither keys nor parties.
_IDENTITIES = frozenset({"officer_id", "container_id", "previous_document"})
#: From this many texts on, Arrow is faster.
_MANY = 1_000
#: Longer texts are no sign of a missing value, be it bytes or characters.
_LONGEST_SIGN = 32
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: In texts joined by bars: a control character, or a blank at the edge of a text.
_UNTIDY = re.compile(r"[\x00-\x1f\x7f]|\| | \|")
#: A workbook's way to write a control character.
_WORKBOOK_CONTROL = re.compile("_x00[01][0-9a-f]_", re.IGNORECASE)
#: What has no width and is of another category than format characters: selectors of a
#: form, joiners, and the blanks of Hangul and Braille.
_INVISIBLE = re.compile(
    "[\\u034f\\u115f\\u1160\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\U000e0100-\\U000e01ef]"
)
#: How spreadsheets and careless exports keep a number a text: ="007", "007", '007.
_QUOTED = re.compile('=?"([^"=]+)"|\'([^\']+)')
#: Unicode categories that are dropped (format characters) and that become a blank.
_DROPPED, _BLANK = frozenset({"Cf"}), frozenset({"Zs", "Zl", "Zp", "Cc"})


def factorize(series: pd.Series) -> tuple[Codes, Unique]:
    """Return codes and unique values; work is done on the unique ones only."""
    codes, unique = pd.factorize(series)
    return codes, np.asarray(unique, dtype=object)


def rows_where(codes: Codes, flags: Iterable[bool]) -> NDArray[np.intp]:
    """Return the rows whose unique value is flagged; missing values are not."""
    table = np.array([*flags, False], bool)
    if not table.any():
        return np.zeros(0, np.intp)
    return np.flatnonzero(table[codes])


def text_column(
    codes: Codes, values: Sequence[str | None], index: pd.Index
) -> pd.Series:
    """Return values of unique codes as a text column; -1 is missing."""
    table = np.array([*values, None], dtype=object)
    return pd.Series(table[codes], index=index, dtype="str")


def clean_text(value: Any) -> str:
    """Return a value as a text in one spelling; an empty one where nothing is left.

    Compatibility forms (full-width letters and digits) are replaced by the usual ones.
    Unicode format characters are dropped, every kind of blank and control character is
    a blank, and blanks at the edges are dropped.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, (float, np.floating)) and value.is_integer():
        value = int(value)
    text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(map(_tidy_character, text))
    if "_x00" in text:
        text = _WORKBOOK_CONTROL.sub("", text)
    text = _CONTROL.sub(_replace_control, text).strip()
    # What was dropped may have kept two characters from being one.
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _tidy_character(character: str) -> str:
    """Return a character, a blank for blanks, nothing for format characters."""
    category = unicodedata.category(character)
    if category in _DROPPED or _INVISIBLE.match(character):
        return ""
    return " " if category in _BLANK and character != "\x00" else character


def _replace_control(match: re.Match[str]) -> str:
    """Return nothing for NUL, which fills fields of fixed width; else a blank."""
    return "" if match[0] == "\x00" else " "


def are_texts(unique: Unique) -> bool:
    """Return whether all values are texts."""
    return set(map(type, unique)) <= {str}


def clean_texts(unique: Unique) -> list[str]:
    """Return texts in their one spelling, fast where all have it already."""
    if are_texts(unique):
        joined = "|".join(["", *unique, ""])
        if joined.isascii() and "_x00" not in joined and not _UNTIDY.search(joined):
            return list(unique)
    return [clean_text(value) for value in unique]


def unquote(text: str) -> str:
    """Return a name or a code without the quotes that keep a number a text."""
    quoted = _QUOTED.fullmatch(text)
    return text if quoted is None else (quoted[1] or quoted[2]).strip()


def clean_names(unique: Unique) -> list[str]:
    """Return names or codes in their one spelling, without quotes around them."""
    texts = clean_texts(unique)
    joined = "".join(texts)
    if not joined.isascii():
        texts = [t if t.isascii() else "".join(map(_digit, t)) for t in texts]
    if not any(sign in joined for sign in "\"'"):
        return texts
    return [unquote(text) for text in texts]


def _digit(character: str) -> str:
    """Return a digit of any script as the usual one, and others as they are."""
    return str(unicodedata.decimal(character, character))


def is_missing_sign(texts: Sequence[str] | pa.Array, signs: Collection[str]) -> Flags:
    """Return which texts are signs of a missing value, whatever their case."""
    if not len(texts):
        return np.zeros(0, bool)
    array = as_arrow(texts)
    if array is None:
        return np.array(
            [len(t) <= _LONGEST_SIGN and t.casefold() in signs for t in texts], bool
        )
    short = pc.less_equal(pc.binary_length(array), _LONGEST_SIGN)
    found = np.zeros(len(texts), bool)
    wanted = pa.array(sorted(signs), pa.large_string())
    is_sign = pc.is_in(pc.utf8_lower(array.filter(short)), value_set=wanted)
    found[np.asarray(short)] = np.asarray(is_sign)
    return found


def as_arrow(texts: Sequence[str] | pa.Array) -> pa.Array | None:
    """Return many texts as Arrow has them; None where they are few, or no text."""
    if isinstance(texts, pa.Array):
        return texts
    if len(texts) < _MANY:  # the fixed cost of the other way
        return None
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:  # half of a surrogate pair
        return None


def matches(texts: Sequence[str] | pa.Array, pattern: str) -> Flags:
    """Return which texts match an expression in full."""
    array = as_arrow(texts)
    if array is not None:
        return np.asarray(pc.match_substring_regex(array, f"^(?:{pattern})$"))
    compiled = re.compile(pattern)
    return np.array([compiled.fullmatch(t) is not None for t in texts], bool)


def missing_signs(field: Field, columns: ColumnMap) -> frozenset[str]:
    """Return the texts that mean a missing value in a field, in lower case."""
    signs = set(MISSING)
    if field.name not in COUNTRIES:
        signs |= NOT_AVAILABLE
    if is_identity(field):
        signs |= NO_PARTY
    signs.update(text.strip().casefold() for text in columns.missing)
    signs.difference_update(text.strip().casefold() for text in columns.keep)
    return frozenset(signs | {""})


def is_identity(field: Field) -> bool:
    """Return whether a field names a document, a party or a person."""
    if field.kind != "text":
        return False
    return field.role in ("key", "entity") or field.name in _IDENTITIES


def note_signs(
    field: Field, series: pd.Series, rows: NDArray[np.intp], work: Findings
) -> None:
    """Record the rows whose text means a missing value; empty texts are none."""
    if len(rows):
        blank = series.iloc[rows].map(lambda v: not str(v).strip()).to_numpy(bool)
        work.note(rows[~blank], field.name, "sign for missing", series, "repaired")


def check_missing(
    field: Field,
    out: pd.Series,
    series: pd.Series,
    work: Findings,
    skip: Flags | None = None,
) -> None:
    """Record missing values of a field that must have one."""
    if field.nullable:
        return
    is_missing = out.isna().to_numpy() & ~work.bad
    if skip is not None:
        is_missing &= ~skip
    work.note(np.flatnonzero(is_missing), field.name, "missing", series)
