"""Values as an administration writes them, coerced to canonical ones without loss."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from smartrisk.schema import Field
from smartrisk.validation._codes import coerce_code, is_listed
from smartrisk.validation._dates import FIRST_YEAR, LAST_YEAR, coerce_datetime
from smartrisk.validation._identifiers import POINT_ZERO, SCIENTIFIC, coerce_text
from smartrisk.validation._labels import coerce_boolean
from smartrisk.validation._missing import (
    COUNTRIES,
    MISSING,
    NO_PARTY,
    NOT_AVAILABLE,
    clean_text,
    is_identity,
    unquote,
)
from smartrisk.validation._numbers import (
    HIGHEST_RATE,
    HUGE,
    coerce_integer,
    coerce_number,
)
from smartrisk.validation._report import Findings

__all__ = ["COERCE", "MISSING", "UNDECIDED", "canonical_value", "is_canonical"]

#: What `canonical_value` returns where only the check of a table can decide.
UNDECIDED: Final = object()
_NUMBER_LIKE = re.compile(f"{SCIENTIFIC}|{POINT_ZERO}")
#: A moment of ISO 8601 as JSON writes it. Any other text is left to the full check; so
#: is an offset, which needs the zone whose days count. Z alone is UTC, as it is there.
_ISO_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?Z?)?"
)
#: Larger whole numbers are no longer exact as floats, which a table may make of them.
_MOST_EXACT = 2**53

#: The coercion of each kind of field.
COERCE: dict[str, Callable[[Field, pd.Series, Findings], pd.Series]] = {
    "text": coerce_text,
    "code": coerce_code,
    "number": coerce_number,
    "integer": coerce_integer,
    "boolean": coerce_boolean,
    "datetime": coerce_datetime,
}


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
    if value is None or value is pd.NA or value is pd.NaT:
        return field.nullable
    if isinstance(value, (float, np.floating)) and value != value:
        return field.nullable
    if field.kind == "number":
        is_number = isinstance(value, (float, int)) and not isinstance(value, bool)
        low = -HUGE if field.low is None else field.low
        high = HIGHEST_RATE if field.name == "duty_rate" else HUGE
        return is_number and low <= value <= high
    if field.kind == "datetime":
        return (
            isinstance(value, pd.Timestamp)
            and value.tz is None
            and (FIRST_YEAR <= value.year <= LAST_YEAR)
        )
    if field.kind == "boolean":
        return isinstance(value, (bool, np.bool_))
    if field.kind == "integer":
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return is_whole and 0 <= value < _MOST_EXACT
    return isinstance(value, str) and _is_canonical_text(field, value)


def canonical_value(field: Field, value: Any) -> Any:
    """Return the canonical value of a single plain value, or `UNDECIDED`.

    What a JSON object holds needs no table: a moment as text of ISO 8601, a code or an
    identity as a whole number, an amount without decimals.

    Parameters
    ----------
    field : Field
        The field that the value is for.
    value : object
        The value.

    Returns
    -------
    canonical : object
        What `validate` makes of the value, without a finding; `UNDECIDED` where only a
        full check could decide.

    Examples
    --------
    >>> from smartrisk.schema import DECLARATIONS
    >>> from smartrisk.validation import UNDECIDED, canonical_value
    >>> canonical_value(DECLARATIONS["lodged_at"], "2026-03-01T09:30:00")
    Timestamp('2026-03-01 09:30:00')
    >>> canonical_value(DECLARATIONS["office"], 32)
    '32'
    >>> canonical_value(DECLARATIONS["lodged_at"], "01/03/2026") is UNDECIDED
    True
    """
    if is_canonical(field, value):
        # A table has floats: as a value of a key, 120 is another one than 120.0.
        return float(value) if field.kind == "number" and type(value) is int else value
    if type(value) is str:
        return _read_moment(value) if field.kind == "datetime" else UNDECIDED
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        return UNDECIDED
    number = int(value)
    if not 0 <= number < _MOST_EXACT:
        return UNDECIDED
    if field.kind == "integer":
        return number
    if field.kind not in ("code", "text"):
        return UNDECIDED
    text = str(number)
    return text if _is_canonical_text(field, text) else UNDECIDED


def _read_moment(text: str) -> Any:
    """Return the moment that a text of ISO 8601 states, in microseconds."""
    match = _ISO_MOMENT.fullmatch(text)
    if match is None:
        return UNDECIDED
    year, month, day, hour, minute, second, part = match.groups("0")
    try:
        moment = datetime.datetime(
            int(year),
            int(month),
            int(day),
            int(hour),
            int(minute),
            int(second),
            int(part[:6].ljust(6, "0")),
        )
    except ValueError:  # no day of the calendar, no time of a day
        return UNDECIDED
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return UNDECIDED
    return pd.Timestamp(moment)


def _is_canonical_text(field: Field, value: str) -> bool:
    """Return whether a text needs no check."""
    lower = value.casefold()
    if not value.isascii() or clean_text(value) != value or lower in MISSING:
        return False
    if field.name != "description" and unquote(value) != value:
        return False
    if lower in NOT_AVAILABLE and field.name not in COUNTRIES:
        return False
    if field.kind == "text":
        if not is_identity(field):
            return True
        named = lower not in NO_PARTY and any(map(str.isalnum, value))
        return named and _NUMBER_LIKE.fullmatch(value) is None
    if field.codes:
        return value in field.codes
    if field.pattern is not None and re.fullmatch(field.pattern, value) is None:
        return False
    return value == value.upper() and is_listed(field, value)
