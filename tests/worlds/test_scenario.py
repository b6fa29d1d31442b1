"""Scenarios: values to edit, save as text and read again."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk.datasets import (
    SCENARIOS,
    Change,
    FraudMix,
    Scenario,
    make_declarations,
)
from smartrisk.errors import ArgumentError


def test_there_are_ten_scenarios_and_each_has_a_description():
    assert len(SCENARIOS) >= 9
    for scenario in SCENARIOS.values():
        assert len(scenario.story) > 100


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_read_back_from_its_own_text(name, tmp_path):
    scenario = SCENARIOS[name]
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    path = tmp_path / "scenario.toml"
    text = scenario.to_toml(path)
    assert path.read_text(encoding="utf-8") == text
    assert Scenario.from_toml(path) == scenario


def test_a_scenario_file_makes_a_world(tmp_path):
    path = tmp_path / "other.toml"
    replace(SCENARIOS["small"], name="other").to_toml(path)
    assert make_declarations(300, scenario=path).scenario.name == "other"
    assert make_declarations(300, scenario=str(path)).scenario.name == "other"


@given(
    illicit=st.floats(0, 0.3),
    month=st.floats(0, 30),
    size=st.floats(-0.3, 0.4),
    story=st.text(max_size=30).filter(lambda text: text.isprintable()),
)
def test_any_scenario_is_read_back_from_its_own_text(illicit, month, size, story):
    scenario = Scenario(
        illicit=illicit,
        story=story,
        changes=(Change(kind="tariff step", month=month, size=size, goods=("61",)),),
    )
    assert Scenario.from_toml(scenario.to_toml()) == scenario


def test_a_scenario_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        SCENARIOS["national"].illicit = 0.5
    with pytest.raises(TypeError):
        SCENARIOS["other"] = SCENARIOS["national"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("illicit = 0.03\nilicit = 0.02\n", "unknown fields 'ilicit'.*'illicit'"),
        ("[mix]\nphenix = 1\n", r"\[mix\] has unknown fields"),
        ("[[changes]]\nkind = 'flood'\nmonth = 1\n", "kind"),
        ("[[changes]]\nkind = 'policy'\n", "month"),
        ("a = \n", "not TOML"),
    ],
)
def test_a_wrong_text_is_refused(text, message):
    with pytest.raises((ArgumentError, TypeError), match=message):
        Scenario.from_toml(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "flood", "month": 1}, "kind"),
        ({"kind": "policy", "month": -1}, "month"),
        ({"kind": "policy", "month": 1, "size": 2.0}, "size"),
        ({"kind": "tariff step", "month": 1, "goods": ("6",)}, "two digits"),
        ({"kind": "anti-dumping", "month": 1}, "needs an 'origin'"),
        ({"kind": "anti-dumping", "month": 1, "origin": "ZZ"}, "origin"),
    ],
)
def test_a_wrong_change_is_refused_in_the_constructor(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Change(**arguments)


def test_a_wrong_mix_is_refused_in_the_constructor():
    with pytest.raises(ArgumentError, match="phoenix"):
        FraudMix(phoenix=-1.0)
    with pytest.raises(ArgumentError, match="mix"):
        Scenario(mix={"phoenix": 1.0})
    with pytest.raises(ArgumentError, match="changes"):
        Scenario(changes=("policy",))
    with pytest.raises(ArgumentError, match="holidays"):
        Scenario(holidays=("25 December",))


def test_a_scenario_shows_itself_in_a_line_and_in_a_notebook():
    scenario = replace(SCENARIOS["drift"], name="<b>")
    assert (
        repr(scenario) == "Scenario('<b>', start='2023-01', n_months=24, n_changes=6)"
    )
    html = scenario._repr_html_()
    assert "&lt;b&gt;" in html
    assert "exchange rate CN 0.25" in html
    assert "policy 0.05" in html
    assert html.count("<tr>") == 15 + 1 + 6
