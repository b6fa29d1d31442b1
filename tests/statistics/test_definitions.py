"""Definitions are data: a closed grammar, three languages, a country's own file."""

from __future__ import annotations

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.statistics import enforcement, read_definitions

ROW = """
[[indicator]]
id = "heavy_duty"
measure = "share"
numerator = "count where duties_taxes >= 80 and not trusted_trader"
denominator = "count where office in A|B and transport_mode != 4"
name = {en = "Heavy", fr = "Lourd", es = "Pesado"}
definition = {en = "Heavy duty.", fr = "Droits lourds.", es = "Derechos altos."}
"""


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_every_indicator_has_its_texts_in_three_languages(lang):
    for one in read_definitions().values():
        text = one.text(lang)
        assert text.startswith(f"{one.name[lang]}: {one.definition[lang]}")
        assert one.anchor in text
        assert text.count("\n") == 5


def test_no_definition_claims_to_be_of_another_organisation():
    for one in read_definitions().values():
        assert "WCO definition" not in one.text()
        assert one.anchor


def test_the_definition_of_non_compliance_names_its_strata():
    assert "strata of their own" in read_definitions()["non_compliance"].text()


def test_a_country_adds_an_indicator_and_replaces_one(tables, tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(ROW + ROW.replace("heavy_duty", "hit_rate"), encoding="utf-8")
    known = read_definitions(path)
    assert known["hit_rate"].name["en"] == "Heavy"
    assert list(known)[-1] == "heavy_duty"
    made = enforcement(
        tables["declarations"],
        tables["outcomes"],
        tables["decisions"],
        as_of="2024-06-01",
        by=(),
        definitions=path,
    )
    rows = made.frame().set_index("indicator")
    # Duties of 80 or more without trusted traders: D2, D5, D6 and D9's kind apart, D10.
    assert rows.loc["heavy_duty", "numerator"] == 4
    assert rows.loc["heavy_duty", "denominator"] == 10


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"count where duties', '"__import__ where duties', "is no expression"),
        ("duties_taxes >= 80", "dutys_taxes >= 80", "Did you mean 'duties_taxes'"),
        ("duties_taxes >= 80", "duties_taxes >= many", "compares with no number"),
        ("duties_taxes >= 80", "office >= 80", "is a code and cannot be asked"),
        ("duties_taxes >= 80", "duties_taxes", "cannot be asked with 'is'"),
        ("duties_taxes >= 80", "f(x) >= 80", "is no condition"),
        ('"count where duties', '"sum office where duties', "is no number"),
        ('"count where duties', '"sum customs_value where duties', "must be a count"),
        ('measure = "share"', 'measure = "magic"', "'magic' is none of"),
        ('measure = "share"', 'measure = "split"', "a split needs 'split'"),
        ('measure = "share"', 'measure = "amount"', "has no denominator; leave it"),
        ('es = "Pesado"', 'de = "Schwer"', "lacks the languages es; add them"),
        (
            'id = "heavy_duty"',
            'id = "heavy_duty"\nunit = "case"',
            "unit must be one of",
        ),
        ('id = "heavy_duty"', 'id = "heavy_duty"\ncolour = "red"', "no part of an"),
        ('denominator = "count', 'denominator = "rate x" #', "must be a count"),
    ],
)
def test_a_definition_outside_the_grammar_is_refused_by_name(old, new, message):
    assert old in ROW
    with pytest.raises(ArgumentError, match=message) as caught:
        read_definitions(ROW.replace(old, new))
    assert "indicator 'heavy_duty'" in str(caught.value)


def test_all_that_is_wrong_is_stated_at_once():
    wrong = ROW.replace("duties_taxes", "dutiess") + ROW.replace("count where off", "x")
    with pytest.raises(ArgumentError) as caught:
        read_definitions(wrong)
    assert "'dutiess'" in str(caught.value)
    assert "is no expression" in str(caught.value)


def test_the_rate_of_an_indicator_that_does_not_exist_is_refused():
    row = ROW.replace('"share"', '"lift"')
    row = row.replace(
        '"count where duties_taxes >= 80 and not trusted_trader"', '"rate a"'
    )
    row = row.replace(
        '"count where office in A|B and transport_mode != 4"', '"rate hit_rat"'
    )
    with pytest.raises(ArgumentError, match=r"no indicator 'a'.*'hit_rat'.*'hit_rate'"):
        read_definitions(row)


def test_a_file_without_an_indicator_is_refused():
    with pytest.raises(ArgumentError, match=r"write one as \[\[indicator\]\]"):
        read_definitions("a = 1\nb = 2\n")
