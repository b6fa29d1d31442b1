"""Suppression stands an attacker who knows everything that is published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.disclosure import Rules, suppress
from smartrisk.errors import ArgumentError, TableError
from tests.disclosure.conftest import BY, Attacker, make_parts, weakest


def cell(office, chapter, values, start=0):
    """Return parts of one cell, each of another trader."""
    names = [f"{office}{chapter}{start + i}" for i in range(len(values))]
    return [
        (office, chapter, name, float(value))
        for name, value in zip(names, values, strict=True)
    ]


def table(rows):
    """Return rows as parts."""
    return pd.DataFrame(rows, columns=[*BY, "trader", "value"])


def status(done):
    """Return the status by office and chapter."""
    return done.frame().set_index(BY)["status"]


@pytest.mark.parametrize("seed", range(6))
def test_no_secret_sum_is_found_within_the_promised_distance(seed):
    parts = make_parts(seed)
    done = suppress(parts, BY)
    assert (done.report()["status"] != "D").any()
    assert weakest(parts, done, insider=False) >= 1 - 1e-5
    assert weakest(parts, done) >= 1 - 1e-5


@pytest.mark.parametrize("seed", [101, 133, 148, 158])
def test_a_small_table_stands_the_attack_of_the_second_largest_trader(seed):
    # Tables in which one side, or what that trader knows, decides what to hide.
    parts = make_parts(seed, 3, 4)
    assert weakest(parts, suppress(parts, BY)) >= 1 - 1e-5


@pytest.mark.slow
def test_a_hundred_small_tables_stand_the_attack_of_the_second_largest_trader():
    for seed in range(100, 200):
        parts = make_parts(seed, 3, 4)
        assert weakest(parts, suppress(parts, BY)) >= 1 - 1e-5


def test_hiding_secret_sums_alone_does_not_stand_the_attack():
    parts = make_parts(1)
    done = suppress(parts, BY)
    frame = done.frame()
    secondary = done.report().query("status == 'D'").set_index(BY)["true_value"]
    assert len(secondary)
    keys = pd.MultiIndex.from_frame(frame[BY])
    frame["value"] = frame["value"].fillna(
        pd.Series(secondary.reindex(keys).to_numpy())
    )
    assert weakest(parts, done, tables=[(None, frame)]) < 1


def test_few_traders_are_secret_and_as_many_as_the_least_are_not():
    parts = table(cell("A", "x", [1] * 5) + cell("B", "x", [1] * 4))
    found = status(suppress(parts, BY, count=True))
    assert found["A", "x"] == "D"
    assert found["B", "x"] == "A"


def test_one_who_dominates_is_secret():
    just = table(cell("A", "x", [75, 5, 5, 5, 5, 5]))
    over = table(cell("A", "x", [76, 5, 5, 5, 5, 4]))
    rules = Rules(dominance=((1, 0.75),), p_percent=0)
    assert status(suppress(just, BY, rules=rules))["A", "x"] == "F"
    assert status(suppress(over, BY, rules=rules))["A", "x"] == "C"


def test_two_who_dominate_together_are_secret():
    over = table(cell("A", "x", [43, 43, 4, 4, 3, 3]))
    rules = Rules(dominance=((2, 0.85),), p_percent=0)
    assert status(suppress(over, BY, rules=rules))["A", "x"] == "C"


def test_the_second_largest_trader_must_not_estimate_the_largest():
    far = table(cell("A", "x", [100, 50, 3, 3, 2, 2]))
    close = table(cell("A", "x", [100, 50, 3, 3, 2, 1.9]))
    rules = Rules(dominance=(), p_percent=10)
    assert status(suppress(far, BY, rules=rules))["A", "x"] == "F"
    found = suppress(close, BY, rules=rules)
    assert status(found)["A", "x"] == "C"


def test_a_secret_count_is_never_exact():
    rng = np.random.default_rng(4)
    parts = table(
        [
            row
            for office in "ABCD"
            for chapter in "xyz"
            for row in cell(office, chapter, [1] * int(rng.integers(2, 12)))
        ]
    )
    done = suppress(parts, BY, count=True)
    for entry in done.report().query("status == 'A'").itertuples():
        attacker = Attacker(parts, [(None, done.frame())])
        low, high = attacker.interval(attacker.row(entry))
        assert low <= entry.true_value - 1 + 1e-6
        assert high >= entry.true_value + 1 - 1e-6


@pytest.mark.slow
def test_an_earlier_release_does_not_give_the_new_cells_away():
    later = make_parts(1)
    before = later[later["chapter"] != "C4"]
    first = suppress(before, BY).frame()
    cells = before[BY].drop_duplicates()
    known = []
    for row in first[first["value"].notna()].itertuples():
        own = cells
        for name in BY:
            if getattr(row, name) != "total":
                own = own[own[name] == getattr(row, name)]
        known.append((own, row.value))
    both = suppress(later, BY, known=known)
    tables = [(None, both.frame()), (cells, first)]
    assert weakest(later, both, tables=tables) >= 1 - 1e-5
    alone = suppress(later, BY)
    tables = [(None, alone.frame()), (cells, first)]
    assert weakest(later, alone, tables=tables) < 1


def test_what_is_public_already_and_gives_a_sum_away_is_an_error():
    parts = table(cell("A", "x", [1]) + cell("A", "y", [1] * 9))
    with pytest.raises(ArgumentError, match="gives away a secret sum"):
        suppress(parts, BY, known=[(parts.iloc[[0]][BY], 1.0)])


def test_a_public_entry_is_not_hidden_to_protect_another():
    parts = make_parts(3)
    first = suppress(parts, BY).frame().query("status == 'D'")
    assert len(first)
    again = suppress(parts, BY, public=first.head(1))
    key = tuple(first.iloc[0][BY])
    assert status(again)[key] == "F"
    assert weakest(parts, again) >= 1 - 1e-5


def test_a_numerator_is_not_protected_beyond_its_denominator():
    parts = table(cell("A", "x", [1] * 3) + cell("B", "x", [1] * 9))
    most = parts.groupby(BY, as_index=False)["value"].sum()
    most.loc[most["office"] == "A", "value"] = 3.0
    most.loc[most["office"] == "B", "value"] = 30.0
    found = suppress(parts, BY, count=True, most=most).report()
    row = found[(found["office"] == "A") & (found["chapter"] == "x")]
    assert row["above"].tolist() == [0.0]
    assert row["below"].tolist() == [1.0]


def test_the_order_of_rows_changes_nothing(parts):
    mixed = parts.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(
        suppress(parts, BY).frame(), suppress(mixed, BY).frame()
    )


def test_large_amounts_are_protected_as_small_ones_are(parts):
    large = parts.assign(value=parts["value"] * 1e7)
    one, other = suppress(parts, BY).frame(), suppress(large, BY)
    assert one["status"].isin(["A", "C"]).tolist() == (
        other.frame()["status"].isin(["A", "C"]).tolist()
    )
    scaled = other.report()
    assert (scaled["above"] >= 0).all()


def test_totals_keep_the_table_of_three_fields_safe():
    parts = make_parts(2)
    parts["month"] = np.where(parts["trader"] < "T20", "01", "02")
    done = suppress(parts, [*BY, "month"])
    assert len(done.frame()) == len(done.frame()[[*BY, "month"]].drop_duplicates())
    assert (done.report()["status"] == "D").any()


def test_negative_and_missing_parts_are_refused(parts):
    parts.loc[0, "value"] = -1.0
    with pytest.raises(TableError, match="negative"):
        suppress(parts, BY)
    with pytest.raises(TableError, match="trader"):
        suppress(parts.drop(columns="trader"), BY)


def test_rules_outside_what_is_allowed_are_refused():
    with pytest.raises(ArgumentError, match="pairs"):
        Rules(dominance=((1, 1.5),))
    with pytest.raises(ArgumentError):
        Rules(min_traders=0)
