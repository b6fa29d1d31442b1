"""A recorded decision is computed again, or the ledger states why it cannot be."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.errors import LedgerError
from smartrisk.ledger import Ledger
from smartrisk.ledger import _ledger as ledger_module


class Engine:
    """An engine whose score is a fraction of the value, with one reason."""

    version_ = "m1"

    def score_one(self, item):
        score = item["customs_value"] / 3_000
        return {"risk_score": score, "expected_revenue": 7.0, "model_version": "m1"}

    def score(self, declarations):
        rows = [self.score_one(row) for row in declarations.to_dict("records")]
        return declarations[["declaration_id", "item_number"]].join(pd.DataFrame(rows))

    def explain_one(self, item, *, top):
        return self.explain(pd.DataFrame([item]))

    def explain(self, declarations):
        key = declarations[["declaration_id", "item_number"]]
        sentences = declarations["customs_value"].map("value {:.0f}".format)

        class Reasons:
            def frame(self):
                return key.assign(sentence=sentences)

        return Reasons()


@pytest.fixture
def decided(make_decisions):
    """Return an engine, declarations, scores and decisions."""
    chosen = make_decisions(12)
    later = chosen[["declaration_id", "item_number"]].assign(
        customs_value=[100.0 * k for k in range(12)],
        importer_id=[f"T{k // 3}" for k in range(12)],
        lodged_at=pd.Timestamp("2026-01-05"),
    )
    return Engine(), later, Engine().score(later), chosen


@pytest.mark.slow
def test_a_fitted_engine_replays_its_decisions_exactly(
    ledger, calibrated_engine, calibrated_split
):
    later = calibrated_split.later.head(50)
    ledger.record(
        calibrated_engine.select(later, 0.2),
        declarations=later,
        scores=calibrated_engine.score(later),
        reasons=calibrated_engine.explain(later),
    )
    for row in later.itertuples():
        replay = ledger.replay(
            row.declaration_id, calibrated_engine, item_number=row.item_number
        )
        assert replay.exact, replay.note


def test_a_decision_is_replayed_with_score_and_reasons(ledger, decided):
    engine, later, scores, chosen = decided
    reasons = engine.explain(later)
    ledger.record(chosen, declarations=later, scores=scores, reasons=reasons)
    for row in later.head(10).itertuples():
        replay = ledger.replay(row.declaration_id, engine, item_number=row.item_number)
        assert replay.agrees, replay.note
        assert replay.exact
        assert len(replay.recorded["reasons"]) >= 1
        assert replay.again["score"]["model_version"] == engine.version_


def test_a_replay_that_cannot_agree_states_why(ledger, decided):
    engine, later, scores, chosen = decided
    one = later.iloc[0]
    key = {"item_number": int(one["item_number"])}
    ledger.record(chosen, declarations=later, scores=scores.assign(risk_score=0.5))
    replay = ledger.replay(one["declaration_id"], engine, **key)
    assert replay.note.startswith("the score differs")
    assert replay.message.message_id == "ledger.score_differs"
    row = replay.frame().set_index("name").loc["risk_score"]
    assert row["recorded"] == 0.5
    assert row["again"] == pytest.approx(scores["risk_score"].iloc[0])
    ledger.record(chosen, declarations=later, scores=scores.assign(model_version="0"))
    replay = ledger.replay(one["declaration_id"], engine, **key)
    assert "load the engine of that time" in replay.note
    ledger.record(chosen, scores=scores)
    with pytest.raises(LedgerError, match="were not recorded"):
        ledger.replay(one["declaration_id"], engine, **key)
    with pytest.raises(LedgerError, match="no decision"):
        ledger.replay("nowhere", engine)


def test_a_replay_that_agrees_but_for_rounding_is_not_exact(ledger, decided):
    engine, later, scores, chosen = decided
    near = scores["risk_score"] * (1 + 1e-12)
    ledger.record(
        chosen,
        declarations=later,
        scores=scores.assign(risk_score=near, expected_revenue=None),
        versions={"numpy": "1.0"},
    )
    engine.score_one = lambda item: {
        **Engine.score_one(engine, item),
        "expected_revenue": float("nan"),
    }
    replay = ledger.replay("D3", engine)
    assert replay.agrees
    assert not replay.exact
    assert replay.other_versions["numpy"][0] == "1.0"
    assert "but for rounding (versions that differ: numpy 1.0 then," in repr(replay)
    engine.score_one = lambda item: Engine.score_one(engine, item)
    note = ledger.replay("D3", engine).note
    assert note.startswith("the score differs (versions that differ: numpy 1.0 then,")


def test_a_replay_of_an_erased_record_answers_erased(ledger, decided):
    engine, later, scores, chosen = decided
    ledger.record(chosen, declarations=later, scores=scores)
    one, other = (
        later.iloc[0],
        later[later["importer_id"] != later["importer_id"].iloc[0]],
    )
    ledger.forget(importer_id=one["importer_id"])
    replay = ledger.replay(
        one["declaration_id"], engine, item_number=one["item_number"]
    )
    assert not replay.agrees
    assert replay.message.message_id == "ledger.inputs_erased"
    assert "erased" in replay.note
    key = other.iloc[0]["declaration_id"], other.iloc[0]["item_number"]
    assert ledger.replay(key[0], engine, item_number=key[1]).agrees
    with ledger._access.writable.begin("aside") as session:
        session.fetch("DELETE FROM items")
    replay = ledger.replay(key[0], engine, item_number=key[1])
    assert replay.message.message_id == "ledger.inputs_missing"


def test_a_trader_forgotten_meanwhile_does_not_take_the_inputs(
    ledger, decided, monkeypatch
):
    engine, later, scores, chosen = decided
    ledger.record(chosen.head(3), declarations=later.head(3), scores=scores.head(3))
    whole = ledger_module.append_entries

    def forget_first(store, entries, clock):
        monkeypatch.setattr(ledger_module, "append_entries", whole)
        with Ledger(ledger.path) as other:
            assert other.forget(importer_id="T0").n_items == 3
        return whole(store, entries, clock)

    monkeypatch.setattr(ledger_module, "append_entries", forget_first)
    ledger.record(chosen, declarations=later, scores=scores)
    for name in later["declaration_id"]:
        assert ledger.replay(name, engine).agrees
    assert ledger.verify().ok


def test_a_replay_of_changed_inputs_is_refused(ledger, decided):
    engine, later, scores, chosen = decided
    ledger.record(chosen, declarations=later, scores=scores)
    with ledger._access.writable.begin("aside") as session:
        session.fetch("UPDATE items SET fields = replace(fields, ':1', ':2')")
    one = later.iloc[0]
    with pytest.raises(LedgerError, match="were changed"):
        ledger.replay(one["declaration_id"], engine, item_number=one["item_number"])
    assert "were changed" in ledger.verify().problems[0]


def test_the_order_of_columns_does_not_change_the_digest_of_an_item(ledger):
    item = pd.DataFrame({"declaration_id": ["D0"], "origin": ["CN"], "office": ["A"]})
    decision = item[["declaration_id"]].assign(channel="red")
    for columns in (list(item), list(item)[::-1]):
        ledger.record(decision, declarations=item[columns])
    first, second = (body["inputs"] for body in ledger.frame("decision")["body"])
    assert first == second
