"""`smartrisk map` and `smartrisk profile`: from unknown files to first scores."""

from __future__ import annotations

import io
import re
import sys

import pandas as pd
import pytest

from smartrisk.cli._map import ask
from smartrisk.intake import propose_map
from smartrisk.schema import ColumnMap

ITEMS = {
    "NO_DECL": "declaration_id",
    "ART": "item_number",
    "DT_ENREG": "lodged_at",
    "BUREAU": "office",
    "NIF_DEST": "importer_id",
    "CODE_DECLARANT": "declarant_id",
    "ESPECE": "tariff_code",
    "PAYS_ORIG": "origin",
    "VAL_DOUANE": "customs_value",
    "PDS_NET": "net_mass_kg",
}


def amount(numbers):
    """Return numbers as French texts."""
    return numbers.map("{:,.2f}".format).str.replace(",", " ").str.replace(".", ",")


@pytest.fixture
def exports(tmp_path, past_and_new, outcomes):
    """Write items, later items and results as a French-speaking office does."""
    past, new = past_and_new
    for frame, name in ((past, "past.csv"), (new, "new.csv")):
        table = pd.DataFrame({column: frame[f] for column, f in ITEMS.items()})
        table["DT_ENREG"] = frame["lodged_at"].dt.strftime("%d/%m/%Y")
        for column in ("VAL_DOUANE", "PDS_NET"):
            table[column] = amount(table[column])
        table.to_csv(tmp_path / name, sep=";", index=False, encoding="cp1252")
    known = outcomes[outcomes["known_at"] < past["lodged_at"].max()]
    results = pd.DataFrame(
        {
            "NO_DECL": known["declaration_id"],
            "ART": known["item_number"],
            "DATE_CONSTAT": known["known_at"].dt.strftime("%d/%m/%Y"),
            "INFRACTION_CONSTATEE": known["illicit"].map({1: "Oui", 0: "Non"}),
            "MONTANT_REDRESSE": amount(known["revenue_adjustment"].fillna(0.0)),
        }
    )
    results.to_csv(tmp_path / "res.csv", sep=";", index=False, encoding="cp1252")
    return tmp_path


@pytest.mark.slow
def test_from_files_to_first_scores_in_two_commands(run, exports):
    status, out, err = run("map", "past.csv", "res.csv", "--out", "map.toml")
    assert status == 0, err
    columns = ColumnMap.from_toml(exports / "map.toml")
    found = {c: f for f, c in columns.mapping.items()}
    assert {c: found.get(c) for c in ITEMS} == ITEMS
    command = re.search(r"then: smartrisk (fit .*)", out)[1]
    status, _, err = run(*command.split())
    assert status == 0, err
    for words in (
        "score new.csv --columns map.toml --engine engine --out scores.csv",
        "explain new.csv --columns map.toml --engine engine --top 2",
        "select new.csv --columns map.toml --engine engine --capacity 0.05",
        "report new.csv --past past.csv --outcomes res.csv --columns map.toml "
        "--outcome-columns map-results.toml --engine engine --out pages",
    ):
        status, out, err = run(*words.split())
        assert status == 0, err
    assert len(pd.read_csv(exports / "scores.csv")) > 500


def test_a_file_without_a_header_gets_a_map_that_reads_it(run, tmp_path):
    lines = [
        f"D{k // 2};{1 + k % 2};{1 + k % 28:02d}/02/2024;{8401 + 100 * (k % 9)}1000;"
        f"{100.5 + 7 * k}"
        for k in range(80)
    ]
    (tmp_path / "bare.csv").write_text("\n".join(lines) + "\n")
    assert run("map", "bare.csv", "--out", "m.toml")[0] == 0
    assert "header_row = 0" in (tmp_path / "m.toml").read_text()
    status, out, _ = run("validate", "bare.csv", "--columns", "m.toml")
    assert status == 0
    assert "80 usable" in out


def doubtful():
    """Return a proposal that asks two things, and its table."""
    frame = pd.DataFrame(
        {
            "DECL_NO": [f"D{k // 2}" for k in range(60)],
            "ITEM_NO": [str(1 + k % 2) for k in range(60)],
            "REG_DATE": [
                f"0{1 + k // 2 % 9}/0{1 + k // 2 % 8}/2024" for k in range(60)
            ],
            "HS_CODE": [f"{8401 + 100 * (k % 9)}1000" for k in range(60)],
            "CIF_NGN": [f"{100.5 + 7 * k}" for k in range(60)],
            "CIF_USD": [f"{10.5 + k * k}" for k in range(60)],
        }
    )
    return propose_map(frame), frame


def test_answers_on_a_terminal_change_the_map(capsys):
    proposal, frame = doubtful()
    asked = [part.field for part in proposal.questions]
    assert sorted(asked) == ["customs_value", "day_first"]
    replies = {"customs_value": "2\n", "day_first": "2\n"}
    lines = iter([replies[name] for name in asked])
    answered = ask(proposal, frame, lambda: next(lines))
    assert answered.columns.mapping["customs_value"] == "CIF_USD"
    assert answered.columns.day_first is False
    assert answered.questions == ()
    shown = capsys.readouterr().out
    assert "'CIF_USD' may be meant as well" in shown
    assert "Press Enter" in shown


@pytest.mark.parametrize("line", ["\n", "no such column\n", ""])
def test_an_empty_or_unusable_answer_keeps_what_is_proposed(line):
    proposal, frame = doubtful()
    kept = ask(proposal, frame, lambda: line)
    assert kept.columns.mapping["customs_value"] == "CIF_NGN"


def test_a_column_that_is_refused_leaves_the_map():
    proposal, frame = doubtful()
    lines = {part.field: "\n" for part in proposal.questions} | {"customs_value": "-\n"}
    queue = iter([lines[part.field] for part in proposal.questions])
    answered = ask(proposal, frame, lambda: next(queue))
    assert "customs_value" not in answered.columns.mapping


def test_nothing_is_asked_in_a_pipe(run, tmp_path, monkeypatch):
    doubtful()[1].to_csv(tmp_path / "items.csv", index=False)

    class Pipe(io.StringIO):
        def readline(self, *_):
            raise AssertionError("map waits for an answer in a pipe")

    monkeypatch.setattr(sys, "stdin", Pipe())
    status, out, _ = run("map", "items.csv", "--out", "m.toml", "--lang", "es")
    assert status == 0
    assert "también puede tratarse de 'CIF_USD'" in out
    assert "UNSURE" in (tmp_path / "m.toml").read_text()


def test_a_map_goes_to_toml_and_a_profile_to_a_page(run, tmp_path):
    doubtful()[1].to_csv(tmp_path / "items.csv", index=False)
    assert "must end in .toml" in run("map", "items.csv", "--out", "m.txt")[2]
    assert "must end in .html" in run("profile", "items.csv", "--out", "p.pdf")[2]
    status, out, _ = run("profile", "items.csv", "--out", "p.html")
    assert status == 0
    assert "REG_DATE" in out
    assert "<html" in (tmp_path / "p.html").read_text()
