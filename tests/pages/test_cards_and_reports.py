"""Cards and reports show what was given, and name what was not."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, TableError
from smartrisk.pages import (
    DataCard,
    EvaluationReport,
    ModelCard,
    PolicyReport,
)

GRADES = ("good", "fair", "poor")


def cells(html):
    """Return the rows of the tables of a page as lists of texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]


def test_a_model_card_states_what_was_not_provided(engine):
    bare = ModelCard.from_engine(engine).to_html()
    rows = dict(
        re.findall(r"<td>((?:EU|TFA|RKC)[^<]+)</td>.*?</td><td[^>]*>(.*?)</td>", bare)
    )
    assert len(rows) == 21
    absent = {name for name, text in rows.items() if text == "not provided"}
    assert {"EU AI Act 9", "EU AI Act 12", "TFA 7.4.1"} <= absent
    assert "marked for an officer" in rows["EU AI Act 14"]
    assert "EU AI Act 13" not in absent
    assert "not a claim of compliance" in bare
    assert "compliant with" not in bare


def test_an_administration_answers_for_itself(engine, past_and_new):
    past, new = past_and_new
    answers = {"EU AI Act 9": "Reviewed <each> quarter.", "RKC 6.6": "Audit plan 2026."}
    card = ModelCard.from_engine(
        engine, answers=answers, drift=sr.monitoring.drift(past, new)
    )
    html = card.to_html()
    assert re.search(
        r"reference: \d+ of \d+ moved; stated by the administration: Reviewed &lt;each",
        html,
    )
    assert "<td>RKC 6.6</td>" in html
    assert "stated by the administration: Audit plan 2026." in html
    with pytest.raises(ArgumentError, match=r"'AI Act 9'.*Did you mean 'EU AI Act 9'"):
        ModelCard.from_engine(engine, answers={"AI Act 9": "x"})


@pytest.mark.parametrize(
    ("lang", "absent"), [("fr", "non fourni"), ("es", "no consta")]
)
def test_a_model_card_speaks_one_language(pages, lang, absent):
    html = pages["model"].to_html(lang=lang)
    english = re.compile(r"\b(the|with|and|this card|which|within|every)\b")
    text = re.sub(r"<(style|svg)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    text = text.replace("An officer decides on every control.", "")
    assert english.findall(text) == []
    assert absent in html


def test_a_model_card_shows_what_was_handed_over(pages, engine):
    html = pages["model"].to_html()
    for text in (
        "An officer decides on every control.",
        "ledger with 3 entries, chain whole",
        "of the controls at random",
        "selection rates compared: office",
        engine.version_,
        "classifier.learning_rate",
    ):
        assert text in html


def test_cards_and_reports_do_with_what_an_evaluation_has(engine, past_and_new, world):
    new = past_and_new[1]
    truth = world.full_outcomes().drop(columns="revenue_adjustment")
    bare = sr.evaluation.evaluate(engine.score(new), truth, n_bootstrap=0)
    for html in (
        ModelCard.from_engine(engine, evaluation=bare).to_html(lang="fr"),
        EvaluationReport.from_evaluation(bare).to_html(lang="es"),
    ):
        assert ">–<" in html
        assert not re.search(r">\s*(nan|None)\s*<", html)


@pytest.mark.slow
def test_what_an_evaluation_could_not_compute_is_named_in_the_language():
    key = pd.DataFrame({"declaration_id": [f"D{k}" for k in range(40)]})
    scores = key.assign(risk_score=np.linspace(0, 1, 40))
    few = key.assign(illicit=[1] * 3 + [0] * 37)
    report = EvaluationReport.from_evaluation(
        sr.evaluation.evaluate(scores, few, n_bootstrap=0)
    )
    assert "Few hits (3): intervals are wide." in report.to_html()
    assert "limité à 3" in report.to_html(lang="fr")
    assert "limitado a 3" in report.to_html(lang="es")
    assert "revenue shares" not in report.to_html(lang="fr")


@pytest.mark.slow
def test_a_data_card_shows_the_figures_of_its_scorecard(world):
    card = DataCard.from_tables(world.declarations, world.outcomes, name="All of it")
    figures = sr.quality.scorecard(world.declarations, world.outcomes)
    pd.testing.assert_frame_equal(card.scorecard.frame(), figures.frame())
    again = DataCard.from_scorecard(figures, name="All of it")
    # A scorecard alone does not know what makes its tables doubtful.
    doubts = re.compile(r"<section>\s*<h2>Doubts about learning.*?</section>\s*", re.S)
    assert again.to_html().split() == doubts.sub("", card.to_html()).split()
    facts, text = figures.facts(), cells(card.to_html())
    assert f"{facts.n_items:,}" in card.to_html()
    for line in figures.channels().to_dict("records"):
        assert [str(line["n_results"]), str(line["n_hits"])] in [
            row[1:3] for row in text
        ]
    grades = [row[2] for row in text if len(row) == 5 and row[2] in GRADES]
    assert grades == figures.frame()["grade"].tolist()
    bare = DataCard.from_tables(world.declarations)
    assert "Selection bias" in bare.to_html()
    assert not re.search(r">\s*(nan|None)\s*<", bare.to_html())
    with pytest.raises(ArgumentError, match="'scorecard' must be a Scorecard, got int"):
        DataCard.from_scorecard(3)


def test_reports_refuse_results_that_they_cannot_show(pages):
    evaluation = pages["evaluation"].evaluation
    with pytest.raises(ArgumentError, match="'evaluation' must be a Evaluation"):
        EvaluationReport.from_evaluation(None)
    with pytest.raises(ArgumentError, match="'drift' must be a Drift"):
        EvaluationReport.from_evaluation(evaluation, drift=1)
    with pytest.raises(ArgumentError, match="'comparison' must be a PolicyComparison"):
        PolicyReport.from_comparison(evaluation)
    with pytest.raises(ArgumentError, match="'loop' must be a ClosedLoop"):
        PolicyReport.from_comparison(pages["policy"].comparison, loop=evaluation)


def test_numbers_of_items_are_shown_as_their_share(engine, past_and_new, world):
    scores = engine.score(past_and_new[1])
    found = sr.evaluation.evaluate(
        scores, world.full_outcomes(), rates=(60, 120), n_bootstrap=0
    )
    html = ModelCard.from_engine(engine, evaluation=found).to_html()
    assert "inspecting 5 % finds" in html
    assert "00 %" not in html.split("How well it finds")[1].split("Segments")[0]


def test_a_card_refuses_what_is_not_of_its_kind_all_at_once(engine):
    with pytest.raises(
        ArgumentError, match=r"'evaluation' must be a Evaluation, got int; 'ledger'"
    ):
        ModelCard.from_engine(engine, evaluation=3, ledger="x")
    with pytest.raises(TableError, match="channel"):
        ModelCard.from_engine(engine, decisions=pd.DataFrame({"a": [1]}))


@pytest.mark.slow
def test_a_page_is_the_same_whatever_pictures_were_set_to(pages):
    import matplotlib.pyplot as plt

    before = pages["evaluation"].to_html()
    with plt.style.context("dark_background"), plt.rc_context({"lines.linewidth": 9}):
        assert pages["evaluation"].to_html() == before


def test_what_somebody_wrote_is_drawn_as_it_is():
    from smartrisk.displays import PolicyComparisonDisplay, Texts
    from smartrisk.pages._page import make_picture

    table = pd.DataFrame(
        {
            "policy": ["#000000", 'id="x" url(#222222)'],
            "measure": ["hit_rate"] * 2,
            "difference": [0.1, 0.2],
            "low": [0.0, 0.1],
            "high": [0.2, 0.3],
        }
    )
    rest = [table.assign(measure=name) for name in ("recall", "revenue_share")]
    display = PolicyComparisonDisplay(pd.concat([table, *rest]))
    svg = str(make_picture(display, "", 7, Texts("en")).svg)
    assert ">#000000<" in svg
    assert '>id="x" url(#222222)<' in svg
    assert 'id="p7-' in svg
    assert "var(--ink)" in svg


@pytest.mark.slow
def test_every_segment_is_drawn_or_named(engine, past_and_new, world):
    new = past_and_new[1]
    scores = engine.score(new)
    found = sr.evaluation.evaluate(scores, world.full_outcomes(), n_bootstrap=0)
    groups = {f"kind {k}": new["origin"] for k in range(7)} | {"office": new["office"]}
    parts = sr.evaluation.by_segment(scores, world.full_outcomes(), groups)
    html = EvaluationReport.from_evaluation(found, segments=parts).to_html()
    assert "Not drawn: kind 5 and kind 6." in html
    assert html.count("<figure>") == 1 + 6


def test_a_figure_below_a_bound_does_not_look_as_if_it_reached_it(world):
    items = world.declarations.head(990).assign(customs_value=1.0, net_mass_kg=1.0)
    items = items.drop(columns=["gross_mass_kg", "quantity"])
    items.loc[items.index[:5], "customs_value"] = 0.0  # doubtful
    card = DataCard.from_tables(items)
    figure = card.scorecard.frame().set_index("dimension").loc["consistency"]
    assert 0.9945 < figure["figure"] < 0.995
    (row,) = [r for r in cells(card.to_html()) if r and r[0].startswith("consistency")]
    assert row[1:4] == ["99.4 %", "fair", "99.5 %"]
