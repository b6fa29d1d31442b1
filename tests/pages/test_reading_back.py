"""What the library wrote for people is read back, in any of its languages."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import smartrisk as sr
from smartrisk import schema
from smartrisk.cli import main
from smartrisk.displays import Texts
from smartrisk.errors import TableError
from smartrisk.languages import LANGUAGES, LOCALES
from smartrisk.pages import PageTerms, WatchList, read_exported, table_from_words
from smartrisk.pages._exported_table import heads_in_words
from smartrisk.schema import STAGES

#: Sentences stay in the language of the table.
SENTENCES = ["reasons", "checks"]
TERMS = PageTerms(channel_names={"yellow": "orange", "red": "rouge vif"})
every = pytest.mark.parametrize("lang", LOCALES)
ending = pytest.mark.parametrize("ending", ["csv", "xlsx"])


@pytest.fixture(scope="module")
def lists(engine, past_and_new):
    """Return watch lists: of a model, and of scores without results."""
    past, new = past_and_new
    beginner = sr.RiskEngine(random_state=0).fit(past.tail(2000), None)
    day = new.head(200)
    return {
        "model": WatchList.from_engine(engine, day, capacity=12),
        "no results": WatchList.from_engine(beginner, day, capacity=12),
    }


@every
@ending
@pytest.mark.parametrize("stage", ["model", "no results"])
@pytest.mark.parametrize("terms", [None, TERMS])
def test_a_watch_list_is_read_back_as_it_was(
    lists, stage, lang, ending, terms, tmp_path
):
    listed = lists[stage] if terms is None else lists[stage].with_terms(terms)
    path = listed.export(tmp_path / f"list.{ending}", lang=lang)
    wanted = listed.frame(lang=lang)
    found = read_exported(path, terms=terms)
    assert_frame_equal(
        found.astype(object).where(found.notna(), None),
        wanted.astype(object).where(wanted.notna(), None).reset_index(drop=True),
        check_dtype=False,
        check_column_type=False,
        # A workbook keeps moments to the millisecond.
        rtol=1e-12,
    )


@pytest.mark.parametrize("lang", ["fr", "es"])
def test_a_list_that_a_spreadsheet_saved_is_read_back(lists, lang, tmp_path):
    path = lists["model"].export(tmp_path / "list.csv", lang=lang)
    table = pd.read_csv(path, sep=";", dtype=str)
    head = table.columns[list(lists["model"].frame()).index("lodged_at")]
    day = pd.to_datetime(table[head])
    table[head] = day.dt.strftime("%d/%m/%Y %H:%M:%S")
    table["Suite donnée"] = "à revoir"
    saved = tmp_path / "saved.csv"
    saved.write_bytes(table.to_csv(index=False, sep=";").encode("cp1252", "replace"))
    found = read_exported(saved)
    assert found["lodged_at"].tolist() == day.tolist()
    assert set(found["Suite donnée"]) == {"à revoir"}
    assert found["channel"].isin(schema.CHANNELS).all()
    numbers = ["risk_score", "customs_value", "expected_revenue"]
    wanted = lists["model"].frame()[numbers].reset_index(drop=True)
    assert_frame_equal(found[numbers], wanted, check_dtype=False)


@pytest.mark.parametrize("lang", ["fr", "es"])
@pytest.mark.parametrize("stage", STAGES)
def test_no_head_and_no_code_stands_for_two_things(lang, stage):
    texts = Texts(lang)
    heads = heads_in_words(texts, stage)
    fields = {f.name for t in (schema.DECLARATIONS, schema.OUTCOMES) for f in t}
    words = texts.words
    named = {name: words.capitalise(words.field(name)) for name in fields} | heads
    twice = pd.Series(named)[pd.Series(named).duplicated(keep=False)]
    assert twice.to_dict() == {}
    channels = [texts.channel(name) for name in schema.CHANNELS]
    assert len(set(channels)) == len(channels)


@every
@ending
def test_rows_to_correct_are_read_back(lang, ending, tmp_path, past_and_new):
    bad = past_and_new[1].head(8).astype(object).copy()
    bad["customs_value"] = [*range(1, 8), "=1+x"]
    bad.to_csv(tmp_path / "bad.csv", index=False)
    path = tmp_path / f"fix.{ending}"
    words = ["validate", f"{tmp_path}/bad.csv", f"--fix-list={path}", f"--lang={lang}"]
    assert main(words) == 1
    found = read_exported(path)
    assert list(found)[:5] == ["line", "column", "value", "reason", "remedy"]
    assert (found["line"].iloc[0], found["column"].iloc[0]) == (9, "customs_value")
    assert found["value"].iloc[0] == found["customs_value"].iloc[0] == "=1+x"


@pytest.mark.parametrize("lang", LANGUAGES)
@ending
def test_figures_are_read_back(lang, ending, tmp_path, world):
    items = world.declarations.head(500)
    figures = sr.statistics.enforcement(items, world.outcomes, by=("office",))
    path = sr.statistics.write(figures, tmp_path / f"figures.{ending}", lang=lang)
    found, wanted = read_exported(path), figures.frame()
    assert list(found) == list(wanted)
    names = ["numerator", "denominator", "value", "low", "high", "n"]
    numbers = found[names].apply(pd.to_numeric)
    assert_frame_equal(numbers, wanted[names], check_dtype=False, rtol=1e-14)
    assert found["office"].tolist() == wanted["office"].tolist()


@pytest.mark.parametrize("lang", ["fr", "es"])
def test_a_watch_list_is_handed_back_as_decisions(
    lists, lang, tmp_path, past_and_new, capsys
):
    items = tmp_path / "items.csv"
    plain = [name for name in past_and_new[1] if not name.startswith("dq_")]
    past_and_new[1].head(200)[plain].to_csv(items, index=False)
    path = lists["model"].export(tmp_path / "list.csv", lang=lang)
    assert main(["statistics", str(items), "--decisions", str(path)]) == 0
    assert "DECISIONS: 12 rows = 12 usable + 0 set aside" in capsys.readouterr().out


def test_a_cell_that_is_no_value_is_refused_with_its_column(lists, tmp_path):
    path = lists["model"].export(tmp_path / "list.csv", lang="fr")
    table = pd.read_csv(path, sep=";", dtype=str)
    table.iloc[0, list(lists["model"].frame()).index("customs_value")] = "beaucoup"
    table.to_csv(path, sep=";", index=False)
    with pytest.raises(TableError, match="'customs_value' has a cell"):
        read_exported(path)


def test_a_table_without_heads_in_words_stays_as_it_is(past_and_new):
    frame = past_and_new[1].head(3)
    assert table_from_words(frame) is frame
