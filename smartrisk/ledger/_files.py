"""The two files of a ledger: what is on disk, and when."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartrisk.errors import LedgerError

CHAIN = """
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
ASIDE = """
CREATE TABLE IF NOT EXISTS secret (key TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS identities (
    pseudonym TEXT PRIMARY KEY, identity TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS items (
    digest TEXT PRIMARY KEY, fields TEXT NOT NULL, at TEXT NOT NULL
) STRICT;
"""
_BUSY_SECONDS = 60.0


def open_file(path: Path, script: str) -> sqlite3.Connection:
    """Open a file so that what is committed is on disk; make its tables."""
    try:
        made = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = FULL")
        made.execute("PRAGMA secure_delete = ON")
        made.executescript(script)
    except sqlite3.DatabaseError as error:
        raise LedgerError(
            "ledger.ledger_choose_another_file",
            "Ledger: {path!r} is no ledger ({error}). Choose another file.",
            path=str(path),
            error=error,
        ) from error
    return made


def forget(connection: sqlite3.Connection) -> None:
    """Leave nothing in the log of what was deleted."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock of a file; keep all of what is written, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
