"""Registers: which items a history holds, and which results, to take them out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.features._columns import Columns, Int
from smartrisk.features._digests import digest_columns, digest_in_turn
from smartrisk.features._item_blocks import Block, StoredColumns
from smartrisk.items import UInt, are_among, mix, text_ids

B = TypeVar("B", Block, "Versions")

#: Number that stands for a missing value in the content of an item.
_NO_VALUE = np.uint64(0x6D697373696E6721)
#: A block is joined with the one before it when that has at most this many times as
#: many rows: a row is copied about log2(n) times in all, an update never all of them.
_RATIO = 2


def item_contents(columns: Columns, fields: Sequence[str]) -> UInt:
    """Return a 64-bit digest of some fields of every item, never `UNKNOWN`.

    Parameters
    ----------
    columns : Columns
        The items, with canonical values.
    fields : sequence of str
        Fields that decide a feature; the moment of lodgement counts to the microsecond.
    """
    in_turn = (_value_ids(columns, name) for name in sorted(fields))
    return digest_in_turn(in_turn, columns.n)


def _value_ids(columns: Columns, name: str) -> UInt:
    """Return a number for the value of a field of every item."""
    kind = columns.kind(name)
    if kind == "datetime":
        moments = columns.moments(name).astype("datetime64[us]")
        return np.asarray(mix(moments.view(np.uint64)))
    if kind == "number":
        values = columns.number(name) + 0.0  # -0.0 becomes 0.0
        numbers = mix(np.ascontiguousarray(values).view(np.uint64))
        return np.where(np.isnan(values), _NO_VALUE, numbers)
    codes, ids = columns.base(name)
    return np.append(ids, _NO_VALUE)[codes]


def _append(
    blocks: tuple[B, ...], block: B, join: Callable[[Sequence[B]], B]
) -> tuple[B, ...]:
    """Return blocks with one more; small ones are joined."""
    if not len(block):
        return blocks
    while blocks and len(blocks[-1]) <= _RATIO * len(block):
        block = join([blocks[-1], block])
        blocks = blocks[:-1]
    return blocks + (block,)  # noqa: RUF005 (mypy does not follow the type otherwise)


@dataclass(frozen=True, eq=False)
class ItemRegister:
    """The items of a history, in sorted blocks.

    Parameters
    ----------
    blocks : tuple of Block
        Each item in one of them. The row of an item counts through all blocks.
    """

    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        """Return the number of items."""
        return sum(map(len, self.blocks))

    def find(self, ids: UInt) -> Int:
        """Return the row of each item, -1 where there is none."""
        order = np.argsort(ids)  # in order, a search reads what the one before did
        wanted = ids[order]
        rows = np.full(len(ids), -1, np.int64)
        start = 0
        for block in self.blocks:
            place = np.searchsorted(block.ids, wanted)
            there = place < len(block)
            there[there] = block.ids[place[there]] == wanted[there]
            rows[order[there]] = start + place[there]
            start += len(block)
        return rows

    def contents(self, rows: Int) -> UInt:
        """Return the digest of the content of some rows."""
        return self._gather("content", rows)

    def days(self, rows: Int) -> Int:
        """Return the day of lodgement of some rows."""
        return self._gather("day", rows).astype(np.int64)

    def _gather(self, name: str, rows: Int) -> NDArray[Any]:
        """Return an array of the blocks at some rows, in their order."""
        found = np.zeros(len(rows), getattr(self.blocks[0], name).dtype)
        start = 0
        for block in self.blocks:
            own = (rows >= start) & (rows < start + len(block))
            found[own] = getattr(block, name)[rows[own] - start]
            start += len(block)
        return found

    def items(self, rows: Int) -> Block:
        """Return some rows as a block, sorted by item id."""
        return Block.join([block.take(own) for block, own in self._parts(rows)])

    def plus(self, block: Block) -> ItemRegister:
        """Return the register with more items; this one stays as it is."""
        return ItemRegister(_append(self.blocks, block, Block.join))

    def without(self, rows: Int) -> ItemRegister:
        """Return the register without some rows."""
        blocks = []
        for block, own in self._parts(rows):
            kept = np.setdiff1d(np.arange(len(block)), own)
            blocks.append(block.take(kept) if len(own) else block)
        return ItemRegister(tuple(block for block in blocks if len(block)))

    def on_days(self, days: Int) -> StoredColumns:
        """Return all items that were lodged on some days."""
        found = [np.flatnonzero(np.isin(block.day, days)) for block in self.blocks]
        taken = [b.take(rows) for b, rows in zip(self.blocks, found, strict=True)]
        return Block.join(taken).columns()

    def holds(self, name: str, identities: UInt) -> NDArray[np.bool_]:
        """Return which values of a column any item has."""
        found = np.zeros(len(identities), bool)
        for block in self.blocks:
            if name in block.values:
                found |= are_among(identities, block.values[name])
        return found

    def rows_of(self, name: str, identities: UInt) -> Int:
        """Return the rows of the items that have one of some values in a column."""
        found, start = [np.zeros(0, np.int64)], 0
        for block in self.blocks:
            if name in block.codes:
                wanted = np.append(
                    are_among(block.values[name], identities), [False] * 2
                )
                found.append(start + np.flatnonzero(wanted[block.codes[name]]))
            start += len(block)
        return np.concatenate(found)

    def erase(self, name: str, rows: Int) -> ItemRegister:
        """Return the register without the value of a column in some rows."""
        blocks = [
            block.erase(name, own) if len(own) else block
            for block, own in self._parts(rows)
        ]
        return ItemRegister(tuple(blocks))

    def join_blocks(self) -> Block:
        """Return all items in one block."""
        return Block.join(self.blocks)

    def _parts(self, rows: Int) -> list[tuple[Block, Int]]:
        """Return the blocks, each with its own rows among some."""
        ordered, parts, start = np.sort(rows), [], 0
        for block in self.blocks:
            first, last = np.searchsorted(ordered, (start, start + len(block)))
            parts.append((block, ordered[first:last] - start))
            start += len(block)
        return parts


@dataclass(frozen=True, kw_only=True, eq=False)
class Versions:
    """Versions of results, sorted by item and day: of an item, the last one counts.

    Two versions of an item state different days. They may count from the same day,
    such as that of lodgement where both are dated before it.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n_versions,)
        `item_ids` of the items.
    stated : ndarray of int32, shape (n_versions,)
        Day of `known_at` as it was recorded, -1 where it was not: from it, `day` is
        found again where the item is replaced by one of another day.
    day : ndarray of int32, shape (n_versions,)
        Day from which each counts.
    hits : ndarray of int8, shape (n_versions,)
        1 where an irregularity was found.
    revenue : ndarray of int32, shape (n_versions,)
        Logarithm of what was recovered, in the parts that are summed.
    differs : ndarray of uint64, shape (n_versions,)
        Of a result of a document with several items: one bit for each stored column,
        in sorted order, in which its items differ. The result counts in no key with
        such a column. 0 for a result of an item.
    """

    ids: UInt
    stated: NDArray[np.int32]
    day: NDArray[np.int32]
    hits: NDArray[np.int8]
    revenue: NDArray[np.int32]
    differs: UInt

    @classmethod
    def from_arrays(
        cls,
        ids: UInt,
        stated: NDArray[Any],
        day: NDArray[Any],
        hits: NDArray[Any],
        revenue: NDArray[Any],
        differs: UInt | None = None,
    ) -> Versions:
        """Sort versions by item and day; None for results of items only."""
        order = np.lexsort((stated, day, ids))
        if differs is None:
            differs = np.zeros(len(ids), np.uint64)
        return cls(
            ids=ids[order],
            stated=stated[order].astype(np.int32),
            day=day[order].astype(np.int32),
            hits=hits[order].astype(np.int8),
            revenue=revenue[order].astype(np.int32),
            differs=np.zeros(len(ids), np.uint64)
            if differs is None
            else differs[order],
        )

    def __len__(self) -> int:
        """Return the number of versions."""
        return len(self.ids)

    def take(self, rows: NDArray[Any]) -> Versions:
        """Return some rows, in increasing order."""
        return Versions(
            ids=self.ids[rows],
            stated=self.stated[rows],
            day=self.day[rows],
            hits=self.hits[rows],
            revenue=self.revenue[rows],
            differs=self.differs[rows],
        )

    @classmethod
    def join(cls, parts: Sequence[Versions]) -> Versions:
        """Return the versions of several parts in one."""
        return cls.from_arrays(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("ids", "stated", "day", "hits", "revenue", "differs")
            )
        )

    def with_undated_first(self) -> Versions:
        """Return them with no version without a recorded day after one that has it.

        The usual delay is a guess: it must not put an old finding after its correction.
        """
        start = np.maximum.accumulate(np.where(self.first, np.arange(len(self)), 0))
        day = np.where(self.stated < 0, self.day[start], self.day)
        return self.on_days(day)

    def on_days(self, day: NDArray[Any]) -> Versions:
        """Return the same versions, counting from other days."""
        return Versions.from_arrays(
            self.ids, self.stated, day, self.hits, self.revenue, self.differs
        )

    def index_of_days(self) -> pd.Index[Any]:
        """Return a number for the item and the stated day of every version."""
        day = self.stated.astype(np.int64).view(np.uint64)
        return pd.Index(digest_columns(self.ids, day))

    def equals(self, other: Versions, rows: Int) -> NDArray[np.bool_]:
        """Return which versions say the same as some rows of others; -1 is no row."""
        there = rows >= 0
        equal = np.zeros(len(self), bool)
        at = rows[there]
        equal[there] = (
            (self.hits[there] == other.hits[at])
            & (self.revenue[there] == other.revenue[at])
            & (self.differs[there] == other.differs[at])
        )
        return equal

    def beyond(self, other: Versions) -> UInt:
        """Return the items of versions that others lack."""
        return self.ids[~_among(self, other)]

    @property
    def first(self) -> NDArray[np.bool_]:
        """Whether each is the first version of its item."""
        return np.append(True, self.ids[1:] != self.ids[:-1])[: len(self.ids)]

    def sums(self) -> dict[str, Int]:
        """Return what each version adds to those before it: sums of results."""
        found = {"n": self.first.astype(np.int64)}
        for name in ("hits", "revenue"):
            values = getattr(self, name).astype(np.int64)
            before = np.append(0, values[:-1])[: len(values)]
            found[name] = values - np.where(self.first, 0, before)
        return found


NO_VERSIONS = Versions.from_arrays(
    *(np.zeros(0, kind) for kind in ("u8", "i4", "i4", "i1", "i4"))
)


@dataclass(frozen=True, eq=False)
class ResultRegister:
    """The results of a history, in sorted blocks, with the versions of each.

    Parameters
    ----------
    blocks : tuple of Versions
        Each version in one of them.
    n_items : int
        Number of items with a result.
    """

    blocks: tuple[Versions, ...]
    n_items: int

    @classmethod
    def from_versions(cls, versions: Versions) -> ResultRegister:
        """Return a register of these versions."""
        blocks = (versions,) if len(versions) else ()
        return cls(blocks, int(versions.first.sum()))

    def versions(self, ids: UInt) -> Versions:
        """Return all versions of the results of some items."""
        wanted = np.unique(ids)
        parts = [NO_VERSIONS]
        for block in self.blocks:
            start = np.searchsorted(block.ids, wanted)
            count = np.searchsorted(block.ids, wanted, "right") - start
            before = np.repeat(start - np.cumsum(count) + count, count)
            parts.append(block.take(np.arange(count.sum()) + before))
        return Versions.join(parts)

    def replace_versions(self, old: Versions, new: Versions) -> ResultRegister:
        """Return the register with all versions of some items replaced.

        Parameters
        ----------
        old : Versions
            From `versions`.
        new : Versions
            Those of the same items, and of items without a result so far.
        """
        gained = int(new.first.sum()) - int(old.first.sum())
        same = _among(old, new)
        removed, blocks = old.take(np.flatnonzero(~same)), self.blocks
        if len(removed):
            blocks = tuple(
                left
                for block in blocks
                if len(left := block.take(np.flatnonzero(~_among(block, removed))))
            )
        more = new.take(np.flatnonzero(~_among(new, old)))
        return ResultRegister(
            _append(blocks, more, Versions.join), self.n_items + gained
        )

    def join_blocks(self) -> Versions:
        """Return all versions in one block."""
        return Versions.join([NO_VERSIONS, *self.blocks])


def _among(left: Versions, right: Versions) -> NDArray[np.bool_]:
    """Return which versions are among others, with the same day and content."""
    return np.asarray(_index(left).isin(_index(right)))


def _index(versions: Versions) -> pd.Index[Any]:
    """Return a number for every version."""
    columns = (versions.stated, versions.day, versions.hits, versions.revenue)
    unsigned = [column.astype(np.int64).view(np.uint64) for column in columns]
    if versions.differs.any():
        marks = np.where(versions.differs > 0, mix(versions.differs), np.uint64(0))
        unsigned[2] = unsigned[2] ^ marks
    return pd.Index(digest_columns(versions.ids, *unsigned))


def trader_ids(names: Sequence[str]) -> UInt:
    """Return the identities of traders in the columns of a register."""
    return text_ids(list(names))
