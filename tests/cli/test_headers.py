"""Documents, items and results of documents in three files: read by every command."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk.cli._files import DataFiles, load_declarations, load_outcomes
from smartrisk.errors import ArgumentError
from smartrisk.schema import ColumnMap


@pytest.fixture
def three(tmp_path, monkeypatch):
    """Write 40 documents with 1 or 2 items, and results of the first 10."""
    monkeypatch.chdir(tmp_path)
    documents = [f"D{k}" for k in range(40)]
    items = [(d, n) for k, d in enumerate(documents) for n in range(1, 2 + k % 2)]
    pd.DataFrame(
        {
            "N° DECL": documents,
            "DATE ENREG": [f"{1 + k % 28:02d}/03/2024" for k in range(40)],
            "IMPORTATEUR": [f"NIF{k % 7}" for k in range(40)],
        }
    ).to_csv("header.csv", index=False)
    pd.DataFrame(
        {
            "N° DECL": [d for d, _ in items],
            "N° ARTICLE": [n for _, n in items],
            "ESPECE TARIFAIRE": [f"{8401 + k % 13}1000" for k in range(len(items))],
            "VALEUR EN DOUANE": [100.5 + 7 * k for k in range(len(items))],
        }
    ).to_csv("items.csv", index=False)
    pd.DataFrame(
        {
            "N° DECL": documents[:10],
            "DATE VISITE": ["30/03/2024"] * 10,
            "FRAUDE": ["Oui", "Oui", *["Non"] * 8],
        }
    ).to_csv("results.csv", index=False)
    return tmp_path


def test_a_map_of_three_files_names_the_options_of_the_next_command(run, three):
    words = ("items.csv", "results.csv", "--header", "header.csv", "--on", "N° DECL")
    status, out, err = run("map", *words, "--out", "map.toml")
    assert status == 0, err
    mapping = ColumnMap.from_toml("map.toml").mapping
    assert mapping["lodged_at"] == "DATE ENREG"
    assert mapping["item_number"] == "N° ARTICLE"
    assert "--header header.csv --on 'N° DECL'" in out
    assert "--level document" in out
    status, out, _ = run(
        "validate", "items.csv", *words[2:], "--columns", "map.toml", "--lang", "fr"
    )
    assert (status, "60 lignes = 60 utilisables" in out) == (0, True)


def test_the_list_for_the_clerk_names_the_line_of_each_file(run, three):
    header = pd.read_csv("header.csv", dtype=str)
    header.loc[3, "DATE ENREG"] = "31/31/2024"
    # D1 has no header: its two items are left out, and the rows behind it move up.
    header.drop(index=1).to_csv("header.csv", index=False)
    items = pd.read_csv("items.csv", dtype=str)
    items.loc[9, "VALEUR EN DOUANE"] = "12x"
    items.to_csv("items.csv", index=False)
    columns = {
        "declaration_id": "N° DECL",
        "item_number": "N° ARTICLE",
        "lodged_at": "DATE ENREG",
        "tariff_code": "ESPECE TARIFAIRE",
        "customs_value": "VALEUR EN DOUANE",
    }
    ColumnMap(columns, day_first=True).to_toml("map.toml")
    words = ("--header", "header.csv", "--on", "N° DECL", "--columns", "map.toml")
    assert run("validate", "items.csv", *words, "--fix-list", "fix.csv")[0] == 1
    found = pd.read_csv("fix.csv", dtype=str)
    wrong = zip(
        found["line in the file"],
        found["column to correct"],
        found["N° DECL"],
        found["N° ARTICLE"],
        strict=True,
    )
    assert sorted(wrong) == [
        ("11", "VALEUR EN DOUANE", "D6", "1"),
        ("4", "DATE ENREG", "D3", "1"),
        ("4", "DATE ENREG", "D3", "2"),
    ]


def test_results_of_documents_are_placed_on_their_items(three):
    columns = {
        "declaration_id": "N° DECL",
        "item_number": "N° ARTICLE",
        "lodged_at": "DATE ENREG",
        "tariff_code": "ESPECE TARIFAIRE",
        "customs_value": "VALEUR EN DOUANE",
        "importer_id": "IMPORTATEUR",
    }
    ColumnMap(columns, day_first=True).to_toml("map.toml")
    results = {
        "declaration_id": "N° DECL",
        "inspected_at": "DATE VISITE",
        "illicit": "FRAUDE",
    }
    ColumnMap(results, day_first=True).to_toml("results.toml")
    files = DataFiles(
        declarations="items.csv",
        outcomes="results.csv",
        header="header.csv",
        on="N° DECL",
        columns="map.toml",
        outcome_columns="results.toml",
        level="document",
    )
    items = load_declarations(files)
    assert (len(items), items["importer_id"].nunique()) == (60, 7)
    outcomes = load_outcomes(files, items)
    assert len(outcomes) == 15
    # D0 has one item: its hit. D1 has two: nobody knows which.
    assert outcomes["illicit"].sum() == 1
    assert outcomes["document_illicit"].sum() == 2
    assert outcomes["illicit"].isna().sum() == 2


def test_a_header_without_a_key_is_refused_with_what_both_files_have(three):
    files = DataFiles(declarations="items.csv", header="header.csv")
    with pytest.raises(ArgumentError, match="Both files have 'N° DECL'"):
        load_declarations(files)
    files = DataFiles(declarations="items.csv", on="N° DECL")
    with pytest.raises(ArgumentError, match="--on names the columns"):
        load_declarations(files)
