"""Tables and registers of a saved history that are read at their first use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from smartrisk.artefact import DeferredTables, table_file
from smartrisk.errors import ArtefactError, format_values
from smartrisk.features._digests import Digest, parse_digest
from smartrisk.features._register import ItemRegister, ResultRegister
from smartrisk.features._sum_tables import SumTable
from smartrisk.features._table_checks import check_table

#: What a table has once it was read.
_READ = frozenset({"ids", "packed", "starts", "totals"})


class Later(dict[str, NDArray[Any]]):
    """The columns of a table of sums that nobody has read.

    Parameters
    ----------
    tables : DeferredTables
        The tables of the folder.
    name : str
        Name of the table.
    expected : set of str
        Names of the tables that its file must have.
    digest : str
        Digest of its sums.
    """

    def __init__(
        self, tables: DeferredTables, name: str, expected: set[str], digest: str
    ) -> None:
        super().__init__()
        self._tables, self._name, self._expected = tables, name, expected
        self._digest = parse_digest(digest)

    def table(self, make: Callable[[dict[str, NDArray[Any]]], SumTable]) -> SumTable:
        """Return the table that is made of the columns at its first use."""
        return StoredTable.unread(self._digest, lambda: self._read(make))

    def _read(self, make: Callable[[dict[str, NDArray[Any]]], SumTable]) -> SumTable:
        """Return the table, after the checks of its file, columns and sums."""
        check_names(self._tables, table_file(self._name), self._expected)
        columns = self._tables[self._name]
        check_table(self._name, columns)
        made = make(columns)
        check_sums(self._name, made.digest, self._digest, table_file(self._name))
        return made


class StoredTable(SumTable):
    """A table that is read when one of its arrays is; then it becomes a plain table."""

    @classmethod
    def unread(cls, digest: Digest, make: Callable[[], SumTable]) -> SumTable:
        """Return a table that nobody has read.

        Parameters
        ----------
        digest : tuple of int
            Digest of its sums.
        make : callable
            Returns the table.
        """
        made = cls.__new__(cls)
        made.__dict__ = {"_digest": digest, "_make": make}
        return made

    if not TYPE_CHECKING:

        @property
        def fresh(self) -> Any:
            """Which entries no level below has, once the table was read."""
            _ = self.packed
            return vars(self).get("fresh")

        def __getattr__(self, name: str) -> Any:
            """Read the table when one of its arrays is missing."""
            if name not in _READ:
                raise AttributeError(name)
            make = vars(self).get("_make")
            if make is not None:  # another thread has not read it
                self.__dict__ = vars(make())
                self.__class__ = SumTable
            return object.__getattribute__(self, name)

        def __reduce_ex__(self, protocol: int) -> Any:
            """Read the table: a copy in another process cannot."""
            _ = self.packed
            return object.__reduce_ex__(self, protocol)


class StoredItems(ItemRegister):
    """The items of a history, read at their first use.

    Parameters
    ----------
    read : callable
        Returns the register.
    """

    def __init__(self, read: Callable[[], ItemRegister]) -> None:
        vars(self)["_read"] = read

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read the register when its blocks are missing."""
            if name != "blocks":
                raise AttributeError(name)
            vars(self)["blocks"] = self._read().blocks
            return self.blocks

        def __reduce__(self) -> Any:
            """Read the register: a copy in another process cannot."""
            return ItemRegister, (self.blocks,)


class StoredResults(ResultRegister):
    """The results of a history, read at their first use.

    Parameters
    ----------
    read : callable
        Returns the register.
    """

    def __init__(self, read: Callable[[], ResultRegister]) -> None:
        vars(self)["_read"] = read

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read the register when its blocks, or their number, are missing."""
            if name not in ("blocks", "n_items"):
                raise AttributeError(name)
            found = self._read()
            vars(self).update(blocks=found.blocks, n_items=found.n_items)
            return getattr(found, name)

        def __reduce__(self) -> Any:
            """Read the register: a copy in another process cannot."""
            return ResultRegister, (self.blocks, self.n_items)


def check_names(tables: DeferredTables, file: str, expected: set[str]) -> None:
    """Raise unless a file has the tables that belong to it, and no others."""
    other = sorted(tables.names(file) ^ expected)
    if other:
        raise ArtefactError(
            "features.saved_tables_differ",
            "RiskEngine.load: the tables {names} of {files} are missing, or belong to "
            "no part of the engine. Restore a copy.",
            names=format_values(other),
            files=format_values([file]),
        )


def check_sums(name: str, found: Digest, saved: Digest, file: str) -> None:
    """Raise unless the sums of a table are those that were saved; name its file."""
    if found != saved:
        raise ArtefactError(
            "features.saved_sums_differ",
            "RiskEngine.load: the sums of table {name!r} are not those that the engine "
            "was saved with, so that {file!r} was changed. Restore a copy.",
            name=name,
            file=file,
        )
