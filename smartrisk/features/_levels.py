"""Levels of a table of sums: many entries, and few that were added since.

A look-up reads every level and adds up what it finds, so that an update costs its own
entries. Levels are merged when the upper ones have grown: an entry is copied a bounded
number of times, whatever the number of updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Int
from smartrisk.features._merging import Entries, drop_empty, merge_entries
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.items import UInt

if TYPE_CHECKING:
    from smartrisk.features._sum_tables import SumTable

#: Levels over the base at most: each costs every look-up a search.
_MOST_ADDED = 2
#: An added level is merged with the one below unless that has this many times as many
#: entries.
_RATIO = 8
#: All levels are merged when the added ones have more than one entry for this many of
#: the base: until then, reading two levels costs less than copying the base.
_SHARE = 4
_DAYS = (1 << DAY_BITS) - 1
#: Under this name, the number of new entries is merged as the sums are.
_FRESH = ""


@dataclass(frozen=True, eq=False)
class Levels:
    """The tables of one key whose sums add up, as they are at one time.

    Parameters
    ----------
    tables : tuple of SumTable
        The base first. Those above know of each of their entries whether it is `fresh`,
        which is whether no level below has it.
    whole : bool, default=False
        Whether they must be merged before anything but sums of entries is read:
        an entry was taken out, or the upper levels have grown.
    """

    tables: tuple[SumTable, ...]
    whole: bool = False

    @cached_property
    def n_entries(self) -> int:
        """Number of entries of all levels."""
        return sum(len(table.packed) for table in self.tables)

    @cached_property
    def extra(self) -> UInt:
        """Sorted identities that the base does not have."""
        base, *added = self.tables
        ids = np.unique(np.concatenate([table.ids for table in added]))
        found: UInt = ids[base.find(ids) < 0]
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return a copy: another thread may note something while it is pickled."""
        return dict(vars(self))

    def find(self, ids: UInt) -> Int:
        """Return the place of each identity: in the base, or after it in `extra`."""
        base = self.tables[0]
        place = base.find(ids)
        if len(self.extra):
            other = np.flatnonzero(place < 0)
            at = np.searchsorted(self.extra, ids[other])
            at[at == len(self.extra)] = 0
            there = self.extra[at] == ids[other]
            place[other[there]] = len(base.ids) + at[there]
        return place

    def identities(self, place: Int) -> UInt:
        """Return the identities of places, none negative."""
        base = self.tables[0].ids
        ids = np.zeros(len(place), np.uint64)
        below = place < len(base)
        ids[below] = base[place[below]]
        ids[~below] = self.extra[place[~below] - len(base)]
        return ids

    def split(self, place: Int) -> list[Int]:
        """Return where the identities of places are in each level, -1 where not."""
        base, *added = self.tables
        seen = np.flatnonzero(place >= 0)
        ids = self.identities(place[seen])
        found = [np.where(place < len(base.ids), place, -1)]
        for table in added:
            at = np.full(len(place), -1, np.int64)
            at[seen] = table.find(ids)
            found.append(at)
        return found

    def exactly(self, ids: UInt, day: Int) -> tuple[dict[str, Int], NDArray[np.bool_]]:
        """Return the sums of (identity, day) pairs, and whether some level has them."""
        first = int(day.min()) if len(day) else 0
        total = {name: np.zeros(len(ids), np.int64) for name in self.tables[0].totals}
        there = np.zeros(len(ids), bool)
        for table in self.tables:
            last = table.last_day()
            if last is None or last < first:
                continue
            sums, known = table.exact_entries(ids, day)
            there |= known
            for name, values in sums.items():
                total[name] += values
        return total, there

    def restrict(self, ids: UInt, names: Sequence[str]) -> SumTable:
        """Return one table of some identities, all levels merged.

        Parameters
        ----------
        ids : ndarray of uint64
            Sorted, each once.
        names : sequence of str
            Sums to keep.
        """
        base = self.tables[0]
        return base.merge([table.take(ids, names) for table in self.tables])

    def plus(self, change: SumTable) -> Levels:
        """Return the levels with more entries; these stay as they are."""
        change = _without_zeros(change)
        if not len(change.packed):
            return self
        base, *added = self.tables
        if self.whole:
            return Levels(_append(base, added, change, 2), True)
        fresh, removes = self._compare(change)
        vars(change)["fresh"] = _running(fresh)
        tables = _append(base, added, change, _RATIO)
        while len(tables) > 1 + _MOST_ADDED:
            tables = (*tables[:-2], _merge_added(*tables[-2:]))
        grown = _SHARE * sum(len(table.packed) for table in tables[1:])
        return Levels(tables, removes or grown > len(base.packed))

    def _compare(self, change: SumTable) -> tuple[NDArray[np.bool_], bool]:
        """Return which entries no level has, and whether one loses all its sums.

        Entries after the last day are new without a search.
        """
        day = change.day
        fresh = np.ones(len(day), bool)
        days = [table.last_day() for table in self.tables]
        last = max((known for known in days if known is not None), default=-1)
        old = np.flatnonzero(day <= last)
        if not len(old):
            return fresh, False
        sums, there = self.exactly(change.entry_ids[old], day[old])
        fresh[old] = ~there
        left = np.zeros(len(old), bool)
        for name, total in change.totals.items():
            left |= sums[name] + total[old + 1] - total[old] != 0
        return fresh, bool((there & ~left).any())

    def mark_fresh(self, level: SumTable) -> None:
        """Note which entries of a level that goes on top of these no level has."""
        vars(level)["fresh"] = _running(self._compare(level)[0])

    def merge(self) -> SumTable:
        """Return one table of all levels."""
        base, *added = self.tables
        merged = base.entries()
        if added:
            change = added[-1].entries()
            for table in added[-2::-1]:
                change = merge_entries(table.entries(), change)
            merged = merge_entries(merged, change)
        return base.of_entries(merged)


def _append(
    base: SumTable, added: Sequence[SumTable], change: SumTable, ratio: int
) -> tuple[SumTable, ...]:
    """Return the levels with one more; small ones are merged."""
    kept = list(added)
    while kept and len(kept[-1].packed) < ratio * len(change.packed):
        change = _merge_added(kept.pop(), change)
    return (base, *kept, change)


def _merge_added(lower: SumTable, upper: SumTable) -> SumTable:
    """Return one level of two that are over a base."""
    parts = []
    for table in (lower, upper):
        plain = table.entries()
        totals = plain.totals
        if table.fresh is not None:
            totals = totals | {_FRESH: table.fresh}
        parts.append(Entries(ids=plain.ids, packed=plain.packed, totals=totals))
    if any(_FRESH not in part.totals for part in parts):
        parts = [lower.entries(), upper.entries()]
    merged = merge_entries(*parts)
    fresh = merged.totals.pop(_FRESH, None)
    made = lower.of_entries(merged)
    if fresh is not None:
        vars(made)["fresh"] = fresh
    return made


def _without_zeros(change: SumTable) -> SumTable:
    """Return a change without entries that change nothing, as a table of its own."""
    plain = change.entries()
    every = np.arange(len(plain.packed))
    return change.of_entries(drop_empty(plain, every))


def _running(flags: NDArray[np.bool_]) -> Int:
    """Return running totals of flags."""
    total = np.zeros(len(flags) + 1, np.int64)
    np.cumsum(flags, out=total[1:])
    return total
