"""Laws of selection: capacity, order of claims, propensities, order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from smartrisk.errors import ArgumentError, TableError
from smartrisk.selectivity import (
    Condition,
    Costs,
    Policy,
    Rule,
    RuleSet,
    novelty,
    releases_in_a_row,
    select,
)

N = 60


def scores_of(values):
    values = np.asarray(values, float)
    return pd.DataFrame(
        {
            "declaration_id": [f"D{k:04d}" for k in range(len(values))],
            "item_number": 1,
            "risk_score": values,
            "expected_revenue": values * 100,
        }
    )


def items_of(scores, **columns):
    rng = np.random.default_rng(len(scores))
    n = len(scores)
    return scores[["declaration_id", "item_number"]].assign(
        lodged_at=pd.Timestamp("2026-01-05"),
        office=rng.choice(["a", "b"], n),
        origin=rng.choice(["CN", "US", "FR"], n),
        duty_rate=rng.random(n),
        customs_value=rng.random(n) * 1e4,
        trusted_trader=rng.random(n) < 0.3,
        **columns,
    )


def rules_of(rate=0.4):
    china = Condition(field="origin", operator="=", value="CN")
    high_duty = Condition(field="duty_rate", operator=">=", value=0.7)
    return RuleSet(
        rules=(
            Rule(rule_id="china", when=(china,), channel="yellow", rate=rate),
            Rule(rule_id="duty", when=(high_duty,), channel="red", rate=rate),
        )
    )


def decide(scores, capacity, *, declarations=None, rules=None, **settings):
    """Return the decisions of a policy with some settings."""
    asked = {
        name: settings.pop(name)
        for name in ("mandatory", "releases")
        if name in settings
    }
    policy = Policy(capacity=capacity, **settings)
    return select(scores, declarations, policy=policy, rules=rules, **asked)


def chosen(made):
    return set(made.loc[made["selected_by"].notna(), "declaration_id"])


VALUES = st.lists(
    st.sampled_from([0.0, 0.1, 0.2, 0.2, 0.5, 0.9]), min_size=1, max_size=N
)
POLICIES = st.builds(
    Policy,
    capacity=st.one_of(st.integers(0, 70), st.floats(0, 1)),
    random_share=st.sampled_from([0.1, 0.5, 1.0]),
    explore=st.sampled_from(["random", "uncertainty"]),
    per=st.sampled_from([(), ("office",)]),
    trusted_relief=st.sampled_from([0.0, 0.5]),
    red_share=st.sampled_from([0.0, 0.3, 1.0]),
    random_state=st.integers(0, 3),
)


def size(policy, n):
    if isinstance(policy.capacity, float):
        return min(int(np.floor(policy.capacity * n + 0.5)), n)
    return min(policy.capacity, n)


@pytest.mark.slow
@given(VALUES, POLICIES, st.sampled_from([None, 0.4, 1.0]))
def test_the_capacity_is_met_exactly_whatever_claims_there_are(values, policy, rate):
    scores = scores_of(values)
    rules = None if rate is None else rules_of(rate)
    items = items_of(scores)
    made = policy.select(scores, declarations=items, rules=rules)
    assert len(chosen(made)) == size(policy, len(values))
    assert made["propensity"].between(0, 1 + 1e-12).all()
    selected = made["selected_by"].notna()
    assert (made.loc[selected, "propensity"] > 0).all()
    assert set(made.loc[~selected, "channel"]) <= {"green"}
    assert sorted(made["rank"]) == list(range(1, len(values) + 1))


@pytest.mark.slow
@given(VALUES, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(values, policy, random):
    scores = scores_of(values)
    items = items_of(scores)
    order = list(range(len(values)))
    random.shuffle(order)
    rules = rules_of()
    one = policy.select(scores, declarations=items, rules=rules)
    two = policy.select(scores.iloc[order], declarations=items.iloc[order], rules=rules)
    pd.testing.assert_frame_equal(one, two.sort_index(), check_exact=False)


@pytest.mark.slow
@given(VALUES, st.integers(0, N), st.integers(0, N - 1), st.sampled_from([0.0, 0.3]))
def test_raising_one_score_never_unselects_that_item(values, k, at, random_share):
    at %= len(values)
    for explore in ("random", "novelty"):
        scores = scores_of(values).assign(novelty=np.linspace(0.1, 1, len(values)))
        policy = Policy(capacity=k, random_share=random_share, explore=explore)
        before = policy.select(scores)
        scores.loc[at, "risk_score"] += 0.3
        after = policy.select(scores)
        if before.loc[at, "selected_by"] in ("model", "random"):
            assert pd.notna(after.loc[at, "selected_by"])


@pytest.mark.slow
@given(VALUES, st.integers(0, N), st.integers(0, N))
def test_mandatory_items_come_first(values, k, n_must):
    scores = scores_of(values)
    must = np.arange(len(values)) < n_must
    made = decide(
        scores, k, mandatory=must, declarations=items_of(scores), rules=rules_of()
    )
    assert (made.loc[must, "selected_by"] == "mandatory").all()
    assert (made.loc[must, "propensity"] == 1.0).all()
    assert len(chosen(made)) == max(min(k, len(values)), int(must.sum()))


def frequencies(policy, scores, n_seeds=600, **given):
    """Return how often each item was selected, and its mean stated propensity."""
    from dataclasses import replace

    count, stated = np.zeros(len(scores)), np.zeros(len(scores))
    for seed in range(n_seeds):
        made = replace(policy, random_state=seed).select(scores, **given)
        count += made["selected_by"].notna().to_numpy()
        stated += made["propensity"].to_numpy()
    return count, stated / n_seeds, n_seeds


def fits(count, stated, n):
    """Return the p-value of a chi-square test of counts against probabilities."""
    open_ = (stated > 1e-9) & (stated < 1 - 1e-9)
    assert (count[stated <= 1e-9] == 0).all()
    assert (count[stated >= 1 - 1e-9] == n).all()
    p = stated[open_]
    z = (count[open_] - n * p) ** 2 / (n * p * (1 - p))
    return float(chi2.sf(z.sum(), open_.sum()))


@pytest.mark.slow
@pytest.mark.parametrize("explore", ["random", "uncertainty", "novelty"])
def test_selection_is_as_frequent_as_the_propensity_says(explore):
    rng = np.random.default_rng(3)
    scores = scores_of(rng.random(40)).assign(novelty=rng.random(40))
    policy = Policy(capacity=12, random_share=0.5, explore=explore)
    assert fits(*frequencies(policy, scores)) > 1e-3
    crowded = Policy(capacity=35, random_share=0.9, explore=explore)
    assert fits(*frequencies(crowded, scores)) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("k", "rate"), [(30, 0.3), (10, 0.5), (4, 0.9)])
def test_propensities_hold_where_rules_ask_for_more_than_the_capacity(k, rate):
    rng = np.random.default_rng(4)
    scores = scores_of(rng.random(40))
    items = items_of(scores)
    policy = Policy(capacity=k, random_share=0.3)
    found = frequencies(policy, scores, declarations=items, rules=rules_of(rate))
    assert fits(*found) > 1e-3


@pytest.mark.slow
def test_every_item_has_the_same_chance_in_the_random_share():
    scores = scores_of(np.random.default_rng(5).random(50))
    count = np.zeros(50)
    for seed in range(800):
        made = decide(scores, 20, random_share=0.5, random_state=seed)
        count += (made["selected_by"] == "random").to_numpy()
    z = (count - 160) ** 2 / 160
    # Ten of fifty are drawn without replacement: the counts vary less than Poisson's.
    assert 1e-3 < chi2.sf(z.sum() * 50 / 40, 49) < 1 - 1e-6


def test_channels_have_their_own_capacity():
    scores = scores_of(np.linspace(0, 1, 100))
    made = decide(scores, {"red": 0.03, "yellow": 0.10})
    assert made["channel"].value_counts().to_dict() == {
        "green": 87,
        "yellow": 10,
        "red": 3,
    }
    items = items_of(scores).assign(team=["x"] * 40 + ["y"] * 60)
    made = decide(
        scores,
        {"x": {"red": 2, "yellow": 1}, "y": {"yellow": 4}},
        per="team",
        declarations=items,
    )
    counts = made["channel"].groupby(items["team"]).value_counts().to_dict()
    assert counts[("x", "red")] == 2
    assert counts[("x", "yellow")] == 1
    assert counts[("y", "yellow")] == 4
    assert ("y", "red") not in counts
    with pytest.raises(ArgumentError, match="needs 'per'"):
        Policy(capacity={"x": 1})
    with pytest.raises(ArgumentError, match="may name"):
        Policy(capacity={"x": {"green": 1}}, per="team")


def test_rules_name_themselves_and_give_their_channel():
    scores = scores_of(np.linspace(0, 1, 80))
    items = items_of(scores)
    made = decide(scores, 70, declarations=items, rules=rules_of(1.0), random_share=0.0)
    high_duty = (items["duty_rate"] >= 0.7).to_numpy()
    assert (made.loc[high_duty, "rule_id"] == "duty").all()
    assert (made.loc[high_duty, "channel"] == "red").all()
    china = ~high_duty & (items["origin"] == "CN").to_numpy()
    assert (made.loc[china, "channel"] == "yellow").all()
    others = made.loc[~high_duty & ~china]
    assert others["rule_id"].isna().all()
    assert (others["selected_by"].dropna() == "model").all()


@pytest.mark.slow
def test_the_model_takes_only_what_is_worth_its_control():
    scores = scores_of(np.linspace(0, 1, 100))  # revenue 0 to 100
    costs = Costs(control=80.0)
    made = decide(scores, 50, rank_by="net_benefit", costs=costs, random_share=0.1)
    by_model = made["selected_by"] == "model"
    assert (scores.loc[by_model, "expected_revenue"] > 80).all()
    assert (made["selected_by"] == "random").sum() == 5
    assert len(chosen(made)) < 50
    waiting = items_of(scores).assign(customs_value=1e4)
    costs = Costs(delay=0.01)
    made = decide(scores, 50, rank_by="net_benefit", costs=costs, declarations=waiting)
    assert not (made["selected_by"] == "model").any()
    policy = Policy(capacity=30, rank_by="net_benefit", costs=Costs(control=80.0))
    assert fits(*frequencies(policy, scores)) > 1e-3


def test_relief_for_trusted_traders_never_reaches_zero():
    scores = scores_of(np.full(200, 0.5))
    items = items_of(scores)
    made = decide(scores, 60, declarations=items, trusted_relief=0.9)
    trusted = items["trusted_trader"].to_numpy()
    by_model = (made["selected_by"] == "model").to_numpy()
    assert not (by_model & trusted).any()
    assert (made["propensity"] > 0).all()
    with pytest.raises(ArgumentError, match="might never be controlled"):
        Policy(trusted_relief=0.5, random_share=0.0)
    with pytest.raises(ArgumentError, match="trusted_relief"):
        Policy(trusted_relief=1.0)
    with pytest.raises(TableError, match="trusted_trader"):
        decide(scores, 5, trusted_relief=0.5, declarations=items[["declaration_id"]])


def test_what_was_released_too_often_is_due():
    scores = scores_of(np.linspace(0, 1, 30))
    releases = np.arange(30)[::-1]
    made = decide(scores, 5, max_releases=27, releases=releases, random_share=0.0)
    due = made["rule_id"] == "max_releases"
    assert np.flatnonzero(due).tolist() == [0, 1, 2]
    assert (made.loc[due, "selected_by"] == "rule").all()
    assert len(chosen(made)) == 5
    few = decide(scores, 2, max_releases=27, releases=releases, random_share=0.0)
    assert np.flatnonzero(few["selected_by"].notna()).tolist() == [0, 1]
    with pytest.raises(ArgumentError, match="needs the 'releases'"):
        decide(scores, 5, max_releases=27)


def test_releases_are_counted_since_the_last_control():
    past = pd.DataFrame(
        {
            "declaration_id": list("abcdef"),
            "item_number": 1,
            "lodged_at": pd.date_range("2026-01-01", periods=6),
            "importer_id": ["X", "Y", "X", "X", "Y", None],
        }
    )
    decisions = past[["declaration_id", "item_number"]].assign(
        channel=["green", "green", "yellow", "blue", "green", "green"]
    )
    new = pd.DataFrame({"importer_id": ["X", "Y", "Z", None]})
    assert releases_in_a_row(new, past, decisions).tolist() == [1, 2, 0, 0]
    with pytest.raises(TableError, match="declarant_id"):
        releases_in_a_row(new, past, decisions, by="declarant_id")


def test_novelty_falls_with_the_number_of_earlier_items():
    past = pd.DataFrame({"importer_id": ["a"] * 8, "origin": ["CN"] * 8})
    new = pd.DataFrame({"importer_id": ["a", "b", None], "origin": ["CN", "US", "CN"]})
    got = novelty(new, past)
    np.testing.assert_allclose(got, [1 / 3, 1.0, (1 + 1 / 3) / 2])
    with pytest.raises(TableError, match="none of the columns"):
        novelty(new, past, keys=("office",))
    with pytest.raises(TableError, match="novelty"):
        decide(scores_of([0.1]), 1, explore="novelty")


def test_mandatory_items_with_rules_are_certain():
    scores = scores_of(np.linspace(0, 1, 30))
    must = np.arange(30) < 5
    made = decide(
        scores, 10, mandatory=must, declarations=items_of(scores), rules=rules_of(0.3)
    )
    assert (made.loc[must, "propensity"] == 1.0).all()


def test_a_rule_adds_its_rate_to_the_propensity_of_its_items():
    # The rules ask for less than the capacity, so that every draw is followed, and
    # their items are the last that the model would choose: they have a rule's chance q,
    # or else that of the random draw, r = 20 of about 190 items.
    scores = scores_of(np.linspace(0, 1, 200))
    items = items_of(scores).assign(origin=["CN"] * 20 + ["US"] * 180, duty_rate=0.0)
    made = decide(
        scores, 100, declarations=items, rules=rules_of(0.4), random_share=0.2
    )
    expected = 0.4 + 0.6 * 20 / 190
    assert made["propensity"].iloc[:20].to_numpy() == pytest.approx(expected, abs=0.01)
