"""All pages of a day are written, and the engine of the caller stays as it was."""

from __future__ import annotations

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.pages import write_pages


@pytest.fixture(scope="module")
def day(past_and_new, world):
    """Return earlier items, those of a day, and all results."""
    past, new = past_and_new
    return past, new.head(120), world.outcomes


@pytest.fixture
def unchanged(engine, day):
    """Assert that version, history and scores are as before the test."""
    items = day[1]
    before = engine.version_, engine.history_until, engine.score(items)
    yield
    assert engine.version_ == before[0]
    assert engine.history_until == before[1]
    after = engine.score(items).drop(columns="scored_at", errors="ignore")
    pd.testing.assert_frame_equal(
        after, before[2].drop(columns="scored_at", errors="ignore")
    )


@pytest.fixture(scope="module")
def written(engine, day, tmp_path_factory):
    """Return the files of a day whose results are not known."""
    past, items, outcomes = day
    folder = tmp_path_factory.mktemp("day") / "new"
    known = outcomes[outcomes["known_at"] < items["lodged_at"].min()]
    return write_pages(
        engine, items, folder, past=past, outcomes=known, capacity=7, n_cases=2
    )


def test_the_files_have_the_names_of_the_pages(written):
    names = {name: path.name for name, path in written.items()}
    assert names == {
        "watch-list": "watch-list.html",
        "case-1": "case-1.html",
        "case-2": "case-2.html",
        "model-card": "model-card.html",
        "data-card": "data-card.html",
        "table": "watch-list.csv",
    }
    assert all(path.stat().st_size > 1000 for path in written.values())


def test_the_table_holds_what_the_capacity_allows(written):
    assert len(pd.read_csv(written["table"])) == 7


def test_case_sheets_are_of_the_items_selected_first(written):
    table = pd.read_csv(written["table"]).sort_values("rank")
    for name, number in zip(
        ("case-1", "case-2"), table["declaration_id"], strict=False
    ):
        assert f"Declaration {number}, item" in written[name].read_text("utf-8")


@pytest.mark.slow
def test_the_caller_s_engine_stays_as_it_was(engine, day, tmp_path, unchanged):
    past, items, outcomes = day
    write_pages(engine, items, tmp_path, past=past, outcomes=outcomes, n_cases=1)


def test_the_engine_stays_as_it_was_when_writing_fails(
    engine, day, tmp_path, unchanged
):
    past, items, outcomes = day
    file = tmp_path / "file"
    file.write_text("in the way of the folder")
    with pytest.raises(OSError, match="file"):
        write_pages(engine, items, file, past=past, outcomes=outcomes, n_cases=1)
    with pytest.raises(ArgumentError, match="'lang' must be one of"):
        write_pages(engine, items, tmp_path / "new", past=past, lang="de", n_cases=0)


def test_an_invalid_table_is_refused_before_anything_is_written(
    engine, day, tmp_path, unchanged
):
    past, items, _ = day
    wrong = items.copy()
    wrong.loc[wrong.index[0], "customs_value"] = -1.0
    with pytest.raises(TableError, match="customs_value"):
        write_pages(engine, wrong, tmp_path / "new", past=past)
    assert not (tmp_path / "new").exists()
    with pytest.warns(DataQualityWarning):
        paths = write_pages(
            engine, wrong, tmp_path, n_cases=0, capacity=3, on_error="set_aside"
        )
    assert "of 119" in paths["watch-list"].read_text("utf-8")


def test_a_table_without_items_is_refused_with_the_remedy(engine, day, tmp_path):
    past, items, _ = day
    empty = items.head(0)
    with pytest.raises(
        TableError, match="write_pages: 'declarations' has no valid row"
    ):
        write_pages(engine, empty, tmp_path / "new", past=past)
    with pytest.raises(TableError, match="write_pages: 'past' has no valid row"):
        write_pages(engine, items, tmp_path / "new", past=empty)
    assert not (tmp_path / "new").exists()


def test_arguments_are_refused_in_the_name_of_write_pages(engine, day, tmp_path):
    wrong = {"lang": "de", "on_error": "x", "n_cases": -1}
    for name, value in wrong.items():
        with pytest.raises(ArgumentError, match=f"write_pages: '{name}'"):
            write_pages(engine, day[1], tmp_path / "new", **{name: value})
    assert not (tmp_path / "new").exists()


def test_reasons_know_the_items_before_the_day(engine, day, tmp_path, written):
    _, items, _ = day
    last = items["lodged_at"].max().normalize()
    assert engine.history_until < last
    assert f"known until {last.day} {last:%B %Y}" in written["watch-list"].read_text(
        "utf-8"
    )


@pytest.mark.slow
def test_items_of_which_only_the_document_is_known_are_not_judged(
    engine, day, world, tmp_path
):
    past, items, _ = day
    results = world.full_outcomes()
    is_unknown = (results.index % 3 == 0) & results["illicit"].astype(bool)
    results = results.assign(
        illicit=results["illicit"].astype("Float64").mask(is_unknown),
        document_illicit=is_unknown.astype("boolean").where(is_unknown),
    )
    paths = write_pages(engine, items, tmp_path, past=past, outcomes=results, n_cases=0)
    key = ["declaration_id", "item_number"]
    n_known = int(items.merge(results, on=key)["illicit"].notna().sum())
    assert f"{n_known:,} items judged" in paths["evaluation"].read_text("utf-8")


@pytest.mark.slow
def test_results_of_the_day_make_an_evaluation(engine, day, world, tmp_path):
    past, items, _ = day
    paths = write_pages(
        engine, items, tmp_path, past=past, outcomes=world.full_outcomes(), lang="fr"
    )
    text = paths["evaluation"].read_text("utf-8")
    for title in ("Calibrage", "Segments", "Dérive", "Ce qui fait varier les scores"):
        assert f"<h2>{title}</h2>" in text, title
    assert "non fourni" in paths["model-card"].read_text("utf-8")


def test_an_evaluation_that_is_given_is_shown(engine, past_and_new, world, tmp_path):
    new = past_and_new[1]
    given = sr.evaluation.evaluate(
        engine.score(new.tail(150)), world.full_outcomes(), n_bootstrap=0
    )
    paths = write_pages(
        engine, new.head(50), tmp_path, evaluation=given, n_cases=0, capacity=3
    )
    assert "150 items judged" in paths["evaluation"].read_text("utf-8")
