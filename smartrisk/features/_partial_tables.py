"""Tables of parts of the items, and how those of several parts become one.

Every table of a history is a sum, a lowest value, a set or a list of items, so that the
tables of parts, in any order and any split, give exactly the table of all items. All
are sorted by an identity, a number of 64 bits that is as good as random: equal ranges
of these numbers hold about equal parts of every table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.features._item_blocks import ERASED, MISSING
from smartrisk.features._item_measures import code_days, first_codes
from smartrisk.features._learned_history import LearnedHistory
from smartrisk.features._merging import Entries
from smartrisk.features._packed_days import DAY_BITS
from smartrisk.features._packing import IndexedEntries, Tables, to_tables
from smartrisk.features._register_packing import (
    CODE,
    ITEMS,
    RESULTS,
    VALUES,
    pack_history,
    unpack_history,
)
from smartrisk.features._sorting import order_of_ids
from smartrisk.features._sum_tables import SumTable
from smartrisk.items import UInt

Arrays = dict[str, NDArray[Any]]

_CODES = "codes."
_DAY_MASK = np.uint64((1 << DAY_BITS) - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class PartialHistory:
    """The tables of the history of some of the items.

    Parameters
    ----------
    plan : str
        What decides, besides the items, which tables there are and what they hold. The
        tables of parts can be added where their plans are equal.
    tables : dict of str to dict of str to ndarray
        As from `pack_history`, but with the first day of every code, for `add_tables`.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import (
    ...     DeclarationFeatures, LearnedHistory, PartialHistory, join_results,
    ... )
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> history = LearnedHistory.learn(
    ...     DeclarationFeatures(), world.declarations, results, label_delay=30
    ... )
    >>> part = PartialHistory.from_history(history, world.declarations)
    >>> len(part.tables["register.items"]["id"])
    300
    """

    plan: str
    tables: Tables

    @classmethod
    def from_history(
        cls, history: LearnedHistory, items: pd.DataFrame
    ) -> PartialHistory:
        """Return the tables of a history.

        Parameters
        ----------
        history : LearnedHistory
            Learned from the items.
        items : DataFrame of shape (n_items, n_fields)
            The same canonical DECLARATIONS.

        Returns
        -------
        part : PartialHistory
            Its tables.
        """
        features = history.features
        _, tables = pack_history(history)
        columns = features.read_columns(items)
        codes = features.parts_.get("codes")
        for name in () if codes is None else codes.codes_:
            found, days = code_days(columns, name)
            order = np.argsort(found)
            tables[f"{_CODES}{name}"] = {"id": found[order], "day": days[order]}
        return cls(plan=plan_of(history), tables=tables)


def plan_of(history: LearnedHistory) -> str:
    """Return what decides which tables a history has, and what is in them.

    Parameters
    ----------
    history : LearnedHistory
        Learned from some items.

    Returns
    -------
    plan : str
        Equal for parts whose tables can be added.

    Examples
    --------
    See `PartialHistory`, which has it.
    """
    learned, _ = to_tables(history.features)
    learned.pop("columns")
    stored = [sorted(names) for names in history.features.stored_fields()]
    return json.dumps([learned, stored, history.features.deciding_fields()])


def without_items(history: LearnedHistory) -> LearnedHistory:
    """Return a history with the same plan that holds nothing yet.

    Parameters
    ----------
    history : LearnedHistory
        Learned from some items.

    Returns
    -------
    empty : LearnedHistory
        What is added to it has the same plan, whatever fields it states.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import (
    ...     DeclarationFeatures, LearnedHistory, join_results, without_items,
    ... )
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> history = LearnedHistory.learn(
    ...     DeclarationFeatures(), world.declarations, results, label_delay=30
    ... )
    >>> again, _ = without_items(history).add(world.declarations, world.outcomes)
    >>> again.digests() == history.digests()
    True
    """
    learned, tables = pack_history(history)
    kept = {
        name: columns
        if name.startswith(_CODES)
        else {column: values[:0] for column, values in columns.items()}
        for name, columns in tables.items()
    }
    return unpack_history(learned, kept)


def with_tables(history: LearnedHistory, tables: Tables) -> LearnedHistory:
    """Return a history with the plan of another one and tables of its own.

    Parameters
    ----------
    history : LearnedHistory
        Learned from some items.
    tables : dict of str to dict of str to ndarray
        Of all items, from `add_tables`.

    Returns
    -------
    whole : LearnedHistory
        As if it had learned from all items.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import (
    ...     DeclarationFeatures, LearnedHistory, PartialHistory, join_results,
    ...     with_tables,
    ... )
    >>> world = make_declarations(n_items=300, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> history = LearnedHistory.learn(
    ...     DeclarationFeatures(), world.declarations, results, label_delay=30
    ... )
    >>> part = PartialHistory.from_history(history, world.declarations)
    >>> with_tables(history, part.tables).digests() == history.digests()
    True
    """
    learned, _ = pack_history(history)
    codes = history.features.parts_.get("codes")
    made = dict(tables)
    for name in tables:
        if codes is not None and name.startswith(_CODES):
            found = tables[name]
            first = first_codes(found["id"], found["day"], codes.max_codes)
            made[name] = {"id": first}
    return unpack_history(learned, made)


def add_tables(name: str, parts: Sequence[Mapping[str, NDArray[Any]]]) -> Arrays:
    """Return one table of a history from those of several parts of the items.

    Parameters
    ----------
    name : str
        Name of the table.
    parts : sequence of dict of str to ndarray
        Its columns in each part, or those of one range of identities. Those of the
        items need `recode_items` before.

    Returns
    -------
    table : dict of str to ndarray
        Its columns over all parts, sorted by identity.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.features import add_tables
    >>> part = {"id": np.array([7], np.uint64), "day": np.array([3], np.int32),
    ...         "n": np.array([2])}
    >>> add_tables("history.items.office", [part, part])["n"].tolist()
    [4]
    """
    joined = {
        column: np.concatenate([np.asarray(part[column]) for part in parts])
        for column in parts[0]
    }
    if name.startswith(VALUES):
        ids = np.sort(joined["id"])  # np.unique would hash them, out of the cache
        return {"id": ids[np.append(True, ids[1:] != ids[:-1])[: len(ids)]]}
    if name.startswith(_CODES):
        return _reduce(joined, ("id",), np.minimum)
    if name == ITEMS:
        return _take(joined, np.argsort(joined["id"]))
    if name == RESULTS:
        order = np.lexsort((joined["stated"], joined["day"], joined["id"]))
        return _take(joined, order)
    reduce = np.minimum if "lowest" in joined else np.add
    return _reduce(joined, ("id", "day"), reduce)


class Growing(Protocol):
    """A column that is written from its first entry to its last."""

    def append(self, values: NDArray[Any]) -> None:
        """Write more entries."""
        ...

    def finish(self) -> NDArray[Any]:
        """Return all entries."""
        ...


class _InMemory:
    """A growing column in memory."""

    def __init__(self, name: str, kind: np.dtype[Any]) -> None:
        self._parts = [np.zeros(0, kind)]

    def append(self, values: NDArray[Any]) -> None:
        """Keep more entries."""
        self._parts.append(values.astype(self._parts[0].dtype, copy=False))

    def finish(self) -> NDArray[Any]:
        """Return all entries."""
        return np.concatenate(self._parts)


#: Takes a name and a type; returns a column to write.
Write: TypeAlias = Callable[[str, np.dtype[Any]], Growing]


def index_entries(
    parts: Iterable[Mapping[str, NDArray[Any]]], write: Write = _InMemory
) -> Arrays:
    """Return a table of sums whose arrays for look-ups lie where the caller wants.

    Parameters
    ----------
    parts : iterable of mapping of str to ndarray
        Identity, day and sums of sorted entries, from `add_tables`, in parts that
        follow each other; one of them is in memory at once.
    write : callable
        Takes a name and a type, and returns a growing column, such as a file. By
        default they are in memory.

    Returns
    -------
    columns : dict of str to ndarray
        For `with_tables`, which makes no arrays of its own for them.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.features import index_entries
    >>> table = {"id": np.array([7, 9], np.uint64), "day": np.array([3, 3], np.int32),
    ...          "n": np.array([2, 1])}
    >>> indexed = index_entries([table])
    >>> type(indexed).__name__
    'IndexedEntries'
    """
    whole = np.dtype(np.int64)
    unique = write("ids", np.dtype(np.uint64))
    starts, packed = write("starts", whole), write("packed", whole)
    totals: dict[str, Growing] = {}
    reached: dict[str, int] = {}
    n_values = n_entries = 0
    last: Any = None
    for columns in parts:
        for name in columns:
            if name not in totals and name not in ("id", "day"):
                totals[name], reached[name] = write(f"total.{name}", whole), 0
                totals[name].append(np.zeros(1, np.int64))
        ids = columns["id"]
        if not len(ids):
            continue
        new = np.append(ids[0] != last, ids[1:] != ids[:-1])
        position = n_values - 1 + np.cumsum(new)
        packed.append((position << DAY_BITS) | columns["day"].astype(np.int64))
        unique.append(ids[new])
        starts.append(n_entries + np.flatnonzero(new))
        for name, column in totals.items():
            sums = reached[name] + np.cumsum(columns[name], dtype=np.int64)
            column.append(sums)
            reached[name] = int(sums[-1])
        n_values, last = int(position[-1]) + 1, ids[-1]
        n_entries += len(ids)
    starts.append(np.array([n_entries]))
    entries = Entries(
        ids=unique.finish(),
        packed=packed.finish(),
        totals={name: column.finish() for name, column in totals.items()},
    )
    return IndexedEntries({}, SumTable.of_entries(entries, starts.finish()))


def recode_items(
    part: Mapping[str, NDArray[Any]],
    own: Mapping[str, UInt],
    every: Mapping[str, UInt],
) -> Arrays:
    """Return items of a part whose codes are those of the values of all parts.

    Parameters
    ----------
    part : dict of str to ndarray
        Columns of "register.items" of a part, or some of its rows.
    own, every : mapping of str to ndarray of uint64
        Sorted values of each column of codes, in the part and in all parts.

    Returns
    -------
    items : dict of str to ndarray
        The same items.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.features import recode_items
    >>> part = {"id": np.array([9], np.uint64), "code.office": np.array([0], np.int8)}
    >>> own, every = (np.array(v, np.uint64) for v in ([5], [2, 5]))
    >>> recode_items(part, {"office": own}, {"office": every})["code.office"].tolist()
    [1]
    """
    made = {name: np.asarray(values) for name, values in part.items()}
    for column in made:
        if column.startswith(CODE):
            name = column.removeprefix(CODE)
            values = every[name]
            kind = np.min_scalar_type(-max(len(values), 2))
            n_own = len(own[name])
            used = np.zeros(n_own + 2, bool)
            used[made[column]] = True
            codes = np.flatnonzero(used[:n_own])
            places = np.empty(n_own + 2, kind)
            places[codes] = np.searchsorted(values, own[name][codes])
            places[n_own:] = ERASED, MISSING
            made[column] = places[made[column]]
    return made


def _take(columns: Arrays, rows: NDArray[np.intp]) -> Arrays:
    """Return rows of a table in an order."""
    return {name: values[rows] for name, values in columns.items()}


def _reduce(columns: Arrays, key: tuple[str, ...], function: np.ufunc) -> Arrays:
    """Return the rows with the same key as one, the others reduced by a function."""
    if not len(columns["id"]):
        return columns
    order = _order(columns, key)
    new = np.zeros(len(order), bool)
    new[0] = True
    made: Arrays = {}
    for name in key:
        made[name] = columns[name][order]
        new[1:] |= made[name][1:] != made[name][:-1]
    first = np.flatnonzero(new)
    for name in key:
        made[name] = made[name][first]
    for name, values in columns.items():
        if name not in key:
            made[name] = function.reduceat(values[order], first)
    return {name: made[name] for name in columns}


def _order(columns: Arrays, key: tuple[str, ...]) -> NDArray[np.intp]:
    """Return an order of rows by identity, or by identity and day.

    One sort of numbers that begin as the identity does and end with the day, checked
    afterwards: several times faster than a sort by one and then by the other.
    """
    ids = columns["id"]
    if key == ("id",):
        return order_of_ids(ids)
    day = columns["day"].astype(np.uint64)
    order = np.argsort((ids & ~_DAY_MASK) | day)
    ordered = ids[order]
    if (ordered[1:] >= ordered[:-1]).all():
        return order
    return np.lexsort((columns["day"], ids))
