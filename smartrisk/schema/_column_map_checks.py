"""Checks of what a column map is made of: types, and values in the form TOML has."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from smartrisk.errors import ArgumentError
from smartrisk.settings import make_from_settings

T = TypeVar("T")


def _refuse(owner: str, name: str, need: str, value: object) -> ArgumentError:
    """Return the error of a value of the wrong type."""
    return ArgumentError(
        "schema.wrong_type",
        "{owner}: {name!r} must be {need}; got {value!r}.",
        owner=owner,
        name=name,
        need=need,
        value=value,
    )


def check_text(
    owner: str,
    name: str,
    value: Any,
    *,
    optional: bool = False,
    empty: bool = False,
    blank: bool = False,
) -> None:
    """Raise unless a value is a text that is not empty, or an allowed None."""
    if value is None and optional:
        return
    if not isinstance(value, str):
        raise _refuse(owner, name, "a text", value)
    if not (empty or (value if blank else value.strip())):
        raise _refuse(owner, name, "a text that is not empty", value)


def check_flag(owner: str, name: str, value: Any) -> None:
    """Raise unless a value is true or false."""
    if not isinstance(value, bool):
        raise _refuse(owner, name, "true or false", value)


def read_text(owner: str, name: str, value: Any) -> str:
    """Return a text that is not empty."""
    check_text(owner, name, value)
    return str(value)


def read_texts(owner: str, name: str, values: Any) -> tuple[str, ...]:
    """Return texts as a tuple; a single one counts as a list of one."""
    if isinstance(values, str):
        values = (values,)
    if not isinstance(values, (list, tuple, set, frozenset)):
        raise _refuse(owner, name, "a list of texts", values)
    parts = sorted(values, key=str) if isinstance(values, (set, frozenset)) else values
    for value in parts:
        if not isinstance(value, str):
            raise _refuse(owner, name, "a list of texts", values)
    return tuple(parts)


def read_number(owner: str, name: str, value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise _refuse(owner, name, "a number", value)
    if not math.isfinite(float(value)):
        raise _refuse(owner, name, "a finite number", value)
    return float(value)


def read_width(owner: str, name: str, value: Any) -> int:
    """Return a number of digits, from 0."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0:
        raise _refuse(owner, name, "a number of digits, a whole number from 0", value)
    return int(value)


def read_widths(owner: str, values: Any) -> tuple[int, ...]:
    """Return numbers of digits as a tuple."""
    if not isinstance(values, (list, tuple)):
        raise _refuse(owner, "widths", "a list of whole numbers", values)
    return tuple(read_width(owner, "widths", value) for value in values)


def read_day(owner: str, value: Any) -> str:
    """Return a day as YYYY-MM-DD; TOML has dates of its own."""
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        return datetime.date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise _refuse(owner, "valid_from", "a day as YYYY-MM-DD", value) from error


def read_mapping(
    owner: str,
    name: str,
    given: Any,
    *,
    values: Callable[[str, str, Any], Any] = read_text,
) -> Mapping[str, Any]:
    """Return a read-only mapping whose names are texts and whose values are checked."""
    if not isinstance(given, Mapping):
        raise _refuse(owner, name, "a mapping, a table in TOML", given)
    for key in given:
        if not isinstance(key, str) or not key.strip():
            raise _refuse(owner, name, "a mapping with texts as names", key)
    return MappingProxyType(
        {key: values(owner, f"{name}.{key}", value) for key, value in given.items()}
    )


def read_part(owner: str, name: str, given: Any, kind: type[T]) -> T:
    """Return a step of a class, made from a mapping where it is one."""
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping):
        raise _refuse(owner, name, f"a table, or a {kind.__name__}", given)
    return make_from_settings(kind, given, owner, f"[{name}]")


def read_parts(owner: str, name: str, given: Any, kind: type[T]) -> tuple[T, ...]:
    """Return steps of a class as a tuple."""
    if not isinstance(given, (list, tuple)):
        raise _refuse(owner, name, f"a list of tables, or of {kind.__name__}", given)
    return tuple(read_part(owner, name, part, kind) for part in given)
