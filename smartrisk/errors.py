"""Exceptions, warnings and argument guards of the house.

The tree::

    SmartRiskError
    ├── TableError (ValueError)         a frame does not fit its table
    ├── ArgumentError (ValueError)      an argument is outside what is allowed
    ├── LeakageError (ValueError)       something known later was offered as known
    ├── ArtefactError (ValueError)      a saved engine is damaged, foreign or edited
    ├── LedgerError (RuntimeError)      a ledger is damaged or was changed
    ├── TrackingError (RuntimeError)    the tracking store refused or did not answer
    └── MissingExtraError (ImportError) an optional dependency is not installed

    SmartRiskWarning (UserWarning)
    ├── DataQualityWarning              doubtful but legal input
    └── SmallSampleWarning              too little data for a firm answer
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = [
    "ArgumentError",
    "ArtefactError",
    "DataQualityWarning",
    "LeakageError",
    "LedgerError",
    "MissingExtraError",
    "SmallSampleWarning",
    "SmartRiskError",
    "SmartRiskWarning",
    "TableError",
    "TrackingError",
]


class SmartRiskError(Exception):
    """Root of every error that this library raises on purpose."""


class TableError(SmartRiskError, ValueError):
    """A frame does not fit its table.

    Parameters
    ----------
    message : str
        What is wrong and what to do.
    failures : object, default=None
        Every failure found, one row each (a data frame with the columns
        ``declaration_id``, ``item_number``, ``row``, ``field``, ``reason``,
        ``value``, ``severity``), or None.
    """

    def __init__(self, message: str, failures: Any = None) -> None:
        super().__init__(message)
        self.failures = failures


class ArgumentError(SmartRiskError, ValueError):
    """An argument is outside what is allowed."""


class LeakageError(SmartRiskError, ValueError):
    """Something known only later was offered as known at lodgement."""


class ArtefactError(SmartRiskError, ValueError):
    """A saved engine is damaged, edited, foreign or of another version."""


class LedgerError(SmartRiskError, RuntimeError):
    """A ledger is damaged, was changed, or does not hold what was asked for."""


class TrackingError(SmartRiskError, RuntimeError):
    """The tracking store refused, or did not answer in time."""


class MissingExtraError(SmartRiskError, ImportError):
    """An optional dependency is not installed.

    Parameters
    ----------
    package : str
        The package that could not be imported.
    extra : str, default=None
        The extra of smartrisk that brings it; None when it is a package of its own.
    """

    def __init__(self, package: str, extra: str | None = None) -> None:
        target = f"'smartrisk[{extra}]'" if extra else package
        super().__init__(
            f"{package!r} is not installed; run: pip install {target}", name=package
        )
        self.extra = extra


class SmartRiskWarning(UserWarning):
    """Root of every warning that this library gives on purpose."""


class DataQualityWarning(SmartRiskWarning):
    """Doubtful but legal input: it was kept and flagged."""


class SmallSampleWarning(SmartRiskWarning):
    """Too little data for a firm answer."""


def shown(values: Iterable[Any], most: int = 5) -> str:
    """Return up to `most` values by repr, cut at 40 characters; the rest counted."""
    items = list(values)
    parts = []
    for value in items[:most]:
        text = repr(value)
        parts.append(text if len(text) <= 40 else text[:37] + "...")
    if len(items) > most:
        parts.append(f"and {len(items) - most} more")
    return ", ".join(parts)


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest candidate, or an empty text."""
    found = get_close_matches(str(name), [str(c) for c in candidates], n=1, cutoff=0.6)
    return f" Did you mean {found[0]!r}?" if found else ""


def check_choice(owner: str, name: str, value: Any, allowed: Iterable[str]) -> None:
    """Raise unless `value` is one of `allowed`."""
    options = list(allowed)
    if value not in options:
        raise ArgumentError(
            f"{owner}: {name!r} must be one of {shown(options, 20)}; got {value!r}."
            f"{nearest(str(value), options)}"
        )


def check_number(
    owner: str,
    name: str,
    value: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    integer: bool = False,
) -> None:
    """Raise unless `value` is a finite number within ``[low, high]``."""
    kind = "an integer" if integer else "a number"
    is_number = isinstance(value, int if integer else (int, float)) and not isinstance(
        value, bool
    )
    if not is_number:
        index = getattr(value, "__index__" if integer else "__float__", None)
        is_number = index is not None and not isinstance(value, (bool, str))
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise ArgumentError(
            f"{owner}: {name!r} must be {kind} in [{low}, {high}]; got {value!r}."
        )
