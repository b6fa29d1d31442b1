"""Tables of parts of the items add up to those of all, in any split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import make_declarations
from smartrisk.features import (
    DeclarationFeatures,
    LearnedHistory,
    PartialHistory,
    add_tables,
    index_entries,
    join_results,
    pack_history,
    plan_of,
    recode_items,
    with_tables,
    without_items,
)

ITEMS, VALUES = "register.items", "register.values."


@pytest.fixture(scope="module")
def world():
    return make_declarations(600, random_state=1)


def learn(items, outcomes):
    known = outcomes["declaration_id"].isin(items["declaration_id"])
    key = ["declaration_id", "item_number"]
    if "item_number" in outcomes:
        known &= pd.MultiIndex.from_frame(outcomes[key]).isin(
            pd.MultiIndex.from_frame(items[key])
        )
    results = join_results(items, outcomes[known])
    return LearnedHistory.learn(DeclarationFeatures(), items, results, label_delay=30)


def merge(parts):
    names = parts[0].tables
    made = {
        name: add_tables(name, [part.tables[name] for part in parts])
        for name in names
        if name != ITEMS
    }
    every = {
        name.removeprefix(VALUES): made[name]["id"]
        for name in names
        if name.startswith(VALUES)
    }
    items = []
    for part in parts:
        own = {name: part.tables[f"{VALUES}{name}"]["id"] for name in every}
        items.append(recode_items(part.tables[ITEMS], own, every))
    return made | {ITEMS: add_tables(ITEMS, items)}


def test_tables_of_parts_add_up_to_those_of_all_items(world):
    items = world.declarations
    whole = learn(items, world.outcomes)
    empty = without_items(whole)
    chance = np.random.default_rng(0).integers(0, 3, len(items))
    parts = []
    for number in range(3):
        own = items[chance == number]
        known = world.outcomes.merge(own[["declaration_id", "item_number"]])
        longer, _ = empty.add(own, known)
        parts.append(PartialHistory.from_history(longer, own))
    assert {part.plan for part in parts} == {plan_of(whole)}
    found = with_tables(whole, merge(parts))
    learned, tables = pack_history(found)
    other, others = pack_history(whole)
    assert learned == other
    assert tables.keys() == others.keys()
    for name, columns in others.items():
        for column, values in columns.items():
            np.testing.assert_array_equal(tables[name][column], values, name)
            assert tables[name][column].dtype == values.dtype


def test_identities_with_the_same_beginning_are_added_up_apart():
    near = [2**40, 2**40 + 1, 2**41]  # the first two differ in their last bits only
    tables = []
    for n in (1, 10):
        ids = np.array([near[0], near[0], near[1], near[2]], np.uint64)
        days = np.array([3, 5, 4, 1], np.int32)
        tables.append({"id": ids, "day": days, "n": np.full(4, n)})
    made = add_tables("history.items.office", tables)
    assert made["id"].tolist() == [near[0], near[0], near[1], near[2]]
    assert made["day"].tolist() == [3, 5, 4, 1]
    assert made["n"].tolist() == [11] * 4


def test_an_index_made_in_parts_is_that_of_the_table(world):
    history = learn(world.declarations, world.outcomes)
    tables = PartialHistory.from_history(history, world.declarations).tables
    names = [name for name in tables if "n" in tables[name] and "day" in tables[name]]
    indexed = dict(tables)
    for name in names:
        columns = tables[name]
        parts = [
            {column: values[start : start + 7] for column, values in columns.items()}
            for start in range(0, len(columns["id"]) + 1, 7)  # the last can be empty
        ]
        indexed[name] = index_entries(parts)
    found = with_tables(history, indexed).features.blocks()
    wanted = history.features.blocks()
    for name, table in wanted.items():
        for array in ("ids", "packed", "starts"):
            np.testing.assert_array_equal(
                getattr(found[name], array), getattr(table, array), name
            )
        for total, values in table.totals.items():
            np.testing.assert_array_equal(found[name].totals[total], values)
