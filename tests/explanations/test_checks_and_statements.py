"""What to check for a reason, and how strong a score is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import CONCEPTS, LANGUAGES, Wording, explain


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_concept_has_its_own_check(lang):
    words = Wording(lang)
    checks = {words.check(concept) for concept in (*CONCEPTS, "other")}
    assert len(checks) == len(CONCEPTS) + 1
    assert words.check("a concept of tomorrow") == words.check("other")


@pytest.mark.slow
def test_checks_are_listed_once_and_in_the_order_of_the_reasons(reasons):
    for text, item in zip(reasons.checks(), reasons, strict=True):
        assert text == list(dict.fromkeys(item.frame()["check"]))


def test_short_checks_name_the_means(reasons):
    long, short = reasons.checks(), reasons.checks(short=True)
    assert [len(a) for a in long] == [len(b) for b in short]
    assert all(
        len(b) < len(a)
        for x, y in zip(long, short, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_a_reason_of_the_office_asks_for_no_certificate_of_origin(make_reasons):
    office = {0: "office"}
    found = make_reasons([0.9, 0.4], ["origin and route", "valuation"], office)
    assert found.frame()["check"].tolist() == [
        Wording("en").check("other"),
        Wording("en").check("valuation"),
    ]


@pytest.mark.parametrize(
    ("risk", "table"),
    [
        (0.3, "of 100 items with such a score about 30 turn out"),
        (
            0.0123,
            "of 100 items with such a score about 1 turns out",
        ),
        (
            0.0042,
            "of 1,000 items with such a score about 4 turn out",
        ),
        (0.0001, "of 1,000 items with such a score fewer than one"),
        (1.0, "of 100 items with such a score about 99 turn out"),
    ],
)
def test_strength_is_stated_as_a_count_of_similar_items(risk, table):
    text = Wording("en").statement(risk)
    assert text.startswith(f"by earlier results, {table}")


def test_statements_follow_the_calibrated_score(engine, new, reasons):
    score = engine.score(new)["risk_score"]
    np.testing.assert_allclose(reasons.risk, score, rtol=1e-9)
    assert reasons[3].statements(lang="fr") == [reasons.statements(lang="fr")[3]]


def test_without_a_probability_there_is_no_statement():
    frame = pd.DataFrame({"declaration_id": ["A"], "item_number": [1]})
    with pytest.raises(ArgumentError, match="no calibrated probability"):
        explain(frame, np.empty((1, 0)), [[0.1]], []).statements()
    with pytest.raises(ArgumentError, match="one probability for each of the 1 items"):
        explain(frame, np.empty((1, 0)), [[0.1]], [], risk=[1.2])
