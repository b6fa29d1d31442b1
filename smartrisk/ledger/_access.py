"""Access to the store and the key of an open ledger, in the process that opened it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

from smartrisk.errors import LedgerError
from smartrisk.ledger._appending import open_chain
from smartrisk.ledger._digests import format_moment
from smartrisk.ledger._keyring import Keyring, load_keyring
from smartrisk.ledger._places import open_store
from smartrisk.ledger._stores import HEAD, Session, Store


class Access:
    """The store of a ledger, its key and its clock; each raises where it is absent."""

    def __init__(
        self, path_or_url: Any, *, key: Any, clock: Callable[[], datetime] | None
    ) -> None:
        if clock is not None and not callable(clock):
            raise LedgerError(
                "ledger.clock_not_callable",
                "Ledger: 'clock' must be a function that returns a datetime with a "
                "time zone; got {type_name}.",
                type_name=type(clock).__name__,
            )
        self._clock = clock
        self._process = os.getpid()
        self._store = open_store(path_or_url)
        self.place = self._store.place
        try:
            is_new = self._store.is_writable and not self._store.fetch("chain", HEAD)
            beside = self._store.key_file
            #: The key, None where there is none.
            self.found_keyring = load_keyring(key, beside, is_new=is_new)
            open_chain(self._store, self.found_keyring, self.now)
        except BaseException:
            self._store.close()
            raise

    @property
    def database(self) -> Store:
        """The open database, in the process that opened it."""
        if os.getpid() != self._process:
            raise LedgerError(
                "ledger.other_process",
                "Ledger {place!r}: it was opened in another process, and two cannot "
                "share a connection. Open it again in this process.",
                place=self.place,
            )
        return self._store

    @property
    def writable(self) -> Store:
        """The open database, when it can be written."""
        if not self._store.is_writable:
            raise LedgerError(
                "ledger.read_only",
                "Ledger {place!r}: it is read-only. Give the account the right to "
                "write the file and its folder.",
                place=self.place,
            )
        return self.database

    @property
    def keyring(self) -> Keyring:
        """The key, when there is one."""
        if self.found_keyring is None:
            raise LedgerError(
                "ledger.key_needed",
                "Ledger {place!r}: this needs the key. Copy its file too, or pass "
                "key=.",
                place=self.place,
            )
        return self.found_keyring

    def now(self, session: Session) -> str:
        """Return the moment as entries state it."""
        moment = self._store.clock(session) if self._clock is None else self._clock()
        return format_moment(moment)

    def close(self) -> None:
        """Close the database."""
        self._store.close()
