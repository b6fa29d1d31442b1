"""Lab 2: each catalogued mistake gets its own hint; every item shows them."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.workshop import check

_TRADER = "trader = lab.past[lab.past['importer_id'] == lab.item['importer_id']]\n"
_OWN = (
    "keys = ['declaration_id', 'item_number']\n"
    "own = trader[[*keys, 'lodged_at']].merge(lab.known, on=keys)\n"
)
_HISTORY = """
import pandas as pd

rows = []
for item in trader.to_dict("records"):
    moment = item["lodged_at"]
    morning = moment.normalize()
    seen = own[own["{by}"] < {results}]
    counts = [(trader["lodged_at"] < {items}).sum(), len(seen), seen["illicit"].sum()]
    rows.append([item["declaration_id"], item["item_number"], *counts])
history = pd.DataFrame(rows, columns=[*keys, "n_items", "inspections", "hits"])
"""
EARLY, SAME_DAY = "counts results before they were known", "counts the same day"


def keep_items(condition, more=""):
    """Return the code of a learner who keeps items of the importer."""
    return f"{_TRADER}earlier = trader[trader['lodged_at'] {condition}]{more}"


def keep_results(condition):
    """Return the code of a learner who keeps results of the importer."""
    return f"{_TRADER}{_OWN}known = own[{condition}]"


def count(by="known_at", items="morning", results="morning"):
    """Return the code of a learner who counts for each item in turn."""
    loop = _HISTORY.format(by=by, items=items, results=results)
    return f"{_TRADER}{_OWN}{loop}"


_WITHOUT = ".drop(index=lab.item.name)"
MISTAKES = [
    ("2.1", SAME_DAY, keep_items("< lab.item['lodged_at']")),
    ("2.1", SAME_DAY, keep_items("<= lab.item['lodged_at']")),
    ("2.1", SAME_DAY, keep_items("<= lab.item['lodged_at']", _WITHOUT)),
    ("2.1", SAME_DAY, keep_items(".dt.normalize() <= day")),
    ("2.1", "counts later items", f"{_TRADER}earlier = trader"),
    ("2.1", "counts later items", f"{_TRADER}earlier = trader{_WITHOUT}"),
    (
        "2.1",
        "counts every importer",
        "earlier = lab.past[lab.past['lodged_at'] < day]",
    ),
    ("2.2", EARLY, keep_results("own['lodged_at'] < day")),
    ("2.2", EARLY, keep_results("own['inspected_at'] < day")),
    ("2.2", "counts later results", keep_results("own['known_at'] < lab.day")),
    (
        "2.2",
        "counts every importer",
        "known = lab.known[lab.known['known_at'] < day]",
    ),
    ("2.3", EARLY, count("lodged_at")),
    ("2.3", EARLY, count("inspected_at")),
    ("2.3", EARLY, count("lodged_at", items="moment", results="moment")),
    ("2.3", SAME_DAY, count(items="moment")),
    ("2.3", SAME_DAY, count(items="moment", results="moment")),
]
#: A seat to whose importer a result came on the day of the item, before its hour.
ARRIVED = 4


@pytest.mark.parametrize(("task", "mistake", "code"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake, code):
    found = hand_in(make_lab(2), task, code)
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("2.2", keep_results("own['known_at'] < lab.item['lodged_at']")),
        ("2.2", keep_results("own['known_at'].dt.normalize() <= day")),
        ("2.3", count(results="moment")),
    ],
)
def test_a_result_of_the_same_morning_is_counted_too_early(
    make_lab, hand_in, task, code
):
    found = hand_in(make_lab(2, seat=ARRIVED), task, code)
    assert found.mistake == SAME_DAY, found.text


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("2.1", keep_items(".dt.normalize() < day", ".sample(frac=1, random_state=1)")),
        ("2.1", keep_items("< day", ".iloc[::-1, ::-1].reset_index(drop=True)")),
        ("2.2", keep_results("own['known_at'] < day") + ".iloc[::-1][keys]"),
        ("2.3", count() + "history = history.astype({'hits': float}).iloc[::-1, ::-1]"),
    ],
)
def test_equal_work_in_another_shape_is_right(make_lab, hand_in, task, code):
    found = hand_in(make_lab(2), task, code)
    assert found.status == "right", found.text


def test_one_count_that_differs_is_not_right(make_lab, run_cells):
    lab = make_lab(2)
    names = run_cells(lab)
    for column in ("n_items", "inspections", "hits"):
        other = names["history"].copy()
        other.loc[other.index[-1], column] += 1
        assert check("2.3", other, lab=lab).status == "wrong", column
    for task, name in (("2.1", "earlier"), ("2.2", "known")):
        answer = names[name]
        for other in (answer.iloc[1:], pd.concat([answer, answer.iloc[:1]])):
            assert check(task, other, lab=lab).status == "wrong", task


@pytest.mark.parametrize("seat", [1, 2, ARRIVED, 921, 922])
def test_the_item_of_every_seat_shows_each_mistake(make_lab, seat):
    """An item of its importer precedes it that day; a control has no result yet."""
    lab = make_lab(2, seat=seat)
    day = lab.item["lodged_at"].normalize()
    items = lab.past[lab.past["importer_id"] == lab.item["importer_id"]]
    lodged = items["lodged_at"]
    assert ((lodged >= day) & (lodged < lab.item["lodged_at"])).any()
    results = items[["declaration_id", "item_number"]].merge(lab.known)
    known = results["known_at"] < day
    assert ((results["inspected_at"] < day) & ~known).any()
    assert results.loc[known, "illicit"].sum() > 0
