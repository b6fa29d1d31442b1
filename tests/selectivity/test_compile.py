"""Compiled rules: few, readable, judged out of time, unchanged after export."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk import RiskEngine
from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.selectivity import (
    RuleSet,
    compile_rules,
    from_criteria,
    to_criteria,
)
from smartrisk.windows import time_split

KEY = ["declaration_id", "item_number"]


@pytest.fixture(scope="module")
def world():
    return make_declarations(60_000, random_state=0)


@pytest.fixture(scope="module")
def split(world):
    return time_split(world.declarations, world.outcomes)


@pytest.fixture(scope="module")
def engine(split):
    return RiskEngine().fit(split.past, split.known)


@pytest.fixture(scope="module")
def compiled(engine, split):
    scores = engine.score(split.past)
    return compile_rules(split.past, scores, outcomes=split.known)


def hits(world, items):
    truth = world.full_outcomes().set_index(KEY)["illicit"]
    return truth.loc[pd.MultiIndex.from_frame(items[KEY])].to_numpy()


@pytest.mark.slow
def test_twelve_rules_reach_sixty_percent_of_the_model_out_of_time(
    world, split, engine, compiled
):
    rules, later = compiled.rules, split.later
    assert len(rules) <= 12
    hit = hits(world, later)
    drawn = rules.decide(later)["selected_by"].notna().to_numpy()
    assert 0.03 < drawn.mean() < 0.08
    k = int(0.05 * len(later))
    risk = engine.score(later)["risk_score"].to_numpy()
    model = hit[np.argsort(-risk)[:k]].mean()
    assert hit[drawn].mean() >= 0.6 * model
    assert model > 5 * hit.mean()


@pytest.mark.slow
def test_compiled_rules_are_unchanged_after_export(compiled, split):
    rules = compiled.rules
    assert RuleSet.from_toml(rules.to_toml()) == rules
    again = from_criteria(to_criteria(rules))
    assert [r.when for r in again] == [r.when for r in rules]
    assert [r.rate for r in again] == [r.rate for r in rules]
    assert again.prices == rules.prices
    pd.testing.assert_frame_equal(again.decide(split.later), rules.decide(split.later))


@pytest.mark.slow
def test_the_table_reports_what_each_rule_finds(compiled):
    table = compiled.frame()
    assert table["rule_id"].tolist()[-2:] == ["all rules", "the model"]
    rules = table.iloc[:-2]
    assert (rules["n_alone"] == rules["n_items"]).all()  # leaves do not overlap
    whole = table.iloc[-2]
    assert len(rules) == len(compiled.judged)
    assert compiled.judged != compiled.rules
    assert whole["n_items"] == table.iloc[-1]["n_items"]
    assert 0 < whole["n_known"] <= whole["n_items"]
    assert whole["hit_rate_low"] < whole["hit_rate"] < whole["hit_rate_high"]
    assert "mean score" in compiled.rules.rules[0].reason
    assert len(str(compiled.rules.rules[0])) < 600
    assert repr(compiled).startswith("CompiledRules(")


@pytest.mark.slow
def test_rules_need_no_outcomes_and_find_what_the_scores_follow(world):
    items = world.declarations.head(4_000)
    china = (items["origin"] == "CN").to_numpy()
    scores = items[KEY].assign(risk_score=np.where(china, 0.5, 0.01))
    made = compile_rules(items, scores, max_rules=3, rate=0.02)
    assert "hits" not in made.frame()
    assert any(
        c.field == "origin" and c.operator == "in" and c.value == ("CN",)
        for c in made.rules.rules[0].when
    )


@pytest.mark.slow
def test_tables_that_cannot_be_compiled_are_refused(world):
    items = world.declarations.head(1_000)
    scores = items[KEY].assign(risk_score=0.1)
    with pytest.raises(TableError, match="same items"):
        compile_rules(items, scores.iloc[::-1])
    with pytest.raises(TableError, match="risk_score"):
        compile_rules(items, scores[KEY])
    with pytest.raises(TableError, match="too few"):
        compile_rules(items.head(100), scores.head(100))
    with pytest.raises(ArgumentError, match="rate"):
        compile_rules(items, scores, rate=2.0)


def test_rules_for_parts_that_a_tree_of_as_many_leaves_cannot_separate():
    rng = np.random.default_rng(0)
    items = pd.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(2_000)],
            "item_number": 1,
            "lodged_at": pd.date_range("2024-01-01", periods=2_000, freq="h"),
            "customs_value": rng.uniform(0, 1_000, 2_000).round(2),
        }
    )
    value = items["customs_value"]
    # One part is within a range: two cuts, and one more for the other part.
    risky = value.between(200, 230) | (value > 970)
    scores = items[KEY].assign(risk_score=np.where(risky, 0.4, 0.01))
    rules = compile_rules(items, scores, max_rules=2).rules
    drawn = rules.decide(items)["selected_by"].notna().to_numpy()
    assert len(rules) == 2
    assert risky[drawn].mean() > 0.9
