"""Whether saved tables are those of a history, found out before anything uses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smartrisk.artefact import table_file
from smartrisk.errors import ArtefactError
from smartrisk.features._item_blocks import ERASED
from smartrisk.features._packed_days import LAST_DAY

#: A table: columns by name.
Table: TypeAlias = Mapping[str, NDArray[Any]]

_ITEMS, _RESULTS, _VALUES = "register.items", "register.results", "register.values."
_CODES = "codes."
_CODE, _NUMBER = "code.", "number."
_OWNER = "RiskEngine.load"


def check_tables(tables: Mapping[str, Table]) -> None:
    """Raise unless tables have the columns, types, order and ranges of a history.

    Parameters
    ----------
    tables : mapping of str to mapping of str to ndarray
        As `pack_history` returns them.

    Raises
    ------
    ArtefactError
        Naming the file, the table and the column.
    """
    with naming_table():
        for name in (_ITEMS, _RESULTS):
            if name not in tables:
                refuse(name, "is missing")
        for name, table in tables.items():
            if name == _ITEMS:
                _check_items(table, tables)
            else:
                _check_table(name, table)


def check_table(name: str, table: Table) -> None:
    """Raise unless a table, not that of the items, is one of a history.

    Parameters
    ----------
    name : str
        Name of the table.
    table : mapping of str to ndarray
        Its columns.

    Raises
    ------
    ArtefactError
        Naming the file, the table and the column.
    """
    with naming_table():
        _check_table(name, table)


@contextmanager
def naming_table(file: str | None = None) -> Iterator[None]:
    """Turn what a check says about a table into an error that names its file.

    Parameters
    ----------
    file : str, default=None
        Name of the file; None for that of the format before, by the kind of table.
    """
    try:
        yield
    except OddTable as odd:
        raise ArtefactError(
            "features.saved_table_damaged",
            "{owner}: {file!r} is damaged: table {name!r} {problem}. Restore a copy.",
            owner=_OWNER,
            file=table_file(odd.name) if file is None else file,
            name=odd.name,
            problem=odd.problem,
        ) from None


class OddTable(Exception):  # noqa: N818 (an answer, which never leaves the package)
    """A table is none of a history.

    Parameters
    ----------
    name : str
        Name of the table.
    problem : str
        What is wrong.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem


def check_stored_register(tables: Mapping[str, Table], file: str) -> None:
    """Raise unless tables are a block of a register.

    Parameters
    ----------
    tables : mapping of str to mapping of str to ndarray
        Items with their values, or results, by the names of `pack_history`.
    file : str
        Name of their file.
    """
    with naming_table(file):
        for name, table in tables.items():
            if name == _ITEMS:
                _check_items(table, tables)
            else:
                _check_table(name, table)


def _check_table(name: str, table: Table) -> None:
    """Check a table that is not that of the items."""
    if name == _RESULTS:
        _check_results(table)
    elif name.startswith(_VALUES):
        check_columns(name, table, {"id": np.uint64})
        _check_rising(name, table["id"])
    elif name.startswith(_CODES):
        check_columns(name, table, {"id": np.uint64})
        if not 0 < len(np.unique(table["id"])) == len(table["id"]):
            refuse(name, "has no codes, or one of them twice")
    else:
        _check_sums(name, table)


def check_learned(ids: NDArray[Any]) -> None:
    """Raise unless the items that models have learned are sorted identities.

    Parameters
    ----------
    ids : ndarray of uint64, shape (n_items,)
        `smartrisk.items.item_ids`, sorted.

    Raises
    ------
    ArtefactError
        If they are of another type or order.

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.features import check_learned
    >>> check_learned(np.array([1, 5], np.uint64))
    """
    with naming_table():
        check_columns("learned", {"id": ids}, {"id": np.uint64})
        if len(ids) and (ids[1:] < ids[:-1]).any():
            refuse("learned", "is not sorted")


def _check_sums(name: str, table: Table) -> None:
    """Check a table of sums by identity and day."""
    sums = dict.fromkeys(set(table) - {"id", "day"}, np.int64)
    if not sums:
        refuse(name, "has no sums")
    check_columns(name, table, {"id": np.uint64, "day": np.int32, **sums})
    ids, day = table["id"], table["day"]
    _check_range(name, "day", day, 0, LAST_DAY)
    same = ids[1:] == ids[:-1]
    if (ids[1:] < ids[:-1]).any() or (day[1:][same] <= day[:-1][same]).any():
        refuse(name, "is not sorted by identity and day")


def _check_items(table: Table, tables: Mapping[str, Table]) -> None:
    """Check the register of items: its codes are places in the tables of values."""
    kinds: dict[str, Any] = {"id": np.uint64, "day": np.int32, "content": np.uint64}
    codes = [name for name in table if name.startswith(_CODE)]
    for name in codes:
        if table[name].dtype not in (np.int8, np.int16, np.int32, np.int64):
            refuse(_ITEMS, f"has a column {name!r} of type {table[name].dtype}")
        kinds[name] = table[name].dtype
    numbers = [name for name in table if name.startswith(_NUMBER)]
    kinds |= dict.fromkeys(numbers, np.float64)
    check_columns(_ITEMS, table, kinds)
    _check_rising(_ITEMS, table["id"])
    _check_range(_ITEMS, "day", table["day"], 0, LAST_DAY)
    named = {name.removeprefix(_VALUES) for name in tables if name.startswith(_VALUES)}
    if named != {name.removeprefix(_CODE) for name in codes}:
        refuse(_ITEMS, "does not have the columns that its values are for")
    for name in codes:
        values = tables[_VALUES + name.removeprefix(_CODE)].get("id", ())
        _check_range(_ITEMS, name, table[name], ERASED, len(values) - 1)
    for name in numbers:
        if np.isinf(table[name]).any():
            refuse(_ITEMS, f"has infinite numbers in {name!r}")


def _check_results(table: Table) -> None:
    """Check the register of results."""
    if "stated" not in table and {"id", "day", "hits"} <= set(table):
        raise ArtefactError(
            "features.results_without_stated_days",
            "{owner}: {name!r} has no column 'stated': the engine was saved by a "
            "development version of 2026-11 that did not keep the days on which "
            "results were recorded, so that corrections cannot be dated. Fit an engine "
            "again from the declarations and results.",
            owner=_OWNER,
            name=f"{_RESULTS}.parquet",
        )
    kinds: dict[str, Any] = {
        "id": np.uint64,
        "stated": np.int32,
        "day": np.int32,
        "hits": np.int8,
        "revenue": np.int32,
    }
    if "differs" in table:
        kinds["differs"] = np.uint64
    check_columns(_RESULTS, table, kinds)
    ids, day, stated = table["id"], table["day"], table["stated"]
    _check_range(_RESULTS, "day", day, 0, LAST_DAY)
    _check_range(_RESULTS, "stated", stated, -1, LAST_DAY)
    _check_range(_RESULTS, "hits", table["hits"], 0, 1)
    order = np.lexsort((stated, day, ids))
    if (order[1:] < order[:-1]).any():
        refuse(_RESULTS, "is not sorted by identity and day")


def check_columns(name: str, table: Table, kinds: Mapping[str, Any]) -> None:
    """Raise unless a table has columns of these names and types."""
    if set(table) != set(kinds):
        odd = ", ".join(sorted(set(table) ^ set(kinds))[:5])
        refuse(name, f"lacks columns, or has other ones: {odd}")
    for column, kind in kinds.items():
        if table[column].dtype != kind:
            refuse(name, f"has a column {column!r} of type {table[column].dtype}")


def _check_rising(name: str, ids: NDArray[Any]) -> None:
    """Raise unless identities are sorted and each there once."""
    if (ids[1:] <= ids[:-1]).any():
        refuse(name, "has identities that are not sorted, or not each once")


def _check_range(
    name: str, column: str, values: NDArray[Any], low: int, high: int
) -> None:
    """Raise where a number lies outside what its column may have."""
    if len(values) and not low <= int(values.min()) <= int(values.max()) <= high:
        refuse(name, f"has values in {column!r} outside {low} to {high}")


def refuse(name: str, problem: str) -> NoReturn:
    """Raise with what is wrong."""
    raise OddTable(name, problem)
