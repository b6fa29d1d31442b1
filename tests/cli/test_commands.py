"""Every command does its work on files, and reports what it did."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from babel.dates import format_date

import smartrisk as sr


@pytest.mark.slow
def test_generate_writes_the_truth_to_a_separate_file(run):
    status, out, _ = run("generate", "--items", 500, "--seed", 3, "--out", "world")
    world = sr.datasets.make_declarations(500, random_state=3)
    frame = pd.read_parquet("world/declarations.parquet")
    assert status == 0
    assert "world/truth.parquet: 500 rows" in out
    assert frame["tariff_code"].tolist() == world.declarations["tariff_code"].tolist()
    assert len(pd.read_parquet("world/outcomes.parquet")) == len(world.outcomes)


@pytest.mark.slow
def test_generated_csv_comes_back_as_it_was(run):
    run("generate", "--items", 300, "--out", "world", "--format", "csv")
    status, out, _ = run(
        "validate", "world/declarations.csv", "--out", "canonical.parquet"
    )
    world = sr.datasets.make_declarations(300, random_state=0)
    canonical = sr.validation.validate(world.declarations, sr.schema.DECLARATIONS)
    assert status == 0
    assert "300 rows = 300 usable + 0 set aside" in out
    read = sr.validation.validate(
        pd.read_parquet("canonical.parquet"), sr.schema.DECLARATIONS
    )
    for name in ("declaration_id", "tariff_code", "office", "customs_value"):
        assert read[name].tolist() == canonical[name].tolist()


def test_validate_reports_every_failure_and_ends_with_status_one(run, tmp_path):
    (tmp_path / "odd.csv").write_text(
        "no;datum;code;wert\nA;31/12/2023;010121;1.000,50\n"
        "B;12/31/2023;10121;x\n=C;01/02/2024;01.01.21;5\n"
    )
    (tmp_path / "map.toml").write_text(
        'day_first = true\ndecimal = ","\nthousands = "."\n[mapping]\n'
        'declaration_id = "no"\nlodged_at = "datum"\ntariff_code = "code"\n'
        'customs_value = "wert"\n'
    )
    status, out, _ = run(
        "validate", "odd.csv", "--columns", "map.toml", "--report", "all.csv"
    )
    assert status == 1
    assert "3 rows = 2 usable + 1 set aside" in out
    assert "'wert'" in out
    report = pd.read_csv("all.csv", dtype=str)
    assert {"field", "reason", "value", "severity"} <= set(report)
    texts = report.stack().astype(str)
    assert not texts.str.match(r"[=+@\t\r]").any()


def test_validate_checks_the_other_table_on_request(run, files):
    status, out, _ = run("validate", files / "outcomes.csv", "--table", "outcomes")
    assert status == 0
    assert "\nOUTCOMES: " in out


def test_fit_saves_the_same_engine_as_from_python(run, files, engine):
    status, out, err = run(
        "fit",
        "--declarations",
        files / "past.parquet",
        "--outcomes",
        files / "outcomes.csv",
        "--out",
        "engine",
    )
    assert (status, err) == (0, "")
    assert sr.RiskEngine.load("engine").version_ == engine.version_
    assert f"engine {engine.version_}" in out


@pytest.mark.slow
def test_one_file_may_hold_items_and_results(run, declarations, outcomes, tmp_path):
    keys = ["declaration_id", "item_number"]
    both = declarations.merge(outcomes[[*keys, "illicit"]], on=keys, how="left")
    both["illicit"] = both["illicit"].astype("Int64")
    both.to_csv(tmp_path / "both.csv", index=False)
    names = ["--declarations", "both.csv", "--outcomes", "both.csv"]
    status, out, err = run("fit", *names, "--out", "engine")
    assert status == 0, err
    assert f"{len(both)} items, {len(outcomes)} results" in out


def test_score_writes_the_scores_of_the_engine(run, files, engine, past_and_new):
    status, out, _ = run(
        "score", files / "new.csv", "--engine", files / "engine", "--out", "s.csv"
    )
    expected = engine.score(past_and_new[1])
    found = pd.read_csv("s.csv")
    assert status == 0
    assert found["declaration_id"].tolist() == expected["declaration_id"].tolist()
    np.testing.assert_allclose(found["risk_score"], expected["risk_score"], rtol=1e-12)
    assert "model_version" in out


@pytest.mark.slow
@pytest.mark.parametrize("command", ["score", "select"])
def test_a_file_that_does_not_fit_is_warned_of_refused_or_taken(
    run, files, monkeypatch, command
):
    monkeypatch.setattr("smartrisk.cli._chunks.CHUNK_ITEMS", 300)  # more than one part
    new = pd.read_csv(files / "new.csv", dtype=str)
    for name in ("customs_value", "duties_taxes"):
        new[name] = pd.to_numeric(new[name]) * 1000
    new.to_csv("thousands.csv", index=False)
    words = (command, "thousands.csv", "--engine", files / "engine")
    status, _, warned = run(*words)
    assert (status, warned.count("does not fit")) == (0, 1)
    assert re.search("'customs_value' about [0-9,]{3,5} times the usual", warned)
    status, out, error = run(*words, "--guard", "raise")
    assert (status, out) == (2, "")
    assert error.startswith("smartrisk: error:")
    assert run(*words, "--guard", "off")[2] == ""


def test_evaluating_what_was_learned_is_warned_of(run, files, monkeypatch):
    monkeypatch.setattr("smartrisk.cli._chunks.CHUNK_ITEMS", 2_000)
    past = ("--declarations", files / "past.parquet", "--outcomes")
    words = ("evaluate", "--engine", files / "engine", *past)
    known = len(pd.read_csv(files / "outcomes.csv"))
    _, _, warned = run(*words, files / "outcomes.csv")
    assert f"the results of {known} of the {known} judged items" in warned


def test_scores_do_not_depend_on_the_parts_that_files_are_cut_into(
    run, files, monkeypatch
):
    from smartrisk.cli import _chunks

    words = ("score", files / "new.csv", "--engine", files / "engine", "--out")
    run(*words, "whole.parquet")
    monkeypatch.setattr(_chunks, "CHUNK_ITEMS", 97)
    run(*words, "parts.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet("whole.parquet"), pd.read_parquet("parts.parquet")
    )


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_explain_gives_sentences_of_the_riskiest(
    run, files, engine, past_and_new, lang
):
    status, out, _ = run(
        *("explain", files / "new.csv", "--engine", files / "engine"),
        *("--show", 2, "--lang", lang, "--out", "r.html"),
    )
    new = past_and_new[1]
    first = engine.score(new)["risk_score"].idxmax()
    sentence = engine.explain(new.loc[[first]], top=3).sentences(lang=lang)[0][0]
    assert status == 0
    assert f"  - {sentence}" in out
    until = format_date(engine.history_until, "d MMMM y", locale=lang)
    assert f" {until}." in out
    with open("r.html", encoding="utf-8") as page:
        assert "<" in page.read(1000)


def test_select_keeps_the_capacity_exactly(run, files, past_and_new):
    words = ("select", files / "new.csv", "--engine", files / "engine")
    status, out, _ = run(*words, "--capacity", "40", "--out", "d.csv")
    decisions = pd.read_csv("d.csv")
    assert status == 0
    assert (decisions["channel"] != "green").sum() == 40
    assert len(decisions) == len(past_and_new[1])
    _, out, _ = run(*words, "--capacity", "10%")
    released = len(past_and_new[1]) - round(0.1 * len(past_and_new[1]))
    assert f"{released} green" in out


def test_evaluate_shows_the_numbers_of_the_library(
    run, files, engine, past_and_new, outcomes
):
    status, out, _ = run(
        *("evaluate", "--engine", files / "engine", "--declarations"),
        *(files / "new.csv", "--outcomes", files / "all-outcomes.csv"),
        *("--rates", "5%,0.1", "--out", "e.csv"),
    )
    result = sr.evaluation.evaluate(
        engine.score(past_and_new[1]), outcomes, rates=(0.05, 0.1)
    )
    assert status == 0
    assert f"ROC AUC {result.overall()['roc_auc']:.3f}" in out
    assert "unseen" in out
    found = pd.read_csv("e.csv")
    np.testing.assert_allclose(found["precision"], result.frame()["precision"])


def test_goods_lines_are_seen_when_the_history_holds_them(engine, past_and_new):
    from smartrisk.cli._evaluate import split_by_goods_line

    past, new = past_and_new
    line = ["tariff_code", "origin", "duty_rate", "net_mass_kg"]
    parts = split_by_goods_line(engine, new, engine.score(new))
    assert len(parts["seen"]) + len(parts["unseen"]) == len(new)
    unseen = new.loc[parts["unseen"].index].dropna(subset=line)
    lines = set(past[line].itertuples(index=False, name=None))
    exact = [t in lines for t in unseen[line].itertuples(index=False, name=None)]
    assert np.mean(exact) < 0.05


@pytest.mark.slow
def test_the_korean_set_from_the_command_line(run, kcs_path):
    status, _, err = run("fit", "--kcs", kcs_path, "--out", "engine")
    assert status == 0, err
    status, out, err = run(
        *("evaluate", "--engine", "engine", "--kcs", kcs_path, "--part", "valid"),
        *("--out", "e.csv"),
    )
    assert status == 0, err
    table = pd.read_csv("e.csv")
    table = table[table["rank_by"] == "risk_score"].set_index("rate")
    assert table.loc[0.05, "precision"] >= 0.97
    assert table.loc[0.10, "precision"] >= 0.93
    assert "\nseen " in out
    assert "\nunseen " in out


@pytest.mark.slow
def test_fit_can_log_a_run(run, files, tmp_path, migrated):
    (tmp_path / "store").mkdir()
    shutil.copy(migrated, tmp_path / "store" / "mlflow.db")
    status, out, err = run(
        *("fit", "--declarations", files / "past.parquet", "--outcomes"),
        *(files / "outcomes.csv", "--out", "engine", "--track", "store"),
    )
    assert status == 0, err
    assert "models:/m-" in out


@pytest.mark.slow
def test_report_writes_pages_in_a_language(run, files):
    status, out, _ = run(
        *("report", files / "new.csv", "--engine", files / "engine", "--lang", "es"),
        *("--past", files / "past.parquet", "--outcomes", files / "all-outcomes.csv"),
        *("--capacity", 12, "--cases", 2, "--out", "pages"),
    )
    assert status == 0
    from pathlib import Path

    names = sorted(path.name for path in Path("pages").iterdir())
    assert names == [
        "case-1.html",
        "case-2.html",
        "data-card.html",
        "evaluation.html",
        "model-card.html",
        "watch-list.csv",
        "watch-list.html",
    ]
    assert "pages/watch-list.csv: 12 de" in out
    assert "Ficha de análisis" in Path("pages/case-1.html").read_text(encoding="utf-8")
    assert "Historial anterior" in Path("pages/case-1.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_report_needs_no_results(run, files):
    status, _, _ = run(
        *("report", files / "new.csv", "--engine", files / "engine", "--out", "few"),
        *("--cases", 1),
    )
    from pathlib import Path

    assert status == 0
    assert not Path("few/evaluation.html").exists()
    assert "not provided" in Path("few/model-card.html").read_text(encoding="utf-8")


def test_an_engine_begins_without_results(run, past_and_new):
    past, new = past_and_new
    plain = [name for name in new if not name.startswith("dq_")]
    past.tail(800)[plain].to_csv("past.csv", index=False)
    new.tail(40)[plain].to_csv("new.csv", index=False)
    status, out, _ = run("fit", "--declarations", "past.csv", "--out", "engine")
    assert status == 0
    assert "800 items, no results" in out
    assert "There are no results to learn from yet" in out
    given = ("new.csv", "--engine", "engine")
    status, out, _ = run("score", *given, "--out", "scores.csv")
    assert status == 0
    assert "are no probabilities" in out
    assert set(pd.read_csv("scores.csv")["stage"]) == {"no results"}
    status, out, _ = run("explain", *given, "--show", "2", "--lang", "fr")
    assert status == 0
    assert "(pas encore de résultats)  enjeu pondéré par le score" in out
    assert not {"risk", "score,", "stake"} & set(out.split())
    status, out, _ = run("select", *given, "--capacity", "0.1")
    assert status == 0
    assert "There are no results to learn from yet" in out
