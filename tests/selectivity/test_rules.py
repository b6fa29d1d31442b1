"""Rules: read as written, drawn at their rate, measured by what controls found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.datasets import make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.schema import DECISIONS
from smartrisk.selectivity import (
    Condition,
    Rule,
    RuleSet,
    from_criteria,
    to_criteria,
)

TEXT = """
[[rules]]
rule_id = "shoes"
channel = "red"
rate = 0.5
valid_from = "2023-07-01"
owner = "risk unit"
reason = "anti-dumping duty"
[[rules.when]]
field = "tariff_code"
operator = "starts with"
value = ["64", "65"]
[[rules.when]]
field = "origin"
operator = "="
value = "CN"

[[rules]]
rule_id = "duty"
channel = "yellow"
[[rules.when]]
field = "duty_rate"
operator = ">="
value = 0.2
"""


@pytest.fixture(scope="module")
def world():
    return make_declarations(20_000, random_state=0)


@pytest.fixture(scope="module")
def rules():
    return RuleSet.from_toml(TEXT)


def test_rules_are_read_and_written_without_change(rules, tmp_path):
    assert RuleSet.from_toml(rules.to_toml()) == rules
    rules.to_toml(tmp_path / "rules.toml")
    assert RuleSet.from_toml(tmp_path / "rules.toml") == rules
    assert str(rules.rules[0]) == (
        "shoes: tariff_code starts with ['64', '65'] and origin = 'CN' -> red (50 %)"
    )


def test_a_rule_matches_its_conditions_on_its_days(world, rules):
    items = world.declarations
    expected = (
        items["tariff_code"].str[:2].isin(["64", "65"])
        & (items["origin"] == "CN")
        & (items["lodged_at"] >= "2023-07-01")
    )
    assert (rules.rules[0].matches(items) == expected.to_numpy()).all()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (("origin", "in", ("CN", "US")), lambda d: d["origin"].isin(["CN", "US"])),
        (("origin", "not in", ("CN",)), lambda d: d["origin"] != "CN"),
        (("origin", "!=", "CN"), lambda d: d["origin"] != "CN"),
        (("duty_rate", "<", 0.08), lambda d: d["duty_rate"] < 0.08),
        (("duty_rate", ">", 0.08), lambda d: d["duty_rate"] > 0.08),
        (("duty_rate", "<=", 0.08), lambda d: d["duty_rate"] <= 0.08),
        (("consignor_id", "missing", None), lambda d: d["consignor_id"].isna()),
        (
            ("value_per_kg", "<", 2.0),
            lambda d: (
                (d["net_mass_kg"] > 0)
                & (d["customs_value"] / d["net_mass_kg"].clip(lower=1e-9) < 2.0)
            ),
        ),
    ],
)
def test_every_operator_compares_as_documented(world, condition, expected):
    field, operator, value = condition
    made = Condition(field=field, operator=operator, value=value)
    holds = made.holds(world.declarations)
    assert (holds == expected(world.declarations).to_numpy()).all()
    assert holds.any()


def test_what_is_missing_is_neither_in_nor_out(world):
    for operator in ("in", "not in"):
        made = Condition(field="consignor_id", operator=operator, value=("S1",))
        assert not made.holds(world.declarations)[
            world.declarations["consignor_id"].isna()
        ].any()


def test_a_rate_is_drawn_by_key_and_known(world, rules):
    items = world.declarations
    decided = rules.decide(items)
    shoes = rules.rules[0].matches(items)
    red = (decided["channel"] == "red").to_numpy()
    assert not red[~shoes].any()
    assert red[shoes].mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(shoes.sum()))
    reversed_rows = rules.decide(items.iloc[::-1])
    pd.testing.assert_frame_equal(reversed_rows.iloc[::-1], decided)
    other = rules.decide(items, random_state=1)
    assert (other["channel"] != decided["channel"]).any()
    both = shoes & rules.rules[1].matches(items)
    only = shoes & ~rules.rules[1].matches(items)
    assert np.allclose(decided["propensity"][only], 0.5)
    assert np.allclose(decided["propensity"][both], 1.0)
    assert (decided["propensity"][~shoes & ~rules.rules[1].matches(items)] == 0).all()


@pytest.mark.slow
def test_inclusion_equals_its_propensity_over_many_seeds(world, rules):
    items = world.declarations.tail(10_000)
    times = np.zeros(len(items))
    for seed in range(100):
        times += rules.decide(items, random_state=seed)["selected_by"].notna()
    stated = rules.decide(items)["propensity"].to_numpy()
    some = (stated > 0) & (stated < 1)
    gap = times[some] - 100 * stated[some]
    chi2 = float((gap**2 / (100 * stated[some] * (1 - stated[some]))).sum())
    assert abs(chi2 - some.sum()) < 4 * np.sqrt(2 * some.sum())


def test_the_strictest_channel_is_followed(world):
    every = (Condition(field="duty_rate", operator=">=", value=0.0),)
    both = RuleSet(
        rules=(
            Rule(rule_id="papers", when=every, channel="yellow"),
            Rule(rule_id="goods", when=every, channel="red"),
            Rule(rule_id="pass", when=every, channel="green"),
        )
    )
    decided = both.decide(world.declarations)
    assert (decided["channel"] == "red").all()
    assert (decided["rule_id"] == "goods").all()
    validation = pytest.importorskip("smartrisk.validation")
    validation.validate(decided, DECISIONS)


def test_the_report_counts_cover_conflicts_and_findings(world, rules):
    report = rules.report(world.declarations, world.outcomes)
    report = report.frame().set_index("rule_id")
    items = world.declarations
    shoes, duty = (rule.matches(items) for rule in rules)
    row = report.loc["shoes"]
    assert row["n_items"] == shoes.sum()
    assert row["n_conflicts"] == (shoes & duty).sum()
    assert row["n_alone"] == (shoes & ~duty).sum()
    found = items[duty].merge(world.outcomes, on=["declaration_id", "item_number"])
    row = report.loc["duty"]
    assert row["n_known"] == len(found)
    assert row["hit_rate"] == pytest.approx(found["illicit"].mean())
    assert row["hit_rate_low"] < row["hit_rate"] < row["hit_rate_high"]
    assert row["revenue"] == pytest.approx(found["revenue_adjustment"].sum())
    assert RuleSet().report(items).frame().empty
    assert (RuleSet().decide(items)["channel"] == "green").all()


# --------------------------------------------------------------------- criteria

NAMES = st.text("ABCDEFGHIJ0123456789 -", min_size=1, max_size=8)
CONDITIONS = st.one_of(
    st.builds(
        Condition,
        field=st.sampled_from(["tariff_code", "origin", "importer_id"]),
        operator=st.sampled_from(["=", "!="]),
        value=NAMES,
    ),
    st.builds(
        Condition,
        field=st.sampled_from(["tariff_code", "origin", "consignor_id"]),
        operator=st.sampled_from(["in", "not in", "starts with"]),
        value=st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        Condition,
        field=st.sampled_from(["duty_rate", "customs_value", "value_per_kg"]),
        operator=st.sampled_from(["<", "<=", ">", ">="]),
        value=st.floats(-1e6, 1e6),
    ),
    st.just(Condition(field="consignor_id", operator="missing")),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(CONDITIONS, min_size=1, max_size=3),
    st.sampled_from(["red", "yellow", "blue"]),
    st.integers(1, 100),
)
def test_criteria_are_exported_and_read_back_without_change(when, channel, percent):
    rule = Rule(rule_id="R 1", when=tuple(when), channel=channel, rate=percent / 100)
    rules = RuleSet(rules=(rule, Rule(rule_id="R 2", when=tuple(when))))
    assert from_criteria(to_criteria(rules)) == rules
    assert RuleSet.from_toml(rules.to_toml()) == rules


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('Criteria "A"; If What = "x" Then RedLane IS 5; Endif;', "cannot read 'What"),
        ('Criteria "A"; If ComCod = "x" Then PinkLane IS 5; Endif;', "PinkLane"),
        ("If ComCod", "cannot read 'If ComCod'"),
    ],
)
def test_criteria_that_cannot_be_read_are_quoted(text, message):
    with pytest.raises(ArgumentError, match=message):
        from_criteria(text)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Condition(field="colour", operator="=", value="x"), "field"),
        (lambda: Condition(field="origin", operator="~", value="x"), "operator"),
        (lambda: Condition(field="origin", operator="in", value="CN"), "a list"),
        (lambda: Condition(field="origin", operator="=", value=("CN",)), "one value"),
        (lambda: Condition(field="duty_rate", operator="<", value="x"), "value"),
        (lambda: Rule(rule_id="", when=()), "rule_id"),
        (lambda: Rule(rule_id="a", when=()), "at least one condition"),
        (lambda: RuleSet.from_toml("a = \n"), "not TOML"),
        (lambda: RuleSet.from_toml("[[rules]]\nname = 'x'\n"), "name"),
    ],
)
def test_a_malformed_rule_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_rules_need_distinct_names_valid_days_and_their_columns(world):
    one = Condition(field="origin", operator="=", value="CN")
    rule = Rule(rule_id="a", when=(one,))
    with pytest.raises(ArgumentError, match="used twice"):
        RuleSet(rules=(rule, rule))
    with pytest.raises(ArgumentError, match="valid_to"):
        Rule(rule_id="a", when=(one,), valid_to="June")
    with pytest.raises(TableError, match="'origin' is absent"):
        rule.matches(world.declarations.drop(columns="origin"))
    with pytest.raises(ArgumentError, match="no name for the fields"):
        to_criteria(
            RuleSet(
                rules=(
                    Rule(
                        rule_id="a",
                        when=(Condition(field="description", operator="=", value="x"),),
                    ),
                )
            )
        )


def test_a_rule_is_valid_from_its_first_day_to_its_last():
    items = pd.DataFrame(
        {"lodged_at": pd.date_range("2026-01-01 09:00", periods=6), "origin": "CN"}
    )
    rule = Rule(
        rule_id="a",
        when=(Condition(field="origin", operator="=", value="CN"),),
        valid_from="2026-01-02",
        valid_to="2026-01-04",
    )
    assert rule.matches(items).tolist() == [False, True, True, True, False, False]
