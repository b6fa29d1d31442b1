"""Wrong calls are refused by name and leave nothing; right ones never break a chain."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import LedgerError
from smartrisk.ledger import Ledger
from smartrisk.schema import OUTCOMES
from smartrisk.validation import validate


def decide(**columns):
    """Return decisions on two items, with columns in place of others."""
    usual = {"declaration_id": ["a", "b"], "channel": ["red", "green"]}
    return pd.DataFrame({**usual, **columns})


def score(**columns):
    """Return scores of the two items."""
    return pd.DataFrame(
        {"declaration_id": ["a", "b"], "risk_score": [0.5, 0.1], **columns}
    )


OVERRIDE = {"channel": "green", "officer_id": "Ada", "reason": "seen"}
WRONG = {
    "decisions are text": lambda x: x.record("red"),
    "decisions are None": lambda x: x.record(None),
    "no key": lambda x: x.record(pd.DataFrame({"channel": ["red"]})),
    "no channel": lambda x: x.record(decide()[["declaration_id"]]),
    "unknown channel": lambda x: x.record(decide(channel=["red", "purple"])),
    "channel in capitals": lambda x: x.record(decide(channel=["RED", "green"])),
    "missing channel": lambda x: x.record(decide(channel=["red", None])),
    "missing id": lambda x: x.record(decide(declaration_id=["a", None])),
    "blank id": lambda x: x.record(decide(declaration_id=["a", " "])),
    "id with NUL": lambda x: x.record(decide(declaration_id=["a", "b\0c"])),
    "half of a pair": lambda x: x.override("\ud800", **OVERRIDE),
    "id is yes": lambda x: x.record(decide(declaration_id=["a", True])),
    "id with fraction": lambda x: x.record(decide(declaration_id=[1.0, 2.5])),
    "id is bytes": lambda x: x.record(decide(declaration_id=["a", b"b"])),
    "same key twice": lambda x: x.record(decide(declaration_id=["a", "a"])),
    "same number twice": lambda x: x.record(decide(declaration_id=[7, "7"])),
    "item is yes": lambda x: x.record(decide(item_number=[True, False])),
    "item with fraction": lambda x: x.record(decide(item_number=[1, 1.5])),
    "item below 0": lambda x: x.record(decide(item_number=[1, -1])),
    "item too large": lambda x: x.record(decide(item_number=[1, 2**63])),
    "item missing": lambda x: x.record(decide(item_number=[1, None])),
    "item is a word": lambda x: x.record(decide(item_number=[1, "two"])),
    "propensity above 1": lambda x: x.record(decide(propensity=[0.5, 1.5])),
    "propensity infinite": lambda x: x.record(decide(propensity=[0.5, np.inf])),
    "propensity is text": lambda x: x.record(decide(propensity=["0.5", "0.1"])),
    "rank with fraction": lambda x: x.record(decide(rank=[1, 1.5])),
    "unknown selector": lambda x: x.record(decide(selected_by=["model", "luck"])),
    "no moment": lambda x: x.record(decide(decided_at=["soon", "later"])),
    "a trader": lambda x: x.record(decide(importer_id=["Acme", "Acme"])),
    "an officer": lambda x: x.record(decide(officer_id=["Ada", "Ada"])),
    "own column": lambda x: x.record(decide(remark=["x", "y"])),
    "column twice": lambda x: x.record(
        pd.concat([decide(), decide()[["channel"]]], axis=1)
    ),
    "scores in other order": lambda x: x.record(decide(), scores=score().iloc[::-1]),
    "scores of other items": lambda x: x.record(decide(), scores=score().head(1)),
    "score above 1": lambda x: x.record(decide(), scores=score(risk_score=[2, 0])),
    "scores with a name": lambda x: x.record(decide(), scores=score(importer_id="A")),
    "declarations of others": lambda x: x.record(
        decide(), declarations=pd.DataFrame({"declaration_id": ["c"]})
    ),
    "infinite value": lambda x: x.record(
        decide(),
        declarations=pd.DataFrame(
            {"declaration_id": ["a", "b"], "customs_value": [1.0, -np.inf]}
        ),
    ),
    "list in a cell": lambda x: x.record(
        decide(),
        declarations=pd.DataFrame({"declaration_id": ["a", "b"], "own": [[1], [2]]}),
    ),
    "reasons are text": lambda x: x.record(decide(), reasons="because"),
    "versions are text": lambda x: x.record(decide(), versions="7"),
    "version is a number": lambda x: x.record(decide(), versions={"rules": 7}),
    "version contradicts": lambda x: x.record(
        decide(policy_version="1"), versions={"policy": "2"}
    ),
    "source is no digest": lambda x: x.record(decide(), sources={"a": "file.csv"}),
    "override of nothing": lambda x: x.override("zz", **OVERRIDE),
    "override of item 2": lambda x: x.override("D1", item_number=2, **OVERRIDE),
    "override of yes": lambda x: x.override("D1", item_number=True, **OVERRIDE),
    "override of no id": lambda x: x.override(None, **OVERRIDE),
    "override to nowhere": lambda x: x.override("D1", **OVERRIDE | {"channel": "up"}),
    "override without reason": lambda x: x.override("D1", **OVERRIDE | {"reason": " "}),
    "override by nobody": lambda x: x.override("D1", **OVERRIDE | {"officer_id": None}),
    "override by yes": lambda x: x.override("D1", **OVERRIDE | {"officer_id": True}),
    "result without finding": lambda x: x.result(decide()),
    "finding of 2": lambda x: x.result(
        pd.DataFrame({"declaration_id": ["a"], "illicit": [2]})
    ),
    "empty note": lambda x: x.note(""),
    "note of a number": lambda x: x.note(3),
    "unknown kind": lambda x: x.frame("decisions"),
    "anchor is a word": lambda x: x.verify(anchor="seven"),
    "anchor is a number": lambda x: x.verify(anchor=7),
    "forget nobody": lambda x: x.forget(),
    "forget by office": lambda x: x.forget(office="A"),
    "forget None": lambda x: x.forget(importer_id=None),
    "retain a word": lambda x: x.retain("soon"),
    "dry run of a word": lambda x: x.retain("2020-01-01", dry_run="no"),
    "replay without engine": lambda x: x.replay("D1", None),
    "pseudonym of nobody": lambda x: x.pseudonym(""),
    "export to a number": lambda x: x.export(7),
    "copy to a name that is too long": lambda x: x.copy("x" * 5_000),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_refused_and_leaves_nothing(ledger, make_decisions, call):
    head = ledger.record(make_decisions(3))
    with pytest.raises(LedgerError) as caught:
        call(ledger)
    assert len(str(caught.value)) < 600
    assert ledger.head() == head
    assert ledger.verify(anchor=head).ok


@pytest.mark.parametrize(
    "place", [None, 7, "", "a\0b", "mysql://h/x", b"x.db", "\ud800", "x" * 5_000]
)
def test_what_is_no_place_is_refused(place):
    with pytest.raises(LedgerError):
        Ledger(place)


@pytest.mark.parametrize("clock", [3, dt.datetime.now, lambda: "noon"])
def test_what_is_no_clock_is_refused(tmp_path, clock):
    with pytest.raises(LedgerError, match="'clock' must"):
        Ledger(tmp_path / "new.sqlite", clock=clock)


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1
).filter(str.strip)
whole = st.integers(0, 2**31 - 1)
ids = st.one_of(
    texts,
    texts.map(np.str_),
    whole,
    whole.map(np.int64),
    whole.map(np.uint32),
    whole.map(float),
    whole.map(np.float64),
    whole.map(Decimal),
    st.just(2**62),
)
item_numbers = st.one_of(
    whole, whole.map(np.int32), whole.map(np.uint64), whole.map(float), whole.map(str)
)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.tuples(ids, item_numbers, ids), min_size=1, max_size=3))
def test_an_honest_call_never_breaks_the_chain(shared, calls):
    for declaration_id, item_number, officer in calls:
        key = {"declaration_id": [declaration_id], "item_number": [item_number]}
        table = pd.DataFrame(key, dtype=object)
        shared.record(table.assign(channel="red", decided_at=dt.date(2026, 1, 5)))
        shared.override(
            declaration_id,
            item_number=item_number,
            channel="green",
            officer_id=officer,
            reason="seen",
        )
        shared.result(table.assign(illicit=np.int8(1), officer_id=officer))
    # The entries are compared as the database returns them.
    assert shared.verify(anchor=shared.head()).ok


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Return one ledger for all examples."""
    with Ledger(tmp_path_factory.mktemp("shared") / "decisions.sqlite") as ledger:
        ledger._access.writable.fetch("chain", "PRAGMA synchronous = OFF")
        ledger._access.writable.fetch("aside", "PRAGMA synchronous = OFF")
        yield ledger


@pytest.mark.parametrize("same", [101, 101.0, np.int64(101), "101", Decimal(101)])
def test_a_whole_number_counts_as_its_digits(ledger, same):
    ledger.record(pd.DataFrame({"declaration_id": ["101"], "channel": ["red"]}))
    ledger.override(same, **OVERRIDE)
    assert ledger.frame("override")["declaration_id"].tolist() == ["101"]
    assert ledger.verify().ok


def test_tables_of_other_libraries_and_mappings_are_taken(ledger):
    polars = pytest.importorskip("polars")
    ledger.record(polars.DataFrame({"declaration_id": ["a"], "channel": ["red"]}))
    ledger.record({"declaration_id": ["b"], "channel": ["red"]})
    assert ledger.frame("decision")["declaration_id"].tolist() == ["a", "b"]


def test_flags_of_validation_are_left_out(ledger):
    outcomes = validate(
        pd.DataFrame({"declaration_id": ["a"], "illicit": [1], "channel": ["red"]}),
        OUTCOMES,
    )
    ledger.result(outcomes.assign(dq_contradiction=True))
    assert "dq_contradiction" not in ledger.frame("result")["body"][0]["result"]
