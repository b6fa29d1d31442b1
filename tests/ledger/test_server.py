"""The same ledger on a real PostgreSQL server, started from a temporary folder.

Skipped where there is no server; continuous integration installs one.
"""

from __future__ import annotations

import threading

import pandas as pd
import pytest

from smartrisk.errors import LedgerError
from smartrisk.ledger import Ledger

pytestmark = pytest.mark.slow
KEY = b"k" * 32
SCHEMA = "smartrisk_ledger"
#: What the guide lets the owner run, once, after opening the ledger for the first time.
GRANTS = f"""
CREATE ROLE ledger_writer LOGIN;
CREATE ROLE ledger_auditor LOGIN;
CREATE ROLE ledger_eraser LOGIN;
GRANT USAGE ON SCHEMA {SCHEMA} TO ledger_writer, ledger_auditor, ledger_eraser;
GRANT SELECT, INSERT ON {SCHEMA}.entries TO ledger_writer, ledger_eraser;
GRANT INSERT ON {SCHEMA}.identities, {SCHEMA}.items TO ledger_writer;
GRANT SELECT ON {SCHEMA}.entries, {SCHEMA}.identities, {SCHEMA}.items TO ledger_auditor;
GRANT SELECT, DELETE ON {SCHEMA}.identities, {SCHEMA}.items TO ledger_eraser;
"""


@pytest.fixture(scope="module")
def server(postgres_trials):
    """Return a running server with the documented roles."""
    with postgres_trials["Server"]() as running:
        Ledger(running.address(), key=KEY).close()
        execute(running.address(), GRANTS)
        yield running


def execute(address, statements):
    """Run statements as a role, outside the library."""
    import psycopg

    with psycopg.connect(address) as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(statement)


@pytest.fixture
def database(server, request):
    """Return the address of a new, empty database of the server."""
    import psycopg

    name = f"db{abs(hash(request.node.name))}"
    with psycopg.connect(server.address(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.address(database=name)


def fill(ledger, make_decisions):
    """Append an entry of every kind."""
    decisions = make_decisions(3)
    items = decisions[["declaration_id", "item_number"]].assign(
        importer_id=["Acme", "Bolt", "Acme"], description="ключ, \N{SNOWMAN}"
    )
    ledger.record(decisions, declarations=items)
    ledger.override("D1", channel="red", officer_id="Ada", reason="перевес")
    ledger.result(
        pd.DataFrame({"declaration_id": ["D1"], "illicit": [1], "officer_id": ["Ada"]})
    )
    ledger.note("a new month")
    ledger.forget(importer_id="Acme")
    ledger.retain("2026-01-06")
    return ledger.note("the end")


def test_the_same_entries_key_and_clock_make_the_same_bytes(
    database, tmp_path, make_decisions, clock
):
    exported, heads = [], []
    for name, place in {"a": tmp_path / "a.sqlite", "b": database}.items():
        moment = clock.moment
        with Ledger(place, key=KEY, clock=clock) as ledger:
            heads.append(fill(ledger, make_decisions))
            assert ledger.verify(anchor=heads[0]).ok
            exported.append(ledger.export(tmp_path / name / "x.jsonl").read_bytes())
            assert ledger.identity(ledger.pseudonym("Ada")) == "Ada"
            assert ledger.frame("erasure")["body"][0]["n_items"] == 2
        clock.moment = moment
    assert heads[0] == heads[1]
    assert exported[0] == exported[1]


def test_a_writer_may_only_insert_and_select(server, make_decisions):
    with Ledger(server.address("ledger_writer"), key=KEY) as ledger:
        start = ledger.head().seq
        ledger.record(
            make_decisions(1), declarations=make_decisions(1)[["declaration_id"]]
        )
        head = ledger.override("D0", channel="red", officer_id="Ada", reason="seal")
        assert head.seq == start + 2
        verification = ledger.verify(anchor=head)
        assert verification.ok
        assert "not verified" in str(verification.doubts[0])
        with pytest.raises(LedgerError, match="Ask the owner for the grants"):
            ledger.identity("ab" * 16)
        with pytest.raises(LedgerError, match="Ask the owner for the grants"):
            ledger.forget(officer_id="Ada")
    for statement in (
        f"UPDATE {SCHEMA}.entries SET kind = 'x'",
        f"DELETE FROM {SCHEMA}.entries",
        f"TRUNCATE {SCHEMA}.entries",
        f"SELECT * FROM {SCHEMA}.identities",
    ):
        with pytest.raises(Exception, match="permission denied"):
            execute(server.address("ledger_writer"), statement)
    with pytest.raises(Exception, match="entries cannot be changed"):
        execute(server.address(), f"UPDATE {SCHEMA}.entries SET kind = 'x'")


def test_an_auditor_verifies_without_writing_and_without_the_key(server):
    for key in (KEY, None):
        with Ledger(server.address("ledger_auditor"), key=key) as ledger:
            assert ledger.verify(anchor=ledger.head()).ok
            with pytest.raises(LedgerError, match="read-only"):
                ledger.note("more")


def test_an_eraser_erases_and_leaves_an_entry(server):
    with Ledger(server.address("ledger_writer"), key=KEY) as ledger:
        ledger.pseudonym("Bob")
    with Ledger(server.address("ledger_eraser"), key=KEY) as ledger:
        assert ledger.forget(officer_id="Bob").n_identities == 1
        assert len(ledger.frame("erasure")) == 1
        assert ledger.verify(anchor=ledger.head()).ok


def test_a_trader_is_forgotten_whatever_signs_the_items_hold(database):
    # PostgreSQL reads no field of JSON with these signs; SQLite does.
    texts = ["a\0b", "half \ud800", "\U0001f600", "ключ", "\\u0000", None]
    names = ["Acme", " Acme ", "Acme", "Acme", 101, None]
    items = pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(6)],
            "importer_id": pd.Series(names, dtype=object),
            "description": pd.Series(texts, dtype=object),
        }
    )
    with Ledger(database, key=KEY) as ledger:
        decisions = items[["declaration_id"]].assign(channel="red")
        ledger.record(decisions, declarations=items)
        assert ledger.forget(importer_id="None").n_items == 0
        assert ledger.forget(importer_id="Acme").n_items == 4
        assert ledger.forget(importer_id=101).n_items == 1
        assert ledger.verify(anchor=ledger.head()).ok


def test_changes_by_the_owner_are_found(database, make_decisions):
    with Ledger(database, key=KEY) as ledger:
        head = fill(ledger, make_decisions)
        execute(
            database,
            f"ALTER TABLE {SCHEMA}.entries DISABLE TRIGGER no_change;"
            f"UPDATE {SCHEMA}.entries SET at = '2020' WHERE seq = 3;"
            f"UPDATE {SCHEMA}.identities SET identity = 'Bob'",
        )
        problems = ledger.verify(anchor=head).problems
    assert problems[0] == "entry 3 was changed"
    assert "identity of the pseudonym" in problems[1]


def test_one_key_is_needed_for_all(database, monkeypatch):
    with pytest.raises(LedgerError, match=r"key is missing.*SMARTRISK_LEDGER_KEY"):
        Ledger(database)
    monkeypatch.setenv("SMARTRISK_LEDGER_KEY", KEY.hex())
    with Ledger(database) as ledger:
        assert ledger.frame()["body"][0]["key"]
    with pytest.raises(LedgerError, match="not the one that opened it"):
        Ledger(database, key=b"x" * 32)


def test_errors_of_the_server_name_the_remedy_and_no_password(server, database):
    wrong = {
        database.replace(str(server.folder), "/nowhere"): "server_lost",
        server.address(database="absent"): "server_lost",
        server.address("stranger"): "server_lost",
        "postgresql://owner@host:port/x": "not_an_address",
    }
    for address, message_id in wrong.items():
        with pytest.raises(LedgerError) as caught:
            Ledger(address.replace("owner@", "owner:secret@"), key=KEY)
        assert caught.value.message_id == f"ledger.{message_id}"
        assert "secret" not in str(caught.value)
    execute(database, f"CREATE SCHEMA {SCHEMA}; CREATE TABLE {SCHEMA}.entries (a int)")
    with pytest.raises(LedgerError):
        Ledger(database, key=KEY)


def test_a_ledger_on_a_server_serves_threads_and_survives_a_restart(
    server, database, make_decisions
):
    with Ledger(database, key=KEY) as ledger:
        threads = [
            threading.Thread(target=ledger.record, args=(make_decisions(2, 10 * k),))
            for k in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.stop()
        with pytest.raises(LedgerError, match="the server does not answer"):
            ledger.head()
        server.start()
        assert ledger.head().seq == 9
        verification = ledger.verify(anchor=ledger.head())
    assert verification.ok
    assert not verification.doubts


def test_nothing_acknowledged_is_lost_when_the_server_is_stopped(postgres_trials):
    counts = postgres_trials["run_trial"](n_writers=4, n_entries=25, n_stops=2)
    assert counts["acknowledged"] == 100
    assert counts["lost"] == counts["doubled"] == 0
    assert counts["failed"] == counts["problems"] == 0
