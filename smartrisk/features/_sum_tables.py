"""History as sums: sorted (key, day) tables and look-ups as of a day.

A table holds, for every value of every key, one entry per day with additive sums.
Sums are integers (measures are rounded to 1/4096), so that adding tables up, or
adding items in another order, gives a bit-identical result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Columns, Int
from smartrisk.features._compiled import kernels_for, ready
from smartrisk.features._digests import Digest, add_digests, digest_entries
from smartrisk.features._levels import Levels
from smartrisk.features._lookups import DAY_MASK as DAY_MASK
from smartrisk.features._lookups import Lookup as Lookup
from smartrisk.features._merging import Entries
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._sorted_items import (
    ItemSums,
    SortedKey,
    find_starts,
    sort_by_key,
)
from smartrisk.features._sorting import (
    count_below,
    find_firsts,
    order_of_ids,
    sort_packed,
)
from smartrisk.items import UInt

#: Logarithms are kept in parts of 1/4096, about 0.02 % of a price: sums of whole
#: numbers are bit-identical in any order, and a power of two divides without rounding.
SCALE = 4096.0
#: Logarithms are cut to this size: exp(400) is beyond any amount, and the sum of the
#: squares of 3 million items, in parts of 1/4096, stays below 2**63.
_MOST = 400.0
#: Look-ups that are worth a compiled loop where the history is large.
_WORTH = 4096
#: Arrays that a table has once its parts are merged.
_MERGED = frozenset({"ids", "packed", "starts", "totals"})
#: Levels are merged for a look-up of more than one item for this many entries: it reads
#: most of them anyway.
_FEW = 4
#: Days before the last one whose entries are found without a search of all.
_RECENT = 45
#: Entries read at a time: they fit the cache of a processor.
_BLOCK = 1 << 16

#: name of a sum -> int64 per item (0 where it does not apply)
Sums = dict[str, Int]


def quantise(values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], Int]:
    """Return (valid, rounded): whether a value is present, and the value times 4096."""
    valid = np.isfinite(values)
    if valid.all():
        rounded = np.clip(values, -_MOST, _MOST)
        rounded *= SCALE
        return valid, np.rint(rounded, out=rounded).astype(np.int64)
    parts = np.zeros(len(values), np.int64)
    parts[valid] = np.rint(np.clip(values[valid], -_MOST, _MOST) * SCALE)
    return valid, parts


@dataclass(eq=False)
class SumTable:
    """Entries (key value, day) -> sums, for one key, sorted, with running totals.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n_values,)
        Sorted identities of the key's values.
    packed : ndarray of int64, shape (n_entries,)
        Position in `ids` and day in one number, sorted.
    daily : dict of str to ndarray of int64, shape (n_entries,)
        Daily sums; "n" counts. Kept as running totals.

    Notes
    -----
    A table never changes. `plus` returns another one that shares the entries of this
    one as a level below the new ones: look-ups read both. They are merged now and then,
    and when somebody reads an array: the content is the same before and after, and an
    interrupt leaves all levels as they are.
    """

    ids: UInt
    packed: Int
    daily: InitVar[Sums]
    starts: Int = field(init=False)
    totals: Sums = field(init=False)
    #: Entries and changes that are not merged yet; None once they are.
    _levels: ClassVar[Levels | None] = None
    #: Running number of entries that no level below has; None where none is below.
    fresh: ClassVar[Int | None] = None
    _digest: ClassVar[Digest | None] = None
    _last: ClassVar[int | None] = None
    _recent: ClassVar[tuple[int, Int] | None] = None

    def __post_init__(self, daily: Sums) -> None:
        self.starts = find_starts(self.ids, self.packed)
        self.totals = {}
        made: dict[int, Int] = {}
        for name, values in daily.items():
            if id(values) not in made:
                made[id(values)] = total = np.zeros(len(values) + 1, np.int64)
                np.cumsum(values, out=total[1:])
            self.totals[name] = made[id(values)]

    def __getstate__(self) -> dict[str, Any]:
        """Return a copy: another thread may note something while it is pickled."""
        return dict(vars(self))

    def entries(self) -> Entries:
        """Return the entries for a merge."""
        return Entries(ids=self.ids, packed=self.packed, totals=self.totals)

    @classmethod
    def of_entries(cls, entries: Entries, starts: Int | None = None) -> SumTable:
        """Return the table of sorted entries, without a copy."""
        made = SumTable.__new__(SumTable)
        if starts is None:
            starts = find_starts(entries.ids, entries.packed)
        made.ids, made.packed, made.starts = entries.ids, entries.packed, starts
        made.totals = entries.totals
        return made

    @classmethod
    def of_levels(cls, tables: Sequence[SumTable], digest: Digest) -> SumTable:
        """Return the table of levels that were apart, as those of a saved folder.

        Parameters
        ----------
        tables : sequence of SumTable
            From the base on.
        digest : tuple of int
            Digest of all of them.
        """
        if len(tables) == 1:
            return tables[0]
        made = _LevelledTable.__new__(_LevelledTable)
        made.__dict__ = {"_levels": Levels(tuple(tables)), "_digest": digest}
        return made

    def levels(self) -> tuple[SumTable, ...]:
        """Return the levels that a folder holds: merged where they must be."""
        levels = self._levels
        if levels is None:
            return (self,)
        if levels.whole:
            _ = self.packed
            return (self,)
        return levels.tables

    @property
    def digest(self) -> Digest:
        """Digest of the entries, that of no other content: see `_digests`."""
        found = self._digest
        if found is None:
            levels = self._levels
            if levels is not None:
                found = add_digests(*(table.digest for table in levels.tables))
            else:
                found = digest_entries(self.ids, self.packed, self.totals)
            # Another thread may merge meanwhile, which replaces what is stored here.
            vars(self)["_digest"] = found
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names of the sums."""
        levels = self._levels
        return tuple((self if levels is None else levels.tables[0]).totals)

    @property
    def sums(self) -> Sums:
        """Daily sums."""
        return {name: np.diff(total) for name, total in self.totals.items()}

    @property
    def day(self) -> Int:
        """Day of every entry."""
        return self.packed & DAY_MASK

    @property
    def entry_ids(self) -> UInt:
        """Identity of every entry."""
        ids: UInt = self.ids[self.packed >> DAY_BITS]
        return ids

    @classmethod
    def empty(cls, names: Sequence[str]) -> SumTable:
        """Return a table without entries."""
        none = np.zeros(0, np.int64)
        return cls(np.zeros(0, np.uint64), none, dict.fromkeys(names, none))

    @classmethod
    def from_items(cls, codes: Int, ids: UInt, day: Int, sums: Sums) -> SumTable:
        """Add up items by key value and day.

        Parameters
        ----------
        codes, ids : ndarray
            Encoded key of each item; -1 is left out.
        day : ndarray of int64, shape (n_items,)
            Day of each item.
        sums : dict of str to ndarray of int64, shape (n_items,)
            What to add up; "n" is counted here.
        """
        order = order_of_ids(ids)
        rank = np.empty(len(ids) + 1, np.int64)
        rank[order] = np.arange(len(ids))
        rank[-1] = -1
        position = rank[codes]
        packed = (position << DAY_BITS) | day
        if len(codes) and codes.min() < 0:
            kept = position >= 0
            packed = packed[kept]
            sums = {name: values[kept] for name, values in sums.items()}
        return cls(ids[order], *_aggregate(packed, sums))

    @classmethod
    def from_sorted(cls, by: SortedKey, sums: ItemSums | None = None) -> SumTable:
        """Add up items in a known order.

        Parameters
        ----------
        by : SortedKey
            The order.
        sums : ItemSums, default=None
            What to add up besides the count.
        """
        entries = Entries(ids=by.ids, packed=by.entries, totals=by.totals(sums))
        return cls.of_entries(entries, by.starts)

    @classmethod
    def merge(cls, tables: Sequence[SumTable]) -> SumTable:
        """Add up tables of the same key."""
        parts = [table for table in tables if len(table.packed)]
        if not parts:
            return tables[0]
        if len(parts) == 1:
            return parts[0]
        ids, codes = np.unique(
            np.concatenate([p.entry_ids for p in parts]), return_inverse=True
        )
        day = np.concatenate([p.day for p in parts])
        every = [p.sums for p in parts]
        sums = {name: np.concatenate([e[name] for e in every]) for name in every[0]}
        packed = (codes.astype(np.int64) << DAY_BITS) | day
        return cls(ids, *_aggregate(packed, sums))

    def plus(self, *changes: SumTable, whole: bool = False) -> SumTable:
        """Return a table with more entries; this one stays as it is.

        Parameters
        ----------
        *changes : SumTable
            Entries to add; sums may be negative.
        whole : bool, default=False
            Whether look-ups must not read the levels one by one.
        """
        added = [table for table in changes if len(table.packed)]
        if not added:
            return self
        change = added[0] if len(added) == 1 else SumTable.merge(added)
        levels = self._levels or Levels((self,))
        digest = None
        if self._digest is not None:
            digest = add_digests(self._digest, change.digest)
        grown = levels.plus(change)
        if grown is levels and not whole:
            return self
        if whole:
            grown = Levels(grown.tables, True)
        made = _LevelledTable.__new__(_LevelledTable)
        made.__dict__ = {"_levels": grown, "_digest": digest}
        return made

    def view_for(self, n_items: int) -> SumTable | Levels:
        """Return what look-ups of some items read: this table, or its levels.

        Where another thread merges the levels, these stay as they were.
        """
        return self

    def take(self, ids: UInt, names: Sequence[str]) -> SumTable:
        """Return the entries of some identities, sorted and each once."""
        place = self.find(ids)
        place = place[place >= 0]
        count = self.starts[place + 1] - self.starts[place]
        ends = np.cumsum(count)
        n_entries = int(ends[-1]) if len(ends) else 0
        rows = np.arange(n_entries) + np.repeat(
            self.starts[place] - ends + count, count
        )
        at = np.repeat(np.arange(len(place)), count)
        packed = (at << DAY_BITS) | (self.packed[rows] & DAY_MASK)
        totals = {name: self.totals[name] for name in names}
        daily = {name: total[rows + 1] - total[rows] for name, total in totals.items()}
        return SumTable(self.ids[place], packed, daily)

    def since(self, first: int) -> tuple[UInt, Int]:
        """Return identity and day of the entries from a day on, in no order."""
        levels = self._levels
        tables = (self,) if levels is None else levels.tables
        found = [table._since(first) for table in tables]
        ids = np.concatenate([table.entry_ids_at(r) for table, r in found])
        day = np.concatenate([table.packed[rows] & DAY_MASK for table, rows in found])
        return ids, day

    def _since(self, first: int) -> tuple[SumTable, Int]:
        """Return the entries of a merged table from a day on; the last are noted."""
        last = self.last_day()
        if last is None or last < first:
            return self, np.zeros(0, np.int64)
        recent = self._recent
        if recent is None:
            from_day = last - _RECENT
            recent = from_day, np.flatnonzero(self.day >= from_day)
            vars(self)["_recent"] = recent
        if first < recent[0]:
            return self, np.flatnonzero(self.day >= first)
        rows = recent[1]
        return self, rows[self.packed[rows] & DAY_MASK >= first]

    def entry_ids_at(self, rows: Int) -> UInt:
        """Return the identity of some entries."""
        ids: UInt = self.ids[self.packed[rows] >> DAY_BITS]
        return ids

    def negate(self) -> SumTable:
        """Return the same entries with negative sums, to take them out of a table."""
        sums = {name: -values for name, values in self.sums.items()}
        return SumTable(self.ids, self.packed, sums)

    def exactly(self, ids: UInt, day: Int) -> Sums:
        """Return the sums of (identity, day) pairs, 0 where there is no such entry.

        Without a merge: it costs a search in each level.
        """
        levels = self._levels or Levels((self,))
        return levels.exactly(ids, day)[0]

    def exact_entries(self, ids: UInt, day: Int) -> tuple[Sums, NDArray[np.bool_]]:
        """Return the sums of (identity, day) pairs, and which a merged table has."""
        position = self.find(ids)
        wanted = (position << DAY_BITS) | day
        entry = np.searchsorted(self.packed, wanted)
        there = (position >= 0) & (entry < len(self.packed))
        there[there] = self.packed[entry[there]] == wanted[there]
        at = entry[there]
        sums = {}
        for name, total in self.totals.items():
            sums[name] = np.zeros(len(ids), np.int64)
            sums[name][there] = total[at + 1] - total[at]
        return sums, there

    def last_day(self) -> int | None:
        """Return the day of the last entry, None where there is none."""
        levels = self._levels
        if levels is not None and not levels.whole:
            days = [table.last_day() for table in levels.tables]
            return max((day for day in days if day is not None), default=None)
        if not len(self.packed):
            return None
        if self._last is None:
            blocks = range(0, len(self.packed), _BLOCK)
            last = max(
                int((self.packed[b : b + _BLOCK] & DAY_MASK).max()) for b in blocks
            )
            vars(self)["_last"] = last
        return self._last

    def find(self, ids: UInt) -> Int:
        """Return the position of each identity, -1 where it was never seen."""
        if not len(self.ids):
            return np.full(len(ids), -1, np.int64)
        place = np.searchsorted(self.ids, ids)
        place[place == len(self.ids)] = 0
        return np.where(self.ids[place] == ids, place, -1)

    def before(self, position: Int, day: Int) -> Int:
        """Return the number of entries before (position, day) in the sorted table.

        Parameters
        ----------
        position : ndarray of int64, shape (n,)
            Positions in `ids`, none negative.
        day : ndarray of int64, shape (n,)
            Only entries of earlier days count.
        """
        kernels = kernels_for(len(self.packed))
        if kernels is None or len(position) < _WORTH:
            return count_below(self.packed, (position << DAY_BITS) | day)
        before = np.empty(len(position), np.int64)
        kernels.count_before(*ready(self.packed, self.starts, position, day), before)
        return before

    def between(self, name: str, first: Int, last: Int) -> Int:
        """Return the sum over entries first to last (exclusive)."""
        total = self.totals[name]
        return total[last] - total[first]


class _LevelledTable(SumTable):
    """A table of several levels, which are merged when one of its arrays is read.

    Then it becomes a plain table: a class with ``__getattr__`` makes every look-up of
    an attribute slower.
    """

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Merge the levels when one of the arrays is missing."""
            if name not in _MERGED:
                raise AttributeError(name)
            levels = self._levels
            if levels is not None:
                self._merge(levels)
            return object.__getattribute__(self, name)

    def view_for(self, n_items: int) -> SumTable | Levels:
        """Return what look-ups of some items read: the levels, or all of them merged.

        Parameters
        ----------
        n_items : int
            Number of items: for many, the levels are merged.
        """
        levels = self._levels
        if levels is None:  # another thread merged them
            return self
        if levels.whole or n_items * _FEW > levels.n_entries:
            self._merge(levels)
            return self
        return levels

    def _merge(self, levels: Levels) -> None:
        """Replace the levels by the merged entries, in one assignment.

        Threads that do it at once compute the same. The levels are released with it.
        """
        merged = levels.merge()
        self.__dict__ = {**vars(merged), "_digest": self._digest}
        self.__class__ = SumTable  # type: ignore[assignment]


def _aggregate(packed: Int, sums: Sums) -> tuple[Int, Sums]:
    """Add up by packed key, used up here; "n" counts unless it is among the sums."""
    names = list(sums)
    if not len(packed):
        none = np.zeros(0, np.int64)
        return none, {"n": none, **dict.fromkeys(names, none)}
    if names:
        order, ordered = sort_packed(packed)
    else:
        ordered = np.sort(packed)
    counted = find_firsts(ordered)
    first = counted[:-1]
    result: Sums = {}
    if "n" not in sums:
        result["n"] = np.diff(counted)
    for name in names:
        result[name] = np.add.reduceat(sums[name][order], first)
    return ordered[first], result


def build_table(
    columns: Columns, key: Sequence[str], sums: ItemSums | None = None
) -> SumTable:
    """Make the table of one key from all items, by the day of lodgement.

    Parameters
    ----------
    columns : Columns
        The items.
    key : sequence of str
        Columns of the key; empty for all items together.
    sums : ItemSums, default=None
        What to add up besides the count.
    """
    return SumTable.from_sorted(sort_by_key(columns, key), sums)


def build_table_of(
    columns: Columns,
    key: Sequence[str],
    rows: NDArray[np.intp],
    *,
    day: Int | None = None,
    sums: Sums | None = None,
) -> SumTable:
    """Make the table of one key from some items.

    Parameters
    ----------
    columns : Columns
        The items.
    key : sequence of str
        Columns of the key; empty for all items together.
    rows : ndarray of int
        Items to use.
    day : ndarray of int64, default=None
        Day that each of them counts from; None for the day of lodgement.
    sums : dict of str to ndarray, default=None
        What to add up besides the count, aligned with the rows.
    """
    codes, ids = columns.key(key)
    codes = codes[rows]
    used = np.zeros(len(ids) + 1, bool)
    used[codes] = True
    used = used[:-1]
    lookup = np.append(np.cumsum(used) - 1, -1)
    when = columns.day[rows] if day is None else day
    return SumTable.from_items(lookup[codes], ids[used], when, sums or {})
