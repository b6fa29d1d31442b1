"""`smartrisk readiness`: from a first export to what is possible today."""

from __future__ import annotations

import pytest

import smartrisk as sr

#: Words of a first export, in French.
FRENCH = {
    "declaration_id": "no_declaration",
    "lodged_at": "date_enreg",
    "tariff_code": "espece_tarifaire",
    "customs_value": "valeur_en_douane",
    "net_mass_kg": "poids_net",
}


@pytest.fixture(scope="module")
def world():
    """Return a small world."""
    return sr.datasets.make_declarations(1_500, scenario="small", random_state=0)


@pytest.fixture
def export(world, tmp_path):
    """Write a first export: items with French names, results, decisions."""
    world.declarations.rename(columns=FRENCH).to_csv(
        tmp_path / "items.csv", index=False
    )
    world.outcomes.to_csv(tmp_path / "results.csv", index=False)
    world.decisions().to_csv(tmp_path / "decisions.csv", index=False)
    return tmp_path


def test_a_first_export_ends_with_what_is_possible_today(run, export):
    status, out, err = run("readiness", "items.csv")
    assert status == 0
    assert err == ""
    assert "smartrisk map items.csv" in out
    assert "DECLARATIONS: 1488 rows = 1488 usable + 0 set aside" in out
    last = out.split("which use cases are possible today:")[1]
    assert "possible: Targeting by signals, without results" in last
    assert "blocked: Targeting by a model\n    OUTCOMES.illicit: 0 hits" in last
    assert last.count("possible: ") == 3
    assert last.count("blocked: ") == last.count("next step: ") == 7


def test_results_and_decisions_change_the_answers(run, export):
    words = ("--outcomes", "results.csv", "--decisions", "decisions.csv")
    status, out, _ = run("readiness", "items.csv", *words)
    assert status == 0
    assert "DECISIONS: 1488 rows = 1488 usable" in out
    last = out.split("which use cases are possible today:")[1]
    assert "possible: Enforcement statistics" in last
    assert "possible: Non-compliance and recall" in last


@pytest.mark.parametrize(
    ("lang", "blocked"),
    [("fr", "bloqué : Ciblage par un modèle"), ("es", "bloqueado: Selección por un")],
)
def test_the_answers_are_in_the_language_of_the_user(run, export, lang, blocked):
    out = run("readiness", "items.csv", "--lang", lang)[1].replace("\u202f", " ")
    assert blocked in out
    for english in ("possible:", "next step", "to ask", "rows =", "data answer"):
        assert english not in out.replace("possible :", "")


def test_a_map_is_taken_where_it_is_given(run, export):
    (export / "map.toml").write_text(sr.schema.ColumnMap(FRENCH).to_toml())
    status, out, _ = run("readiness", "items.csv", "--map", "map.toml")
    assert status == 0
    assert "no map given" not in out


def test_unusable_rows_are_set_aside_and_counted(run, export, world):
    items = world.declarations.astype({"tariff_code": object})
    items.iloc[3, items.columns.get_loc("tariff_code")] = "x"
    items.to_csv(export / "bad.csv", index=False)
    status, out, _ = run("readiness", "bad.csv")
    assert status == 0
    assert "DECLARATIONS: 1488 rows = 1487 usable + 1 set aside" in out


def test_one_file_may_hold_items_and_results(run, export, world):
    keys = ["declaration_id", "item_number"]
    results = world.outcomes[[*keys, "known_at", "illicit"]]
    both = world.declarations.merge(results, on=keys, how="left")
    both.to_csv(export / "both.csv", index=False)
    status, out, _ = run("readiness", "both.csv", "--outcomes", "both.csv")
    assert status == 0
    assert f"{len(results)} results, {results['illicit'].sum()} hits" in out


@pytest.mark.parametrize(
    ("lang", "title"),
    [("en", "Blocked today"), ("fr", "Usages bloqués"), ("es", "Usos bloqueados")],
)
def test_a_page_is_written_where_it_is_asked_for(run, export, lang, title):
    status, out, err = run(
        "readiness", "items.csv", "--out", "ready.html", "--lang", lang
    )
    assert (status, err) == (0, "")
    assert "ready.html" in out.splitlines()[-1]
    html = (export / "ready.html").read_text("utf-8")
    assert f'<html lang="{lang}">' in html
    assert title in html
    assert "OUTCOMES.illicit" in html


def test_a_page_with_another_ending_is_refused_before_anything_is_read(run, export):
    status, out, err = run("readiness", "items.csv", "--out", "ready.pdf")
    assert (status, out) == (2, "")
    assert "'ready.pdf' must end in .html" in err
