"""Capacity is exact, ties are settled by key, and the propensity is the true one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError, TableError
from smartrisk.selectivity import Policy, inclusion, select
from smartrisk.selectivity._quotas import make_groups


def scores_of(values, revenue=None):
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k:04d}" for k in range(len(values))],
            "item_number": 1,
            "risk_score": np.asarray(values, float),
            "expected_revenue": np.asarray(
                values if revenue is None else revenue, float
            ),
        }
    )


TIED = st.lists(st.sampled_from([0.1, 0.2, 0.2, 0.9]), min_size=1, max_size=60)


def decide(scores, capacity, *, declarations=None, rules=None, **settings):
    """Return the decisions of a policy with some settings."""
    asked = {
        name: settings.pop(name)
        for name in ("mandatory", "releases")
        if name in settings
    }
    policy = Policy(capacity=capacity, **settings)
    return select(scores, declarations, policy=policy, rules=rules, **asked)


def chosen(decisions):
    return set(decisions.loc[decisions["selected_by"].notna(), "declaration_id"])


@given(TIED, st.integers(0, 70), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_the_capacity_is_met_exactly_with_ties(values, k, random_share):
    made = decide(scores_of(values), k, random_share=random_share)
    assert len(chosen(made)) == min(k, len(values))
    assert len(made) == len(values)


@given(TIED, st.floats(0, 1))
def test_a_share_gives_the_rounded_number(values, share):
    made = decide(scores_of(values), share)
    assert len(chosen(made)) == min(int(np.floor(share * len(values) + 0.5)), 60)


def test_nothing_and_everything():
    scores = scores_of(np.linspace(0, 1, 50))
    assert chosen(decide(scores, 0)) == set()
    assert chosen(decide(scores, 0.0)) == set()
    assert len(chosen(decide(scores, 50))) == 50
    assert len(chosen(decide(scores, 1.0))) == 50
    assert (decide(scores, 1.0)["propensity"] == 1.0).all()


@given(TIED, st.integers(1, 30), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_decision(values, k, random):
    scores = scores_of(values)
    order = list(range(len(values)))
    random.shuffle(order)
    left = decide(scores, k).set_index("declaration_id").sort_index()
    right = decide(scores.iloc[order], k).set_index("declaration_id").sort_index()
    pd.testing.assert_frame_equal(left, right)


def test_without_a_random_share_the_best_are_chosen():
    values = np.random.default_rng(0).permutation(100) / 100
    made = decide(scores_of(values), 10, random_share=0.0)
    assert set(np.flatnonzero(made["selected_by"].notna())) == set(
        np.argsort(-values)[:10]
    )
    assert made.loc[made["rank"] == 1].index[0] == values.argmax()


def test_the_random_share_does_not_depend_on_the_scores():
    rng = np.random.default_rng(1)
    left = decide(scores_of(rng.random(400)), 80, random_share=0.25)
    right = decide(scores_of(rng.random(400)), 80, random_share=0.25)
    drawn = left["selected_by"] == "random"
    assert drawn.sum() == 20
    assert drawn.equals(right["selected_by"] == "random")


def test_another_seed_draws_other_items():
    scores = scores_of(np.linspace(0, 1, 400))
    left = decide(scores, 80, random_share=0.25, random_state=0)
    right = decide(scores, 80, random_share=0.25, random_state=1)
    assert not (left["selected_by"] == "random").equals(
        right["selected_by"] == "random"
    )


def test_mandatory_items_come_first_and_use_capacity():
    scores = scores_of(np.linspace(0, 1, 100))
    must = np.arange(100) < 6
    made = decide(scores, 10, mandatory=must, random_share=0.0)
    assert (made.loc[must, "selected_by"] == "mandatory").all()
    assert len(chosen(made)) == 10
    assert (made.loc[must, "propensity"] == 1.0).all()
    crowded = decide(scores, 3, mandatory=must)
    assert chosen(crowded) == set(scores.loc[must, "declaration_id"])


def test_capacity_by_office_is_exact_per_group():
    scores = scores_of(np.linspace(0, 1, 90))
    items = pd.DataFrame({"office": ["a"] * 60 + ["b"] * 30})
    made = decide(scores, 9, declarations=items, per="office")
    counts = made["selected_by"].notna().groupby(items["office"]).sum()
    assert counts.to_dict() == {"a": 6, "b": 3}
    named = decide(scores, {"a": 1, "b": 4}, declarations=items, per="office")
    counts = named["selected_by"].notna().groupby(items["office"]).sum()
    assert counts.to_dict() == {"a": 1, "b": 4}


@pytest.mark.parametrize(
    ("n", "drawn", "taken"), [(6, 2, 1), (7, 3, 2), (5, 0, 2), (5, 2, 0), (4, 2, 2)]
)
def test_the_propensity_is_that_of_all_draws(n, drawn, taken):
    from itertools import combinations

    count = np.zeros(n)
    draws = list(combinations(range(n), drawn))
    for draw in draws:
        rest = [rank for rank in range(n) if rank not in draw][:taken]
        count[[*draw, *rest]] += 1
    np.testing.assert_allclose(inclusion(n, drawn, taken), count / len(draws))


@given(st.integers(1, 200), st.integers(0, 60), st.integers(0, 60))
def test_propensities_sum_to_the_controls(n, drawn, taken):
    drawn = min(drawn, n)
    taken = min(taken, n - drawn)
    found = inclusion(n, drawn, taken)
    assert found.sum() == pytest.approx(drawn + taken)
    assert (np.diff(found) <= 1e-12).all()


def test_a_selection_names_the_arm_that_made_it():
    scores = scores_of(np.linspace(0, 1, 300))
    must = np.arange(300) % 100 == 0
    made = decide(scores, 60, mandatory=must, random_share=0.2, red_share=0.5)
    by = made["selected_by"].value_counts().to_dict()
    assert by == {"model": 45, "random": 12, "mandatory": 3}
    released = made["selected_by"].isna()
    assert (made.loc[released, "channel"] == "green").all()
    assert set(made.loc[~released, "channel"]) == {"red", "yellow"}
    by_model = made[made["selected_by"] == "model"]
    best = by_model["rank"].to_numpy()[np.argsort(-by_model.index)]
    assert (np.diff(best) > 0).all()


def test_ranks_follow_who_selects_and_then_the_score():
    scores = scores_of(np.linspace(0, 1, 300))
    must = np.arange(300) % 100 == 0
    made = decide(scores, 60, mandatory=must, random_share=0.2).sort_values("rank")
    arms = ["mandatory"] * 3 + ["model"] * 45 + ["random"] * 12 + ["none"] * 240
    assert made["selected_by"].fillna("none").tolist() == arms
    values = scores["risk_score"].reindex(made.index)
    for _, own in values.groupby(np.array(arms)):
        assert own.is_monotonic_decreasing


def test_blue_items_are_the_next_best_and_use_no_capacity():
    values = np.linspace(0, 1, 100)
    made = decide(scores_of(values), 10, random_share=0.0, blue_share=0.2)
    blue = np.flatnonzero(made["channel"] == "blue")
    assert set(blue) == set(range(70, 90))
    assert made["selected_by"].notna().sum() == 10
    assert made.loc[blue, "selected_by"].isna().all()
    assert (made.loc[blue, "propensity"] == 0).all()
    plain = decide(scores_of(values), 10, random_share=0.0)
    kept = [name for name in made if name != "channel"]
    pd.testing.assert_frame_equal(made[kept], plain[kept])
    assert "blue" not in set(decide(scores_of(values), 100, blue_share=1.0)["channel"])


@pytest.mark.parametrize("capacity", [-1, 1.5, -0.1, True, "5%", float("nan")])
def test_a_capacity_that_is_neither_share_nor_number_is_refused(capacity):
    with pytest.raises(ArgumentError, match="capacity"):
        Policy(capacity=capacity)
    with pytest.raises(ArgumentError, match="capacity"):
        select(scores_of([0.5]), capacity=capacity)


def test_the_capacity_of_the_policy_counts_when_no_other_is_given():
    scores = scores_of(np.linspace(0, 1, 1200))
    assert len(chosen(select(scores, policy=Policy(capacity=3)))) == 3
    assert len(chosen(select(scores, capacity=7))) == 7
    assert len(chosen(select(scores))) == 60


def test_a_capacity_beside_a_policy_is_refused():
    with pytest.raises(ArgumentError, match="not both") as caught:
        select(scores_of([0.5]), capacity=1, policy=Policy(capacity=3))
    assert caught.value.message_id == "selectivity.capacity_and_policy"
    assert "capacity 3" in str(caught.value)


def test_a_number_in_the_place_of_the_declarations_is_refused():
    with pytest.raises(ArgumentError, match=r"capacity=0\.05"):
        select(scores_of([0.5]), 5)


def test_the_random_share_of_the_capacity_is_rounded_to_the_nearest_number():
    scores = scores_of(np.linspace(0, 1, 100))
    for capacity, share, n_random in ((14, 0.1, 1), (15, 0.1, 2), (12, 0.2, 2)):
        decisions = decide(scores, capacity, random_share=share)
        assert (decisions["selected_by"] == "random").sum() == n_random


def test_equal_scores_are_chosen_by_key_whatever_the_order_of_rows():
    scores = scores_of([0.5] * 40)
    first = chosen(decide(scores, 10, random_share=0.0))
    assert chosen(decide(scores.iloc[::-1], 10, random_share=0.0)) == first
    assert first != set(scores["declaration_id"].head(10))


def test_a_policy_shows_the_settings_that_differ():
    assert repr(Policy()) == "Policy(capacity=0.05)"
    policy = Policy(capacity=3, per="office")
    assert repr(policy) == "Policy(capacity=3, per=('office',))"
    assert "<td" in policy._repr_html_()


def test_scores_that_are_missing_are_refused_with_their_number():
    with pytest.raises(TableError, match="risk_score' is missing or infinite in 2"):
        decide(scores_of([0.1, np.nan, np.inf]), 1)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ArgumentError, match="one per item"):
        decide(scores_of([0.1, 0.2]), 1, mandatory=[True])


def test_per_group_needs_the_declarations():
    with pytest.raises(ArgumentError, match="needs the declarations"):
        decide(scores_of([0.1, 0.2]), 1, per="office")
    with pytest.raises(TableError, match="office"):
        decide(scores_of([0.1]), 1, per="office", declarations=pd.DataFrame({"a": [1]}))


def test_ranking_by_revenue_and_blend():
    scores = scores_of([0.9, 0.1, 0.5], revenue=[1.0, 100.0, 50.0])
    top = {
        rank_by: chosen(decide(scores, 1, rank_by=rank_by, random_share=0.0))
        for rank_by in ("risk_score", "expected_revenue")
    }
    assert top == {"risk_score": {"D0000"}, "expected_revenue": {"D0001"}}
    all_risk = decide(scores, 1, rank_by="blend", blend=1.0, random_share=0.0)
    assert chosen(all_risk) == {"D0000"}


def test_no_items_give_no_decisions():
    made = decide(scores_of([]), 0.5)
    assert len(made) == 0
    assert {"channel", "selected_by", "propensity", "rank"} <= set(made)


def test_a_policy_is_a_value():
    assert Policy(capacity=5) == Policy(capacity=5)
    with pytest.raises(ArgumentError, match="rank_by"):
        Policy(rank_by="importer")


def test_capacity_by_group_goes_to_the_largest_remainders():
    # Of 5 controls, groups of 60, 24 and 16 items are due 3.0, 1.2 and 0.8.
    scores = scores_of(np.linspace(0, 1, 100))
    items = pd.DataFrame({"office": ["a"] * 60 + ["b"] * 24 + ["c"] * 16})
    made = decide(scores, 5, declarations=items, per="office")
    counts = made["selected_by"].notna().groupby(items["office"]).sum()
    assert counts.to_dict() == {"a": 3, "b": 1, "c": 1}


@pytest.mark.parametrize(
    "per",
    [("office",), ("day", "office"), ("office", "number"), ("mixed",), ("kind", "day")],
)
def test_groups_have_the_names_that_their_texts_joined_give(per):
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "lodged_at": pd.Timestamp("2026-03-28")
            + pd.to_timedelta(rng.integers(0, 99, 200), unit="h"),
            "office": rng.choice(["a", "b", "a b", "", None], 200),
            "number": rng.choice([1.5, 2.0, np.nan], 200),
            "mixed": rng.choice(np.array([1, True, "x", None], object), 200),
        }
    ).assign(kind=lambda t: t["office"].astype("category"))
    table.loc[:5, "lodged_at"] = pd.NaT
    day = table["lodged_at"].dt.strftime("%Y-%m-%d")
    texts = table.astype("str").fillna("").assign(day=day)
    joined = texts[per[0]].str.cat([texts[name] for name in per[1:]], sep=" ")
    groups = make_groups(0.5, per, len(table), table)
    wanted = [rows.tolist() for _, rows in joined.groupby(joined).groups.items()]
    assert [group.rows.tolist() for group in groups] == wanted


def test_decisions_keep_index_and_notes_of_the_scores_and_share_nothing_with_them():
    scores = scores_of([0.1, 0.9, 0.5, 0.2]).set_index(pd.Index([1, 1, 2, 2]))
    scores.attrs["time_zone"] = "Africa/Dakar"
    before = scores.copy()
    decisions = decide(scores, 2)
    assert decisions.index.tolist() == [1, 1, 2, 2]
    assert decisions.attrs == scores.attrs
    decisions["declaration_id"] = "none"
    decisions.iloc[0, decisions.columns.get_loc("item_number")] = 9
    pd.testing.assert_frame_equal(scores, before)
