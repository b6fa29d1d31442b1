"""Entries are what was passed, under pseudonyms; identities can be erased."""

from __future__ import annotations

import json
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import LedgerError
from smartrisk.ledger import Anchor, Ledger

N = 40


def test_entries_are_read_back_in_their_order(ledger, make_decisions):
    head = ledger.record(make_decisions(), versions={"rules": "7"})
    ledger.note("a new month")
    table = ledger.frame()
    assert head.seq == N + 1
    assert table["seq"].tolist() == list(range(1, N + 3))
    assert table["kind"][0] == "opening"
    first = table["body"][1]
    assert first["decision"]["channel"] == "red"
    assert first["decision"]["decided_at"] == "2026-01-05T08:30:00"
    assert first["versions"]["rules"] == "7"
    assert first["sources"] == {}
    assert ledger.frame("note")["body"][0] == {"text": "a new month"}
    assert ledger.verify(anchor=head).ok
    assert ledger.verify(anchor=str(ledger.head())).n_entries == N + 2


def test_a_decision_states_the_versions_of_all_that_made_it(ledger, make_decisions):
    decisions = make_decisions(1).assign(policy_version="p2")
    scores = pd.DataFrame(
        {"declaration_id": ["D0"], "risk_score": [0.5], "model_version": ["m7"]}
    )
    ledger.record(
        decisions,
        scores=scores,
        versions={"map": "kcs", "decision": "x", "score": "y"},
        sources={"declarations": "sha256:" + "ab" * 32},
    )
    body = ledger.frame("decision")["body"][0]
    assert body["decision"]["channel"] == "red"
    assert body["score"] == {"risk_score": 0.5, "model_version": "m7"}
    assert body["sources"] == {"declarations": "sha256:" + "ab" * 32}
    known = body["versions"]
    assert (known["model"], known["policy"], known["map"]) == ("m7", "p2", "kcs")
    assert known["library"] == sr.__version__
    assert known["numpy"] == np.__version__
    assert {"python", "lightgbm"} <= set(known)


def test_a_reopened_ledger_continues_its_chain(tmp_path, make_decisions):
    path = tmp_path / "decisions.sqlite"
    with Ledger(path) as one:
        one.record(make_decisions())
        before = one.pseudonym("officer 7")
    with Ledger(path) as two:
        head = two.record(make_decisions(start=100))
        assert head.seq == 2 * N + 1
        assert two.verify().ok
        assert two.pseudonym("officer 7") == before


def test_an_empty_ledger_is_intact(ledger, make_decisions):
    assert ledger.head().seq == 1
    assert ledger.verify(anchor=ledger.head()).ok
    assert ledger.record(make_decisions(0)).seq == 1


def test_an_anchor_is_a_head_its_text_its_digest_or_a_run(ledger, make_decisions):
    head = ledger.record(make_decisions())

    class Run:
        anchor = str(head)

    class ServerRun:
        class data:  # noqa: N801
            tags = {sr.ledger.ANCHOR_TAG: str(head)}  # noqa: RUF012

    ledger.note("later")
    for anchor in (head, str(head), head.digest, Run(), ServerRun()):
        assert ledger.verify(anchor=anchor).ok
    assert "anchored digest" in ledger.verify(anchor="ab" * 32).problems[0]
    Run.anchor = None
    with pytest.raises(LedgerError, match="without any"):
        ledger.verify(anchor=Run())
    with pytest.raises(LedgerError, match="number:digest"):
        Anchor.parse("seven")


def test_a_batch_is_recorded_whole_or_not_at_all(ledger, make_decisions):
    ledger.record(make_decisions())
    rows = make_decisions(3).assign(propensity=[0.1, float("inf"), 0.2])
    with pytest.raises(LedgerError, match="1 values of 'propensity' do not fit"):
        ledger.record(rows)
    assert ledger.head().seq == N + 1
    assert ledger.verify().ok


# --------------------------------------------------- overrides, results, people


def test_an_override_records_who_and_why_under_a_pseudonym(ledger, make_decisions):
    ledger.record(make_decisions())
    ledger.override("D1", channel="red", officer_id="Ada", reason="seal broken")
    body = ledger.frame("override")["body"][0]
    assert body["reason"] == "seal broken"
    assert "Ada" not in json.dumps(body)
    assert ledger.identity(body["officer"]) == "Ada"


def test_only_what_was_decided_can_be_overridden(ledger, make_decisions):
    ledger.record(make_decisions(1))
    ledger.result(pd.DataFrame({"declaration_id": ["R1"], "illicit": [1]}))
    override = {"channel": "red", "officer_id": "Ada", "reason": "x"}
    with pytest.raises(LedgerError, match="no decision on 'D999', item 1"):
        ledger.override("D999", **override)
    with pytest.raises(LedgerError, match="no decision on 'D0', item 2"):
        ledger.override("D0", item_number=2, **override)
    with pytest.raises(LedgerError, match="no decision on 'R1'"):
        ledger.override("R1", **override)


@pytest.fixture
def erasable(ledger, make_decisions):
    """Return a ledger with a trader, an officer, and entries about both."""
    items = pd.DataFrame(
        {"declaration_id": ["D0"], "importer_id": ["Acme"], "duty_rate": [0.1]}
    )
    ledger.record(make_decisions(1), declarations=items)
    results = pd.DataFrame(
        {"declaration_id": ["D0"], "illicit": [1], "officer_id": ["Ada"]}
    )
    ledger.result(results)
    return ledger


def read_all(ledger):
    """Return all bytes of the files of a ledger, but those of the key."""
    return b"".join(path.read_bytes() for path in ledger.path.parent.glob("*sqlite*"))


def test_identities_are_erased_and_the_chain_stays_intact(erasable):
    ledger = erasable
    pseudonym = ledger.frame("result")["body"][0]["result"]["officer_id"]
    head = ledger.head()
    assert ledger.forget(officer_id="Ada").n_identities == 1
    assert ledger.forget(importer_id=["Acme", "unknown"]).n_items == 1
    assert ledger.identity(pseudonym) is None
    assert ledger.verify(anchor=head).ok
    assert ledger.frame("erasure")["body"][1]["fields"] == ["importer_id"]
    content = read_all(ledger)
    assert b"seal" in content
    assert b"Acme" not in content
    assert b"Ada" not in content


@pytest.mark.parametrize("written", ["Acme", " Acme ", 77, 77.0, np.int64(77)])
def test_a_trader_is_forgotten_however_the_table_writes_it(
    ledger, make_decisions, written
):
    items = pd.DataFrame(
        {"declaration_id": ["D0", "D1"], "importer_id": [written, "B"]}
    )
    ledger.record(make_decisions(2), declarations=items)
    name = "Acme" if isinstance(written, str) else "77"
    assert ledger.forget(importer_id=name).n_items == 1
    assert ledger.verify().ok


@pytest.mark.parametrize("name", ["A\u00a0", "\u3000B", " C "])
def test_a_name_with_blanks_at_its_ends_is_forgotten(ledger, make_decisions, name):
    decisions = make_decisions(1)
    items = decisions[["declaration_id"]].assign(importer_id=name)
    ledger.record(decisions, declarations=items)
    ledger.override("D0", channel="red", officer_id=name, reason="seal")
    erased = ledger.forget(importer_id=name, officer_id=name)
    assert (erased.n_identities, erased.n_items) == (1, 1)


def test_what_names_nobody_in_the_ledger_leaves_no_entry(erasable):
    before = erasable.head()
    assert erasable.forget(importer_id="Ada").n_items == 0
    assert erasable.forget(declarant_id="Acme").n_erased == 0
    assert erasable.head().seq - before.seq <= 1


def test_identities_older_than_a_date_are_erased(tmp_path, clock):
    with Ledger(tmp_path / "decisions.sqlite", clock=clock) as ledger:
        ledger.pseudonym("Ada")
        ledger.pseudonym("Bob")
        clock.moment = clock.moment.replace(month=2)
        ledger.pseudonym("Bob")
        assert ledger.retain("2026-01-05").n_erased == 0
        for since in ("2026-01-06", date(2026, 2, 1), datetime(2026, 2, 5, 23)):
            found = ledger.retain(since, dry_run=True)
            assert (found.n_identities, found.n_items, found.is_done) == (1, 0, False)
        before = ledger.head().seq
        assert ledger.retain(pd.Timestamp("2026-02-05")).n_identities == 1
        assert ledger.identity(ledger.pseudonym("Bob")) == "Bob"
        (body,) = ledger.frame("erasure")["body"]
        assert body["before"] == "2026-02-05"
        assert ledger.head().seq == before + 1


@pytest.mark.parametrize(
    "since", ["31/12/2020", "", "soon", None, 2020, True, pd.NaT, float("nan"), "20"]
)
def test_what_is_no_date_erases_nothing(ledger, since):
    pseudonym = ledger.pseudonym("Ada")
    with pytest.raises(LedgerError, match="Nothing was erased"):
        ledger.retain(since)
    assert ledger.identity(pseudonym) == "Ada"
