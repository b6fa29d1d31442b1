"""Pages speak the words of the administration, and tables that of the reader."""

from __future__ import annotations

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.displays import Texts
from smartrisk.errors import ArgumentError
from smartrisk.pages import PageTerms, WatchList


@pytest.fixture(scope="module")
def watch_list():
    """Return a watch list with both channels of control."""
    world = sr.datasets.make_declarations(2_000, random_state=0)
    engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    return WatchList.from_engine(engine, world.declarations.tail(100), 20)


def test_a_channel_is_named_with_its_meaning_or_by_the_administration(watch_list):
    assert "rouge (visite)" in watch_list.to_html(lang="fr")
    terms = PageTerms(channel_names={"red": "circuit 3"}, currency="XOF")
    page = watch_list.with_terms(terms).to_html(lang="fr")
    assert "circuit 3" in page
    assert "rouge" not in page
    assert "jaune (" in page
    assert "Montants en XOF." in page
    assert "XOF" not in watch_list.to_html(lang="fr")


def test_terms_for_an_unknown_channel_are_refused(watch_list):
    with pytest.raises(ArgumentError, match="channel"):
        PageTerms(channel_names={"orange": "yellow"})
    with pytest.raises(ArgumentError, match="terms"):
        watch_list.with_terms({"channel_names": {}})


def test_an_exported_table_is_in_the_language_and_opens_in_its_spreadsheets(
    watch_list, tmp_path
):
    english = pd.read_csv(watch_list.export(tmp_path / "en.csv"))
    assert set(english["channel"]) <= {"red", "yellow"}
    path = watch_list.export(tmp_path / "fr.csv", lang="fr")
    french = pd.read_csv(path, sep=";", decimal=",")
    assert french["Circuit"].str.startswith(("rouge (", "jaune (")).all()
    assert set(french["Indécis"]) <= {"oui", "non"}
    assert french["Risque"].tolist() == pytest.approx(english["risk_score"].tolist())
    assert not set(french.columns) & set(english.columns)
    codes = {"red", "yellow", "model", "random", "no results", "few results"}
    assert not codes & set(french.astype(str).to_numpy().ravel())
    mexican = pd.read_csv(watch_list.export(tmp_path / "mx.csv", lang="es-MX"))
    assert "Canal" in mexican
    assert mexican["Riesgo"].tolist() == pytest.approx(english["risk_score"].tolist())


def test_dates_of_sentences_are_in_words_and_those_of_tables_are_not(watch_list):
    page = watch_list.to_html(lang="es")
    day = Texts("es").day_in_words(watch_list.frame()["lodged_at"].max())
    assert f"al {day} ·" in page
    assert f"{watch_list.frame()['lodged_at'].max():%Y\u2011%m\u2011%d}" in page


def test_one_word_in_two_meanings_has_two_translations():
    french = Texts("fr")
    assert french.pgettext("heading", "Declared") == "Données déclarées"
    assert french.pgettext("head: share of the items", "Declared") == "Renseigné"
    assert french.segment_value("other") == "autre"
    for word in ("Declared", "other", "known", "documents", "Last", "Of", "fair"):
        assert french.gettext(word) == word, f"{word!r} has no context"
