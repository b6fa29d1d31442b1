"""A ledger in a schema of PostgreSQL, for several users at once.

The chain is the same as in SQLite, to the byte, for the same entries, key and clock.
Identities and declared values are tables with their own grants.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from smartrisk.errors import LedgerError, Message
from smartrisk.ledger._stores import Part, Row, Session

SCHEMA = "smartrisk_ledger"
#: Lock of writers on the head. An advisory lock needs no right to change the table, so
#: that a role that may only insert and select can take it; the number is any.
_HEAD_LOCK = 0x736D617274
#: Seconds to wait for a server, and for the lock of another writer.
_CONNECT_SECONDS, _LOCK_SECONDS = 10, 60
#: Rows that are read at once from a long chain.
_ROWS_AT_ONCE = 5_000
#: Settings without which what is committed may not be on disk.
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")

_TABLES = (
    f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}",
    "CREATE TABLE entries (seq BIGINT PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT "
    "NULL, declaration_id TEXT, item_number BIGINT, body TEXT NOT NULL, previous TEXT "
    "NOT NULL, digest TEXT NOT NULL)",
    "CREATE INDEX by_item ON entries (declaration_id, item_number)",
    "CREATE TABLE identities (pseudonym TEXT, identity TEXT NOT NULL, day TEXT, seal "
    "TEXT NOT NULL, PRIMARY KEY (pseudonym, day))",
    "CREATE TABLE items (digest TEXT, fields TEXT NOT NULL, day TEXT, seal TEXT NOT "
    "NULL, PRIMARY KEY (digest, day))",
    "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "RAISE EXCEPTION 'entries cannot be changed'; END $$",
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON entries FOR EACH "
    "STATEMENT EXECUTE FUNCTION refuse_change()",
)
#: Items with a NUL or half of a surrogate pair, as JSON escapes them: PostgreSQL takes
#: no value out of such JSON, not even of another field.
_ODD = r"fields ~ '\\u(0000|d[89a-f])'"
_EXISTS = f"SELECT to_regclass('{SCHEMA}.entries') IS NOT NULL"
_ALLOWED = "SELECT has_table_privilege(:name, :right)"

_LOST = (
    "ledger.server_lost",
    "the server does not answer, or refuses the login. Start it, or check the address. "
    "Whether the last call was recorded is not known: look at the head before you "
    "repeat it",
)
#: Message id and remedy by the first digits of what PostgreSQL states as SQLSTATE.
_REMEDIES = {
    "42501": (
        "ledger.not_granted",
        "the role may not do this. Ask the owner for the grants in the guide",
    ),
    "53100": (
        "ledger.disk_full",
        "the disk of the server is full. Nothing of this call was recorded. Free "
        "space, then repeat the call",
    ),
    "55P03": (
        "ledger.locked",
        "another writer holds the lock. Wait for it or end it, then try again",
    ),
    "23505": (
        "ledger.head_moved",
        "another program wrote an entry without the lock. Nothing of this call was "
        "recorded; repeat it",
    ),
    "08": _LOST,
    "57": _LOST,
    "XX": (
        "ledger.file_damaged",
        "the files of the server are damaged. Restore a backup, and verify it with an "
        "anchor",
    ),
}
_OTHER = ("ledger.database_error", "the database refused. Verify the ledger")


@contextmanager
def _translating(place: str) -> Iterator[None]:
    """Raise every error of the database as one of ours, with a remedy."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        raise _translate(place, error) from error


def _translate(place: str, error: Exception) -> LedgerError:
    """Return the error of a ledger for one of the database."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    if state is None and isinstance(cause, psycopg.OperationalError):
        state = "08"
    found = [_REMEDIES[n] for n in (str(state), str(state)[:2]) if n in _REMEDIES]
    message_id, remedy = found[0] if found else _OTHER
    lines = str(cause).strip().splitlines()
    return LedgerError(
        message_id,
        "Ledger {place!r}: {remedy} ({problem}).",
        remedy=Message(message_id, remedy),
        place=place,
        problem=lines[0] if lines else type(cause).__name__,
    )


def _read_address(address: str) -> sa.URL:
    """Return the parts of an address; the error for none shows no password."""
    try:
        return sa.make_url(address).set(drivername="postgresql+psycopg")
    except (SQLAlchemyError, ValueError):
        raise LedgerError(
            "ledger.not_an_address",
            "Ledger: the address of the server cannot be read. Write it as "
            "'postgresql://user:password@host:port/database'.",
        ) from None


class _Transaction:
    """A transaction of one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def fetch(self, statement: str, /, **values: Any) -> list[Row]:
        """Return the rows of a query."""
        found = self._connection.execute(sa.text(statement), values)
        return [tuple(row) for row in found]

    def run(self, statement: str, rows: Sequence[Mapping[str, Any]], /) -> None:
        """Run a statement for each row of values."""
        if rows:
            self._connection.execute(sa.text(statement), list(rows))


class PostgresStore:
    """The tables of a ledger in one database, under a schema of their own.

    Connections are made when they are needed, so that a ledger survives a restart of
    the server and can be used from several threads.
    """

    def __init__(self, address: str) -> None:
        self.odd_items: str | None = _ODD
        #: A server has no place beside the ledger for its key.
        self.key_file: Path | None = None
        self.place = "postgresql"
        url = _read_address(address)
        self.place = url.set(drivername="postgresql").render_as_string()
        given = url.query.get("options", "")
        self._engine = sa.create_engine(
            url.difference_update_query(["options"]),
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "options": f"{given} -c search_path={SCHEMA},pg_temp "
                f"-c lock_timeout={_LOCK_SECONDS}s -c synchronous_commit=on",
            },
        )
        try:
            self._make_tables()
            self.is_writable = self._may("entries", "INSERT")
            self.has_aside = self._may("identities", "SELECT") and self._may(
                "items", "SELECT"
            )
        except BaseException:
            self.close()
            raise

    def _make_tables(self) -> None:
        """Make the tables of a new ledger, all or none; several processes may try."""
        if self.fetch("chain", _EXISTS) == [(True,)]:
            return
        with self.begin("chain") as session:
            if session.fetch(_EXISTS) == [(False,)]:
                for statement in _TABLES:
                    session.run(statement, [{}])

    def _may(self, table: str, right: str) -> bool:
        """Return whether the role may do something with a table."""
        rows = self.fetch("chain", _ALLOWED, name=f"{SCHEMA}.{table}", right=right)
        return bool(rows[0][0])

    @contextmanager
    def begin(self, part: Part, /) -> Iterator[Session]:
        """Hold the lock on the head of the chain; commit all, or nothing."""
        with _translating(self.place), self._engine.begin() as connection:
            if part == "chain":
                connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(:number)"),
                    {"number": _HEAD_LOCK},
                )
            yield _Transaction(connection)

    def fetch(self, part: Part, statement: str, /, **values: Any) -> list[Row]:
        """Return the rows of a query."""
        with _translating(self.place), self._engine.connect() as connection:
            return _Transaction(connection).fetch(statement, **values)

    def scan(self, part: Part, statement: str, /) -> Iterator[Row]:
        """Return the rows of a query one by one, all as of one moment."""
        with _translating(self.place), self._engine.connect() as connection:
            streamed = connection.execution_options(yield_per=_ROWS_AT_ONCE)
            for row in streamed.execute(sa.text(statement)):
                yield tuple(row)

    def clock(self, session: Session, /) -> Any:
        """Return the moment by the clock of the server, the same for all writers."""
        return session.fetch("SELECT clock_timestamp()")[0][0]

    def field(self, name: str, /) -> str:
        """Return the expression for a declared field of an item, as text."""
        # CASE decides before the cast, a condition of WHERE may not.
        return (
            f"(CASE WHEN {_ODD} THEN NULL ELSE CAST(fields AS json) ->> '{name}' END)"
        )

    def check(self) -> tuple[list[Message], list[Message]]:
        """Ask the server whether what is committed is on disk."""
        doubts = []
        for setting in _DURABLE:
            ((value,),) = self.fetch("chain", f"SHOW {setting}")
            if value == "off":
                doubts.append(
                    Message(
                        "ledger.server_not_durable",
                        "the server runs with {setting} = off: a power cut can lose "
                        "entries",
                        setting=setting,
                    )
                )
        return [], doubts

    def overwrite_erased(self) -> None:
        """Leave it to the server, whose vacuum overwrites deleted rows."""

    def copy(self, target: Path, /) -> list[Path]:
        """Raise: a server has its own program for backups."""
        raise LedgerError(
            "ledger.copy_of_a_server",
            "Ledger.copy: {place!r} is a server. Run: pg_dump --schema={schema}, and "
            "keep a copy of the key.",
            place=self.place,
            schema=SCHEMA,
        )

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
