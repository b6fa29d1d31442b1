"""The ledger: nothing acknowledged is lost, nothing is changed unseen."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, LedgerError
from smartrisk.ledger import Anchor, Ledger

N = 40


def decisions(n=N, start=0):
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(start, start + n)],
            "item_number": 1,
            "channel": ["red" if k % 4 == 0 else "green" for k in range(n)],
            "propensity": [0.1 + k / 1000 for k in range(n)],
            "decided_at": pd.Timestamp("2026-01-05 08:30"),
        }
    )


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "decisions.sqlite") as made:
        yield made


def test_what_was_recorded_is_there_in_order(ledger):
    head = ledger.record(decisions(), rules="7")
    ledger.note("a new month")
    table = ledger.frame()
    assert head.seq == N
    assert table["seq"].tolist() == list(range(1, N + 2))
    first = table["body"][0]
    assert first["decision"]["channel"] == "red"
    assert first["decision"]["decided_at"] == "2026-01-05T08:30:00"
    assert first["rules"] == "7"
    assert ledger.frame("note")["body"][0] == {"text": "a new month"}
    assert ledger.verify(anchor=head).ok
    assert ledger.verify(anchor=str(ledger.head())).n_entries == N + 1


def test_a_ledger_goes_on_where_it_ended(tmp_path):
    path = tmp_path / "decisions.sqlite"
    with Ledger(path) as one:
        one.record(decisions())
        before = one.pseudonym("officer 7")
    with Ledger(path) as two:
        head = two.record(decisions(start=100))
        assert head.seq == 2 * N
        assert two.verify().ok
        assert two.pseudonym("officer 7") == before


def test_an_empty_ledger_is_whole(ledger):
    assert ledger.head().seq == 0
    assert ledger.verify(anchor=ledger.head()).ok
    assert ledger.record(decisions(0)).seq == 0


# ------------------------------------------------------------------- tampering


def tamper(path, rng):
    """Change the chain in one of many ways, the guards taken off."""
    chain = sqlite3.connect(path)
    chain.executescript("DROP TRIGGER no_update; DROP TRIGGER no_delete;")
    n = chain.execute("SELECT max(seq) FROM entries").fetchone()[0]
    one, other = rng.sample(range(1, n + 1), 2)
    kind = rng.choice(
        ["body", "time", "item", "delete", "cut", "swap", "insert", "seal"]
    )
    if kind == "body":
        body = json.loads(
            chain.execute("SELECT body FROM entries WHERE seq=?", (one,)).fetchone()[0]
        )
        body["decision"]["propensity"] = rng.random()
        chain.execute("UPDATE entries SET body=? WHERE seq=?", (json.dumps(body), one))
    elif kind == "time":
        chain.execute("UPDATE entries SET at='2020-01-01' WHERE seq=?", (one,))
    elif kind == "item":
        chain.execute("UPDATE entries SET declaration_id='X' WHERE seq=?", (one,))
    elif kind == "delete":
        chain.execute("DELETE FROM entries WHERE seq=?", (one,))
    elif kind == "cut":
        chain.execute("DELETE FROM entries WHERE seq>=?", (one,))
    elif kind == "swap":
        chain.execute("UPDATE entries SET seq=-1 WHERE seq=?", (one,))
        chain.execute("UPDATE entries SET seq=? WHERE seq=?", (one, other))
        chain.execute("UPDATE entries SET seq=? WHERE seq=-1", (other,))
    elif kind == "insert":
        chain.execute(
            "INSERT INTO entries SELECT max(seq)+1, kind, at, declaration_id, "
            "item_number, body, digest, digest FROM entries"
        )
    else:
        chain.execute("UPDATE entries SET digest=previous WHERE seq=?", (one,))
    chain.commit()
    chain.close()
    return kind


def rewritten(path):
    """Write the whole chain anew with other content, seals and all."""
    path.unlink()
    with Ledger(path) as forged:
        return forged.record(decisions(start=500))


@pytest.mark.parametrize("n_tries", [40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_every_tampering_is_found(tmp_path, n_tries):
    source, path = tmp_path / "source.sqlite", tmp_path / "copy.sqlite"
    with Ledger(source) as made:
        anchor = made.record(decisions())
        made._chain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rng, kinds = random.Random(0), set()
    for _ in range(n_tries):
        for left in tmp_path.glob("copy.sqlite*"):
            left.unlink()
        shutil.copy(source, path)
        kinds.add(tamper(path, rng))
        with Ledger(path) as copy:
            assert not copy.verify(anchor=anchor).ok
    assert len(kinds) == 8


def test_a_chain_written_anew_is_found_by_its_anchor(tmp_path):
    path = tmp_path / "decisions.sqlite"
    with Ledger(path) as made:
        anchor = made.record(decisions())
    rewritten(path)
    with Ledger(path) as forged:
        assert forged.verify().ok
        told = forged.verify(anchor=anchor)
    assert told.problems == (f"entry {N} is not the anchored one",)
    with pytest.raises(LedgerError, match="not the anchored one"):
        told.check()


def test_a_cut_end_is_found_by_its_anchor(ledger):
    anchor = ledger.record(decisions())
    ledger._chain.executescript("DROP TRIGGER no_delete")
    ledger._chain.execute("DELETE FROM entries WHERE seq > 30")
    assert ledger.verify().ok
    assert "ends at 30" in ledger.verify(anchor=anchor).problems[0]


def test_the_file_itself_refuses_changes(ledger):
    ledger.record(decisions())
    for words in ("UPDATE entries SET kind='x'", "DELETE FROM entries"):
        with pytest.raises(sqlite3.DatabaseError, match="cannot be"):
            ledger._chain.execute(words)


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("dear colleague " * 100, encoding="utf-8")
    with pytest.raises(LedgerError, match="is no ledger"):
        Ledger(path)
    with pytest.raises(ArgumentError, match="number:digest"):
        Anchor.parse("seven")


# ------------------------------------------------------- processes and crashes


def write_many(path, writer, n):
    with Ledger(path) as mine:
        for k in range(n):
            mine.record(decisions(5, start=10_000 * writer + 5 * k))


def test_eight_processes_lose_nothing(tmp_path):
    path = tmp_path / "decisions.sqlite"
    Ledger(path).close()
    start = multiprocessing.get_context("spawn")
    writers = [start.Process(target=write_many, args=(path, k, 10)) for k in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    with Ledger(path) as made:
        assert made.verify().ok
        ids = made.frame()["declaration_id"]
    assert len(ids) == 400
    assert ids.is_unique


WRITER = """
import sys
import pandas as pd
from smartrisk.ledger import Ledger
with Ledger(sys.argv[1]) as ledger:
    k = ledger.head().seq
    while True:
        rows = pd.DataFrame({"declaration_id": [f"D{k}", f"E{k}"], "channel": "red"})
        k = ledger.record(rows).seq
        print(k, flush=True)
"""


@pytest.mark.slow
def test_kills_in_mid_write_lose_nothing_that_was_acknowledged(tmp_path):
    path, rng = tmp_path / "decisions.sqlite", random.Random(0)
    told = 0
    for _ in range(200):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            told = int(writer.stdout.readline())
            limit = time.perf_counter() + rng.random() * 0.02
            while time.perf_counter() < limit:
                pass
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().split("\n")
            told = max([told, *(int(line) for line in rest[:-1] if line)])
        with Ledger(path) as made:
            assert made.head().seq >= told
    with Ledger(path) as made:
        assert made.verify().ok
        assert made.frame()["declaration_id"].is_unique


def test_a_batch_is_kept_whole_or_not_at_all(ledger, monkeypatch):
    ledger.record(decisions())
    rows = decisions(3).assign(propensity=[0.1, float("inf"), 0.2])
    with pytest.raises(ArgumentError, match="infinite numbers in the columns"):
        ledger.record(rows)
    assert ledger.head().seq == N
    assert ledger.verify().ok


# --------------------------------------------------- overrides, results, people


def test_an_override_says_who_and_why_under_a_pseudonym(ledger):
    ledger.record(decisions())
    ledger.override("D1", channel="red", officer_id="Ada", reason="seal broken")
    body = ledger.frame("override")["body"][0]
    assert body["reason"] == "seal broken"
    assert "Ada" not in json.dumps(body)
    assert ledger.identity(body["officer"]) == "Ada"
    with pytest.raises(ArgumentError, match="no decision"):
        ledger.override("D999", channel="red", officer_id="Ada", reason="x")
    with pytest.raises(ArgumentError, match="channel"):
        ledger.override("D0", channel="purple", officer_id="A", reason="seen")
    with pytest.raises(ArgumentError, match="must say why"):
        ledger.override("D1", channel="red", officer_id="Ada", reason=" ")


def test_identities_are_erased_and_the_chain_stays_whole(ledger):
    items = pd.DataFrame(
        {"declaration_id": ["D0"], "importer_id": ["Acme"], "duty_rate": [0.1]}
    )
    ledger.record(decisions(1), declarations=items)
    results = pd.DataFrame(
        {"declaration_id": ["D0"], "illicit": [1], "officer_id": ["Ada"]}
    )
    ledger.result(results)
    pseudonym = ledger.frame("result")["body"][0]["result"]["officer_id"]
    head = ledger.head()
    assert ledger.erase("Ada") == 1
    assert ledger.erase("Acme") == 1
    assert ledger.identity(pseudonym) is None
    assert ledger.verify(anchor=head).ok
    content = ledger.path.read_bytes() + b"".join(
        path.read_bytes() for path in ledger.path.parent.glob("*sqlite-wal")
    )
    aside = b"".join(p.read_bytes() for p in ledger.path.parent.glob("*.aside*"))
    for name in (b"Acme", b"Ada"):
        assert name not in content
        assert name not in aside


def test_what_is_old_is_forgotten_by_date(ledger):
    ledger.pseudonym("Ada")
    assert ledger.retain("2020-01-01") == 0
    assert ledger.retain("2100-01-01") == 1


# ---------------------------------------------------------------------- replay


@pytest.fixture(scope="module")
def decided():
    world = sr.datasets.make_declarations(4_000, random_state=0, scenario="small")
    split = sr.windows.time_split(world.declarations, world.outcomes)
    engine = sr.RiskEngine().fit(split.past, split.known)
    later = split.later.head(50)
    return engine, later, engine.score(later), engine.select(later, capacity=0.2)


def test_a_decision_is_replayed_with_score_and_reasons(ledger, decided):
    engine, later, scores, chosen = decided
    reasons = engine.explain(later)
    ledger.record(chosen, declarations=later, scores=scores, reasons=reasons)
    for row in later.head(10).itertuples():
        told = ledger.replay(row.declaration_id, engine, item_number=row.item_number)
        assert told.agrees, told.note
        assert len(told.recorded["reasons"]) >= 1
        assert told.again["score"]["model_version"] == engine.version_


def test_a_replay_that_cannot_agree_says_why(ledger, decided):
    engine, later, scores, chosen = decided
    one = later.iloc[0]
    key = {"item_number": int(one["item_number"])}
    ledger.record(chosen, declarations=later, scores=scores.assign(risk_score=0.5))
    assert ledger.replay(one["declaration_id"], engine, **key).note.startswith(
        "the score differs"
    )
    ledger.record(chosen, declarations=later, scores=scores.assign(model_version="0"))
    told = ledger.replay(one["declaration_id"], engine, **key)
    assert "load the engine of that time" in told.note
    ledger.record(chosen, scores=scores)
    with pytest.raises(LedgerError, match="not kept, or erased"):
        ledger.replay(one["declaration_id"], engine, **key)
    with pytest.raises(LedgerError, match="no decision"):
        ledger.replay("nowhere", engine)


def test_tables_of_other_items_are_refused(ledger, decided):
    _, later, scores, chosen = decided
    with pytest.raises(ArgumentError, match="'scores' must hold the 50 decided"):
        ledger.record(chosen, scores=scores.iloc[::-1])
    with pytest.raises(ArgumentError, match="'declarations'"):
        ledger.record(chosen, declarations=later.head(3))
    with pytest.raises(ArgumentError, match="declaration_id"):
        ledger.record(chosen[["channel"]])
