"""Texts with separators: every line is part of a row, or is accounted for otherwise."""

from __future__ import annotations

from smartrisk.errors import TableError
from smartrisk.intake._assembly import make_table
from smartrisk.intake._bulk import read_rows
from smartrisk.intake._encoding import decode_text
from smartrisk.intake._findings import FindingList
from smartrisk.intake._layout import (
    Header,
    ask_for_header,
    check_divided,
    find_header,
    find_quote,
    find_sep_line,
    find_separator,
    read_sample,
    usual_width,
)
from smartrisk.intake._nul import remove_nul
from smartrisk.intake._reading import (
    Evidence,
    Reading,
    complete,
    make_evidence,
    name_columns,
    texts_to_pandas,
)
from smartrisk.intake._records import Dialect, Lines, Record, parse_record
from smartrisk.schema import FileFormat

#: End of a text in files of DOS.
_END_OF_FILE = b"\x1a"
#: Stands for a separator beyond ASCII while the text is read.
_UNIT = b"\x1f"
#: Share of the records that end in a separator where one means nothing.
_NEARLY_ALL = 0.9
#: Characters of a line that a message repeats.
_MOST_TEXT = 100


def read_text(content: bytes, file: FileFormat) -> Reading:
    """Return the table of a text with separators.

    Parameters
    ----------
    content : bytes
        The text in any encoding.
    file : FileFormat
        What is declared of it.

    Returns
    -------
    reading : Reading
        Every cell as text.

    Raises
    ------
    TableError
        If encoding, separator or header are not certain, or the names do not fit.
    """
    findings = FindingList()
    decoded = decode_text(content, file.encoding)
    bad_lines = dict.fromkeys(decoded.bad_lines, "undecodable bytes")
    lines, separator = _prepare(decoded.data, file, findings, bad_lines)
    dialect, evidence, first = _find_dialect(lines, file, separator)
    header = _find_table(lines, dialect, file, first)
    check_divided(header.names, dialect.separator.decode(), header.line)
    last = max(len(lines) - file.footer_rows, header.first - 1)
    rows = read_rows(lines, dialect, header.width, (header.first, last), bad_lines)
    table = make_table(lines, header, rows, last, findings)
    where = f"line {header.line}" if header.line else "the list of names"
    names = name_columns(header.names, findings, where)
    frame = texts_to_pandas(dict(zip(names, table.columns.columns, strict=True)))
    evidence = [
        make_evidence(file, "encoding", decoded.encoding, decoded.evidence),
        *evidence,
        make_evidence(file, "header_row", header.line, header.evidence),
    ]
    return Reading(
        frame=frame,
        lines=table.lines,
        kind="csv",
        findings=findings,
        format=complete(file, evidence),
        evidence=evidence,
        accounts=table.accounts,
    )


def _prepare(
    data: bytes, file: FileFormat, findings: FindingList, bad_lines: dict[int, str]
) -> tuple[Lines, str | None]:
    """Return the lines, with line feeds, and a separator of one byte."""
    data = data.rstrip(_END_OF_FILE) if data.endswith(_END_OF_FILE) else data
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    separator = file.separator
    if separator is not None and not separator.isascii():
        if _UNIT in data:
            raise TableError(
                "intake.separator_taken",
                "the text holds the control character that would stand for the "
                "separator {separator!r}. Export it with another separator.",
                separator=separator,
            )
        data = data.replace(separator.encode(), _UNIT)
        separator = _UNIT.decode()
    if b"\0" in data:
        known = (separator or ",;\t|").encode() + b"\"'\n\r"
        data, padded, inside = remove_nul(data, known)
        findings.add("NUL bytes", "repaired", padded)
        bad_lines.update({int(line): "NUL in a value" for line in inside})
    if (not data or data.isspace()) and not bad_lines:
        raise TableError(
            "intake.empty_file",
            "the file is empty. Export it again; an export without rows has a header.",
        )
    return Lines(data), separator


def _find_dialect(
    lines: Lines, file: FileFormat, separator: str | None
) -> tuple[Dialect, list[Evidence], int]:
    """Return separator and quote, the evidence, and the first line of the text."""
    first = 1 + file.skip_rows
    if max(file.header_row or 0, first) > len(lines):
        raise TableError(
            "intake.no_such_line",
            "header_row or skip_rows in [file] is beyond the end: the file has "
            "{n_lines} lines. Lines count from 1.",
            n_lines=len(lines),
        )
    reason = ""
    named = find_sep_line(lines)
    if named is not None and not file.skip_rows:
        first = 2
    if separator is None and named is not None:
        separator, reason = named, "the first line names it"
    quote = None if file.quote is None else file.quote.encode()
    if separator is None:
        start = file.header_row or first
        separator, reason = find_separator(
            lines, start, b'"' if quote is None else quote
        )
    shown = file.separator or separator
    evidence = [make_evidence(file, "separator", shown, reason)]
    if quote is None:
        sample = read_sample(lines, first, Dialect(separator.encode(), b""))
        quote = find_quote(sample)
    evidence.append(make_evidence(file, "quote", quote.decode()))
    return Dialect(separator.encode(), quote), evidence, first


def _find_table(lines: Lines, dialect: Dialect, file: FileFormat, first: int) -> Header:
    """Return header, first record and number of fields."""
    if file.header_row:
        record = parse_record(lines, file.header_row, dialect)
        sample = read_sample(lines, record.last + 1, dialect)
        return _fit_header(record, sample, file, "declared")
    sample = read_sample(lines, first, dialect)
    if file.header_row == 0 or file.names:
        width = len(file.names) or usual_width(sample)
        usual = usual_width(sample)
        if usual == width + 1 and _all_end_empty(sample, usual):
            width = usual
        names = tuple(file.names) or tuple(f"column_{k}" for k in range(1, width + 1))
        _check_width(len(names), width, usual, sample, "names in [file]")
        return Header(names, 0, 0, first, width, "declared")
    width = usual_width(sample, least=2) or 1
    place = find_header(sample, width)
    if place is None:
        full = [r for r in sample if len(r.fields) >= width]
        raise ask_for_header(lines, full[0] if full else None)
    record = sample[place]
    return _fit_header(
        record, sample[place + 1 :], file, "the first full line of names"
    )


def _fit_header(
    record: Record, sample: list[Record], file: FileFormat, evidence: str
) -> Header:
    """Return the header with the number of fields that records have."""
    written = tuple(file.names) or record.fields
    if not written[-1].strip() and len(written) > 1:
        # The header ends in a separator: its last field has no name.
        shorter = usual_width(sample) == len(written) - 1
        if shorter or _all_end_empty(sample, len(written)):
            written = written[:-1]
    width, usual = len(written), usual_width(sample)
    if usual == width + 1 and _all_end_empty(sample, usual):
        width = usual
    _check_width(len(written), width, usual, sample, f"the header (line {record.line})")
    return Header(written, record.line, record.last, record.last + 1, width, evidence)


def _all_end_empty(sample: list[Record], width: int) -> bool:
    """Return whether the records of a width end in an empty field, nearly all."""
    wide = [r for r in sample if len(r.fields) == width]
    n_empty = sum(not r.fields[-1].strip() for r in wide)
    return bool(wide) and n_empty >= _NEARLY_ALL * len(wide)


def _check_width(
    n_names: int, width: int, usual: int, sample: list[Record], where: str
) -> None:
    """Raise where most records have another number of fields than there are names."""
    if not sample or usual == width:
        return
    n_usual = sum(len(r.fields) == usual for r in sample)
    if n_usual * 2 <= len(sample) or any(len(r.fields) == width for r in sample):
        return
    first = next(r for r in sample if len(r.fields) == usual)
    raise TableError(
        "intake.names_and_fields_differ",
        "{where} has {n_names} names, and the records have {n_fields} fields, such as "
        "line {line}: {text!r}. No column is shifted to make them fit: correct the "
        "header, or declare names = [...] in [file], one for each field.",
        where=where,
        n_names=n_names,
        n_fields=usual,
        line=first.line,
        text=first.text[:_MOST_TEXT],
    )
