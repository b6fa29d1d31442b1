"""Sums of the market at the level of prices of each day, made of the tables of items.

An update changes the level of its own days and later ones: their entries are made
again, and all others stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Int
from smartrisk.features._merging import Entries
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._price_level import PriceLevel, level_sums
from smartrisk.features._sum_tables import Sums, SumTable
from smartrisk.items import UInt

#: Goods whose prices show the level: the narrowest that every item has.
LEVEL_GOODS = "hs6"
#: Sums by the label of a key.
Tables: TypeAlias = Mapping[str, SumTable]


@dataclass(frozen=True, eq=False)
class Market:
    """Sums of the market, and what is derived from them when it is first read.

    Parameters
    ----------
    tables : dict of str to SumTable
        Sums of the measure by the label of a key.
    earlier : tuple of (PriceLevel, dict of str to SumTable), default=None
        `derived` of an earlier market; None to make all of it.
    changes : dict of str to SumTable, default=None
        What was added to the tables of the earlier one.
    """

    tables: Tables
    earlier: tuple[PriceLevel, dict[str, SumTable]] | None = None
    changes: Tables | None = None

    @cached_property
    def derived(self) -> tuple[PriceLevel, dict[str, SumTable]]:
        """The level, and the sums by key with all prices at the level of the start."""
        if self.earlier is None or self.changes is None:
            return _derive(self.tables)
        grown = _go_on(self.tables, *self.earlier, self.changes)
        return _derive(self.tables) if grown is None else grown

    def __getstate__(self) -> dict[str, Any]:
        """Return a copy: another thread may note something while it is pickled."""
        return dict(vars(self))

    @property
    def level(self) -> PriceLevel:
        """Level of the measure by day."""
        return self.derived[0]

    def plus(self, tables: Tables, changes: Tables) -> Market:
        """Return the market of tables with more entries.

        Parameters
        ----------
        tables : dict of str to SumTable
            All sums.
        changes : dict of str to SumTable
            What was added, for the keys that changed.
        """
        if "derived" in vars(self):
            return Market(tables, self.derived, changes)
        if self.earlier is None or self.changes is None:
            return Market(tables)
        both = dict(self.changes)
        for label, table in changes.items():
            both[label] = (
                SumTable.merge([both[label], table]) if label in both else table
            )
        return Market(tables, self.earlier, both)


def _derive(tables: Tables) -> tuple[PriceLevel, dict[str, SumTable]]:
    """Return the level, and the sums at the level of the start, from all entries."""
    level = PriceLevel.from_table(tables[LEVEL_GOODS])
    found = {}
    for label, table in tables.items():
        plain, starts = table.entries(), table.starts
        totals = {
            name: np.append(0, np.cumsum(values))
            for name, values in level_sums(table.day, table.sums, level).items()
        }
        made = Entries(ids=plain.ids, packed=plain.packed, totals=totals)
        found[label] = SumTable.of_entries(made, starts)
    return level, found


def _go_on(
    tables: Tables, level: PriceLevel, derived: Tables, changes: Tables
) -> tuple[PriceLevel, dict[str, SumTable]] | None:
    """Return what `_derive` does, from that of fewer entries; None where it cannot."""
    goods = changes.get(LEVEL_GOODS)
    first = None
    if goods is not None and len(goods.packed):
        first = int(goods.day.min())
        resumed = level.resume(first)
        if resumed is None:
            return None
        known, start = resumed
        ids, day = _find_entries(tables[LEVEL_GOODS], goods, start)
        sums, there = _sums_left(tables[LEVEL_GOODS], ids, day)
        level = level.go_on(known, ids[there], day[there], sums)
    found = {}
    for label, table in tables.items():
        ids, day = _find_entries(table, changes.get(label), first)
        sums, there = _sums_left(table, ids, day)
        before = derived[label].exactly(ids, day)
        more = {name: -values for name, values in before.items()}
        for name, values in level_sums(day[there], sums, level).items():
            more[name][there] += values
        found[label] = derived[label].plus(_table(ids, day, more))
    return level, found


def _sums_left(table: SumTable, ids: UInt, day: Int) -> tuple[Sums, NDArray[np.bool_]]:
    """Return the sums of entries that still have items, and which these are.

    Items that were replaced may have been all of an entry, or of a day: a fit of what
    is left knows of neither.
    """
    sums = table.exactly(ids, day)
    there = sums["n"] > 0
    return {name: values[there] for name, values in sums.items()}, there


def _find_entries(
    table: SumTable, change: SumTable | None, first: int | None
) -> tuple[UInt, Int]:
    """Return the changed entries and those from a day on, sorted, each once."""
    parts = [(np.zeros(0, np.uint64), np.zeros(0, np.int64))]
    if change is not None:
        parts.append((change.entry_ids, change.day))
    if first is not None:
        parts.append(table.since(first))
    ids, day = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.lexsort((day, ids))
    ids, day = ids[order], day[order]
    new = np.ones(len(ids), bool)
    new[1:] = (ids[1:] != ids[:-1]) | (day[1:] != day[:-1])
    return ids[new], day[new]


def _table(ids: UInt, day: Int, sums: Sums) -> SumTable:
    """Return the table of sorted entries."""
    values, codes = np.unique(ids, return_inverse=True)
    return SumTable(values, (codes.astype(np.int64) << DAY_BITS) | day, sums)
