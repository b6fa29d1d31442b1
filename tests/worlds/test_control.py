"""Control in a world: known propensities, missed and false findings, delays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import SCENARIOS, Scenario, make_declarations
from smartrisk.errors import ArgumentError
from smartrisk.schema import CHANNELS, OFFENCES
from smartrisk.worlds._office_policies import Findings

KEY = ["declaration_id", "item_number"]


@pytest.fixture(scope="module")
def world():
    return make_declarations(60_000, random_state=4)


@pytest.fixture(scope="module")
def judged(world):
    """Return the results next to the truth."""
    return world.outcomes.merge(world.truth, on=KEY, suffixes=("", "_true"))


def test_a_tenth_is_inspected_and_every_item_had_a_chance(world):
    truth = world.truth
    assert truth["inspected"].mean() == pytest.approx(0.10, abs=0.01)
    assert (truth["propensity"] >= 0.02 - 1e-12).all()
    assert (truth["propensity"] <= 1).all()


def test_propensities_are_calibrated(world):
    truth = world.truth
    tenth = pd.qcut(truth["propensity"], 10)
    groups = truth.groupby(tenth, observed=True)
    gap = groups["inspected"].mean() - groups["propensity"].mean()
    error = np.sqrt(groups["propensity"].mean() / groups.size())
    assert (gap.abs() < 4 * error).all()


def test_weighting_by_propensity_recovers_the_share_of_fraud(world):
    truth = world.truth
    seen = truth[truth["inspected"]]
    weight = 1 / seen["propensity"]
    estimate = (weight * seen["illicit"]).sum() / weight.sum()
    assert estimate == pytest.approx(truth["illicit"].mean(), abs=0.01)
    assert seen["illicit"].mean() > 1.5 * truth["illicit"].mean()


@pytest.mark.slow
def test_results_are_of_inspected_items_and_known_before_the_end(world):
    inspected = world.truth.loc[world.truth["inspected"], "declaration_id"]
    assert set(world.outcomes["declaration_id"]) < set(inspected)
    assert (world.outcomes["known_at"] < pd.Timestamp("2025-01-01")).all()
    assert not world.outcomes.duplicated(KEY).any()


def test_results_come_days_weeks_or_months_after_lodgement(world):
    both = world.outcomes.merge(world.declarations[[*KEY, "lodged_at"]], on=KEY)
    assert (both["inspected_at"] > both["lodged_at"]).all()
    assert (both["known_at"] > both["inspected_at"]).all()
    delay = (both["known_at"] - both["lodged_at"]).dt.days.groupby(both["channel"])
    assert 3 <= delay.median()["red"] <= 14
    assert 14 <= delay.median()["yellow"] <= 40
    assert delay.min()["blue"] >= 89
    assert delay.max()["blue"] <= 280


def test_results_become_rare_before_the_end(world):
    moment = world.declarations["lodged_at"]
    known = world.truth["declaration_id"].isin(set(world.outcomes["declaration_id"]))
    share = known[world.truth["inspected"]].groupby(moment.dt.to_period("M")).mean()
    assert share.iloc[:12].min() > 0.99
    assert share.iloc[-1] < 0.8


def test_controls_miss_a_tenth_to_a_quarter_and_seldom_find_falsely(judged):
    hit = judged.groupby("illicit_true")["illicit"].mean()
    assert 0.70 < hit[1] < 0.92
    assert 0.003 < hit[0] < 0.012
    hidden = judged[(judged["typology"] == "quantity") & (judged["channel"] == "red")]
    assert hidden["illicit"].mean() > 0.6


def test_codes_are_those_of_the_schema_and_offences_belong_to_hits(world):
    found = world.outcomes
    assert set(found["channel"]) == set(CHANNELS) - {"green"}
    assert set(found["offence"].dropna()) <= set(OFFENCES)
    assert (found["offence"].notna() == (found["illicit"] == 1)).all()
    assert (found.loc[found["illicit"] == 0, "revenue_adjustment"] == 0).all()


def test_recovered_revenue_is_most_of_what_was_evaded(judged):
    right = judged[(judged["illicit"] == 1) & (judged["illicit_true"] == 1)]
    share = right["revenue_adjustment"].sum() / right["evaded_revenue"].sum()
    assert 0.75 < share < 1.0
    merged = judged[judged["illicit"] == 0]
    assert (merged["revenue_adjustment"] == 0).all()


def test_assessed_values_are_below_the_declared_only_where_too_much_was_declared(world):
    both = world.outcomes.merge(world.declarations[[*KEY, "customs_value"]], on=KEY)
    lower = both["assessed_value"] < both["customs_value"] - 0.011
    assert set(both.loc[lower, "offence"]) <= {"other"}
    assert (both.loc[lower, "revenue_adjustment"] == 0).all()
    assert lower.sum() < 20
    raised = both["assessed_value"] > both["customs_value"] + 0.011
    assert set(both.loc[raised, "offence"]) <= {"undervaluation", "quantity"}


def test_officers_work_at_one_office(world):
    both = world.outcomes.merge(world.declarations[[*KEY, "office"]], on=KEY)
    assert (both.groupby("officer_id")["office"].nunique() == 1).all()
    assert both["officer_id"].nunique() > 50


def test_offices_know_a_finding_from_the_moment_on_at_which_it_is_known():
    findings = Findings()
    day = np.datetime64("2024-03-01", "us")
    later = day + np.timedelta64(1, "D")
    importer, relation = np.array([3, 3]), np.array([7, 8])
    findings.add(np.array([day, later]), importer, relation)
    asked = np.array([3, 4])
    assert findings.count(asked, day).tolist() == [0.0, 0.0]
    assert findings.count(asked, later).tolist() == [1.0, 0.0]
    assert findings.relations_known(day, later).tolist() == [7]
    year_later = day + np.timedelta64(366, "D")
    assert findings.count(asked, year_later).tolist() == [1.0, 0.0]


# ------------------------------------------------------------------ scenarios


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_named_scenario_has_a_story_and_its_shares(scenario_world, name):
    scenario = SCENARIOS[name]
    assert scenario.name == name
    assert scenario.story.endswith(".")
    world = scenario_world(name)
    wanted = scenario.targeted + scenario.random
    assert world.truth["inspected"].mean() == pytest.approx(wanted, rel=0.25)
    assert world.truth["illicit"].mean() == pytest.approx(scenario.illicit, rel=0.15)
    assert world.scenario == scenario


def test_a_scenario_can_move_the_dates():
    scenario = replace(SCENARIOS["small"], start="2019-03", n_months=6)
    items = make_declarations(600, scenario=scenario).declarations
    assert items["lodged_at"].min() >= pd.Timestamp("2019-03-01")
    assert items["lodged_at"].max() < pd.Timestamp("2019-09-01")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "n_results"),
    [
        (Scenario(targeted=0.0, random=0.0), 0),
        (Scenario(random=1.0, targeted=0.0), 900),
    ],
)
def test_no_control_gives_no_results_and_full_control_gives_all(scenario, n_results):
    world = make_declarations(1_000, scenario=scenario)
    assert len(world.outcomes) >= n_results
    assert world.truth["inspected"].mean() == round(n_results / 1000)
    assert set(world.describe()) == {"value"}


def test_random_control_alone_is_equally_likely_for_all():
    world = make_declarations(2_000, scenario=Scenario(targeted=0.0, random=0.1))
    assert np.allclose(world.truth["propensity"], 0.1)


@pytest.mark.slow
def test_a_world_without_fraud_is_possible():
    world = make_declarations(2_000, scenario=Scenario(illicit=0.0))
    assert world.truth["illicit"].sum() == 0
    assert world.truth["evaded_revenue"].sum() == 0


@pytest.mark.slow
@pytest.mark.parametrize("n_items", [1, 2, 7, 60])
def test_tiny_worlds_are_complete(n_items):
    world = make_declarations(n_items)
    assert len(world.declarations) == len(world.truth) == n_items
    assert world.describe().loc["items", "value"] == n_items


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_items": 0}, "n_items"),
        ({"n_items": 10.5}, "n_items"),
        ({"random_state": -1}, "random_state"),
        ({"scenario": "nationl"}, "Did you mean 'national'"),
        ({"scenario": 3}, "must be a Scenario"),
    ],
)
def test_a_wrong_argument_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        make_declarations(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_months": 0}, "n_months"),
        ({"illicit": 0.5}, "illicit"),
        ({"random": -0.1}, "random"),
        ({"targeted": 0.8, "random": 0.3}, "exceed 1 together"),
        ({"start": "2023-13"}, "must be a month"),
        ({"n_codes": 3}, "n_codes"),
        ({"traders": 0.0}, "traders"),
    ],
)
def test_a_wrong_scenario_is_refused_in_the_constructor(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Scenario(**arguments)
