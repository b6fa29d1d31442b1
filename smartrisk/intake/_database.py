"""Databases: the rows of a table or query, over any kind of connection."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from smartrisk.errors import ArgumentError, MissingExtraError, TableError, format_values
from smartrisk.intake._findings import FindingList
from smartrisk.intake._reading import Evidence, Reading, name_columns
from smartrisk.intake._typed import arrow_columns, digest_frame, make_column
from smartrisk.schema import FileFormat

_ADDRESS = re.compile(r"[a-z][a-z0-9+_.]*://", re.IGNORECASE)
#: Rows that are fetched at once.
_ROWS_AT_ONCE = 50_000
#: Longest reason of a database that is repeated.
_REASON_CHARACTERS = 200


def is_address(source: object) -> bool:
    """Return whether a source is the address of a database."""
    return isinstance(source, str) and _ADDRESS.match(source) is not None


def is_connection(source: object) -> bool:
    """Return whether a source is a connection or engine of a database."""
    is_engine = hasattr(source, "dialect") and hasattr(source, "connect")
    is_alchemy = hasattr(source, "dialect") and hasattr(source, "exec_driver_sql")
    is_driver = callable(getattr(source, "cursor", None)) and hasattr(source, "commit")
    return is_engine or is_alchemy or is_driver


def read_database(source: Any, file: FileFormat) -> Reading:
    """Return the rows of a table or query.

    Parameters
    ----------
    source : str, engine or connection
        An address such as ``postgresql://host/name``; an engine or connection of
        SQLAlchemy; a connection of ADBC, or of any driver with cursors.
    file : FileFormat
        Names the `table`, or gives the `query`.

    Returns
    -------
    reading : Reading
        `lines` are the places of the rows in the answer, from 1.

    Raises
    ------
    ArgumentError
        If neither table nor query is given.
    TableError
        If the database refuses.
    MissingExtraError
        If SQLAlchemy or the driver is not installed.
    """
    if isinstance(source, str):
        return _read_address(source, file)
    if hasattr(source, "dialect"):
        if not hasattr(source, "exec_driver_sql"):
            with source.connect() as connection:
                return _read_alchemy(connection, file)
        return _read_alchemy(source, file)
    return _read_driver(source, file)


def read_sqlite_file(path: Path, file: FileFormat) -> Reading:
    """Return the rows of a table or query of an SQLite file, which is not changed."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        return _read_driver(connection, file)


def _read_address(address: str, file: FileFormat) -> Reading:
    """Return the rows of a database by its address."""
    try:
        import sqlalchemy as sa
    except ImportError as error:
        raise MissingExtraError("sqlalchemy", extra="postgres") from error
    try:
        url = sa.make_url(address)
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return _read_alchemy(connection, file)
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "the driver", extra="postgres") from error
    except sa.exc.SQLAlchemyError as error:
        raise _make_refusal(error) from error


def _read_alchemy(connection: Any, file: FileFormat) -> Reading:
    """Return the rows over a connection of SQLAlchemy."""
    preparer = connection.dialect.identifier_preparer
    query = file.query
    if query is None:
        table = _named_table(file, lambda: _alchemy_tables(connection))
        query = f"SELECT * FROM {'.'.join(map(preparer.quote, table.split('.')))}"
    # Without parameters, a per cent sign in the query means itself.
    options = {"no_parameters": True}
    try:
        result = connection.execution_options(**options).exec_driver_sql(query)
        names = list(result.keys())
        rows = [tuple(row) for row in result.fetchall()]
    except Exception as error:  # every driver has errors of its own
        raise _make_refusal(error) from error
    return _from_rows(names, rows, file)


def _alchemy_tables(connection: Any) -> list[str]:
    """Return the names of the tables of a database."""
    import sqlalchemy as sa

    look = sa.inspect(connection)
    return [*look.get_table_names(), *look.get_view_names()]


def _read_driver(connection: Any, file: FileFormat) -> Reading:
    """Return the rows over a connection of a driver: as Arrow where it has that."""
    query = file.query
    cursor = connection.cursor()
    try:
        if query is None:
            table = _named_table(file, lambda: _driver_tables(connection))
            parts = [part.replace('"', '""') for part in table.split(".")]
            query = "SELECT * FROM " + ".".join(f'"{part}"' for part in parts)
        try:
            cursor.execute(query)
            fetch = getattr(cursor, "fetch_arrow_table", None)
            if fetch is not None:
                return _from_arrow(fetch(), file)
            names = [column[0] for column in cursor.description or ()]
            rows = _fetch_all(cursor, names)
        except Exception as error:  # every driver has errors of its own
            raise _make_refusal(error) from error
        return _from_rows(names, rows, file)
    finally:
        cursor.close()


def _fetch_all(cursor: Any, names: list[str]) -> list[tuple[Any, ...]]:
    """Return all rows as tuples, whatever the driver makes of a row."""
    rows: list[tuple[Any, ...]] = []
    while part := cursor.fetchmany(_ROWS_AT_ONCE):
        for row in part:
            is_named = isinstance(row, Mapping)
            rows.append(tuple(row[name] for name in names) if is_named else tuple(row))
    return rows


def _driver_tables(connection: Any) -> list[str]:
    """Return the names of the tables of an SQLite database; of others, none."""
    if not isinstance(connection, sqlite3.Connection):
        return []
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    return [str(next(iter(row))) for row in connection.execute(query)]


def _named_table(file: FileFormat, find_tables: Any) -> str:
    """Return the table that is declared, or the only one."""
    if file.table is not None:
        return file.table
    tables = find_tables()
    if len(tables) == 1:
        return str(tables[0])
    raise ArgumentError(
        "intake.table_needed",
        'a database needs a table or a query: declare table = "..." or query = '
        '"..." in [file]. It has the tables {tables}.',
        tables=format_values(tables, 20) or "that your account shows",
    )


def _from_rows(names: list[str], rows: list[Any], file: FileFormat) -> Reading:
    """Return rows of Python values as a reading."""
    columns: Iterable[Any] = zip(*rows, strict=True) if rows else [()] * len(names)
    return _reading(names, [make_column(list(column)) for column in columns], file)


def _from_arrow(table: pa.Table, file: FileFormat) -> Reading:
    """Return a table of Arrow as a reading."""
    return _reading(table.column_names, arrow_columns(table), file)


def _reading(names: list[str], columns: list[pd.Series], file: FileFormat) -> Reading:
    """Return columns as a reading, with the digest of their content."""
    findings = FindingList()
    unique = name_columns(names, findings, "the query")
    n_rows = len(columns[0]) if columns else 0
    frame = pd.DataFrame(
        dict(zip(unique, columns, strict=True)), index=pd.RangeIndex(n_rows)
    )
    option = "query" if file.query is not None else "table"
    return Reading(
        frame=frame,
        lines=np.arange(1, n_rows + 1, dtype=np.int64),
        kind="query",
        findings=findings,
        sha256=digest_frame(frame),
        format=file,
        evidence=[Evidence(option, getattr(file, option), "declared")],
        accounts={"rows": n_rows},
    )


def _make_refusal(error: Exception) -> TableError:
    """Return the error for what a database refused; it holds no address."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    reason = lines[0][:_REASON_CHARACTERS] if lines else type(cause).__name__
    return TableError(
        "intake.database_refused",
        "the database refused: {kind}: {reason}. Check the address, the account and "
        "the query.",
        kind=type(cause).__name__,
        reason=reason.rstrip("."),
    )
