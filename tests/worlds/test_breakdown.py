"""The composition of a set: shares that add up, and rates with their counts."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.datasets import PublicSet, breakdown, make_declarations
from smartrisk.errors import ArgumentError


@pytest.fixture(scope="module")
def world():
    return make_declarations(3_000, random_state=0)


@pytest.fixture
def small():
    items = pd.DataFrame(
        {
            "declaration_id": ["a", "b", "c", "d"],
            "item_number": [1, 1, 1, 1],
            "lodged_at": pd.to_datetime(
                ["2024-01-01", "2024-01-02", "2024-04-01", "2024-04-06"]
            ),
            "office": ["x", "x", "y", "y"],
            "origin": ["CN", "CN", "CN", None],
            "duty_rate": [0.0, 0.065, 0.065, 0.07],
            "transport_mode": ["10", "40", "6", "1"],
        }
    )
    found = items[["declaration_id", "item_number"]].iloc[[0, 2, 3]]
    return PublicSet(declarations=items, outcomes=found.assign(illicit=[1, 0, 1]))


def indexed_table(subject, **more):
    return breakdown(subject, **more).frame().set_index(["group", "name"])


def test_shares_and_rates_are_counted_by_hand(small):
    table = indexed_table(small)
    value, base = table["value"], table["base"]
    assert value["duty rate", "6.5 %"] == 0.5
    assert value["duty rate", "13 %"] == 0.0
    assert (value["origin", "CN"], base["origin", "CN"]) == (1.0, 3)
    assert value["mode", "sea"] == 0.5
    assert value["mode", "other"] == 0.25
    assert value["weekday", "Mon"] == 0.5
    assert value["month", "04"] == 0.5
    assert value["missing", "origin"] == 0.25
    assert value["hit rate by quarter", "2024Q2"] == 0.5
    assert base["hit rate by office"].to_dict() == {"x": 1, "y": 2}


def test_the_shares_of_a_group_add_up_to_one(world):
    table = breakdown(world).frame()
    shares = table[~table["group"].str.contains("missing|hit rate")]
    sums = shares.groupby("group")["value"].sum()
    assert sums.round(9).eq(1.0).all()
    assert set(sums.index) == {"duty rate", "origin", "mode", "weekday", "month"}


def test_results_by_quarter_and_by_office_are_all_results(world):
    table = breakdown(world).frame()
    for word in ("quarter", "office"):
        rates = table[table["group"] == f"hit rate by {word}"]
        assert rates["base"].sum() == len(world.outcomes)
        hits = (rates["value"] * rates["base"]).sum()
        assert round(hits) == world.outcomes["illicit"].sum()


def test_a_reference_keeps_names_that_only_it_has(world, small):
    table = breakdown(world, reference=small).frame()
    assert not table.duplicated(["group", "name"]).any()
    row = table.set_index(["group", "name"]).loc[("hit rate by office", "y")]
    assert pd.isna(row["value"])
    assert (row["reference"], row["reference_base"]) == (0.5, 2)
    shares = table[~table["group"].str.contains("missing|hit rate")]
    sums = shares.groupby("group")["reference"].sum()
    assert sums.round(9).eq(1.0).all()
    days = table.loc[table["group"] == "weekday", "name"].tolist()
    assert days == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    turns = (table["group"] != table["group"].shift()).sum()
    assert turns == table["group"].nunique()


def test_order_of_items_changes_nothing(world):
    mixed = world.declarations.sample(frac=1.0, random_state=1)
    other = breakdown(PublicSet(declarations=mixed, outcomes=world.outcomes)).frame()
    key = ["group", "name"]
    pd.testing.assert_frame_equal(
        other.sort_values(key, ignore_index=True),
        breakdown(world).frame().sort_values(key, ignore_index=True),
    )


def test_published_shares_name_their_source(world):
    table = breakdown(world).frame()
    assert (table["published"].notna() == table["source"].ne("")).all()
    assert table["published"].notna().sum() == 18


@pytest.mark.parametrize("thing", [3, pd.DataFrame({"lodged_at": []})])
def test_what_has_no_declarations_is_refused(thing):
    with pytest.raises(ArgumentError, match="breakdown: 'subject'"):
        breakdown(thing)
