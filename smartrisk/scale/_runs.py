"""Tables on disk: one file per run, its columns aligned, mapped when they are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[Any]]"

#: Columns begin at multiples of it, as memory maps and processors like them.
_ALIGNMENT = 64
#: Highest number of an identity, and one more.
_ALL = 1 << 64


@dataclass(frozen=True)
class Column:
    """Where a column lies: file, type, first byte and number of entries."""

    file: str
    kind: str
    offset: int
    n: int

    def read(self) -> NDArray[Any]:
        """Return the column, mapped into memory."""
        if not self.n:
            return np.zeros(0, self.kind)
        mapped: NDArray[Any] = np.memmap(
            self.file, self.kind, "r", offset=self.offset, shape=(self.n,)
        )
        return mapped

    def read_part(self, first: int, last: int) -> NDArray[Any]:
        """Return some entries in memory.

        Less than mapping them costs, and no file stays open.
        """
        kind = np.dtype(self.kind)
        offset = self.offset + first * kind.itemsize
        found: NDArray[Any] = np.fromfile(
            self.file, kind, count=last - first, offset=offset
        )
        return found


@dataclass(frozen=True, eq=False)
class Run:
    """Tables by name, each with its columns by name."""

    tables: Mapping[str, Mapping[str, Column]]

    def read(self, name: str) -> Arrays:
        """Return the columns of a table, mapped into memory."""
        return {column: at.read() for column, at in self.tables[name].items()}

    def read_range(self, name: str, number: int, n_ranges: int) -> Arrays:
        """Return the rows of one of some equal ranges of identities, in memory."""
        columns = self.tables[name]
        ids, found = columns["id"].read(), []
        for edge in (number, number + 1):
            low = _ALL * edge // n_ranges
            at = len(ids) if low == _ALL else np.searchsorted(ids, np.uint64(low))
            found.append(int(at))
        return {column: at.read_part(*found) for column, at in columns.items()}

    def read_whole(self, name: str) -> Arrays:
        """Return the columns of a table in memory."""
        return {
            column: at.read_part(0, at.n) for column, at in self.tables[name].items()
        }

    def n_entries(self, name: str) -> int:
        """Return the number of entries of a table."""
        return next(iter(self.tables[name].values())).n

    def files(self) -> set[str]:
        """Return the files of all tables."""
        return {at.file for columns in self.tables.values() for at in columns.values()}

    def n_bytes(self, name: str) -> int:
        """Return the size of a table."""
        return sum(
            column.n * np.dtype(column.kind).itemsize
            for column in self.tables[name].values()
        )


def write_run(path: Path, tables: Mapping[str, Mapping[str, NDArray[Any]]]) -> Run:
    """Write tables into one file."""
    found: dict[str, dict[str, Column]] = {}
    with path.open("wb") as file:
        for name, columns in tables.items():
            found[name] = {
                column: _append(file, path, (values,), values.dtype)
                for column, values in columns.items()
            }
    return Run(found)


class GrowingFile:
    """A column that is written to a file of its own, then mapped into memory.

    Written in order: a mapped file to fill costs a fault for each of its pages.
    """

    def __init__(self, path: Path, kind: np.dtype[Any]) -> None:
        self._path, self._kind, self._n = path, kind, 0
        self._file = path.open("wb")

    def append(self, values: NDArray[Any]) -> None:
        """Write more entries."""
        np.ascontiguousarray(values, self._kind).tofile(self._file)
        self._n += len(values)

    def finish(self) -> NDArray[Any]:
        """Return the column, mapped into memory."""
        self._file.close()
        return Column(str(self._path), self._kind.str, 0, self._n).read()


def join_ranges(path: Path, name: str, parts: Sequence[Run]) -> Run:
    """Write the ranges of a table, which follow each other, as one table."""
    columns = {}
    with path.open("wb") as file:
        for column, first in parts[0].tables[name].items():
            parts_of = (part.tables[name][column] for part in parts)
            values = (at.read_part(0, at.n) for at in parts_of)
            columns[column] = _append(file, path, values, np.dtype(first.kind))
    return Run({name: columns})


def join_tables(runs: Iterable[Run]) -> Run:
    """Return runs of different tables as one."""
    return Run({name: columns for run in runs for name, columns in run.tables.items()})


def _append(
    file: Any, path: Path, parts: Iterable[NDArray[Any]], kind: np.dtype[Any]
) -> Column:
    """Write a column at the end of a file."""
    size = file.seek(0, os.SEEK_END)
    offset = -(-size // _ALIGNMENT) * _ALIGNMENT
    file.write(bytes(offset - size))
    n = 0
    for values in parts:
        plain = np.ascontiguousarray(values, kind)
        plain.tofile(file)
        n += len(plain)
    return Column(str(path), kind.str, offset, n)
