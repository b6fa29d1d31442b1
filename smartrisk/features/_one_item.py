"""A single item as plain numbers: the same values as `Columns`, without arrays.

An array operation on one item costs more than the arithmetic. What numpy computes with
functions of its own (logarithms, powers) is left to numpy here too: those of the
standard library may differ in the last bit.
"""

from __future__ import annotations

import datetime
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.features._columns import (
    DERIVED_PARTS,
    NOTHING,
    Columns,
    is_missing,
    round_ratio,
)
from smartrisk.features._lookups import OneLookup, look_up_one
from smartrisk.features._packed_days import LAST_DAY, days
from smartrisk.features._sum_tables import SumTable
from smartrisk.items import mix_one, text_id
from smartrisk.schema import DERIVED_COLUMNS, HS_LEVELS

_FIRST_DAY = datetime.date(1900, 1, 1).toordinal()


class OneItem:
    """Fields of a single item, each read once.

    Parameters
    ----------
    values : mapping of str to object
        Fields of DECLARATIONS by name, each of canonical type.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.day = _day_of(values["lodged_at"])
        self._numbers: dict[str, float] = {}
        self._pasts: dict[int, OneLookup] = {}
        self._bases: dict[str, int | None] = {}
        self._ids: dict[tuple[str, ...], int | None] = {(): mix_one(0)}

    @cached_property
    def columns(self) -> Columns:
        """The same item as columns of one value."""
        return Columns({name: [value] for name, value in self.values.items()})

    def number(self, name: str) -> float:
        """Return a number; NaN where it is missing."""
        found = self._numbers.get(name)
        if found is None:
            value = self.values.get(name)
            found = np.nan if is_missing(value) else float(value)  # type: ignore[arg-type]
            self._numbers[name] = found
        return found

    def tariff(self, function: Callable[[str], float]) -> float:
        """Return what a function makes of the tariff code; NaN where it is missing."""
        value = self.values.get("tariff_code")
        return np.nan if is_missing(value) else function(str(value))

    def base(self, name: str) -> int | None:
        """Return the identity of the value of a column; None where it is missing.

        Where the name ends in "?", missing counts as a value of its own.
        """
        if name not in self._bases:
            self._bases[name] = self._identity(name)
        return self._bases[name]

    def key(self, columns: Sequence[str]) -> int | None:
        """Return the identity of a combination of columns; None where one is missing.

        The same number as `Columns.key` gives.
        """
        name = tuple(columns)
        if name not in self._ids:
            self._ids[name] = self._combine(name)
        return self._ids[name]

    def look_up(self, key: Sequence[str], table: SumTable) -> OneLookup:
        """Return the past of the item in the table of a key, looked up once."""
        found = self._pasts.get(id(table))
        if found is None:
            found = look_up_one(table, self.key(key), self.day)
            self._pasts[id(table)] = found
        return found

    def _combine(self, name: tuple[str, ...]) -> int | None:
        """Return the identity of a combination of columns."""
        last = self.base(name[-1])
        if last is None:
            return None
        if len(name) == 1:
            return mix_one(last)
        above = self.key(name[:-1])
        return None if above is None else mix_one(above * 3 + mix_one(last))

    def _identity(self, name: str) -> int | None:
        """Return the identity of the value of a column."""
        if name.endswith("?"):
            found = self.base(name[:-1])
            return int(NOTHING) if found is None else found
        if name in HS_LEVELS:
            code = self.values.get("tariff_code")
            return None if is_missing(code) else text_id(str(code)[: HS_LEVELS[name]])
        if name not in self.values and name in DERIVED_COLUMNS:
            return _identity_of(self._derive(name))
        return _identity_of(self.values.get(name))

    def _derive(self, name: str) -> Any:
        """Return the value of a column that is made of others."""
        if name in DERIVED_PARTS:
            code = self.values.get("tariff_code")
            return None if is_missing(code) else DERIVED_PARTS[name](str(code))
        above, below = (np.array([self.number(n)]) for n in DERIVED_COLUMNS[name])
        return float(round_ratio(above, below)[0])


def _day_of(moment: Any) -> int:
    """Return the day of a moment as `days` does."""
    if isinstance(moment, datetime.datetime) and moment is not pd.NaT:
        return min(max(moment.toordinal() - _FIRST_DAY, 0), LAST_DAY)
    return int(days([moment])[0])


def _identity_of(value: Any) -> int | None:
    """Return the identity of a single value; None where it is missing."""
    if is_missing(value):
        return None
    if isinstance(value, (float, np.floating)):  # -0.0 becomes 0.0
        return mix_one(int.from_bytes(struct.pack("<d", float(value) + 0.0), "little"))
    return text_id(value)
