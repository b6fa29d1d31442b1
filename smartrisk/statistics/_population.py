"""Items or declarations as units of a statistic: their facts, and their groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.schema import CHANNELS, DECLARATIONS, HS_LEVELS
from smartrisk.statistics._controls import (
    OVERRIDES,
    RANDOM,
    STRATA,
    STRICTNESS,
    Controls,
)
from smartrisk.statistics._events import Events
from smartrisk.statistics._grammar import OWN, Condition
from smartrisk.statistics._reading import Bool, Float, Int, Moments, Reading

#: Lists of the codes of facts.
CODES: Mapping[str, tuple[str, ...]] = {
    "channel": CHANNELS,
    "final_channel": CHANNELS,
    "selected_by": STRATA,
    "override": OVERRIDES,
}
#: Periods that can be a group, and the numpy unit of each.
PERIODS = {"month": "M", "quarter": "M", "year": "Y"}
#: Name of the group of all.
TOTAL = "total"
#: Name of the group of units without a value.
MISSING = "missing"
_RELEASED_LAST = len(STRATA)
_COMPARE: Mapping[str, Callable[[Float, float], Bool]] = {
    "=": np.equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True, eq=False)
class Level:
    """Groups of one choice of fields, the other fields taken together.

    Attributes
    ----------
    of_cell : ndarray of int, shape (n_cells,)
        Place of the group that each cell, of all fields together, belongs to.
    n_groups : int
        Number of groups.
    labels : list of ndarray of object, shape (n_groups,)
        Values of the fields of `by`; `TOTAL` where the field is not kept.
    """

    of_cell: NDArray[np.intp]
    n_groups: int
    labels: list[NDArray[np.object_]]

    def add(self, cells: Float) -> Float:
        """Return the sums of groups from those of cells."""
        sums = np.bincount(self.of_cell, cells, minlength=self.n_groups)
        return np.asarray(sums, np.float64)


class Population:
    """Units with their facts.

    Parameters
    ----------
    unit : str
        "item" or "declaration".
    reading : Reading
        The items.
    controls : Controls
        Facts of their controls.
    events : Events
        Facts of their declarations.
    by : sequence of str
        Fields that group the units.
    """

    def __init__(
        self,
        unit: str,
        reading: Reading,
        controls: Controls,
        events: Events,
        by: Sequence[str],
    ) -> None:
        self.unit = unit
        self._reading = reading
        self._by_document = unit == "declaration"
        self.n = reading.n_documents if self._by_document else len(reading.ids)
        self.closed = self._first(reading.closed)
        self.absent = reading.absent
        self.late = controls.late | events.late
        self.flags: dict[str, Bool] = {}
        self.numbers: dict[str, Float] = {}
        self.codes: dict[str, Int] = {}
        self._declared: dict[str, tuple[NDArray[np.intp], NDArray[np.object_]]] = {}
        self._add_controls(controls)
        self._add_events(events)
        self.cell, self.n_cells, self.levels = self._make_levels(by)

    def _first(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a value per unit: that of the first item of a declaration."""
        return values[self._reading.first] if self._by_document else values

    def any(self, flag: Bool) -> Bool:
        """Return which units have an item with a flag."""
        if not self._by_document:
            return flag
        out = np.zeros(self.n, bool)
        out[self._reading.document[flag]] = True
        return out

    def total(self, values: Float) -> Float:
        """Return the sum of the items of each unit, to hundredths, in any order."""
        cents = np.rint(100 * np.nan_to_num(values))
        if self._by_document:
            cents = np.bincount(self._reading.document, cents, minlength=self.n)
        return np.asarray(cents / 100)

    def greatest(self, values: Float) -> Float:
        """Return the greatest value of the items of each unit; missing for none."""
        if not self._by_document:
            return values
        out = np.full(self.n, -np.inf)
        some = np.flatnonzero(~np.isnan(values))
        np.maximum.at(out, self._reading.document[some], values[some])
        out[np.isneginf(out)] = np.nan
        return out

    def _add_controls(self, controls: Controls) -> None:
        """Add the facts of controls; a declaration has a result when all its have."""
        controlled = controls.flags["controlled"]
        known = controls.known_document if self._by_document else controls.known
        hit = controls.hit_document if self._by_document else controls.flags["hit"]
        flags = self.flags
        flags["controlled"] = self.any(controlled)
        flags["result"] = flags["controlled"] & ~self.any(controlled & ~known)
        flags["hit"] = self.any(hit) & flags["result"]
        overdue = self.any(controlled & ~known & controls.flags["past_delay"])
        flags["unresolved"] = overdue & ~flags["result"]
        flags["due"] = flags["result"] | flags["unresolved"]
        for name in ("decided", "physical", "changed"):
            if name in controls.flags:
                flags[name] = self.any(controls.flags[name])
        if "documentary" in controls.flags:
            papers = self.any(controls.flags["documentary"])
            flags["documentary"] = papers & ~flags["physical"]
        self._add_codes(controls, controlled)
        for name in ("refund", "value_gap", "adjusted_value"):
            self.numbers[name] = self.total(controls.numbers[name])
        revenue = self.total(controls.numbers["revenue"])
        if self._by_document:
            whole = self.greatest(controls.document_revenue)
            revenue = np.where(revenue > 0, revenue, whole)
        self.numbers["revenue"] = revenue
        for name in ("latency_days", "inspection_hours"):
            self.numbers[name] = self.greatest(controls.numbers[name])
        self.draw = controls.draw
        self._orders: dict[str, NDArray[np.intp]] = {}

    def _add_codes(self, controls: Controls, controlled: Bool) -> None:
        """Add who selected the units, their lanes, and what officers changed."""
        if "channel" not in controls.codes:
            return
        by = np.where(controlled, controls.codes["selected_by"], _RELEASED_LAST)
        if self._by_document:
            least = np.full(self.n, _RELEASED_LAST)
            some = np.flatnonzero(controlled)
            np.minimum.at(least, self._reading.document[some], by[some])
            by = least
        self.codes["selected_by"] = np.where(by == _RELEASED_LAST, -1, by)
        order = np.array([STRICTNESS.index(name) for name in CHANNELS])
        back = np.array([CHANNELS.index(name) for name in STRICTNESS])
        for name in ("channel", "final_channel"):
            lane = controls.codes[name]
            strict = np.where(lane >= 0, order[lane], np.nan)
            strict = self.greatest(strict)
            has = ~np.isnan(strict)
            code = np.full(self.n, -1)
            code[has] = back[strict[has].astype(np.int64)]
            self.codes[name] = code
        first, final = self.codes["channel"], self.codes["final_channel"]
        green = CHANNELS.index("green")
        kind = np.full(self.n, -1)
        changed = self.flags.get("changed", np.zeros(self.n, bool))
        kind[changed] = 2
        kind[changed & (first == green) & (final != green)] = 0
        kind[changed & (first != green) & (final == green)] = 1
        self.codes["override"] = kind

    def _add_events(self, events: Events) -> None:
        """Add the facts of milestones; items have those of their declaration."""
        where = slice(None) if self._by_document else self._reading.document
        self.flags |= {name: flag[where] for name, flag in events.flags.items()}
        self.numbers |= {name: x[where] for name, x in events.numbers.items()}

    def missing(self, names: Sequence[str]) -> str:
        """Return why an expression cannot be answered; empty where it can."""
        for name in names:
            if name in self.absent:
                return self.absent[name]
            column = name.removeprefix(OWN)
            is_declared = name.startswith(OWN) or name in DECLARATIONS
            if is_declared and column not in self._reading.declarations:
                return f"the declarations lack {column!r}"
        return ""

    def is_late(self, names: Iterable[str]) -> bool:
        """Return whether one of some facts becomes known after lodgement."""
        return not self.late.isdisjoint(names)

    def number(self, name: str) -> Float:
        """Return a number per unit: a fact, or the sum of a declared column."""
        if name not in self.numbers:
            column = self._reading.column(name.removeprefix(OWN))
            values = column.to_numpy(np.float64, na_value=np.nan)
            self.numbers[name] = self.total(values)
        return self.numbers[name]

    def by_value(self, name: str) -> NDArray[np.intp]:
        """Return the units that have a number, from the least to the greatest."""
        if name not in self._orders:
            values = self.number(name)
            some = np.flatnonzero(~np.isnan(values))
            self._orders[name] = some[np.argsort(values[some])]
        return self._orders[name]

    def code(self, name: str) -> tuple[Int, Sequence[str]]:
        """Return a code per unit, and the values that codes stand for."""
        if name in self.codes:
            return self.codes[name], CODES[name]
        if name not in self._declared:
            column = self._reading.column(name.removeprefix(OWN))
            code, values = pd.factorize(column)
            self._declared[name] = self._first(code), np.asarray(values, object)
        place, texts = self._declared[name]
        return place, [str(text) for text in texts]

    def flag(self, name: str) -> Bool:
        """Return a flag per unit: a fact, or a declared column that is true."""
        if name not in self.flags:
            column = self._reading.column(name.removeprefix(OWN))
            values = column.astype("boolean").fillna(False).to_numpy(bool)
            self.flags[name] = self.any(values)
        return self.flags[name]

    def mask(self, where: Sequence[Condition]) -> Bool:
        """Return which units fulfil all conditions."""
        out = np.ones(self.n, bool)
        for one in where:
            holds = self._holds(one)
            out &= ~holds if one.negated else holds
        return out

    def _holds(self, one: Condition) -> Bool:
        """Return which units fulfil a condition, its negation apart."""
        if one.operator == "is":
            return self.flag(one.name)
        is_code = one.name in CODES or one.operator in ("!=", "in")
        if one.name in DECLARATIONS:
            is_code |= DECLARATIONS[one.name].kind in ("code", "text")
        if one.operator in ("=", "!=", "in") and (is_code or one.name.startswith(OWN)):
            code, values = self.code(one.name)
            among = np.array([value in one.values for value in values] + [False])
            return np.asarray(~among[code] if one.operator == "!=" else among[code])
        return _COMPARE[one.operator](self.number(one.name), float(one.values[0]))

    def count(self, units: Bool) -> Float:
        """Return how many of some units are in each cell."""
        sums = np.bincount(self.cell, units, minlength=self.n_cells)
        return np.asarray(sums, np.float64)

    def in_order(self, units: Bool) -> NDArray[np.intp]:
        """Return the rows of some items, in an order that the table does not change."""
        rows = np.flatnonzero(units)
        return rows[np.argsort(self._reading.ids[rows], kind="stable")]

    def cents(self, values: Float, units: Bool) -> Float:
        """Return the sum of a number in each cell, in hundredths, in any order."""
        hundredths = np.where(units, np.rint(100 * np.nan_to_num(values)), 0.0)
        sums = np.bincount(self.cell, hundredths, minlength=self.n_cells)
        return np.asarray(sums, np.float64)

    def _make_levels(
        self, by: Sequence[str]
    ) -> tuple[NDArray[np.intp], int, list[Level]]:
        """Return the cell of each unit, and the groups of every choice of fields."""
        fields = [self._group_codes(name) for name in by]
        cell = np.zeros(self.n, np.int64)
        for code, values in fields:
            cell = cell * len(values) + code
        place, present = pd.factorize(cell)
        parts, rest = [], np.asarray(present, np.int64)
        for _, values in reversed(fields):
            parts.append(rest % len(values))
            rest = rest // len(values)
        names = [values for _, values in fields]
        levels = [
            _make_level(kept, parts[::-1], names, len(present))
            for kept in product((True, False), repeat=len(by))
        ]
        return np.asarray(place, np.intp), len(present), levels

    def _group_codes(self, name: str) -> tuple[Int, NDArray[np.object_]]:
        """Return the group of each unit by one field, and the names in order."""
        if name in PERIODS:
            return _periods(self._first(self._reading.lodged), name)
        column = self._reading.column(_column_of(name))
        if name in HS_LEVELS:
            code, texts = pd.factorize(column)
            cut = [str(text)[: HS_LEVELS[name]] for text in texts]
            again, levels = pd.factorize(np.array([*cut, None], dtype=object))
            code, texts = again[code], pd.Index(levels)
        else:
            code, texts = pd.factorize(column)
        code = self._first(np.asarray(code, np.int64))
        names = np.array([*map(str, texts), MISSING], dtype=object)
        order = np.argsort(names[:-1], kind="stable")
        rank = np.empty(len(names), np.int64)
        rank[order] = np.arange(len(order))
        rank[-1] = len(order)
        return rank[code], np.append(names[:-1][order], MISSING)


def _make_level(
    kept: tuple[bool, ...],
    parts: Sequence[Int],
    names: Sequence[NDArray[np.object_]],
    n_cells: int,
) -> Level:
    """Return the groups by the fields that are kept, in the order of their names."""
    key = np.zeros(n_cells, np.int64)
    for keep, part, values in zip(kept, parts, names, strict=True):
        key = key * len(values) + (part if keep else 0)
    groups, one, of_cell = np.unique(key, return_index=True, return_inverse=True)
    if not any(kept):  # the total is there without any unit too
        return Level(
            np.zeros(n_cells, np.intp), 1, [np.array([TOTAL], object) for _ in kept]
        )
    labels = [
        values[part[one]] if keep else np.full(len(groups), TOTAL, object)
        for keep, part, values in zip(kept, parts, names, strict=True)
    ]
    return Level(np.asarray(of_cell, np.intp), len(groups), labels)


def _column_of(name: str) -> str:
    """Return the declared column that a field of `by` is made of."""
    return "tariff_code" if name in HS_LEVELS else name


def _periods(lodged: Moments, name: str) -> tuple[Int, NDArray[np.object_]]:
    """Return the period of each unit, and the names of the periods in order."""
    number = lodged.astype(f"datetime64[{PERIODS[name]}]").astype(np.int64)
    if name == "quarter":
        number = number // 3
    if not len(number):
        return number, np.array([], dtype=object)
    first, last = int(number.min()), int(number.max())
    every = np.arange(first, last + 1)
    if name == "quarter":
        names = [f"{1970 + q // 4}-Q{q % 4 + 1}" for q in every.tolist()]
    else:
        moments = every.astype(f"datetime64[{PERIODS[name]}]")
        names = [str(moment) for moment in moments]
    return number - first, np.array(names, dtype=object)


__all__ = ["MISSING", "PERIODS", "RANDOM", "TOTAL", "Level", "Population"]
