"""What an update changes in a history: items that come and go, results, and their sums.

A change is made of encoded items, so that what an item adds, and what is taken out when
it is replaced, come from the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Columns, Int
from smartrisk.features._item_results import ItemResults
from smartrisk.features._running import Events
from smartrisk.features._sum_tables import (
    Sums,
    SumTable,
    build_table,
    build_table_of,
    quantise,
)

#: Sums of results: inspections, hits, and the logarithm of what was recovered.
RESULT_SUMS = ("n", "hits", "revenue")


@dataclass(frozen=True, kw_only=True, eq=False)
class ResultEntries:
    """Results as sums to add.

    Parameters
    ----------
    columns : Columns
        The items.
    rows : ndarray of int, shape (n_entries,)
        Item of each entry.
    day : ndarray of int64, shape (n_entries,)
        Day from which it counts.
    sums : dict of str to ndarray of int64, shape (n_entries,)
        Inspections, hits and revenue to add. A correction adds the differences to the
        version before it, and no inspection.
    """

    columns: Columns
    rows: NDArray[np.intp]
    day: Int
    sums: Sums

    @classmethod
    def from_results(
        cls, columns: Columns, results: ItemResults | None
    ) -> ResultEntries:
        """Return the first results of items."""
        if results is None:
            none = np.zeros(0, np.int64)
            sums = dict.fromkeys(RESULT_SUMS, none)
            return cls(columns=columns, rows=none, day=none, sums=sums)
        sums = {
            "n": np.ones(len(results), np.int64),
            "hits": results.hits,
            "revenue": revenue_parts(results.revenue),
        }
        return cls(columns=columns, rows=results.rows, day=results.day, sums=sums)

    def events(self) -> Events:
        """Return the results in the order of the days on which they were known."""
        sums = {name: self.sums[name] for name in RESULT_SUMS[1:]}
        return Events.of_results(self.rows, self.day, sums)

    def table(self, key: tuple[str, ...]) -> SumTable:
        """Return the table of one key, by the day the results were known."""
        if not len(self.rows):
            return SumTable.empty(RESULT_SUMS)
        return build_table_of(
            self.columns, key, self.rows, day=self.day, sums=self.sums
        )


def revenue_parts(revenue: NDArray[np.float64]) -> Int:
    """Return the logarithm of what results recovered, in the parts that are summed."""
    return quantise(np.log1p(revenue))[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """What to add to a history, and what to take out of it.

    Parameters
    ----------
    added, removed : Columns, default=None
        Items that come, and items that go; None for none.
    same_days : Columns, default=None
        With `removed`: all items of the history on the days of those that go, as they
        are after the change. A lowest value cannot be subtracted.
    results, withdrawn : ResultEntries, default=None
        Results that come, and results that go.
    trader : str, default=None
        Only keys that name this field change; None for all.
    """

    added: Columns | None = None
    removed: Columns | None = None
    same_days: Columns | None = None
    results: ResultEntries | None = None
    withdrawn: ResultEntries | None = None
    trader: str | None = None

    def touches(self, fields: tuple[str, ...]) -> bool:
        """Return whether keys of these fields change."""
        return self.trader is None or self.trader in fields

    def of_counts(self, table: SumTable, key: tuple[str, ...]) -> SumTable:
        """Return a table of counts with the items that come, without those that go."""
        return self.of_items(table, lambda columns: build_table(columns, key))

    def of_items(
        self, table: SumTable, build: Callable[[Columns], SumTable]
    ) -> SumTable:
        """Return a table with the items that come and without those that go."""
        changes = []
        if self.added is not None:
            changes.append(build(self.added))
        if self.removed is not None:
            changes.append(build(self.removed).negate())
        return table.plus(*changes)

    def of_results(self, table: SumTable, key: tuple[str, ...]) -> SumTable:
        """Return a table with the results that come and without those that go."""
        changes = []
        if self.results is not None:
            changes.append(self.results.table(key))
        if self.withdrawn is not None:
            changes.append(self.withdrawn.table(key).negate())
        return table.plus(*changes)
