"""What was found in a file: its format, the lines, and the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from smartrisk.errors import Message
from smartrisk.intake._findings import findings_frame, unusable_records
from smartrisk.intake._read import join_readings, read_sources
from smartrisk.intake._reading import Reading
from smartrisk.results import Result
from smartrisk.schema import FileFormat


class FileDescription(Result):
    """What was found in a file, and its table.

    Made by `describe_file`.

    Parameters
    ----------
    readings : list of Reading
        One per file.
    table : DataFrame
        The rows of all.

    Examples
    --------
    >>> from smartrisk.intake import describe_file
    >>> describe_file([{"id": "A1", "office": "CI01"}])
    FileDescription(the frame: records, 1 row, 0 findings)
    """

    def __init__(self, readings: list[Reading], table: pd.DataFrame) -> None:
        self._readings = readings
        self._table = table

    def __repr__(self) -> str:
        """Return name, kind, rows and number of findings."""
        first, n_rows = self._readings[0], len(self._table)
        more = len(self._readings) - 1
        name = first.name + (f" and {more} more" if more else "")
        n_findings = sum(len(list(reading.findings)) for reading in self._readings)
        rows = "row" if n_rows == 1 else "rows"
        return (
            f"FileDescription({name}: {first.kind}, {n_rows:,} {rows}, "
            f"{n_findings} findings)"
        )

    @property
    def format(self) -> FileFormat:
        """Format of the first file, in full: what a map's ``[file]`` may declare."""
        return self._readings[0].format

    @property
    def kind(self) -> str:
        """What the first file is, such as "csv", "xlsx", "parquet" or "query"."""
        return self._readings[0].kind

    @property
    def table(self) -> pd.DataFrame:
        """The rows, with ``source_row``; lines that are no rows are left out."""
        return self._table.copy()

    @property
    def lines(self) -> Mapping[str, int]:
        """Lines by what they are, of all files; their sum is the number of lines."""
        total: dict[str, int] = {}
        for reading in self._readings:
            for name, number in reading.accounts.items():
                total[name] = total.get(name, 0) + number
        return MappingProxyType(total)

    @property
    def findings(self) -> pd.DataFrame:
        """One row per line that is reported: file, line, reason, severity, value."""
        parts = [
            findings_frame(reading.findings).assign(file=reading.name)
            for reading in self._readings
        ]
        names = ["file", "line", "reason", "severity", "value"]
        return pd.concat(parts, ignore_index=True)[names]

    @property
    def ok(self) -> bool:
        """Whether every record is a row."""
        return not any(unusable_records(r.findings) for r in self._readings)

    def frame(self) -> pd.DataFrame:
        """Return the options of the format.

        Returns
        -------
        evidence : DataFrame
            One row per file and option: file, option, value, how ("declared" or
            "found"), evidence.
        """
        rows = [
            (r.name, e.option, e.value, e.how, e.reason)
            for r in self._readings
            for e in r.evidence
        ]
        names = ["file", "option", "value", "how", "evidence"]
        return pd.DataFrame(rows, columns=names)

    def messages(self) -> tuple[Message, ...]:
        """Return what was found as messages that can be translated.

        Returns
        -------
        messages : tuple of smartrisk.errors.Message
            The account of the lines of each file, then one message per finding that is
            more than a note.
        """
        parts: list[Message] = []
        for reading in self._readings:
            parts.append(_account(reading))
            reported = reading.findings.select("error", "repaired", "warning")
            parts += [finding.message() for finding in reported]
        return tuple(parts)


def describe_file(source: Any, *, file: FileFormat | None = None) -> FileDescription:
    r"""Return what a file is, how it is written, and what is wrong in it.

    Parameters
    ----------
    source : path, address, connection, frame, records, or a list of these
        As for `read_table`.
    file : FileFormat, default=None
        How the source is written; what it does not say is found, or asked for.

    Returns
    -------
    description : FileDescription
        Format with its evidence, the account of the lines, every finding, and the
        table.

    Raises
    ------
    ArgumentError
        If there is no such file.
    TableError
        If encoding, separator, header or sheet are not certain.

    See Also
    --------
    read_table : The table alone.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from smartrisk.intake import describe_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "items.csv")
    ...     _ = path.write_bytes("pays;poids\nCôte d'Ivoire;1\n".encode("cp1252"))
    ...     found = describe_file(path)
    >>> found.format
    FileFormat(encoding='cp1252', separator=';', quote='"', header_row=1)
    """
    readings = read_sources(source, file or FileFormat())
    return FileDescription(readings, join_readings(readings))


def _account(reading: Reading) -> Message:
    """Return the account of the lines of a file."""
    parts = [f"{n} {name}" for name, n in reading.accounts.items() if n]
    return Message(
        "intake.lines_accounted",
        "{file} ({kind}): {n_lines} lines = {parts}.",
        file=reading.name,
        kind=reading.kind,
        n_lines=sum(reading.accounts.values()),
        parts=" + ".join(parts) or "none",
    )
