"""From the path or address of a ledger to its store."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from smartrisk.errors import LedgerError, MissingExtraError, format_values
from smartrisk.ledger._sqlite import SQLiteStore
from smartrisk.ledger._stores import Store


def read_place(owner: str, name: str, value: Any) -> str:
    """Return a path or an address as text, or raise when it can be neither."""
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else ""
    is_text = isinstance(text, str) and text.strip() != "" and "\0" not in text
    if is_text and not re.search("[\ud800-\udfff]", text):
        return text
    raise LedgerError(
        "ledger.not_a_place",
        "{owner}: {name!r} must be the path of a file, or for a ledger an address "
        "such as 'postgresql://user@host/database'; got {value}.",
        owner=owner,
        name=name,
        value=format_values([value]),
    )


def open_store(path_or_url: Any) -> Store:
    """Return the store of a file, or of the address of a database."""
    text = read_place("Ledger", "path_or_url", path_or_url)
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
