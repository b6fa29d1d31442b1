"""Items as a register keeps them: ids, days and codes; no identity in clear.

A block is sorted by item id. From any of its rows come `Columns` again, from which the
tables of a history are made as they were made from the declarations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from smartrisk.features._columns import Columns, Float, Int, fill_missing
from smartrisk.features._sorting import order_of_ids
from smartrisk.items import UInt

#: Code of a missing value.
MISSING = -1
#: Code of a value that was erased: it is not even known to be missing.
ERASED = -2
#: Content of an item of which a value was erased: it equals no other content.
UNKNOWN = np.uint64(0)


class StoredColumns(Columns):
    """Columns of items that a register holds, for the tables of a history.

    Parameters
    ----------
    day : ndarray of int64, shape (n_items,)
        Day of lodgement.
    codes : dict of str to (ndarray of int64, ndarray of uint64)
        Columns of keys as codes and the ids that belong to them.
    numbers : dict of str to ndarray of float64
        Columns of numbers.
    """

    def __init__(
        self,
        day: Int,
        codes: dict[str, tuple[Int, UInt]],
        numbers: dict[str, Float],
    ) -> None:
        self._source: Any = {}
        self.keep, self.sorted_keys, self.events, self.measures = False, {}, {}, {}
        self.names = tuple(dict.fromkeys((*codes, *numbers)))
        self.n, self.day = len(day), day
        self._stored = codes
        self._bases, self._numbers = {}, dict(numbers)
        self._pairs = {}

    def base(self, name: str) -> tuple[Int, UInt]:
        """Return (codes, ids) of one column: -1 is missing or erased."""
        if name not in self._bases:
            codes, ids = self._stored[name.removesuffix("?")]
            erased = codes == ERASED
            if name.endswith("?"):
                codes, ids = fill_missing(codes, ids)
            self._bases[name] = np.where(erased, -1, codes), ids
        return self._bases[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Some items, sorted by id.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n_items,)
        Sorted `item_ids`.
    day : ndarray of int32, shape (n_items,)
        Day of lodgement.
    content : ndarray of uint64, shape (n_items,)
        Digest of the fields that features use; 0 where a value was erased.
    codes : dict of str to ndarray of int
        Columns of keys: the place of the value in `values`, -1 missing, -2 erased.
    values : dict of str to ndarray of uint64
        Sorted ids of the values of each column.
    numbers : dict of str to ndarray of float64
        Columns of numbers.
    """

    ids: UInt
    day: NDArray[np.int32]
    content: UInt
    codes: dict[str, NDArray[Any]]
    values: dict[str, UInt]
    numbers: dict[str, Float]

    @classmethod
    def from_columns(
        cls,
        columns: Columns,
        ids: UInt,
        content: UInt,
        stored: tuple[set[str], set[str]],
    ) -> Block:
        """Keep the columns that a history needs of encoded items."""
        order = order_of_ids(ids)
        names, numbers = stored
        codes: dict[str, NDArray[Any]] = {}
        values: dict[str, UInt] = {}
        for name in sorted(names):
            found, of_code = columns.base(name)
            values[name], places = np.unique(of_code, return_inverse=True)
            places = np.append(places, MISSING)
            codes[name] = _small(places[found[order]], len(of_code))
        return cls(
            ids=ids[order],
            day=columns.day[order].astype(np.int32),
            content=content[order],
            codes=codes,
            values=values,
            numbers={name: columns.number(name)[order] for name in sorted(numbers)},
        )

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.ids)

    def take(self, rows: NDArray[Any]) -> Block:
        """Return some rows, in increasing order, with the values that they have."""
        codes: dict[str, NDArray[Any]] = {}
        values: dict[str, UInt] = {}
        for name, column in self.codes.items():
            used, places = np.unique(column[rows], return_inverse=True)
            there = used >= 0
            values[name] = self.values[name][used[there]]
            places = np.where(there, np.cumsum(there) - 1, used)[places]
            codes[name] = _small(places, len(values[name]))
        return Block(
            ids=self.ids[rows],
            day=self.day[rows],
            content=self.content[rows],
            codes=codes,
            values=values,
            numbers={name: column[rows] for name, column in self.numbers.items()},
        )

    @classmethod
    def join(cls, blocks: Sequence[Block]) -> Block:
        """Return the items of several blocks in one."""
        if len(blocks) == 1:
            return blocks[0]
        ids = np.concatenate([block.ids for block in blocks])
        order = order_of_ids(ids)
        codes: dict[str, NDArray[Any]] = {}
        values: dict[str, UInt] = {}
        for name in blocks[0].codes:
            every = _merge_values([block.values[name] for block in blocks])
            moved = []
            for block in blocks:
                places = np.searchsorted(every, block.values[name])
                places = _small(np.append(places, (ERASED, MISSING)), len(every))
                moved.append(places[block.codes[name]])
            values[name] = every
            codes[name] = np.concatenate(moved)[order]
        numbers = {
            name: np.concatenate([block.numbers[name] for block in blocks])[order]
            for name in blocks[0].numbers
        }
        return cls(
            ids=ids[order],
            day=np.concatenate([block.day for block in blocks])[order],
            content=np.concatenate([block.content for block in blocks])[order],
            codes=codes,
            values=values,
            numbers=numbers,
        )

    def erase(self, name: str, rows: NDArray[Any]) -> Self:
        """Return the block without a value in some rows."""
        codes, content = self.codes[name].copy(), self.content.copy()
        codes[rows], content[rows] = ERASED, UNKNOWN
        left = replace(self, codes=self.codes | {name: codes}, content=content)
        return replace(left, **_used_values(left, name))

    def columns(self) -> StoredColumns:
        """Return the columns of the items."""
        codes = {
            name: (column.astype(np.int64), self.values[name])
            for name, column in self.codes.items()
        }
        return StoredColumns(self.day.astype(np.int64), codes, self.numbers)


def _merge_values(parts: Sequence[UInt]) -> UInt:
    """Return the distinct ones of sorted values; a stable sort merges sorted parts."""
    every = np.sort(np.concatenate(parts), kind="stable")
    distinct: UInt = every[np.append(True, every[1:] != every[:-1])[: len(every)]]
    return distinct


def _used_values(block: Block, name: str) -> dict[str, Any]:
    """Return the codes and values of a block without values that no item has."""
    column = block.codes[name]
    used = np.unique(column[column >= 0])
    places = np.full(len(block.values[name]), MISSING)
    places[used] = np.arange(len(used))
    moved = np.append(places, (ERASED, MISSING))[column]
    return {
        "codes": block.codes | {name: _small(moved, len(used))},
        "values": block.values | {name: block.values[name][used]},
    }


def _small(codes: NDArray[Any], n_values: int) -> NDArray[Any]:
    """Return codes in the smallest type that holds them."""
    return codes.astype(np.min_scalar_type(-max(n_values, 2)))
