"""An engine begins without results, and hands over to the model as they come."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.engine import StageReport
from smartrisk.engine._control_kinds import judge_kinds
from smartrisk.errors import DataQualityWarning
from smartrisk.schema import OUTCOMES, SCORES
from smartrisk.validation import validate

#: Items without results: enough for peers, quick to learn.
N_ITEMS = 1_500


@pytest.fixture(scope="module")
def made():
    return sr.datasets.make_declarations(N_ITEMS + 300, random_state=3)


@pytest.fixture(scope="module")
def past(made):
    return made.declarations.head(N_ITEMS)


@pytest.fixture(scope="module")
def later(made):
    return made.declarations.iloc[N_ITEMS:]


@pytest.fixture(scope="module")
def known(made, past):
    of_past = made.outcomes["declaration_id"].isin(past["declaration_id"])
    return made.outcomes[of_past].reset_index(drop=True)


@pytest.fixture(scope="module")
def begun(past):
    return sr.RiskEngine(n_jobs=1).fit(past, None)


@pytest.fixture(scope="module")
def scores(begun, later):
    return begun.score(later)


def fit(past, outcomes):
    """Return an engine of few results, without the warning of few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        return sr.RiskEngine(n_jobs=1).fit(past, outcomes)


def test_without_results_the_scores_are_an_order_and_state_it(begun, scores):
    assert begun.stage_ == "no results"
    assert set(scores["stage"]) == {"no results"}
    assert scores["risk_score"].between(0, 1).all()
    assert scores["risk_score"].nunique() > 250
    assert scores["score_lower"].isna().all()
    assert scores["score_upper"].isna().all()
    assert "no probabilities" in str(begun.stage_report_.message())


def test_without_results_low_prices_come_first(begun, later, scores):
    cheap = later.assign(customs_value=later["customs_value"] / 5)
    lower = begun.score(cheap, guard="off")["risk_score"].to_numpy()
    share = (lower > scores["risk_score"].to_numpy()).mean()
    assert share > 0.8


def test_what_is_at_stake_orders_the_revenue_without_results(later, scores):
    costly = later["customs_value"] > later["customs_value"].quantile(0.9)
    expected = scores["expected_revenue"].to_numpy()
    assert (expected >= 0).all()
    assert np.median(expected[costly]) > 3 * np.median(expected[~costly])


def test_without_results_one_item_scores_as_in_the_batch(begun, later, scores):
    one = begun.score_one(later.iloc[7].to_dict())
    assert one["risk_score"] == scores["risk_score"].iloc[7]
    assert one["expected_revenue"] == scores["expected_revenue"].iloc[7]
    assert one["stage"] == "no results"


def test_without_results_contributions_add_up_to_the_score(begun, later, scores):
    reasons = begun.explain(later)
    raw = reasons.shap.values.sum(axis=1) + reasons.shap.base_values
    risk = scores["risk_score"].to_numpy()
    np.testing.assert_allclose(raw, np.log(risk / (1 - risk)), rtol=0, atol=1e-9)


def test_a_folder_without_results_gives_the_same_scores(begun, later, tmp_path):
    begun.save(tmp_path / "engine")
    again = sr.RiskEngine.load(tmp_path / "engine")
    pd.testing.assert_frame_equal(again.score(later), begun.score(later))
    assert again.version_ == begun.version_
    assert again.stage_report_.frame().equals(begun.stage_report_.frame())


def test_without_results_rules_join_at_the_selection(begun, later):
    costly = sr.selectivity.Condition(field="duty_rate", operator=">", value=0.2)
    rule = sr.selectivity.Rule(rule_id="duty", when=(costly,))
    rules = sr.selectivity.RuleSet(rules=(rule,))
    chosen = begun.select(later, 0.5, rules=rules)
    assert {"model", "rule"} <= set(chosen["selected_by"].dropna())


def test_the_order_of_rows_changes_no_score_without_results(begun, past, later):
    mixed = past.sample(frac=1.0, random_state=1)
    again = sr.RiskEngine(n_jobs=1).fit(mixed)
    assert again.version_ == begun.version_
    pd.testing.assert_frame_equal(again.score(later), begun.score(later))


@pytest.mark.parametrize("kind", ["empty", "misses", "hits"])
def test_one_class_is_no_results(past, later, known, scores, kind):
    if kind == "empty":
        outcomes = known.head(0)
        engine = sr.RiskEngine(n_jobs=1).fit(past, outcomes)
    else:
        outcomes = known[known["illicit"] == (kind == "hits")]
        engine = fit(past, outcomes)
    assert engine.stage_ == "no results"
    report = engine.stage_report_
    assert report.n_results == len(outcomes)
    assert report.signals_weight == 1.0
    # The record of results is no signal: the order is that without any.
    risk = engine.score(later)["risk_score"].to_numpy()
    np.testing.assert_array_equal(risk, scores["risk_score"].to_numpy())


def test_one_result_more_changes_the_order_little(past, later, known, scores):
    hits = known.index[known["illicit"] == 1]
    one = fit(past, known.drop(hits[1:]))
    two = fit(past, known.drop(hits[2:]))
    assert one.stage_ == two.stage_ == "few results"
    weights = [e.stage_report_.signals_weight for e in (one, two)]
    assert 1.0 > weights[0] > weights[1] > 0.8
    before = scores["risk_score"].rank()
    for engine in (one, two):
        rank = engine.score(later)["risk_score"].rank()
        assert before.corr(rank) > 0.9


def test_an_update_does_not_change_what_the_models_learned_from(begun, known):
    engine = begun.copy().update(outcomes=known)
    assert engine.stage_ == "no results"


def own_models():
    """Return models of another library."""
    from sklearn.ensemble import (
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    return {
        "classifier": HistGradientBoostingClassifier(max_iter=5),
        "regressor": HistGradientBoostingRegressor(max_iter=5),
    }


@pytest.mark.parametrize("part", ["classifier", "regressor"])
def test_a_model_that_cannot_learn_is_replaced_with_a_warning(past, later, part):
    own = own_models()[part]
    used = {"classifier": "RiskClassifier", "regressor": "RevenueRegressor"}[part]
    with pytest.warns(DataQualityWarning) as caught:
        engine = sr.RiskEngine(**{part: own}, n_jobs=1).fit(past)
    (warning,) = [w for w in caught if "can learn nothing" in str(w.message)]
    assert warning.filename == __file__
    assert warning.message.message_id == "engine.other_model_used"
    assert f"{type(own).__name__} can learn nothing; {used} is" in str(warning.message)
    assert type(getattr(engine, f"{part}_")).__name__ == used
    assert getattr(engine, part) is own
    assert engine.stage_ == "no results"
    assert engine.score(later)["risk_score"].nunique() > 100


def test_members_that_need_results_are_replaced_with_a_warning(past, known):
    trees = sr.models.RiskClassifier(members=("boosting",))
    none = known[known["illicit"] == 0]
    with pytest.warns(DataQualityWarning) as caught:
        engine = sr.RiskEngine(classifier=trees, n_jobs=1).fit(past, none)
    found = " ".join(str(w.message) for w in caught)
    assert f"from 0 hits and {len(none)} other results" in found
    assert "RiskClassifier(members=('boosting',)) can learn nothing" in found
    assert [m.name for m in engine.classifier_.members_] == ["signals"]


def test_models_that_learn_or_are_the_default_are_not_replaced(past, known):
    hits = known[known["illicit"] == 1]
    for models, outcomes in (({}, None), ({}, hits), (own_models(), known)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sr.RiskEngine(**models, n_jobs=1).fit(past, outcomes)
        assert not [w for w in caught if "can learn nothing" in str(w.message)]


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_names_the_label_column_and_the_remedy(past, known, label):
    one = known[known["illicit"] == label].rename(columns={"illicit": "FRAUDE"})
    columns = sr.schema.ColumnMap({"illicit": "FRAUDE"})
    read = validate(one, OUTCOMES, columns=columns)
    with pytest.warns(DataQualityWarning) as caught:
        engine = sr.RiskEngine(n_jobs=1).fit(past, read)
    (doubts,) = [w for w in caught if "'FRAUDE'" in str(w.message)]
    assert "Check that it is the column of results" in str(doubts.message)
    assert engine.stage_ == "no results"


def test_the_stage_survives_a_file(scores, tmp_path):
    scores.to_csv(tmp_path / "scores.csv", index=False)
    again = validate(pd.read_csv(tmp_path / "scores.csv"), SCORES)
    assert set(again["stage"]) == {"no results"}


@pytest.mark.parametrize(
    ("n_hits", "n_misses", "stage"),
    [
        (0, 0, "no results"),
        (0, 900, "no results"),
        (900, 0, "no results"),
        (1, 1, "few results"),
        (59, 900, "few results"),
        (900, 59, "few results"),
        (60, 60, "model"),
    ],
)
def test_both_classes_decide_the_stage(n_hits, n_misses, stage):
    report = StageReport(
        n_items=2000, n_results=n_hits + n_misses, n_hits=n_hits, signals_weight=0.5
    )
    assert report.stage == stage
    assert report.message().message_id == f"engine.stage_{stage.replace(' ', '_')}"
    assert StageReport.from_plain(report.to_plain()).frame().equals(report.frame())


def controls(known, documentary_hits):
    """Return results whose first half are documentary controls with so many hits."""
    half = len(known) // 2
    kind = np.where(np.arange(len(known)) < half, "documentary", "physical")
    illicit = (np.arange(len(known)) % 4 == 0).astype(int)
    illicit[:half] = np.arange(half) < documentary_hits
    found = known.assign(control_kind=kind, illicit=illicit, offence=None)
    return validate(found.assign(revenue_adjustment=0.0), OUTCOMES)


def test_documentary_controls_without_a_finding_count_less(past, known):
    engine = fit(past, controls(known, documentary_hits=1))
    report = engine.stage_report_
    half = len(known) // 2
    assert (report.n_documentary, report.n_kind_known) == (half, len(known))
    rate = np.mean(np.arange(half, len(known)) % 4 == 0)
    assert report.documentary_weight == pytest.approx(11 / (half * rate + 10))
    assert f"{100 * half / len(known):.0f} %" in str(report.controls_message())


def test_documentary_controls_that_find_as_much_count_in_full(past, known):
    report = fit(past, controls(known, len(known) // 4)).stage_report_
    assert report.documentary_weight == 1.0


def test_classifiers_of_other_libraries_count_all_controls_in_full(past, known):
    classifier = own_models()["classifier"]
    outcomes = controls(known, documentary_hits=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        engine = sr.RiskEngine(classifier=classifier, n_jobs=1).fit(past, outcomes)
    report = engine.stage_report_
    assert report.n_documentary == len(known) // 2
    assert report.documentary_weight == 1.0


def test_the_share_of_documentary_controls_is_unknown_without_their_kind(past, known):
    report = fit(past, known).stage_report_
    assert report.n_documentary is None
    assert "not known" in str(report.controls_message())


def test_a_documentary_hit_counts_in_full():
    labels = pd.DataFrame({"control_kind": ["documentary"] * 400 + ["physical"] * 400})
    hits = np.zeros(800, np.int64)
    hits[[5, *range(400, 480)]] = 1
    kinds = judge_kinds(labels, hits)
    assert kinds.documentary_weight == pytest.approx(11 / 90)
    assert (kinds.weights[hits == 1] == 1).all()
    assert (kinds.weights[:400][hits[:400] == 0] == kinds.documentary_weight).all()
    assert (kinds.weights[400:] == 1).all()


def test_signals_alone_have_intervals_once_results_calibrate_them(made, past, later):
    truth = made.full_outcomes()
    truth = truth[truth["declaration_id"].isin(past["declaration_id"])]
    signals = sr.models.RiskClassifier(members=("signals",))
    with warnings.catch_warnings():  # of results for every item
        warnings.simplefilter("ignore", DataQualityWarning)
        engine = sr.RiskEngine(classifier=signals).fit(past, truth)
        few = sr.RiskEngine(classifier=signals).fit(past, truth.head(20))
    scores = engine.score(later)
    assert (scores["score_lower"] < scores["risk_score"]).all()
    assert (scores["score_upper"] > scores["risk_score"]).all()
    assert few.score(later)["score_lower"].isna().all()
