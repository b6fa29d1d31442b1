"""What is known about one item: declared values, and the statistics of its features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.explanations._grouping import MEASURES, Info, Topic
from smartrisk.results import clean_text
from smartrisk.schema import (
    DECLARATIONS,
    DERIVED_COLUMNS,
    HS_LEVELS,
    OWN_FIELDS,
    TRADERS,
)

#: Fields whose values are never stated: identities, and free text.
PRIVATE = frozenset((*TRADERS, "declaration_id", "description"))

#: The tariff code, and the columns that are parts of it or the whole.
_TARIFF = frozenset((*HS_LEVELS, "tariff_code", "national_code"))

#: Longest value in a sentence; codes and units are shorter, free text is not stated.
_LONGEST = 40


def short_text(value: Any) -> str:
    """Return a value as a cleaned text of a few words, without line breaks."""
    words = " ".join(str(value)[: 4 * _LONGEST].split())
    return clean_text(" ".join(clean_text(words).split()), _LONGEST)


def format_tariff_code(code: Any) -> str | None:
    """Return a tariff code with its dots: 6403.99.1000."""
    if code is None:
        return None
    text = short_text(code)
    parts = [text[:4], text[4:6], text[6:]]
    return ".".join(part for part in parts if part)


def finite_number(value: Any) -> float | None:
    """Return a finite float, None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


class DeclaredValues:
    """Declared values by position, as plain Python values; None when missing."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._names = frozenset(frame.columns)
        self.own_kinds: Mapping[str, str] = frame.attrs.get(OWN_FIELDS, {})
        self._columns: dict[str, Any] = {}

    def __call__(self, field: str, row: int) -> Any:
        """Return one declared value; a level of the tariff code is a part of it.

        A column that is made of others has a value where all of these have one.
        """
        if field in DERIVED_COLUMNS and field not in self._names:
            values = [self(name, row) for name in DERIVED_COLUMNS[field]]
            return None if None in values else values[0]
        name = "tariff_code" if field in HS_LEVELS else field
        if name not in self._columns:
            known = name in self._names
            self._columns[name] = self._frame[name].array if known else None
        column = self._columns[name]
        value = None if column is None else column[row]
        if value is None or value is pd.NA or value is pd.NaT or value != value:
            return None
        return str(value)[: HS_LEVELS[field]] if field in HS_LEVELS else value


@dataclass(frozen=True)
class Facts:
    """What is known about one item on one topic."""

    declared: DeclaredValues
    row: int
    values: NDArray[np.floating[Any]]  # the item's row of the matrix
    topic: Topic
    lead: Info  # the feature that contributed most
    whole_history: Mapping[tuple[str, tuple[str, ...]], int] = field(
        default_factory=dict
    )

    def value(self, field: str) -> Any:
        """Return a declared value, None when missing."""
        return self.declared(field, self.row)

    def number(self, field: str) -> float | None:
        """Return a declared number, None when missing or not a number."""
        return finite_number(self.value(field))

    def stated_value(self, field: str) -> Any:
        """Return a declared value fit for a sentence; None for identities and texts."""
        if self.is_private(field):
            return None
        value = self.value(field)
        if field == "tariff_code":
            return format_tariff_code(value)
        if isinstance(value, (bool, np.bool_)):
            return bool(value)
        if self.kind_of(field) in ("number", "integer"):
            return finite_number(value)
        return None if value is None else short_text(value)

    def kind_of(self, field: str) -> str:
        """Return the kind of a field; a field of nobody knows which is a text."""
        if field in DECLARATIONS:
            return DECLARATIONS[field].kind
        return self.declared.own_kinds.get(field, "text")

    def is_private(self, field: str) -> bool:
        """Return whether the values of a field are never stated.

        Own texts may be identities.
        """
        known = field in DECLARATIONS or field in _TARIFF
        return field in PRIVATE or (not known and self.kind_of(field) == "text")

    def statistic(self, name: str, window: str | None = None) -> float | None:
        """Return a statistic of the topic, None when absent or missing."""
        column = self.topic.place.get((name, window))
        return None if column is None else finite_number(self.values[column])

    def whole_statistic(self, name: str) -> float | None:
        """Return a statistic of the topic's key over all history, None when absent."""
        column = self.whole_history.get((name, self.topic.key))
        return None if column is None else finite_number(self.values[column])

    @property
    def lead_value(self) -> float | None:
        """Value of the feature that contributed most."""
        return self.statistic(self.lead.statistic, self.lead.window)

    @property
    def days(self) -> int:
        """Days of the leading feature's window; 0 when it has none."""
        digits = "".join(c for c in self.lead.window or "" if c.isdigit())
        return int(digits or 0)

    @property
    def since(self) -> tuple[int, int] | None:
        """Year and month of the first earlier item under the key, where it is known."""
        days, lodged = self.whole_statistic("days_since_first"), self.value("lodged_at")
        if days is None or not isinstance(lodged, date):
            return None
        first = lodged - timedelta(days=round(days))
        return first.year, first.month

    def missing_fields(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of some fields that the item does not declare."""
        return tuple(name for name in fields if self.value(name) is None)

    def key_codes(self) -> tuple[tuple[str, str | None], ...]:
        """Return the columns of the history key with their codes."""
        return tuple(
            (name, None if self.is_private(name) else self._code(name))
            for name in self.topic.key
        )

    def _code(self, name: str) -> str | None:
        """Return the code that the item declares in a column of the key."""
        value = self.value(name)
        if name in _TARIFF:
            return format_tariff_code(value)
        return None if value is None else short_text(value)

    def unit_value(self) -> float | None:
        """Return the unit value or mass that the topic is about."""
        return self.measure_value(self.topic.measure or "")

    def measure_value(self, measure: str) -> float | None:
        """Return a unit value or mass of the item, None where it has none."""
        parts = MEASURES.get(measure, ())
        values = [self.number(name) or 0.0 for name in parts]
        if len(values) != 2 or not (values[0] > 0 and values[1] > 0):
            return None
        return values[0] / values[1]

    def measure_with_unit(self, measure: str) -> tuple[str, str | None]:
        """Return a measure, and the declared unit by which it divides."""
        by_unit = MEASURES.get(measure, ("", ""))[1] == "quantity"
        unit = self.value("quantity_unit") if by_unit else None
        return measure, None if unit is None else short_text(unit)
