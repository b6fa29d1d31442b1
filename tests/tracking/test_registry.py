"""Engines are judged by later items, and the better one becomes the champion."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from smartrisk import RiskEngine
from smartrisk.errors import ArgumentError, TableError, TrackingError
from smartrisk.evaluation import paired_gain
from smartrisk.tracking import Gate, load, log_run, register, rollback
from smartrisk.tracking._gate import (
    check_not_learned,
    judge,
    read_judging_data,
    score_as_in_service,
)

WHO = {"by": "Ada", "reason": "a refit"}


@pytest.fixture(scope="session")
def weak_engine(past_and_new, outcomes):
    """Return an engine that was fitted on the first 70 % of the past."""
    past, _ = past_and_new
    early = past[past["lodged_at"] < past["lodged_at"].quantile(0.7)]
    known = outcomes["known_at"] < early["lodged_at"].max()
    return RiskEngine(random_state=0).fit(early, outcomes[known])


@pytest.fixture(scope="session")
def later(past_and_new, world):
    """Return the new items and all their results, to judge by."""
    return {"declarations": past_and_new[1], "outcomes": world.full_outcomes()}


def gain_of(low):
    """Return a comparison whose lower bound is given."""
    key = pd.DataFrame({"declaration_id": ["A", "B"], "risk_score": [0.1, 0.2]})
    gain = paired_gain(key, key, key.assign(illicit=[0, 1]), n_bootstrap=1)
    object.__setattr__(gain, "low", low)
    return gain


def aliases(client):
    """Return the aliases of the registered model."""
    found = client.get_registered_model("customs-risk").aliases
    return {alias: str(version) for alias, version in found.items()}


def test_the_lower_bound_must_exceed_the_least_gain():
    assert Gate().passes(gain_of(0.001))
    assert not Gate().passes(gain_of(0.0))
    assert not Gate().passes(gain_of(math.nan))
    assert Gate(min_gain=-0.01).passes(gain_of(0.0))
    assert not Gate(min_gain=0.02).passes(gain_of(0.01))


def test_a_gate_is_a_value_that_is_written_and_read():
    gate = Gate(metric="recall_at_100items", min_gain=0.01, confidence=0.9)
    assert Gate.from_toml(gate.to_toml()) == gate
    for wrong in (
        {"metric": "lift"},
        {"confidence": 1.0},
        {"min_gain": math.inf},
        {"min_gain": "0"},
    ):
        with pytest.raises(ArgumentError):
            Gate(**wrong)


def test_learned_until_is_the_day_of_the_last_item_of_the_fit(engine, past_and_new):
    past, new = past_and_new
    learned = past.loc[engine.has_learned(past), "lodged_at"]
    assert engine.learned_until == learned.max().normalize()
    longer = engine.copy().update(new)
    assert longer.learned_until == engine.learned_until
    assert longer.history_until > engine.history_until


def test_items_that_an_engine_learned_from_are_refused(
    engine, weak_engine, past_and_new, later, outcomes
):
    past, new = past_and_new
    both = pd.concat([past, new])
    engines = {"challenger": engine, "champion, version 1": weak_engine}
    data = read_judging_data(both, later["outcomes"], None)
    n_learned = int(engine.has_learned(both).sum())
    day = engine.learned_until
    assert n_learned > 0
    with pytest.raises(TableError) as caught:
        check_not_learned(data, engines)
    message = str(caught.value)
    assert f"challenger: {n_learned} learned from" in message
    assert "champion, version 1:" in message
    since = day + pd.Timedelta(days=1)
    assert f"since='{since:%Y-%m-%d}'" in message
    data = read_judging_data(both, later["outcomes"], since)
    check_not_learned(data, engines)
    n_left = int((both["lodged_at"] >= since).sum())
    assert f"({n_left} items remain)" in message
    assert len(data.judged) == n_left
    assert len(data.items) == len(both)
    # Items of these days count as learned from, though their results were not.
    unknown = both[~engine.has_learned(both)]
    data = read_judging_data(unknown, later["outcomes"], day - pd.Timedelta(days=30))
    with pytest.raises(TableError, match=r"challenger: 0 learned from, [1-9]"):
        check_not_learned(data, {"challenger": engine})


def test_both_engines_know_what_had_become_known(weak_engine, past_and_new, later):
    past, new = past_and_new
    both = pd.concat([past, new])
    cut = new["lodged_at"].min()
    data = read_judging_data(both, later["outcomes"], cut)
    before = weak_engine.version_
    scores = score_as_in_service(data, weak_engine)
    assert weak_engine.version_ == before
    longer = weak_engine.copy().update(both, later["outcomes"], on_known="keep")
    pd.testing.assert_frame_equal(scores, longer.score(data.judged))
    stale = weak_engine.score(data.judged, guard="off")
    assert not np.array_equal(scores["risk_score"], stale["risk_score"])


def test_items_of_which_only_the_document_is_known_are_not_judged(later):
    outcomes = later["outcomes"].copy()
    outcomes["illicit"] = outcomes["illicit"].astype("Int64")
    outcomes["document_illicit"] = pd.array([pd.NA] * len(outcomes), dtype="boolean")
    items = later["declarations"].head(40)
    first = outcomes["declaration_id"].isin(items["declaration_id"].head(10))
    outcomes.loc[first, "illicit"] = pd.NA
    outcomes.loc[first, "document_illicit"] = True
    data = read_judging_data(items, outcomes, None)
    left = ~data.judged["declaration_id"].isin(outcomes["declaration_id"][first])
    assert left.all()
    assert 0 < len(data.judged) <= 30


def with_own_field(items):
    """Return items with an own field that only the engines know of."""
    return items.assign(scheme=np.resize(["a1", "b2"], len(items)))


def test_own_fields_of_the_engines_are_read_for_the_judgement(later):
    items = with_own_field(later["declarations"])
    items.attrs = {}
    data = read_judging_data(items, later["outcomes"], None, {"scheme": "code"})
    assert set(data.judged["scheme"]) == {"A1", "B2"}


@pytest.mark.slow
def test_an_engine_with_own_fields_is_judged_with_them(
    past_and_new, outcomes, later, store
):
    past, new = (with_own_field(items) for items in past_and_new)
    known = outcomes["known_at"] < past["lodged_at"].max()
    engine = RiskEngine(own_fields={"scheme": "code"}, random_state=0)
    engine.fit(past, outcomes[known])
    new.attrs = {}
    # A field that the scores use and the items lack would be a warning.
    done = register(
        log_run(engine, tracking_uri=store),
        gate=Gate(metric="roc_auc"),
        declarations=new,
        outcomes=later["outcomes"],
        **WHO,
    )
    assert "scheme" in done.judgement.data.items


def test_importers_are_drawn_as_wholes(engine, weak_engine, later, monkeypatch):
    seen = {}

    def spy(*scores, groups, n_bootstrap, **options):
        seen.update(options, groups=groups)
        return paired_gain(*scores, groups=groups, n_bootstrap=30, **options)

    monkeypatch.setattr("smartrisk.tracking._gate.paired_gain", spy)
    data = read_judging_data(later["declarations"].head(300), later["outcomes"], None)
    gate = Gate(metric="roc_auc", confidence=0.9)
    judgement = judge(data, [engine, weak_engine], gate, "1")
    assert seen["groups"].tolist() == data.judged["importer_id"].tolist()
    assert judgement.gain.confidence == 0.9
    assert judgement.gain.n_groups == data.judged["importer_id"].nunique()
    assert judgement.passed == (judgement.gain.low > 0)


def test_wrong_arguments_are_refused_before_anything_is_registered(store, later):
    run = "0" * 32
    with pytest.raises(ArgumentError, match="'by' and 'reason' must be printable"):
        register(run, by="", reason=None, tracking_uri=store, **later)
    with pytest.raises(ArgumentError, match="must be a Gate"):
        register(run, gate="roc_auc", tracking_uri=store, **WHO, **later)
    with pytest.raises(ArgumentError, match="'since' must be a day"):
        register(run, since="soon", tracking_uri=store, **WHO, **later)
    with pytest.raises(TableError, match="since 2099-01-01 has a result"):
        register(run, since="2099-01-01", tracking_uri=store, **WHO, **later)
    with pytest.raises(TrackingError, match="has no run"):
        register(run, tracking_uri=store, **WHO, **later)
    with pytest.raises(TrackingError, match="has no version"):
        rollback(tracking_uri=store, **WHO)


@pytest.mark.slow
def test_the_better_engine_becomes_the_champion_and_the_other_stays(
    engine, weak_engine, later, store
):
    import mlflow

    from smartrisk.tracking._store import resolve_address

    uri = resolve_address(store)
    client = mlflow.MlflowClient(uri, registry_uri=uri)
    runs = [log_run(e, tracking_uri=store) for e in (weak_engine, engine)]
    gate = Gate(metric="roc_auc", min_gain=-0.5)
    first = register(runs[0], gate=gate, **WHO, **later)
    assert first.promoted
    assert "there was none to compare with" in str(first)
    assert list(first.frame()) == ["metric", "challenger"]
    assert client.get_run(runs[0].run_id).data.metrics["gate/roc_auc_challenger"] > 0

    strict = register(
        runs[1], gate=Gate(metric="roc_auc", min_gain=0.9), **WHO, **later
    )
    assert not strict.promoted
    assert f"{0.9 - strict.judgement.gain.low:.4f} short" in str(strict)
    assert aliases(client) == {"champion": "1", "challenger": "2"}

    second = register(runs[1], gate=gate, **WHO, **later)
    assert second.promoted
    assert second.version == "2"
    assert aliases(client) == {"champion": "2"}
    tags = client.get_model_version("customs-risk", "2").tags
    metrics = client.get_run(runs[1].run_id).data.metrics
    gain = second.judgement.gain
    assert (tags["smartrisk.by"], tags["smartrisk.reason"]) == ("Ada", "a refit")
    assert tags["smartrisk.judged_against"] == "version 1"
    assert tags["smartrisk.gain_low"] == f"{gain.low:.6g}"
    assert metrics["gate/roc_auc_gain_low"] == gain.low
    assert metrics["gate/roc_auc_gain_high"] == gain.high
    assert load("models:/customs-risk@champion", tracking_uri=uri).version_ == (
        engine.version_
    )
    with pytest.raises(TrackingError, match=r"the champion\. Log and register"):
        register(runs[1], gate=gate, **WHO, **later)
    with pytest.raises(TrackingError, match=r"no alias 'champoin'.*Did you mean"):
        load("models:/customs-risk@champoin", tracking_uri=uri)
    with pytest.raises(TrackingError, match=r"no version 9; it has 1, 2\."):
        load("models:/customs-risk/9", tracking_uri=uri)
    with pytest.raises(TrackingError, match=r"no registered model 'x'; it has 'custom"):
        load("models:/x@champion", tracking_uri=uri)


@pytest.mark.slow
def test_a_champion_that_changes_meanwhile_is_judged_against(
    engine, weak_engine, past_and_new, outcomes, later, store, monkeypatch
):
    past, _ = past_and_new
    known = outcomes["known_at"] < past["lodged_at"].max()
    third = RiskEngine(random_state=1).fit(past, outcomes[known])
    runs = [log_run(e, tracking_uri=store) for e in (weak_engine, engine, third)]
    gate = Gate(metric="roc_auc", min_gain=-0.9)
    register(runs[0], gate=gate, **WHO, **later)
    judged, other = [], []

    def interrupted(data, engines, gate, champion):
        judged.append(champion)
        if not other:
            other.append(True)
            register(runs[1], gate=gate, **WHO, **later)
        return judge(data, engines, gate, champion)

    monkeypatch.setattr("smartrisk.tracking._registry.judge", interrupted)
    made = register(runs[2], gate=gate, **WHO, **later)
    assert judged == ["1", "1", "2"]
    assert made.judgement.champion == "2"
    moves = rollback(tracking_uri=store, **WHO)
    assert [m.version for m in moves.moves] == ["1", "2", "3", "2"]
