"""`smartrisk statistics`: half a page in words, a page and a workbook."""

from __future__ import annotations

import re

import openpyxl
import pytest

import smartrisk as sr
from smartrisk.languages import LANGUAGES

FILES = (
    *("items.csv", "--outcomes", "results.csv", "--decisions", "decisions.csv"),
    *("--milestones", "milestones.csv", "--overrides", "overrides.csv"),
)
#: The headings of the half page.
HEADINGS = {
    "en": (
        "What was expected",
        "was found",
        "was recovered",
        "it cost",
        "does not show",
    ),
    "fr": ("était attendu", "été trouvé", "été recouvré", "a coûté", "ne disent pas"),
    "es": ("se esperaba", "se halló", "se recuperó", "que costó", "cifras no dicen"),
}


@pytest.fixture(scope="module")
def world():
    """Return a small world."""
    return sr.datasets.make_declarations(1_500, scenario="small", random_state=0)


@pytest.fixture
def export(world, tmp_path):
    """Write the tables of a world as files."""
    tables = {
        "items": world.declarations,
        "results": world.outcomes,
        "decisions": world.decisions(),
        "milestones": world.milestones(),
        "overrides": world.decisions()[["declaration_id", "item_number", "channel"]]
        .head(40)
        .assign(channel="red"),
    }
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


@pytest.mark.parametrize("lang", LANGUAGES)
def test_half_a_page_is_printed_and_page_and_workbook_are_written(run, export, lang):
    status, out, err = run(
        "statistics", *FILES, "--out", "folder", "--currency", "EUR", "--lang", lang
    )
    assert (status, err) == (0, "")
    places = [out.index(title) for title in HEADINGS[lang]]
    assert places == sorted(places)
    assert "MILESTONES" in out
    if lang == "en":
        changed = re.search(r"Changed by officers: (\d+) of", out)[1]
        assert 1 <= int(changed) <= 40
    html = (export / "folder" / "statistics.html").read_text("utf-8")
    assert f'<html lang="{lang}">' in html
    assert "EUR" in html
    book = openpyxl.load_workbook(export / "folder" / "statistics.xlsx")
    assert len(book.sheetnames) >= 3


def test_without_a_folder_nothing_is_written(run, export):
    before = {path.name for path in export.iterdir()}
    status, out, _ = run("statistics", "items.csv", "--outcomes", "results.csv")
    assert status == 0
    assert "no figure (absent: there are no decisions)" in out
    assert {path.name for path in export.iterdir()} == before


def test_the_groups_and_the_moment_are_those_asked_for(run, export):
    words = ("--by", "quarter, origin", "--as-of", "2024-01-01", "--out", "f")
    assert run("statistics", *FILES, *words)[0] == 0
    html = (export / "f" / "statistics.html").read_text("utf-8")
    assert "As of 2024-01-01" in html
    assert "2023-Q4" in html
    assert "2024-Q1" not in html
    assert "by country of origin" in html or "by origin" in html


def test_a_group_that_does_not_exist_is_refused_in_the_language(run, export):
    status, _, err = run("statistics", *FILES, "--by", "month,offices", "--lang", "es")
    assert status == 2
    assert "'offices'" in err
    assert "¿Quiso decir" in err or "'office'" in err
    assert "admite" in err
