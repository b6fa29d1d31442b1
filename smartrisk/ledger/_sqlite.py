"""A ledger in two files of SQLite, and transactions that reach the disk."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smartrisk.errors import LedgerError, Message
from smartrisk.ledger._stores import Part, Row, Session

#: The chain. The triggers stop programs that change entries by mistake; changes after
#: their removal are found by the digests.
_CHAIN_TABLES = (
    "CREATE TABLE entries (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT "
    "NULL, declaration_id TEXT, item_number INTEGER, body TEXT NOT NULL, previous TEXT "
    "NOT NULL, digest TEXT NOT NULL) STRICT",
    "CREATE INDEX by_item ON entries (declaration_id, item_number)",
    "CREATE TRIGGER no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, "
    "'entries cannot be changed'); END",
    "CREATE TRIGGER no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, "
    "'entries cannot be deleted'); END",
)
#: What must be erasable, so that it cannot be in the chain.
_ASIDE_TABLES = (
    "CREATE TABLE identities (pseudonym TEXT, identity TEXT NOT NULL, day TEXT, seal "
    "TEXT NOT NULL, PRIMARY KEY (pseudonym, day)) STRICT",
    "CREATE TABLE items (digest TEXT, fields TEXT NOT NULL, day TEXT, seal TEXT NOT "
    "NULL, PRIMARY KEY (digest, day)) STRICT",
)
#: Marks in the header of a file, so that another program's database is recognised.
_MARKS: Mapping[Part, int] = {"chain": 0x534B4C43, "aside": 0x534B4C53}
#: How long a process waits for the lock of another: a batch of 100,000 decisions holds
#: it for about 2 s.
BUSY_SECONDS = 60.0
#: Characters of a path in a message: its end names the file.
_PATH_CHARACTERS = 200

_REMEDIES: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "ledger.locked",
        "another process holds its lock. Wait for it or end it, then try again",
    ),
    sqlite3.SQLITE_LOCKED: (
        "ledger.locked",
        "another process holds its lock. Wait for it or end it, then try again",
    ),
    sqlite3.SQLITE_FULL: (
        "ledger.disk_full",
        "the disk is full. Nothing of this call was recorded. Free space, then repeat "
        "the call",
    ),
    sqlite3.SQLITE_READONLY: (
        "ledger.read_only",
        "it is read-only. Give the account the right to write the file and its folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "ledger.cannot_be_opened",
        "it cannot be opened. Check that the folder exists and may be written",
    ),
    sqlite3.SQLITE_PERM: (
        "ledger.cannot_be_opened",
        "it cannot be opened. Check that the folder exists and may be written",
    ),
    sqlite3.SQLITE_IOERR: (
        "ledger.disk_failed",
        "the disk reported an error. Check the disk, and restore a copy if need be",
    ),
    sqlite3.SQLITE_NOTADB: (
        "ledger.not_a_ledger",
        "it is not a ledger. Choose another file, or restore a copy",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "ledger.file_damaged",
        "the file is damaged. Restore a copy, and verify it with an anchor",
    ),
}
_OTHER_THREAD = (
    "ledger.other_thread",
    "it was opened in another thread. Open one Ledger for each thread",
)
_CLOSED = ("ledger.closed", "it is closed. Open it again")
_OTHER = ("ledger.database_error", "the database refused. Verify the ledger")


@contextmanager
def _translating(path: Path) -> Iterator[None]:
    """Raise every error of SQLite as one of ours, with a remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translate(path, error) from error
    except (OverflowError, UnicodeEncodeError) as error:  # pragma: no cover
        raise _translate(path, error) from error


def _translate(path: Path, error: Exception) -> LedgerError:
    """Return the error of a ledger for one of SQLite."""
    # Extended codes have the code of their family in the lowest byte.
    code = getattr(error, "sqlite_errorcode", None)
    message_id, remedy = _REMEDIES.get((code or 0) & 0xFF, _OTHER)
    if "thread" in str(error):
        message_id, remedy = _OTHER_THREAD
    elif "closed" in str(error):
        message_id, remedy = _CLOSED
    return LedgerError(
        message_id,
        "Ledger {path!r}: {remedy} ({problem}).",
        remedy=Message(message_id, remedy),
        path=str(path),
        problem=str(error),
    )


class _Transaction:
    """A transaction on one file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, /, **values: Any) -> list[Row]:
        """Return the rows of a query."""
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Run a statement for each row of values."""
        self._connection.executemany(statement, rows)


class SQLiteStore:
    """The two files of a ledger; the second has the ending ``.aside``."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self.path = path
        self.key_file: Path | None = path.with_name(path.name + ".key")
        self.is_writable = _is_writable(path)
        aside = path.with_name(path.name + ".aside")
        self._paths: dict[Part, Path] = {"chain": path, "aside": aside}
        self._connections: dict[Part, sqlite3.Connection] = {}
        self.has_aside = self.is_writable or aside.exists()
        self.odd_items: str | None = None
        try:
            self._open()
        except OSError as error:
            raise _cannot_create(path, error) from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        """Open both files, after making those of a new ledger."""
        aside = self._paths["aside"]
        if not self.is_writable:
            self._connect("chain")
            if self.has_aside:
                self._connect("aside")
            return
        if self.path.exists() and self.path.stat().st_size > 0:
            self._connect("chain")
            # The chain is made last: where it is, its second file has been.
            if not aside.exists():
                raise self._no_second_file()
        made: tuple[tuple[Part, tuple[str, ...]], ...] = (
            ("aside", _ASIDE_TABLES),
            ("chain", _CHAIN_TABLES),
        )
        for part, tables in made:
            if part not in self._connections:
                self._connect(part)
            self._make_tables(part, tables)

    def _connect(self, part: Part) -> None:
        """Open a file so that what is committed is on disk."""
        path = self._paths[part]
        with _translating(path):
            if self.is_writable:
                _create_private(path)
                address, is_uri = str(path), False
            else:
                address, is_uri = _read_only_address(path), True
            connection = sqlite3.connect(
                address, timeout=BUSY_SECONDS, isolation_level=None, uri=is_uri
            )
            self._connections[part] = connection
            self._check_mark(part, connection)
            if not self.is_writable:
                return
            _use_write_ahead_log(connection)
            # In WAL mode, NORMAL would not sync at commit: a power cut would lose
            # entries that `record` had returned.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")

    def _check_mark(self, part: Part, connection: sqlite3.Connection) -> None:
        """Raise when a file is the database of another program."""
        # As of one moment: another process may be making the tables of a new file.
        connection.execute("BEGIN")
        (mark,) = connection.execute("PRAGMA application_id").fetchone()
        count = "SELECT count(*) FROM sqlite_master"
        (n_tables,) = connection.execute(count).fetchone()
        connection.execute("COMMIT")
        if (mark, bool(n_tables)) in ((_MARKS[part], True), (0, False)):
            return
        raise LedgerError(
            "ledger.not_a_ledger",
            "Ledger {path!r}: it is not a ledger, or not of this format: it is a "
            "database of another program, or its header was changed. Choose another "
            "file, or restore a copy.",
            path=str(self._paths[part]),
        )

    def _make_tables(self, part: Part, tables: Sequence[str]) -> None:
        """Make the tables of a new file, all or none; several processes may try."""
        count = "SELECT count(*) FROM sqlite_master"
        if self.fetch(part, count) != [(0,)]:
            return
        with self.begin(part) as session:
            if session.fetch(count) == [(0,)]:
                for statement in (*tables, f"PRAGMA application_id = {_MARKS[part]}"):
                    session.fetch(statement)

    def _use(self, part: Part) -> sqlite3.Connection:
        """Return the open connection of a part."""
        if part in self._connections:
            return self._connections[part]
        raise self._no_second_file()

    def _no_second_file(self) -> LedgerError:
        """Return the error for a ledger without its second file."""
        return LedgerError(
            "ledger.second_file_missing",
            "Ledger {path!r}: the file of identities and declared values, {aside!r}, "
            "is missing. Restore it from a copy; if it was deleted on purpose, create "
            "an empty file of that name.",
            path=self.place,
            aside=str(self._paths["aside"]),
        )

    @contextmanager
    def begin(self, part: Part, /) -> Iterator[Session]:
        """Hold the write lock of a file; commit all, or nothing after an error."""
        connection = self._use(part)
        with _translating(self._paths[part]):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                # A full disk has ended the transaction already.
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                raise

    def fetch(self, part: Part, statement: str, /, **values: Any) -> list[Row]:
        """Return the rows of a query."""
        with _translating(self._paths[part]):
            return self._use(part).execute(statement, values).fetchall()

    def scan(self, part: Part, statement: str, /) -> Iterator[Row]:
        """Return the rows of a query one by one, all as of one moment."""
        with _translating(self._paths[part]):
            yield from self._use(part).execute(statement)

    def clock(self, session: Session, /) -> datetime:
        """Return the moment by the clock of this machine."""
        return datetime.now(UTC)

    def field(self, name: str, /) -> str:
        """Return the expression for a declared field of an item, as text."""
        return f"CAST(json_extract(fields, '$.{name}') AS TEXT)"

    def check(self) -> tuple[list[Message], list[Message]]:
        """Ask SQLite whether pages, rows or indexes of a file are damaged."""
        damages = []
        for part, path in self._paths.items():
            problem = self._check_part(part) if part in self._connections else "ok"
            if problem != "ok":
                damages.append(
                    Message(
                        "ledger.file_damaged",
                        "the file {path!r} is damaged ({problem})",
                        path=path.name,
                        problem=problem,
                    )
                )
        return damages, []

    def _check_part(self, part: Part) -> str:
        """Return the first problem of a file, "ok" when there is none."""
        try:
            return str(self.fetch(part, "PRAGMA integrity_check(1)")[0][0])
        except LedgerError as error:
            return str(error)

    def overwrite_erased(self) -> None:
        """Empty the write-ahead log, which still holds what was deleted."""
        self.fetch("aside", "PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, target: Path, /) -> list[Path]:
        """Write a copy while others may write: the chain first, then what it names."""
        written = []
        for part in self._connections:
            path = target.with_name(target.name + ("" if part == "chain" else ".aside"))
            draft = path.with_name(f".{path.name}-draft")
            draft.unlink(missing_ok=True)
            _create_private(draft)
            with _translating(path), closing(sqlite3.connect(draft)) as copied:
                self._use(part).backup(copied)
                # One file without a log, which can be moved and mounted read-only.
                copied.execute("PRAGMA journal_mode = DELETE")
            draft.replace(path)
            written.append(path)
        return written

    def close(self) -> None:
        """Close the files; every entry is on disk already."""
        for part, connection in self._connections.items():
            with _translating(self._paths[part]):
                connection.close()


def _is_writable(path: Path) -> bool:
    """Return whether a file can be written: absent, or with the right to write it.

    A file without any right to write is a copy to be read, for the superuser too.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return True
    return (
        bool(mode & 0o222)
        and os.access(path, os.W_OK)
        and os.access(path.resolve().parent, os.W_OK)
    )


def _read_only_address(path: Path) -> str:
    """Return the address of a file that is not written, nor its folder."""
    log = path.with_name(path.name + "-wal")
    # Without a log nobody writes, so that no lock is needed: a read-only folder.
    mode = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
    return f"file:{quote(str(path.resolve()))}?mode={mode}"


def _create_private(path: Path) -> None:
    """Create a file that its owner alone can read; its log takes over the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise _cannot_create(path, error) from error


def _cannot_create(path: Path, error: OSError) -> LedgerError:
    """Return the error for a file that the system does not create."""
    return LedgerError(
        "ledger.cannot_be_created",
        "Ledger {path!r}: it cannot be created ({problem}). Check that the folder "
        "exists and may be written.",
        path=str(path)[-_PATH_CHARACTERS:],
        problem=error.strerror or str(error),
    )


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch a new file to a write-ahead log; another process may do the same now."""
    limit = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The switch does not wait for locks by itself.
            is_busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > limit:
                raise
            time.sleep(0.01)
