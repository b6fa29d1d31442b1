"""The ledger itself: recording, verifying, replaying, erasing."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd

from smartrisk.errors import ArgumentError, LedgerError, check_choice
from smartrisk.ledger._digests import (
    ReasonTable,
    Record,
    align_records,
    canonical_json,
    digest_entry,
    digest_item,
    drop_key,
    item_key,
    sentences_by_item,
    to_records,
    utc_now,
)
from smartrisk.ledger._files import (
    CHAIN_TABLES,
    SIDE_TABLES,
    open_file,
    transaction,
    truncate_log,
)
from smartrisk.ledger._replay import ScoringEngine, replay_decision
from smartrisk.ledger._values import START, Anchor, Replay, Verification
from smartrisk.ledger._verify import verify_chain
from smartrisk.schema import CHANNELS, TRADERS

#: Kinds of entries.
KINDS = ("decision", "override", "result", "note")
#: Fields of an item that can name a person.
_IDENTITY_FIELDS = (*TRADERS, "officer_id")
#: Hexadecimal digits of a pseudonym: 128 bits, so that two never collide.
_PSEUDONYM_DIGITS = 32


@dataclass(frozen=True)
class _Entry:
    """An entry before it has a number, a time and a digest."""

    kind: str
    body: Mapping[str, Any]
    declaration_id: str | None = None
    item_number: int | None = None


class Ledger:
    """An append-only record of decisions, overrides and results.

    When `record`, `override` or `result` returns, the entries are on disk: a crash, a
    kill or a power cut later loses none of them. Several processes may write at once.

    Parameters
    ----------
    path : path
        The SQLite file of the chain; created when absent. Identities and declared
        values are stored next to it in a file that ends in ``.aside``.

    Raises
    ------
    LedgerError
        If the file is not a ledger.

    Notes
    -----
    The digest of an entry is SHA-256 over the digest of the one before it, its number,
    kind, time, item and body. Editing, deleting, inserting or reordering entries breaks
    the chain. Cutting off its end does not, nor does rewriting it to the end: for these
    `verify` needs an `Anchor` that was kept elsewhere.

    References
    ----------
    Haber, S., Stornetta, W. S. (1991). How to time-stamp a digital document. Journal of
    Cryptology 3.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from smartrisk.ledger import Ledger
    >>> decisions = pd.DataFrame({"declaration_id": ["a", "b"],
    ...                           "channel": ["red", "green"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Ledger(f"{folder}/decisions.sqlite") as ledger:
    ...         head = ledger.record(decisions)
    ...         is_intact = ledger.verify(anchor=head).ok
    >>> head.seq, is_intact
    (2, True)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._chain = open_file(self.path, CHAIN_TABLES)
        self._side = open_file(
            self.path.with_suffix(self.path.suffix + ".aside"), SIDE_TABLES
        )
        with transaction(self._side):
            if not self._side.execute("SELECT 1 FROM secret").fetchone():
                key = secrets.token_hex(32)
                self._side.execute("INSERT INTO secret VALUES (?)", (key,))
        stored = self._side.execute("SELECT key FROM secret").fetchone()[0]
        self._key = bytes.fromhex(stored)

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def __repr__(self) -> str:
        """Return the file and the number of entries."""
        return f"Ledger({str(self.path)!r}, {self.head().seq} entries)"

    def close(self) -> None:
        """Close the files; every entry is on disk already."""
        self._chain.close()
        self._side.close()

    def head(self) -> Anchor:
        """Return the number and digest of the last entry, to be kept elsewhere.

        Returns
        -------
        anchor : Anchor
            The head of the chain now.
        """
        row = self._chain.execute(
            "SELECT seq, digest FROM entries ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return Anchor(seq=row[0], digest=row[1]) if row else Anchor(seq=0, digest=START)

    def record(
        self,
        decisions: pd.DataFrame,
        *,
        declarations: pd.DataFrame | None = None,
        scores: pd.DataFrame | None = None,
        reasons: ReasonTable | None = None,
        **versions: str,
    ) -> Anchor:
        """Append decisions, one entry each, all or none.

        Parameters
        ----------
        decisions : DataFrame of shape (n_items, n_columns)
            DECISIONS.
        declarations : DataFrame of shape (n_items, n_fields), default=None
            DECLARATIONS of the same rows: their digest is stored in the chain, their
            values in the side file.
        scores : DataFrame of shape (n_items, n_columns), default=None
            SCORES of the same rows.
        reasons : Reasons, default=None
            What ``engine.explain`` returned for these items or some of them.
        **versions : str
            Further versions to record, such as ``rules="2026-03"``.

        Returns
        -------
        head : Anchor
            The last of these entries, on disk.

        Raises
        ------
        ArgumentError
            If tables are not of the same items in the same order, or a number is
            infinite.
        """
        rows = to_records(decisions)
        score_rows = align_records("scores", scores, rows)
        items = align_records("declarations", declarations, rows)
        sentences = sentences_by_item(reasons)
        entries: list[_Entry] = []
        inputs: dict[str, str] = {}
        for k, row in enumerate(rows):
            body: Record = {"decision": row, **versions}
            if score_rows is not None:
                body["score"] = drop_key(score_rows[k])
            if items is not None:
                digest, fields = digest_item(items[k])
                body["inputs"] = digest
                inputs[digest] = fields
            key = item_key(row)
            if key in sentences:
                body["reasons"] = sentences[key]
            entries.append(_Entry("decision", body, *key))
        self._store_inputs(inputs)
        return self._append(entries)

    def override(
        self,
        declaration_id: str,
        *,
        channel: str,
        officer_id: str,
        reason: str,
        item_number: int = 1,
    ) -> Anchor:
        """Append what an officer decided instead, and why.

        Parameters
        ----------
        declaration_id : str
            Declaration of the item.
        channel : str
            Channel that the officer chose.
        officer_id : str
            Who decided; the chain stores a pseudonym.
        reason : str
            Why, in the officer's words.
        item_number : int, default=1
            Number of the item in the declaration.

        Returns
        -------
        head : Anchor
            This entry, on disk.

        Raises
        ------
        ArgumentError
            If the reason is empty, or the item is not in the ledger.
        """
        check_choice("Ledger.override", "channel", channel, CHANNELS)
        if not str(reason).strip():
            raise ArgumentError(
                "ledger.override_without_reason",
                "Ledger.override: 'reason' must state why; it is empty.",
            )
        known = self._chain.execute(
            "SELECT 1 FROM entries WHERE declaration_id = ? AND item_number = ?",
            (declaration_id, item_number),
        ).fetchone()
        if known is None:
            raise ArgumentError(
                "ledger.override_without_decision",
                "Ledger.override: no decision on {declaration_id!r}, item "
                "{item_number}. Record the decision first.",
                declaration_id=declaration_id,
                item_number=item_number,
            )
        body = {
            "channel": channel,
            "officer": self.pseudonym(officer_id),
            "reason": reason,
        }
        return self._append([_Entry("override", body, declaration_id, item_number)])

    def result(self, outcomes: pd.DataFrame) -> Anchor:
        """Append results of inspections, with officers under pseudonyms.

        Parameters
        ----------
        outcomes : DataFrame of shape (n_inspected, n_columns)
            OUTCOMES.

        Returns
        -------
        head : Anchor
            The last of these entries, on disk.
        """
        rows = to_records(outcomes)
        names = {str(r["officer_id"]) for r in rows if r.get("officer_id") is not None}
        pseudonyms = self._pseudonyms(names)
        entries = []
        for row in rows:
            if row.get("officer_id") is not None:
                row["officer_id"] = pseudonyms[str(row["officer_id"])]
            entries.append(_Entry("result", {"result": row}, *item_key(row)))
        return self._append(entries)

    def note(self, remark: str) -> Anchor:
        """Append a remark, such as that a model was replaced.

        Parameters
        ----------
        remark : str
            The remark, in words.

        Returns
        -------
        head : Anchor
            This entry, on disk.
        """
        return self._append([_Entry("note", {"text": str(remark)})])

    def frame(self, kind: str | None = None) -> pd.DataFrame:
        """Return the entries as a table.

        Parameters
        ----------
        kind : str, default=None
            One of `KINDS`; None for all.

        Returns
        -------
        entries : DataFrame
            seq, kind, at, declaration_id, item_number, body (dict), digest.
        """
        if kind is not None:
            check_choice("Ledger.frame", "kind", kind, KINDS)
        rows = self._chain.execute(
            "SELECT seq, kind, at, declaration_id, item_number, body, digest FROM "
            "entries WHERE ? IS NULL OR kind = ? ORDER BY seq",
            (kind, kind),
        ).fetchall()
        names = ["seq", "kind", "at", "declaration_id", "item_number", "body", "digest"]
        table = pd.DataFrame(rows, columns=names)
        table["body"] = [json.loads(body) for body in table["body"]]
        return table

    def verify(self, *, anchor: Anchor | str | None = None) -> Verification:
        """Read the whole chain and report what is wrong with it.

        Parameters
        ----------
        anchor : Anchor or str, default=None
            A head that was kept elsewhere: with it, entries that were cut off or
            rewritten are found too.

        Returns
        -------
        verification : Verification
            ``ok``, or the problems.

        Raises
        ------
        ArgumentError
            If a text is not an anchor.
        """
        parsed = Anchor.parse(anchor) if isinstance(anchor, str) else anchor
        return verify_chain(self._chain, parsed)

    def replay(
        self,
        declaration_id: str,
        engine: ScoringEngine,
        *,
        item_number: int = 1,
        top: int = 3,
    ) -> Replay:
        """Score and explain an item again, and compare with what was recorded.

        Parameters
        ----------
        declaration_id : str
            Declaration of the item.
        engine : RiskEngine
            The saved engine of that time, loaded.
        item_number : int, default=1
            Number of the item in the declaration.
        top : int, default=3
            Number of reasons to compare.

        Returns
        -------
        replay : Replay
            Whether both agree and, if not, why.

        Raises
        ------
        LedgerError
            If there is no decision with inputs, or the inputs were erased or changed.
        """
        row = self._chain.execute(
            "SELECT seq, body FROM entries WHERE kind = 'decision' AND declaration_id "
            "= ? AND item_number = ? ORDER BY seq DESC LIMIT 1",
            (declaration_id, item_number),
        ).fetchone()
        if row is None:
            raise LedgerError(
                "ledger.no_decision",
                "Ledger.replay: no decision on {declaration_id!r}, item {item_number}.",
                declaration_id=declaration_id,
                item_number=item_number,
            )
        body = json.loads(row[1])
        item = self._inputs(declaration_id, body.get("inputs"))
        return replay_decision(row[0], body, item, engine, top)

    def pseudonym(self, identity: str) -> str:
        """Return the pseudonym of an identity, the same every time.

        Parameters
        ----------
        identity : str
            A trader or an officer.

        Returns
        -------
        pseudonym : str
            HMAC-SHA-256 with the key of this ledger, shortened to 128 bits.
        """
        return self._pseudonyms({str(identity)})[str(identity)]

    def identity(self, pseudonym: str) -> str | None:
        """Return the identity of a pseudonym, None when it was erased.

        Parameters
        ----------
        pseudonym : str
            A pseudonym from an entry.

        Returns
        -------
        identity : str or None
            A trader or an officer.
        """
        row = self._side.execute(
            "SELECT identity FROM identities WHERE pseudonym = ?", (pseudonym,)
        ).fetchone()
        return None if row is None else str(row[0])

    def erase(self, identity: str) -> int:
        """Erase an identity; its pseudonym stays in the chain without a meaning.

        Parameters
        ----------
        identity : str
            A trader or an officer. What is erased is overwritten on disk.

        Returns
        -------
        n_erased : int
            Number of identities and declared items that were erased.
        """
        name = str(identity)
        with transaction(self._side):
            erased = self._side.execute(
                "DELETE FROM identities WHERE identity = ?", (name,)
            ).rowcount
            matches = " OR ".join(
                f"json_extract(fields, '$.{field}') = ?" for field in _IDENTITY_FIELDS
            )
            erased += self._side.execute(
                f"DELETE FROM items WHERE {matches}", (name,) * len(_IDENTITY_FIELDS)
            ).rowcount
        truncate_log(self._side)
        return int(erased)

    def retain(self, since: str | datetime) -> int:
        """Erase identities and declared values that were stored before a moment.

        Parameters
        ----------
        since : str or datetime
            ISO 8601 in UTC, or a moment (without a zone: in the local time zone).
            What is older is erased.

        Returns
        -------
        n_erased : int
            Number of identities and items that were erased. The chain stays intact.
        """
        moment = str(since)
        if isinstance(since, datetime):
            moment = since.astimezone(UTC).isoformat(timespec="milliseconds")
        with transaction(self._side):
            erased = 0
            for table in ("identities", "items"):
                erased += self._side.execute(
                    f"DELETE FROM {table} WHERE at < ?", (moment,)
                ).rowcount
        truncate_log(self._side)
        return erased

    def _append(self, entries: Iterable[_Entry]) -> Anchor:
        """Append entries in one transaction; return the head when it is on disk."""
        at = utc_now()
        # Bodies become text before the lock is taken: a value that JSON refuses leaves
        # nothing behind, and other processes wait less.
        bodies = [(entry, canonical_json(entry.body)) for entry in entries]
        with transaction(self._chain):
            head = self.head()
            seq, previous, rows = head.seq, head.digest, []
            for entry, body in bodies:
                seq += 1
                fields = (
                    entry.kind,
                    at,
                    entry.declaration_id,
                    entry.item_number,
                    body,
                )
                digest = digest_entry(previous, seq, fields)
                rows.append((seq, *fields, previous, digest))
                previous = digest
            self._chain.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
        return Anchor(seq=seq, digest=previous)

    def _store_inputs(self, inputs: Mapping[str, str]) -> None:
        """Store declared values by digest where they can be erased."""
        at = utc_now()
        with transaction(self._side):
            self._side.executemany(
                "INSERT OR REPLACE INTO items VALUES (?, ?, ?)",
                [(digest, fields, at) for digest, fields in inputs.items()],
            )

    def _pseudonyms(self, identities: Iterable[str]) -> dict[str, str]:
        """Return the pseudonyms of identities, after storing which is which."""
        pseudonyms = {
            identity: hmac.new(
                self._key, identity.encode(), hashlib.sha256
            ).hexdigest()[:_PSEUDONYM_DIGITS]
            for identity in identities
        }
        at = utc_now()
        with transaction(self._side):
            self._side.executemany(
                "INSERT OR IGNORE INTO identities VALUES (?, ?, ?)",
                [(code, identity, at) for identity, code in pseudonyms.items()],
            )
        return pseudonyms

    def _inputs(self, declaration_id: str, digest: str | None) -> Record:
        """Return the declared values of a decision, after checking their digest."""
        row = self._side.execute(
            "SELECT fields FROM items WHERE digest = ?", (digest,)
        ).fetchone()
        if row is None:
            raise LedgerError(
                "ledger.inputs_absent",
                "Ledger.replay: the inputs of {declaration_id!r} were not recorded, or "
                "were erased.",
                declaration_id=declaration_id,
            )
        if hashlib.sha256(row[0].encode()).hexdigest() != digest:
            raise LedgerError(
                "ledger.inputs_changed",
                "Ledger.replay: the inputs of {declaration_id!r} were changed.",
                declaration_id=declaration_id,
            )
        return {k: v for k, v in json.loads(row[0]).items() if v is not None}
