"""Commands read any kind of file; rows to correct are listed beside their reason."""

from __future__ import annotations

import sqlite3

import openpyxl
import pandas as pd
import pytest

MAP = """
day_first = true
decimal = ","
[mapping]
declaration_id = "n°"
item_number = "article"
office = "bureau"
lodged_at = "date"
tariff_code = "position"
customs_value = "valeur"
[file]
encoding = "cp1252"
header_row = 2
"""
TEXT = """Douanes;;;;;
n°;article;bureau;date;position;valeur
A1;1;011;01/02/2024;870322;1200,50
A2;1;=1+1;31/02/2024;870322;12x
A3;1;011
A4;1;012;03/02/2024;870322;7
"""


@pytest.fixture
def export(tmp_path):
    """Return a text with a line that is no row and a row with two wrong values."""
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    (tmp_path / "mars.csv").write_bytes(TEXT.encode("cp1252"))
    return tmp_path / "mars.csv"


def test_each_failure_stands_beside_its_row_and_no_cell_is_a_formula(run, export):
    status, out, _ = run(
        "validate", export, "--columns", "map.toml", "--fix-list", "fix.xlsx"
    )
    assert status == 1
    assert "mars.csv (csv): 6 lines = 1 title + 1 header + 3 rows + 1 set aside." in out
    assert "to correct: fix.xlsx (3 rows)" in out
    sheet = openpyxl.load_workbook("fix.xlsx").active
    head, *rows = sheet.iter_rows(values_only=True)
    assert head[:5] == (
        *("line in the file", "column to correct", "value found"),
        *("what is wrong", "what to do"),
    )
    assert head[5:] == ("n°", "article", "bureau", "date", "position", "valeur")
    own = ("A2", "1", "'=1+1", "31/02/2024", "870322", "12x")
    assert [row[:4] for row in rows] == [
        (4, "date", "31/02/2024", "not a date"),
        (4, "valeur", "12x", "not a number"),
        (5, None, "3 fields: A3 | 1 | 011", "records with fewer than 6 fields"),
    ]
    assert [row[5:] for row in rows] == [own, own, (None,) * 6]
    assert all(row[4].endswith(".") for row in rows)
    assert all(cell.data_type != "f" for row in sheet for cell in row)


def test_the_list_is_in_the_language_of_the_reader(run, export):
    words = ("--columns", "map.toml", "--fix-list", "f.csv", "--lang", "fr")
    run("validate", export, *words)
    listed = pd.read_csv("f.csv", encoding="utf-8-sig")
    assert listed.columns[0] == "ligne du fichier"
    assert listed["ce qui ne va pas"].tolist()[0] == "pas une date"
    assert listed["valeur"].tolist()[:2] == ["12x", "12x"]


def test_lines_that_are_no_rows_stop_a_command_or_are_left_out(run, export):
    words = ("score", export, "--columns", "map.toml", "--engine", "nowhere")
    assert run(*words)[0] == 2
    from smartrisk.cli._files import DataFiles, load_declarations
    from smartrisk.errors import DataQualityWarning, TableError

    files = {"declarations": str(export), "columns": "map.toml"}
    with pytest.raises(TableError, match=r"mars\.csv: 1 of 4 records"):
        load_declarations(DataFiles(**files))
    with pytest.warns(DataQualityWarning):
        kept = load_declarations(DataFiles(**files, on_error="set_aside"))
    assert kept["declaration_id"].tolist() == ["A1", "A4"]
    assert kept["source_row"].str.partition(":")[2].tolist() == ["3", "6"]


def test_a_command_reads_a_database_with_the_query_of_the_map(run, tmp_path):
    with sqlite3.connect(tmp_path / "items.db") as connection:
        connection.execute("CREATE TABLE items (id TEXT, day TEXT, code TEXT)")
        connection.execute("INSERT INTO items VALUES ('A1', '2024-03-01', '870322')")
    connection.close()
    (tmp_path / "map.toml").write_text(
        '[mapping]\ndeclaration_id = "id"\nlodged_at = "day"\ntariff_code = "code"\n'
        "[file]\nquery = \"SELECT * FROM items WHERE id LIKE 'A%'\"\n"
    )
    for source in ("items.db", "sqlite:///items.db"):
        status, out, _ = run("validate", source, "--columns", "map.toml")
        assert (status, "1 rows = 1 usable" in out) == (0, True)
