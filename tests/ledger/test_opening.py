"""A new ledger that another process is making at the same moment."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from functools import partial

from smartrisk.ledger import Ledger

connect = sqlite3.connect


class Raced(sqlite3.Connection):
    """A connection before whose first look at the tables another one makes some."""

    n_races = 0

    def execute(self, sql, *values):
        """Run a statement, after the other connection where it looks at the tables."""
        if sql.startswith("SELECT count(*) FROM sqlite_master") and not Raced.n_races:
            Raced.n_races = 1
            path = super().execute("PRAGMA database_list").fetchone()[2]
            other = connect(path, timeout=0, isolation_level=None)
            with suppress(sqlite3.OperationalError):  # locked: it has to wait
                other.execute("CREATE TABLE entries (seq INTEGER)")
            other.close()
        return super().execute(sql, *values)


def test_a_ledger_that_is_being_made_is_not_refused(tmp_path, monkeypatch):
    path = tmp_path / "decisions.sqlite"
    monkeypatch.setattr(Raced, "n_races", 0)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", partial(connect, factory=Raced))
        Ledger(path).close()
    assert Raced.n_races == 1
    with Ledger(path) as ledger:
        assert ledger.verify().ok
