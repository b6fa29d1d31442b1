"""Workbooks: the sheet and the header are found, cells keep their types."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smartrisk.errors import DataQualityWarning, TableError
from smartrisk.intake import describe_file, read_table
from smartrisk.schema import FileFormat

NAMES = ["DECLARATION_NUMBER", "ITEM", "IMP_DATE", "TIN", "VALUE"]
DAY = dt.datetime(2024, 3, 1)
ROWS = [
    ["C 1", 1, DAY, "0088", 12.5],
    ["C 1", 2, DAY, "0089", 13],
    ["C 2", 1, None, None, 14],
]


def save(*sheets, change=None):
    """Return a workbook of rows as an open file; `change` edits it before."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"S{number}")
        for row in rows:
            sheet.append(row)
    if change is not None:
        change(book.worksheets[0])
    stream = io.BytesIO()
    stream.name = "extract.xlsx"
    book.save(stream)
    stream.seek(0)
    return stream


def test_titles_above_and_totals_below_are_no_rows():
    titles = [["Ministry of Finance"], ["Extract of", DAY], []]
    total = ["Total", None, None, None, 39.5]
    with pytest.warns(DataQualityWarning, match="totals, counts.*line 8"):
        frame = read_table(save([*titles, NAMES, *ROWS, total], [["a note"]]))
    assert list(frame.columns[:5]) == NAMES
    assert frame["source_row"].str.partition(":")[2].tolist() == ["5", "6", "7"]
    assert frame["ITEM"].tolist() == [1, 2, 1]
    assert frame["TIN"].tolist()[:2] == ["0088", "0089"]
    assert frame["IMP_DATE"].tolist() == [DAY, DAY, pd.NaT]
    assert frame["VALUE"].tolist() == [12.5, 13.0, 14.0]
    found = frame.attrs["smartrisk.files"][0]
    assert found["format"] == {"sheet": "S0", "header_row": 4}
    assert found["lines"]["title"] == 3
    assert sum(found["lines"].values()) == 8


@given(
    st.lists(
        st.tuples(
            st.integers(1, 9).map(lambda k: f"K{k}"),
            st.none() | st.integers(-(2**53), 2**53),
            st.none() | st.floats(-1e9, 1e9).map(lambda x: round(x, 2) + 0.5),
            st.none() | st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1)),
            st.none() | st.text("abcé01 ;\"'_", min_size=1, max_size=6),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=10)
def test_any_sheet_reads_back_cell_by_cell(rows):
    rows = [(k, n, x, d and d.replace(microsecond=0), t) for k, n, x, d, t in rows]
    stream = save([["id", "n", "x", "d", "t"], *rows])
    frame = read_table(stream, file=FileFormat(header_row=1))
    back = frame.drop(columns="source_row").astype(object)
    back = back.where(back.notna(), None).to_numpy().tolist()
    # A spreadsheet keeps the moments of a day to a few milliseconds.
    close = [
        [v.round("s") if isinstance(v, pd.Timestamp) else v for v in r] for r in back
    ]
    assert close == [list(row) for row in rows]
    lines = frame["source_row"].str[17:].astype(int).tolist()
    assert lines == list(range(2, len(rows) + 2))


def test_a_rounded_number_beside_texts_keeps_its_form():
    rows = [["A", 1.2345678901234567e18], ["B", "x"]]
    frame = read_table(save([["id", "tin"], *rows]))
    assert "e+18" in frame["tin"].tolist()[0]


def test_dates_beside_texts_are_reported():
    rows = [["A", DAY], ["B", "13/03/2024"]]
    with pytest.warns(DataQualityWarning, match="days as months: export"):
        frame = read_table(save([["id", "day"], *rows]))
    assert frame["day"].tolist() == ["2024-03-01 00:00:00", "13/03/2024"]


def test_merged_cells_and_escapes_are_repaired_and_reported():
    rows = [["id", "office", "note"], ["A", "CI", "x_x0000_"], [None, "CI", "_x0000_"]]
    stream = save(rows, change=lambda sheet: sheet.merge_cells("A2:A3"))
    with pytest.warns(DataQualityWarning, match=r"merged cell above them: 1, line 3"):
        frame = read_table(stream)
    assert frame["id"].tolist() == ["A", "A"]
    assert frame["note"].tolist()[0] == "x"
    assert frame["note"].isna().tolist() == [False, True]


def test_a_formula_without_its_result_is_no_empty_cell():
    rows = [["id", "value"], ["A", 1], ["B", "=B2*2"]]
    with pytest.raises(TableError, match="B3: =B2"):
        read_table(save(rows))


def test_several_sheets_with_tables_are_asked_for():
    table = [["id", "value"], ["A", 1]]
    with pytest.raises(TableError, match="2 sheets that may hold the table: 'S0'"):
        read_table(save(table, table))
    frame = read_table(save(table, [*table, ["B", 2]]), file=FileFormat(sheet="S1"))
    assert frame["id"].tolist() == ["A", "B"]
    with pytest.raises(TableError, match="no sheet 'S9'"):
        read_table(save(table), file=FileFormat(sheet="S9"))


def test_inline_texts_and_prefixed_names_are_read():
    old = save([["id", "value"], ["A", 1]])
    body = (
        '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        "<x:sheetData>"
        '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>id</x:t></x:is></x:c>'
        '<x:c r="B1" t="inlineStr"><x:is><x:t>office</x:t></x:is></x:c></x:row>'
        '<x:row r="2"><x:c r="A2" t="inlineStr"><x:is><x:t>007</x:t></x:is></x:c>'
        '<x:c r="B2"><x:v>1152921504606846977</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(old) as archive, zipfile.ZipFile(stream, "w") as new:
        for name in archive.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml"
            new.writestr(name, body if is_sheet else archive.read(name))
    stream.seek(0)
    frame = read_table(stream)
    assert frame.drop(columns="source_row").to_numpy().tolist() == [["007", 2**60 + 1]]


def test_a_margin_without_names_or_values_is_left_out():
    found = describe_file(save([[], [None, "id", None, "n"], [None, "A", None, 1]]))
    assert list(found.table.columns) == ["id", "n", "source_row"]


def test_a_damaged_workbook_is_make_refusal():
    content = save([["id", "value"], ["A", 1]]).getvalue()
    with pytest.raises(TableError, match="damaged"):
        read_table(io.BytesIO(content[: len(content) // 2]))
