"""Overrides and findings of officers: counted, compared, corrected for many tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import inspection_integrity, judge_overrides
from smartrisk.evaluation._officers import two_sided


def test_overrides_by_type_as_counted_by_hand():
    decisions = pd.DataFrame(
        {
            "declaration_id": list("abcdef"),
            "item_number": 1,
            "channel": ["green", "green", "red", "yellow", "red", "yellow"],
        }
    )
    overrides = pd.DataFrame(
        {"declaration_id": list("acde"), "channel": ["red", "green", "red", "yellow"]}
    )
    outcomes = pd.DataFrame({"declaration_id": list("adef"), "illicit": [1, 0, 1, 1]})
    scores = decisions[["declaration_id"]].assign(risk_score=0.25)
    report = judge_overrides(decisions, overrides, outcomes, scores=scores)
    table = report.frame().set_index("type")
    assert table["n"].to_dict() == {
        "added": 1,
        "released": 1,
        "stricter": 1,
        "milder": 1,
        "agreed": 1,
    }
    assert report.summary["agreement"] == pytest.approx(2 / 6)
    assert table.loc["added", "hit_rate"] == 1.0
    assert table.loc["added", "added_value"] == pytest.approx(75.0)
    assert table.loc["released", "n_known"] == 0
    assert np.isnan(table.loc["released", "hit_rate"])
    assert "agreement" in repr(report)


def test_what_cannot_be_matched_is_refused():
    decisions = pd.DataFrame({"declaration_id": ["a"], "channel": ["red"]})
    other = pd.DataFrame({"declaration_id": ["b"], "channel": ["red"]})
    with pytest.raises(TableError, match="1 overrides are of items without"):
        judge_overrides(decisions, other)
    with pytest.raises(
        TableError, match=r"'overrides' repeats the key .* of 1 rows, such as 'b'"
    ):
        judge_overrides(decisions, pd.concat([other, other]))
    with pytest.raises(
        ArgumentError, match="'overrides' has the unknown channels 'pink'"
    ):
        judge_overrides(decisions, decisions.assign(channel="pink"))
    outcomes = pd.DataFrame(
        {"declaration_id": ["a"], "illicit": [1], "officer_id": ["x"]}
    )
    scores = pd.DataFrame({"declaration_id": ["z"], "risk_score": [0.1]})
    with pytest.raises(TableError, match="no result has a score"):
        inspection_integrity(outcomes, scores)
    with pytest.raises(TableError, match="declarant_id"):
        inspection_integrity(outcomes, scores, by="declarant_id")


def test_repeated_keys_and_missing_scores_are_refused():
    decisions = pd.DataFrame({"declaration_id": ["a", "b"], "channel": "red"})
    overrides = decisions.head(1).assign(channel="green")
    results = decisions[["declaration_id"]].assign(illicit=1, officer_id="x")
    scores = decisions[["declaration_id"]].assign(risk_score=[0.5, np.nan])
    twice = pd.concat([results, results.tail(1)])
    with pytest.raises(TableError, match=r"DECISIONS repeats .* of 2 rows"):
        judge_overrides(pd.concat([decisions, decisions]), overrides)
    with pytest.raises(TableError, match=r"OUTCOMES repeats .* of 1 rows, such as 'b'"):
        judge_overrides(decisions, overrides, twice)
    with pytest.raises(TableError, match=r"SCORES repeats .* of 2 rows"):
        judge_overrides(
            decisions, overrides, results, scores=pd.concat([scores, scores])
        )
    with pytest.raises(TableError, match=r"OUTCOMES repeats .* of 1 rows"):
        inspection_integrity(twice, scores)
    with pytest.raises(TableError, match=r"SCORES repeats .* of 2 rows"):
        inspection_integrity(results, pd.concat([scores, scores]))
    with pytest.raises(TableError, match=r"'risk_score' of SCORES is missing .* 'b'"):
        inspection_integrity(results, scores)


def cases(n_officers=40, n=400, hidden=0.0, seed=0):
    """Return cases of unlike difficulty; the first officer hides some hits."""
    rng = np.random.default_rng(seed)
    officer = np.repeat(np.arange(n_officers), n)
    ease = rng.normal(0, 0.7, n_officers)[officer]  # cases differ by officer
    chance = 1 / (1 + np.exp(2 - ease - rng.normal(0, 0.8, len(officer))))
    hit = rng.random(len(officer)) < chance
    hit &= ~((officer == 0) & (rng.random(len(officer)) < hidden))
    outcomes = pd.DataFrame(
        {
            "declaration_id": [f"D{k}" for k in range(len(officer))],
            "illicit": hit.astype(int),
            "officer_id": [f"O{k:02d}" for k in officer],
        }
    )
    return outcomes, outcomes[["declaration_id"]].assign(risk_score=chance)


@pytest.mark.slow
def test_officers_who_hide_findings_are_flagged_and_hard_cases_are_not():
    found, false = 0, 0
    for seed in range(10):
        table = inspection_integrity(*cases(hidden=0.6, seed=seed)).frame()
        flagged = set(table.loc[table["flagged"], "officer_id"])
        found += "O00" in flagged
        false += len(flagged - {"O00"})
        first = table.set_index("officer_id").loc["O00"]
        assert first["direction"] == "fewer"
    assert found >= 9
    assert false <= 3


@pytest.mark.slow
def test_where_nobody_hides_alarms_are_rare():
    alarms = sum(
        inspection_integrity(*cases(seed=seed)).summary["n_flagged"] > 0
        for seed in range(40)
    )
    assert alarms <= 6  # five in a hundred are accepted


def test_the_tail_is_that_of_the_binomial_and_agrees_with_its_approximation():
    even = np.full(30, 0.2)
    low = binom.cdf(2, 30, 0.2)
    assert two_sided(even, 2) == pytest.approx(2 * low)
    assert two_sided(even, 6) == 1.0
    many = np.full(2_001, 0.1)
    exact = 2 * binom.cdf(178, 2_001, 0.1)
    assert two_sided(many, 178) == pytest.approx(exact, rel=0.15)


def test_p_values_are_adjusted_for_the_number_of_officers():
    table = inspection_integrity(*cases(n_officers=20, n=100)).frame()
    p = table["p_value"].to_numpy()  # the smallest first
    steps = p * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.minimum.accumulate(steps[::-1])[::-1]
    assert table["p_adjusted"].to_numpy() == pytest.approx(np.minimum(adjusted, 1.0))


def test_few_cases_are_listed_and_not_tested():
    outcomes, scores = cases(n_officers=3, n=10)
    table = inspection_integrity(outcomes, scores).frame()
    assert table["p_value"].isna().all()
    assert not table["flagged"].any()
    assert (table["n_cases"] == 10).all()


@pytest.mark.slow
def test_pairs_of_officer_and_broker_can_be_compared():
    world = make_declarations(40_000, random_state=0, scenario="collusion")
    key = ["declaration_id", "item_number"]
    brokers = world.declarations[[*key, "declarant_id"]]
    outcomes = world.outcomes.merge(brokers, on=key)
    outcomes["pair"] = outcomes["officer_id"] + " " + outcomes["declarant_id"]
    truth = world.truth[key].assign(
        risk_score=np.where(world.truth["illicit"] == 1, 0.8, 0.01)
    )
    report = inspection_integrity(outcomes, truth, by="pair", min_cases=5)
    hidden = world.truth.loc[world.truth["suppressed"], key].merge(outcomes, on=key)
    table = report.frame().set_index("pair")
    pairs = [p for p in hidden["pair"].unique() if table.loc[p, "n_cases"] >= 5]
    assert len(pairs) >= 3
    assert (table.loc[pairs, "direction"] == "fewer").all()
    assert report.summary["n_tested"] > 50
