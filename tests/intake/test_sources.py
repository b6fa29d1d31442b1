"""Files of any kind, frames of any library, databases: one table, the same values."""

from __future__ import annotations

import bz2
import dataclasses
import datetime as dt
import gzip
import io
import lzma
import sqlite3
import zipfile
from collections import namedtuple

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import ArgumentError, DataQualityWarning, TableError
from smartrisk.intake import describe_file, read_table
from smartrisk.lineage import read_sources
from smartrisk.schema import FileFormat

TEXT = "id;office;value\nA1;CI01;5\nA2;CI02;6\n"
BIG = 2**60 + 1
#: Whole numbers with and without missing values, one that no float holds.
COLUMNS = {
    "id": ["A1", "A2", None],
    "key": [BIG, 3, 4],
    "n": [1, None, BIG],
    "value": [0.1, 2.5, None],
    "day": [dt.datetime(2024, 3, 1, 10, 20), None, dt.datetime(2024, 3, 2)],
}


def values(frame):
    """Return the cells of a frame as Python values, None where one is missing."""
    plain = frame.drop(columns="source_row").astype(object)
    rows = plain.where(plain.notna(), None).to_numpy().tolist()
    return [[int(v) if isinstance(v, np.integer) else v for v in row] for row in rows]


RIGHT = [list(row) for row in zip(*COLUMNS.values(), strict=True)]


# ------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("ending", "pack"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_packed_texts_are_read(tmp_path, ending, pack):
    path = tmp_path / f"items.csv{ending}"
    path.write_bytes(pack(TEXT.encode()))
    found = describe_file(path)
    assert found.table["value"].tolist() == ["5", "6"]
    assert found.format.compression == {".gz": "gzip"}.get(ending, ending[1:])
    path.write_bytes(pack(TEXT.encode() * 99)[:-9])
    with pytest.raises(TableError, match=r"items.csv\S+: the file is cut or damaged"):
        read_table(path)


def test_the_file_within_a_zip_is_the_only_one_or_named(tmp_path):
    path = tmp_path / "items.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("year/a.csv", TEXT)
        archive.writestr("__MACOSX/._a.csv", "x")
    assert describe_file(path).format.member == "year/a.csv"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.csv", TEXT.replace("A1", "B1"))
    with pytest.raises(TableError, match=r"2 files: 'year/a.csv', 'b.csv'"):
        read_table(path)
    frame = read_table(path, file=FileFormat(member="b.csv"))
    assert frame["id"].tolist() == ["B1", "A2"]


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.xml", b"<?xml version='1.0'?><ASYCUDA/>", "is XML.*Export the table"),
        ("a.xml", b"id,x\n1,2\n", "is XML"),
        ("a.csv", b"<ASYCUDA><SAD/></ASYCUDA>", "is XML"),
        ("a.json", b'[{"id": 1}]', "JSON.*list"),
        ("a.csv", b'{"id": 1}\n{"id": 2}\n', "JSON"),
        ("a.pdf", b"%PDF-1.7", "PDF document"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1", "old kind"),
        ("a.xls", b"<html><table>", "web page"),
        ("a.docx", b"text", "text document"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd", "packed with zstd"),
    ],
)
def test_other_kinds_are_refused_by_name_with_a_remedy(tmp_path, name, content, match):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=match):
        read_table(path)


def test_content_counts_more_than_the_name(tmp_path):
    pq.write_table(pa.table(COLUMNS), tmp_path / "items.csv")
    found = describe_file(tmp_path / "items.csv")
    assert found.kind == "parquet"
    (tmp_path / "items.xls").write_text("id\tvalue\nA\t1\n")
    found = describe_file(tmp_path / "items.xls")
    assert found.findings["reason"].tolist() == ["other kind"] * 2
    assert found.table["value"].tolist() == ["1"]


def test_a_missing_file_is_named_with_the_nearest(tmp_path):
    (tmp_path / "items.csv").write_text(TEXT)
    with pytest.raises(ArgumentError, match=r"Did you mean 'items\.csv'"):
        read_table(tmp_path / "item.csv")


# ------------------------------------------------------- several sources


def test_several_files_are_one_table_and_differences_are_reported(tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(TEXT)
    second.write_text("value,id,remark\n7,B1,x\n")
    with pytest.warns(DataQualityWarning) as caught:
        frame = read_table([first, str(second)])
    reported = " ".join(str(warning.message) for warning in caught)
    assert "a.csv lacks 'remark'" in reported
    assert "b.csv lacks 'office'" in reported
    assert frame["id"].tolist() == ["A1", "A2", "B1"]
    assert frame["remark"].isna().tolist() == [True, True, False]
    assert [source.rows_in for source in read_sources(frame)] == [2, 1]
    assert frame["source_row"].str.partition(":")[2].tolist() == ["2", "3", "2"]
    assert all(source.name is None for source in read_sources(frame))
    second.write_text("x,y\n1,2\n")
    with pytest.raises(TableError, match="no column in common"):
        read_table([first, second])


def test_the_same_content_twice_is_read_once(tmp_path):
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(TEXT.encode()))
    with pytest.warns(DataQualityWarning, match="'b.csv.gz is a.csv'"):
        frame = read_table(str(tmp_path / "*.csv*"))
    assert len(frame) == 2


def test_a_folder_of_parquet_is_one_table_whole_numbers_stay_whole(tmp_path):
    for year, n in ((2023, [BIG, 2]), (2024, [1, None])):
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        pq.write_table(pa.table({"id": ["A", "B"], "n": n}), folder / "1.parquet")
    (tmp_path / "_SUCCESS").write_text("")
    frame = read_table(tmp_path)
    assert frame["year"].tolist() == ["2023", "2023", "2024", "2024"]
    assert frame["n"].tolist() == [BIG, 2, 1, pd.NA]


# ------------------------------------------------------------------ frames

Item = namedtuple("Item", COLUMNS)
ItemClass = dataclasses.make_dataclass("ItemClass", COLUMNS)
FRAMES = {
    "pandas": lambda: pl.DataFrame(COLUMNS).to_pandas(use_pyarrow_extension_array=True),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "lazy polars": lambda: pl.DataFrame(COLUMNS).lazy(),
    "arrow": lambda: pa.table(COLUMNS),
    "arrow stream": lambda: pa.table(COLUMNS).to_reader(),
    "arrow batch": lambda: pa.table(COLUMNS).to_batches()[0],
    "duckdb": lambda: duckdb.from_arrow(pa.table(COLUMNS)),
    "records": lambda: [dict(zip(COLUMNS, row, strict=True)) for row in RIGHT],
    "named tuples": lambda: [Item(*row) for row in RIGHT],
    "data classes": lambda: [ItemClass(*row) for row in RIGHT],
    "generator": lambda: (dict(zip(COLUMNS, row, strict=True)) for row in RIGHT),
    "columns": lambda: COLUMNS,
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_every_library_hold_the_same_values(name):
    frame = read_table(FRAMES[name]())
    assert values(frame) == RIGHT
    assert frame["source_row"].str.partition(":")[2].tolist() == ["1", "2", "3"]


def test_a_frame_that_was_read_keeps_its_lines():
    frame = read_table(io.StringIO(TEXT))
    again = read_table(frame[1:])
    assert again["source_row"].tolist() == frame["source_row"].tolist()[1:]
    assert read_sources(again) == read_sources(frame)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ([1, 2], "must hold records"),
        ([], "must hold records"),
        ({"a": [1], "b": [1, 2]}, "'a': 1, 'b': 2"),
        ({"a": "text"}, "'a': one value"),
        (5, "takes a path"),
    ],
)
def test_what_is_no_table_is_make_refusal(source, match):
    with pytest.raises(TableError, match=match):
        read_table(source)


def test_records_without_a_field_are_reported():
    with pytest.warns(DataQualityWarning, match="1, line 2: 'b'"):
        frame = read_table([{"a": 1, "b": 2}, {"a": 3}])
    assert frame["b"].tolist() == [2, pd.NA]


# --------------------------------------------------------------- databases


@pytest.fixture
def sqlite_path(tmp_path):
    """Return an SQLite file with one table."""
    path = tmp_path / "items.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE items (id TEXT, key INTEGER, n INTEGER)")
        rows = [(row[0], row[1], row[2]) for row in RIGHT]
        connection.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
    connection.close()
    return path


def test_every_connection_reads_the_same(sqlite_path):
    right = [row[:3] for row in RIGHT]
    file = FileFormat(table="items")
    engine = sa.create_engine(f"sqlite:///{sqlite_path}", poolclass=sa.NullPool)
    plain, named = sqlite3.connect(sqlite_path), sqlite3.connect(sqlite_path)
    named.row_factory = sqlite3.Row
    with (
        engine.connect() as alchemy,
        adbc_driver_sqlite.dbapi.connect(str(sqlite_path)) as arrow,
    ):
        for source in (
            engine,
            alchemy,
            arrow,
            plain,
            named,
            f"sqlite:///{sqlite_path}",
        ):
            assert values(read_table(source, file=file)) == right
    # The only table of a file needs no name.
    assert values(read_table(sqlite_path)) == right
    plain.close()
    named.close()


def test_a_query_may_hold_per_cent_signs_and_is_refused_with_its_reason(sqlite_path):
    address = f"sqlite:///{sqlite_path}"
    query = "SELECT id, n * 2 AS twice FROM items WHERE id LIKE 'A%'"
    frame = read_table(address, file=FileFormat(query=query))
    assert frame["id"].tolist() == ["A1", "A2"]
    with pytest.raises(TableError, match="no such table: absent"):
        read_table(address, file=FileFormat(table="absent"))
    with sqlite3.connect(sqlite_path) as connection:
        connection.execute("CREATE TABLE other (id TEXT)")
    connection.close()
    with pytest.raises(ArgumentError, match="the tables 'items', 'other'"):
        read_table(address)


@pytest.mark.slow
def test_one_table_by_csv_parquet_sqlite_and_postgresql_is_bit_identical(
    tmp_path, world, postgres, postgres_database
):
    from smartrisk.schema import DECLARATIONS
    from smartrisk.validation import validate

    table = world.declarations[:500].drop(columns="trusted_trader")
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    texts = table.assign(lodged_at=table["lodged_at"].astype(str))
    address = postgres.address(database=postgres_database)
    sources = {
        "csv": (tmp_path / "a.csv", FileFormat()),
        "parquet": (tmp_path / "a.parquet", FileFormat()),
    }
    lite = f"sqlite:///{tmp_path / 'a.sqlite'}"
    for name, url, frame in (("sqlite", lite, texts), ("postgresql", address, table)):
        engine = sa.create_engine(
            url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool
        )
        frame.to_sql("items", engine, index=False)
        sources[name] = (url, FileFormat(table="items"))
    checked = {
        name: validate(read_table(source, file=file), DECLARATIONS)
        for name, (source, file) in sources.items()
    }
    first = checked["csv"].drop(columns="source_row")
    assert len(first) == 500
    for frame in checked.values():
        pd.testing.assert_frame_equal(
            frame.drop(columns="source_row"), first, check_exact=True
        )
    with adbc_driver_postgresql.dbapi.connect(address) as connection:
        frame = validate(
            read_table(connection, file=FileFormat(table="items")), DECLARATIONS
        )
    pd.testing.assert_frame_equal(
        frame.drop(columns="source_row"), first, check_exact=True
    )


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.text("aé0 \"'", max_size=4),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=15)
def test_any_typed_table_reads_back_cell_by_cell(rows):
    columns = dict(
        zip(("n", "x", "t"), map(list, zip(*rows, strict=True)), strict=True)
    )
    types = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("t", pa.string())])
    table = pa.table(columns, schema=types)
    right = [list(row) for row in rows]
    for write in (pq.write_table, pyarrow.feather.write_feather):
        stream = io.BytesIO()
        write(table, stream)
        assert values(read_table(io.BytesIO(stream.getvalue()))) == right
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (n INTEGER, x REAL, t TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        assert values(read_table(connection)) == right
    connection.close()
    frame = read_table(table)
    assert frame["source_row"].nunique() == len(rows)


def test_a_folder_says_which_tables_are_no_part_of_it(tmp_path):
    pq.write_table(pa.table({"id": ["A"]}), tmp_path / "1.parquet")
    (tmp_path / "more.csv").write_text("id\nB\n", encoding="utf-8")
    with pytest.warns(DataQualityWarning, match=r"1 other tables.*'more\.csv'"):
        assert read_table(tmp_path)["id"].tolist() == ["A"]
