"""Codes: tariff codes, countries, modes, units and codes of the administration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from smartrisk.schema import (
    INCOTERMS,
    Field,
    country_code,
    is_chapter,
    is_country,
    is_currency,
    mode_code,
    unit_code,
)
from smartrisk.validation._column import Column
from smartrisk.validation._identifiers import (
    POINT_ZERO,
    SCIENTIFIC,
    broken_texts,
    note_spellings,
    number_flags,
    without_surrogates,
)
from smartrisk.validation._labels import coerce_listed
from smartrisk.validation._missing import (
    COUNTRIES,
    clean_names,
    clean_text,
    is_missing_sign,
    matches,
    unquote,
)
from smartrisk.validation._report import Findings

Cleaned: TypeAlias = list[str | None]

#: A code of an administration has a letter or a digit in front, and few signs.
_CODE = re.compile(r"[^\W_][\w .,/()&'+:*-]*")
#: Signs of currencies that are of one country only.
_CURRENCY_SIGNS = {"\u20ac": "EUR", "US$": "USD", "\u00a3": "GBP"}
#: Between the countries of a route.
_ROUTE = re.compile(r"[\s,;/|>+-]+")


def coerce_code(field: Field, series: pd.Series, work: Findings) -> pd.Series:
    """Return codes in upper case; those of a closed list in lower case."""
    if field.codes:
        return coerce_listed(field, series, work)
    column = Column.read(field, series, work)
    if field.name == "tariff_code":
        return _coerce_tariff(column)
    texts = clean_names(column.unique)
    broken = broken_texts(column.unique, texts)
    if broken.any():
        column.note(broken, "broken text")
        texts = [without_surrogates(text) for text in texts]
    signs = is_missing_sign(texts, column.signs)
    column.note_signs(signs)
    rounded, other = number_flags(column)
    rounded |= matches(texts, SCIENTIFIC) & ~signs
    column.note(rounded, "scientific notation")
    column.note(other, "not a code")
    cleaned: Cleaned = [
        None if sign else _plain_code(text)
        for text, sign in zip(texts, signs, strict=True)
    ]
    found = _look_up(column, cleaned)
    if field.name not in _LISTS:
        note_spellings(column, found, np.array([code is None for code in found], bool))
    return column.result(found)


def _plain_code(text: str) -> str:
    """Return a code in upper case, without the fraction of a number."""
    if re.fullmatch(POINT_ZERO, text):
        text = text.partition(".")[0]
    return text.upper()


def _look_up(column: Column, cleaned: Cleaned) -> Cleaned:
    """Return codes of a public list; what is in none is kept and reported."""
    name = column.field.name
    look_up = _LISTS.get(name, _own_code)
    if name in COUNTRIES and _has_foreign_numbers(cleaned):
        look_up = _no_number(look_up)
    found: Cleaned = []
    put, unknown = column.none(), column.none()
    for place, (text, raw) in enumerate(zip(cleaned, column.unique, strict=True)):
        code = None if text is None else look_up(text)
        if code is None and text is not None and isinstance(raw, str):
            code = look_up(raw)  # the sign of a code page that cleaning changed
        unknown[place] = code is None and text is not None
        put[place] = code is not None and _is_put(code, str(raw))
        found.append(text if code is None else code)
    column.note(put, "code of the list", "repaired")
    column.doubt(unknown, "unknown code")
    return found


def _is_put(code: str, raw: str) -> bool:
    """Return whether a code is another than the text, not only its upper case."""
    return code != " ".join(raw.upper().split())


def _own_code(text: str) -> str | None:
    """Return a code of the administration; None where it is no code."""
    return text if _CODE.fullmatch(text) else None


def _currency(text: str) -> str | None:
    """Return the code of a currency."""
    code = _CURRENCY_SIGNS.get(text, text)
    return code if is_currency(code) else None


def _route(text: str) -> str | None:
    """Return the countries of a route, with a blank between them."""
    single = country_code(text)
    if single is not None:
        return single
    parts = [country_code(part) for part in _ROUTE.split(text) if part]
    return None if None in parts or not parts else " ".join(p for p in parts if p)


def _incoterm(text: str) -> str | None:
    """Return a term of delivery."""
    return text if text in INCOTERMS else None


#: Look-up of each field whose codes are public; the others are the administration's.
_LISTS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {
        "origin": country_code,
        "departure": country_code,
        "transit_countries": _route,
        "transport_mode": mode_code,
        "quantity_unit": unit_code,
        "currency": _currency,
        "incoterm": _incoterm,
    }
)


def _has_foreign_numbers(cleaned: Sequence[str | None]) -> bool:
    """Return whether a column has numbers that are no country of ISO 3166-1.

    Then they are of an administration's own list, and the others are too: 336 is China
    in Chile's and the Holy See in the public one.
    """
    numbers = [t for t in cleaned if t is not None and t.isdigit()]
    return any(country_code(t) is None for t in numbers)


def _no_number(look_up: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """Return a look-up that knows no numbers."""
    return lambda text: None if text.strip().isdigit() else look_up(text)


def is_listed(field: Field, value: str) -> bool:
    """Return whether a code is canonical: of its list, or a code at all."""
    if field.name in ("origin", "departure"):
        return is_country(value)
    if field.name == "tariff_code":
        return is_chapter(value) and len(value) % 2 == 0
    return _LISTS.get(field.name, _own_code)(value) == value


def _coerce_tariff(column: Column) -> pd.Series:
    """Return tariff codes as digits, with the leading zeros that can be restored."""
    width, signs = column.work.columns.tariff_digits, column.signs
    pattern = re.compile(column.field.pattern or ".*")
    cleaned: Cleaned = []
    missing, wrong, repaired, doubtful, unknown = (column.none() for _ in range(5))
    for place, value in enumerate(column.unique):
        text = (
            value
            if type(value) is str and value.isdigit()
            else unquote(clean_text(value))
        )
        missing[place] = text.casefold() in signs
        code, is_doubtful = _one_tariff(text, value, width)
        is_valid = not missing[place] and pattern.fullmatch(code) is not None
        cleaned.append(code if is_valid else None)
        wrong[place] = not is_valid and not missing[place]
        repaired[place] = is_valid and code != value
        doubtful[place] = is_valid and is_doubtful
        unknown[place] = is_valid and not is_chapter(code)
    column.note_signs(missing)
    column.note(wrong, "bad pattern")
    column.note(repaired, "restored code", "repaired")
    column.note(doubtful, "odd number of digits", "warning")
    column.doubt(unknown, "unknown chapter")
    return column.result(cleaned, skip=np.append(wrong, False)[column.codes])


def _one_tariff(text: str, value: Any, width: int | None) -> tuple[str, bool]:
    """Return a tariff code, and whether it may have lost a leading zero.

    A number of 5, 7 or 9 digits certainly lost its leading zero, and so did any text
    of 5. A longer text is kept: codes of 7, 9 and 11 digits exist, and the second
    check of a table must not change what the first one returned.
    """
    whole = _drop_fraction(text, width)
    plain = re.sub(r"[\s.]", "", whole)
    if not (plain.isascii() and plain.isdigit()) or not _has_code_points(whole):
        return whole, False
    if width is not None:
        return plain.zfill(width), False
    if len(plain) == 5:
        return "0" + plain, False
    if len(plain) % 2:
        number = not isinstance(value, (str, bytes)) or whole != text
        if number and len(plain) in (7, 9):
            return "0" + plain, False
        return plain, True
    return plain, False


def _has_code_points(text: str) -> bool:
    """Return whether points separate pairs of digits: in 6403.99, not in 6403.9."""
    first, *others = text.split(".")
    return not others or (len(first) % 2 == 0 and all(len(part) > 1 for part in others))


def _drop_fraction(text: str, width: int | None) -> str:
    """Return ``90121.0`` as ``90121``; ``6403.99`` keeps its digits.

    ``640399.00`` is a line of eight digits, or a number of six: only the number of
    digits of all codes decides that.
    """
    head, point, tail = text.partition(".")
    if not point or not tail or tail.strip("0") or not head.isdigit():
        return text
    if len(tail) == 1:
        return head if len(head) > 4 else text
    if len(head) == 6 and len(tail) == 2:
        return head if width == 6 else text if width == 8 else f"{head}.?"
    return head if len(head) > 4 else text
