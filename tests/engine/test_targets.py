"""An engine that looks for one finding: labels, history, signals, version, folders."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import smartrisk as sr
from smartrisk.errors import ArgumentError, ArtefactError, DataQualityWarning
from smartrisk.features import DeclarationFeatures, Key
from smartrisk.items import TARGETS, count_targets
from smartrisk.models import RevenueRegressor, RiskClassifier

TARGET = "offence:undervaluation"


def quick(**settings):
    """Return an engine of few trees, without signals."""
    return sr.RiskEngine(
        features=DeclarationFeatures((Key(("importer_id",)), Key(("hs6",)))),
        classifier=RiskClassifier(5, members=("boosting",)),
        regressor=RevenueRegressor(n_estimators=5),
        n_jobs=1,
        **settings,
    )


def by_hand(outcomes):
    """Return results whose hits are the undervaluations, as an analyst would."""
    other = outcomes["offence"].ne("undervaluation").fillna(True).to_numpy(bool)
    labelled = outcomes.copy()
    labelled.loc[other, "illicit"] = 0
    labelled.loc[other, "revenue_adjustment"] = 0.0
    return labelled


@pytest.fixture(scope="module")
def split(calibrated_split):
    return calibrated_split


@pytest.fixture(scope="module")
def fitted(split):
    return quick(target=TARGET).fit(split.past, split.known)


@pytest.fixture(scope="module")
def usual(split):
    return quick().fit(split.past, split.known)


def figures(scores):
    """Return what a score consists of, its version and its moment apart."""
    return scores.drop(columns=["model_version", "scored_at"])


def test_an_engine_of_a_target_is_one_of_outcomes_that_were_filtered_by_hand(
    fitted, split
):
    wanted = quick().fit(split.past, by_hand(split.known))
    assert fitted._state.history.digests() == wanted._state.history.digests()
    assert fitted._state.models == wanted._state.models
    assert repr(fitted.stage_report_) == repr(wanted.stage_report_)
    pd.testing.assert_frame_equal(
        figures(fitted.score(split.later.head(80))),
        figures(wanted.score(split.later.head(80))),
    )
    # What it looks for decides what a score means.
    assert fitted.version_ != wanted.version_


def test_labels_history_and_calibration_are_not_those_of_any_hit(fitted, usual, split):
    counts = count_targets(split.known)
    assert fitted.stage_report_.n_hits == counts[TARGET] < counts["hit"]
    assert fitted.stage_report_.n_results == usual.stage_report_.n_results
    assert fitted._state.history.digests() != usual._state.history.digests()
    later = split.later.head(200)
    mean = fitted.score(later)["risk_score"].mean()
    assert mean < usual.score(later)["risk_score"].mean()


def test_the_usual_target_is_written_nowhere(usual, split, tmp_path):
    stated = quick(target="hit").fit(split.past, split.known)
    assert stated.version_ == usual.version_
    folder = usual.save(tmp_path / "engine")
    content = json.loads((folder / "engine.json").read_text())
    assert "target" not in content
    assert "target" not in content["settings"]
    assert sr.RiskEngine.load(folder).target_ == "hit"


def test_a_target_is_a_setting_that_is_saved_copied_and_described(
    fitted, split, tmp_path
):
    folder = fitted.save(tmp_path / "engine")
    loaded = sr.RiskEngine.load(folder)
    for engine in (loaded, fitted.copy(), clone(fitted).fit(split.past, split.known)):
        assert engine.target == engine.target_ == TARGET
        assert engine.version_ == fitted.version_
        assert engine.describe()["target"] == TARGET
    assert fitted.get_params()["target"] == TARGET
    assert TARGET in repr(fitted)
    item = split.later.iloc[[0]]
    one = loaded.score_one(item.iloc[0].to_dict())
    assert one["risk_score"] == fitted.score(item)["risk_score"].iloc[0]
    assert one["model_version"] == fitted.version_
    # A parameter that is set later is for the next fit.
    assert loaded.set_params(target="hit").target_ == TARGET


def test_a_folder_with_a_target_that_does_not_exist_is_refused(fitted, tmp_path):
    from smartrisk.engine._saved_content import read_content

    folder = fitted.save(tmp_path / "engine")
    content = json.loads((folder / "engine.json").read_text())
    content["target"] = "area:revenue"
    with pytest.raises(ArtefactError, match="'target'"):
        read_content({"engine.json": json.dumps(content)}, "engine.json")


def test_an_update_labels_results_by_the_target_and_forgets_as_usual(split):
    first = len(split.known) * 2 // 3
    early, late = split.known.iloc[:first], split.known.iloc[first:]
    with warnings.catch_warnings():  # the latest months have no result yet
        warnings.simplefilter("ignore", DataQualityWarning)
        engine = quick(target=TARGET).fit(split.past, early)
        hand = quick().fit(split.past, by_hand(early))
    engine.update(split.later, late)
    hand.update(split.later, by_hand(late))
    assert engine._state.history.digests() == hand._state.history.digests()
    assert engine.target_ == TARGET
    version = engine.version_
    trader = split.past["importer_id"].iloc[0]
    engine.forget(importer_id=trader)
    hand.forget(importer_id=trader)
    assert engine._state.history.digests() == hand._state.history.digests()
    assert engine.version_ != version != hand.version_ != engine.version_
    assert engine.target_ == TARGET


def test_hits_without_an_offence_are_left_out_with_a_warning_that_counts(split):
    known = split.known.copy()
    hits = known.index[known["illicit"] == 1]
    known.loc[hits[:7], "offence"] = None
    with pytest.warns(DataQualityWarning, match="7 hits without an 'offence'"):
        engine = quick(target=TARGET).fit(split.past, known)
    assert engine.stage_report_.n_results == len(known) - 7
    with pytest.warns(DataQualityWarning, match="update: 7 hits"):
        engine.update(None, known, on_known="keep")
    assert engine.last_update_.frame().loc["results", "set_aside"] == 7


def test_a_target_without_a_hit_is_refused_with_the_counts_and_nothing_changes(
    fitted, split
):
    engine = fitted.copy().set_params(target="area:drugs")
    with pytest.raises(ArgumentError, match="area:drugs 0") as error:
        engine.fit(split.past, split.known)
    counts = count_targets(split.known)
    assert all(f"{name} {counts[name]}" in str(error.value) for name in TARGETS)
    assert engine.version_ == fitted.version_
    with pytest.raises(ArgumentError, match="hit 0"):
        engine.fit(split.past, None)
    with pytest.raises(ArgumentError, match="'target' must be one of"):
        quick(target="drugs").fit(split.past, split.known)


@pytest.mark.slow
def test_with_few_hits_the_stage_holds_without_the_signals_that_follow_duty(split):
    known = split.known.copy()
    hits = known.index[known["illicit"] == 1]
    known["area"] = "revenue"
    known.loc[hits[:12], "area"] = "drugs"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        engine = sr.RiskEngine(target="area:drugs", n_jobs=1).fit(split.past, known)
        usual = sr.RiskEngine(n_jobs=1).fit(split.past, known.head(300))
    assert engine.stage_ == "few results"
    assert engine.stage_report_.n_hits == 12
    assert engine.stage_report_.signals_weight > 0
    info = engine.features_.feature_info_
    weights = np.array(engine.classifier_.suspicion)
    duty = np.array(
        [not {"duty_rate", "duties_taxes"}.isdisjoint(i.fields) for i in info]
    )
    stated = np.array([i.suspicion for i in info])
    assert (stated[duty] != 0).any()
    assert (weights[duty] == 0).all()
    np.testing.assert_array_equal(weights[~duty], stated[~duty])
    np.testing.assert_array_equal(usual.classifier_.suspicion, stated)
    reasons = engine.explain(split.later.head(40))
    assert reasons.target == "area:drugs"
    french = [text for texts in reasons.sentences(lang="fr") for text in texts]
    assert not any("irrégularité" in text for text in french)
