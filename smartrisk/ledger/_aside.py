"""What is stored aside of the chain, where it can be erased: identities and inputs."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from smartrisk.errors import LedgerError, Message, format_values
from smartrisk.ledger._cells import to_identifier
from smartrisk.ledger._digests import parse_body
from smartrisk.ledger._entries import IDENTITY_FIELDS, read_value
from smartrisk.ledger._keyring import Keyring
from smartrisk.ledger._stores import STORE_IDENTITY, STORE_INPUTS, Session, Store

#: Tables with the column of their ids and that of their values.
_TABLES = {"identities": ("pseudonym", "identity"), "items": ("digest", "fields")}
_STATEMENTS = {"identities": STORE_IDENTITY, "items": STORE_INPUTS}
#: What can be wrong aside: message id and template.
_IDENTITY_CHANGED = (
    "ledger.identity_changed",
    "the identity of the pseudonym {id} was changed",
)
_INPUTS_CHANGED = ("ledger.inputs_changed", "the inputs {id} were changed")


def store_rows(
    store: Store,
    keyring: Keyring,
    table: str,
    values: Mapping[str, str],
    clock: Callable[[Session], str],
) -> None:
    """Store values by their ids, once a day."""
    if not values:
        return
    with store.begin("aside") as session:
        day = clock(session)[:10]
        session.run(
            _STATEMENTS[table],
            [
                {
                    "id": id_,
                    "value": value,
                    "day": day,
                    "seal": keyring.seal(table, id_, value, day),
                }
                for id_, value in values.items()
            ],
        )


def has_erasure(store: Store, after: int, before: int) -> bool:
    """Return whether something was erased between two entries."""
    if before <= after + 1:
        return False
    statement = (
        "SELECT count(*) FROM entries WHERE seq > :after AND seq < :before "
        "AND kind = 'erasure'"
    )
    rows = store.fetch("chain", statement, after=after, before=before)
    return bool(rows[0][0])


def read_before(since: Any) -> str:
    """Return the day before which rows are old, or raise when it is none."""
    moment = since
    try:
        if isinstance(since, str):
            moment = datetime.fromisoformat(since.strip())
        if isinstance(moment, datetime):
            if moment != moment:
                raise ValueError
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC)
            return moment.date().isoformat()
        if isinstance(moment, date) and moment == moment:
            return moment.isoformat()
    except (ValueError, OverflowError):
        pass
    raise LedgerError(
        "ledger.not_a_date",
        "Ledger.retain: 'since' must be a date, such as '2026-03-31' or "
        "datetime.date(2026, 3, 31); got {since}. Nothing was erased.",
        since=format_values([since]),
    )


def find_old(session: Session, table: str, day: str) -> list[str]:
    """Return the ids of values that were not used since a day."""
    id_column = _TABLES[table][0]
    rows = session.fetch(
        f"SELECT {id_column} FROM {table} GROUP BY {id_column} HAVING max(day) < :day",
        day=day,
    )
    return sorted(str(row[0]) for row in rows)


def erase_ids(session: Session, table: str, ids: Iterable[str]) -> None:
    """Delete values by their ids."""
    id_column = _TABLES[table][0]
    session.run(
        f"DELETE FROM {table} WHERE {id_column} = :id", [{"id": each} for each in ids]
    )


def read_parties(parties: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return identities by field, or raise when none is named."""
    unknown = [field for field in parties if field not in IDENTITY_FIELDS]
    if unknown or not parties:
        raise LedgerError(
            "ledger.nobody_to_forget",
            "Ledger.forget: name who is forgotten, such as forget(importer_id='X'). "
            "Fields are {fields}; got {unknown}.",
            fields=format_values(IDENTITY_FIELDS, 10),
            unknown=format_values(unknown) or "none",
        )
    found = {}
    for field, names in parties.items():
        several = names if isinstance(names, (list, tuple, set, frozenset)) else [names]
        found[field] = [
            read_value("Ledger.forget", field, name, to_identifier) for name in several
        ]
    return found


def find_parties(
    store: Store, session: Session, parties: Mapping[str, Iterable[str]]
) -> tuple[list[str], list[str]]:
    """Return the pseudonyms of identities, and the digests of items that name them."""
    pseudonyms: set[str] = set()
    digests: set[str] = set()
    odd = _read_odd_items(store, session)
    for field, names in parties.items():
        for name in names:
            # Both databases trim spaces and no other blanks.
            wanted = name.strip(" ")
            found = session.fetch(
                "SELECT pseudonym FROM identities WHERE trim(identity) = :name",
                name=wanted,
            )
            pseudonyms |= {str(row[0]) for row in found}
            # A whole number that a missing value made a float is recorded as 101.0.
            either = (wanted, f"{wanted}.0")
            matches = f"trim({store.field(field)}) IN (:name, :real)"
            found = session.fetch(
                f"SELECT digest FROM items WHERE {matches}",
                name=either[0],
                real=either[1],
            )
            digests |= {str(row[0]) for row in found}
            digests |= {
                digest
                for digest, fields in odd.items()
                if fields.get(field) is not None
                and str(fields[field]).strip(" ") in either
            }
    return sorted(pseudonyms), sorted(digests)


def _read_odd_items(store: Store, session: Session) -> dict[str, dict[str, Any]]:
    """Return the fields of items that the database itself cannot read."""
    if store.odd_items is None:
        return {}
    rows = session.fetch(f"SELECT digest, fields FROM items WHERE {store.odd_items}")
    return {str(digest): parse_body(fields) for digest, fields in rows}


def verify_aside(store: Store, keyring: Keyring) -> list[Message]:
    """Return what is wrong with identities and inputs, the first of each kind."""
    first: dict[str, Message] = {}
    compute = {"identities": keyring.pseudonym, "items": keyring.digest}
    problems = {"identities": _IDENTITY_CHANGED, "items": _INPUTS_CHANGED}
    for table, (id_column, value_column) in _TABLES.items():
        statement = f"SELECT {id_column}, {value_column}, day, seal FROM {table}"
        for row in store.scan("aside", statement):
            if not _is_sealed(keyring, table, row, compute[table]):
                first.setdefault(table, Message(*problems[table], id=str(row[0])))
    return list(first.values())


def _is_sealed(keyring: Keyring, table: str, row: Any, compute: Any) -> bool:
    """Return whether the id and the seal of a row are what the key makes of it."""
    if not all(isinstance(value, str) for value in row):
        return False
    row_id, value, day, seal = row
    expected = compute(value) + keyring.seal(table, row_id, value, day)
    stored = (row_id + seal).encode("utf-8", "replace")
    return hmac.compare_digest(expected.encode(), stored)
