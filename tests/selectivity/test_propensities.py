"""Propensities of items that rules draw: what a control was worth without the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from smartrisk.selectivity import Condition, Policy, Rule, RuleSet

N = 40
RATE = 0.4
#: For each of the items the releases in a row before it.
RELEASES = np.random.default_rng(2).integers(0, 6, N)


def rules(rate=RATE):
    when = (Condition(field="origin", operator="=", value="CN"),)
    return RuleSet(rules=(Rule(rule_id="china", when=when, rate=rate),))


def table(*, tied):
    """Return scores and declarations of items, of which every second meets a rule."""
    rng = np.random.default_rng(4)
    values = rng.choice([0.1, 0.2, 0.5], N) if tied else rng.random(N)
    scores = pd.DataFrame(
        {
            "declaration_id": [f"D{k:04d}" for k in range(N)],
            "item_number": 1,
            "risk_score": values,
            "novelty": rng.random(N),
        }
    )
    items = scores[["declaration_id", "item_number"]].assign(
        lodged_at=pd.Timestamp("2026-01-05"),
        origin=np.where(np.arange(N) % 2, "CN", "FR"),
    )
    return scores, items


@pytest.mark.parametrize("capacity", [12, 20, 30])
@pytest.mark.parametrize("max_releases", [None, 4])
@pytest.mark.parametrize("tied", [False, True])
def test_without_draws_at_random_the_rest_is_what_happens_without_the_rule(
    capacity, max_releases, tied
):
    scores, items = table(tied=tied)
    policy = Policy(capacity=capacity, random_share=0.0, max_releases=max_releases)
    checked = 0
    for seed in range(5):
        policy = replace(policy, random_state=seed)
        made = policy.select(scores, items, rules=rules(), releases=RELEASES)
        for at in np.flatnonzero(made["rule_id"] == "china"):
            spared = items.copy()
            spared.loc[at, "origin"] = "FR"
            other = policy.select(scores, spared, rules=rules(), releases=RELEASES)
            without = float(pd.notna(other["selected_by"][at]))
            expected = RATE + (1 - RATE) * without
            assert made["propensity"][at] == pytest.approx(expected)
            checked += 1
    assert checked > 20


@pytest.mark.slow
@pytest.mark.parametrize("explore", ["random", "uncertainty", "novelty"])
@pytest.mark.parametrize(
    ("settings", "tied", "rate"),
    [
        ({"capacity": 30, "random_share": 0.3}, False, 0.4),
        ({"capacity": 20, "random_share": 0.3}, True, 0.4),
        ({"capacity": 12, "random_share": 0.9}, False, 0.5),
        ({"capacity": 12, "random_share": 0.9}, True, 0.5),
        ({"capacity": 8, "random_share": 0.3, "max_releases": 3}, False, 0.3),
        ({"capacity": 4, "random_share": 0.5}, False, 0.9),
    ],
)
def test_items_of_rules_are_selected_as_often_as_stated(explore, settings, tied, rate):
    scores, items = table(tied=tied)
    policy = Policy(explore=explore, **settings)
    n_seeds = 300
    count, stated = np.zeros(N), np.zeros(N)
    for seed in range(n_seeds):
        made = replace(policy, random_state=seed).select(
            scores, items, rules=rules(rate), releases=RELEASES
        )
        count += made["selected_by"].notna().to_numpy()
        stated += made["propensity"].to_numpy() / n_seeds
    # Each item's propensity is conditional on the draws of the others, so the counts
    # vary less than independent ones: only too large a deviation is a fault.
    some = (stated > 1e-9) & (stated < 1 - 1e-9)
    assert (count[stated <= 1e-9] == 0).all()
    assert (count[stated >= 1 - 1e-9] == n_seeds).all()
    p = stated[some]
    z = (count[some] - n_seeds * p) ** 2 / (n_seeds * p * (1 - p))
    assert chi2.sf(z.sum(), some.sum()) > 1e-4
    assert abs(stated.sum() - settings["capacity"]) < 0.35
