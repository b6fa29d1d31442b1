"""The past of items in the table of a key, found once for equal value and day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Columns, Float, Int
from smartrisk.features._compiled import Kernels, kernels_for, ready
from smartrisk.features._keys import FEW, ByDay
from smartrisk.features._levels import Levels
from smartrisk.features._lookups import DAY_MASK, Lookup
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._pair_codes import Codes
from smartrisk.features._running import (
    RunningDays,
    RunningPast,
    RunningSums,
    repeated_codes,
)
from smartrisk.features._sorted_items import SortedKey, sort_by_key
from smartrisk.features._sum_tables import SumTable
from smartrisk.items import UInt

#: Points looked up together: their positions and sums fit the cache of a processor.
BLOCK = 1 << 14


@dataclass(frozen=True, kw_only=True, eq=False)
class Queries:
    """Some points and their past.

    Parameters
    ----------
    place : slice
        Which points.
    rows : ndarray of int or slice
        An item of each point.
    codes : ndarray of int, shape (n_points,)
        Place of each point's value in `ids`; -1 is missing.
    ids : ndarray of uint64
        Identities.
    past : Lookup
        What the table holds of each point.
    found : dict of int to ndarray
        Positions of the identities by table, shared by the blocks.
    kernels : Kernels or None
        Compiled loops, where items pass in the order of days.
    """

    place: slice
    rows: NDArray[Any] | slice
    codes: Codes
    ids: UInt
    past: Any
    found: dict[int, Int]
    kernels: Kernels | None = None
    _days: dict[int, Int] = field(default_factory=dict)

    def in_table(self, table: SumTable | Levels) -> Any:
        """Look the same points up in another table of the key."""
        if id(table) not in self.found:  # the same identities in every block
            self.found[id(table)] = np.append(table.find(self.ids), -1)
        return Lookup.make(table, self.found[id(table)][self.codes], self.past.day)

    def prior(self, prior: Float | ByDay) -> Float:
        """Return values of items, or of their days, at the points."""
        if isinstance(prior, ByDay):
            if prior.first not in self._days:  # the same for all figures of a day
                self._days[prior.first] = self.past.day - prior.first
            of_day: Float = prior.values[self._days[prior.first]]
            return of_day
        return prior[self.rows]


@dataclass(frozen=True, kw_only=True, eq=False)
class _RunningQueries(Queries):
    """Items that pass in the order of their days, and their past."""

    results: RunningSums | None

    def in_table(self, table: SumTable | Levels) -> Any:
        """Return the results of the same items."""
        return RunningPast(self.codes, self.past.day, self.results, None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pasts:
    """The points of some items: what is computed for a point counts for its items.

    A point is a value and a day, or an item without a value. In the order of the
    table, look-ups and sums stay in the cache of a processor. Each item is a point
    where they are few, where their features depend on more than value and day, and
    where they are the history and compiled loops let them pass in the order of days.

    Parameters
    ----------
    columns : Columns
        The items.
    key : tuple of str
        Columns of the key.
    table : SumTable or Levels
        Where to look.
    by : SortedKey or None
        Their entries; None where each item is a point.
    kernels : Kernels or None
        Compiled loops where items pass in the order of days.
    sums, results : str or None
        Names of the events that the table and the results add up.
    days : bool
        Whether the days of earlier items are asked for, besides sums.
    """

    columns: Columns
    key: tuple[str, ...]
    table: SumTable | Levels
    by: SortedKey | None
    kernels: Kernels | None = None
    sums: str | None = None
    results: str | None = None
    days: bool = True

    @classmethod
    def make(
        cls,
        columns: Columns,
        key: tuple[str, ...],
        table: SumTable,
        *,
        shared: bool = True,
        sums: str | None = None,
        results: str | None = None,
        days: bool = True,
    ) -> Pasts:
        """Find the points of items.

        `shared` is False where features depend on more than value and day; `sums` and
        `results` name events whose sums suffice, `days` is False where these do alone.
        """
        view = table.view_for(columns.n)
        if is_learned(view, columns.sorted_keys.get(key)):
            kernels = kernels_for(columns.n)
            if (
                kernels is not None
                and {sums, results} - {None} <= columns.events.keys()
                and sums
            ):
                return cls(
                    columns=columns,
                    key=key,
                    table=view,
                    by=None,
                    kernels=kernels,
                    sums=sums,
                    results=results,
                    days=days,
                )
        by = sort_by_key(columns, key) if columns.n > FEW and shared else None
        return cls(columns=columns, key=key, table=view, by=by)

    @property
    def by_item(self) -> bool:
        """Whether each item is a point."""
        return self.by is None

    @cached_property
    def _missing(self) -> Int:
        """Items without a value, where others share points."""
        if self.by is None or len(self.by.order) == self.columns.n:
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.by.entry < 0)

    @cached_property
    def _point(self) -> Int:
        """Point of each item, where several share one."""
        if self.by is None:
            return np.arange(self.columns.n)
        point = self.by.entry.astype(np.int64)
        n_missing = len(self._missing)
        point[self._missing] = self.n_points - n_missing + np.arange(n_missing)
        return point

    @property
    def n_points(self) -> int:
        """Number of points."""
        if self.by is None:
            return self.columns.n
        return len(self.by.entries) + len(self._missing)

    def blocks(self) -> Iterator[Queries]:
        """Look the points up, strictly before their days, some at a time."""
        if self.by is not None:
            yield from self._entry_blocks(self.by)
        elif self.kernels is not None:
            yield from self._running_blocks(self.kernels)
        else:
            codes, ids = self.columns.key(self.key)
            found = np.append(self.table.find(ids), -1)
            places: dict[int, Int] = {}
            for place in _slices(self.columns.n):
                own = codes[place]
                past = Lookup.make(self.table, found[own], self.columns.day[place])
                yield Queries(
                    place=place, rows=place, codes=own, ids=ids, past=past, found=places
                )

    def _entry_blocks(self, by: SortedKey) -> Iterator[Queries]:
        """Look up every entry of the items, then the items without a value."""
        table = self.table
        found = None if is_learned(table, by) else np.append(table.find(by.ids), -1)
        items = by.item
        places: dict[int, Int] = {}
        for place in _slices(len(by.entries)):
            own, day = by.entries[place] >> DAY_BITS, by.entries[place] & DAY_MASK
            past = (
                Lookup.of_entries(cast(SumTable, table), place.start, place.stop)
                if found is None
                else Lookup.make(table, found[own], day)
            )
            yield Queries(
                place=place,
                rows=items[place],
                codes=own,
                ids=by.ids,
                past=past,
                found=places,
            )
        for place in _slices(len(self._missing)):
            rows = self._missing[place]
            none = np.full(len(rows), -1)
            yield Queries(
                place=slice(place.start + len(items), place.stop + len(items)),
                rows=rows,
                codes=none,
                ids=by.ids,
                found=places,
                past=Lookup.make(table, none, self.columns.day[rows]),
            )

    def _running_blocks(self, kernels: Kernels) -> Iterator[Queries]:
        """Let the items pass in the order of their days."""
        columns = self.columns
        codes, ids = columns.key(self.key)
        rows, day = columns.by_day, columns.day
        in_order = columns.in_order
        codes, n_codes = repeated_codes(kernels, codes, len(ids))
        own, dated = (codes, day) if in_order else (codes[rows], day[rows])
        days = RunningDays(kernels, own, dated, n_codes) if self.days else None

        def running(name: str | None) -> RunningSums | None:
            """Return the sums of some events from the first day on."""
            if name is None:
                return None
            return RunningSums(kernels, columns.events[name], codes, n_codes)

        sums, results = running(self.sums), running(self.results)
        for place in _slices(columns.n):
            part, when = own[place], dated[place]
            passed = days.before(place.start, place.stop) if days else None
            yield _RunningQueries(
                place=place,
                rows=place if in_order else rows[place],
                codes=part,
                ids=ids,
                past=RunningPast(part, when, sums, passed),
                results=results,
                found={},
                kernels=kernels,
            )

    @property
    def _direct(self) -> bool:
        """Whether the points are the items in their own order."""
        return self.by_item and (self.kernels is None or self.columns.in_order)

    def buffers(self, columns: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return an array of the points for each column of items to compute."""
        if self._direct:
            return list(columns)
        return [np.empty(self.n_points, column.dtype) for column in columns]

    def spread(
        self, made: Sequence[NDArray[Any]], columns: Sequence[NDArray[Any]]
    ) -> None:
        """Give every item the values of its point, unless they were written there."""
        for values, column in zip(made, columns, strict=True):
            if self.by is not None:
                # Places are within bounds; without the check there is no copy.
                np.take(values, self._point, out=column, mode="clip")
            elif values is not column:
                column[self.columns.by_day] = values

    def spread_gap(
        self, values: Float, mean: Float, spread: Float | None, out: NDArray[Any]
    ) -> None:
        """Write the value of each item less the mean of its point, over its spread."""
        kernels = kernels_for(self.columns.n)
        if kernels is not None and spread is not None and out.flags.c_contiguous:
            kernels.divide_gap(*ready(values, mean, spread, self._point), out)
            return
        for rows in _slices(self.columns.n):
            point = self._point[rows]
            gap = values[rows] - mean[point]
            out[rows] = gap if spread is None else gap / spread[point]


def is_learned(table: SumTable | Levels, by: SortedKey | None) -> bool:
    """Return whether a table was made from exactly the items that were sorted."""
    merged = isinstance(table, SumTable)
    return by is not None and merged and by.entries is cast(SumTable, table).packed


def _slices(n: int) -> Iterator[slice]:
    """Yield blocks of up to `BLOCK` points."""
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))


def look_up(columns: Columns, key: Sequence[str], table: SumTable) -> Lookup:
    """Return the past of each item in the table of a key, in the order of the items."""
    codes, ids = columns.key(key)
    view = table.view_for(columns.n)
    at = np.append(view.find(ids), -1)[codes]
    return Lookup.make(view, at, columns.day)


def look_up_days(columns: Columns, table: SumTable, span: Int) -> Lookup:
    """Return the past of each of some days in the table of all items together."""
    view = table.view_for(1)
    at = np.repeat(view.find(columns.key(())[1]), len(span))
    return Lookup.make(view, at, span)


def find_sums(columns: Columns, key: Sequence[str], table: SumTable) -> dict[str, Int]:
    """Return the sums of the past of each item in the table of a key.

    Parameters
    ----------
    columns : Columns
        The items.
    key : sequence of str
        Columns of the key.
    table : SumTable
        Its sums by day.

    Returns
    -------
    sums : dict of str to ndarray of int64, shape (n_items,)
        By name.
    """
    found = {name: np.empty(columns.n, np.int64) for name in table.names()}
    pasts = Pasts.make(columns, tuple(key), table)
    made = pasts.buffers(list(found.values()))
    for queries in pasts.blocks():
        for name, sums in zip(found, made, strict=True):
            sums[queries.place] = queries.past.total(name)
    pasts.spread(made, list(found.values()))
    return found
