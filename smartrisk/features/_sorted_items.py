"""Items sorted by a key and day: the entries (value, day) that they make up.

Sorted once per key: the sums of the history, and what an item finds in it, are those of
its entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import DAY_BITS, Columns, Int
from smartrisk.features._compiled import Kernels, kernels_for, ready
from smartrisk.items import UInt

#: Bits of an id that are sorted first: 48 keep all but one in 500 sets of a million
#: ids distinct, in three passes of 16 bits.
_FIRST_BITS = 48
_MOST = 2**31 - 1


class Summands(NamedTuple):
    """What to add up of every item, in 32 bits: half the memory to walk through.

    Parameters
    ----------
    names : tuple of str
        Names of the sums, and of those of squares after them.
    counted : tuple of str
        Names of sums that are the number of items.
    values : ndarray of int32, shape (n_sums, n_items)
        A row for each sum that is no square.
    order : tuple of str
        All these names as tables hold them.
    """

    names: tuple[str, ...]
    counted: tuple[str, ...]
    values: NDArray[np.int32]
    order: tuple[str, ...] = ()


class ItemSums:
    """What to add up of items, in any order.

    Parameters
    ----------
    take : callable
        Function from rows to sums in their order; a sum that is None counts the items.
    squares : dict of str to str, default=None
        Sums that are the squares of another, by the name of that one.
    """

    def __init__(
        self,
        take: Callable[[Any], dict[str, Int | None]],
        squares: Mapping[str, str] | None = None,
    ) -> None:
        self.take = take
        self.squares = squares or {}

    @cached_property
    def summands(self) -> Summands | None:
        """The sums of every item side by side; None where one needs 64 bits."""
        every = self.take(slice(None))
        squared = [name for name in self.squares if every[name] is not None]
        counted = tuple(name for name, values in every.items() if values is None)
        plain = [name for name in every if name not in (*counted, *squared)]
        # Those with a square first.
        plain.sort(key=[*squared_of(self.squares, squared), *plain].index)
        columns = [np.asarray(every[name]) for name in plain]
        most = max((int(np.abs(c).max(initial=0)) for c in columns), default=0)
        if not columns or most > _MOST:
            return None
        values = np.empty((len(columns), len(columns[0])), np.int32)
        for place, column in zip(values, columns, strict=True):
            place[:] = column
        return Summands((*plain, *squared), counted, values, tuple(every))


def squared_of(squares: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Return the sums of which some others are the squares."""
    return [squares[name] for name in names]


@dataclass(frozen=True, eq=False)
class SortedKey:
    """The entries of a key: its distinct pairs of value and day, sorted.

    Parameters
    ----------
    ids : ndarray of uint64
        Sorted identities.
    entries : ndarray of int64, shape (n_entries,)
        Position and day of each entry.
    order : ndarray of int, shape (n_with_value,)
        Items by entry.
    first : ndarray of int, shape (n_entries,)
        Where each entry begins in this order.
    n_items : int
        Number of items, also of those without a value.
    """

    ids: UInt
    entries: Int
    order: NDArray[Any]
    first: NDArray[Any]
    n_items: int

    @cached_property
    def entry(self) -> NDArray[np.int32]:
        """Entry of each item; -1 where it has no value."""
        entry = np.full(self.n_items, -1, np.int32)
        counts = np.diff(self.first, append=len(self.order))
        entry[self.order] = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        return entry

    @cached_property
    def starts(self) -> Int:
        """Where the entries of each identity begin; the tables of the key share it."""
        return find_starts(self.ids, self.entries)

    @property
    def item(self) -> Int:
        """The first item of each entry."""
        items: Int = self.order[self.first]
        return items

    @cached_property
    def counted(self) -> Int:
        """Number of items before each entry and after the last one."""
        counted = np.empty(len(self.first) + 1, np.int64)
        counted[:-1], counted[-1] = self.first, len(self.order)
        return counted

    def totals(self, sums: ItemSums | None = None) -> dict[str, Int]:
        """Return running totals before each entry and after the last one.

        "n" is the number of items, `sums` what else to add up.
        """
        counted = self.counted
        found = {"n": counted}
        if sums is None:
            return found
        kernels = kernels_for(self.n_items)
        summands = None if kernels is None else sums.summands
        if kernels is not None and summands is not None:
            total = np.zeros((len(summands.names), len(counted)), np.int64)
            squares = iter(total[len(summands.values) :])
            none = np.zeros(0, np.int64)
            order, first = ready(self.order, self.first)
            for values, into in zip(summands.values, total, strict=False):
                kernels.add_runs(order, first, values, into, next(squares, none))
            found |= dict.fromkeys(summands.counted, counted)
            found |= dict(zip(summands.names, total, strict=True))
            return {name: found[name] for name in ("n", *summands.order)}
        for name, values in sums.take(self.order).items():
            if values is None:
                found[name] = counted
            else:
                running = np.zeros(len(self.order) + 1, np.int64)
                np.cumsum(values, out=running[1:])
                found[name] = running[counted]
        return found


def sort_by_key(columns: Columns, key: Sequence[str]) -> SortedKey:
    """Sort the items by a key and day; once when the columns keep it."""
    name = tuple(key)
    if name in columns.sorted_keys:
        return columns.sorted_keys[name]
    codes, ids = columns.key(name)
    order = order_of_ids(ids)
    kernels = kernels_for(columns.n)
    if kernels is None:
        rank = np.empty(len(ids) + 1, np.int64)
        rank[order] = np.arange(len(ids))
        rank[-1] = -1
        made = _sort(ids[order], rank[codes], columns.day)
    else:
        made = _count(kernels, codes, ids, order, columns)
    if columns.keep:
        columns.sorted_keys[name] = made
    return made


def _sort(ids: UInt, position: Int, day: Int) -> SortedKey:
    """Sort the items that have a value."""
    n_items = len(position)
    rows = None
    if n_items and int(position.min()) < 0:
        rows = np.flatnonzero(position >= 0)
        position, day = position[rows], day[rows]
    order = sort_order(position, day)
    packed = ((position << DAY_BITS) | day)[order]
    new = np.empty(len(packed), bool)
    new[:1] = True
    np.not_equal(packed[1:], packed[:-1], out=new[1:])
    first = np.flatnonzero(new)
    if rows is not None:
        order = rows[order]
    return SortedKey(ids, packed[first], order, first, n_items)


def _count(
    kernels: Kernels, codes: Int, ids: UInt, by_id: Int, columns: Columns
) -> SortedKey:
    """Sort by counting: the items of a value follow in the order of their days."""
    if len(codes) and int(codes.min()) < 0:
        counts = np.bincount(codes + 1, minlength=len(ids) + 1)[1:][by_id]
    else:
        counts = np.bincount(codes, minlength=len(ids))[by_id]
    bounds = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(counts, out=bounds[1:])
    free = np.empty(len(ids), np.int64)
    free[by_id] = bounds[:-1]
    order = np.empty(int(bounds[-1]), np.int32)
    codes, rows, day = ready(codes, columns.by_day, columns.short_day)
    kernels.place_items(codes, rows, free, order)
    packed = np.empty(len(order), np.int64)
    first = np.empty(len(order), np.int32)
    starts = np.empty(len(bounds), np.int64)
    n_entries = kernels.find_entries(order, day, bounds, packed, first, starts)
    for array in (packed, first):  # a slice would keep what lies behind the last entry
        array.resize(n_entries, refcheck=False)
    made = SortedKey(ids[by_id], packed, order, first, columns.n)
    vars(made)["starts"] = starts
    return made


def find_starts(ids: UInt, packed: Int) -> Int:
    """Return where the entries of each identity begin, and the number of all."""
    starts = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(packed >> DAY_BITS, minlength=len(ids)), out=starts[1:])
    return starts


def order_of_ids(ids: UInt) -> Int:
    """Return the order of distinct hashes: by their first bits, checked afterwards."""
    order = radix_order((ids >> np.uint64(64 - _FIRST_BITS)).astype(np.int64))
    ordered = ids[order]
    if (ordered[1:] > ordered[:-1]).all():
        return order
    exact: Int = np.argsort(ids)
    return exact


def sort_order(position: Int, day: Int) -> Int:
    """Return the rows by position, then day, then their given order.

    A radix sort: numpy sorts 16-bit numbers stably by counting, several times faster
    than 64-bit numbers by comparing, and days mostly come in order.
    """
    if not len(position):
        return np.zeros(0, np.int64)
    if (day[1:] >= day[:-1]).all():
        return radix_order(position)
    by_day = radix_order(day - day.min())
    return by_day[radix_order(position[by_day])]


def radix_order(values: Int) -> Int:
    """Return the stable order of numbers that are not negative."""
    if not len(values):
        return np.zeros(0, np.int64)
    order: Int = np.argsort(values.astype(np.uint16), kind="stable")
    for shift in range(16, int(values.max()).bit_length(), 16):
        digit = (values >> shift).astype(np.uint16)[order]
        order = order[np.argsort(digit, kind="stable")]
    return order
