"""Look-ups: the past of items in a table of sums, strictly before their days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Int
from smartrisk.features._levels import Levels
from smartrisk.features._packed_days import DAY_BITS

if TYPE_CHECKING:
    from smartrisk.features._sum_tables import SumTable

DAY_MASK = (1 << DAY_BITS) - 1


@dataclass
class Lookup:
    """Where each item's past lies in a table: entries `start` to `end` (exclusive).

    `more` is the same for the levels above, where there are any; `levels` and `place`
    are then what was looked up.
    """

    table: SumTable
    position: Int
    day: Int
    start: Int
    end: Int
    more: tuple[Lookup, ...] = ()
    levels: Levels | None = None
    place: Int | None = None

    @classmethod
    def make(cls, table: SumTable | Levels, position: Int, day: Int) -> Lookup:
        """Look up positions (-1 is unseen) strictly before their days."""
        if isinstance(table, Levels):
            places = table.split(position)
            parts = [
                cls.make(level, at, day)
                for level, at in zip(table.tables, places, strict=True)
            ]
            more = tuple(part for part in parts[1:] if (part.end > part.start).any())
            if not more:
                return parts[0]
            return replace(parts[0], more=more, levels=table, place=position)
        seen = position >= 0
        if not len(table.ids):
            none = np.zeros(len(position), np.int64)
            return cls(table, position, day, none, none)
        if seen.all():
            start = table.starts[position]
            return cls(table, position, day, start, table.before(position, day))
        safe = np.where(seen, position, 0)
        start = table.starts[safe]
        end = start.copy()
        end[seen] = table.before(position[seen], day[seen])
        return cls(table, safe, day, start, end)

    @classmethod
    def of_entries(cls, table: SumTable, start: int, stop: int) -> Lookup:
        """Return the past of entries `start` to `stop` (exclusive), without a search.

        That of the items from which the table was made.
        """
        end = np.arange(start, stop)
        packed = table.packed[start:stop]
        position = packed >> DAY_BITS
        return cls(table, position, packed & DAY_MASK, table.starts[position], end)

    def rows_of_several(self) -> Int:
        """Return the items with a past in a level above."""
        none = np.zeros(len(self.day), bool)
        for part in self.more:
            none |= part.end > part.start
        return np.flatnonzero(none)

    def merge_levels(self, rows: Int, names: Sequence[str]) -> Lookup:
        """Return the past of some items in one table of all levels.

        Parameters
        ----------
        rows : ndarray of int64
            Items with a past in a level above.
        names : sequence of str
            Sums to keep.
        """
        levels, place = cast(Levels, self.levels), cast(Int, self.place)
        ids = levels.identities(place[rows])
        table = levels.restrict(np.unique(ids), names)
        return Lookup.make(table, table.find(ids), self.day[rows])

    def since(self, days_back: int) -> Any:
        """Return the first entry at most this many days back, by level if several."""
        if self.more:
            alone = replace(self, more=())
            return [part.since(days_back) for part in (alone, *self.more)]
        if not len(self.table.ids):
            return self.start
        back = np.maximum(self.day - days_back, 0)
        first = self.table.before(self.position, back)
        return np.minimum(np.maximum(first, self.start), self.end)

    def total(self, name: str, first: Any = None) -> Int:
        """Return the sum of the past, or of its part from `first` on."""
        if not self.more:
            return self.table.between(
                name, self.start if first is None else first, self.end
            )
        begin = [None] * (1 + len(self.more)) if first is None else first
        total = replace(self, more=()).total(name, begin[0])
        for part, entry in zip(self.more, begin[1:], strict=True):
            total = total + part.total(name, entry)
        return total

    def days_since(self, *, first: bool = False) -> NDArray[np.float64]:
        """Return days since the last (or first) entry of the past; NaN without one."""
        out = np.full(len(self.day), np.nan)
        some = self.end > self.start
        entry = (self.start if first else self.end - 1)[some]
        out[some] = self.day[some] - (self.table.packed[entry] & DAY_MASK)
        nearest = np.fmax if first else np.fmin
        for part in self.more:
            out = nearest(out, part.days_since(first=first))
        return out

    @property
    def active_days(self) -> Int:
        """Number of days with entries in the past."""
        fresh = self.table.fresh
        count = (
            self.end - self.start
            if fresh is None
            else fresh[self.end] - fresh[self.start]
        )
        for part in self.more:
            count = count + part.active_days
        return count


class OneLookup:
    """The past of a single item in plain numbers; same answers as `Lookup`.

    Parameters
    ----------
    table : SumTable
        A table of one level.
    identity : int or None
        Value of the key; None for a missing one, which has no past.
    day : int
        Day of the item.
    """

    __slots__ = ("_since", "day", "end", "position", "start", "table")

    def __init__(self, table: SumTable, identity: int | None, day: int) -> None:
        self.table, self.day = table, day
        self.position = self.start = self.end = 0
        self._since: dict[int, Any] = {}
        ids = table.ids
        if identity is None or not len(ids):
            return
        place = int(ids.searchsorted(np.uint64(identity)))
        if place < len(ids) and ids.item(place) == identity:
            self.position = place
            self.start = table.starts.item(place)
            self.end = self._before(day)

    def _before(self, day: int) -> int:
        """Return how many entries precede a day."""
        return int(self.table.packed.searchsorted((self.position << DAY_BITS) | day))

    @property
    def parts(self) -> tuple[OneLookup, ...]:
        """The past in each level that has one, from the base on."""
        return (self,)

    def since(self, days_back: int) -> Any:
        """Return the first entry at most this many days back, by level if several."""
        if self.end == self.start:
            return self.start
        if days_back not in self._since:
            first = self._before(max(self.day - days_back, 0))
            self._since[days_back] = max(first, self.start)
        return self._since[days_back]

    @property
    def active_days(self) -> int:
        """Number of days with entries in the past."""
        fresh = self.table.fresh
        if fresh is None:
            return self.end - self.start
        return int(fresh[self.end]) - int(fresh[self.start])

    def total(self, name: str, first: Any = None) -> int:
        """Return the sum of the past, or of its part from `first` on."""
        begin = self.start if first is None else first
        if begin == self.end:
            return 0
        total = self.table.totals[name]
        return total.item(self.end) - total.item(begin)

    def days_since(self, *, first: bool = False) -> float:
        """Return days since the last (or first) entry; NaN without one."""
        if self.end == self.start:
            return math.nan
        entry = self.start if first else self.end - 1
        return float(self.day - (self.table.packed.item(entry) & DAY_MASK))


class OneLookupOfLevels(OneLookup):
    """The past of a single item in the levels of a table.

    Parameters
    ----------
    levels : Levels
        The levels.
    identity : int
        Value of the key.
    day : int
        Day of the item.
    more : tuple of OneLookup
        The past in each level above the base that has one.
    """

    __slots__ = ("identity", "levels", "more")

    def __init__(
        self, levels: Levels, identity: int, day: int, more: tuple[OneLookup, ...]
    ) -> None:
        super().__init__(levels.tables[0], identity, day)
        self.levels, self.identity, self.more = levels, identity, more

    @property
    def parts(self) -> tuple[OneLookup, ...]:
        """The past in each level that has one, from the base on."""
        return (self, *self.more)

    def merge_levels(self, names: Sequence[str]) -> OneLookup:
        """Return the past of the item in one table of all levels."""
        table = self.levels.restrict(np.array([self.identity], np.uint64), names)
        return OneLookup(table, self.identity, self.day)

    def since(self, days_back: int) -> Any:
        """Return the first entry at most this many days back of each level."""
        return [super().since(days_back), *(p.since(days_back) for p in self.more)]

    @property
    def active_days(self) -> int:
        """Number of days with entries in the past."""
        return super().active_days + sum(part.active_days for part in self.more)

    def total(self, name: str, first: Any = None) -> int:
        """Return the sum of the past, or of its part from `first` on."""
        begin = [None] * (1 + len(self.more)) if first is None else first
        parts = zip(self.more, begin[1:], strict=True)
        return super().total(name, begin[0]) + sum(
            part.total(name, entry) for part, entry in parts
        )

    def days_since(self, *, first: bool = False) -> float:
        """Return days since the last (or first) entry; NaN without one."""
        found = [part.days_since(first=first) for part in self.more]
        if self.end > self.start:
            found.append(super().days_since(first=first))
        return max(found) if first else min(found)


def look_up_one(table: SumTable, identity: int | None, day: int) -> OneLookup:
    """Return the past of a single item in a table.

    Parameters
    ----------
    table : SumTable
        Sums by identity and day, of one level or several.
    identity : int or None
        Value of the key; None for a missing one, which has no past.
    day : int
        Day of the item.
    """
    if table._levels is None:
        return OneLookup(table, identity, day)
    found = table.view_for(1)
    if not isinstance(found, Levels):
        return OneLookup(found, identity, day)
    more = () if identity is None else _look_up_added(found, identity, day)
    if identity is None or not more:
        return OneLookup(found.tables[0], identity, day)
    return OneLookupOfLevels(found, identity, day, more)


def _look_up_added(levels: Levels, identity: int, day: int) -> tuple[OneLookup, ...]:
    """Return the past of an item in the levels above the base that have one."""
    parts = (OneLookup(table, identity, day) for table in levels.tables[1:])
    return tuple(part for part in parts if part.end > part.start)
