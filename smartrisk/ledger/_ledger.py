"""The ledger itself: recording, verifying, replaying, erasing."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from smartrisk.errors import ArgumentError, LedgerError, check_choice
from smartrisk.ledger._digests import (
    aligned,
    digest_of,
    key,
    now,
    records,
    same,
    sealed,
    text,
    told,
    without_key,
)
from smartrisk.ledger._files import ASIDE, CHAIN, forget, open_file, writing
from smartrisk.ledger._values import START, Anchor, Replay, Verification
from smartrisk.schema import CHANNELS

#: Kinds of entries.
KINDS = ("decision", "override", "result", "note")
_WHO = ("importer_id", "declarant_id", "consignor_id", "carrier_id", "officer_id")


class Ledger:
    """An append-only record of decisions, overrides and results.

    What `record`, `override` and `result` return is on disk: a crash, a kill or a power
    cut later loses nothing of it. Several processes may write at once.

    Parameters
    ----------
    path : path
        The SQLite file of the chain; made when absent. Identities and items stand
        beside it in a file that ends in ``.aside``.

    Raises
    ------
    LedgerError
        If the file is no ledger.

    Notes
    -----
    The digest of an entry is SHA-256 over the digest of the one before it, its number,
    kind, time, item and body. Editing, deleting, inserting or reordering entries breaks
    the chain; cutting off its end does not, and writing all of it anew does not: for
    these `verify` needs an `Anchor` that was kept elsewhere.

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
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with Ledger(f"{place}/decisions.sqlite") as ledger:
    ...         head = ledger.record(decisions)
    ...         whole = ledger.verify(anchor=head).ok
    >>> head.seq, whole
    (2, True)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._chain = open_file(self.path, CHAIN)
        self._aside = open_file(
            self.path.with_suffix(self.path.suffix + ".aside"), ASIDE
        )
        with writing(self._aside):
            if not self._aside.execute("SELECT 1 FROM secret").fetchone():
                made = secrets.token_hex(32)
                self._aside.execute("INSERT INTO secret VALUES (?)", (made,))
        kept = self._aside.execute("SELECT key FROM secret").fetchone()[0]
        self._key = bytes.fromhex(kept)

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r}, {self.head().seq} entries)"

    def close(self) -> None:
        """Close the files; what was recorded is on disk already."""
        self._chain.close()
        self._aside.close()

    def head(self) -> Anchor:
        """Return the last entry's number and digest, to be kept elsewhere.

        Returns
        -------
        anchor : Anchor
            As of now.
        """
        row = self._chain.execute(
            "SELECT seq, digest FROM entries ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return Anchor(seq=row[0], digest=row[1]) if row else Anchor(seq=0, digest=START)

    def record(
        self,
        decisions: Any,
        *,
        declarations: Any = None,
        scores: Any = None,
        reasons: Any = None,
        **versions: str,
    ) -> Anchor:
        """Append decisions, one entry each, all or none.

        Parameters
        ----------
        decisions : DataFrame
            DECISIONS.
        declarations : DataFrame, default=None
            DECLARATIONS of the same rows: their digest goes into the chain, their
            values into the file aside.
        scores : DataFrame, default=None
            SCORES of the same rows.
        reasons : Reasons, default=None
            What ``engine.explain`` returned, of these items or some of them.
        **versions : str
            Further versions to keep, as ``rules="2026-03"``.

        Returns
        -------
        head : Anchor
            After the last of them, on disk.

        Raises
        ------
        ArgumentError
            If tables are not of the same items in the same order.
        """
        rows = records(decisions)
        said = aligned("scores", scores, rows)
        items = aligned("declarations", declarations, rows)
        because = told(reasons)
        entries, aside = [], {}
        for k, row in enumerate(rows):
            body = {"decision": row, **versions}
            if said is not None:
                body["score"] = without_key(said[k])
            if items is not None:
                digest, fields = digest_of(items[k])
                body["inputs"] = digest
                aside[digest] = fields
            if (name := key(row)) in because:
                body["reasons"] = because[name]
            entries.append(("decision", name, body))
        self._put_aside(aside)
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
            Of the item.
        channel : str
            Where it goes.
        officer_id : str
            Who decided; the chain holds a pseudonym.
        reason : str
            In the officer's words.
        item_number : int, default=1
            Of the item.

        Returns
        -------
        head : Anchor
            On disk.

        Raises
        ------
        ArgumentError
            If the reason is empty, or the item was never decided on.
        """
        check_choice("Ledger.override", "channel", channel, CHANNELS)
        if not str(reason).strip():
            raise ArgumentError(
                "ledger.reason_say_why_got",
                "Ledger.override: 'reason' must say why; got nothing.",
            )
        known = self._chain.execute(
            "SELECT 1 FROM entries WHERE declaration_id = ? AND item_number = ?",
            (declaration_id, item_number),
        ).fetchone()
        if known is None:
            raise ArgumentError(
                "ledger.decision",
                "Ledger.override: no decision on {declaration_id!r}, {item_number}.",
                declaration_id=declaration_id,
                item_number=item_number,
            )
        body = {
            "channel": channel,
            "officer": self.pseudonym(officer_id),
            "reason": reason,
        }
        return self._append([("override", (declaration_id, item_number), body)])

    def result(self, outcomes: Any) -> Anchor:
        """Append results of inspections; officers go in under pseudonyms.

        Parameters
        ----------
        outcomes : DataFrame
            OUTCOMES.

        Returns
        -------
        head : Anchor
            On disk.
        """
        rows = records(outcomes)
        names = {str(r["officer_id"]) for r in rows if r.get("officer_id") is not None}
        known = self._pseudonyms(names)
        entries = []
        for row in rows:
            if row.get("officer_id") is not None:
                row["officer_id"] = known[str(row["officer_id"])]
            entries.append(("result", key(row), {"result": row}))
        return self._append(entries)

    def note(self, remark: str) -> Anchor:
        """Append a remark, as that a model was replaced.

        Parameters
        ----------
        remark : str
            In words.

        Returns
        -------
        head : Anchor
            On disk.
        """
        return self._append([("note", (None, None), {"text": str(remark)})])

    def frame(self, kind: str | None = None) -> Any:
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
        import pandas as pd

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
        """Read the whole chain and say what is wrong with it.

        Parameters
        ----------
        anchor : Anchor or str, default=None
            A head that was kept elsewhere: finds what was cut off or written anew.

        Returns
        -------
        verification : Verification
            ``ok``, or the problems.
        """
        wanted = Anchor.parse(anchor) if isinstance(anchor, str) else anchor
        problems: dict[str, str] = {}
        previous, expected, met = START, 1, wanted is None or wanted.seq == 0
        try:
            for row in self._chain.execute(
                "SELECT seq, kind, at, declaration_id, item_number, body, previous, "
                "digest FROM entries ORDER BY seq"
            ):
                seq, *fields, before, digest = row
                if seq != expected:
                    problems.setdefault("gap", f"entry {expected} is missing")
                elif before != previous:
                    problems.setdefault("link", f"entry {seq} does not follow the last")
                if sealed(before, seq, fields) != digest:
                    problems.setdefault("edit", f"entry {seq} was changed")
                if wanted is not None and seq == wanted.seq:
                    met = True
                    if digest != wanted.digest:
                        problems["anchor"] = f"entry {seq} is not the anchored one"
                previous, expected = digest, seq + 1
        except sqlite3.DatabaseError as error:
            problems["file"] = f"the file is damaged ({error})"
        if not met and wanted is not None:
            problems["end"] = (
                f"the chain ends at {expected - 1}, before the anchored {wanted.seq}"
            )
        return Verification(n_entries=expected - 1, problems=tuple(problems.values()))

    def replay(
        self, declaration_id: str, engine: Any, *, item_number: int = 1, top: int = 3
    ) -> Replay:
        """Score and explain an item anew, and compare with what was recorded.

        Parameters
        ----------
        declaration_id : str
            Of the item.
        engine : RiskEngine
            The saved engine of that time, loaded.
        item_number : int, default=1
            Of the item.
        top : int, default=3
            Reasons to compare.

        Returns
        -------
        replay : Replay
            Whether they agree, and why not.

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
                "ledger.decision_2",
                "Ledger: no decision on {declaration_id!r}.",
                declaration_id=declaration_id,
            )
        seq, body = row[0], json.loads(row[1])
        item = self._item(declaration_id, body.get("inputs"))
        again = dict(engine.score_one(item))
        recorded = dict(body.get("score", {}))
        then = {"score": recorded, "reasons": body.get("reasons")}
        today: dict[str, Any] = {"score": again}
        if then["reasons"] is not None:
            reasons = told(engine.explain_one(item, top=top))
            today["reasons"] = next(iter(reasons.values()), [])
        version = recorded.get("model_version")
        if version != again.get("model_version"):
            note = (
                f"recorded by version {version!r}, replayed by "
                f"{again.get('model_version')!r}: load the engine of that time"
            )
        elif not same(recorded, again):
            note = "the score differs"
        elif "reasons" in today and today["reasons"] != then["reasons"]:
            note = "the reasons differ"
        else:
            note = ""
        return Replay(seq=seq, agrees=not note, recorded=then, again=today, note=note)

    def pseudonym(self, identity: str) -> str:
        """Return the pseudonym of an identity, the same every time.

        Parameters
        ----------
        identity : str
            Who.

        Returns
        -------
        pseudonym : str
            HMAC-SHA-256 with the ledger's own key, shortened to 128 bits.
        """
        return self._pseudonyms({str(identity)})[str(identity)]

    def identity(self, pseudonym: str) -> str | None:
        """Return who stands behind a pseudonym, None when that was erased.

        Parameters
        ----------
        pseudonym : str
            From an entry.

        Returns
        -------
        identity : str or None
            Who.
        """
        row = self._aside.execute(
            "SELECT identity FROM identities WHERE pseudonym = ?", (pseudonym,)
        ).fetchone()
        return None if row is None else str(row[0])

    def erase(self, identity: str) -> int:
        """Forget an identity: its pseudonym stays in the chain and leads nowhere.

        Parameters
        ----------
        identity : str
            A trader or an officer. What is deleted is overwritten on disk.

        Returns
        -------
        n_erased : int
            Pseudonyms and items that were forgotten.
        """
        name = str(identity)
        with writing(self._aside):
            erased = self._aside.execute(
                "DELETE FROM identities WHERE identity = ?", (name,)
            ).rowcount
            fields = " OR ".join(f"json_extract(fields, '$.{who}') = ?" for who in _WHO)
            erased += self._aside.execute(
                f"DELETE FROM items WHERE {fields}", (name,) * len(_WHO)
            ).rowcount
        forget(self._aside)
        return int(erased)

    def retain(self, since: str | datetime) -> int:
        """Forget identities and items that were put aside before a moment.

        Parameters
        ----------
        since : str or datetime
            ISO 8601 in UTC, or a moment (naive ones are of this machine's zone); what
            is older goes.

        Returns
        -------
        n_erased : int
            Identities and items that were forgotten. The chain stays whole.
        """
        moment = str(since)
        if isinstance(since, datetime):
            moment = since.astimezone(UTC).isoformat(timespec="milliseconds")
        with writing(self._aside):
            erased = sum(
                int(
                    self._aside.execute(
                        f"DELETE FROM {t} WHERE at < ?", (moment,)
                    ).rowcount
                )
                for t in ("identities", "items")
            )
        forget(self._aside)
        return erased

    def _append(
        self, entries: Iterable[tuple[str, tuple[Any, Any], dict[str, Any]]]
    ) -> Anchor:
        """Append entries in one transaction; return the head when it is on disk."""
        at = now()
        made = [(kind, name, text(body)) for kind, name, body in entries]
        with writing(self._chain):
            head = self.head()
            seq, previous, rows = head.seq, head.digest, []
            for kind, (name, number), body in made:
                seq += 1
                fields = (kind, at, name, number, body)
                digest = sealed(previous, seq, fields)
                rows.append((seq, *fields, previous, digest))
                previous = digest
            self._chain.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
        return Anchor(seq=seq, digest=previous)

    def _put_aside(self, items: Mapping[str, str]) -> None:
        """Keep declared values where they can be erased."""
        at = now()
        with writing(self._aside):
            self._aside.executemany(
                "INSERT OR REPLACE INTO items VALUES (?, ?, ?)",
                [(digest, fields, at) for digest, fields in items.items()],
            )

    def _pseudonyms(self, names: Iterable[str]) -> dict[str, str]:
        """Return pseudonyms, and keep whose they are."""
        made = {
            name: hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:32]
            for name in names
        }
        at = now()
        with writing(self._aside):
            self._aside.executemany(
                "INSERT OR IGNORE INTO identities VALUES (?, ?, ?)",
                [(code, name, at) for name, code in made.items()],
            )
        return made

    def _item(self, declaration_id: str, digest: Any) -> dict[str, Any]:
        """Return the declared values of a decision, after checking their digest."""
        row = self._aside.execute(
            "SELECT fields FROM items WHERE digest = ?", (digest,)
        ).fetchone()
        if row is None:
            raise LedgerError(
                "ledger.inputs_kept_erased",
                "Ledger: the inputs of {declaration_id!r} are not kept, or erased.",
                declaration_id=declaration_id,
            )
        if hashlib.sha256(row[0].encode()).hexdigest() != digest:
            raise LedgerError(
                "ledger.inputs_were_changed",
                "Ledger: the inputs of {declaration_id!r} were changed.",
                declaration_id=declaration_id,
            )
        return {k: v for k, v in json.loads(row[0]).items() if v is not None}
