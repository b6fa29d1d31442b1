"""Reading a whole chain: gaps, links, digests, the clock, the key and the anchor."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from smartrisk.errors import LedgerError, Message
from smartrisk.ledger._aside import verify_aside
from smartrisk.ledger._digests import FORMAT, START, digest_entry
from smartrisk.ledger._keyring import Keyring
from smartrisk.ledger._stores import ALL_ENTRIES, Row, Store
from smartrisk.ledger._values import Anchor, Verification

#: What can be wrong with an entry: message id and template.
_MISSING = ("ledger.entry_missing", "entry {seq} is missing")
_UNLINKED = ("ledger.entry_not_linked", "entry {seq} does not follow the last")
_CHANGED = ("ledger.entry_changed", "entry {seq} was changed")
_NOT_ANCHORED = ("ledger.entry_not_anchored", "entry {seq} is not the anchored one")
_NOT_OPENED = (
    "ledger.chain_without_opening",
    "entry {seq} does not open a ledger of this format",
)
#: What is doubtful, and no change.
_SET_BACK = (
    "ledger.clock_set_back",
    "the clock of the system was set back before entry {seq}: {at} follows {before}",
)
#: Tag of a run of MLflow with the head of a ledger.
ANCHOR_TAG = "smartrisk.ledger_anchor"


def read_anchor(anchor: Any) -> Anchor | str | None:
    """Return the anchor that something carries; a bare digest stays a text.

    A run of the library has the attribute `anchor`, one of MLflow a tag.
    """
    if anchor is None or isinstance(anchor, Anchor):
        return anchor
    if hasattr(anchor, "anchor"):
        carried = anchor.anchor
    elif hasattr(anchor, "data"):
        carried = getattr(anchor.data, "tags", {}).get(ANCHOR_TAG)
    else:
        carried = anchor
    if isinstance(carried, Anchor):
        return carried
    if not isinstance(carried, str):
        raise LedgerError(
            "ledger.run_without_anchor",
            "Ledger.verify: 'anchor' must be a head of this ledger, its digest, or a "
            "run that carries one; got {type_name} without any.",
            type_name=type(anchor).__name__,
        )
    if re.fullmatch(r"[0-9a-f]{64}", carried.strip()):
        return carried.strip()
    return Anchor.parse(carried.strip())


class _Chain:
    """A chain that is read entry by entry, and what was found on the way."""

    def __init__(self, anchor: Anchor | str | None) -> None:
        self.first: dict[str, Message] = {}
        self.doubts: dict[str, Message] = {}
        self.previous, self.expected = START, 1
        self.fingerprint: str | None = None
        self._at = ""
        self._anchor = anchor
        self._met_anchor = anchor is None or (anchor == Anchor(seq=0, digest=START))

    def read(self, row: Row) -> None:
        """Compare an entry with its digest, and with the one before it."""
        seq, kind, at, *_, body, before, digest = row
        if seq != self.expected:
            self._report(_MISSING, self.expected)
        elif before != self.previous:
            self._report(_UNLINKED, seq)
        if not _is_digest_of(row):
            self._report(_CHANGED, seq)
        if self.expected == 1:
            self.fingerprint = read_fingerprint(kind, body)
            if self.fingerprint is None:
                self._report(_NOT_OPENED, seq)
        self._compare_anchor(seq, digest)
        if isinstance(at, str):
            if at < self._at:
                doubt = Message(*_SET_BACK, seq=seq, at=at, before=self._at)
                self.doubts.setdefault("clock", doubt)
            self._at = at
        self.previous, self.expected = digest, seq + 1

    def finish(self) -> None:
        """Report a chain that is empty, or ends before its anchor."""
        if self.expected == 1:
            self._report(_MISSING, 1)
        if self._met_anchor:
            return
        if isinstance(self._anchor, Anchor):
            self.first["end"] = Message(
                "ledger.chain_cut_off",
                "the chain ends at {last}, before the anchored {anchored}",
                last=self.expected - 1,
                anchored=self._anchor.seq,
            )
        else:
            self.first["end"] = Message(
                "ledger.anchor_not_found",
                "no entry has the anchored digest: entries were changed or cut off",
            )

    def _compare_anchor(self, seq: int, digest: str) -> None:
        """Compare an entry with the anchor."""
        if isinstance(self._anchor, str):
            self._met_anchor |= digest == self._anchor
        elif self._anchor is not None and seq == self._anchor.seq:
            self._met_anchor = True
            if digest != self._anchor.digest:
                self._report(_NOT_ANCHORED, seq)

    def _report(self, problem: tuple[str, str], seq: int) -> None:
        """Keep the first problem of each kind."""
        self.first.setdefault(problem[0], Message(*problem, seq=seq))


def _is_digest_of(row: Row) -> bool:
    """Return whether the digest of an entry is that of its fields."""
    seq, *fields, before, digest = row
    try:
        return digest_entry(before, seq, fields) == str(digest)
    except (TypeError, ValueError):  # a changed byte made a text a number or bytes
        return False


def read_fingerprint(kind: Any, body: Any) -> str | None:
    """Return the fingerprint that an opening entry states; None when it is none."""
    try:
        stated = json.loads(body)
    except (TypeError, ValueError):
        return None
    is_opening = kind == "opening" and isinstance(stated, Mapping)
    if not is_opening or stated.get("format") != FORMAT:
        return None
    return str(stated.get("key"))


def verify_store(
    store: Store, keyring: Keyring | None, anchor: Anchor | str | None
) -> Verification:
    """Return what is wrong with a ledger, the first of each kind."""
    damages, doubts = store.check()
    chain = _Chain(anchor)
    try:
        for row in store.scan("chain", ALL_ENTRIES):
            chain.read(row)
    except LedgerError as error:
        if not damages:
            damages.append(_as_damage(error))
    chain.finish()
    found = [*chain.first.values(), *damages]
    doubts = [*chain.doubts.values(), *doubts]
    if keyring is None or not store.has_aside:
        doubts.append(
            Message(
                "ledger.identities_not_verified",
                "identities and inputs were not verified: the key, or the second "
                "file, is absent",
            )
        )
    elif chain.fingerprint not in (None, keyring.fingerprint()):
        found.append(
            Message("ledger.other_key", "the key is not the one that opened the ledger")
        )
    else:
        try:
            found += verify_aside(store, keyring)
        except LedgerError as error:
            found.append(_as_damage(error))
    return Verification(n_entries=chain.expected - 1, messages=found, doubts=doubts)


def _as_damage(error: LedgerError) -> Message:
    """Return an error of the database as a finding."""
    return Message(
        "ledger.file_damaged", "it cannot be read ({problem})", problem=str(error)
    )
