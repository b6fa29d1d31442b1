"""Pages show what they must, in three languages, with the same bytes every time."""

from __future__ import annotations

import copy
import csv
import re

import openpyxl
import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, TableError
from smartrisk.languages import LANGUAGES
from smartrisk.pages import (
    CaseSheet,
    DataCard,
    WatchList,
    escape_formula,
)
from smartrisk.results import clean_text

PAGES = (
    *("case", "watch", "model", "data", "evaluation", "policy"),
    *("readiness", "statistics", "leaders", "rules"),
)
LIMIT = 500_000


@pytest.fixture(params=PAGES)
def page(request, pages):
    """Return each page in turn."""
    return pages[request.param]


# ------------------------------------------------------------------ every page


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_is_small_loads_nothing_and_states_its_language(page, html_of, lang):
    html = html_of(page, lang)
    assert len(html.encode()) < LIMIT
    assert f'<html lang="{lang}">' in html
    assert "default-src 'none'" in html.replace("&#39;", "'")
    assert not re.search(r'(?:src|href)="(?!#)', html)
    assert html.replace("http://www.w3.org", "").count("http") <= 1  # http-equiv
    assert not re.search(r">\s*(nan|None|NaT)\s*<", html)


def test_a_page_forbids_everything_that_is_not_on_it(declarations):
    html = DataCard.from_tables(declarations.head(50)).to_html()
    policy = re.search(r'Security-Policy" content="([^"]*)"', html)[1]
    rules = dict(
        rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; ")
    )
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_a_name_is_neither_markup_nor_does_it_change_direction(declarations):
    card = DataCard.from_tables(declarations.head(50), name="<b>\u202eexe.gnp")
    assert "<h1>&lt;b&gt;exe.gnp</h1>" in card.to_html()


@pytest.mark.slow
def test_a_page_is_the_same_every_time(page, html_of):
    assert page.to_html(lang="fr") == html_of(page, "fr")


@pytest.mark.slow
def test_languages_differ_in_more_than_numbers(page, html_of):
    english, french, spanish = (
        set(re.findall(r"<h2>([^<]+)</h2>", html_of(page, lang))) for lang in LANGUAGES
    )
    assert len(english) == len(french) == len(spanish)
    assert len(english & french) <= 2  # "Calibration" is French as well
    assert not english & spanish


@pytest.mark.slow
def test_a_page_is_saved_and_another_ending_refused(page, html_of, tmp_path):
    path = page.save(tmp_path / "new" / "page.html", lang="es")
    assert path.read_text(encoding="utf-8") == html_of(page, "es")
    with pytest.raises(ArgumentError, match="'path ending' must be one of"):
        page.save(tmp_path / "page.pdf")
    with pytest.raises(ArgumentError, match="'lang' must be one of"):
        page.to_html(lang="de")


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


@pytest.mark.slow
def test_a_notebook_shows_a_page_in_a_frame_of_its_own(page):
    html = page._repr_html_()
    assert html.startswith("<iframe")
    assert "<script" not in html
    assert repr(page)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PAGES)
def test_nothing_hostile_is_markup(hostile_pages, html_of, kind):
    for lang in LANGUAGES:
        html = html_of(hostile_pages[kind], lang)
        assert len(html.encode()) < LIMIT
        assert "<script>window" not in html
        assert "<img" not in html
        assert "<iframe" not in html
        assert "<svg/" not in html
        assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069\ufeff]", html)
        assert "x" * 400 not in html


def test_cleaned_text_keeps_words_and_drops_control_characters():
    assert clean_text("a\u202eb\u2066c\x00d\n") == "abc d "
    assert clean_text("x" * 999) == "x" * 299 + "…"
    assert clean_text("Société Générale S.à r.l.") == "Société Générale S.à r.l."


# ------------------------------------------------------------------ case sheet


def test_a_case_sheet_knows_only_what_was_known(engine, past_and_new, world):
    _, new = past_and_new
    item = new.iloc[[50]]
    day = item["lodged_at"].iloc[0].normalize()
    sheet = CaseSheet.from_engine(
        engine, item, past=world.declarations, outcomes=world.outcomes
    )
    assert (sheet.earlier_items()["lodged_at"] < day).all()
    late = world.outcomes.copy()
    unknown = late["known_at"] >= day
    late.loc[unknown, "illicit"] = 1 - late.loc[unknown, "illicit"]
    again = CaseSheet.from_engine(engine, item, past=world.declarations, outcomes=late)
    assert again.to_html() == sheet.to_html()
    known = world.outcomes[world.outcomes["known_at"] < day]
    earlier = world.declarations[world.declarations["lodged_at"] < day]
    before = known.merge(earlier, on=["declaration_id", "item_number"])
    assert sheet.earlier_items()["illicit"].notna().sum() <= len(before)
    assert sheet.earlier_items()["illicit"].notna().sum() > 0


def test_a_case_sheet_states_the_results_of_removal_and_release(pages):
    html = pages["case"].to_html()
    assert "in place of the first reason&#39;s data, the log-odds fall by" in html
    for firm in (pages["case"].reasons, pages["case"].reasons.release):
        for sentence in firm.at_least("slight").sentences()[0]:
            assert sentence[1:] in html
    assert pages["case"].reasons.statements()[0][1:] in html
    assert pages["case"].reasons.checks()[0][0][1:] in html


def test_a_case_sheet_states_why_removal_changed_nothing(pages):
    import dataclasses

    same = dataclasses.replace(pages["case"], removal_effect=-0.1)
    assert "other declared data carry the same" in same.to_html()
    bare = dataclasses.replace(
        same,
        removal_effect=None,
        counterfactuals=None,
        _past=same.earlier_items().iloc[:0],
    )
    html = bare.to_html()
    assert "Tested" not in html
    assert "History" not in html


def test_a_case_sheet_is_of_one_item(engine, past_and_new):
    with pytest.raises(TableError, match="'item' must be one row; got 2"):
        CaseSheet.from_engine(engine, past_and_new[1].head(2))


# ------------------------------------------------------------------ watch list


def test_a_watch_list_holds_what_was_selected_in_order(engine, past_and_new, pages):
    new = past_and_new[1].head(200)
    decisions = engine.select(new, 0.2)
    frame = WatchList.from_engine(engine, new, decisions=decisions).frame(lang="fr")
    assert len(frame) == (decisions["channel"] != "green").sum() == 40
    assert frame["rank"].is_monotonic_increasing
    assert set(frame["selected_by"]) == {"model", "random"}
    assert frame["reasons"].str.len().gt(0).all()
    assert pages["watch"].frame()["declaration_id"].tolist() == (
        frame["declaration_id"].tolist()
    )


def test_a_watch_list_is_sorted_by_rank(engine, past_and_new):
    new = past_and_new[1].head(60)
    decisions = engine.select(new, capacity=0.2)
    selected = decisions[decisions["channel"] != "green"].sort_values("rank")
    assert selected.index.tolist() != sorted(selected.index)  # else it proves nothing
    frame = WatchList.from_engine(engine, new, decisions=decisions).frame()
    assert frame["declaration_id"].tolist() == selected["declaration_id"].tolist()
    assert frame["item_number"].tolist() == selected["item_number"].tolist()


@pytest.mark.slow
def test_a_long_watch_list_stays_small_and_states_what_is_left(
    engine, past_and_new, hostile, warned
):
    new = hostile(past_and_new[1].head(600))
    with warned():
        found = WatchList.from_engine(engine, new, 500)
    html = found.to_html()
    assert len(html.encode()) < LIMIT
    assert "200 more items are in the table" in html


@pytest.mark.slow
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
    listed = WatchList.from_engine(engine, new, decisions=bare)
    assert listed.frame()["rank"].tolist() == list(range(1, len(first) + 1))
    assert listed.frame()["risk_score"].is_monotonic_decreasing
    assert "selected" not in listed.to_html().split("<main>")[1].split("<table")[0]


def test_a_day_without_any_control_is_an_empty_list(engine, past_and_new):
    found = WatchList.from_engine(engine, past_and_new[1].head(5), 0)
    assert len(found.frame()) == 0
    assert "Items to control: 0 of 5" in found.to_html()


def test_a_watch_list_marks_what_the_model_did_not_choose(engine, past_and_new):
    new = past_and_new[1].head(200)
    html = WatchList.from_engine(engine, new, 0.2).to_html(lang="fr")
    assert '<span class="tag">sélection aléatoire</span>' in html
    assert "Les articles antérieurs sont connus jusqu" in html


@pytest.mark.slow
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
    assert sheet.removal_effect is None
    assert "Tested" not in sheet.to_html()


def test_a_case_sheet_states_which_items_its_reasons_do_not_use(
    engine, past_and_new, world
):
    sheet = CaseSheet.from_engine(
        engine, past_and_new[1].tail(1), past=world.declarations
    )
    lodged = sheet.earlier_items()["lodged_at"].dt.normalize()
    n = int((lodged > engine.history_until).sum())
    assert n > 100
    assert f"The tables below include {n:,} later items" in sheet.to_html()
    moved = copy.deepcopy(engine)
    moved.update(world.declarations)
    after = CaseSheet.from_engine(
        moved, past_and_new[1].tail(1), past=world.declarations
    )
    assert "The tables below include" not in after.to_html()
    day = past_and_new[1]["lodged_at"].iloc[-1].normalize() - pd.Timedelta(days=1)
    assert after.history_until == day  # an item knows nothing of its own day


@pytest.mark.parametrize(
    "text", ["\u2003=1", "\u202f@x", "\x0b=1", "\u2060+1", "\u00ad-1"]
)
def test_no_blank_of_any_kind_hides_a_formula(text):
    assert escape_formula(text).startswith("'")
