"""Every indicator against a table computed by hand, and the laws of the engine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.intervals import wilson_interval
from smartrisk.selectivity import Policy
from smartrisk.statistics import enforcement, read_definitions

#: Numerator, denominator and value of each indicator in all of the example.
BY_HAND = {
    "lodged": (9, None, 9),
    "electronic_share": (8, 9, 8 / 9),
    "channel_share green": (2, 9, 2 / 9),
    "channel_share yellow": (3, 9, 3 / 9),
    "channel_share red": (3, 9, 3 / 9),
    "channel_share blue": (1, 9, 1 / 9),
    "channel_share_final green": (1, 9, 1 / 9),
    "channel_share_final yellow": (3, 9, 3 / 9),
    "channel_share_final red": (4, 9, 4 / 9),
    "channel_share_final blue": (1, 9, 1 / 9),
    "control_rate": (8, 9, 8 / 9),
    "physical_rate": (4, 9, 4 / 9),
    "documentary_rate": (3, 9, 3 / 9),
    "random_share": (3, 8, 3 / 8),
    "discretionary_share": (1, 8, 1 / 8),
    "hit_rate": (3, 6, 3 / 6),
    "hit_rate_risk": (1, 2, 1 / 2),
    "hit_rate_random": (10, 15, 10 / 15),
    "lift": (1 / 2, 2 / 3, None),
    "non_compliance": (7 * 2 / 3 + 1 + 1, 9, (7 * 2 / 3 + 2) / 9),
    "detection_yield": (3, 7 * 2 / 3 + 2, 3 / (7 * 2 / 3 + 2)),
    "seizure_rate": (None, None, None),
    "revenue_per_control": (80, 6, 80 / 6),
    "refunds": (5, None, 5),
    "revenue_uplift": (80, 660, 80 / 660),
    "value_uplift": (200, 1000, 0.2),
    "unresolved_share": (1, 7, 1 / 7),
    "result_latency median": (None, 6, 7.0),
    "result_latency p90": (None, 6, 11.0),
    "result_latency mean": (None, 6, (2 + 4 + 6 + 8 + 10 + 12) / 6),
    "release_time median": (None, 2, 42.0),
    "release_time p90": (None, 2, 66.0),
    "release_time mean": (None, 2, 42.0),
    "release_time physical, median": (None, 2, 42.0),
    "release_time not physical, median": (None, 0, None),
    "lodgement_to_release median": (None, 4, 126.0),
    "lodgement_to_release mean": (None, 4, (60 + 18 + 192 + 912) / 4),
    "same_day": (1, 8, 1 / 8),
    "five_day": (6, 8, 6 / 8),
    "over_a_month": (5, 8, 5 / 8),
    "inspection_time median": (None, 6, 7 * 24.0),
    "override_rate": (1, 9, 1 / 9),
    "override_direction to control": (1, 1, 1.0),
    "override_direction to release": (0, 1, 0.0),
    "override_direction to another lane": (0, 1, 0.0),
    "pca_hit_rate": (1, 2, 1 / 2),
    "pca_yield": (10, 2, 5.0),
    "trusted_value_share": (1500, 7000, 1500 / 7000),
}


def total(statistics, by=("month", "office")):
    """Return the rows of all, by indicator and part."""
    frame = statistics.frame()
    frame = frame[(frame[list(by)] == "total").all(axis=1)]
    names = (frame["indicator"] + " " + frame["part"].fillna("")).str.strip()
    return frame.set_index(names)


def make(tables, **options):
    """Return the statistics of the example as of June."""
    rest = {name: t for name, t in tables.items() if name != "declarations"}
    outcomes, decisions = rest.pop("outcomes"), rest.pop("decisions")
    options = {"as_of": "2024-06-01"} | rest | options
    return enforcement(tables["declarations"], outcomes, decisions, **options)


def same(number, wanted):
    """Return whether a number is the one that is wanted; None for a missing one."""
    return np.isnan(number) if wanted is None else np.isclose(number, wanted)


@pytest.mark.parametrize("name", BY_HAND)
def test_an_indicator_is_what_it_is_by_hand(tables, name):
    row = total(make(tables)).loc[name]
    got = row[["numerator", "denominator", "value"]].tolist()
    fits = [same(g, w) for g, w in zip(got, BY_HAND[name], strict=True)]
    assert all(fits), got


def test_every_indicator_is_computed_by_hand():
    computed = {name.split(" ")[0] for name in BY_HAND}
    assert computed == set(read_definitions())


def test_a_group_is_what_it_is_by_hand(tables):
    frame = make(tables).frame()
    row = frame[(frame["indicator"] == "hit_rate") & (frame["office"] == "A")]
    row = row.set_index("month").loc["2024-01"]
    assert (row["numerator"], row["denominator"], row["pending"]) == (2, 3, 0)


def test_items_can_be_counted_instead_of_declarations(tables):
    rows = total(make(tables, unit="item"))
    assert rows.loc["lodged", "value"] == 10
    assert rows.loc["control_rate", "numerator"] == 8
    assert rows.loc["pca_hit_rate", "unit"] == "declaration"


def test_a_control_is_pending_until_its_result_is_known(tables):
    rows = total(make(tables))
    assert rows.loc["hit_rate", "pending"] == 2
    assert rows.loc["lodged", "pending"] == 0


def test_what_is_decided_later_is_no_control_yet(tables):
    tables["decisions"].loc[5, "decided_at"] = pd.Timestamp("2024-06-01")
    rows = total(make(tables))
    assert rows.loc["control_rate", "numerator"] == 7
    assert rows.loc["channel_share red", "denominator"] == 8


def test_a_declaration_is_pending_while_one_of_its_controls_is(tables):
    decisions = tables["decisions"]
    decisions.loc[1, ["channel", "selected_by"]] = ["red", "random"]
    rows = total(make(tables))
    assert rows.loc["hit_rate", "numerator"] == 2
    assert rows.loc["hit_rate", "pending"] == 3


def test_a_declaration_is_random_only_if_all_its_controls_are(tables):
    tables["decisions"].loc[1, ["channel", "selected_by"]] = ["yellow", "model"]
    assert total(make(tables)).loc["random_share", "numerator"] == 2


def test_an_open_month_has_no_rate_and_is_in_no_total(tables):
    frame = make(tables).frame()
    rows = frame[(frame["month"] == "2024-05") & (frame["office"] == "total")]
    rows = rows.set_index("indicator")
    assert np.isnan(rows.loc["hit_rate", "value"])
    assert rows.loc["hit_rate", "reason"].startswith("open")
    assert rows.loc["hit_rate", "pending"] == 1
    assert rows.loc["control_rate", "value"] == 1.0


def test_without_an_age_everything_known_counts(tables):
    rows = total(make(tables, age=None))
    assert rows.loc["hit_rate", "numerator"] == 4
    assert rows.loc["hit_rate", "denominator"] == 7


def test_months_are_compared_at_equal_age(tables):
    late = tables["outcomes"]
    late.loc[late["declaration_id"] == "D2", "known_at"] = pd.Timestamp("2024-05-10")
    assert total(make(tables)).loc["hit_rate", "numerator"] == 2
    assert total(make(tables, age="120D")).loc["hit_rate", "numerator"] == 3


def test_an_empty_denominator_is_absent_and_never_zero(tables):
    tables["outcomes"] = tables["outcomes"].iloc[:0]
    row = total(make(tables)).loc["hit_rate"]
    assert np.isnan(row["value"])
    assert row["reason"] == "absent: the denominator is empty"


def test_an_indicator_without_its_input_is_absent_with_the_reason(tables):
    declarations = tables["declarations"].drop(columns=["electronic", "duties_taxes"])
    rows = total(make(tables | {"declarations": declarations, "milestones": None}))
    assert rows.loc["electronic_share", "reason"] == (
        "absent: the declarations lack 'electronic'"
    )
    assert "duties_taxes" in rows.loc["revenue_uplift", "reason"]
    assert rows.loc["release_time", "reason"] == "absent: there are no milestones"


def test_without_decisions_a_control_is_a_result(tables):
    made = enforcement(tables["declarations"], tables["outcomes"], as_of="2024-06-01")
    rows = total(made)
    assert rows.loc["control_rate", "numerator"] == 6
    assert rows.loc["hit_rate", "denominator"] == 6
    assert rows.loc["random_share", "reason"] == "absent: there are no decisions"
    assert rows.loc["non_compliance", "reason"] == "absent: there are no decisions"


def test_without_a_random_stratum_nothing_is_estimated(tables):
    by = tables["decisions"]["selected_by"]
    tables["decisions"]["selected_by"] = by.where(by != "random", "model")
    rows = total(make(tables))
    for name in ("hit_rate_random", "non_compliance", "detection_yield", "lift"):
        assert np.isnan(rows.loc[name, "value"])
        assert rows.loc[name, "reason"].startswith("not estimable")


def test_an_estimate_that_covers_too_little_is_not_given(tables):
    tables["decisions"].loc[3, "draw_probability"] = np.nan
    tables["decisions"].loc[3, ["channel", "selected_by"]] = ["green", None]
    row = total(make(tables)).loc["non_compliance"]
    assert "cover less than 95 %" in row["reason"]
    assert np.isnan(row["value"])


def test_a_draw_that_is_not_stated_is_estimated_by_office_and_month(tables):
    tables["decisions"] = tables["decisions"].drop(columns="draw_probability")
    rows = total(make(tables))
    # Office A drew 1 of 3 eligible items, office B 2 of 2: D5 and D7.
    assert rows.loc["hit_rate_random", "denominator"] == pytest.approx(3 + 1)
    assert rows.loc["hit_rate_random", "numerator"] == pytest.approx(3)


def test_a_rate_has_the_interval_of_wilson(tables):
    row = total(make(tables)).loc["hit_rate"]
    low, high = wilson_interval([0.5], [6])
    assert (row["low"], row["high"]) == (low[0], high[0])
    weighted = total(make(tables)).loc["hit_rate_random"]
    low, high = wilson_interval([10 / 15], [15**2 / 125])
    assert weighted["low"] == pytest.approx(low[0])
    assert weighted["high"] == pytest.approx(high[0])


def test_a_milestone_dates_a_cancellation_that_the_status_does_not(tables):
    event = {"declaration_id": "D9", "item_number": 1, "kind": "cancelled"}
    later = pd.DataFrame([event | {"at": pd.Timestamp("2024-07-01")}])
    tables["milestones"] = pd.concat([tables["milestones"], later])
    assert total(make(tables)).loc["lodged", "value"] == 10
    assert total(make(tables, as_of="2024-08-01")).loc["lodged", "value"] == 10


def test_a_hit_of_a_document_counts_for_the_declaration_only(tables):
    outcomes = tables["outcomes"].astype({"illicit": "Int64"})
    outcomes["document_illicit"] = pd.array([True] + [None] * 7, "boolean")
    outcomes.loc[0, "illicit"] = pd.NA
    tables["outcomes"] = outcomes
    assert total(make(tables)).loc["hit_rate", "numerator"] == 3
    assert total(make(tables, unit="item")).loc["hit_rate", "numerator"] == 2


@pytest.fixture(scope="module")
def world():
    """Return a small world with its tables."""
    made = make_declarations(4_000, random_state=2, scenario="small")
    return {
        "declarations": made.declarations,
        "outcomes": made.outcomes,
        "decisions": made.decisions(),
        "milestones": made.milestones(),
    }


def of_world(tables, **options):
    """Return the figures of a world by month, office and mode."""
    rest = {"milestones": tables["milestones"], "by": ("month", "office")} | options
    return enforcement(
        tables["declarations"], tables["outcomes"], tables["decisions"], **rest
    )


def test_what_became_known_later_changes_nothing(world):
    moment = world["declarations"]["lodged_at"].quantile(0.7).normalize()
    columns = {
        "declarations": "lodged_at",
        "outcomes": "known_at",
        "decisions": "decided_at",
        "milestones": "at",
    }
    past = {
        name: table[(table[columns[name]] < moment).to_numpy()]
        for name, table in world.items()
    }
    assert len(past["outcomes"]) < len(world["outcomes"])
    for unit in ("item", "declaration"):
        options = {"as_of": moment, "unit": unit}
        assert_frame_equal(
            of_world(world, **options).frame(), of_world(past, **options).frame()
        )


def test_the_order_of_rows_changes_nothing(world):
    # Uneven draws, whose sums are not exact in any order.
    chance = np.linspace(0.01, 0.9, len(world["decisions"]))
    uneven = world | {"decisions": world["decisions"].assign(draw_probability=chance)}
    mixed = {
        name: table.sample(frac=1, random_state=k)
        for k, (name, table) in enumerate(uneven.items())
    }
    assert_frame_equal(
        of_world(uneven).frame(), of_world(mixed).frame(), check_exact=True
    )


def test_lift_is_as_uncertain_as_the_weighted_rate_below_it(world):
    chance = np.linspace(0.01, 0.9, len(world["decisions"]))
    uneven = world | {"decisions": world["decisions"].assign(draw_probability=chance)}
    made = of_world(uneven, by=(), age=None, unit="item")  # what the draw counts
    rows = made.frame().set_index("indicator")
    risk, drawn, lift = (
        rows.loc[name] for name in ("hit_rate_risk", "hit_rate_random", "lift")
    )
    # The size that Wilson's interval of the weighted rate rests on.
    z, both = 1.959963984540054, drawn["low"] + drawn["high"]
    size = z**2 * (both - 1) / (2 * drawn["value"] - both)
    assert size < 0.7 * drawn["n"]
    spread = sum(
        (1 - rate) / (rate * n)
        for rate, n in ((risk["value"], risk["n"]), (drawn["value"], size))
    )
    factor = np.exp(z * np.sqrt(spread))
    assert lift["high"] == pytest.approx(lift["value"] * factor)
    assert lift["low"] == pytest.approx(lift["value"] / factor)


def test_a_part_of_the_rows_has_the_figures_of_its_group(world):
    largest = world["declarations"]["office"].value_counts().index[0]
    rows = (world["declarations"]["office"] == largest).to_numpy()
    part = {"declarations": world["declarations"][rows]}
    whole, alone = of_world(world).frame(), of_world(world | part).frame()
    whole = whole[whole["office"] == largest].reset_index(drop=True)
    alone = alone[alone["office"] == largest].reset_index(drop=True)
    assert_frame_equal(whole, alone)


def test_parts_add_up_to_their_totals(world):
    for by in (("month",), ("office", "hs2"), ("year", "office", "transport_mode")):
        checks = of_world(world, by=by).reconcile()
        sums = checks[checks["check"].str.startswith("sum of parts")]
        assert len(sums) > 20
        assert (sums["difference"] == 0).all()


def test_what_was_left_out_is_counted(tables):
    checks = make(tables).reconcile().set_index("check")["found"]
    assert checks["declared items"] == 13
    assert checks["lodged at the cut or later"] == 1
    assert checks["status other than valid"] == 1
    assert checks["cancelled or superseded by a milestone"] == 1
    assert checks["items that count"] == 10
    assert checks["items of open months"] == 1
    several = make(tables, by=("hs2",)).reconcile().set_index("check")["found"]
    assert several["declarations with several values of tariff_code"] == 1


def test_a_change_is_relative_to_the_period_before(world):
    change = of_world(world).variation("lodged")
    rows = change[change["office"] == "total"]
    values = rows["value"].to_numpy()
    assert rows["variation"].to_numpy()[1:] == pytest.approx(
        values[1:] / values[:-1] - 1
    )
    assert np.isnan(rows["variation"].iloc[0])
    with pytest.raises(ArgumentError, match="Group by 'month'"):
        of_world(world, by=("office",)).variation("lodged")


def test_a_policy_writes_the_draw_that_the_estimate_weighs_by(world):
    items = world["declarations"].head(1_000)
    risk = np.random.default_rng(0).random(len(items))
    scores = items[["declaration_id", "item_number"]].assign(risk_score=risk)
    must = np.arange(len(items)) < 10
    policy = Policy(capacity=0.1, random_share=0.3)
    made = policy.select(scores, items, mandatory=must)
    assert made["draw_probability"].isna().to_numpy().tolist() == must.tolist()
    # 100 controls, of which 10 are mandatory and 30 are drawn among the 990 others.
    assert np.allclose(made.loc[~must, "draw_probability"], 30 / 990)
    weighted = Policy(capacity=0.1, random_share=0.3, explore="uncertainty")
    assert weighted.select(scores)["draw_probability"].isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": ("moon",)}, "'moon' cannot be one"),
        ({"by": ("office", "office")}, "repeated"),
        ({"unit": "case"}, "'unit' must be"),
        ({"age": "soon"}, "Write it as '90D'"),
        ({"age": "-3D"}, "Write it as '90D'"),
        ({"as_of": "03/04/2024"}, "Write it as '2024-03-31'"),
    ],
)
def test_an_argument_outside_what_is_allowed_is_refused(tables, change, message):
    with pytest.raises(ArgumentError, match=message):
        make(tables, **change)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("declarations", lambda t: t.drop(columns="lodged_at"), "'lodged_at'"),
        (
            "declarations",
            lambda t: pd.concat([t, t.head(2)]),
            r"repeats the key .*of 2 rows",
        ),
        ("declarations", lambda t: t.astype({"lodged_at": "str"}), "must hold dates"),
        ("decisions", lambda t: t.assign(channel="pink"), "unknown channels 'pink'"),
        ("decisions", lambda t: t.assign(selected_by="dice"), "'dice'"),
        ("milestones", lambda t: t.assign(kind="moved"), "unknown kinds 'moved'"),
        ("milestones", lambda t: t.drop(columns="at"), "'at'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tables, table, change, message):
    tables[table] = change(tables[table])
    with pytest.raises((ArgumentError, TableError), match=message):
        make(tables)


def test_no_item_gives_no_figures(tables):
    frame = make(tables, as_of="2023-01-01").frame()
    assert not (frame["n"] > 0).any()
    assert (frame[frame["indicator"] == "lodged"]["value"] == 0).all()


def test_the_result_shows_itself(tables):
    made = make(tables)
    assert repr(made) == (
        "EnforcementStatistics(33 indicators by month, office, as of 2024-06-01 00:00)"
    )
    with pytest.raises(ArgumentError, match="'hit_rate'"):
        made.definition("hit_rat")
    assert "numérateur: count where hit" in made.definition("hit_rate", lang="fr")
