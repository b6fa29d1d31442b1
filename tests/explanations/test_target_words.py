"""Sentences about results and probabilities name what the model looks for."""

from __future__ import annotations

from html import unescape

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import ArgumentError
from smartrisk.explanations import Reasons, Wording, explain
from smartrisk.explanations._evidence import Evidence
from smartrisk.explanations._messages import MESSAGES
from smartrisk.items import TARGETS
from smartrisk.languages import LANGUAGES

FINDINGS = {
    "en": "false origin",
    "fr": "fausse déclaration d'origine",
    "es": "falso origen",
}
#: Words of any irregularity, which a target must not use.
ANY = {"en": "irregular", "fr": "irrégul", "es": "irregular"}


def record(message, **values):
    """Return evidence on earlier results of an importer."""
    return Evidence(message=message, values=values, key=(("importer_id", None),))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sentence_on_results_names_the_finding(lang):
    words = Wording(lang, "offence:origin")
    usual = Wording(lang)
    for evidence in (
        record("record.some", hits=3, n=8),
        record("record.some", hits=1, n=1),
        record("record.clean", n=8),
        record("record.clean", n=1),
        record("record.expected", rate=0.1),
        record("record.none", rate=0.1),
        record("record.rate", rate=0.1),
        record("record.hits", n=4),
    ):
        text = words.sentence(evidence)
        assert FINDINGS[lang] in text
        assert ANY[lang] not in text
        assert FINDINGS[lang] not in usual.sentence(evidence)
    for risk in (0.3, 0.002, 0.00001):
        assert FINDINGS[lang] in words.statement(risk)
        assert ANY[lang] not in words.statement(risk)
        assert ANY[lang] in usual.statement(risk)


def test_no_message_about_irregularities_lacks_one_about_a_finding():
    for name, text in MESSAGES.items():
        about = str(text)
        if name.startswith(("record.", "statement.")) and (
            "irregular" in about or "hit rate" in about
        ):
            assert f"{name}.target" in MESSAGES


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_target_has_a_name_of_its_own(lang):
    names = {Wording(lang, target).finding() for target in TARGETS}
    assert len(names) == len(TARGETS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_reasons_of_a_target_carry_it_to_their_sentences_and_pages(reasons, lang):
    parts = vars(reasons)
    made = Reasons(
        parts["_declarations"],
        parts["_matrix"],
        contributions=parts["_contributions"],
        plan=parts["_plan"],
        risk=parts["_risk"],
        target="offence:origin",
    )
    assert made.target == made[:2].target == made.release.target == "offence:origin"
    assert all(FINDINGS[lang] in text for text in made.statements(lang=lang))
    assert not any(ANY[lang] in text for text in made.frame(lang=lang)["sentence"])
    note = Wording(lang).text("page.target", target=FINDINGS[lang])
    assert note in unescape(made.to_html(lang=lang))
    assert note not in unescape(reasons.to_html(lang=lang))
    assert reasons.target == "hit"


def test_an_unknown_target_is_refused():
    with pytest.raises(ArgumentError, match="Did you mean 'area:drugs'"):
        explain(pd.DataFrame(), np.empty((0, 0)), [], [], target="area:drug")
