"""Reading a whole chain: gaps, links, digests, and the anchor."""

from __future__ import annotations

import sqlite3

from smartrisk.errors import Message
from smartrisk.ledger._digests import digest_entry
from smartrisk.ledger._values import START, Anchor, Verification

_ALL_ENTRIES = (
    "SELECT seq, kind, at, declaration_id, item_number, body, previous, digest "
    "FROM entries ORDER BY seq"
)
#: What can be wrong with an entry: message id and template.
_MISSING = ("ledger.entry_missing", "entry {seq} is missing")
_UNLINKED = ("ledger.entry_not_linked", "entry {seq} does not follow the last")
_CHANGED = ("ledger.entry_changed", "entry {seq} was changed")
_NOT_ANCHORED = ("ledger.entry_not_anchored", "entry {seq} is not the anchored one")


def verify_chain(chain: sqlite3.Connection, anchor: Anchor | None) -> Verification:
    """Return what is wrong with a chain, the first of each kind."""
    first: dict[str, Message] = {}

    def report(problem: tuple[str, str], seq: int) -> None:
        first.setdefault(problem[0], Message(*problem, seq=seq))

    previous, expected = START, 1
    met_anchor = anchor is None or anchor.seq == 0
    try:
        for seq, *fields, before, digest in chain.execute(_ALL_ENTRIES):
            if seq != expected:
                report(_MISSING, expected)
            elif before != previous:
                report(_UNLINKED, seq)
            if digest_entry(before, seq, fields) != digest:
                report(_CHANGED, seq)
            if anchor is not None and seq == anchor.seq:
                met_anchor = True
                if digest != anchor.digest:
                    report(_NOT_ANCHORED, seq)
            previous, expected = digest, seq + 1
    except sqlite3.DatabaseError as error:
        first["file"] = Message(
            "ledger.file_damaged", "the file is damaged ({problem})", problem=str(error)
        )
    if anchor is not None and not met_anchor:
        first["end"] = Message(
            "ledger.chain_cut_off",
            "the chain ends at {last}, before the anchored {anchored}",
            last=expected - 1,
            anchored=anchor.seq,
        )
    return Verification(n_entries=expected - 1, messages=tuple(first.values()))
