"""Pages of an engine that looks for one finding name it, in three languages."""

from __future__ import annotations

import re
from html import unescape

import pytest

import smartrisk as sr
from smartrisk.displays import Texts
from smartrisk.explanations import Wording
from smartrisk.features import DeclarationFeatures, Key
from smartrisk.models import RevenueRegressor, RiskClassifier
from smartrisk.pages import CaseSheet, EvaluationReport, ModelCard, WatchList
from smartrisk.pages._write_pages import _judge, _Tables

TARGET = "offence:undervaluation"


def quick(**settings):
    """Return an engine of few trees."""
    return sr.RiskEngine(
        features=DeclarationFeatures((Key(("importer_id",)), Key(("hs6",)))),
        classifier=RiskClassifier(5, members=("boosting",)),
        regressor=RevenueRegressor(n_estimators=5),
        n_jobs=1,
        **settings,
    )


@pytest.fixture(scope="module")
def split(calibrated_split):
    return calibrated_split


@pytest.fixture(scope="module")
def fitted(split):
    return quick(target=TARGET).fit(split.past, split.known)


def plain(text):
    """Return a text with ordinary spaces."""
    return re.sub(r"\s+", " ", text)


def words(html):
    """Return what a reader sees of a page."""
    text = re.sub(r"<(style|script|svg)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return plain(unescape(text))


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_every_page_states_what_the_scores_are_about(fitted, split, lang):
    finding = Wording(lang, TARGET).finding()
    note = plain(Wording(lang).text("page.target", target=finding))
    day = split.later.head(60)
    sheet = CaseSheet.from_engine(
        fitted, day.tail(1), past=split.past.tail(500), outcomes=split.known
    )
    reasons = fitted.explain(day.head(5))
    for page in (sheet, WatchList.from_engine(fitted, day, 5)):
        assert note in words(page.to_html(lang=lang))
    card = words(ModelCard.from_engine(fitted, reasons=reasons).to_html(lang=lang))
    gettext = Texts(lang).gettext
    hits = plain(
        gettext("results with the finding “%(finding)s”") % {"finding": finding}
    )
    assert note in card
    assert hits in card
    assert gettext("results with an irregularity") not in card
    assert TARGET in card  # among the parameters
    text = words(sheet.to_html(lang=lang))
    assert gettext("The tables of earlier items count every irregularity.") in text
    label = Texts(lang).words.text("label", title=gettext("risk score"), about=finding)
    assert plain(label).lower() in text.lower()


def test_pages_of_the_usual_target_do_not_name_one(split):
    usual = quick().fit(split.past, split.known)
    text = words(WatchList.from_engine(usual, split.later.head(60), 5).to_html())
    assert "one finding only" not in text
    card = words(ModelCard.from_engine(usual).to_html())
    assert "results with an irregularity" in card


def test_figures_of_the_pages_count_hits_of_the_target(fitted, calibrated_world, split):
    tables = _Tables.from_inputs(
        split.later, None, calibrated_world.outcomes, "raise", {}
    )
    judged = _judge(fitted, tables, None).evaluation.overall()
    found = tables.results_of(tables.items)
    own = (found["illicit"] == 1) & (found["offence"] == "undervaluation")
    assert judged["base_rate"] == pytest.approx(own.mean())
    assert own.sum() < (found["illicit"] == 1).sum()
    evaluation = _judge(fitted, tables, None).evaluation
    reasons = fitted.explain(split.later.head(30))
    report = EvaluationReport.from_evaluation(evaluation, reasons=reasons)
    assert "one finding only: undervaluation" in words(report.to_html())
