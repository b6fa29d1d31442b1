"""Worlds of the independent family: the same interface, another construction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import (
    INDEPENDENT_SCENARIOS,
    SCENARIOS,
    IndependentScenario,
    TrickMix,
    make_declarations,
    read_world,
    stream_declarations,
    write_world,
)
from smartrisk.errors import ArgumentError
from smartrisk.schema import DECLARATIONS, OUTCOMES

KEY = ["declaration_id", "item_number"]
TABLES = ("declarations", "outcomes", "truth", "events")
NAMES = tuple(INDEPENDENT_SCENARIOS)


@pytest.fixture(scope="module", params=NAMES)
def world(request):
    return make_declarations(8_000, random_state=1, scenario=request.param)


@pytest.fixture(scope="module")
def stable():
    return make_declarations(20_000, random_state=2, scenario="independent-stable")


def test_there_are_five_presets_and_none_hides_another_scenario():
    assert len(INDEPENDENT_SCENARIOS) == 5
    assert not set(INDEPENDENT_SCENARIOS) & set(SCENARIOS)
    for scenario in INDEPENDENT_SCENARIOS.values():
        assert len(scenario.story) > 80


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_equal_tables_and_another_seed_others(name):
    once, again = (
        make_declarations(1_000, random_state=3, scenario=name) for _ in range(2)
    )
    for table in (*TABLES, "officers"):
        pd.testing.assert_frame_equal(getattr(once, table), getattr(again, table))
    other = make_declarations(1_000, random_state=4, scenario=name)
    assert not other.declarations["customs_value"].equals(
        once.declarations["customs_value"]
    )


@pytest.mark.parametrize("n_items", [1, 2, 40, 2_001])
def test_a_world_has_as_many_items_as_asked(n_items):
    world = make_declarations(n_items, scenario="independent-newcomers")
    assert len(world.declarations) == len(world.truth) == n_items


def test_the_tables_pass_validation_as_they_are(world):
    validation = pytest.importorskip("smartrisk.validation")
    for frame, table in (
        (world.declarations, DECLARATIONS),
        (world.outcomes, OUTCOMES),
        (world.full_outcomes(), OUTCOMES),
    ):
        valid = validation.validate(frame, table)
        pd.testing.assert_frame_equal(valid[list(frame)], frame)
        assert list(frame) == [name for name in table.names if name in set(frame)]


def test_keys_are_unique_and_items_come_by_time_within_the_extract(world):
    items = world.declarations
    assert not items.duplicated(KEY).any()
    assert items["lodged_at"].is_monotonic_increasing
    assert items["lodged_at"].min() >= pd.Timestamp("2023-01-01")
    assert items["lodged_at"].max() < pd.Timestamp("2025-01-01")
    document = items.groupby("declaration_id")
    for name in ("lodged_at", "office", "importer_id", "declarant_id"):
        assert (document[name].nunique() == 1).all()


def test_every_item_has_one_truth_and_true_declarations_state_it(world):
    items, truth = world.declarations, world.truth
    assert truth[KEY].equals(items[KEY])
    clean = truth["illicit"] == 0
    assert (truth["typology"].eq("none") == clean).all()
    assert (truth.loc[clean, "true_tariff_code"] == items["tariff_code"][clean]).all()
    assert (truth.loc[clean, "true_origin"] == items["origin"][clean]).all()
    assert (truth.loc[clean, "true_value"] == items["customs_value"][clean]).all()
    assert (truth.loc[clean, "evaded_revenue"] == 0).all()
    assert (truth["since"].isna() == clean).all()
    assert (truth["since"].dropna() <= items["lodged_at"][~clean]).all()


def test_results_come_after_their_item_and_are_of_inspected_items(world):
    both = world.outcomes.merge(
        world.declarations[[*KEY, "lodged_at"]], on=KEY, validate="1:1"
    ).merge(world.truth[[*KEY, "inspected"]], on=KEY)
    assert len(both) == len(world.outcomes) > 0
    assert both["inspected"].all()
    assert (both["inspected_at"] > both["lodged_at"]).all()
    assert (both["known_at"] > both["inspected_at"]).all()
    assert (both["known_at"] < pd.Timestamp("2025-01-01")).all()


def test_the_share_of_fraud_and_of_control_is_that_of_the_scenario(world):
    scenario = world.scenario
    n = len(world.truth)
    illicit, inspected = (world.truth[c].mean() for c in ("illicit", "inspected"))
    assert illicit == pytest.approx(scenario.illicit, rel=0.2)
    error = 4 * np.sqrt(scenario.inspected / n)
    assert inspected == pytest.approx(scenario.inspected, abs=error)


def test_a_false_item_saves_duty_or_hides_goods(world):
    items, truth = world.declarations, world.truth
    kind = truth["typology"]
    swapped = kind == "misclassification"
    code = items["tariff_code"]
    assert (code[swapped] != truth["true_tariff_code"][swapped]).all()
    assert (code.str[:2] == truth["true_tariff_code"].str[:2]).all()
    moved = kind == "false origin"
    assert (items["origin"][moved] != truth["true_origin"][moved]).all()
    assert (items["duty_rate"][moved] == 0).all()
    low = kind.isin(["undervaluation", "phoenix"])
    assert (items["customs_value"][low] < truth["true_value"][low]).all()
    assert (truth["evaded_revenue"][kind == "concealment"] > 0).all()


def test_duties_follow_from_value_and_rate(world):
    items = world.declarations
    duty = items["customs_value"] * items["duty_rate"]
    owed = duty + 0.18 * (items["customs_value"] + duty)
    assert np.allclose(items["duties_taxes"], owed, atol=0.02)


def test_propensities_are_calibrated(stable):
    truth = stable.truth
    groups = truth.groupby(pd.qcut(truth["propensity"], 8), observed=True)
    gap = groups["inspected"].mean() - groups["propensity"].mean()
    error = np.sqrt(groups["propensity"].mean() / groups.size())
    assert (gap.abs() < 4 * error).all()


def test_officers_do_better_than_chance_and_miss_a_part(stable):
    both = stable.outcomes.merge(stable.truth, on=KEY, suffixes=("", "_true"))
    assert both["illicit_true"].mean() > 1.3 * stable.truth["illicit"].mean()
    hit = both.groupby("illicit_true")["illicit"].mean()
    assert 0.35 < hit[1] < 0.85
    assert hit[0] < 0.02
    assert set(both["control_kind"]) == {
        "documentary",
        "non_intrusive",
        "physical",
        "post_clearance",
    }


def test_past_decisions_give_the_past_results(stable):
    again = stable.inspect(stable.decisions())
    both = again.merge(stable.outcomes, on=KEY, suffixes=("", "_past"))
    assert len(both) == len(stable.outcomes)
    for name in ("channel", "control_kind", "known_at", "illicit", "officer_id"):
        assert (both[name] == both[f"{name}_past"]).all()


def test_a_result_does_not_depend_on_what_else_is_inspected(stable):
    items = stable.declarations[KEY].assign(channel="red")
    some = items.iloc[5:50]
    few = stable.inspect(some)
    whole = stable.inspect(items).iloc[5:50].reset_index(drop=True)
    pd.testing.assert_frame_equal(few, whole)


def test_a_larger_share_of_random_control_leaves_fewer_choices_to_the_officers():
    chance = replace(INDEPENDENT_SCENARIOS["independent-stable"], chance=1.0)
    truth = make_declarations(3_000, scenario=chance).truth
    assert np.allclose(truth["propensity"], 0.1)
    assert set(truth["selected_by"].dropna()) == {"random"}


def test_the_fall_of_the_currency_raises_all_prices_at_once():
    world = make_declarations(8_000, random_state=1, scenario="independent-drift")
    items = world.declarations
    price = np.log(items["customs_value"] / items["net_mass_kg"].where(lambda m: m > 0))
    price -= price.groupby(items["tariff_code"]).transform("median")
    fall = world.events.set_index("kind")["at"]["devaluation"]
    days = (items["lodged_at"] - fall).dt.days
    before, after = price[days.between(-60, -1)], price[days.between(0, 59)]
    assert after.median() - before.median() == pytest.approx(0.3, abs=0.12)


def test_fraud_moves_to_other_traders_in_the_world_that_drifts():
    world = make_declarations(20_000, random_state=1, scenario="independent-drift")
    truth = world.truth[world.truth["illicit"] == 1]
    late = world.declarations["lodged_at"][truth.index] >= world.events["at"][0]
    seen = set(truth.loc[~late, "actor_id"])
    assert (~truth.loc[late, "actor_id"].isin(seen)).mean() > 0.3


def test_short_lived_names_hide_one_trader():
    world = make_declarations(20_000, random_state=1, scenario="independent-newcomers")
    short = world.truth["typology"] == "phoenix"
    names = world.declarations["importer_id"][short]
    assert names.nunique() > 2 * world.truth.loc[short, "actor_id"].nunique()
    every = world.declarations[world.declarations["importer_id"].isin(names)]
    life = every.groupby("importer_id")["lodged_at"].agg(np.ptp).dt.days
    assert life.max() <= 90


def test_round_amounts_are_honest_as_a_rule(stable):
    value = stable.declarations["customs_value"]
    even = (value % 10 == 0) & (value > 100)
    assert even.mean() > 0.05
    assert stable.truth["illicit"][even].mean() < 0.1


@pytest.mark.parametrize(
    "name", ["importer_id", "declarant_id", "consignor_id", "carrier_id"]
)
def test_names_carry_no_leak(stable, name):
    known = stable.declarations[name].notna()
    number = stable.declarations.loc[known, name].str[1:].astype(np.int64)
    frame = pd.DataFrame({"number": number, "y": stable.truth["illicit"][known]})
    frame = frame.groupby("number")["y"].max().reset_index()
    assert abs(frame["number"].corr(frame["y"], method="spearman")) < 0.2


def test_months_put_together_are_the_whole():
    whole = make_declarations(1_500, random_state=9, scenario="independent-drift")
    parts = list(
        stream_declarations(1_500, random_state=9, scenario="independent-drift")
    )
    assert len(parts) == 24
    for table in TABLES:
        joined = pd.concat([getattr(p, table) for p in parts], ignore_index=True)
        pd.testing.assert_frame_equal(joined, getattr(whole, table))


def test_a_part_gives_the_results_of_the_whole():
    whole = make_declarations(1_500, random_state=9, scenario="independent-stable")
    parts = stream_declarations(1_500, random_state=9, scenario="independent-stable")
    part = next(p for k, p in enumerate(parts) if k == 3)
    decisions = part.declarations[KEY].assign(channel="yellow")
    pd.testing.assert_frame_equal(part.inspect(decisions), whole.inspect(decisions))


def test_a_world_is_written_and_read_again(tmp_path):
    world = make_declarations(300, scenario="independent-concealed")
    again = read_world(write_world(world, tmp_path / "world"))
    assert again.scenario == world.scenario
    for table in (*TABLES, "officers"):
        pd.testing.assert_frame_equal(getattr(again, table), getattr(world, table))


def test_a_file_of_a_scenario_names_its_family(tmp_path):
    path = tmp_path / "own.toml"
    scenario = IndependentScenario(illicit=0.1, tricks=TrickMix(weights=0.5))
    scenario.to_toml(path)
    assert make_declarations(200, scenario=path).scenario == scenario


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"family": "other"}, "family"),
        ({"illicit": 0.9}, "illicit"),
        ({"n_months": 0}, "n_months"),
        ({"start": "2023-13"}, "start"),
        ({"tricks": {"weights": 1.0}}, "TrickMix"),
    ],
)
def test_a_wrong_setting_is_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        IndependentScenario(**arguments)


def test_a_mix_without_a_trick_is_refused():
    with pytest.raises(ArgumentError, match="at least one share"):
        TrickMix(
            underpricing=0,
            code_swap=0,
            origin_swap=0,
            weights=0,
            concealment=0,
            short_lived=0,
        )


def test_a_scenario_shows_itself_in_a_notebook():
    html = INDEPENDENT_SCENARIOS["independent-drift"]._repr_html_()
    assert "short_lived 0.12" in html
    assert '<th style="text-align:left">devaluation</th>' in html
