"""The engine where calibration, early stopping and a revenue model are at work."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.models import RiskClassifier
from smartrisk.windows import time_split


@pytest.fixture(scope="module")
def later(calibrated_split):
    return calibrated_split.later.head(600)


@pytest.fixture(scope="module")
def scores(calibrated_engine, later):
    return calibrated_engine.score(later)


def test_the_engine_blends_three_kinds_of_trees_and_has_a_revenue_model(
    calibrated_engine,
):
    classifier = calibrated_engine.classifier_
    assert classifier.calibration_ != (1.0, 0.0)
    trees = {m.name: m.n_trees for m in classifier.members_ if m.n_trees}
    assert list(trees) == ["boosting", "forest", "extra_trees"]
    assert trees["boosting"] == classifier.n_estimators
    assert sum(m.weight for m in classifier.members_) == pytest.approx(1.0)
    assert calibrated_engine.regressor_.booster_ is not None


def test_scores_are_the_calibrated_log_odds(calibrated_engine, later, scores):
    slope, intercept = calibrated_engine.classifier_.calibration_
    matrix = calibrated_engine.features_.transform_matrix(later)
    raw = calibrated_engine.classifier_.raw_score(matrix)
    risk = 1 / (1 + np.exp(-(slope * raw + intercept)))
    np.testing.assert_allclose(scores["risk_score"], risk, rtol=1e-12)
    assert np.abs(risk - 1 / (1 + np.exp(-raw))).max() > 1e-4


def test_one_item_equals_the_batch_bitwise(calibrated_engine, later, scores):
    for row in (0, 250, 599):
        one = calibrated_engine.score_one(later.iloc[row].to_dict())
        assert one["risk_score"] == scores["risk_score"].iloc[row]
        assert one["expected_revenue"] == scores["expected_revenue"].iloc[row]
        assert one["model_version"] == scores["model_version"].iloc[row]


def test_reasons_carry_the_calibrated_risk(calibrated_engine, later, scores):
    reasons = calibrated_engine.explain(later.head(20))
    alone = calibrated_engine.explain_one(later.iloc[0].to_dict())
    np.testing.assert_allclose(
        calibrated_engine.classifier_.calibrate(reasons.raw_score),
        scores["risk_score"].head(20),
        rtol=1e-9,
    )
    assert np.array_equal(alone.raw_score, reasons[0].raw_score)


def test_a_loaded_engine_is_bit_identical(calibrated_engine, later, scores, tmp_path):
    again = sr.RiskEngine.load(calibrated_engine.save(tmp_path / "engine"))
    assert again.version_ == calibrated_engine.version_
    pd.testing.assert_frame_equal(again.score(later), scores)


# ------------------------------------------------------------ order and versions


class RecordingClassifier(RiskClassifier):
    """A classifier that keeps what it was trained on."""

    def fit(self, X, y, *, time=None):
        self.trained_on_ = np.column_stack([X, y, time])
        return super().fit(X, y, time=time)


def test_the_order_of_rows_decides_nothing_where_all_times_are_ties(date_only_world):
    declarations, outcomes = date_only_world
    split = time_split(declarations, outcomes)
    small = RecordingClassifier(n_estimators=40)
    one = sr.RiskEngine(classifier=small).fit(split.past, split.known)
    two = sr.RiskEngine(classifier=small).fit(
        split.past.sample(frac=1, random_state=1),
        split.known.sample(frac=1, random_state=2),
    )
    left, right = one.classifier_.trained_on_, two.classifier_.trained_on_
    assert np.array_equal(left, right, equal_nan=True)
    assert one.version_ == two.version_
    later = split.later.head(200)
    pd.testing.assert_frame_equal(one.score(later), two.score(later))


def test_the_version_changes_with_items_and_with_results(date_only_world):
    declarations, outcomes = date_only_world
    split = time_split(declarations, outcomes)
    small = RiskClassifier(n_estimators=5)
    engine = sr.RiskEngine(classifier=small).fit(split.past, split.known)
    versions = [engine.version_]
    known = sr.windows.as_of(declarations, outcomes, split.later["lodged_at"].max())
    new = known.known[~sr.items.are_among(known.known, split.known)]
    for results in (None, new, new):
        engine.update(known.past, results)
        versions.append(engine.version_)
    assert len(set(versions[:3])) == 3
    assert versions[2] == versions[3]
    assert engine.score(split.later.head(1))["model_version"].item() == versions[3]


def test_the_revenue_model_is_trained_on_hits_only(calibrated_engine, calibrated_split):
    past, known = calibrated_split.past, calibrated_split.known
    hits = sr.items.join_by_key(known[known["illicit"] == 1], past)
    stake = hits["customs_value"] * (0.05 + hits["duty_rate"])
    share = hits["revenue_adjustment"].fillna(0).clip(lower=0) / stake
    cut = share.clip(upper=share.quantile(0.995))
    assert calibrated_engine.regressor_.mean_ == pytest.approx(cut.mean(), rel=1e-9)


def test_codes_and_constraints_reach_the_classifier(calibrated_engine):
    names = calibrated_engine.features_.get_feature_names_out()
    classifier = calibrated_engine.classifier_
    codes = {names[k] for k in classifier.categorical}
    assert codes == {name for name in names if name.endswith("__code")} - {"hs6__code"}
    rising = {name for name, m in zip(names, classifier.monotone, strict=True) if m}
    assert rising == {name for name in names if "__hit_rate" in name}


def test_items_without_numbers_are_numbered_by_their_place(document_world, world):
    declarations, outcomes = document_world
    small = RiskClassifier(n_estimators=5)
    numbered = sr.RiskEngine(classifier=small).fit(world.declarations, world.outcomes)
    engine = sr.RiskEngine(classifier=small).fit(declarations, outcomes)
    assert engine.version_ == numbered.version_


def test_the_engine_states_which_share_of_the_items_was_inspected(monkeypatch):
    """Where items were selected, the probability over all items is steeper."""
    world = sr.datasets.make_declarations(1500, scenario="small", random_state=0)
    stated = []
    fit = RiskClassifier.fit

    def spy(self, X, y, *, inspected_share=None, **options):
        stated.append(inspected_share)
        return fit(self, X, y, inspected_share=inspected_share, **options)

    monkeypatch.setattr(RiskClassifier, "fit", spy)
    known = world.outcomes.dropna(subset="illicit")
    sr.RiskEngine(random_state=0).fit(world.declarations, known)
    assert stated == [len(known) / len(world.declarations)]
    assert 0.0 < stated[0] < 0.5
