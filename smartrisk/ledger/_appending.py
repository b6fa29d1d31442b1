"""Appending to the chain: the opening of a new one, and entries after its head."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from smartrisk.errors import LedgerError
from smartrisk.ledger._digests import FORMAT, START, canonical_json, digest_entry
from smartrisk.ledger._entries import Entry
from smartrisk.ledger._keyring import Keyring
from smartrisk.ledger._stores import APPEND, HEAD, Session, Store
from smartrisk.ledger._values import Anchor
from smartrisk.ledger._verify import read_fingerprint

_FIRST = "SELECT kind, body FROM entries ORDER BY seq LIMIT 1"


def append_entries(
    store: Store, entries: Iterable[Entry], clock: Callable[[Session], str]
) -> Anchor:
    """Append entries in one transaction; return the head when it is on disk."""
    # Bodies become text before the lock is taken: a value that JSON refuses leaves
    # nothing behind, and other processes wait less.
    bodies = [(entry, canonical_json(entry.body)) for entry in entries]
    with store.begin("chain") as session:
        return _append(session, bodies, clock)


def _append(
    session: Session,
    bodies: Iterable[tuple[Entry, str]],
    clock: Callable[[Session], str],
) -> Anchor:
    """Append entries within a transaction that holds the lock of writers."""
    head = session.fetch(HEAD)
    seq, previous = head[0] if head else (0, START)
    # The time is read under the lock: it never runs back because a process waited.
    at, rows = clock(session), []
    for entry, body in bodies:
        seq += 1
        fields = (entry.kind, at, entry.declaration_id, entry.item_number, body)
        digest = digest_entry(previous, seq, fields)
        rows.append(
            {
                "seq": seq,
                "kind": entry.kind,
                "at": at,
                "declaration_id": entry.declaration_id,
                "item_number": entry.item_number,
                "body": body,
                "previous": previous,
                "digest": digest,
            }
        )
        previous = digest
    if rows:
        session.run(APPEND, rows)
    return Anchor(seq=seq, digest=previous)


def open_chain(
    store: Store, keyring: Keyring | None, clock: Callable[[Session], str]
) -> None:
    """Open a new chain with its key's fingerprint; check the key of another."""
    first = store.fetch("chain", _FIRST)
    if not store.is_writable:
        return
    if keyring is None:
        raise LedgerError(
            "ledger.key_missing",
            "Ledger {place!r}: its key {key_file}is missing, and no other is ever "
            "made for it. Restore the file, pass key=, or set SMARTRISK_LEDGER_KEY. "
            "To verify a copy without the key, make its files read-only.",
            place=store.place,
            key_file="" if store.key_file is None else f"{str(store.key_file)!r} ",
        )
    if not first:
        body = canonical_json({"format": FORMAT, "key": keyring.fingerprint()})
        with store.begin("chain") as session:
            if not session.fetch(_FIRST):
                _append(session, [(Entry("opening", {}), body)], clock)
        first = store.fetch("chain", _FIRST)
    # A first entry that is no opening is reported by `verify`, with all else.
    stated = read_fingerprint(*first[0])
    if stated is not None and stated != keyring.fingerprint():
        raise LedgerError(
            "ledger.other_key",
            "Ledger {place!r}: the key is not the one that opened it (fingerprint "
            "{fingerprint}, recorded {stated}). Restore or pass that key.",
            place=store.place,
            fingerprint=keyring.fingerprint(),
            stated=stated,
        )
