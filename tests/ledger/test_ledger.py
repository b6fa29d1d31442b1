"""The ledger: nothing acknowledged is lost, identities can be erased."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, LedgerError
from smartrisk.ledger import Ledger

N = 40


def test_entries_are_read_back_in_their_order(ledger, make_decisions):
    head = ledger.record(make_decisions(), rules="7")
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


def test_a_reopened_ledger_continues_its_chain(tmp_path, make_decisions):
    path = tmp_path / "decisions.sqlite"
    with Ledger(path) as one:
        one.record(make_decisions())
        before = one.pseudonym("officer 7")
    with Ledger(path) as two:
        head = two.record(make_decisions(start=100))
        assert head.seq == 2 * N
        assert two.verify().ok
        assert two.pseudonym("officer 7") == before


def test_an_empty_ledger_is_intact(ledger, make_decisions):
    assert ledger.head().seq == 0
    assert ledger.verify(anchor=ledger.head()).ok
    assert ledger.record(make_decisions(0)).seq == 0


# ------------------------------------------------------- processes and crashes


APPENDER = """
import sys
import pandas as pd
from smartrisk.ledger import Ledger
path, writer, n_batches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Ledger(path) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for k in range(n_batches):
        first = 10_000 * writer + 5 * k
        names = [f"D{n}" for n in range(first, first + 5)]
        ledger.record(pd.DataFrame({"declaration_id": names, "channel": "red"}))
"""


@pytest.mark.parametrize("n_writers", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_that_write_at_once_lose_nothing(tmp_path, n_writers):
    path = tmp_path / "decisions.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(path), str(k), "10"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for k in range(n_writers)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    with Ledger(path) as ledger:
        assert ledger.verify().ok
        ids = ledger.frame()["declaration_id"]
    assert len(ids) == 50 * n_writers
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
def test_a_kill_during_a_write_loses_nothing_that_was_acknowledged(tmp_path):
    path, rng = tmp_path / "decisions.sqlite", random.Random(0)
    acknowledged = 0
    for _ in range(200):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            acknowledged = int(writer.stdout.readline())
            limit = time.perf_counter() + rng.random() * 0.02
            while time.perf_counter() < limit:
                pass
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().split("\n")
            numbers = [int(line) for line in rest[:-1] if line]
            acknowledged = max([acknowledged, *numbers])
        with Ledger(path) as made:
            assert made.head().seq >= acknowledged
    with Ledger(path) as made:
        assert made.verify().ok
        assert made.frame()["declaration_id"].is_unique


def test_a_batch_is_recorded_whole_or_not_at_all(ledger, make_decisions):
    ledger.record(make_decisions())
    rows = make_decisions(3).assign(propensity=[0.1, float("inf"), 0.2])
    with pytest.raises(ArgumentError, match="infinite numbers in the columns"):
        ledger.record(rows)
    assert ledger.head().seq == N
    assert ledger.verify().ok


# --------------------------------------------------- overrides, results, people


def test_an_override_records_who_and_why_under_a_pseudonym(ledger, make_decisions):
    ledger.record(make_decisions())
    ledger.override("D1", channel="red", officer_id="Ada", reason="seal broken")
    body = ledger.frame("override")["body"][0]
    assert body["reason"] == "seal broken"
    assert "Ada" not in json.dumps(body)
    assert ledger.identity(body["officer"]) == "Ada"
    with pytest.raises(ArgumentError, match="no decision"):
        ledger.override("D999", channel="red", officer_id="Ada", reason="x")
    with pytest.raises(ArgumentError, match="channel"):
        ledger.override("D0", channel="purple", officer_id="A", reason="seen")
    with pytest.raises(ArgumentError, match="must state why"):
        ledger.override("D1", channel="red", officer_id="Ada", reason=" ")


def test_identities_are_erased_and_the_chain_stays_intact(ledger, make_decisions):
    items = pd.DataFrame(
        {"declaration_id": ["D0"], "importer_id": ["Acme"], "duty_rate": [0.1]}
    )
    ledger.record(make_decisions(1), declarations=items)
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


def test_identities_older_than_a_date_are_erased(ledger):
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
        replay = ledger.replay(row.declaration_id, engine, item_number=row.item_number)
        assert replay.agrees, replay.note
        assert len(replay.recorded["reasons"]) >= 1
        assert replay.again["score"]["model_version"] == engine.version_


def test_a_replay_that_cannot_agree_states_why(ledger, decided):
    engine, later, scores, chosen = decided
    one = later.iloc[0]
    key = {"item_number": int(one["item_number"])}
    ledger.record(chosen, declarations=later, scores=scores.assign(risk_score=0.5))
    assert ledger.replay(one["declaration_id"], engine, **key).note.startswith(
        "the score differs"
    )
    ledger.record(chosen, declarations=later, scores=scores.assign(model_version="0"))
    replay = ledger.replay(one["declaration_id"], engine, **key)
    assert "load the engine of that time" in replay.note
    ledger.record(chosen, scores=scores)
    with pytest.raises(LedgerError, match="not recorded, or"):
        ledger.replay(one["declaration_id"], engine, **key)
    with pytest.raises(LedgerError, match="no decision"):
        ledger.replay("nowhere", engine)


def test_a_replay_compares_value_by_value(ledger, decided):
    engine, later, scores, chosen = decided
    ledger.record(chosen, declarations=later, scores=scores.assign(risk_score=0.5))
    one = later.iloc[0]
    replay = ledger.replay(
        one["declaration_id"], engine, item_number=int(one["item_number"])
    )
    assert replay.message.message_id == "ledger.score_differs"
    row = replay.frame().set_index("name").loc["risk_score"]
    assert row["recorded"] == 0.5
    assert row["again"] == pytest.approx(scores["risk_score"].iloc[0])


def test_the_order_of_columns_does_not_change_the_digest_of_an_item(ledger):
    item = pd.DataFrame({"declaration_id": ["D0"], "origin": ["CN"], "office": ["A"]})
    for columns in (list(item), list(item)[::-1]):
        ledger.record(item[["declaration_id"]], declarations=item[columns])
    first, second = (body["inputs"] for body in ledger.frame()["body"])
    assert first == second


def test_tables_of_other_items_are_refused(ledger, decided):
    _, later, scores, chosen = decided
    with pytest.raises(ArgumentError, match="'scores' must hold the 50 decided"):
        ledger.record(chosen, scores=scores.iloc[::-1])
    with pytest.raises(ArgumentError, match="'declarations'"):
        ledger.record(chosen, declarations=later.head(3))
    with pytest.raises(ArgumentError, match="declaration_id"):
        ledger.record(chosen[["channel"]])
