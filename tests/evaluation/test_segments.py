"""Segments: what is selected of each, what that finds, and how far they lie apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import make_declarations
from smartrisk.errors import TableError
from smartrisk.evaluation import by_segment, evaluate, standard_segments

KEY = ["declaration_id", "item_number"]


@pytest.fixture(scope="module")
def world():
    return make_declarations(6_000, random_state=0)


@pytest.fixture(scope="module")
def scores(world):
    rng = np.random.default_rng(0)
    risk = world.truth["illicit"] * 0.5 + rng.random(len(world.truth))
    return world.declarations[KEY].assign(risk_score=risk)


def test_segments_add_up_to_the_whole(world, scores):
    truth = world.full_outcomes()
    parts = standard_segments(world.declarations, truth=world.truth)
    table = by_segment(scores, truth, parts, rate=0.05).frame()
    whole = evaluate(scores, truth, rates=(0.05,), n_bootstrap=0).frame().iloc[0]
    for _, part in table.groupby("segment"):
        assert part["n_items"].sum() == 6_000
        assert part["hits"].sum() == world.truth["illicit"].sum()
        assert part["n_selected"].sum() == pytest.approx(300)
        found = (part["precision"] * part["n_selected"]).sum()
        assert found / 300 == pytest.approx(whole["precision"])


def test_recall_by_kind_of_fraud_is_told(world, scores):
    parts = {"typology": world.truth["typology"]}
    table = by_segment(scores, world.full_outcomes(), parts).frame()
    table = table.set_index("value")
    assert np.isnan(table.loc["none", "recall"])
    assert table.loc["undervaluation", "precision"] == 1.0
    assert (table["base_rate"].drop("none") == 1.0).all()


def test_intervals_hold_the_rates_and_are_wider_where_there_is_less(world, scores):
    parts = {"office": world.declarations["office"]}
    table = by_segment(scores, world.full_outcomes(), parts, rate=0.2).frame()
    for name in ("base_rate", "selection_rate", "precision", "recall"):
        told = table[table[name].notna()]
        assert (told[f"{name}_low"] <= told[name] + 1e-9).all()
        assert (told[name] <= told[f"{name}_high"] + 1e-9).all()
    width = table["selection_rate_high"] - table["selection_rate_low"]
    assert width[table["n_judged"].idxmin()] > width[table["n_judged"].idxmax()]


def test_small_segments_say_so_and_are_not_compared(world, scores):
    few = np.where(np.arange(6_000) < 10, "few", np.where(scores.index % 2, "a", "b"))
    result = by_segment(scores, world.full_outcomes(), {"part": few}, rate=0.2)
    notes = result.frame().set_index("value")["note"]
    assert notes["few"] == "fewer than 30 items with a result"
    assert notes["a"] == ""
    gaps = result.gaps()
    assert set(gaps["lowest"]) | set(gaps["highest"]) <= {"a", "b"}
    assert (gaps["difference"] >= 0).all()


def test_a_planted_gap_is_found_and_clear():
    n = 4_000
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(n)]})
    office = np.where(np.arange(n) % 2, "x", "y")
    rng = np.random.default_rng(0)
    rate = np.where(office == "x", 0.3, 0.05)
    truth = key.assign(illicit=(rng.random(n) < rate).astype(int))
    told = by_segment(key.assign(risk_score=rng.random(n)), truth, {"office": office})
    gap = told.gaps().set_index("measure").loc["base_rate"]
    assert (gap["lowest"], gap["highest"]) == ("y", "x")
    assert gap["difference"] == pytest.approx(0.25, abs=0.03)
    assert gap["clear"]


def test_items_without_a_result_are_counted_and_not_judged(world, scores):
    table = by_segment(
        scores, world.outcomes, {"mode": world.declarations["transport_mode"]}
    ).frame()
    assert table["n_items"].sum() == 6_000
    assert table["n_judged"].sum() == len(world.outcomes)


def test_standard_segments_know_new_importers_and_sections(world):
    items = world.declarations
    late, past = items.iloc[4_000:], items.iloc[:4_000]
    parts = standard_segments(late, past=past, most=5)
    assert parts.index.equals(late.index)
    new = ~late["importer_id"].isin(past["importer_id"])
    assert ((parts["importer_novelty"] == "new") == new).all()
    assert ((parts["importer_size"] == "new") == new).all()
    assert parts["office"].nunique() == 6
    section = parts.groupby(late["tariff_code"].str[:2])["section"].first()
    assert section["01"] == "I"
    assert section["85"] == section["84"] == "XVI"


def test_what_is_not_aligned_is_refused(world, scores):
    with pytest.raises(TableError, match="'office' has 3 values for 6000"):
        by_segment(scores, world.full_outcomes(), {"office": ["a", "b", "c"]})
    with pytest.raises(TableError, match="risk_score"):
        by_segment(scores[KEY], world.full_outcomes(), {})


def test_what_is_missing_or_national_is_no_section(world):
    codes = ["010121", "970110", "990000", "770000", "", None]
    items = pd.DataFrame({"tariff_code": codes, "office": ["a", None, *"aaaa"]})
    parts = standard_segments(items)
    expected = ["I", "XXI", "other", "other", "missing", "missing"]
    assert parts["section"].tolist() == expected
    assert parts["office"].tolist() == ["a", "missing", *"aaaa"]


def test_truth_of_other_items_is_refused(world):
    items = world.declarations
    with pytest.raises(TableError, match="6000 rows of 'truth' are of other items"):
        standard_segments(items, truth=world.truth.iloc[::-1])
    with pytest.raises(TableError, match="one row for each of 6000 items; got 5"):
        standard_segments(items, truth=world.truth.head())


def test_rates_that_stand_on_little_say_which(world, scores):
    mode = {"mode": world.declarations["transport_mode"]}
    table = by_segment(scores, world.full_outcomes(), mode, rate=20).frame()
    large = table[(table["n_judged"] >= 30) & (table["hits"] >= 30)]
    assert len(large)
    assert (large["note"] == "fewer than 30 items for precision").all()
