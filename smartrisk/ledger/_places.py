"""From the path or address of a ledger to its store."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from smartrisk.errors import LedgerError, MissingExtraError
from smartrisk.ledger._sqlite import SQLiteStore
from smartrisk.ledger._stores import Store


def open_store(path_or_url: Any) -> Store:
    """Return the store of a file, or of the address of a database."""
    is_path = isinstance(path_or_url, (str, os.PathLike))
    text = os.fspath(path_or_url) if is_path else ""
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise LedgerError(
            "ledger.not_a_place",
            "Ledger: 'path_or_url' must be the path of a SQLite file, or an address "
            "such as 'postgresql://user@host/database'; got {place!r}.",
            place=path_or_url,
        )
    scheme = re.match(r"([a-z][a-z0-9+]+)://", text)
    if scheme is None:
        return SQLiteStore(Path(text))
    if scheme[1] in ("postgresql", "postgresql+psycopg", "postgres"):
        return _open_postgres(text)
    raise LedgerError(
        "ledger.unknown_database",
        "Ledger: {scheme!r} is no database that a ledger can use. Pass the path of a "
        "SQLite file, or an address that starts with 'postgresql://'.",
        scheme=scheme[1],
    )


def _open_postgres(address: str) -> Store:
    """Return the store of a server, whose driver is an optional dependency."""
    try:
        from smartrisk.ledger._postgres import PostgresStore
    except ImportError as error:
        raise MissingExtraError(error.name or "psycopg", extra="postgres") from error
    return PostgresStore(address)
