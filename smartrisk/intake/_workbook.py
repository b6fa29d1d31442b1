"""Workbooks (.xlsx): the sheet with a table, its header, typed cells."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import MissingExtraError, TableError, format_values
from smartrisk.intake._findings import FindingList
from smartrisk.intake._layout import find_header
from smartrisk.intake._reading import Reading, complete, make_evidence, name_columns
from smartrisk.intake._records import Record
from smartrisk.intake._totals import is_strict_total, is_total, stated_count
from smartrisk.intake._typed import make_column
from smartrisk.schema import FileFormat

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
#: Rows at the end among which printed totals are looked for.
_TAIL = 50
#: Records that are looked at for the header.
_SAMPLE = 300
#: From here on a float does not hold every whole number.
_EXACT = 2**53
_DATE_TEXT = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*")


def read_workbook(content: bytes, file: FileFormat) -> Reading:
    """Return the table of a workbook.

    Parameters
    ----------
    content : bytes
        The .xlsx file.
    file : FileFormat
        What is declared of it.

    Returns
    -------
    reading : Reading
        Columns of numbers and dates keep their types; `lines` are rows of the sheet.

    Raises
    ------
    MissingExtraError
        If openpyxl is not installed.
    TableError
        If the workbook is damaged, or sheet or header are not certain.
    """
    findings = FindingList()
    book = _open_book(content, values=True)
    sheet, reason = _choose_sheet(book, file, findings)
    grid = _read_grid(sheet, findings)
    _check_formulas(content, sheet.title, grid, findings)
    header, used = _find_names(grid, file, findings)
    names = tuple(used.values())
    first = (header or file.skip_rows) + 1
    last = len(grid) - file.footer_rows
    kept, accounts = _sort_rows(grid, names, list(used), (first, last), findings)
    accounts = {
        "title": first - 1 - bool(header),
        "header": int(bool(header)),
        **accounts,
        "footer": accounts["footer"] + file.footer_rows,
    }
    titles = [k for k in range(1, first) if k != header]
    findings.add("title", "note", titles)
    columns = {
        name: _typed_column([grid[k - 1][j] for k in kept], name, findings)
        for j, name in used.items()
    }
    evidence = [
        make_evidence(file, "sheet", sheet.title, reason),
        make_evidence(file, "header_row", header, "the first full row of names"),
    ]
    return Reading(
        frame=pd.DataFrame(columns, index=pd.RangeIndex(len(kept))),
        lines=np.array(kept, np.int64),
        kind="xlsx",
        findings=findings,
        format=complete(file, evidence),
        evidence=evidence,
        accounts=accounts,
    )


def _open_book(content: bytes, *, values: bool) -> Any:
    """Return a workbook, with the results of formulas or with the formulas."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingExtraError("openpyxl", extra="xlsx") from error
    try:
        return load_workbook(io.BytesIO(content), data_only=values)
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise TableError(
            "intake.damaged_workbook",
            "the workbook is damaged: {problem}. Open it in a spreadsheet and save it "
            "again.",
            problem=f"{type(error).__name__}: {error}"[:200],
        ) from error


def _choose_sheet(
    book: Any, file: FileFormat, findings: FindingList
) -> tuple[Any, str]:
    """Return the sheet that is declared, or the only one that holds a table."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if file.sheet is not None:
        if file.sheet not in sheets:
            raise TableError(
                "intake.no_such_sheet",
                "the workbook has no sheet {sheet!r}; it has {sheets}.",
                sheet=file.sheet,
                sheets=format_values(sheets, 20),
            )
        return sheets[file.sheet], "declared"
    full = [s for s in sheets.values() if s.max_row > 1 and s.max_column > 1]
    full = full or [s for s in sheets.values() if s.max_row > 1]
    if not full:
        raise TableError(
            "intake.empty_workbook", "the workbook has no sheet with a table."
        )
    shown = [s for s in full if s.sheet_state == "visible"] or full
    if len(shown) > 1:
        sizes = [f"{s.title!r} ({s.max_row:,} × {s.max_column})" for s in shown]
        raise TableError(
            "intake.sheet_needed",
            "the workbook has {n_sheets} sheets that may hold the table: {sheets}. "
            'Declare sheet = "..." in [file].',
            n_sheets=len(shown),
            sheets=", ".join(sizes[:20]),
        )
    others = [title for title, sheet in sheets.items() if sheet is not shown[0]]
    findings.add("other sheets", "note", (), others)
    return shown[0], "the only sheet with a table"


def _read_grid(sheet: Any, findings: FindingList) -> list[list[Any]]:
    """Return the cells of a sheet, those of merged cells filled, escapes removed."""
    grid = [list(row) for row in sheet.iter_rows(min_row=1, values_only=True)]
    while grid and all(value is None for value in grid[-1]):
        grid.pop()
    escaped: list[int] = []
    merged: list[int] = []
    for k, row in enumerate(grid, 1):
        for j, value in enumerate(row):
            if isinstance(value, str) and "_x" in value:
                row[j] = _unescape(value)
                if row[j] != value and (not escaped or escaped[-1] != k):
                    escaped.append(k)
    for area in sheet.merged_cells.ranges:
        merged += _fill_down(grid, area)
    findings.add("escaped characters", "repaired", escaped)
    findings.add("merged cells", "repaired", sorted(set(merged)))
    return grid


def _unescape(text: str) -> str | None:
    """Return a text without the escapes of control characters; None for NUL only."""

    def sign(found: re.Match[str]) -> str:
        code = int(found[1], 16)
        return "" if code == 0 else chr(code)

    plain = _ESCAPED.sub(sign, text)
    return plain or None


def _fill_down(grid: list[list[Any]], area: Any) -> Iterator[int]:
    """Give every row that a merged cell covers its value; yield these rows.

    Columns beside the first stay empty: a title over several columns is no value of
    each of them.
    """
    if area.min_row > len(grid):
        return
    column = area.min_col - 1
    value = grid[area.min_row - 1][column]
    for k in range(area.min_row, min(area.max_row, len(grid))):
        grid[k][column] = value
        yield k + 1


def _check_formulas(
    content: bytes, title: str, grid: list[list[Any]], findings: FindingList
) -> None:
    """Report cells whose formula has no stored result: they would read as empty."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        if not any(re.search(rb"<(?:\w+:)?f[ >/]", archive.read(n)) for n in sheets):
            return
    formulas = _open_book(content, values=False)[title]
    bad, texts = [], []
    for k, row in enumerate(formulas.iter_rows(max_row=len(grid)), 1):
        for j, cell in enumerate(row):
            if cell.data_type == "f" and grid[k - 1][j] is None:
                bad.append(k)
                texts.append(f"{cell.coordinate}: {cell.value}")
                break
    findings.add("formula without value", "error", bad, texts)


def _as_texts(row: Sequence[Any]) -> tuple[str, ...]:
    """Return the cells of a row as texts, to look for names and totals."""
    return tuple("" if value is None else str(value) for value in row)


def _find_names(
    grid: list[list[Any]], file: FileFormat, findings: FindingList
) -> tuple[int, dict[int, str]]:
    """Return the row of the header, from 1 (0 for none), and names by column.

    Columns without a name and without values, such as a margin, are left out.
    """
    width = max(map(len, grid), default=0)
    if file.header_row and file.header_row > len(grid):
        raise TableError(
            "intake.no_such_row",
            "header_row is {header_row}, and the sheet has {n_rows} rows.",
            header_row=file.header_row,
            n_rows=len(grid),
        )
    if file.header_row is not None:
        row = file.header_row
    elif file.names:
        row = 0
    else:
        row = _find_row(grid, file.skip_rows)
    below = grid[row or file.skip_rows :]
    filled = [any(cells[j] is not None for cells in below) for j in range(width)]
    if file.names:
        _check_names(file.names, filled)
        return row, dict(enumerate(file.names))
    if not row:
        return 0, {j: f"column_{j + 1}" for j in range(width) if filled[j]}
    written = _as_texts(grid[row - 1])
    used = [j for j in range(width) if written[j].strip() or filled[j]]
    names = name_columns([written[j] for j in used], findings, f"row {row}", used)
    return row, dict(zip(used, names, strict=True))


def _find_row(grid: list[list[Any]], skip: int) -> int:
    """Return the row of the header, from 1."""
    records = [
        Record(_as_texts(row), k, k, 0)
        for k, row in enumerate(grid[:_SAMPLE], 1)
        if k > skip and any(value is not None for value in row)
    ]
    typed = {
        k
        for k, row in enumerate(grid[:_SAMPLE], 1)
        if any(isinstance(v, (dt.datetime, dt.date)) for v in row)
    }
    widths = sorted(sum(bool(f.strip()) for f in r.fields) for r in records)
    # Titles above are short: what three in four rows have at most is the table.
    usual = widths[len(widths) * 3 // 4] if widths else 0
    place = find_header(records, usual)
    if place is None or records[place].line in typed:
        line = records[0].line if records else 1
        text = records[0].text[:120] if records else ""
        raise TableError(
            "intake.header_row_not_found",
            "no header was found: row {line} ({text!r}) holds numbers or dates, not "
            "names. Declare names = [...] in [file] when there is no header, or "
            "header_row when it is another row.",
            line=line,
            text=text,
        )
    return records[place].line


def _check_names(names: Sequence[str], filled: Sequence[bool]) -> None:
    """Raise where rows have values beyond the declared names."""
    used = max((j for j, is_filled in enumerate(filled, 1) if is_filled), default=0)
    if used != len(names):
        raise TableError(
            "intake.names_and_columns_differ",
            "[file] has {n_names} names, and the sheet has values in {n_columns} "
            "columns. Declare a name for each.",
            n_names=len(names),
            n_columns=used,
        )


def _sort_rows(
    grid: list[list[Any]],
    names: Sequence[str],
    used: Sequence[int],
    span: tuple[int, int],
    findings: FindingList,
) -> tuple[list[int], dict[str, int]]:
    """Return the rows that are records, and the number of the others by kind."""
    kept: list[int] = []
    empty: list[int] = []
    repeated: list[int] = []
    wanted = list(names)
    for k in range(span[0], span[1] + 1):
        cells = _as_texts([grid[k - 1][j] for j in used])
        texts = [" ".join(text.split()) for text in cells]
        if not any(texts):
            empty.append(k)
        elif texts == wanted:
            repeated.append(k)
        else:
            kept.append(k)
    totals = _find_totals(grid, kept)
    bad = {int(k) for f in findings.select("error") for k in f.lines} & set(kept)
    kept = [k for k in kept if k not in set(totals) and k not in bad]
    findings.add("empty lines", "note", empty)
    findings.add("repeated header", "warning", repeated)
    texts = [" | ".join(filter(None, _as_texts(grid[k - 1]))) for k in totals]
    findings.add("printed total", "warning", totals, texts)
    for k in totals:
        stated = stated_count(_as_texts(grid[k - 1]))
        if stated is not None and stated != len(kept):
            name = "row count differs"
            findings.add(name, "warning", [k], [str(stated)], width=len(kept))
    return kept, {
        "rows": len(kept),
        "empty": len(empty),
        "repeated header": len(repeated),
        "footer": len(totals),
        "set aside": len(bad),
    }


def _find_totals(grid: list[list[Any]], kept: list[int]) -> list[int]:
    """Return the rows that are printed totals."""
    totals = []
    for k in reversed(kept[-_TAIL:]):
        if not is_total(_as_texts(grid[k - 1]), len(grid[k - 1])):
            break
        totals.append(k)
    done = set(totals)
    for k in kept:
        first = grid[k - 1][0]
        if k not in done and isinstance(first, str) and is_strict_total(first):
            totals.append(k)
    return sorted(totals)


def _typed_column(values: list[Any], name: str, findings: FindingList) -> pd.Series:
    """Return a column; dates beside texts are written as texts, and reported."""
    has_dates = any(isinstance(v, (dt.datetime, dt.date)) for v in values)
    texts = [v for v in values if isinstance(v, str) and v.strip()]
    if has_dates and texts:
        if any(_DATE_TEXT.fullmatch(text) for text in texts):
            findings.add("dates beside texts", "warning", (), [name])
        values = [
            v.isoformat(sep=" ") if isinstance(v, dt.datetime) else v for v in values
        ]
    if texts and any(type(v) is float and abs(v) >= _EXACT for v in values):
        # Written as a float is, so that an identifier is refused where it was rounded.
        values = [repr(v) if type(v) is float else v for v in values]
    return make_column(values)
