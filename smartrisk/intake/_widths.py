"""Texts of fixed widths: each field at its own place in the line."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import numpy as np
import pyarrow as pa

from smartrisk.errors import TableError
from smartrisk.intake._assembly import make_table
from smartrisk.intake._bulk import Rows
from smartrisk.intake._encoding import decode_text
from smartrisk.intake._findings import FindingList
from smartrisk.intake._layout import Header, is_value
from smartrisk.intake._reading import (
    Reading,
    complete,
    make_evidence,
    name_columns,
    texts_to_pandas,
)
from smartrisk.intake._records import Lines, Record
from smartrisk.schema import FileFormat

#: Lines that are looked at for a header.
_SAMPLE = 100


def read_widths(content: bytes, file: FileFormat) -> Reading:
    """Return the table of a text whose fields have fixed widths.

    Parameters
    ----------
    content : bytes
        The text in any encoding.
    file : FileFormat
        What is declared of it; `widths` at least.

    Returns
    -------
    reading : Reading
        Every cell as text, without the blanks that fill its width.

    Raises
    ------
    TableError
        If the encoding or the header is not certain.
    """
    findings = FindingList()
    decoded = decode_text(content, file.encoding)
    data = decoded.data.replace(b"\0", b" ")
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    lines = Lines(data)
    texts = [lines.text(k) for k in range(1, len(lines) + 1)]
    header = _find_header(texts, file)
    last = max(len(lines) - file.footer_rows, header.first - 1)
    rows = _sort_lines(texts[header.first - 1 : last], header, file, lines)
    for line in decoded.bad_lines:
        record = Record((texts[line - 1],), line, line, 0)
        rows.bad.append((record, "undecodable bytes"))
    table = make_table(lines, header, rows, last, findings)
    names = name_columns(header.names, findings, f"line {header.line}")
    evidence = [
        make_evidence(file, "encoding", decoded.encoding, decoded.evidence),
        make_evidence(file, "widths", file.widths),
        make_evidence(file, "header_row", header.line, header.evidence),
    ]
    return Reading(
        frame=texts_to_pandas(dict(zip(names, table.columns.columns, strict=True))),
        lines=table.lines,
        kind="fixed width",
        findings=findings,
        format=complete(file, evidence),
        evidence=evidence,
        accounts=table.accounts,
    )


def _cut(text: str, file: FileFormat) -> tuple[str, ...]:
    """Return the fields of a line."""
    ends = list(accumulate(file.widths))
    starts = [0, *ends[:-1]]
    return tuple(text[a:b].strip() for a, b in zip(starts, ends, strict=True))


def _find_header(texts: list[str], file: FileFormat) -> Header:
    """Return the header: declared, or the first line whose fields are all names."""
    width = len(file.widths)
    first = 1 + file.skip_rows
    if file.header_row:
        names = tuple(file.names) or _cut(texts[file.header_row - 1], file)
        line = file.header_row
        return Header(names, line, line, line + 1, width, "declared")
    if file.header_row == 0 or file.names:
        names = tuple(file.names) or tuple(f"column_{k}" for k in range(1, width + 1))
        return Header(names, 0, 0, first, width, "declared")
    for line in range(first, min(first + _SAMPLE, len(texts) + 1)):
        fields = _cut(texts[line - 1], file)
        if any(map(is_value, fields)):
            break
        if all(fields):
            why = "the first full line of names"
            return Header(fields, line, line, line + 1, width, why)
    raise TableError(
        "intake.header_not_found_in_widths",
        "no header was found: cut at the declared widths, no line has a name in every "
        "field. Declare names = [...] in [file] when there is no header, or correct "
        "widths, which add up to {total} characters.",
        total=sum(file.widths),
    )


def _sort_lines(
    texts: list[str], header: Header, file: FileFormat, lines: Lines
) -> Rows:
    """Return lines by what they are: rows have the full width, or lost blanks only."""
    rows = Rows(header.width)
    total = sum(file.widths)
    sizes = Counter(len(text) for text in texts if text.strip())
    # Where some program cut the blanks at the ends, the sizes of lines differ; then a
    # line must at least reach into its last field.
    is_trimmed = not any(text.endswith(" ") for text in texts) and len(sizes) > 1
    least = total if not is_trimmed else total - file.widths[-1] + 1
    fields, numbers = [], []
    for line, text in enumerate(texts, header.first):
        record = Record((text,), line, line, int(lines.bounds[line]))
        if not text.strip():
            rows.empty.append(record)
        elif len(text.rstrip()) > total:
            rows.bad.append((record, "long record"))
        elif len(text) < least:
            rows.bad.append((record, "short record"))
        else:
            fields.append(_cut(text, file))
            numbers.append(line)
    names = [str(k) for k in range(header.width)]
    columns = list(zip(*fields, strict=True)) or [()] * header.width
    arrays = [pa.array(column, pa.large_string()) for column in columns]
    rows.tables.append(pa.table(arrays, names))
    rows.numbers.append(np.array(numbers, np.int64))
    return rows
