"""`update` and `forget`: what they count, refuse and leave as it was."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.features import DeclarationFeatures, LearnedHistory, join_results
from smartrisk.models import RiskClassifier
from smartrisk.schema import DECLARATIONS
from smartrisk.validation import validate


@pytest.fixture(scope="module")
def split(world):
    return sr.windows.time_split(world.declarations, world.outcomes)


@pytest.fixture(scope="module")
def fitted(split):
    classifier = RiskClassifier(n_estimators=5, num_leaves=5)
    return sr.RiskEngine(classifier=classifier, n_jobs=1).fit(split.past, split.known)


@pytest.fixture
def engine(fitted):
    return fitted.copy()


@pytest.fixture(scope="module")
def late(world, split, fitted):
    """Return results of items that the engine knows, which became known later."""
    own = sr.items.are_among(world.outcomes, split.past)
    return world.outcomes[own & ~sr.items.are_among(world.outcomes, split.known)]


def state_of(engine, items):
    """Return everything that an update may not change by half."""
    scores = engine.score(items, guard="off")
    return (
        engine.version_,
        engine.history_until,
        engine.last_update_,
        engine.describe(),
        scores["risk_score"].tolist(),
        scores["expected_revenue"].tolist(),
    )


def counted(engine, table):
    """Return what the last update did to a table, without zeros."""
    row = engine.last_update_.frame().loc[table]
    return row[row > 0].to_dict()


def test_an_update_counts_what_it_took(engine, split, late):
    assert engine.last_update_ is None
    new = split.later.head(50)
    engine.update(new, late)
    assert counted(engine, "items") == {"taken": 50}
    assert counted(engine, "results") == {"taken": len(late)}
    engine.update(pd.concat([split.past.head(30), split.later.head(60)]), late)
    assert counted(engine, "items") == {"taken": 10, "known": 30 + 50}
    assert counted(engine, "results") == {"known": len(late)}
    assert repr(engine.last_update_).startswith("UpdateReport(items taken=10, items kn")
    described = engine.describe()
    assert described["n_items"] == len(split.past) + 60
    assert described["n_results"] == len(split.known) + len(late)


def test_late_results_need_no_declarations(fitted, split, late):
    alone, together = fitted.copy(), fitted.copy()
    alone.update(None, late)
    together.update(split.past, late)
    assert alone.version_ == together.version_ != fitted.version_
    later = split.later.head(100)
    left, right = (one.score(later, guard="off") for one in (alone, together))
    pd.testing.assert_frame_equal(left, right)


def test_nothing_to_update_is_refused(engine):
    with pytest.raises(ArgumentError, match=r"update: pass 'declarations', 'outcomes'"):
        engine.update()
    with pytest.raises(ArgumentError, match=r"RiskEngine\.update: 'on_known'"):
        engine.update(None, None, on_known="ignore")


@pytest.fixture(scope="module")
def other(split):
    """Return items of which three have another content than the engine knows."""
    frame = split.past.head(40).copy()
    frame.loc[frame.index[:3], "customs_value"] *= 3
    return frame


def test_a_refused_update_changes_nothing_at_all(engine, split, late, other):
    engine.update(split.later.head(5))
    before = state_of(engine, split.later.head(60))
    message = r"RiskEngine\.update: 3 items are in the history with other content"
    unknown = late.assign(declaration_id=late["declaration_id"] + "?")
    refused = [
        (lambda: engine.update(other), message),
        (lambda: engine.update(pd.concat([other, split.later.tail(9)]), late), message),
        (
            lambda: engine.update(split.later.tail(9), unknown),
            r"results have no item in DECLARATIONS or in the history",
        ),
        (
            lambda: engine.update(None, split.known.assign(illicit=1)),
            r"results are in the history with other content",
        ),
        (lambda: engine.update(split.later.drop(columns="lodged_at")), "lodged_at"),
        (lambda: engine.update(split.later, on_known="maybe"), "on_known"),
        (lambda: engine.forget(importer="X"), "names no trader"),
        (lambda: engine.forget(), "name a trader"),
    ]
    for call, text in refused:
        with pytest.raises((TableError, ArgumentError), match=text):
            call()
        assert state_of(engine, split.later.head(60)) == before


def test_known_items_are_replaced_or_kept_on_request(fitted, split, other):
    kept = fitted.copy().update(other, on_known="keep")
    assert counted(kept, "items") == {"kept": 3, "known": 37}
    assert kept.version_ == fitted.version_
    new = fitted.copy().update(other, on_known="replace")
    assert counted(new, "items") == {"replaced": 3, "known": 37}
    assert new.version_ != fitted.version_
    assert new.update(split.past.head(40), on_known="replace").version_ == (
        fitted.version_
    )


def test_a_correction_counts_from_its_day_on(fitted, split):
    at = split.later["lodged_at"].max().normalize()
    known = split.known.assign(known_at=at)
    corrected = known.assign(illicit=1, known_at=at + pd.Timedelta(days=5))
    engine = fitted.copy().update(None, corrected)
    changed = (split.known["illicit"] == 0).sum()
    assert counted(engine, "results")["corrected"] == changed
    features = engine.features_.copy().set_output(transform="pandas")
    probe = split.later.head(200)

    def hits(day):
        moved = probe.assign(lodged_at=at + pd.Timedelta(days=day))
        return features.transform(moved)["office__hits"].sum()

    assert hits(3) == hits(5) < hits(6)


def test_unreadable_rows_are_counted(engine, split, late):
    new = split.later.head(20).copy()
    new.iloc[[2, 5], new.columns.get_loc("tariff_code")] = "none"
    lost = late.head(4).assign(declaration_id=["?", "??", *late["declaration_id"][2:4]])
    with pytest.warns(DataQualityWarning, match="2 r"):
        engine.update(new, lost, on_error="set_aside")
    assert counted(engine, "items") == {"taken": 18, "set_aside": 2}
    assert counted(engine, "results") == {"taken": 2, "set_aside": 2}


# ------------------------------------------------------------------------ forget


@pytest.fixture(scope="module")
def trader(split):
    return str(split.past["importer_id"].value_counts().index[0])


def test_a_forgotten_trader_has_no_history(fitted, split, trader):
    engine = fitted.copy()
    assert engine.forget(importer_id=f" {trader} ") is engine
    own = split.past["importer_id"] == trader
    assert counted(engine, "items") == {"erased": own.sum()}
    assert counted(engine, "entries")["erased"] > own.sum() / 2
    assert engine.version_ != fitted.version_
    masked = split.past.assign(importer_id=split.past["importer_id"].where(~own))
    masked = validate(masked, DECLARATIONS)
    wanted = LearnedHistory.learn(
        DeclarationFeatures(n_jobs=1),
        masked,
        join_results(masked, split.known),
        label_delay=30,
    )
    probe = pd.concat([split.past[own].tail(20), split.later.head(200)])
    probe = probe.assign(lodged_at=split.later["lodged_at"].max())
    found = engine.features_.transform_matrix(probe)
    assert np.array_equal(
        found, wanted.features.transform_matrix(probe), equal_nan=True
    )
    assert not np.array_equal(
        found, fitted.features_.transform_matrix(probe), equal_nan=True
    )


def test_a_forgotten_trader_stays_forgotten(fitted, split, trader, tmp_path):
    engine = fitted.copy().forget(importer_id=[trader])
    version = engine.version_
    again = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    for one in (engine, again):
        one.update(split.past, split.known, on_known="replace")
        own = (split.past["importer_id"] == trader).sum()
        assert counted(one, "items")["erased"] == own
        assert one.version_ == version


def test_an_unknown_trader_is_a_warning(engine):
    version = engine.version_
    message = "1 of the 1 values of importer_id are in no key"
    with pytest.warns(DataQualityWarning, match=message):
        engine.forget(importer_id="nobody")
    assert engine.version_ == version
    assert counted(engine, "entries") == {}


def test_a_misspelt_name_among_others_is_a_warning(fitted, trader):
    engine = fitted.copy()
    with pytest.warns(DataQualityWarning, match="1 of the 2 values of importer_id"):
        engine.forget(importer_id=["nobody", trader, trader])
    assert engine.version_ == fitted.copy().forget(importer_id=trader).version_


@pytest.mark.parametrize("given", [None, [], "", [None, float("nan")]])
def test_no_name_is_refused(engine, given):
    with pytest.raises(ArgumentError, match="'importer_id' holds no name"):
        engine.forget(importer_id=given)


def test_a_number_is_a_name(engine):
    with pytest.warns(DataQualityWarning, match="1 of the 1 values of importer_id"):
        engine.forget(importer_id=123)


def test_the_features_that_an_engine_hands_out_are_a_copy(fitted, split):
    digests = fitted._state.history.digests()
    longer = fitted.features_.update(validate(split.later, DECLARATIONS))
    assert longer.last_day_ > fitted.features_.last_day_
    blocks = fitted._state.features.blocks()
    assert all(
        blocks[name] is not table
        for name, table in longer.blocks().items()
        if name.startswith("history.items.")
    )
    assert fitted._state.history.digests() == digests


# ----------------------------------------------------------------------- learned


def test_the_state_knows_what_the_models_learned_from(fitted, split, tmp_path):
    again = sr.RiskEngine.load(fitted.save(tmp_path / "engine"))
    for engine in (fitted, again, fitted.copy().update(split.later)):
        learned = engine._state.has_learned(sr.items.item_ids(split.past))
        inspected = sr.items.are_among(split.past, split.known)
        assert np.array_equal(learned, inspected)
