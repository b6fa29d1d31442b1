"""Pages state what scores rest on; without results none shows a probability."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.displays import Texts
from smartrisk.errors import ArgumentError
from smartrisk.explanations import Wording, explain
from smartrisk.items import stage_of
from smartrisk.pages import CaseSheet, ModelCard, WatchList, write_pages
from smartrisk.schema import INTERVAL, STAGES
from smartrisk.selectivity import mark_undecided

NO_RESULTS = {
    "en": "no results yet",
    "fr": "pas encore de résultats",
    "es": "aún no hay resultados",
}


@pytest.fixture(scope="module")
def beginner(past_and_new):
    """Return an engine that was fitted without results."""
    past, _ = past_and_new
    return sr.RiskEngine().fit(past.tail(1_500), None)


@pytest.fixture(scope="module")
def day(past_and_new):
    """Return the items of a day."""
    return past_and_new[1].tail(60)


def words(html):
    """Return what a reader sees of a page."""
    text = re.sub(r"<(style|script|svg)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_without_results_a_case_sheet_shows_no_probability(beginner, day, lang):
    html = CaseSheet.from_engine(beginner, day.tail(1)).to_html(lang=lang)
    shown = re.search(r'<span class="big">(.*?)</span>', html)[1]
    assert "%" not in shown
    assert float(shown.replace(",", ".")) <= 1.0
    assert NO_RESULTS[lang] in words(html).lower()
    assert "interval" not in words(html)


def test_without_results_a_watch_list_shows_plain_scores(beginner, day):
    watch_list = WatchList.from_engine(beginner, day, 5)
    text = words(watch_list.to_html())
    assert "Score, no results yet" in text
    assert "Stake weighted by the score" in text
    assert "Risk " not in text
    assert "expected revenue" not in text.lower().replace("not expected revenue", "")
    assert "selected by its score" in text
    frame = watch_list.frame()
    assert set(frame["stage"]) == {"no results"}
    assert not frame["undecided"].any()


def test_a_spreadsheet_states_the_stage_beside_each_score(beginner, day, tmp_path):
    path = WatchList.from_engine(beginner, day, 5).export(tmp_path / "list.csv")
    table = pd.read_csv(path)
    assert set(table["stage"]) == {"no results"}
    assert table["risk_score"].between(0, 1).all()


def test_reasons_without_results_read_as_usual(beginner, day):
    reasons = beginner.explain(day.head(5))
    assert reasons.stage == reasons[0].stage == "no results"
    assert all("probab" not in s for lines in reasons.sentences() for s in lines)
    assert all("not a probability" in text for text in reasons.statements())
    assert "log-odds" not in reasons.to_html().lower()


def test_pages_of_an_engine_without_results_are_written(beginner, day, tmp_path):
    paths = write_pages(beginner, day, tmp_path, n_cases=1)
    assert "evaluation" not in paths
    card = words(paths["model-card"].read_text(encoding="utf-8"))
    assert "There are no results to learn from yet" in card
    assert "a score of directed signals per item" in card
    assert "calibration: slope" not in card


def test_results_that_judge_an_engine_without_results_show_no_calibration(
    beginner, past_and_new, outcomes, tmp_path
):
    _, new = past_and_new
    judged = new[new["declaration_id"].isin(outcomes["declaration_id"])].head(150)
    paths = write_pages(beginner, judged, tmp_path, outcomes=outcomes, n_cases=0)
    report = words(paths["evaluation"].read_text(encoding="utf-8"))
    assert "Observed hit rate against risk score" not in report


def test_a_card_lists_members_whose_weights_add_up(engine):
    card = ModelCard.from_engine(engine)
    members = engine.classifier_.members_
    assert sum(member.weight for member in members) == pytest.approx(1.0)
    text = words(card.to_html())
    for member, name in zip(
        members,
        (
            "boosted trees",
            "random forest",
            "boosted trees with random splits",
            "directed signals, which need no results",
        ),
        strict=True,
    ):
        share = Texts("en").rate(member.weight)
        trees = getattr(member, "n_trees", 0) or "–"
        assert f"{name} {trees} {share}" in text


def test_the_list_marks_what_the_interval_leaves_undecided(engine, day):
    scores = engine.score(day)
    rank = scores["risk_score"].rank(ascending=False)
    policy = sr.selectivity.Policy(capacity=10)
    decisions = engine.select(day, policy=policy, mandatory=rank.between(8, 12))
    watch_list = WatchList.from_engine(engine, day, decisions=decisions)
    band = pd.Series(mark_undecided(scores, decisions), day.index)
    by_model = decisions["selected_by"] == "model"
    assert (band & (decisions["selected_by"] == "mandatory")).any()
    frame = watch_list.frame()
    assert frame["undecided"].sum() == (band & by_model).sum() > 0
    assert watch_list.n_undecided == (band & decisions["selected_by"].isna()).sum()
    assert len(watch_list.undecided_keys()) == frame["undecided"].sum()
    text = words(watch_list.to_html())
    assert f"{INTERVAL:.0%}".replace("%", " %") + " interval" in text
    assert "An officer decides, not the score." in text


def test_a_case_sheet_shows_interval_moment_and_doubt(engine, day):
    item = day.tail(1)
    score = engine.score(item).iloc[0]
    texts = Texts("en")
    sheet = CaseSheet.from_engine(engine, item, undecided=True)
    text = words(sheet.to_html())
    bounds = texts.between(score["score_lower"], score["score_upper"])
    assert f"90 % interval: {bounds}" in text
    scored = score["scored_at"]
    assert f"scored {scored.day} {scored:%B %Y, %H:%M}" in text
    assert "Undecided:" in text
    assert "Undecided:" not in words(CaseSheet.from_engine(engine, item).to_html())


def test_a_score_is_worded_by_its_stage():
    texts = Wording("fr")
    assert texts.score(0.62, "no results") == "0,62"
    assert texts.score(0.62, "few results") == texts.rate(0.62) == texts.score(0.62)
    assert "probabilité" in texts.statement(0.62, "no results")


def test_scores_rest_on_the_least_that_any_of_them_states():
    assert STAGES == ("no results", "few results", "model")
    assert stage_of(pd.DataFrame({"risk_score": [0.1]})) == "model"
    mixed = pd.DataFrame({"stage": ["model", "no results", "few results"]})
    assert stage_of(mixed) == "no results"
    assert stage_of(mixed.head(1)) == "model"


def test_an_unknown_stage_is_refused():
    items = pd.DataFrame({"declaration_id": ["A"], "item_number": [1]})
    with pytest.raises(ArgumentError, match="'stage' must be one of"):
        explain(items, [[]], [[0.0]], [], stage="soon")
