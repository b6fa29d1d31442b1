"""What a user passes wrongly is refused when a policy or a rule is made or used."""

from __future__ import annotations

import copy
import pickle

import pandas as pd
import pytest

from smartrisk.errors import ArgumentError, TableError
from smartrisk.selectivity import (
    Policy,
    Rule,
    RuleSet,
    from_criteria,
    inclusion,
    releases_in_a_row,
    select,
)

SCORES = pd.DataFrame({"declaration_id": list("abcd"), "risk_score": [4.0, 3, 2, 1]})


def test_repeated_keys_are_refused():
    twice = pd.concat([SCORES, SCORES.head(2)])
    with pytest.raises(TableError, match="select: SCORES repeats the key"):
        select(twice, capacity=2)


def test_a_past_that_repeats_a_key_is_refused():
    past = SCORES.assign(importer_id="X", lodged_at=pd.Timestamp("2026-01-01"))
    decisions = SCORES.assign(channel="green")
    assert releases_in_a_row(past, past, decisions).tolist() == [4] * 4
    with pytest.raises(TableError, match="releases_in_a_row: 'past' repeats the key"):
        releases_in_a_row(past, pd.concat([past, past]), decisions)


def test_scores_without_a_key_are_refused():
    with pytest.raises(TableError, match="SCORES need the column 'declaration_id'"):
        select(SCORES[["risk_score"]], capacity=2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Policy(random_state=-1), "Policy: 'random_state'"),
        (lambda: Policy(random_state="a"), "Policy: 'random_state'"),
        (lambda: Policy(costs=3), "Policy: 'costs' must be Costs"),
        (lambda: RuleSet(rules=[1]), "RuleSet: 'rules' must be a tuple of Rule"),
        (lambda: RuleSet(rules=1), "RuleSet: 'rules' must be a tuple of Rule"),
        (lambda: Rule(rule_id="a", when=3), "Rule: 'when' must be a tuple of"),
        (lambda: Rule(rule_id="a", when=[3]), "Rule: 'when' must be a tuple of"),
        (lambda: inclusion(0, 0, 0), "inclusion: 'n'"),
        (lambda: inclusion(3, 4, 0), "inclusion: 'drawn'"),
        (lambda: inclusion(3, 2, 2), "inclusion: 'taken'"),
        (lambda: from_criteria("nonsense"), "Write criteria as"),
    ],
)
def test_wrong_settings_are_refused_at_construction(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


def test_a_group_column_that_is_absent_is_named_with_a_remedy():
    with pytest.raises(TableError, match=r"'office'.*leave it out of 'per'"):
        Policy(per="office").select(SCORES, SCORES)


def test_a_policy_keeps_its_own_capacity():
    given = {"A": {"red": 1, "yellow": 2}, "B": 3}
    policy = Policy(capacity=given, per="office")
    given["A"]["red"] = 9
    given["B"] = 9
    expected = {"A": {"red": 1, "yellow": 2}, "B": 3}
    assert policy.capacity == expected
    assert repr(policy.capacity) == repr(expected)
    with pytest.raises(TypeError):
        policy.capacity["B"] = 4
    for other in (copy.deepcopy(policy), pickle.loads(pickle.dumps(policy))):
        assert other == policy
