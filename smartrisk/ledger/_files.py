"""The two files of a ledger: their tables, and transactions that reach the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartrisk.errors import LedgerError

#: The chain. The triggers stop programs that change entries by mistake; changes after
#: their removal are found by the digests.
CHAIN_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL,
    declaration_id TEXT, item_number INTEGER,
    body TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS by_item ON entries (declaration_id, item_number);
CREATE TRIGGER IF NOT EXISTS no_update BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries cannot be changed'); END;
CREATE TRIGGER IF NOT EXISTS no_delete BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'entries cannot be deleted'); END;
"""
#: The side file: what must be erasable, so that it cannot be in the chain.
SIDE_TABLES = """
CREATE TABLE IF NOT EXISTS secret (key TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS identities (
    pseudonym TEXT PRIMARY KEY, identity TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS items (
    digest TEXT PRIMARY KEY, fields TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
"""
#: How long a process waits for the lock of another: a batch of 100,000 decisions holds
#: it for about 2 s.
_BUSY_SECONDS = 60.0


def open_file(path: Path, script: str) -> sqlite3.Connection:
    """Open a file so that what is committed is on disk; create its tables."""
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode, NORMAL would not sync at commit: a power cut would lose entries
        # that `record` had returned.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(script)
    except sqlite3.DatabaseError as error:
        raise LedgerError(
            "ledger.not_a_ledger",
            "Ledger: {path!r} is not a ledger ({problem}). Choose another file.",
            path=str(path),
            problem=str(error),
        ) from error
    return connection


def truncate_log(connection: sqlite3.Connection) -> None:
    """Empty the write-ahead log, which still holds what was deleted."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock of a file; commit everything, or nothing after an error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
