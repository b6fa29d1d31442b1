"""The ledger itself: recording, verifying, replaying, erasing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd

from smartrisk.errors import LedgerError, check_choice
from smartrisk.ledger._appending import append_entries, open_chain
from smartrisk.ledger._aside import (
    erase_ids,
    find_old,
    find_parties,
    read_before,
    read_parties,
    store_rows,
)
from smartrisk.ledger._cells import to_identifier, to_item_number
from smartrisk.ledger._digests import START, canonical_json, format_moment
from smartrisk.ledger._entries import (
    KINDS,
    Entry,
    ReasonTable,
    Record,
    check_aligned,
    check_decided,
    complete_versions,
    drop_key,
    item_key,
    read_channel,
    read_declared,
    read_key,
    read_rows,
    read_sources,
    read_value,
    read_versions,
    read_words,
    sentences_by_item,
)
from smartrisk.ledger._export import copy_ledger, export_entries
from smartrisk.ledger._keyring import Keyring, load_keyring
from smartrisk.ledger._replay import ScoringEngine, find_inputs, replay_decision
from smartrisk.ledger._stores import HEAD, Session, Store, open_store
from smartrisk.ledger._values import Anchor, Erasure, Replay, Verification
from smartrisk.ledger._verify import read_anchor, verify_store
from smartrisk.schema import DECISIONS, OUTCOMES, SCORES, TableInput

_FRAME = ("seq", "kind", "at", "declaration_id", "item_number", "body", "digest")
_DECISION = (
    "SELECT seq, at, body FROM entries WHERE kind = 'decision' AND declaration_id = "
    ":name AND item_number = :number ORDER BY seq DESC LIMIT 1"
)


class Ledger:
    """An append-only record of decisions, overrides and results.

    When `record`, `override` or `result` returns, the entries are on disk: a crash, a
    kill or a power cut later loses none of them. Several processes may write at once.

    Parameters
    ----------
    path_or_url : path or str
        The SQLite file of the chain; created when absent. Identities and declared
        values are stored next to it in a file that ends in ``.aside``.
    key : path or bytes, default=None
        The secret key of pseudonyms: a file with hexadecimal digits, or 32 bytes or
        more. None for the file next to the ledger that ends in ``.key``, else for the
        environment variable ``SMARTRISK_LEDGER_KEY``. Only for a new ledger a key is
        made.
    clock : callable, default=None
        Returns the moment as a datetime with a time zone; None for the system's clock.

    Raises
    ------
    LedgerError
        If the place holds no ledger, the key is missing or another, or the database
        refuses. Every refusal of a ledger is a `LedgerError` that states the remedy.

    Notes
    -----
    The digest of an entry is SHA-256 over the digest of the one before it, its number,
    kind, time, item and body. Editing, deleting, inserting or reordering entries breaks
    the chain. Cutting off its end does not, nor does rewriting it to the end: for these
    `verify` needs an `Anchor` that was kept elsewhere. The first entry holds the format
    and the fingerprint of the key.

    New files can be read by their owner only. A file that nobody may write is opened to
    be read: `verify` then works without the key, and without changing its folder.

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
    (3, True)
    """

    def __init__(
        self,
        path_or_url: str | os.PathLike[str],
        *,
        key: str | os.PathLike[str] | bytes | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        if key is not None and not isinstance(key, (str, os.PathLike, bytes)):
            raise LedgerError(
                "ledger.key_of_other_kind",
                "Ledger: 'key' must be the path of a file, or bytes; got {type_name}.",
                type_name=type(key).__name__,
            )
        if clock is not None and not callable(clock):
            raise LedgerError(
                "ledger.clock_not_callable",
                "Ledger: 'clock' must be a function that returns a datetime with a time "
                "zone; got {type_name}.",
                type_name=type(clock).__name__,
            )
        self._clock = clock
        self._process = os.getpid()
        self._store = open_store(path_or_url)
        try:
            is_new = not self._store.fetch("chain", HEAD)
            beside = self._store.key_file
            self._keyring = load_keyring(
                key, beside, is_new=is_new and self._store.is_writable
            )
            open_chain(self._store, self._keyring, self._now)
        except BaseException:
            self._store.close()
            raise

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def __repr__(self) -> str:
        """Return the place and the number of entries."""
        return f"Ledger({self._store.place!r}, {self.head().seq} entries)"

    @property
    def path(self) -> Path:
        """The file of the chain."""
        return Path(self._store.place)

    def close(self) -> None:
        """Close the files; every entry is on disk already."""
        self._store.close()

    def head(self) -> Anchor:
        """Return the number and digest of the last entry, to be kept elsewhere.

        Returns
        -------
        anchor : Anchor
            The head of the chain now.
        """
        rows = self._database.fetch("chain", HEAD)
        return Anchor(seq=rows[0][0], digest=rows[0][1]) if rows else Anchor.start()

    def record(
        self,
        decisions: TableInput,
        *,
        declarations: TableInput | None = None,
        scores: TableInput | None = None,
        reasons: ReasonTable | None = None,
        versions: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> Anchor:
        """Append decisions, one entry each, all or none.

        Parameters
        ----------
        decisions : DataFrame of shape (n_items, n_columns)
            DECISIONS, each item once. Other columns are refused.
        declarations : DataFrame of shape (n_items, n_fields), default=None
            DECLARATIONS of the same rows: their digest is stored in the chain, their
            values where they can be erased.
        scores : DataFrame of shape (n_items, n_columns), default=None
            SCORES of the same rows.
        reasons : Reasons, default=None
            What ``engine.explain`` returned for these items or some of them.
        versions : mapping of str to str, default=None
            Further versions, such as ``{"map": "2026-03"}``. Engine and policy are
            those of the tables; the library, Python, numpy and LightGBM those that run.
        sources : mapping of str to str, default=None
            Digests of the input tables by name, in hexadecimal digits.

        Returns
        -------
        head : Anchor
            The last of these entries, on disk.

        Raises
        ------
        LedgerError
            If a value does not fit its field, an item is there twice, a column is
            unknown or names persons, or tables are not of the same items in the same
            order. Nothing is recorded then.
        """
        owner = "Ledger.record"
        rows = read_rows(owner, "decisions", decisions, DECISIONS)
        score_rows: list[Record] = []
        if scores is not None:
            score_rows = read_rows(owner, "scores", scores, SCORES)
            check_aligned("scores", score_rows, rows)
        items: list[Record] = []
        if declarations is not None:
            items = read_declared(owner, declarations)
            check_aligned("declarations", items, rows)
        sentences = sentences_by_item(owner, reasons)
        check_decided("reasons", sentences, rows)
        common = read_versions(versions)
        origin = read_sources(sources)
        entries: list[Entry] = []
        inputs: dict[str, str] = {}
        for k, row in enumerate(rows):
            score = drop_key(score_rows[k]) if score_rows else None
            body: Record = {"decision": row, "sources": origin}
            body["versions"] = complete_versions(common, row, score)
            if score is not None:
                body["score"] = score
            if items:
                fields = canonical_json(items[k])
                body["inputs"] = self._key.digest(fields)
                inputs[body["inputs"]] = fields
            if item_key(row) in sentences:
                body["reasons"] = sentences[item_key(row)]
            entries.append(Entry("decision", body, *item_key(row)))
        store_rows(self._writable, self._key, "items", inputs, self._now)
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
            Declaration of the item; a whole number counts as its digits.
        channel : str
            Channel that the officer chose.
        officer_id : str
            Who decided; the chain stores a pseudonym.
        reason : str
            Why, in the officer's words. They cannot be erased: name nobody.
        item_number : int, default=1
            Number of the item in the declaration.

        Returns
        -------
        head : Anchor
            This entry, on disk.

        Raises
        ------
        LedgerError
            If a value does not fit, or there is no decision on the item.
        """
        owner = "Ledger.override"
        key = read_key(owner, declaration_id, item_number)
        body = {
            "channel": read_channel(owner, channel),
            "reason": read_words(owner, "reason", reason),
        }
        officer = read_value(owner, "officer_id", officer_id, to_identifier)
        self._need_decision(owner, *key)
        body["officer"] = self.pseudonym(officer)
        return self._append([Entry("override", body, *key)])

    def result(self, outcomes: TableInput) -> Anchor:
        """Append results of inspections, with officers under pseudonyms.

        Parameters
        ----------
        outcomes : DataFrame of shape (n_inspected, n_columns)
            OUTCOMES, each item once. Other columns are refused.

        Returns
        -------
        head : Anchor
            The last of these entries, on disk.

        Raises
        ------
        LedgerError
            If a value does not fit its field, an item is there twice, or a column is
            unknown.
        """
        rows = read_rows("Ledger.result", "outcomes", outcomes, OUTCOMES)
        names = {row["officer_id"] for row in rows if row.get("officer_id") is not None}
        pseudonyms = self._pseudonyms(names)
        entries = []
        for row in rows:
            if row.get("officer_id") is not None:
                row["officer_id"] = pseudonyms[row["officer_id"]]
            entries.append(Entry("result", {"result": row}, *item_key(row)))
        return self._append(entries)

    def note(self, remark: str) -> Anchor:
        """Append a remark, such as that a model was replaced.

        Parameters
        ----------
        remark : str
            The remark, in words. It cannot be erased: name nobody.

        Returns
        -------
        head : Anchor
            This entry, on disk.
        """
        text = read_words("Ledger.note", "remark", remark)
        return self._append([Entry("note", {"text": text})])

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
        if kind is not None and kind not in KINDS:
            check_choice_of_kind(kind)
        names = ", ".join(_FRAME)
        where = "" if kind is None else "WHERE kind = :kind "
        values = {} if kind is None else {"kind": kind}
        rows = self._database.fetch(
            "chain", f"SELECT {names} FROM entries {where}ORDER BY seq", **values
        )
        table = pd.DataFrame(rows, columns=list(_FRAME))
        table["body"] = [_read_body(body) for body in table["body"]]
        return table

    def verify(self, *, anchor: Any = None) -> Verification:
        """Read the whole ledger and report what is wrong with it.

        The database is asked whether its file is in order; every entry is compared with
        its digest and the entry before it; every identity and every declared value is
        compared with what the key makes of it.

        Parameters
        ----------
        anchor : Anchor, str or Run, default=None
            A head that was kept elsewhere, its digest, or the run that it was logged
            in: with it, every change to the entries up to it is found, also where the
            rest of the chain was made to fit.

        Returns
        -------
        verification : Verification
            ``ok``, or the problems; and doubts, such as a clock that was set back.

        Raises
        ------
        LedgerError
            If something is not an anchor, and carries none.
        """
        parsed = read_anchor(anchor)
        return verify_store(self._database, self._keyring, parsed)

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
            Whether both agree and, if not, why: also that the inputs were erased.

        Raises
        ------
        LedgerError
            If there is no decision, or none with inputs, or they were changed.
        """
        owner = "Ledger.replay"
        key = read_key(owner, declaration_id, item_number)
        read_value(owner, "top", top, to_item_number)
        if not hasattr(engine, "score_one"):
            raise LedgerError(
                "ledger.not_an_engine",
                "Ledger.replay: 'engine' must be the fitted engine of that time; got "
                "{type_name}.",
                type_name=type(engine).__name__,
            )
        seq, at, text = self._need_decision(owner, *key)
        body = _read_body(text)
        item = find_inputs(self._database, self._key, (seq, at, body), key)
        return replay_decision(seq, body, item, engine, top)

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
        name = read_value("Ledger.pseudonym", "identity", identity, to_identifier)
        return self._pseudonyms({name})[name]

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
        code = read_value("Ledger.identity", "pseudonym", pseudonym, to_identifier)
        rows = self._database.fetch(
            "aside", "SELECT identity FROM identities WHERE pseudonym = :code", code=code
        )
        return str(rows[0][0]) if rows else None

    def forget(self, **parties: str | Iterable[str]) -> Erasure:
        """Erase traders or officers; their pseudonyms stay without a meaning.

        An entry states that it was done, and names nobody.

        Parameters
        ----------
        **parties : str or list of str
            Identities by field, such as ``importer_id="X"`` or ``officer_id="A-12"``.
            What is erased is overwritten on disk; copies and saved engines have to be
            erased by themselves (see `RiskEngine.forget`).

        Returns
        -------
        erasure : Erasure
            Number of identities, and of items whose declared values named them.
        """
        named = read_parties(parties)
        with self._writable.begin("aside") as session:
            pseudonyms, digests = find_parties(self._store, session, named)
            tags = sorted(map(self._key.tag, digests))
            body = {"by": "party", "fields": sorted(named), "tags": tags}
            return self._erase(session, pseudonyms, digests, body)

    def retain(
        self, since: str | date | datetime, *, dry_run: bool = False
    ) -> Erasure:
        """Erase identities and declared values that were not used since a day.

        An entry states that it was done. The chain stays intact.

        Parameters
        ----------
        since : str, date or datetime
            The first day that is kept, ISO 8601; a moment counts as its day in UTC.
        dry_run : bool, default=False
            Whether to erase nothing, and return what would be.

        Returns
        -------
        erasure : Erasure
            Number of identities and of items.

        Raises
        ------
        LedgerError
            If `since` is not a date. Nothing is erased then.
        """
        day = read_before(since)
        if not isinstance(dry_run, bool):
            raise LedgerError(
                "ledger.dry_run_not_a_flag",
                "Ledger.retain: 'dry_run' must be True or False; got {value!r}. Nothing "
                "was erased.",
                value=dry_run,
            )
        with self._writable.begin("aside") as session:
            old = [find_old(session, table, day) for table in ("identities", "items")]
            if dry_run:
                return Erasure(
                    n_identities=len(old[0]), n_items=len(old[1]), is_done=False
                )
            return self._erase(session, *old, {"by": "date", "before": day})

    def export(self, path: str | os.PathLike[str]) -> Path:
        """Write all entries as JSON lines, and next to them a program that checks them.

        The program, ``verify_export.py``, needs nothing but Python: an auditor runs
        ``python verify_export.py FILE [ANCHOR]``.

        Parameters
        ----------
        path : path
            The file to write; it must not exist.

        Returns
        -------
        path : Path
            The file.
        """
        return export_entries(self._database, Path(path))

    def copy(self, path: str | os.PathLike[str]) -> Path:
        """Write a backup, while others may go on writing.

        Parameters
        ----------
        path : path
            The file to write; it must not exist. Identities, declared values and the
            key are written next to it, where this ledger has them in files.

        Returns
        -------
        path : Path
            The file of the chain.
        """
        return copy_ledger(self._database, Path(path))

    @property
    def _database(self) -> Store:
        """The open database, in the process that opened it."""
        if os.getpid() != self._process:
            raise LedgerError(
                "ledger.other_process",
                "Ledger {place!r}: it was opened in another process, and two cannot "
                "share a connection. Open it again in this process.",
                place=self._store.place,
            )
        return self._store

    @property
    def _writable(self) -> Store:
        """The database, when it can be written."""
        if not self._store.is_writable:
            raise LedgerError(
                "ledger.read_only",
                "Ledger {place!r}: it is read-only. Give the account the right to write "
                "the file and its folder.",
                place=self._store.place,
            )
        return self._database

    @property
    def _key(self) -> Keyring:
        """The key, when there is one."""
        if self._keyring is None:
            raise LedgerError(
                "ledger.key_needed",
                "Ledger {place!r}: this needs the key. Copy its file too, or pass key=.",
                place=self._store.place,
            )
        return self._keyring

    def _now(self, session: Session) -> str:
        """Return the moment as entries state it."""
        moment = self._store.clock(session) if self._clock is None else self._clock()
        return format_moment(moment)

    def _append(self, entries: Iterable[Entry]) -> Anchor:
        """Append entries in one transaction; return the head when it is on disk."""
        return append_entries(self._writable, entries, self._now)

    def _need_decision(self, owner: str, name: str, number: int) -> tuple[Any, ...]:
        """Return the last decision on an item, or raise when there is none."""
        rows = self._database.fetch("chain", _DECISION, name=name, number=number)
        if rows:
            return rows[0]
        raise LedgerError(
            "ledger.no_decision",
            "{owner}: no decision on {declaration_id!r}, item {item_number}. Record "
            "the decision first, or correct the number.",
            owner=owner,
            declaration_id=name,
            item_number=number,
        )

    def _pseudonyms(self, identities: Iterable[str]) -> dict[str, str]:
        """Return the pseudonyms of identities, after storing which is which."""
        pseudonyms = {identity: self._key.pseudonym(identity) for identity in identities}
        rows = {code: identity for identity, code in pseudonyms.items()}
        store_rows(self._writable, self._key, "identities", rows, self._now)
        return pseudonyms

    def _erase(
        self, session: Session, pseudonyms: list[str], digests: list[str], body: Record
    ) -> Erasure:
        """Erase rows aside, after an entry that states it."""
        done = Erasure(
            n_identities=len(pseudonyms), n_items=len(digests), is_done=True
        )
        if done.n_erased:
            counts = {"n_identities": done.n_identities, "n_items": done.n_items}
            # The entry is first: killed between the two, the ledger states an erasure
            # that can be repeated, and never lacks one that was done.
            self._append([Entry("erasure", body | counts)])
            erase_ids(session, "identities", pseudonyms)
            erase_ids(session, "items", digests)
        return done
