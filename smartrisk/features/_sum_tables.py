"""History as sums: sorted (key, day) tables and look-ups as of a day.

A table holds, for every value of every key, one entry per day with additive sums.
Sums are integers (measures are rounded to 1/4096), so that adding tables up, or
adding items in another order, gives a bit-identical result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import DAY_BITS, Columns, Int, SortedKey
from smartrisk.features._digests import Digest, add_digests, digest_entries
from smartrisk.features._merging import Entries, merge_entries
from smartrisk.items import UInt

#: Logarithms are kept in parts of 1/4096, about 0.02 % of a price: sums of whole
#: numbers are bit-identical in any order, and a power of two divides without rounding.
SCALE = 4096.0
#: Logarithms are cut to this size: exp(400) is beyond any amount, and the sum of the
#: squares of 3 million items, in parts of 1/4096, stays below 2**63.
_MOST = 400.0
DAY_MASK = (1 << DAY_BITS) - 1
#: Arrays that a table has once its parts are merged.
_MERGED = frozenset({"ids", "packed", "starts", "totals"})

#: name of a sum -> int64 per item (0 where it does not apply)
Sums = dict[str, Int]
#: from rows in an order to sums in that order; None counts the items
SumsInOrder = Callable[[Int], dict[str, Int | None]]


def quantise(values: NDArray[np.float64]) -> tuple[Int, Int]:
    """Return (valid, rounded): 1 where a value is present, and the value times 4096."""
    valid = np.isfinite(values)
    parts = np.zeros(len(values), np.int64)
    parts[valid] = np.rint(np.clip(values[valid], -_MOST, _MOST) * SCALE)
    return valid.astype(np.int64), parts


@dataclass
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
    one and merges the new ones with them when somebody first reads them: the content
    is the same before and after, and an interrupt leaves both parts as they are.
    """

    ids: UInt
    packed: Int
    daily: InitVar[Sums]
    starts: Int = field(init=False)
    totals: Sums = field(init=False)
    #: Entries and changes that are not merged yet; None once they are.
    _parts: ClassVar[tuple[SumTable, tuple[SumTable, ...]] | None] = None
    _digest: ClassVar[Digest | None] = None

    def __post_init__(self, daily: Sums) -> None:
        self.starts = _starts(self.ids, self.packed)
        self.totals = {}
        made: dict[int, Int] = {}
        for name, values in daily.items():
            if id(values) not in made:
                made[id(values)] = total = np.zeros(len(values) + 1, np.int64)
                np.cumsum(values, out=total[1:])
            self.totals[name] = made[id(values)]

    def _entries(self) -> Entries:
        """Return the entries for a merge."""
        return Entries(ids=self.ids, packed=self.packed, totals=self.totals)

    @property
    def digest(self) -> Digest:
        """Digest of the entries, that of no other content: see `_digests`."""
        found = self._digest
        if found is None:
            found = digest_entries(self.ids, self.packed, self.totals)
            # Another thread may merge meanwhile, which replaces what is stored here.
            vars(self)["_digest"] = found
        return found

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
        order = np.argsort(ids)
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
    def from_sorted(cls, by: SortedKey, sums: SumsInOrder | None = None) -> SumTable:
        """Add up items in a known order.

        Parameters
        ----------
        by : SortedKey
            The order.
        sums : callable, default=None
            Function from sorted rows to what to add up, in the same order; a sum that
            is None counts the items.
        """
        first = by.first
        daily: Sums = {"n": np.diff(first, append=len(by.order))}
        for name, values in (sums(by.order) if sums else {}).items():
            if values is None:
                daily[name] = daily["n"]
            elif len(first):
                daily[name] = np.add.reduceat(values, first)
            else:
                daily[name] = np.zeros(0, np.int64)
        return cls(by.ids, by.entries, daily)

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

    def plus(self, *changes: SumTable) -> SumTable:
        """Return a table with more entries; this one stays as it is.

        It costs the entries of the changes: see the notes of the class.
        """
        added = [table for table in changes if len(table.packed)]
        if not added:
            return self
        change = added[0] if len(added) == 1 else SumTable.merge(added)
        base, pending = self._parts or (self, ())
        digest = None
        if self._digest is not None:
            digest = add_digests(self._digest, change.digest)
        while pending and len(pending[-1].packed) < 2 * len(change.packed):
            change = SumTable.merge([pending[-1], change])
            pending = pending[:-1]
        grown = _UnmergedTable.__new__(_UnmergedTable)
        grown.__dict__ = {"_parts": (base, (*pending, change)), "_digest": digest}
        return grown

    def negate(self) -> SumTable:
        """Return the same entries with negative sums, to take them out of a table."""
        sums = {name: -values for name, values in self.sums.items()}
        return SumTable(self.ids, self.packed, sums)

    def exactly(self, ids: UInt, day: Int) -> Sums:
        """Return the sums of (identity, day) pairs, 0 where there is no such entry.

        Without a merge: it costs a search in each part.
        """
        base, pending = self._parts or (self, ())
        found = [table._exactly(ids, day) for table in (base, *pending)]
        return {
            name: np.add.reduce([part[name] for part in found]) for name in found[0]
        }

    def _exactly(self, ids: UInt, day: Int) -> Sums:
        """Return the sums of (identity, day) pairs of a merged table."""
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
        return sums

    def last_day(self) -> int | None:
        """Return the day of the last entry, None where there is none."""
        return int(self.day.max()) if len(self.packed) else None

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
        return np.searchsorted(self.packed, (position << DAY_BITS) | day)

    def between(self, name: str, first: Int, last: Int) -> Int:
        """Return the sum over entries first to last (exclusive)."""
        total = self.totals[name]
        return total[last] - total[first]


class _UnmergedTable(SumTable):
    """A table whose changes are merged when one of its arrays is first read.

    Then it becomes a plain table: a class with ``__getattr__`` makes every look-up of
    an attribute slower.
    """

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Merge the entries when one of their arrays is missing."""
            if name not in _MERGED:
                raise AttributeError(name)
            parts = self._parts
            if parts is not None:
                self._merge(*parts)
            return object.__getattribute__(self, name)

    def _merge(self, base: SumTable, changes: tuple[SumTable, ...]) -> None:
        """Replace the parts by the merged entries, in one assignment.

        Threads that do it at once compute the same. The parts are released with it.
        """
        change = SumTable.merge(changes)
        merged = merge_entries(base._entries(), change._entries())
        self.__dict__ = {
            "ids": merged.ids,
            "packed": merged.packed,
            "starts": _starts(merged.ids, merged.packed),
            "totals": merged.totals,
            "_digest": self._digest,
        }
        self.__class__ = SumTable  # type: ignore[assignment]


def _starts(ids: UInt, packed: Int) -> Int:
    """Return where the entries of each identity begin, and the number of all."""
    starts = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(packed >> DAY_BITS, minlength=len(ids)), out=starts[1:])
    return starts


def _aggregate(packed: Int, sums: Sums) -> tuple[Int, Sums]:
    """Add up by packed key; "n" counts when it is not among the sums."""
    names = list(sums)
    if not len(packed):
        none = np.zeros(0, np.int64)
        return none, {"n": none, **dict.fromkeys(names, none)}
    if names:
        order = sort_order(packed >> DAY_BITS, packed & DAY_MASK)
        ordered = packed[order]
    else:
        ordered = np.sort(packed)
    new = np.empty(len(ordered), bool)
    new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    first = np.flatnonzero(new)
    result: Sums = {}
    if "n" not in sums:
        result["n"] = np.diff(first, append=len(ordered))
    for name in names:
        result[name] = np.add.reduceat(sums[name][order], first)
    return ordered[first], result


def sort_order(position: Int, day: Int) -> Int:
    """Return the rows by position, then day, then their given order.

    A radix sort: numpy sorts 16-bit numbers stably by counting, several times faster
    than 64-bit numbers by comparing, and days mostly come in order.
    """
    if not len(position):
        return np.zeros(0, np.int64)
    if (day[1:] >= day[:-1]).all():
        return _radix_order(position)
    by_day = _radix_order(day - day.min())
    return by_day[_radix_order(position[by_day])]


def _radix_order(values: Int) -> Int:
    """Return the stable order of numbers that are not negative."""
    order: Int = np.argsort(values.astype(np.uint16), kind="stable")
    for shift in range(16, int(values.max()).bit_length(), 16):
        digit = (values >> shift).astype(np.uint16)[order]
        order = order[np.argsort(digit, kind="stable")]
    return order


def sort_by_key(columns: Columns, key: Sequence[str]) -> SortedKey:
    """Sort the items by a key and day; once when the columns keep it."""
    name = tuple(key)
    if name in columns.sorted_keys:
        return columns.sorted_keys[name]
    codes, ids = columns.key(name)
    order = np.argsort(ids)
    rank = np.empty(len(ids) + 1, np.int64)
    rank[order] = np.arange(len(ids))
    rank[-1] = -1
    position, day = rank[codes], columns.day
    some = len(codes) and int(codes.min()) < 0
    if some:
        rows = np.flatnonzero(codes >= 0)
        position, day = position[rows], day[rows]
    rank_order = sort_order(position, day)
    packed = ((position << DAY_BITS) | day)[rank_order]
    new = np.empty(len(packed), bool)
    new[:1] = True
    np.not_equal(packed[1:], packed[:-1], out=new[1:])
    first = np.flatnonzero(new)
    rows_order = rows[rank_order] if some else rank_order
    made = SortedKey(ids[order], rows_order, first, packed[first])
    if columns.keep:
        columns.sorted_keys[name] = made
    return made


def sort_queries(position: Int, day: Int) -> tuple[Int, Int, Int]:
    """Return (order, position, day) sorted, so that look-ups walk the table once."""
    order = sort_order(position + 1, day)  # unseen is -1
    return order, position[order], day[order]


@dataclass
class Lookup:
    """Where each item's past lies in a table: entries `start` to `end` (exclusive)."""

    table: SumTable
    position: Int
    day: Int
    start: Int
    end: Int

    @classmethod
    def make(cls, table: SumTable, position: Int, day: Int) -> Lookup:
        """Look up positions (-1 is unseen) strictly before their days."""
        seen = position >= 0
        if not len(table.ids):
            none = np.zeros(len(position), np.int64)
            return cls(table, position, day, none, none)
        safe = np.where(seen, position, 0)
        start = table.starts[safe]
        end = np.where(seen, table.before(safe, day), start)
        return cls(table, safe, day, start, end)

    @classmethod
    def of_learned(
        cls, table: SumTable, by: SortedKey, start: int, stop: int
    ) -> Lookup:
        """Look up the items from which the table was made, without a search.

        Those at `start` to `stop` (exclusive) of the sorted order.
        """
        low = int(np.searchsorted(by.first, start, "right")) - 1
        high = int(np.searchsorted(by.first, stop, "left"))
        edges = np.append(by.first[low:high], stop)
        edges[0] = start
        end = np.repeat(np.arange(low, high), np.diff(edges))
        packed = by.entries[end]
        position = packed >> DAY_BITS
        return cls(table, position, packed & DAY_MASK, table.starts[position], end)

    def since(self, days_back: int) -> Int:
        """Return the first entry at most this many days back."""
        if not len(self.table.ids):
            return self.start
        back = np.maximum(self.day - days_back, 0)
        first = self.table.before(self.position, back)
        return np.minimum(np.maximum(first, self.start), self.end)

    def total(self, name: str, first: Int | None = None) -> Int:
        """Return the sum of the past, or of its part from `first` on."""
        return self.table.between(
            name, self.start if first is None else first, self.end
        )

    def days_since(self, *, first: bool = False) -> NDArray[np.float64]:
        """Return days since the last (or first) entry of the past; NaN without one."""
        out = np.full(len(self.day), np.nan)
        some = self.end > self.start
        entry = (self.start if first else self.end - 1)[some]
        out[some] = self.day[some] - (self.table.packed[entry] & DAY_MASK)
        return out

    @property
    def active_days(self) -> Int:
        """Number of days with entries in the past."""
        return self.end - self.start


class OneLookup:
    """The past of a single item in plain numbers; same answers as `Lookup`."""

    __slots__ = ("_since", "day", "end", "position", "start", "table")

    def __init__(self, table: SumTable, identity: int | None, day: int) -> None:
        self.table, self.day = table, day
        self.position = self.start = self.end = 0
        self._since: dict[int, int] = {}
        if identity is None or not len(table.ids):
            return
        place = int(table.ids.searchsorted(np.uint64(identity)))
        if place < len(table.ids) and int(table.ids[place]) == identity:
            self.position = place
            self.start = int(table.starts[place])
            self.end = self._before(day)

    def _before(self, day: int) -> int:
        """Return how many entries precede a day."""
        return int(self.table.packed.searchsorted((self.position << DAY_BITS) | day))

    def since(self, days_back: int) -> int:
        """Return the first entry at most this many days back."""
        if self.end == self.start:
            return self.start
        if days_back not in self._since:
            first = self._before(max(self.day - days_back, 0))
            self._since[days_back] = max(first, self.start)
        return self._since[days_back]

    @property
    def active_days(self) -> int:
        """Number of days with entries in the past."""
        return self.end - self.start

    def total(self, name: str, first: int | None = None) -> int:
        """Return the sum of the past, or of its part from `first` on."""
        begin = self.start if first is None else first
        if begin == self.end:
            return 0
        total = self.table.totals[name]
        return int(total[self.end]) - int(total[begin])

    def days_since(self, *, first: bool = False) -> float:
        """Return days since the last (or first) entry; NaN without one."""
        if self.end == self.start:
            return float("nan")
        entry = self.start if first else self.end - 1
        return float(self.day - (int(self.table.packed[entry]) & DAY_MASK))


def build_table(
    columns: Columns, key: Sequence[str], sums: SumsInOrder | None = None
) -> SumTable:
    """Make the table of one key from all items, by the day of lodgement.

    Parameters
    ----------
    columns : Columns
        The items.
    key : sequence of str
        Columns of the key; empty for all items together.
    sums : callable, default=None
        Function from sorted rows to what to add up besides the count, in the same
        order; a sum that is None counts the items.
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
