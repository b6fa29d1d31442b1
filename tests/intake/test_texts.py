"""Any table that is written as a text reads back cell by cell, line by line."""

from __future__ import annotations

import csv
import io
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smartrisk.errors import DataQualityWarning, TableError
from smartrisk.intake import read_table
from smartrisk.intake._text import read_text
from smartrisk.schema import FileFormat

NAMES = ("id", "office", "remark", "value", "date")
#: Letters of cells: separators, quotes, line ends, letters of several code pages.
LETTERS = st.sampled_from(list("ab1 ,;|\t\"'\n.-éÑ€ß"))


@st.composite
def written_tables(draw):
    """Return a table, the text that holds it, its format, and the line of each row."""
    width = draw(st.integers(2, 5))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    # The first cell keeps a row from being empty, or a total.
    first = st.integers(1, 99).map(lambda k: f"K{k}")
    row = st.tuples(first, *[st.text(LETTERS, max_size=8)] * (width - 1))
    rows = draw(st.lists(row, min_size=0, max_size=8))
    stream = io.StringIO()
    writer = csv.writer(
        stream, delimiter=separator, lineterminator=end, quoting=quoting
    )
    writer.writerow(NAMES[:width])
    lines = []
    for cells in rows:
        lines.append(stream.getvalue().count("\n") + 1)
        writer.writerow(cells)
    return rows, stream.getvalue(), separator, lines


@given(
    written_tables(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"]),
)
@example(([("K1", "x;y\nz")], 'id;office\nK1;"x;y\nz"\n', ";", [2]), "utf-8")
@settings(max_examples=60)
def test_any_written_table_reads_back_with_its_lines(table, encoding):
    rows, text, separator, lines = table
    file = FileFormat(separator=separator, encoding=encoding)
    reading = read_text(text.encode(encoding), file)
    errors = {finding.reason for finding in reading.findings.select("error")}
    if errors:
        # Each line within the quotes could be a record, and no other text is quoted.
        assert errors == {"lines within quotes"}
        return
    found = reading.frame
    assert [tuple(row) for row in found.itertuples(index=False)] == rows
    assert reading.lines.tolist() == lines
    assert sum(reading.accounts.values()) == text.count("\n")


@pytest.mark.parametrize("damage", ["drop", "add", "quote", "cut", "join"])
def test_no_damage_to_a_line_moves_a_value(damage):
    rng = np.random.default_rng(5)
    rows = [
        [f"D{k}", f"2024-03-{k % 28 + 1:02d}", '"A;B"' if k % 3 else "x y", f"{k}.5"]
        for k in range(40)
    ]
    good = [";".join(row) for row in rows]
    right = {
        line: [cell.strip('"') for cell in row] for line, row in enumerate(rows, 2)
    }
    for _ in range(25):
        place = int(rng.integers(len(good)))
        line = good[place]
        if damage == "quote" and '"' not in line:
            continue
        signs = [k for k, sign in enumerate(line) if sign == ";"]
        k = signs[0] if damage != "quote" else line.index('"') + 4 * rng.integers(2)
        damaged = {
            "drop": line[:k] + line[k + 1 :],
            "add": line[:k] + ";" + line[k:],
            "quote": line[:k] + line[k + 1 :],
            "cut": line[: signs[1]],
            "join": line + "\r" + line,
        }[damage]
        text = "\n".join(["id;date;remark;value", *good]) + "\n"
        text = text.replace(line + "\n", damaged + "\n")
        reading = read_text(text.encode(), FileFormat())
        reported = {int(n) for f in reading.findings.select("error") for n in f.lines}
        assert reported == {place + 2}
        kept = dict(zip(reading.lines.tolist(), reading.frame.to_numpy(), strict=True))
        assert {n: list(row) for n, row in kept.items()} == {
            n: row for n, row in right.items() if n != place + 2
        }


def test_a_stray_quote_takes_no_other_line_along():
    text = 'id;a;b;c\nA;"x;1;p\nB;5;";q\nC;1;2;3\n'
    reading = read_text(text.encode(), FileFormat())
    (finding,) = reading.findings.select("error")
    assert (finding.reason, finding.lines.tolist()) == ("quote not closed", [2, 3])
    assert reading.frame.to_numpy().tolist() == [["C", "1", "2", "3"]]


def test_lines_within_quotes_that_could_be_records_are_reported():
    text = 'id;a;b\nA;"x;1\nB;y";2\nC;z;3\n'
    reading = read_text(text.encode(), FileFormat())
    assert [f.reason for f in reading.findings.select("error")] == [
        "lines within quotes"
    ]
    assert reading.frame["id"].tolist() == ["C"]
    # Where other texts have quotes, they mean what they say; it is reported.
    reading = read_text((text + 'D;"w";4\n').encode(), FileFormat())
    assert reading.frame["id"].tolist() == ["A", "C", "D"]
    (finding,) = reading.findings.select("warning")
    assert (finding.reason, finding.lines.tolist()) == ("lines within quotes", [2])


def test_every_line_is_accounted_for():
    text = (
        "Ministry of Finance\n\n"
        "id;office;value\n"
        "A1;CI01;5\n"
        "\n"
        'A2;"two\nlines";6\n'
        "id;office;value\n"
        ";;\n"
        "A3;CI01\n"
        "A4;CI01;7;8\n"
        "TOTAL;;11\n"
        "Rows: 3\n"
    )
    with pytest.warns(DataQualityWarning, match="states '3' records"):
        frame = read_table(io.StringIO(text), on_error="set_aside")
    assert frame["id"].tolist() == ["A1", "A2"]
    assert frame["source_row"].str.partition(":")[2].tolist() == ["4", "6"]
    lines = frame.attrs["smartrisk.files"][0]["lines"]
    assert lines == {
        "title": 2,
        "header": 1,
        "rows": 3,
        "empty": 2,
        "repeated header": 1,
        "footer": 2,
        "set aside": 2,
    }
    assert sum(lines.values()) == text.count("\n")


def test_all_lines_that_are_no_rows_are_named_at_once():
    text = 'id;office;value\nA1;CI01\nA2;CI01;5\nA3;x;y;z\nA4;"x;5\n'
    with pytest.raises(TableError, match="3 of 4 records") as caught:
        read_table(io.StringIO(text))
    failures = caught.value.failures
    assert dict(zip(failures["line"], failures["reason"], strict=True)) == {
        2: "short record",
        4: "long record",
        5: "quote not closed",
    }
    assert "line 2: '2 fields: A1 | CI01'" in str(caught.value)
    assert "on_error" in str(caught.value)


def test_rows_that_end_in_a_separator_do_not_move_their_columns():
    text = "id;office;value\nA1;CI01;5;\nA2;CI02;6;\n"
    with pytest.warns(DataQualityWarning, match="no column has moved"):
        frame = read_table(io.StringIO(text))
    assert frame[["id", "office", "value"]].to_numpy().tolist() == [
        ["A1", "CI01", "5"],
        ["A2", "CI02", "6"],
    ]
    # The field after the last separator holds a value somewhere: it is no separator
    # too many, but a text with one in it.
    with pytest.raises(TableError, match="has 3 names, and the records have 4 fields"):
        read_table(io.StringIO(text + "A3;a;b;c\n"))
    with pytest.raises(TableError, match="fields: A3") as caught:
        read_table(io.StringIO(text + text[16:] * 9 + "A3;a;b;c\n"))
    assert caught.value.failures["line"].tolist() == [22]


def test_more_fields_than_names_are_not_fitted():
    text = "id;office\nA1;CI01;5\nA2;CI02;6\n"
    with pytest.raises(TableError, match="has 2 names, and the records have 3 fields"):
        read_table(io.StringIO(text))
    frame = read_table(
        io.StringIO(text),
        file=FileFormat(header_row=1, names=["id", "office", "value"]),
    )
    assert frame["value"].tolist() == ["5", "6"]


@pytest.mark.parametrize(
    ("text", "is_cut"),
    [
        ("id;origin\nD1;CN\nD2;C", True),
        ("id;origin\nD1;CN\nD2;C\n", False),
        ("id;origin\nD1;CN\nD2;FR", False),
        ("id;value\nD1;10\nD2;5", False),
        ("id;inspected\nD1;YES\nD2;NO", False),
    ],
)
def test_a_last_line_that_was_cut_within_its_last_value_is_reported(text, is_cut):
    reading = read_text(text.encode(), FileFormat())
    errors = [finding.reason for finding in reading.findings.select("error")]
    assert errors == (["cut last line"] if is_cut else [])
    assert len(reading.frame) == (1 if is_cut else 2)


def test_nul_bytes_stand_for_empty_fields_and_nothing_else():
    text = b"id;office;value\nA1;\0\0;5\nA2;CI\0\0;6\nA3;C\0I;7\n"
    reading = read_text(text, FileFormat())
    assert reading.frame["office"].tolist() == ["", "CI"]
    reasons = {f.reason: f.lines.tolist() for f in reading.findings}
    assert reasons == {"NUL bytes": [2, 3], "NUL in a value": [4]}


def test_a_table_within_a_quoted_field_stays_there():
    nested = "code;amount\n10;5\n20;6"
    text = f'id;taxes;office;value\nA1;"{nested}";CI01;5\nA2;"x";CI02;6\n'
    reading = read_text(text.encode(), FileFormat())
    assert reading.frame["taxes"].tolist() == [nested, "x"]
    assert reading.lines.tolist() == [2, 5]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("1;2\n3;4\n", "no header was found"),
        ("id;ID_;id\n1;2;3\n", "columns of the same name: 'id'"),
        ("id   office  value\nA1   CI01    12\n", "Declare widths"),
        ("id~office\nA1~CI01\n", "'~' stands 1 times in each"),
        ("", "the file is empty"),
        ("a;b,c;d\n1;2,3;4\n", "separator"),
    ],
)
def test_what_is_not_certain_is_asked(text, match):
    with pytest.raises(TableError, match=match):
        read_table(io.StringIO(text))


def test_names_that_are_nearly_the_same_are_reported():
    text = "id;Customs Value;customs.value\n1;2;3\n"
    with pytest.warns(DataQualityWarning, match="'Customs Value', 'customs.value'"):
        read_table(io.StringIO(text))


@pytest.mark.parametrize(
    ("text", "file", "rows"),
    [
        ("sep=|\nid|n\nA|1,5\n", FileFormat(), [["A", "1,5"]]),
        ("A;1\nB;2\n", FileFormat(names=["id", "n"]), [["A", "1"], ["B", "2"]]),
        ("A;1\nB;2\n", FileFormat(header_row=0), [["A", "1"], ["B", "2"]]),
        ("x\nid;n\nA;1\nend;\n", FileFormat(header_row=2, footer_rows=1), [["A", "1"]]),
        ("id;n\nA;5\" pipe\n", FileFormat(), [["A", '5" pipe']]),
        ("id;n\nA;\"b\n", FileFormat(quote=""), [["A", '"b']]),
        ("id§n\nA§é\n", FileFormat(separator="§"), [["A", "é"]]),
        ("'id';'n'\n'A';'b;c'\n", FileFormat(), [["A", "b;c"]]),
        ('id, n\nA, "b, c"\n', FileFormat(), [["A", "b, c"]]),
        ("id;n\rA;1\rB;2\r", FileFormat(), [["A", "1"], ["B", "2"]]),
        ("id;n\nA;1\n\x1a", FileFormat(), [["A", "1"]]),
    ],
)  # fmt: skip
def test_layouts_are_found_or_declared(text, file, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reading = read_text(text.encode(), file)
    assert reading.frame.to_numpy().tolist() == rows
    assert not reading.findings.select("error", "warning")


def test_fixed_widths_are_cut_at_their_places():
    text = "id   office value\nA1   CI01      12\nA2              9\nA3   CI\n"
    file = FileFormat(widths=(5, 7, 5))
    with pytest.raises(TableError, match="fewer than 3 fields: 1, line 4"):
        read_table(io.StringIO(text), file=file)
    frame = read_table(io.StringIO(text.removesuffix("A3   CI\n")), file=file)
    assert frame.drop(columns="source_row").to_numpy().tolist() == [
        ["A1", "CI01", "12"],
        ["A2", "", "9"],
    ]


def test_plain_and_other_lines_keep_their_order():
    n = 3000
    rows = [[f"K{k}", f'q "{k}"' if k % 2 else "plain", f"{k}"] for k in range(n)]
    stream = io.StringIO()
    csv.writer(stream, delimiter=";", lineterminator="\n").writerows(
        [["id", "text", "n"], *rows]
    )
    # A blank before a quote: no plain line, read one by one.
    text = stream.getvalue().replace(';"q ""7"""', '; "q ""7"""')
    reading = read_text(text.encode(), FileFormat())
    assert reading.frame.to_numpy().tolist() == rows
    assert reading.lines.tolist() == list(range(2, n + 2))
