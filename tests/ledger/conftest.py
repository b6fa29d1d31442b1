"""Decisions to record, an open ledger, and a forger who can seal entries."""

from __future__ import annotations

import json
import runpy
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from smartrisk.ledger import Ledger
from smartrisk.ledger._digests import START, digest_entry

#: Entries of the ledgers that are forged: the opening, then decisions.
N = 40
COLUMNS = "seq, kind, at, declaration_id, item_number, body, previous, digest"


@pytest.fixture
def ledger(tmp_path):
    """Return an open, empty ledger."""
    with Ledger(tmp_path / "decisions.sqlite") as opened:
        yield opened


@pytest.fixture(scope="session")
def run_trial(root):
    """Return a function that runs a trial of the benchmark in a reduced form."""
    return runpy.run_path(str(root / "benchmarks" / "ledger.py"))["run_trial"]


@pytest.fixture
def clock():
    """Return a clock that advances by a second at every look, from a fixed moment."""

    class Clock:
        moment = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)

        def __call__(self):
            self.moment += timedelta(seconds=1)
            return self.moment

    return Clock()


class Forger:
    """Change a closed ledger file with the triggers removed.

    The forger knows the code: digests and links can be recomputed, for one entry or for
    all that follow.
    """

    def __init__(self, path):
        self.chain = sqlite3.connect(path, isolation_level=None)
        self.chain.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.chain.close()

    def entry(self, seq):
        """Return the fields of an entry by name."""
        row = self.chain.execute(
            f"SELECT {COLUMNS} FROM entries WHERE seq = ?", (seq,)
        ).fetchone()
        return dict(zip(COLUMNS.split(", "), row, strict=True))

    def last(self):
        """Return the number of the last entry."""
        return self.chain.execute("SELECT max(seq) FROM entries").fetchone()[0]

    def set(self, seq, **values):
        """Set fields of an entry, and nothing else."""
        names = ", ".join(f"{name} = ?" for name in values)
        self.chain.execute(
            f"UPDATE entries SET {names} WHERE seq = ?", (*values.values(), seq)
        )

    def edit(self, seq, propensity=0.99):
        """Change what was decided in an entry."""
        body = json.loads(self.entry(seq)["body"])
        body.setdefault("decision", {})["propensity"] = propensity
        self.set(seq, body=json.dumps(body))

    def delete(self, seq):
        """Remove an entry."""
        self.chain.execute("DELETE FROM entries WHERE seq = ?", (seq,))

    def move(self, seq, to):
        """Give an entry another number."""
        self.chain.execute("UPDATE entries SET seq = ? WHERE seq = ?", (to, seq))

    def seal(self, seq):
        """Recompute the digest of one entry from the link that it states."""
        entry = self.entry(seq)
        fields = [
            entry[name]
            for name in ("kind", "at", "declaration_id", "item_number", "body")
        ]
        digest = digest_entry(entry["previous"], seq, fields)
        self.set(seq, digest=digest)
        return digest

    def link(self, seq):
        """Let an entry state the digest of the one before it."""
        before = START if seq == 1 else self.entry(seq - 1)["digest"]
        self.set(seq, previous=before)

    def reseal_from(self, seq):
        """Link and seal an entry and all that follow."""
        for each in range(seq, self.last() + 1):
            self.link(each)
            self.seal(each)


@pytest.fixture
def forge(tmp_path, make_decisions):
    """Return (forge, anchor): `forge(how)` returns a ledger that `how` has changed."""
    source = tmp_path / "source.sqlite"
    with Ledger(source) as ledger:
        anchor = ledger.record(make_decisions(N - 1))
    opened = []

    def apply(how):
        path = tmp_path / f"copy{len(opened)}.sqlite"
        for end in ("", ".aside", ".key"):
            shutil.copy(f"{source}{end}", f"{path}{end}")
        with Forger(path) as forger:
            how(forger)
        opened.append(Ledger(path))
        return opened[-1]

    yield apply, anchor
    for ledger in opened:
        ledger.close()
