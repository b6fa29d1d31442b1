"""Pages say what they must, in three languages, and are the same every time."""

from __future__ import annotations

import copy
import csv
import re

import numpy as np
import openpyxl
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, TableError
from smartrisk.languages import LANGUAGES
from smartrisk.pages import (
    CaseSheet,
    DataCard,
    EvaluationReport,
    ModelCard,
    PolicyReport,
    WatchList,
)
from smartrisk.pages._spreadsheet import escape_formula
from smartrisk.results import clean_text

PAGES = ("case", "watch", "model", "data", "evaluation", "policy")
LIMIT = 500_000


@pytest.fixture(params=PAGES)
def page(request, pages):
    """Return each page in turn."""
    return pages[request.param]


# ------------------------------------------------------------------ every page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_is_small_loads_nothing_and_says_its_language(page, lang):
    html = page.to_html(lang)
    assert len(html.encode()) < LIMIT
    assert f'<html lang="{lang}">' in html
    assert "default-src 'none'" in html.replace("&#39;", "'")
    assert not re.search(r'(?:src|href)="(?!#)', html)
    assert html.replace("http://www.w3.org", "").count("http") <= 1  # http-equiv
    assert not re.search(r">\s*(nan|None|NaT)\s*<", html)


def test_a_page_is_the_same_every_time(page):
    assert page.to_html("fr") == page.to_html("fr")


def test_languages_differ_in_more_than_numbers(page):
    english, french, spanish = (
        set(re.findall(r"<h2>([^<]+)</h2>", page.to_html(lang))) for lang in LANGUAGES
    )
    assert len(english) == len(french) == len(spanish)
    assert len(english & french) <= 2  # "Calibration" is French as well
    assert not english & spanish


def test_a_page_is_saved_and_another_ending_refused(page, tmp_path):
    path = page.save(tmp_path / "new" / "page.html", lang="es")
    assert path.read_text(encoding="utf-8") == page.to_html("es")
    with pytest.raises(ArgumentError, match="'path ending' must be one of"):
        page.save(tmp_path / "page.pdf")
    with pytest.raises(ArgumentError, match="'lang' must be one of"):
        page.to_html("de")


def test_a_file_is_the_old_one_or_the_new_one(pages, tmp_path, monkeypatch):
    import os

    places = [tmp_path / f"list.{end}" for end in ("html", "csv", "xlsx")]
    watch = pages["watch"]
    writers = [watch.save, watch.export, watch.export]
    for place, write in zip(places, writers, strict=True):
        place.write_text("old")

        def killed(*_):
            raise OSError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", killed)
            with pytest.raises(OSError, match="killed"):
                write(place)
        assert place.read_text() == "old"
        write(place)
        assert place.stat().st_size > 1000
    assert sorted(tmp_path.iterdir()) == sorted(places)


def test_a_notebook_shows_a_page_in_a_frame_of_its_own(page):
    html = page._repr_html_()
    assert html.startswith("<iframe")
    assert "<script" not in html
    assert repr(page)


@pytest.mark.parametrize("kind", PAGES)
def test_nothing_hostile_is_markup(hostile_pages, kind):
    for lang in LANGUAGES:
        html = hostile_pages[kind].to_html(lang)
        assert len(html.encode()) < LIMIT
        assert "<script>window" not in html
        assert "<img" not in html
        assert "<iframe" not in html
        assert "<svg/" not in html
        assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069\ufeff]", html)
        assert "x" * 400 not in html


def test_plain_keeps_words_and_drops_what_steers_the_reader():
    assert clean_text("a\u202eb\u2066c\x00d\n") == "abc d "
    assert clean_text("x" * 999) == "x" * 299 + "…"
    assert clean_text("Société Générale S.à r.l.") == "Société Générale S.à r.l."


# ------------------------------------------------------------------ case sheet


def test_a_case_sheet_knows_only_what_was_known(engine, past_and_new, world):
    past, new = past_and_new
    item = new.iloc[[50]]
    day = item["lodged_at"].iloc[0].normalize()
    sheet = CaseSheet.from_engine(
        engine, item, past=world.declarations, outcomes=world.outcomes
    )
    assert (sheet.past["lodged_at"] < day).all()
    late = world.outcomes.copy()
    unknown = late["known_at"] >= day
    late.loc[unknown, "illicit"] = 1 - late.loc[unknown, "illicit"]
    again = CaseSheet.from_engine(engine, item, past=world.declarations, outcomes=late)
    assert again.to_html() == sheet.to_html()
    known = world.outcomes[world.outcomes["known_at"] < day]
    before = known.merge(past, on=["declaration_id", "item_number"])
    assert sheet.past["illicit"].notna().sum() <= len(before)
    assert sheet.past["illicit"].notna().sum() > 0


def test_a_case_sheet_says_what_removal_and_release_say(pages):
    html = pages["case"].to_html()
    assert "in place of the first reason&#39;s data, the log-odds fall by" in html
    for firm in (pages["case"].reasons, pages["case"].reasons.release):
        for said in firm.at_least("slight").sentences()[0]:
            assert said[1:] in html
    assert pages["case"].reasons.statements()[0][1:] in html
    assert pages["case"].reasons.checks()[0][0][1:] in html


def test_a_case_sheet_says_why_not_when_removal_moves_nothing(pages):
    import dataclasses

    same = dataclasses.replace(pages["case"], moved=-0.1)
    assert "other declared data say the same" in same.to_html()
    alone = dataclasses.replace(same, moved=None, instead=None, past=same.past.iloc[:0])
    html = alone.to_html()
    assert "Tested" not in html
    assert "History" not in html


def test_a_case_sheet_is_of_one_item(engine, past_and_new):
    with pytest.raises(TableError, match="'item' must be one row; got 2"):
        CaseSheet.from_engine(engine, past_and_new[1].head(2))


# ------------------------------------------------------------------ watch list


def test_a_watch_list_holds_what_was_selected_in_order(engine, past_and_new, pages):
    new = past_and_new[1].head(200)
    decisions = engine.select(new, 0.2)
    told = WatchList.from_engine(engine, new, decisions=decisions).frame("fr")
    assert len(told) == (decisions["channel"] != "green").sum() == 40
    assert told["rank"].is_monotonic_increasing
    assert set(told["selected_by"]) == {"model", "random"}
    assert told["reasons"].str.len().gt(0).all()
    assert pages["watch"].frame()["declaration_id"].tolist() == (
        told["declaration_id"].tolist()
    )


def test_a_long_watch_list_stays_small_and_says_what_is_left(
    engine, past_and_new, hostile
):
    new = hostile(past_and_new[1].head(600))
    found = WatchList.from_engine(engine, new, 500)
    html = found.to_html()
    assert len(html.encode()) < LIMIT
    assert "200 more items are in the table" in html


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_no_exported_text_acts_as_a_formula(hostile_pages, tmp_path, ending):
    path = hostile_pages["watch"].export(tmp_path / f"list.{ending}")
    if ending == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        cells = [cell for row in rows for cell in row]
    else:
        sheet = openpyxl.load_workbook(path).active
        found = [cell for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in found if cell.data_type == "f"]
        assert any(isinstance(cell.value, float) for cell in found)
        cells = [str(c.value) for c in found if isinstance(c.value, str)]
    assert len(cells) > 300
    assert not [c for c in cells if c.lstrip(" \ufeff").startswith(("=", "+", "@"))]
    assert any(c.startswith("'=HYPERLINK") for c in cells)


@pytest.mark.parametrize("text", ["=1", " =1", "\ufeff@x", "＝1", "\t1", "-1+1", "|a"])
def test_a_trigger_gets_an_apostrophe(text):
    assert escape_formula(text).startswith("'")


def test_numbers_and_plain_texts_stay_as_they_are(pages):
    assert escape_formula(-1.5) == -1.5
    assert escape_formula("A-1 = 2") == "A-1 = 2"
    with pytest.raises(ArgumentError, match="path ending"):
        pages["watch"].export("x.txt")


# ------------------------------------------------------------------ cards


def test_a_model_card_says_what_was_not_provided(engine):
    bare = ModelCard.from_engine(engine).to_html()
    rows = dict(
        re.findall(r"<td>((?:EU|TFA|RKC)[^<]+)</td>.*?</td><td[^>]*>(.*?)</td>", bare)
    )
    assert len(rows) == 21
    absent = {name for name, text in rows.items() if text == "not provided"}
    assert {"EU AI Act 9", "EU AI Act 12", "EU AI Act 14", "TFA 7.4.1"} <= absent
    assert "EU AI Act 13" not in absent
    assert "no claim of compliance" in bare
    assert "compliant with" not in bare
    with pytest.raises(TypeError, match="unknown owner"):
        ModelCard.from_engine(engine, owner="me")


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


@pytest.mark.parametrize(("lang", "absent"), [("fr", "non fourni"), ("es", "no aport")])
def test_a_model_card_speaks_one_language(pages, lang, absent):
    html = pages["model"].to_html(lang)
    english = re.compile(r"\b(the|with|and|this card|which|within|every)\b")
    told = re.sub(r"<(style|svg)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    told = told.replace("An officer decides on every control.", "")
    assert english.findall(told) == []
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
        ModelCard.from_engine(engine, evaluation=bare).to_html("fr"),
        EvaluationReport.from_evaluation(bare).to_html("es"),
    ):
        assert ">–<" in html
        assert not re.search(r">\s*(nan|None)\s*<", html)


def test_a_data_card_counts(world):
    card = DataCard.from_tables(world.declarations, world.outcomes)
    facts = card.facts
    assert facts["n_items"] == len(world.declarations)
    assert facts["n_results"] == len(world.outcomes)
    assert facts["hit_rate"] == pytest.approx((world.outcomes["illicit"] > 0).mean())
    assert card.months["n_items"].sum() == facts["n_items"]
    assert card.channels["n"].sum() == facts["n_results"]
    inspected = world.truth["inspected"].to_numpy(bool)
    rate = np.log1p(world.declarations["duty_rate"].to_numpy(float))
    known = (
        world.declarations.merge(
            world.outcomes[["declaration_id", "item_number"]],
            how="left",
            indicator=True,
        )["_merge"]
        .eq("both")
        .to_numpy()
    )
    assert inspected[known].all()
    gap = (rate[known].mean() - rate[~known].mean()) / rate.std()
    told = card.selection.set_index("field")["difference"]
    assert told["duty_rate"] == pytest.approx(gap)
    bare = DataCard.from_tables(world.declarations)
    assert bare.facts["hit_rate"] is None
    assert "Selection bias" in bare.to_html()


def test_reports_refuse_what_they_cannot_show(pages):
    evaluation = pages["evaluation"].evaluation
    with pytest.raises(ArgumentError, match="unknown 'weather'"):
        EvaluationReport.from_evaluation(evaluation, weather=1)
    with pytest.raises(ArgumentError, match="'drift' must be a Drift"):
        EvaluationReport.from_evaluation(evaluation, drift=1)
    with pytest.raises(ArgumentError, match="compare_policies"):
        PolicyReport.from_comparison(evaluation)


# ------------------------------------------------------------------ notebooks


def test_every_result_shows_itself_in_a_notebook():
    import inspect

    bare = []
    for room in sr._ROOMS:
        module = getattr(sr, room)
        for name in module.__all__:
            found = getattr(module, name)
            shows = inspect.isclass(found) and callable(getattr(found, "frame", None))
            if shows and not hasattr(found, "_repr_html_"):
                bare.append(name)
    assert bare == ["Ledger"]  # its entries may be millions


def test_what_a_notebook_shows_is_escaped(corpus):
    table = pd.DataFrame({"field": [corpus[0][0]], "psi": [0.1], "shift": ["stable"]})
    html = sr.monitoring.Drift(table)._repr_html_()
    assert "<script>" not in html
    assert "Drift(1 fields" in html


def test_the_corpus_reaches_every_text_field(corpus):
    texts = {f.name for f in sr.schema.DECLARATIONS if f.kind in ("text", "id")}
    assert set(corpus[1]) <= set(sr.schema.DECLARATIONS.names)
    assert texts - set(corpus[1]) <= {"transport_mode", "quantity_unit"}


# ------------------------------------------------------------------ odd input


def test_decisions_that_do_not_fit_the_items_are_refused(engine, past_and_new):
    new = past_and_new[1].head(60)
    decisions = engine.select(new, 0.2)
    twice = pd.concat([decisions, decisions.head(1)])
    with pytest.raises(TableError, match="duplicate key in 2 rows"):
        WatchList.from_engine(engine, new, decisions=twice)
    header = decisions.drop(columns="item_number").drop_duplicates("declaration_id")
    with pytest.raises(TableError, match="of 60 items have no decision"):
        WatchList.from_engine(engine, new, decisions=header)
    with pytest.raises(TableError, match="57 of 60 items have no decision"):
        WatchList.from_engine(engine, new, decisions=decisions.head(3))
    mixed = decisions.sample(frac=1.0, random_state=0)
    first = WatchList.from_engine(engine, new, decisions=decisions).frame()
    pd.testing.assert_frame_equal(
        first, WatchList.from_engine(engine, new, decisions=mixed).frame()
    )
    bare = decisions.drop(columns=["rank", "selected_by"])
    told = WatchList.from_engine(engine, new, decisions=bare)
    assert told.frame()["rank"].tolist() == list(range(1, len(first) + 1))
    assert told.frame()["risk_score"].is_monotonic_decreasing
    assert "selected" not in told.to_html().split("<main>")[1].split("<table")[0]


def test_a_day_without_any_control_is_an_empty_list(engine, past_and_new):
    found = WatchList.from_engine(engine, past_and_new[1].head(5), 0)
    assert len(found.frame()) == 0
    assert "Items to control: 0 of 5" in found.to_html()


def test_a_watch_list_marks_what_the_model_did_not_choose(engine, past_and_new):
    new = past_and_new[1].head(200)
    html = WatchList.from_engine(engine, new, 0.2).to_html("fr")
    assert '<span class="tag">sélectionné au hasard</span>' in html
    assert "Les articles antérieurs sont connus jusqu" in html


def test_a_case_sheet_needs_no_optional_field(world):
    items = world.declarations[["declaration_id", "lodged_at", "tariff_code"]]
    items = items.drop_duplicates("declaration_id")
    known = world.outcomes.drop_duplicates("declaration_id").drop(columns="item_number")
    engine = sr.RiskEngine().fit(items, known)
    sheet = CaseSheet.from_engine(
        engine, items.tail(1), past=world.declarations, outcomes=known
    )
    assert "History before this declaration" in sheet.to_html()


def test_a_case_sheet_does_without_fields_of_the_past(engine, past_and_new):
    past, new = past_and_new
    sheet = CaseSheet.from_engine(engine, new.tail(1), past=past.drop(columns="office"))
    assert sheet.moved is None
    assert "Tested" not in sheet.to_html()


def test_a_case_sheet_says_what_its_reasons_do_not_know(engine, past_and_new, world):
    sheet = CaseSheet.from_engine(
        engine, past_and_new[1].tail(1), past=world.declarations
    )
    n = int((sheet.past["lodged_at"].dt.normalize() > engine.history_until).sum())
    assert n > 100
    assert f"The tables below know {n:,} later items" in sheet.to_html()
    moved = copy.deepcopy(engine)
    moved.update(world.declarations)
    after = CaseSheet.from_engine(
        moved, past_and_new[1].tail(1), past=world.declarations
    )
    assert "The tables below know" not in after.to_html()
    day = past_and_new[1]["lodged_at"].iloc[-1].normalize() - pd.Timedelta(days=1)
    assert after.until == day  # an item knows nothing of its own day


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
    with pytest.raises(ArgumentError, match="without 'channel'"):
        ModelCard.from_engine(engine, decisions=pd.DataFrame({"a": [1]}))


def test_a_data_card_counts_results_of_other_items(world):
    card = DataCard.from_tables(world.declarations.head(500), world.outcomes)
    assert card.facts["n_strangers"] + card.facts["n_results"] == len(world.outcomes)
    assert card.facts["n_strangers"] > 0
    none = DataCard.from_tables(world.declarations.head(500))
    assert none.facts["months_without"] == none.months["month"].tolist()
    with pytest.raises(TableError, match="holds no item"):
        DataCard.from_tables(world.declarations.head(0))


def test_a_page_is_the_same_whatever_pictures_were_set_to(pages):
    import matplotlib.pyplot as plt

    before = pages["evaluation"].to_html()
    with plt.style.context("dark_background"), plt.rc_context({"lines.linewidth": 9}):
        assert pages["evaluation"].to_html() == before


def test_what_somebody_wrote_is_drawn_as_it_is():
    from smartrisk.displays import PolicyComparisonDisplay
    from smartrisk.displays._texts import Texts
    from smartrisk.pages._page import picture

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
    svg = str(picture(display, "", 7, Texts("en")).svg)
    assert ">#000000<" in svg
    assert '>id="x" url(#222222)<' in svg
    assert 'id="p7-' in svg
    assert "var(--ink)" in svg


def test_every_segment_is_drawn_or_named(engine, past_and_new, world):
    new = past_and_new[1]
    scores = engine.score(new)
    found = sr.evaluation.evaluate(scores, world.full_outcomes(), n_bootstrap=0)
    groups = {f"kind {k}": new["origin"] for k in range(7)} | {"office": new["office"]}
    parts = sr.evaluation.by_segment(scores, world.full_outcomes(), groups)
    html = EvaluationReport.from_evaluation(found, segments=parts).to_html()
    assert "Not drawn: kind 5 and kind 6." in html
    assert html.count("<figure>") == 1 + 6


@pytest.mark.parametrize(
    "text", ["\u2003=1", "\u202f@x", "\x0b=1", "\u2060+1", "\u00ad-1"]
)
def test_no_blank_of_any_kind_hides_a_formula(text):
    assert escape_formula(text).startswith("'")
