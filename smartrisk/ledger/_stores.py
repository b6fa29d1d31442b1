"""What a ledger needs of a database, and the statements that both databases take.

A store has two parts: the chain, which is never changed, and what is aside of it, which
can be erased. In SQLite they are two files, in PostgreSQL tables with their own grants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from smartrisk.errors import Message

#: The two parts of a ledger.
Part: TypeAlias = Literal["chain", "aside"]
#: A row of a database.
Row: TypeAlias = tuple[Any, ...]

COLUMNS = "seq, kind, at, declaration_id, item_number, body, previous, digest"
ALL_ENTRIES = f"SELECT {COLUMNS} FROM entries ORDER BY seq"
HEAD = "SELECT seq, digest FROM entries ORDER BY seq DESC LIMIT 1"
APPEND = (
    f"INSERT INTO entries ({COLUMNS}) VALUES (:seq, :kind, :at, :declaration_id, "
    ":item_number, :body, :previous, :digest)"
)
#: A row per day on which a value was used, so that values in use are not too old.
STORE_IDENTITY = (
    "INSERT INTO identities (pseudonym, identity, day, seal) VALUES (:id, :value, "
    ":day, :seal) ON CONFLICT DO NOTHING"
)
STORE_INPUTS = (
    "INSERT INTO items (digest, fields, day, seal) VALUES (:id, :value, :day, :seal) "
    "ON CONFLICT DO NOTHING"
)


class Session(Protocol):
    """A transaction on one part of a store."""

    def fetch(self, statement: str, /, **values: Any) -> list[Row]:
        """Return the rows of a query."""
        ...

    def run(self, statement: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Run a statement for each row of values."""
        ...


class Store(Protocol):
    """A database that holds a ledger; every error of it is a `LedgerError`."""

    #: Where it is, without a password.
    place: str
    #: File that holds the key when none is named; None where there is no such file.
    key_file: Path | None
    #: Whether entries can be appended.
    is_writable: bool
    #: Whether the part aside can be read.
    has_aside: bool
    #: Condition on items whose fields `field` does not read; None where it reads all.
    odd_items: str | None

    def begin(self, part: Part, /) -> AbstractContextManager[Session]:
        """Hold the lock of writers on a part; commit everything, or nothing."""
        ...

    def fetch(self, part: Part, statement: str, /, **values: Any) -> list[Row]:
        """Return the rows of a query."""
        ...

    def scan(self, part: Part, statement: str, /) -> Iterator[Row]:
        """Return the rows of a query one by one, all as of one moment."""
        ...

    def clock(self, session: Session, /) -> Any:
        """Return the moment: one clock for all that write to this database."""
        ...

    def field(self, name: str, /) -> str:
        """Return the expression for a declared field of an item, as text."""
        ...

    def check(self) -> tuple[list[Message], list[Message]]:
        """Ask the database: return what is damaged, and what is doubtful."""
        ...

    def overwrite_erased(self) -> None:
        """Overwrite what was erased, where the database keeps it."""
        ...

    def copy(self, target: Path, /) -> list[Path]:
        """Write a copy of all that is committed; return its files."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...
