"""Few changed entries merged into a sorted table of many, in one pass and no sort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Int
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.items import UInt

_DAYS = (1 << DAY_BITS) - 1
#: Name of a sum to its running total.
Totals: TypeAlias = dict[str, Int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """Sorted entries of one key: identities, position and day, running totals."""

    ids: UInt
    packed: Int
    totals: Totals


@dataclass(frozen=True, kw_only=True, eq=False)
class _Places:
    """Where changed entries go among those of a table.

    `at` is the place of each changed entry in the table, `new` whether the table lacks
    it, `into` its place in the merged one.
    """

    at: Int
    new: NDArray[np.bool_]
    into: Int


def merge_entries(base: Entries, change: Entries) -> Entries:
    """Add changed entries to those of a table; entries without any sum left go.

    Parameters
    ----------
    base : Entries
        Many.
    change : Entries
        Few, with the same sums. A sum may be negative.
    """
    ids, packed, moved = _unite(base, change)
    at = np.searchsorted(packed, moved)
    new = np.ones(len(moved), bool)
    inside = at < len(packed)
    new[inside] = packed[at[inside]] != moved[inside]
    places = _Places(at=at, new=new, into=at + np.cumsum(new) - new)
    packed = np.insert(packed, at[new], moved[new])
    totals: Totals = {}
    made: dict[tuple[int, int], Int] = {}
    for name, total in base.totals.items():
        other = change.totals[name]
        pair = id(total), id(other)  # sums that are equal share one array
        if pair not in made:
            made[pair] = _merge_total(total, other, places)
        totals[name] = made[pair]
    merged = Entries(ids=ids, packed=packed, totals=totals)
    return drop_empty(merged, places.into)


def _unite(base: Entries, change: Entries) -> tuple[UInt, Int, Int]:
    """Return the ids of both, and the entries of each by their place in them."""
    place = np.searchsorted(base.ids, change.ids)
    known = np.zeros(len(place), bool)
    inside = place < len(base.ids)
    known[inside] = base.ids[place[inside]] == change.ids[inside]
    own = change.packed >> DAY_BITS
    if known.all():
        moved = (place[own] << DAY_BITS) | (change.packed & _DAYS)
        return base.ids, base.packed, moved
    fresh = place[~known]
    before = np.cumsum(np.bincount(fresh, minlength=len(base.ids) + 1))
    position = np.where(known, place + before[place], place + np.cumsum(~known) - 1)
    moved = (position[own] << DAY_BITS) | (change.packed & _DAYS)
    packed = base.packed + (before[base.packed >> DAY_BITS] << DAY_BITS)
    return np.insert(base.ids, fresh, change.ids[~known]), packed, moved


def _merge_total(total: Int, change: Int, places: _Places) -> Int:
    """Return the running total of both."""
    daily = np.insert(np.diff(total), places.at[places.new], 0)
    daily[places.into] += np.diff(change)
    merged = np.zeros(len(daily) + 1, np.int64)
    np.cumsum(daily, out=merged[1:])
    return merged


def drop_empty(entries: Entries, touched: Int) -> Entries:
    """Drop those of the touched entries whose sums are all 0, and ids without any."""
    empty = np.ones(len(touched), bool)
    for total in entries.totals.values():
        empty &= total[touched + 1] == total[touched]
    if not empty.any():
        return entries
    kept = np.ones(len(entries.packed), bool)
    kept[touched[empty]] = False
    position = entries.packed[kept] >> DAY_BITS
    used = np.zeros(len(entries.ids), bool)
    used[position] = True
    rank = np.cumsum(used) - 1
    packed = (rank[position] << DAY_BITS) | (entries.packed[kept] & _DAYS)
    # The total after a dropped entry equals the one before it.
    ends = np.append(True, kept)
    totals: Totals = {}
    made: dict[int, Int] = {}
    for name, total in entries.totals.items():
        if id(total) not in made:
            made[id(total)] = total[ends]
        totals[name] = made[id(total)]
    return Entries(ids=entries.ids[used], packed=packed, totals=totals)
