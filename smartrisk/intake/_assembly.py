"""The rows of a text become a table; every line is accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import SupportsIndex

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from smartrisk.intake._bulk import Rows
from smartrisk.intake._findings import FindingList, Severity
from smartrisk.intake._layout import Header
from smartrisk.intake._records import Lines, Record
from smartrisk.intake._totals import is_ruler, is_strict_total, is_total, stated_count

#: Lines at the end among which printed totals are looked for.
_TAIL = 50
#: Characters of a code whose last one may be cut, such as a country or a currency.
_CODE_SIZES = (2, 3)
#: Answers of two letters are not a cut code of three.
_ANSWERS = frozenset({"NO", "SI", "ON", "OK", "NA"})
#: Other texts of one size: a shorter last one is no accident in that many rows.
_SAME_ROWS, _SAME_SIZE = 20, 6
#: Blocks in which files are written: a file that ends with one, within a line, is cut.
_DISK_BLOCK = 512
#: Signs that UTF-8 texts have where a code page was misread before.
_MISREAD = re.compile(
    rb"(?:\xc2[\xa1-\xa5\xa7]|\xe2\x80[\x9a\xa0\xa1\xb0]|\xc6\x92|\xc5\xa0)(?=[A-Za-z])"
    rb"|\xef\xbf\xbd|\xc3\x83[\xc2\xc5\xe2\xc6]|\xc3\xa2\xe2\x82\xac"
)
_MOST_MISREAD = 10_000
#: Bytes that are looked at once; the first byte of a letter beyond ASCII.
_BLOCK, _LEAD = 1 << 16, 0xC2


@dataclass
class Table:
    """The rows of a text in order.

    Parameters
    ----------
    columns : pyarrow.Table
        One column of texts per field.
    lines : ndarray of int, shape (n_rows,)
        First line of each row.
    accounts : dict of str to int
        Lines by what they are.
    """

    columns: pa.Table
    lines: NDArray[np.int64]
    accounts: dict[str, int]


def make_table(
    lines: Lines, header: Header, rows: Rows, last: int, findings: FindingList
) -> Table:
    """Return the rows of a text, without lines that are no records.

    Parameters
    ----------
    lines : Lines
        The text.
    header : Header
        Names and first record.
    rows : Rows
        Records by what they are.
    last : int
        Last line that was read.
    findings : FindingList
        Receives what is wrong, repaired or left out.

    Returns
    -------
    table : Table
        The lines of its accounts add up to the number of lines.
    """
    columns, numbers = rows.merge()
    names = header.names
    if header.width > len(names):
        columns, numbers = _drop_last_field(columns, numbers, rows, findings)
    columns, numbers, repeated = _drop_header_lines(columns, numbers, rows, names)
    columns, numbers, totals = _drop_totals(columns, numbers, rows, header)
    if last == len(lines) and not lines.has_last_end:
        columns, numbers = _check_last_line(lines, columns, numbers, rows, findings)
    _report(rows, repeated, totals, len(numbers), header, findings)
    _find_misread(lines, findings)
    kept = set(numbers.tolist()) if rows.hard else set()
    spans = {r.line: r.last - r.line for r in rows.hard if r.line in kept}
    accounts = {
        "title": 0,
        "header": header.last - header.line + 1 if header.line else 0,
        "rows": len(numbers) + sum(spans.values()),
        "empty": _count(rows.empty),
        "repeated header": len(repeated),
        "footer": _count(totals) + len(lines) - last,
        "set aside": _count(record for record, _ in rows.bad),
    }
    accounts["title"] = header.first - 1 - accounts["header"]
    return Table(columns, numbers, accounts)


def _count(records: Iterable[Record]) -> int:
    """Return the number of lines of records."""
    return sum(record.last - record.line + 1 for record in records)


def _drop_last_field(
    columns: pa.Table, numbers: NDArray[np.int64], rows: Rows, findings: FindingList
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Leave out the empty field after the last separator; refuse rows that fill it."""
    last = columns.column(columns.num_columns - 1)
    is_filled = pc.not_equal(pc.utf8_trim_whitespace(last), "").to_numpy()
    for k in np.flatnonzero(is_filled):
        rows.bad.append((_row(columns, numbers, k), "long record"))
    kept = columns.select(range(columns.num_columns - 1))
    findings.add("trailing separator", "repaired", numbers[~is_filled])
    return _keep(kept, numbers, ~is_filled)


def _row(columns: pa.Table, numbers: NDArray[np.int64], k: SupportsIndex) -> Record:
    """Return a row as a record of one line."""
    place = int(k)
    fields = tuple(str(column[place]) for column in columns.columns)
    line = int(numbers[place])
    return Record(fields, line, line, 0)


def _keep(
    columns: pa.Table, numbers: NDArray[np.int64], is_kept: NDArray[np.bool_]
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return some of the rows."""
    if is_kept.all():
        return columns, numbers
    return columns.filter(pa.array(is_kept)), numbers[is_kept]


def _drop_header_lines(
    columns: pa.Table,
    numbers: NDArray[np.int64],
    rows: Rows,
    names: tuple[str, ...],
) -> tuple[pa.Table, NDArray[np.int64], list[int]]:
    """Leave out lines that repeat the header."""
    wanted = list(map(_plain, names))
    repeated = []
    for record, problem in list(rows.bad):
        if [f for f in map(_plain, record.fields) if f] == [w for w in wanted if w]:
            rows.bad.remove((record, problem))
            repeated.append(record.line)
    is_kept = np.ones(len(numbers), bool)
    first = pc.utf8_trim(columns.column(0), " \t\ufeff")
    for k in np.flatnonzero(pc.equal(first, wanted[0]).to_numpy()):
        record = _row(columns, numbers, k)
        if list(map(_plain, record.fields)) == wanted:
            is_kept[k] = False
            repeated.append(record.line)
    return (*_keep(columns, numbers, is_kept), sorted(repeated))


def _plain(name: str) -> str:
    """Return a name without blanks, and without the mark of a second text."""
    return name.strip(" \t\ufeff")


def _drop_totals(
    columns: pa.Table, numbers: NDArray[np.int64], rows: Rows, header: Header
) -> tuple[pa.Table, NDArray[np.int64], list[Record]]:
    """Leave out printed totals: at the end, and where a row begins with the word."""
    n, width = len(numbers), header.width
    totals: list[Record] = []
    is_kept = np.ones(n, bool)
    tail = {int(numbers[k]): k for k in range(max(n - _TAIL, 0), n)}
    candidates: dict[int, tuple[Record, int | None]] = {
        line: (_row(columns, numbers, k), k) for line, k in tail.items()
    }
    oldest = min(candidates, default=0)
    for record, _ in rows.bad[-_TAIL:]:
        if record.line >= oldest:
            candidates[record.line] = (record, None)
    for line in sorted(candidates, reverse=True):
        record, place = candidates[line]
        if not is_total(record.fields, width):
            break
        totals.append(record)
        if place is not None:
            is_kept[place] = False
    _drop_bad(rows, totals)
    words = pc.match_substring_regex(columns.column(0), "(?i)tota|[-=_*+]{2}")
    for k in np.flatnonzero(words.to_numpy() & is_kept):
        record = _row(columns, numbers, k)
        if is_strict_total(record.fields[0]) or is_ruler(record.fields):
            totals.append(record)
            is_kept[k] = False
    return (*_keep(columns, numbers, is_kept), sorted(totals, key=lambda r: r.line))


def _drop_bad(rows: Rows, totals: list[Record]) -> None:
    """Take totals out of the records that are no rows."""
    lines = {record.line for record in totals}
    rows.bad = [pair for pair in rows.bad if pair[0].line not in lines]


def _check_last_line(
    lines: Lines,
    columns: pa.Table,
    numbers: NDArray[np.int64],
    rows: Rows,
    findings: FindingList,
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Report a last line without its end; set its row aside where its text is cut."""
    n = len(numbers)
    if n >= 2 and numbers[-1] == len(lines):
        values = columns.column(columns.num_columns - 1)
        if is_cut(str(values[-1]), values.slice(0, n - 1)):
            rows.bad.append((_row(columns, numbers, n - 1), "cut last line"))
            return columns.slice(0, n - 1), numbers[:-1]
    fills_block = len(lines.data) % _DISK_BLOCK == 0
    severity: Severity = "warning" if fills_block else "note"
    findings.add("no line end", severity, [len(lines)], [lines.text(len(lines))])
    return columns, numbers


def is_cut(text: str, others: pa.ChunkedArray) -> bool:
    """Return whether a text is shorter than all others, which have one size."""
    sizes = pc.min_max(pc.utf8_length(others))
    size = sizes["max"].as_py()
    if size != sizes["min"].as_py() or not 0 < len(text) < size:
        return False
    if len(others) >= _SAME_ROWS and size >= _SAME_SIZE:
        return True
    is_code = size in _CODE_SIZES and pc.all(pc.utf8_is_upper(others)).as_py()
    is_letters = pc.all(pc.utf8_is_alpha(others)).as_py()
    return bool(is_code and is_letters and text not in _ANSWERS)


def _report(
    rows: Rows,
    repeated: list[int],
    totals: list[Record],
    n_rows: int,
    header: Header,
    findings: FindingList,
) -> None:
    """Add the records that are no rows to the findings, by what they are."""
    by_kind: dict[str, list[Record]] = {}
    for record, kind in sorted(rows.bad, key=lambda pair: pair[0].line):
        by_kind.setdefault(kind, []).append(record)
    for kind, records in by_kind.items():
        counts = kind in ("short record", "long record")
        texts = [
            f"{len(r.fields)} fields: {r.text}" if counts else r.text for r in records
        ]
        lines = [record.line for record in records]
        findings.add(kind, "error", lines, texts, width=header.width)
    findings.add("repeated header", "warning", repeated)
    findings.add(
        "printed total", "warning", [r.line for r in totals], [r.text for r in totals]
    )
    for record in totals:
        stated = stated_count(record.fields)
        if stated is not None and stated != n_rows:
            findings.add(
                "row count differs",
                "warning",
                [record.line],
                [str(stated)],
                width=n_rows,
            )
    findings.add("empty lines", "note", [record.line for record in rows.empty])
    several = [record.line for record in rows.hard if record.last > record.line]
    findings.add("line breaks", "note", several)
    lines = [record.line for record in rows.doubtful]
    texts = [record.text for record in rows.doubtful]
    findings.add("lines within quotes", "warning", lines, texts)
    titles = [k for k in range(1, header.first) if not header.line <= k <= header.last]
    findings.add("title", "note", titles)


def _find_misread(lines: Lines, findings: FindingList) -> None:
    """Report characters of a code page that was misread before the file was written."""
    found: dict[int, str] = {}
    for place in _beyond_ascii(lines):
        if _MISREAD.match(lines.data, place):
            before = lines.data[place - 1 : place]
            line = lines.line_at(place)
            if line not in found and (before.isalpha() or before >= b"\x80"):
                text = lines.data[max(place - 20, 0) : place + 20]
                found[line] = text.decode("utf-8", errors="ignore")
    findings.add("misread characters", "warning", list(found), list(found.values()))


def _beyond_ascii(lines: Lines) -> Iterator[int]:
    """Yield the places of the first letters beyond ASCII."""
    n = 0
    for start in range(0, len(lines.data), _BLOCK):
        if lines.data[start : start + _BLOCK].isascii():
            continue
        for place in np.flatnonzero(lines.bytes[start : start + _BLOCK] >= _LEAD):
            yield int(place) + start
            n += 1
            if n >= _MOST_MISREAD:
                return
