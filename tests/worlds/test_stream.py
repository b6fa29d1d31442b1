"""The stream, and the results that a control of other items would have had."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import SCENARIOS, make_declarations, stream_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.schema import DECISIONS, OUTCOMES

KEY = ["declaration_id", "item_number"]
TABLES = ("declarations", "outcomes", "truth", "events")


@pytest.fixture(scope="module")
def world():
    return make_declarations(20_000, random_state=2)


#: Scenarios whose streams differ in what they carry from month to month: reactions and
#: new names, editions of the nomenclature, split orders, hidden findings.
QUICK = ("national", "drift", "parcels", "collusion")


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
        for name in SCENARIOS
    ],
)
def test_the_parts_put_together_are_the_whole(name):
    whole = make_declarations(3_000, random_state=9, scenario=name)
    parts = list(stream_declarations(3_000, random_state=9, scenario=name))
    assert len(parts) == SCENARIOS[name].n_months
    for table in TABLES:
        joined = pd.concat([getattr(p, table) for p in parts], ignore_index=True)
        pd.testing.assert_frame_equal(joined, getattr(whole, table))


def test_a_part_holds_its_month_and_the_results_that_arrived_in_it():
    start = pd.Timestamp("2023-01-01")
    for number, part in enumerate(stream_declarations(3_000, random_state=0)):
        low = start + pd.DateOffset(months=number)
        high = start + pd.DateOffset(months=number + 1)
        assert part.declarations["lodged_at"].between(low, high).all()
        assert (part.outcomes["known_at"] < high).all()
        assert (part.outcomes["known_at"] >= low).all()


def test_a_stream_checks_its_arguments_before_it_starts():
    with pytest.raises(ArgumentError, match="stream_declarations: 'n_items'"):
        stream_declarations(0)


def test_parts_of_a_stream_can_be_skipped():
    third = next(p for k, p in enumerate(stream_declarations(2_000)) if k == 2)
    assert third.first_item > 0
    decided = third.declarations[KEY].assign(channel="yellow")
    whole = make_declarations(2_000)
    pd.testing.assert_frame_equal(third.inspect(decided), whole.inspect(decided))


# -------------------------------------------------------------- new decisions


def test_inspecting_as_in_the_past_gives_the_results_of_the_past(world):
    again = world.inspect(world.decisions())
    both = world.outcomes.merge(again, on=KEY, suffixes=("", "_again"))
    assert len(both) == len(world.outcomes)
    for name in OUTCOMES.names:
        if name in world.outcomes and name not in KEY:
            pd.testing.assert_series_equal(
                both[name], both[f"{name}_again"], check_names=False
            )


def test_past_decisions_are_a_table_of_decisions(world):
    validation = pytest.importorskip("smartrisk.validation")
    decisions = world.decisions()
    validation.validate(decisions, DECISIONS)
    inspected = decisions["channel"] != "green"
    assert (inspected == world.truth["inspected"]).all()
    assert decisions["selected_by"].notna().equals(inspected)
    assert set(decisions["selected_by"].dropna()) == {"rule", "random"}


def test_green_is_not_inspected_and_order_changes_nothing(world):
    some = world.declarations[KEY].sample(500, random_state=0)
    channel = np.resize(["red", "green", "blue"], 500)
    first = world.inspect(some.assign(channel=channel))
    assert len(first) == (channel != "green").sum()
    turned = world.inspect(some.assign(channel=channel).iloc[::-1])
    pd.testing.assert_frame_equal(turned.iloc[::-1].reset_index(drop=True), first)


def test_a_later_decision_gives_a_later_result(world):
    some = world.declarations.head(50)
    late = some["lodged_at"] + pd.Timedelta(days=30)
    soon = world.inspect(some[KEY].assign(channel="red"))
    later = world.inspect(some[KEY].assign(channel="red", decided_at=late))
    assert ((later["known_at"] - soon["known_at"]) == pd.Timedelta(days=30)).all()
    assert (later["illicit"] == soon["illicit"]).all()


def test_a_decision_of_another_time_begins_at_lodgement(world):
    some = world.declarations[KEY].head(50).assign(channel="red")
    today = pd.Timestamp("2100-01-01")
    found = world.inspect(some.assign(decided_at=today))
    pd.testing.assert_frame_equal(found, world.inspect(some))


def test_full_control_finds_most_of_what_is_there(world):
    everything = world.inspect(world.declarations[KEY].assign(channel="red"))
    truth = world.truth["illicit"].to_numpy()
    found = everything["illicit"].to_numpy()
    assert 0.7 < found[truth == 1].mean() < 0.95
    assert found[truth == 0].mean() < 0.015


def test_wrong_decisions_are_refused_with_all_that_is_wrong(world):
    some = world.declarations[KEY].head(3)
    with pytest.raises(TableError, match="lacks the columns"):
        world.inspect(some)
    bad = pd.concat([some, some.head(1)]).assign(channel="purple")
    bad.iloc[1, 0] = "D0"
    with pytest.raises(TableError, match=r"'purple'.*not of this world.*repeated"):
        world.inspect(bad)
