"""What is published of a result gives no trader away."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError
from smartrisk.statistics import compare, enforcement, publish

CHAPTERS = ["84", "87"]
CHOSEN = ["lodged", "control_rate", "hit_rate", "revenue_per_control"]


@pytest.fixture(scope="module")
def world():
    """Return declarations, results and decisions of a small world."""
    world = make_declarations(3_000, random_state=0)
    return world.declarations, world.outcomes, world.decisions()


@pytest.fixture(scope="module")
def figures(world):
    """Return figures by office and chapter."""
    declarations, outcomes, decisions = world
    some = declarations["tariff_code"].astype(str).str[:2].isin(CHAPTERS)
    return enforcement(
        declarations[some],
        outcomes,
        decisions,
        by=("office", "hs2"),
        unit="item",
        age=None,
    )


@pytest.fixture(scope="module")
def release(figures):
    """Return what is safe to publish of the figures."""
    return publish(figures, indicators=CHOSEN)


def joined(figures, release):
    """Return the figures next to what was published of them."""
    keys = ["indicator", "part", "office", "hs2"]
    both = figures.frame().merge(release.frame(), on=keys, suffixes=("", "_out"))
    assert len(both) == len(release.frame())
    return both


def test_what_is_published_is_what_was_computed(figures, release):
    both = joined(figures, release)
    for name in ("numerator", "denominator", "value", "low", "high"):
        shown = both[f"{name}_out"].notna()
        assert shown.any()
        assert (both.loc[shown, name] == both.loc[shown, f"{name}_out"]).all()


def test_a_hidden_numerator_or_denominator_hides_the_rate(figures, release):
    both = joined(figures, release)
    rates = both[both["indicator"] == "hit_rate"]
    hidden = rates["numerator"].notna() & rates["numerator_out"].isna()
    assert hidden.any()
    assert rates.loc[hidden, ["value_out", "low_out", "high_out"]].isna().all(axis=None)
    assert (rates.loc[hidden, "status"] != "F").all()
    removed = rates["denominator"].notna() & rates["denominator_out"].isna()
    assert removed.any()
    assert rates.loc[removed, ["numerator_out", "n_out"]].isna().all(axis=None)


def test_a_rate_of_none_or_all_of_few_is_not_published(figures, release):
    both = joined(figures, release).query("indicator in ['hit_rate', 'control_rate']")
    none_or_all = (both["value"] == 0) | (both["value"] == 1)
    few = none_or_all & (both["denominator"] < 50)
    assert few.any()
    assert both.loc[few, "value_out"].isna().all()


def test_few_traders_behind_a_count_hide_it(world, figures, release):
    declarations = world[0]
    hs2 = declarations["tariff_code"].astype(str).str[:2]
    n = declarations.groupby([declarations["office"].astype(str), hs2])[
        "importer_id"
    ].nunique()
    out = release.frame().query("indicator == 'lodged' and office != 'total'")
    out = out[out["hs2"] != "total"].set_index(["office", "hs2"])
    few = n.reindex(out.index) < 5
    assert few.any()
    assert (out["status"] == "A").eq(few).all()


def test_an_attacker_with_all_counts_finds_no_secret_count(figures, release):
    true = figures.frame().query("indicator == 'lodged'")
    out = release.frame().query("indicator == 'lodged'").reset_index(drop=True)
    true = true.reset_index(drop=True)
    cells = true[(true["office"] != "total") & (true["hs2"] != "total")]
    members = np.ones((len(true), len(cells)))
    for name in ("office", "hs2"):
        label = true[name].to_numpy()[:, None]
        members *= (label == "total") | (label == cells[name].to_numpy()[None, :])
    shown = out["value"].notna().to_numpy()
    secret = np.flatnonzero(out["status"] == "A")
    assert len(secret)
    for entry in secret:
        for sign in (1, -1):
            solved = linprog(
                sign * members[entry],
                A_eq=members[shown],
                b_eq=out["value"][shown],
                method="highs",
            )
            found = sign * solved.fun if solved.status == 0 else np.inf
            assert abs(found - true["value"][entry]) >= 1 - 1e-6


def test_the_next_release_hides_what_the_earlier_would_give_away(world):
    declarations, outcomes, decisions = world
    office = str(declarations["office"].mode()[0])
    own = declarations["declaration_id"][declarations["office"] == office]
    before = declarations[declarations["declaration_id"] != own.iloc[0]]
    then, now = (
        enforcement(rows, outcomes, decisions, by=("office",), age=None)
        for rows in (before, declarations)
    )
    earlier = publish(then, indicators=["lodged"])
    alone = publish(now, indicators=["lodged"]).frame().set_index("office")
    both = publish(now, indicators=["lodged"], earlier=[earlier]).frame()
    both = both.set_index("office")
    # One declaration more is what one trader did.
    for group in (office, "total"):
        assert alone.loc[group, "status"] == "F"
        assert both.loc[group, "status"] == "D"
        assert np.isnan(both.loc[group, "value"])
    same = publish(
        now, indicators=["lodged"], earlier=[publish(now, indicators=["lodged"])]
    )
    pd.testing.assert_frame_equal(same.frame().set_index("office"), alone)


def test_estimates_and_medians_are_withheld(figures):
    out = publish(figures, indicators=["hit_rate_random", "result_latency"]).frame()
    assert (out["status"] == "N").all()
    assert (
        out[["numerator", "denominator", "value", "low", "high", "n"]]
        .isna()
        .all(axis=None)
    )


def test_an_earlier_release_that_was_rounded_is_refused(figures):
    rounded = publish(figures, indicators=CHOSEN[:1], rounding=5)
    with pytest.raises(ArgumentError, match="was rounded to 5"):
        publish(figures, indicators=CHOSEN[:1], earlier=[rounded])


def test_rounded_figures_are_multiples_of_the_base(figures):
    out = publish(figures, indicators=CHOSEN, rounding=5).frame()
    counts = out["denominator"].dropna()
    assert len(counts)
    assert (counts % 5 == 0).all()
    rates = out[out["indicator"].isin(["hit_rate", "control_rate"])]["value"].dropna()
    assert rates.between(0, 1).all()


@pytest.mark.slow
def test_the_order_of_rows_changes_nothing(world, figures, release):
    declarations, outcomes, decisions = world
    some = declarations["tariff_code"].astype(str).str[:2].isin(CHAPTERS)
    mixed = declarations[some].sample(frac=1, random_state=3)
    other = enforcement(
        mixed, outcomes, decisions, by=("office", "hs2"), unit="item", age=None
    )
    again = publish(other, indicators=CHOSEN).frame()
    pd.testing.assert_frame_equal(again, release.frame())


def test_a_saved_result_does_not_carry_what_traders_did(figures):
    again = pickle.loads(pickle.dumps(figures))
    pd.testing.assert_frame_equal(again.frame(), figures.frame())
    with pytest.raises(ArgumentError, match="loaded or sent"):
        publish(again)


def test_columns_replaced_after_the_result_do_not_change_what_is_published(world):
    declarations, outcomes, decisions = world
    own = declarations.copy()
    figures = enforcement(own, outcomes, decisions, by=("office",))
    before = publish(figures, indicators=["lodged"]).frame()
    own["importer_id"] = "one"
    pd.testing.assert_frame_equal(
        publish(figures, indicators=["lodged"]).frame(), before
    )


def test_without_importers_nothing_is_published(world):
    declarations, outcomes, decisions = world
    figures = enforcement(
        declarations.drop(columns="importer_id"), outcomes, decisions, by=("office",)
    )
    with pytest.raises(ArgumentError, match="importer_id"):
        publish(figures, indicators=["lodged"])


def test_unknown_indicators_and_other_groups_are_refused(world, figures, release):
    with pytest.raises(ArgumentError, match="no indicators"):
        publish(figures, indicators=["hits"])
    by_office = enforcement(*world, by=("office",))
    with pytest.raises(ArgumentError, match="earlier release"):
        publish(by_office, indicators=["lodged"], earlier=[release])
    with pytest.raises(ArgumentError, match="same fields"):
        compare(release, publish(by_office, indicators=["lodged"]))


def test_definitions_that_differ_come_first_and_are_not_subtracted(world, tmp_path):
    text = """
[[indicator]]
id = "control_rate"
measure = "share"
numerator = "count where physical"
denominator = "count"
name = {en = "Control rate", fr = "Taux", es = "Tasa"}
definition = {en = "Physical only.", fr = "Physique.", es = "Físico."}
"""
    names = ["lodged", "control_rate"]
    ours = publish(enforcement(*world, by=("office",)), indicators=names)
    theirs = publish(
        enforcement(*world, by=("office",), definitions=text), indicators=names
    )
    both = compare(ours, theirs)
    found = both.definitions()
    assert found["what"].tolist() == ["numerator"]
    assert found["ours"].tolist() == ["count where controlled"]
    frame = both.frame()
    first = frame["indicator"] == "control_rate"
    assert first.head(int(first.sum())).all()
    assert frame.loc[first, "difference"].isna().all()
    assert frame.loc[~first, "difference"].dropna().eq(0).all()
    assert frame.loc[~first, "comparable"].all()


def test_the_total_of_no_groups_is_published(world):
    out = publish(enforcement(*world, by=()), indicators=["lodged"]).frame()
    assert out["value"].tolist() == [world[0]["declaration_id"].nunique()]
