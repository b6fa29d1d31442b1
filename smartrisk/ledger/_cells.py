"""Values of tables as plain values of the kind that their field has, or a refusal."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import LedgerError, format_values
from smartrisk.schema import Field

#: The largest integer that both databases hold.
_LARGEST = 2**63 - 1
#: Databases cut texts at NUL, or refuse halves of surrogate pairs.
_NOT_STORED = re.compile("[\x00-\x1f\ud800-\udfff]")


class UnfitError(ValueError):
    """A value that a field cannot hold."""


def is_missing(value: Any) -> bool:
    """Return whether a value is None, NaN, NaT or NA."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    # The values of numpy that are missing are the ones that differ from themselves.
    return isinstance(value, (float, np.floating, np.datetime64)) and value != value


def to_text(value: Any) -> str:
    """Return a text, or a whole number as its digits: 101 and 101.0 are "101"."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, numbers.Number):
        return str(to_whole(value))
    raise UnfitError


def to_identifier(value: Any) -> str:
    """Return a name of a document or a person: printable, and not blank."""
    text = to_text(value)
    if not text.strip() or _NOT_STORED.search(text):
        raise UnfitError
    return text


def to_whole(value: Any) -> int:
    """Return a whole number; a yes or no is none, and digits are a number."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    is_number = isinstance(value, (numbers.Real, Decimal))
    if not is_number or isinstance(value, (bool, np.bool_)):
        raise UnfitError
    if not math.isfinite(value) or int(value) != value or abs(value) > _LARGEST:
        raise UnfitError
    return int(value)


def to_item_number(value: Any) -> int:
    """Return the number of an item in its document."""
    number = to_whole(value)
    if number < 0:
        raise UnfitError
    return number


def to_number(value: Any) -> float:
    """Return a finite number."""
    if type(value) is float and math.isfinite(value):  # most values
        return value
    is_number = isinstance(value, (numbers.Real, Decimal))
    if not is_number or isinstance(value, (bool, np.bool_)) or not math.isfinite(value):
        raise UnfitError
    return float(value)


def to_moment(value: Any) -> str:
    """Return a moment as ISO 8601."""
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, date):
        raise UnfitError
    return value.isoformat()


def to_flag(value: Any) -> bool:
    """Return a yes or no."""
    if not isinstance(value, (bool, np.bool_)):
        raise UnfitError
    return bool(value)


#: How a value of each kind of field is read.
_READERS: dict[str, Callable[[Any], Any]] = {
    "text": to_text,
    "code": to_text,
    "number": to_number,
    "integer": to_whole,
    "boolean": to_flag,
    "datetime": to_moment,
}


def read_cells(owner: str, field: Field, series: pd.Series) -> list[Any]:
    """Return the values of a column in plain types, or raise with those that are unfit.

    A missing value is None where the field allows it.
    """
    if field.kind in ("number", "integer") and series.dtype.kind in "iuf":
        plain = _read_numbers(field, series.to_numpy())
        if plain is not None:
            return plain
    read = _READERS[field.kind]
    if field.role == "key":
        read = to_item_number if field.kind == "integer" else to_identifier
    values, unfit = [], []
    # Codes and versions repeat: each text is read once.
    known: dict[str, Any] = {}
    for value in series.tolist():
        try:
            if type(value) is str:
                if value not in known:
                    known[value] = _read_cell(field, read, value)
                values.append(known[value])
            else:
                values.append(_read_cell(field, read, value))
        except (UnfitError, ValueError, OverflowError):
            unfit.append(value)
    if unfit:
        raise LedgerError(
            "ledger.values_do_not_fit",
            "{owner}: {n_unfit} values of {field!r} do not fit its kind ({kind}): "
            "{examples}. Correct them, or validate the table first with "
            "smartrisk.validation.validate.",
            owner=owner,
            n_unfit=len(unfit),
            field=field.name,
            kind=_describe(field),
            examples=format_values(unfit),
        )
    return values


def _read_numbers(field: Field, values: NDArray[Any]) -> list[Any] | None:
    """Return a column of numbers in plain types; None when it has to be read singly."""
    low = -_LARGEST if field.low is None else field.low
    high = _LARGEST if field.high is None else field.high
    whole = values.dtype.kind in "iu"
    # A comparison with a missing value is false: it is read singly, as are floats that
    # have to be integers.
    if not whole and (field.kind == "integer" or values.dtype.kind != "f"):
        return None
    if not ((values >= low) & (values <= high)).all():
        return None
    kind = np.int64 if field.kind == "integer" else np.float64
    plain: list[Any] = values.astype(kind).tolist()
    return plain


def _read_cell(field: Field, read: Callable[[Any], Any], value: Any) -> Any:
    """Return a value in a plain type; raise where the field cannot hold it."""
    if is_missing(value):
        if not field.nullable:
            raise UnfitError
        return None
    plain = read(value)
    if field.codes and plain not in field.codes:
        raise UnfitError
    if (field.low is not None and plain < field.low) or (
        field.high is not None and plain > field.high
    ):
        raise UnfitError
    return plain


def _describe(field: Field) -> str:
    """Return what a field can hold, in words."""
    if field.codes:
        return f"one of {', '.join(field.codes)}"
    bounds = [
        f"{name} {bound:g}"
        for name, bound in (("at least", field.low), ("at most", field.high))
        if bound is not None
    ]
    article = "an" if field.kind[0] in "aeiou" else "a"
    missing = [] if field.nullable else ["never missing"]
    return ", ".join([f"{article} {field.kind}", *bounds, *missing])


def to_plain(value: Any) -> Any:
    """Return a declared value in plain types for JSON; a missing one is None."""
    if type(value) in (str, int, bool):  # most values
        return value
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, (date, np.datetime64)):
        return to_moment(value)
    return to_number(value)
