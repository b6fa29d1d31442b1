"""Values as an administration writes them, coerced to canonical ones without loss."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

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

__all__ = ["COERCE", "MISSING", "is_canonical"]

_NUMBER_LIKE = re.compile(f"{SCIENTIFIC}|{POINT_ZERO}")

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
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, str) and _is_canonical_text(field, value)


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
    if field.pattern is not None and re.fullmatch(field.pattern, value) is None:
        return False
    return value == value.upper() and is_listed(field, value)
