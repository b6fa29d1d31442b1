"""Findings: what is wrong, repaired or left out in a file, with its lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message, format_values
from smartrisk.results import clean_text

#: "error" stops the reading unless lines are set aside; "repaired" and "warning" are
#: reported; "note" is part of the description of the file only.
Severity: TypeAlias = Literal["error", "repaired", "warning", "note"]

#: Lines that a message names; the table of findings has all.
_MOST_LINES = 5
#: Longest text of a line in the table of findings.
_LONGEST_TEXT = 200
#: Columns of the failures of a `TableError`, and the line.
_FAILURE_COLUMNS = (
    *("declaration_id", "item_number", "row", "field", "reason", "value"),
    *("severity", "line"),
)

#: What is wrong with lines, with the remedy: one message per kind.
_TEXTS: dict[str, str] = {
    "short record": "records with fewer than {width} fields: {n}, {lines}: {values}. "
    "The file may be cut, or a separator is missing: export it again. Lines at the "
    "end that are no records are left out with footer_rows in [file].",
    "long record": "records with more than {width} fields: {n}, {lines}: {values}. A "
    "text holds the separator without quotes around it, or a line end is missing: "
    "export it again with quoted texts.",
    "cut last line": "the last line has no line end, and its last value is shorter "
    "than all others of its column: {lines}: {values}. The file was cut: export it "
    "again.",
    "quote not closed": "records with a quote that is not closed: {n}, {lines}: "
    '{values}. Double the quotes within texts, or declare quote = "" in [file] when '
    "quotes are part of the texts.",
    "text after quote": "records with text after a closing quote: {n}, {lines}: "
    '{values}. Double the quotes within texts, or declare quote = "" in [file] when '
    "quotes are part of the texts.",
    "lines within quotes": "quoted texts over lines that are records of their own: "
    "{n}, {lines}: {values}. A quote is missing or too many: correct it.",
    "undecodable bytes": "lines with bytes that are not of the encoding: {n}, {lines}: "
    "{values}. Declare the encoding in [file], or export the file again.",
    "NUL in a value": "lines with NUL bytes within a value: {n}, {lines}: {values}. "
    "The file is damaged: export it again.",
    "formula without value": "rows with formulas whose results were not saved: {n}, "
    "{lines}: {values}. Open the workbook in a spreadsheet and save it.",
    "unknown keys": "records without fields that others have: {n}, {lines}: {values}. "
    "Give every record the same fields; None where a value is missing.",
    "trailing separator": "lines that end in a separator, which the header does not: "
    "{n}, {lines}. The empty field after it was left out; no column has moved.",
    "NUL bytes": "lines with NUL bytes for empty or padded fields: {n}, {lines}. They "
    "were removed.",
    "escaped characters": "rows with escaped control characters (_x0000_): {n}, "
    "{lines}. They were removed.",
    "merged cells": "rows that took the value of the merged cell above them: {n}, "
    "{lines}.",
    "repeated header": "lines that repeat the header: {n}, {lines}. They were left "
    "out.",
    "printed total": "printed lines that are no records (totals, counts, rulers): "
    "{n}, {lines}: {values}. They were left out.",
    "row count differs": "the file states {values} records, and {width} were read: "
    "{lines}. Rows are missing, or a filter was on: export it again.",
    "no line end": "the last line has no line end: {lines}: {values}. Check that the "
    "file is complete.",
    "misread characters": "lines with characters of a code page that was misread "
    "before (such as BRETA¤A): {n}, {lines}: {values}. Export the file again, and "
    "declare its encoding.",
    "dates beside texts": "columns with dates beside texts that look like dates: "
    "{values}. A spreadsheet has read days as months: export the column as text.",
    "similar names": "columns whose names differ only in case, blanks and signs: "
    "{values}. Name the one that is meant in the ColumnMap.",
    "unnamed columns": "columns without a name: {values}. Name them in [file] where "
    "they are needed.",
    "other kind": "the name of the file says {values[0]}, its content is {values[1]}.",
    "columns differ": "the files do not have the same columns: {values}. Rows of a "
    "file without a column have no value there.",
    "read twice": "files with content that was read before: {values}. They were left "
    "out.",
    "other sheets": "the workbook has other sheets, which were not read: {values}.",
    "title": "lines above the header that are titles: {n}, {lines}.",
    "empty lines": "empty lines: {n}, {lines}.",
    "line breaks": "records over several lines within quotes: {n}, {lines}.",
}


@dataclass(frozen=True, eq=False)
class Finding:
    """Lines of a file about which there is one thing to say.

    Parameters
    ----------
    reason : str
        One of the kinds of `_TEXTS`.
    severity : {"error", "repaired", "warning", "note"}
        How bad it is.
    lines : ndarray of int, shape (n_lines,)
        First line of each record, from 1; empty where the whole file is concerned.
    values : sequence of str
        What stands there, one text per line or for the file.
    width : int
        Number of fields that were expected.
    """

    reason: str
    severity: Severity
    lines: NDArray[np.int64]
    values: Sequence[str] = ()
    width: int = 0

    @property
    def count(self) -> int:
        """Number of lines, or of values where no lines are concerned."""
        return len(self.lines) or len(self.values)

    def message(self) -> Message:
        """Return the text with the first lines and values."""
        template = _TEXTS[self.reason]
        is_pair = "{values[0]}" in template
        return Message(
            f"intake.{self.reason.replace(' ', '_').lower()}",
            template,
            n=f"{self.count:,}",
            lines=name_lines(self.lines),
            values=tuple(self.values) if is_pair else format_values(self.values),
            width=f"{self.width:,}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return reason, severity, count and the first lines as plain values."""
        return {
            "reason": self.reason,
            "severity": self.severity,
            "count": self.count,
            "lines": [int(line) for line in self.lines[:_MOST_LINES]],
        }


def name_lines(lines: Sequence[int] | NDArray[np.int64]) -> str:
    """Return the first lines and the number of others as a text."""
    if not len(lines):
        return "the file"
    first = ", ".join(f"{int(line)}" for line in lines[:_MOST_LINES])
    more = len(lines) - _MOST_LINES
    word = "line" if len(lines) == 1 else "lines"
    return f"{word} {first}" + (f" and {more:,} more" if more > 0 else "")


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings as a table, one row per line: line, reason, severity, value."""
    parts = []
    for finding in findings:
        n = finding.count
        texts = [clean_text(str(v), _LONGEST_TEXT) for v in finding.values[:n]]
        parts.append(
            pd.DataFrame(
                {
                    "line": pd.array(
                        finding.lines if len(finding.lines) else [None] * n, "Int64"
                    ),
                    "reason": finding.reason,
                    "severity": finding.severity,
                    "value": texts + [""] * (n - len(texts)),
                }
            )
        )
    if not parts:
        return pd.DataFrame({k: [] for k in ("line", "reason", "severity", "value")})
    return pd.concat(parts, ignore_index=True).sort_values(
        "line", kind="stable", ignore_index=True
    )


def failures_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings with the columns that the failures of a `TableError` have."""
    frame = findings_frame(findings)
    empty = {"declaration_id": None, "item_number": None, "row": None, "field": None}
    return frame.assign(**empty)[list(_FAILURE_COLUMNS)]


class FindingList:
    """Findings that are collected while a file is read."""

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def __iter__(self) -> Any:
        """Iterate over the findings in their order."""
        return iter(self._found)

    def add(
        self,
        reason: str,
        severity: Severity,
        lines: Iterable[int] | NDArray[np.int64] = (),
        values: Sequence[str] = (),
        **details: Any,
    ) -> None:
        """Add a finding, unless it concerns nothing."""
        numbers = np.asarray(
            lines if isinstance(lines, np.ndarray) else list(lines), dtype=np.int64
        )
        if len(numbers) or len(values):
            self._found.append(
                Finding(reason, severity, numbers, tuple(values), **details)
            )

    def select(self, *severities: Severity) -> list[Finding]:
        """Return the findings of some severities."""
        return [f for f in self._found if f.severity in severities]


def unusable_records(findings: FindingList) -> int:
    """Return the number of records that are no rows, each counted once."""
    errors = findings.select("error")
    return len({int(line) for finding in errors for line in finding.lines})
