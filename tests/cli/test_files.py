"""Files are read as texts, and written so that no cell acts as a formula."""

from __future__ import annotations

import pandas as pd
import pytest

from smartrisk import schema
from smartrisk.cli._chunks import split_chunks
from smartrisk.cli._engines import EngineAddress, load_engine
from smartrisk.cli._files import (
    DataFiles,
    load_column_map,
    load_declarations,
    load_outcomes,
    read_table,
    write_table,
)
from smartrisk.cli._messages import FileError
from smartrisk.errors import ArgumentError


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_codes_keep_their_zeros_and_namibia_its_code(tmp_path, separator):
    lines = [["tariff_code", "origin"], ["010121", "NA"], ["020230", ""]]
    text = "\n".join(separator.join(line) for line in lines)
    path = tmp_path / "items.csv"
    path.write_text(text, encoding="utf-8-sig")
    frame = read_table(str(path))
    assert frame.drop(columns="source_row").to_dict("list") == {
        "tariff_code": ["010121", "020230"],
        "origin": ["NA", ""],
    }


def test_no_text_of_a_written_csv_is_a_formula(tmp_path):
    frame = pd.DataFrame({"office": ["=1+1", "@SUM(A1)", "ok"], "value": [-1.0, 2, 3]})
    path = write_table(frame, str(tmp_path / "out.csv"))
    assert path.read_bytes() == b"office,value\n'=1+1,-1.0\n'@SUM(A1),2.0\nok,3.0\n"
    assert frame["office"].tolist() == ["=1+1", "@SUM(A1)", "ok"]


def test_a_canonical_table_is_written_as_it_is(tmp_path):
    frame = pd.DataFrame({"office": ["=1+1"]})
    path = write_table(frame, str(tmp_path / "out.csv"), escape=False)
    assert path.read_bytes() == b"office\n=1+1\n"


def test_a_file_of_another_kind_is_refused_before_it_is_written(tmp_path):
    with pytest.raises(ArgumentError, match=r"must end in \.csv or \.parquet"):
        write_table(pd.DataFrame({"a": [1]}), str(tmp_path / "out.doc"))
    assert list(tmp_path.iterdir()) == []


def test_a_built_in_column_map_is_known_by_its_name():
    assert load_column_map("KCS") == schema.KCS
    assert load_column_map(None) is None


def test_own_files_and_the_korean_set_are_not_mixed():
    with pytest.raises(ArgumentError, match="not both"):
        load_declarations(DataFiles(declarations="a.csv", kcs="kcs"))


def test_results_in_the_file_of_the_declarations_are_not_a_leak(tmp_path):
    path = str(tmp_path / "both.csv")
    frame = pd.DataFrame(
        {
            "declaration_id": ["A", "B"],
            "lodged_at": ["2024-01-02", "2024-01-03"],
            "tariff_code": ["010121", "010121"],
            "illicit": ["1", "0"],
        }
    )
    frame.to_csv(path, index=False)
    files = DataFiles(declarations=path, outcomes=path)
    assert "illicit" not in load_declarations(files)
    assert load_outcomes(files)["illicit"].tolist() == [1, 0]
    with pytest.raises(FileError, match="only after a control: 'illicit'"):
        load_declarations(DataFiles(declarations=path))


def test_a_command_without_files_states_what_to_pass():
    with pytest.raises(ArgumentError, match="Pass a file, or --kcs PATH"):
        load_declarations(DataFiles())
    with pytest.raises(ArgumentError, match="Pass --outcomes FILE"):
        load_outcomes(DataFiles())


@pytest.mark.parametrize("n_items", [0, 1, 6, 7])
def test_chunks_hold_every_item_once_in_its_order(monkeypatch, n_items):
    monkeypatch.setattr("smartrisk.cli._chunks.CHUNK_ITEMS", 3)
    items = pd.DataFrame({"number": range(n_items)})
    chunks = list(split_chunks(items))
    assert max(map(len, chunks)) <= 3
    assert pd.concat(chunks)["number"].tolist() == list(range(n_items))


def test_a_command_reads_tables_when_it_needs_them(files):
    loaded = load_engine(EngineAddress(address=str(files / "engine")))
    tables = loaded._state.features.blocks().values()
    assert not [table for table in tables if "packed" in vars(table)]
