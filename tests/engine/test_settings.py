"""Settings that are saved, tables that are partly readable, explicit parameters."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import smartrisk as sr
from smartrisk.errors import (
    ArgumentError,
    ArtefactError,
    DataQualityWarning,
    TableError,
)
from smartrisk.features import DeclarationFeatures, Key
from smartrisk.models import RevenueRegressor, RiskClassifier
from smartrisk.selectivity import Policy


def small_engine(**settings):
    """Return an unfitted engine of few features and few trees."""
    return sr.RiskEngine(
        features=DeclarationFeatures(
            keys=(Key(("importer_id",), statistics=("n_items", "hit_rate")),),
            parts=("item", "history"),
            smoothing=4.0,
        ),
        classifier=RiskClassifier(n_estimators=5, num_leaves=5, categorical=(0,)),
        regressor=RevenueRegressor(n_estimators=7, random_state=3),
        **settings,
    )


@pytest.fixture(scope="module")
def split(world):
    return sr.windows.time_split(world.declarations, world.outcomes)


@pytest.fixture(scope="module")
def small(split):
    return small_engine(label_delay=20, random_state=1).fit(split.past, split.known)


def test_a_loaded_engine_is_fitted_again_with_the_settings_it_had(
    small, split, tmp_path
):
    loaded = sr.RiskEngine.load(small.save(tmp_path / "engine"))
    assert (loaded.label_delay, loaded.random_state) == (20, 1)
    assert loaded.classifier.get_params() == small.classifier.get_params()
    assert loaded.regressor.get_params() == small.regressor.get_params()
    assert loaded.features.get_params() == small.features.get_params()
    again = loaded.fit(split.past, split.known)
    assert again.version_ == small.version_
    assert again.describe() == small.describe()


def test_default_settings_stay_default(engine, tmp_path):
    loaded = sr.RiskEngine.load(engine.save(tmp_path / "engine"))
    assert (loaded.features, loaded.classifier, loaded.regressor) == (None, None, None)
    assert loaded.describe() == engine.describe()


def test_positions_of_features_may_be_numpy_numbers(split, tmp_path):
    codes = tuple(np.array([0], np.int64))
    engine = sr.RiskEngine(
        classifier=RiskClassifier(n_estimators=2, categorical=codes, monotone=())
    )
    engine.features = DeclarationFeatures(parts=("item",))
    engine.fit(split.past, split.known).save(tmp_path / "engine")
    state = json.loads((tmp_path / "engine" / "engine.json").read_text())
    assert state["settings"]["classifier"]["categorical"] == [0]


def test_a_folder_without_settings_is_of_another_version(small):
    from smartrisk.engine._state import pack, unpack

    found = pack(small._settings(), small._state, ())
    content = json.loads(found.texts["engine.json"])
    del content["settings"]
    found.texts["engine.json"] = json.dumps(content)
    with pytest.raises(ArtefactError, match=r"engine.json.*this version: .*settings"):
        unpack(found, folder="x", trusted=())


def test_a_refused_fit_leaves_the_engine_as_it_was(split, tmp_path):
    engine = small_engine().fit(split.past, split.known)
    before, scores = engine.version_, engine.score(split.later)
    with pytest.raises(TableError, match=r"no declaration|no item"):
        engine.fit(split.past.head(10), split.known)
    assert engine.version_ == before
    pd.testing.assert_frame_equal(engine.score(split.later), scores)


def test_unfitted_parts_are_named_before_anything_else():
    engine = sr.RiskEngine()
    for name in ("features_", "classifier_", "regressor_", "version_"):
        assert not hasattr(engine, name)
    with pytest.raises(NotFittedError, match="not fitted"):
        engine.select(pd.DataFrame(), 5)
    assert repr(engine) == "RiskEngine()"
    assert engine.describe()["classifier.n_estimators"] == 150


def test_a_table_without_values_scores_one_item_as_the_batch(split):
    past = split.past.drop(columns="customs_value")
    later = split.later.drop(columns="customs_value").head(20)
    engine = sr.RiskEngine(classifier=RiskClassifier(n_estimators=5))
    engine.fit(past, split.known)
    scores = engine.score(later)
    one = engine.score_one(later.iloc[4].to_dict())
    assert one["expected_revenue"] == scores["expected_revenue"].iloc[4] > 0


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"n_jobs": 0}, "'n_jobs' must be None or an integer other than 0"),
        ({"n_jobs": 1.5}, "'n_jobs' must be None or"),
        ({"label_delay": -1}, "'label_delay' must be an integer of at least 0"),
        ({"label_delay": "a"}, "'label_delay' must be an integer of at least 0"),
        ({"random_state": -1}, "'random_state' must be an integer in"),
        ({"features": "all"}, "'features' must be None or DeclarationFeatures"),
    ],
    ids=str,
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(split, settings, text):
    with pytest.raises(ArgumentError, match=f"RiskEngine: {text}"):
        sr.RiskEngine(**settings).fit(split.past, split.known)


def test_messages_name_the_method_that_was_called(small, split, tmp_path):
    calls = {
        "fit": lambda: sr.RiskEngine().fit(split.past, split.known, on_error="x"),
        "update": lambda: small.update(split.later, on_error="x"),
        "score": lambda: small.score(split.later, on_error="x"),
        "explain": lambda: small.explain(split.later, on_error="x"),
        "select": lambda: small.select(split.later, on_error="x"),
    }
    for method, call in calls.items():
        with pytest.raises(ArgumentError, match=f"RiskEngine.{method}: 'on_error'"):
            call()
    item = split.later.head(1)
    with pytest.raises(ArgumentError, match=r"RiskEngine\.explain: 'top'"):
        small.explain(item, top=0)
    with pytest.raises(ArgumentError, match=r"RiskEngine\.explain_one: 'top'"):
        small.explain_one(item.iloc[0].to_dict(), top=0)
    reasons = small.explain(item)
    for name in ("frame", "sentences", "checks", "statements", "to_html"):
        with pytest.raises(ArgumentError, match=f"Reasons.{name}: 'lang' must be one"):
            getattr(reasons, name)(lang="de")
    with pytest.raises(
        ArtefactError, match=r"RiskEngine\.load: .* is not a saved engine"
    ):
        sr.RiskEngine.load(tmp_path)
    (tmp_path / "a.txt").write_text("other")
    with pytest.raises(ArtefactError, match=r"RiskEngine\.save: .* other files"):
        small.save(tmp_path)


# -------------------------------------------------------------------- on_error


def damage(items, rows=(1, 4)):
    """Return items of which some have a tariff code that cannot be read."""
    damaged = items.copy()
    damaged.iloc[list(rows), damaged.columns.get_loc("tariff_code")] = "none"
    return damaged


def test_every_method_sets_aside_what_it_cannot_read(small, split):
    later = split.later.head(12)
    damaged = damage(later)
    good = later.drop(index=later.index[[1, 4]])
    for method in (small.score, small.explain, small.select):
        with pytest.raises(TableError, match="2 rows cannot be used"):
            method(damaged)
    with pytest.warns(DataQualityWarning, match="2 rows"):
        scores = small.score(damaged, on_error="set_aside")
    pd.testing.assert_frame_equal(scores, small.score(good))
    with pytest.warns(DataQualityWarning, match="2 rows"):
        reasons = small.explain(damaged, on_error="set_aside")
    assert len(reasons) == 10
    with pytest.warns(DataQualityWarning, match="2 rows"):
        decisions = small.select(damaged, 3, on_error="set_aside")
    pd.testing.assert_frame_equal(decisions, small.select(good, 3))


def test_fit_and_update_set_aside_items_with_their_results(split):
    rows = np.flatnonzero(
        sr.items.are_among(split.past, split.known)  # inspected ones
    )[:5]
    damaged = damage(split.past, rows)
    engine = small_engine()
    with pytest.raises(TableError, match="5 rows cannot be used"):
        engine.fit(damaged, split.known)
    with pytest.warns(DataQualityWarning) as warned:
        engine.fit(damaged, split.known, on_error="set_aside")
    ids = [w.message.message_id for w in warned if hasattr(w.message, "message_id")]
    assert "engine.results_set_aside" in ids
    described = engine.describe()
    assert described["n_items"] == len(split.past) - 5
    assert described["n_results"] == len(split.known) - 5
    with pytest.raises(TableError, match="rows cannot be used"):
        engine.update(damage(split.later))
    with pytest.warns(DataQualityWarning, match="2 rows"):
        engine.update(damage(split.later), on_error="set_aside")
    assert engine.describe()["n_items"] == len(split.past) + len(split.later) - 7


def test_arguments_follow_the_items_that_are_left(small, split):
    later = split.later.head(12).set_axis(["same"] * 12)
    mandatory = np.zeros(12, bool)
    mandatory[5] = True
    with pytest.warns(DataQualityWarning, match="2 rows"):
        decisions = small.select(
            damage(later), 2, mandatory=mandatory, on_error="set_aside"
        )
    chosen = decisions["selected_by"] == "mandatory"
    assert decisions.loc[chosen, "declaration_id"].tolist() == [
        later["declaration_id"].iloc[5]
    ]
    assert decisions.index.tolist() == ["same"] * 10
    with pytest.raises(ArgumentError, match="one entry for each of the 12 items"):
        small.select(later, 2, mandatory=mandatory[:3])


# ---------------------------------------------------------------------- select


def test_select_follows_the_capacity_of_its_policy(small, split):
    later = split.later.head(400)
    policy = Policy(capacity=3, random_share=0.0)
    decisions = small.select(later, policy=policy)
    assert (decisions["channel"] != "green").sum() == 3
    pd.testing.assert_frame_equal(
        decisions, sr.selectivity.select(small.score(later), later, policy=policy)
    )
    with pytest.raises(ArgumentError, match="not both"):
        small.select(later, 0.1, policy=policy)


def test_select_takes_other_tables_than_frames(small, split):
    import pyarrow

    later = split.later.head(50)
    columns = later.dropna(axis=1, how="all")
    expected = small.select(columns, 4)["selected_by"].tolist()
    table = pyarrow.Table.from_pandas(columns, preserve_index=False)
    mandatory = np.zeros(50, bool)
    found = small.select(table, 4, mandatory=mandatory)["selected_by"].tolist()
    assert pd.Series(found).isna().tolist() == pd.Series(expected).isna().tolist()
