"""Records of a text in bulk: plain lines through Arrow, the others one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from smartrisk.intake._records import (
    Dialect,
    Lines,
    Record,
    give_up,
    mark_plain,
    parse_record,
    swallows,
)

#: Lines that are read at once; with 200 bytes a line, 20 MB.
_BLOCK_LINES = 100_000
#: Bytes that are read at once at most: Arrow counts those of a block in 32 bits.
_BLOCK_BYTES = 1 << 28
#: Rows between plain ones that are put in their place without copying the others.
_FEW = 1000


@dataclass
class Rows:
    """Records of a text by what they are.

    Parameters
    ----------
    width : int
        Fields of a row.
    tables : list of pyarrow.Table
        Plain rows, block by block.
    numbers : list of ndarray of int
        Lines of these rows, from 1.
    hard : list of Record
        Other rows.
    bad : list of tuple of Record and str
        Records that are no rows, and why.
    empty : list of Record
        Records without any value.
    doubtful : list of Record
        Rows over several lines, each of which could be a row.
    """

    width: int
    tables: list[pa.Table] = field(default_factory=list)
    numbers: list[NDArray[np.int64]] = field(default_factory=list)
    hard: list[Record] = field(default_factory=list)
    bad: list[tuple[Record, str]] = field(default_factory=list)
    empty: list[Record] = field(default_factory=list)
    doubtful: list[Record] = field(default_factory=list)

    def sort_in(self, record: Record, bad_lines: Mapping[int, str]) -> None:
        """Add a record that was read one by one to those of its kind."""
        known = [
            bad_lines[line]
            for line in range(record.line, record.last + 1)
            if line in bad_lines
        ]
        n_fields = len(record.fields)
        if known or record.problem:
            self.bad.append((record, record.problem or known[0]))
        elif record.is_empty:
            self.empty.append(record)
        elif n_fields == self.width:
            self.hard.append(record)
        else:
            kind = "short record" if n_fields < self.width else "long record"
            self.bad.append((record, kind))

    def merge(self) -> tuple[pa.Table, NDArray[np.int64]]:
        """Return all rows in the order of their lines, and the line of each."""
        names = [str(k) for k in range(self.width)]
        schema = pa.schema([(name, pa.large_string()) for name in names])
        plain = pa.concat_tables([schema.empty_table(), *self.tables])
        lines = np.concatenate([np.zeros(0, np.int64), *self.numbers])
        if not self.hard:
            return plain, lines
        columns = zip(*(record.fields for record in self.hard), strict=True)
        other = pa.table([pa.array(c, pa.large_string()) for c in columns], names)
        its_lines = np.array([record.line for record in self.hard], np.int64)
        places = np.searchsorted(lines, its_lines)
        merged = np.insert(lines, places, its_lines)
        if len(places) > _FEW:
            order = np.argsort(np.concatenate((lines, its_lines)), kind="stable")
            return pa.concat_tables([plain, other]).take(pa.array(order)), merged
        parts, start = [], 0
        for k, place in enumerate(places):
            parts += [plain.slice(start, place - start), other.slice(k, 1)]
            start = place
        return pa.concat_tables([*parts, plain.slice(start)]), merged


def read_rows(
    lines: Lines,
    dialect: Dialect,
    width: int,
    span: tuple[int, int],
    bad_lines: Mapping[int, str],
) -> Rows:
    """Return the records of some lines.

    Parameters
    ----------
    lines : Lines
        The text.
    dialect : Dialect
        Separator and quote.
    width : int
        Fields of a row.
    span : tuple of int
        First and last line, from 1.
    bad_lines : mapping of int to str
        Lines that are damaged, and how.

    Returns
    -------
    rows : Rows
        Every line of the span is part of one record.
    """
    rows = Rows(width)
    line, end = span
    while line <= end:
        most = int(lines.bounds[line - 1]) + _BLOCK_BYTES
        fits = int(np.searchsorted(lines.bounds, most, side="right")) - 1
        stop = max(line, min(line + _BLOCK_LINES - 1, fits, end))
        is_plain = mark_plain(lines, line - 1, stop, dialect, width)
        for bad in bad_lines:
            if line <= bad <= stop:
                is_plain[bad - line] = False
        after = _read_others(lines, dialect, (line, end), is_plain, rows, bad_lines)
        numbers = np.flatnonzero(is_plain) + line
        if len(numbers):
            rows.tables.append(_read_plain(lines, numbers, dialect, width))
            rows.numbers.append(numbers.astype(np.int64))
        line = max(stop + 1, after)
    _judge_doubtful(lines, dialect, rows)
    return rows


def _judge_doubtful(lines: Lines, dialect: Dialect, rows: Rows) -> None:
    """Refuse rows that may be several where the text has no other quotes."""
    if rows.doubtful and lines.data.count(dialect.quote) == 2 * len(rows.doubtful):
        rows.bad += [(record, "lines within quotes") for record in rows.doubtful]
        firsts = {record.line for record in rows.doubtful}
        rows.hard = [record for record in rows.hard if record.line not in firsts]
        rows.doubtful = []


def _read_others(
    lines: Lines,
    dialect: Dialect,
    span: tuple[int, int],
    is_plain: NDArray[np.bool_],
    rows: Rows,
    bad_lines: Mapping[int, str],
) -> int:
    """Read the lines that are not plain; return the line after the last record.

    Lines within the quotes of such a record are unmarked: they are part of it.
    """
    first, end = span
    done = first - 1
    for place in np.flatnonzero(~is_plain):
        line = int(place) + first
        if line <= done:
            continue
        record = parse_record(lines, line, dialect)
        is_wrong = record.last > end or len(record.fields) != rows.width
        if record.last > line and is_wrong:
            # A stray quote: the lines after it are records of their own.
            record = give_up(lines, line, "quote not closed")
        elif record.last > line and swallows(lines, record, dialect):
            rows.doubtful.append(record)
        rows.sort_in(record, bad_lines)
        done = record.last
        is_plain[place : done - first + 1] = False
    return done + 1


def _read_plain(
    lines: Lines, numbers: NDArray[np.int64], dialect: Dialect, width: int
) -> pa.Table:
    """Return plain lines as a table of texts, read by Arrow."""
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    firsts = numbers[np.concatenate(([0], breaks + 1))]
    lasts = numbers[np.concatenate((breaks, [len(numbers) - 1]))]
    view = memoryview(lines.data)
    parts = [
        view[lines.bounds[a - 1] : lines.bounds[b]]
        for a, b in zip(firsts, lasts, strict=True)
    ]
    content = parts[0] if len(parts) == 1 else b"".join(parts)
    names = [str(k) for k in range(width)]
    table = pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(content)),
        read_options=pa_csv.ReadOptions(
            use_threads=False, column_names=names, block_size=max(len(content), 1)
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=dialect.separator.decode(),
            quote_char=dialect.quote.decode() or False,
            double_quote=True,
            escape_char=False,
            newlines_in_values=False,
            ignore_empty_lines=False,
        ),
        convert_options=pa_csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.large_string()),
            strings_can_be_null=False,
        ),
    )
    if table.num_rows != len(numbers):
        raise AssertionError(f"{table.num_rows} rows of {len(numbers)} plain lines")
    return table
