"""Segments: what is selected of each, what that finds, and how far they lie apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
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


def test_recall_by_kind_of_fraud_is_given(world, scores):
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
        found = table[table[name].notna()]
        assert (found[f"{name}_low"] <= found[name] + 1e-9).all()
        assert (found[name] <= found[f"{name}_high"] + 1e-9).all()
    width = table["selection_rate_high"] - table["selection_rate_low"]
    assert width[table["n_judged"].idxmin()] > width[table["n_judged"].idxmax()]


def test_small_segments_are_noted_and_not_compared(world, scores):
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
    found = by_segment(key.assign(risk_score=rng.random(n)), truth, {"office": office})
    gap = found.gaps().set_index("measure").loc["base_rate"]
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
    parts = standard_segments(late, past=past, max_values=5)
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


def test_a_missing_or_national_chapter_has_no_section(world):
    codes = ["010121", "970110", "990000", "770000", "", None]
    items = pd.DataFrame({"tariff_code": codes, "office": ["a", None, *"aaaa"]})
    parts = standard_segments(items)
    expected = ["I", "XXI", "other", "other", "missing", "missing"]
    assert parts["section"].tolist() == expected
    assert parts["office"].tolist() == ["a", "missing", *"aaaa"]


def test_truth_is_joined_by_key_whatever_its_order_and_length(world):
    late = world.declarations.iloc[4_000:]
    parts = standard_segments(late, truth=world.truth.sample(frac=1, random_state=0))
    assert parts["typology"].tolist() == world.truth["typology"][4_000:].tolist()
    assert parts[KEY].equals(late[KEY])


def test_truth_without_the_items_is_refused(world):
    items = world.declarations
    with pytest.raises(TableError, match="'truth' lacks 5995 of the 6000 items, such"):
        standard_segments(items, truth=world.truth.head())
    with pytest.raises(TableError, match="columns missing in 'truth': 'typology'"):
        standard_segments(items, truth=world.truth[KEY])
    repeated = pd.concat([world.truth, world.truth.head(2)])
    with pytest.raises(TableError, match=r"'truth' repeats the key .* of 2 rows"):
        standard_segments(items, truth=repeated)


# --------------------------------------------------------------- joined by key


def test_segments_of_more_items_are_joined_by_key(world, scores):
    late = scores.iloc[5_000:]
    parts = standard_segments(world.declarations)
    truth = world.full_outcomes()
    whole = by_segment(late, truth, parts.sample(frac=1, random_state=0)).frame()
    aligned = standard_segments(world.declarations).iloc[5_000:].drop(columns=KEY)
    pd.testing.assert_frame_equal(whole, by_segment(late, truth, aligned).frame())
    assert whole.groupby("segment")["n_items"].sum().eq(1_000).all()
    with pytest.raises(TableError, match="'segments' lacks 1000 of the 1000 items"):
        by_segment(late, truth, parts.head(5_000))


def test_scores_that_repeat_or_lack_a_value_are_refused(world, scores):
    truth, parts = world.full_outcomes(), standard_segments(world.declarations)
    with pytest.raises(TableError, match=r"SCORES repeats the key .* of 3 rows"):
        by_segment(pd.concat([scores, scores.head(3)]), truth, parts)
    with pytest.raises(TableError, match=r"OUTCOMES repeats the key .* of 3 rows"):
        by_segment(scores, pd.concat([truth, truth.head(3)]), parts)
    risk = scores["risk_score"].where(scores.index >= 2)
    with pytest.raises(TableError, match=r"'risk_score' .* missing .* for 2 judged"):
        by_segment(scores.assign(risk_score=risk), truth, parts)
    with pytest.raises(TableError, match="no column or value to split by"):
        by_segment(scores, truth, {})


# ------------------------------------------------------------------- decisions


def test_real_decisions_are_judged_by_what_they_controlled(world):
    decisions, outcomes = world.decisions(), world.outcomes
    parts = standard_segments(world.declarations)[[*KEY, "office"]]
    table = by_segment(decisions, outcomes, parts.sample(frac=1, random_state=1))
    frame = table.frame().set_index("value")
    controlled = (decisions["channel"] != "green").to_numpy()
    judged = decisions.merge(outcomes, on=KEY, how="left")["illicit"]
    for office, row in frame.iterrows():
        inside = (parts["office"] == office).to_numpy()
        known = inside & controlled & judged.notna().to_numpy()
        assert row["n_selected"] == (inside & controlled).sum()
        assert row["selection_rate"] == (inside & controlled).sum() / inside.sum()
        assert row["n_selected_judged"] == known.sum()
        assert row["precision"] == pytest.approx(judged[known].mean(), nan_ok=True)
    assert frame["n_items"].sum() == frame["n_selectable"].sum() == 6_000


def test_controls_without_a_result_do_not_lower_precision():
    key = pd.DataFrame({"declaration_id": list("abcd")})
    decisions = key.assign(channel=["red", "red", "green", "green"])
    outcomes = key.head(1).assign(illicit=1)
    row = by_segment(decisions, outcomes, {"office": ["x"] * 4}).frame().iloc[0]
    assert row["precision"] == 1.0
    assert (row["n_selected"], row["n_selected_judged"]) == (2.0, 1.0)
    assert row["selection_rate"] == 0.5


def test_ties_at_the_edge_are_shared_by_segments():
    key = pd.DataFrame({"declaration_id": list("abcd")})
    scores = key.assign(risk_score=[0.9, 0.5, 0.5, 0.5])
    parts = {"office": ["x", "x", "y", "z"]}
    table = by_segment(scores, key.assign(illicit=[1, 0, 0, 1]), parts, rate=2).frame()
    assert table["n_selected"].tolist() == pytest.approx([4 / 3, 1 / 3, 1 / 3])


def test_with_all_results_known_decisions_and_their_ranking_agree(world, scores):
    truth, parts = world.full_outcomes(), standard_segments(world.declarations)
    best = scores["risk_score"].rank(method="first", ascending=False) <= 300
    decisions = scores[KEY].assign(channel=np.where(best, "red", "green"))
    by_rank = by_segment(scores, truth, parts, rate=300).frame()
    pd.testing.assert_frame_equal(by_rank, by_segment(decisions, truth, parts).frame())


def test_decisions_need_a_channel_each_and_no_rate(world):
    decisions, parts = world.decisions(), standard_segments(world.declarations)
    with pytest.raises(ArgumentError, match="'rate' is for SCORES"):
        by_segment(decisions, world.outcomes, parts, rate=0.05)
    channel = decisions["channel"].where(decisions.index >= 4)
    with pytest.raises(TableError, match=r"without a channel in DECISIONS: 4, such"):
        by_segment(decisions.assign(channel=channel), world.outcomes, parts)
    key = decisions[KEY]
    with pytest.raises(TableError, match="columns missing in SCORES: 'risk_score'"):
        by_segment(key, world.outcomes, parts)


def test_rates_of_few_items_are_noted_by_name(world, scores):
    mode = {"mode": world.declarations["transport_mode"]}
    table = by_segment(scores, world.full_outcomes(), mode, rate=20).frame()
    large = table[(table["n_judged"] >= 30) & (table["hits"] >= 30)]
    assert len(large)
    assert (large["note"] == "fewer than 30 items for precision").all()
