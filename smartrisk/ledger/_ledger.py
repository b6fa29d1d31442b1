"""The ledger itself: recording, verifying, replaying, erasing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

import pandas as pd

from smartrisk.errors import LedgerError
from smartrisk.ledger._access import Access
from smartrisk.ledger._appending import append_entries
from smartrisk.ledger._aside import (
    erase_ids,
    find_old,
    find_parties,
    has_erasure,
    read_before,
    read_parties,
    store_rows,
)
from smartrisk.ledger._cells import to_flag, to_identifier, to_item_number
from smartrisk.ledger._decisions import (
    make_decisions,
    read_batch,
    read_sources,
    read_versions,
    trace_tables,
)
from smartrisk.ledger._digests import START, parse_body
from smartrisk.ledger._entries import (
    Entry,
    ReasonTable,
    Record,
    check_kind,
    item_key,
    read_channel,
    read_key,
    read_rows,
    read_value,
    read_words,
)
from smartrisk.ledger._export import copy_ledger, export_entries
from smartrisk.ledger._places import read_place
from smartrisk.ledger._replay import (
    ScoringEngine,
    check_engine,
    find_inputs,
    replay_decision,
)
from smartrisk.ledger._stores import HEAD, Session
from smartrisk.ledger._values import Anchor, Erasure, Replay, Verification
from smartrisk.ledger._verify import read_anchor, verify_store
from smartrisk.schema import OUTCOMES, TableInput

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
        The SQLite file of the chain, created when absent: identities and declared
        values are stored next to it in a file that ends in ``.aside``. Or the address
        of a database, ``postgresql://user@host/database`` (extra ``postgres``).
    key : path or bytes, default=None
        The secret key of pseudonyms: a file with hexadecimal digits, or 32 bytes or
        more. None for the file next to the ledger that ends in ``.key``, else for the
        environment variable ``SMARTRISK_LEDGER_KEY``. Only for a new ledger a key is
        made.
    clock : callable, default=None
        Returns the moment as a datetime with a time zone; None for that of the
        system, or of the server.

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
        self._access = Access(path_or_url, key=key, clock=clock)

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def __repr__(self) -> str:
        """Return the place and the number of entries."""
        return f"Ledger({self._access.place!r}, {self.head().seq} entries)"

    @property
    def path(self) -> Path | None:
        """The file of the chain; None in a database on a server."""
        file = self._access.database.key_file
        return None if file is None else Path(self._access.place)

    def close(self) -> None:
        """Close the files; every entry is on disk already."""
        self._access.close()

    def head(self) -> Anchor:
        """Return the number and digest of the last entry, to be kept elsewhere.

        Returns
        -------
        anchor : Anchor
            The head of the chain now.
        """
        rows = self._access.database.fetch("chain", HEAD)
        return (
            Anchor(seq=rows[0][0], digest=rows[0][1])
            if rows
            else Anchor(seq=0, digest=START)
        )

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
            DECISIONS, each item once. Columns other than ``source_row``, the file and
            line of each, are refused.
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
            Digests of the input tables by name, in hexadecimal digits; None for the
            files from which the tables came, where that is known.

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
        batch = read_batch(decisions, declarations, scores, reasons)
        compute = self._access.keyring.digest
        traced, maps = trace_tables(decisions, declarations, scores)
        entries, inputs = make_decisions(
            batch,
            read_versions(versions, **maps),
            read_sources(traced if sources is None else sources),
            compute,
        )
        before = self.head().seq
        self._store("items", inputs)
        head = self._append(entries)
        first = head.seq - len(entries) + 1
        if has_erasure(self._access.database, before, first):
            # Another process forgot a trader after the inputs were stored, and before
            # the decisions on them: what is decided later is kept.
            self._store("items", inputs)
        return head

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
        check_kind("Ledger.frame", kind)
        names = ", ".join(_FRAME)
        where = "" if kind is None else "WHERE kind = :kind "
        values = {} if kind is None else {"kind": kind}
        rows = self._access.database.fetch(
            "chain", f"SELECT {names} FROM entries {where}ORDER BY seq", **values
        )
        table = pd.DataFrame(rows, columns=list(_FRAME))
        bodies = [parse_body(body) for body in table["body"]]
        table["body"] = pd.Series(bodies, index=table.index, dtype=object)
        return table

    def verify(self, *, anchor: Any = None) -> Verification:
        """Read the whole ledger and report what is wrong with it.

        The database is asked whether its file is damaged; every entry is compared with
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
        return verify_store(self._access.database, self._access.found_keyring, parsed)

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
        check_engine(engine)
        seq, at, text = self._need_decision(owner, *key)
        body = parse_body(text)
        item = find_inputs(self._access.database, self._access.keyring, (seq, at, body))
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
        rows = self._access.database.fetch(
            "aside",
            "SELECT identity FROM identities WHERE pseudonym = :code",
            code=code,
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

        def find(session: Session) -> tuple[list[str], list[str], Record]:
            pseudonyms, digests = find_parties(self._access.database, session, named)
            tags = sorted(map(self._access.keyring.tag, digests))
            body = {"by": "party", "fields": sorted(named), "tags": tags}
            return pseudonyms, digests, body

        return self._erase(find)

    def retain(self, since: str | date | datetime, *, dry_run: bool = False) -> Erasure:
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
        read_value("Ledger.retain", "dry_run", dry_run, to_flag)

        def find(session: Session) -> tuple[list[str], list[str], Record]:
            pseudonyms = find_old(session, "identities", day)
            digests = find_old(session, "items", day)
            return pseudonyms, digests, {"by": "date", "before": day}

        return self._erase(find, dry_run=dry_run)

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
        target = read_place("Ledger.export", "path", path)
        return export_entries(self._access.database, Path(target))

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
        target = read_place("Ledger.copy", "path", path)
        return copy_ledger(self._access.database, Path(target))

    def _append(self, entries: Iterable[Entry]) -> Anchor:
        """Append entries in one transaction; return the head when it is on disk."""
        return append_entries(self._access.writable, entries, self._access.now)

    def _need_decision(self, owner: str, name: str, number: int) -> tuple[Any, ...]:
        """Return the last decision on an item, or raise when there is none."""
        rows = self._access.database.fetch("chain", _DECISION, name=name, number=number)
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
        compute = self._access.keyring.pseudonym
        pseudonyms = {identity: compute(identity) for identity in identities}
        self._store("identities", {code: name for name, code in pseudonyms.items()})
        return pseudonyms

    def _store(self, table: str, values: Mapping[str, str]) -> None:
        """Store values by their ids where they can be erased."""
        access = self._access
        store_rows(access.writable, access.keyring, table, values, access.now)

    def _erase(self, find: Callable[[Session], Any], dry_run: bool = False) -> Erasure:
        """Erase what is found aside, after an entry that states it."""
        with self._access.writable.begin("aside") as session:
            pseudonyms, digests, body = find(session)
            counts = {"n_identities": len(pseudonyms), "n_items": len(digests)}
            if dry_run:
                return Erasure(**counts, is_done=False)
            if any(counts.values()):
                # The entry is first: killed between the two, the ledger states an
                # erasure that can be repeated, and never lacks one that was done.
                self._append([Entry("erasure", body | counts)])
                erase_ids(session, "identities", pseudonyms)
                erase_ids(session, "items", digests)
        self._access.writable.overwrite_erased()
        return Erasure(**counts, is_done=True)
