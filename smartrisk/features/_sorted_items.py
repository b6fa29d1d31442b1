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

from smartrisk.features._columns import Columns, Int
from smartrisk.features._compiled import Kernels, kernels_for, ready, short_codes
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._pair_codes import Codes
from smartrisk.features._sorting import find_firsts, order_of_ids, sort_packed
from smartrisk.items import UInt

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
    order : ndarray of int32, shape (n_with_value,)
        Items by entry.
    counted : ndarray of int64, shape (n_entries + 1,)
        Where each entry begins in this order, and the number of all: how many items are
        before each entry and after the last one.
    n_items : int
        Number of items, also of those without a value.
    """

    ids: UInt
    entries: Int
    order: NDArray[np.int32]
    counted: Int
    n_items: int

    @cached_property
    def entry(self) -> NDArray[np.int32]:
        """Entry of each item; -1 where it has no value."""
        number = np.zeros(len(self.order), np.int32)
        number[self.counted[1:-1]] = 1
        np.cumsum(number, out=number)
        if len(self.order) == self.n_items:
            entry = np.empty(self.n_items, np.int32)
        else:
            entry = np.full(self.n_items, -1, np.int32)
        entry[self.order] = number
        return entry

    @cached_property
    def starts(self) -> Int:
        """Where the entries of each identity begin; the tables of the key share it."""
        return find_starts(self.ids, self.entries)

    @property
    def item(self) -> NDArray[np.int32]:
        """The first item of each entry."""
        items: NDArray[np.int32] = self.order[self.counted[:-1]]
        return items

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
            total = np.empty((len(summands.names), len(counted)), np.int64)
            squares = iter(total[len(summands.values) :])
            none = np.zeros(0, np.int64)
            order, bounds = ready(self.order, counted)
            for values, into in zip(summands.values, total, strict=False):
                kernels.add_runs(order, bounds, values, into, next(squares, none))
            found |= dict.fromkeys(summands.counted, counted)
            found |= dict(zip(summands.names, total, strict=True))
            return {name: found[name] for name in ("n", *summands.order)}
        last = counted[1:] - 1
        for name, values in sums.take(self.order).items():
            if values is None:
                found[name] = counted
            else:
                found[name] = np.zeros(len(counted), np.int64)
                running = np.cumsum(values, out=values)
                np.take(running, last, out=found[name][1:], mode="clip")
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
        made = _sort(ids[order], rank[codes], columns)
    else:
        made = _count(kernels, codes, ids, order, columns)
    if columns.keep:
        columns.sorted_keys[name] = made
    return made


def _sort(ids: UInt, position: Int, columns: Columns) -> SortedKey:
    """Sort the items that have a value; `position` is used up."""
    n_items, day = len(position), columns.day
    rows = None
    if n_items and int(position.min()) < 0:
        rows = np.flatnonzero(position >= 0)
        position, day = position[rows], day[rows]
    position <<= DAY_BITS
    position |= day
    order, packed = sort_packed(position, DAY_BITS if columns.in_order else 0)
    counted = find_firsts(packed)
    if rows is not None:
        order = rows[order]
    kept = order.astype(np.int32)
    return SortedKey(ids, packed[counted[:-1]], kept, counted, n_items)


def _count(
    kernels: Kernels, codes: Codes, ids: UInt, by_id: Int, columns: Columns
) -> SortedKey:
    """Sort by counting: the items of a value follow in the order of their days."""
    codes = short_codes(codes)
    counts = np.zeros(len(ids), np.int64)
    kernels.count_codes(codes, counts)
    bounds = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(counts[by_id], out=bounds[1:])
    free = np.empty(len(ids), np.int64)
    free[by_id] = bounds[:-1]
    order = np.empty(int(bounds[-1]), np.int32)
    rows = short_codes([] if columns.in_order else columns.by_day)
    (day,) = ready(columns.short_day)
    kernels.place_items(codes, rows, free, order)
    packed = np.empty(len(order), np.int64)
    counted = np.empty(len(order) + 1, np.int64)
    starts = np.empty(len(bounds), np.int64)
    n_entries = kernels.find_entries(order, day, bounds, packed, counted, starts)
    # A slice would keep what lies behind the last entry.
    packed.resize(n_entries, refcheck=False)
    counted.resize(n_entries + 1, refcheck=False)
    made = SortedKey(ids[by_id], packed, order, counted, columns.n)
    vars(made)["starts"] = starts
    return made


def find_starts(ids: UInt, packed: Int) -> Int:
    """Return where the entries of each identity begin, and the number of all."""
    starts = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(np.bincount(packed >> DAY_BITS, minlength=len(ids)), out=starts[1:])
    return starts
