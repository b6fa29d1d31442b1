"""Changes of a world: dated, listed as events, and visible in the declarations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from smartrisk.datasets import (
    SCENARIOS,
    Change,
    FraudMix,
    Scenario,
    make_declarations,
)
from smartrisk.evaluation import audit

N = 20_000
STABLE = SCENARIOS["stable"]


def world_with(*changes, **other):
    """Return a world in which only these changes happen."""
    scenario = replace(STABLE, changes=changes, **other)
    return make_declarations(N, random_state=5, scenario=scenario)


@pytest.fixture(scope="module")
def still():
    return world_with()


def halves(world, months=12):
    """Return whether items are lodged after the change."""
    day = pd.Timestamp("2023-01-01") + pd.Timedelta(days=round(months * 365.25 / 12))
    return world.declarations["lodged_at"] >= day


@pytest.mark.slow
def test_a_tariff_step_raises_the_rates_of_its_chapters_from_its_day():
    change = Change(kind="tariff step", month=12, goods=("84", "85"), size=0.1)
    world = world_with(change)
    items = world.declarations[world.declarations["preference"] == "MFN"]
    inside = items["tariff_code"].str[:2].isin(["84", "85"])
    rates = items.groupby([inside, halves(world)[items.index], "tariff_code"])
    rate = rates["duty_rate"].first().unstack(1).dropna()
    assert np.allclose(rate.loc[True, True] - rate.loc[True, False], 0.1)
    assert np.allclose(rate.loc[False, True], rate.loc[False, False])
    assert len(world.events) == 1
    assert world.events["kind"][0] == "tariff step"
    assert world.events["at"][0] == pd.Timestamp("2024-01-01")


def test_a_tariff_step_applies_on_its_day_and_not_before():
    change = Change(kind="tariff step", month=6, goods=("84", "85"), size=0.1)
    with_step, without = world_with(change), world_with()
    # The day of the change: 183 days after the first of January.
    day = pd.Timestamp("2023-07-03")
    rates = []
    for world in (with_step, without):
        items = world.declarations[world.declarations["preference"] == "MFN"]
        lodged = items["lodged_at"].dt.normalize()
        inside = items["tariff_code"].str[:2].isin(["84", "85"])
        on_day = items[inside & (lodged == day)]
        before = items[inside & (lodged < day)]
        rates.append(
            [
                part.groupby("tariff_code")["duty_rate"].max()
                for part in (on_day, before)
            ]
        )
    same_codes = rates[0][0].index.intersection(rates[1][1].index)
    assert len(same_codes) > 1
    gap = rates[0][0][same_codes] - rates[1][1][same_codes]
    assert np.allclose(gap, 0.1)
    assert rates[0][1].equals(rates[1][1])


@pytest.mark.slow
def test_a_trade_agreement_brings_preferences_to_its_partner():
    world = world_with(Change(kind="trade agreement", month=12, origin="JP"))
    items = world.declarations
    preferred = (items["origin"] == "JP") & (items["preference"] == "FTA3")
    after = halves(world)
    assert preferred[~after].sum() == 0
    assert preferred[after].sum() > 100
    assert set(items.loc[items["preference"] == "FTA3", "origin"]) == {"JP"}


def test_an_anti_dumping_duty_is_paid_by_its_goods_and_origin():
    change = Change(kind="anti-dumping", month=12, goods=("85",), origin="CN", size=0.4)
    world = world_with(change)
    items, after = world.declarations, halves(world)
    hit = items["tariff_code"].str.startswith("85") & (items["origin"] == "CN")
    assert (items.loc[hit & after, "duty_rate"] >= 0.4).all()
    assert (items.loc[hit & ~after, "duty_rate"] < 0.41).all()


def test_an_anti_dumping_duty_makes_importers_leave(still):
    # On all goods: few importers decide the origins of a single chapter.
    world = world_with(Change(kind="anti-dumping", month=12, origin="CN", size=0.4))
    before, after = (
        w.declarations[w.declarations["lodged_at"] >= pd.Timestamp("2024-04-15")]
        for w in (still, world)
    )
    fall = (before["origin"] == "CN").mean() - (after["origin"] == "CN").mean()
    assert fall > 0.08


@pytest.mark.slow
def test_a_sourcing_shift_moves_trade_to_another_origin():
    change = Change(
        kind="sourcing shift", month=10, goods=("61", "62"), origin="BD", size=0.7
    )
    items = world_with(change).declarations
    textile = items[items["tariff_code"].str[:2].isin(["61", "62"])]
    late = textile["lodged_at"] >= pd.Timestamp("2024-02-15")
    share = (textile["origin"] == "BD").groupby(late).mean()
    assert share[True] > share[False] + 0.25


@pytest.mark.slow
def test_an_exchange_rate_raises_true_prices_of_its_origin(still):
    change = Change(kind="exchange rate", month=12, origin="CN", size=0.5)
    world = world_with(change)
    both = [
        np.log(w.declarations["customs_value"][(w.truth["illicit"] == 0) & _china(w)])
        for w in (world, still)
    ]
    ratio = both[0].mean() - both[1].mean()
    assert ratio == pytest.approx(0.6 * np.log(1.5), abs=0.08)


def _china(world):
    """Return whether items are of CN and late."""
    return (world.declarations["origin"] == "CN") & halves(world, 12.6)


@pytest.mark.slow
def test_a_new_edition_renumbers_codes_within_their_heading(still):
    world = world_with(Change(kind="nomenclature", month=12, size=0.2))
    items, after = world.declarations, halves(world)
    old = set(items["tariff_code"][~after])
    new = set(items["tariff_code"][after]) - set(still.declarations["tariff_code"])
    assert 0.1 < len(new) / items["tariff_code"][after].nunique() < 0.3
    assert not new & old
    assert {code[:4] for code in new} <= {
        code[:4] for code in still.declarations["tariff_code"]
    }


@pytest.mark.slow
def test_another_policy_controls_another_share():
    world = world_with(Change(kind="policy", month=12, size=0.2))
    share = world.truth["inspected"].groupby(halves(world)).mean()
    assert share[False] == pytest.approx(0.10, abs=0.015)
    assert share[True] == pytest.approx(0.215, abs=0.025)


def test_a_phoenix_wave_multiplies_them_for_six_months():
    wave = Change(kind="phoenix wave", month=12, size=5.0)
    world = world_with(wave, mix=FraudMix(phoenix=0.5))
    phoenix = world.truth["typology"] == "phoenix"
    month = world.declarations["lodged_at"].dt.to_period("M")
    counts = phoenix.groupby(month).mean()
    assert counts.iloc[13:18].mean() > 2.5 * counts.iloc[:12].mean()


@pytest.mark.slow
def test_few_items_are_lodged_on_holidays(still):
    day = still.declarations["lodged_at"].dt.strftime("%m-%d")
    usual = len(day) / 730
    assert (day == "12-25").sum() / 2 < 0.5 * usual
    other = make_declarations(N, random_state=5, scenario=replace(STABLE, holidays=()))
    weekday = other.declarations["lodged_at"].dt.strftime("%m-%d")
    assert (weekday == "12-25").sum() > 2 * (day == "12-25").sum()


@pytest.mark.slow
def test_the_share_of_fraud_swings_around_its_mean():
    world = world_with(swing=0.6)
    month = world.declarations["lodged_at"].dt.to_period("Q")
    rate = world.truth["illicit"].groupby(month).mean()
    assert world.truth["illicit"].mean() == pytest.approx(0.035, rel=0.1)
    assert rate.max() > 1.6 * rate.min()


# ---------------------------------------------------------------- the adversary


def test_an_adaptation_brings_reactions_to_old_findings_too():
    change = Change(kind="adaptation", month=12, size=1.0)
    world = world_with(change, targeted=0.3)
    events = world.events[world.events["kind"] == "reaction"]
    first = pd.Timestamp("2024-01-01")
    assert events["at"].min() == first
    hits = world.outcomes[world.outcomes["illicit"] == 1].merge(world.declarations)
    late = hits["known_at"].between("2023-12-01", first, inclusive="left")
    adapted = set(events.loc[events["at"] == first, "importer_id"])
    assert adapted <= set(hits.loc[hits["known_at"] < first, "importer_id"])
    assert adapted - set(hits.loc[late, "importer_id"])
    # Nothing of the time before is another world.
    before = ~halves(world)
    same = world_with(targeted=0.3).declarations[before]
    assert same.equals(world.declarations[before])


@pytest.mark.slow
def test_reactions_are_events_with_the_old_and_the_new_name():
    world = world_with(adversary=0.9, targeted=0.3)
    events = world.events
    assert set(events["kind"]) == {"reaction"}
    assert set(events["detail"]) == {
        "drops the habit",
        "takes another name",
        "moves to another office",
    }
    renamed = events[events["detail"] == "takes another name"]
    assert renamed["successor_id"].notna().all()
    assert (renamed["successor_id"] != renamed["importer_id"]).all()
    first_seen = world.declarations.groupby("importer_id")["lodged_at"].min()
    seen = renamed[renamed["successor_id"].isin(first_seen.index)]
    assert (first_seen[seen["successor_id"]].to_numpy() >= seen["at"].to_numpy()).all()
    hidden = world.truth["actor_id"].notna() & (world.truth["typology"] != "phoenix")
    other = world.truth["actor_id"] != world.declarations["importer_id"]
    assert set(world.declarations["importer_id"][hidden & other]) <= set(
        renamed["successor_id"]
    )


def test_without_an_adversary_there_is_no_reaction(still):
    assert len(still.events) == 0


# ------------------------------------------------------------------- collusion


def test_colluding_officers_hide_findings_against_their_brokers_only():
    scenario = replace(SCENARIOS["collusion"], targeted=0.4)
    world = make_declarations(N, random_state=5, scenario=scenario)
    truth, officers = world.truth, world.officers
    assert truth["suppressed"].sum() > 8
    hidden = world.declarations[truth["suppressed"]]
    pairs = set(zip(officers["office"], officers["partner_id"], strict=True))
    found = set(zip(hidden["office"], hidden["declarant_id"], strict=True))
    assert found <= pairs
    assert (truth.loc[truth["suppressed"], "illicit"] == 1).mean() > 0.8
    keys = ["declaration_id", "item_number"]
    reported = world.outcomes.merge(truth.loc[truth["suppressed"], keys], on=keys)
    assert (reported["illicit"] == 0).all()
    assert (reported["revenue_adjustment"] == 0).all()


@pytest.mark.slow
def test_offices_without_collusion_hide_nothing(still):
    assert not still.truth["suppressed"].any()
    assert still.officers["partner_id"].isna().all()


# --------------------------------------------------------- the other typologies


@pytest.fixture(scope="module")
def rare():
    """Return a world with many of the rarer kinds of fraud."""
    mix = FraudMix(
        undervaluation=0.2,
        splitting=0.2,
        e_commerce=0.2,
        overvaluation=0.2,
        procedure=0.2,
    )
    scenario = replace(STABLE, parcels=0.3, mix=mix, illicit=0.06)
    return make_declarations(N, random_state=5, scenario=scenario)


def of_kind(world, typology):
    rows = world.truth["typology"] == typology
    return world.declarations[rows], world.truth[rows]


def test_split_orders_are_similar_parcels_below_the_threshold_on_one_day(rare):
    items, truth = of_kind(rare, "splitting")
    assert (items["customs_value"] <= 150.0).all()
    assert (items["duty_rate"] == 0).all()
    assert (truth["evaded_revenue"] > 0).mean() > 0.95
    day = items["lodged_at"].dt.date
    lots = items.groupby(["importer_id", day, "tariff_code"])
    assert (lots.size() >= 2).mean() > 0.9
    assert items["declaration_id"].is_unique
    together = lots["customs_value"].sum()[lots.size() >= 2]
    assert (together > 150).mean() > 0.9


def test_parcels_show_a_tenth_to_a_half_of_their_price(rare):
    items, truth = of_kind(rare, "e-commerce")
    share = items["customs_value"] / truth["true_value"]
    assert 0.15 < share.median() < 0.5
    assert items["transport_mode"].isin(["4", "5"]).all()


def test_overvalued_goods_are_free_and_cost_no_revenue(rare):
    items, truth = of_kind(rare, "overvaluation")
    assert (items["customs_value"] > 1.05 * truth["true_value"]).all()
    assert (items["duty_rate"] == 0).all()
    assert (truth["evaded_revenue"] == 0).all()


def test_abused_procedures_save_the_duty_of_goods_that_stay(rare):
    items, truth = of_kind(rare, "procedure")
    assert items["procedure"].isin(["5100", "5300"]).all()
    assert not truth["true_procedure"].isin(["5100", "5300"]).any()
    assert (items["duty_rate"] == 0).all()
    assert (truth["evaded_revenue"] > 0).all()


def test_a_world_without_parcels_has_none_of_their_fraud():
    world = world_with(parcels=0.0)
    assert not world.declarations["preference"].eq("LOW").any()
    assert not world.truth["typology"].isin(["splitting", "e-commerce"]).any()


@pytest.mark.slow
def test_values_are_in_national_currency():
    one = make_declarations(2_000, random_state=1, scenario=Scenario(parcels=0.0))
    many = make_declarations(
        2_000, random_state=1, scenario=Scenario(parcels=0.0, currency=500.0)
    )
    ratio = many.declarations["customs_value"] / one.declarations["customs_value"]
    assert ratio.median() == pytest.approx(500, rel=0.05)


# --------------------------------------------------------------- no leak, no alarm


def raw(frame):
    """Return the raw columns as numbers, as a naive analysis would."""
    out = frame.select_dtypes(["number", "boolean"]).astype(float)
    out["day"] = (frame["lodged_at"] - frame["lodged_at"].min()).dt.days
    for name in frame.columns.difference([*out.columns, "lodged_at"]):
        out[name] = frame[name].astype("category").cat.codes
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_shallow_tree_solves_no_scenario_and_the_audit_finds_nothing(
    scenario_world, name
):
    world = scenario_world(name)
    X, y = raw(world.declarations), world.truth["illicit"]
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    assert roc_auc_score(y, tree.predict_proba(X)[:, 1]) < 0.75
    assert not audit(world.declarations, world.outcomes).alarms
