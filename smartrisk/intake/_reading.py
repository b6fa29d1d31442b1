"""A reading: the table of one source, its lines, and what was found."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.intake._findings import FindingList
from smartrisk.schema import FileFormat

#: Names that differ only in these are easily taken for each other.
_BETWEEN_WORDS = re.compile(r"[\s_.\-]+")


@dataclass(frozen=True)
class Evidence:
    """One option of a file: its value, whether it was declared, the evidence."""

    option: str
    value: Any
    how: str
    reason: str = ""


def make_evidence(
    file: FileFormat, option: str, value: Any, reason: str = ""
) -> Evidence:
    """Return an option with whether it was declared.

    Parameters
    ----------
    file : FileFormat
        What was declared.
    option : str
        Name of the option.
    value : object
        Its value.
    reason : str
        The evidence, where it was found.

    Returns
    -------
    evidence : Evidence
        Without a reason where it was declared.
    """
    if getattr(file, option) == getattr(FileFormat(), option):
        return Evidence(option, value, "found", reason)
    return Evidence(option, value, "declared")


def complete(file: FileFormat, evidence: Sequence[Evidence]) -> FileFormat:
    """Return a format with the options that were found.

    Parameters
    ----------
    file : FileFormat
        What was declared.
    evidence : sequence of Evidence
        What was found.

    Returns
    -------
    complete : FileFormat
        Declared and found options.
    """
    return dataclasses.replace(file, **{e.option: e.value for e in evidence})


@dataclass(eq=False)
class Reading:
    """The table of one source.

    Parameters
    ----------
    frame : DataFrame
        The administration's columns.
    lines : ndarray of int, shape (n_rows,)
        Line of each row, from 1.
    kind : str
        "csv", "xlsx", "parquet", "query", "frame" or "records".
    sha256 : str
        Digest of the source; that of its content where it is packed is `content`.
    format : FileFormat
        How the source is written, in full.
    evidence : list of Evidence
        The evidence.
    findings : FindingList
        What is wrong, repaired or left out.
    accounts : dict of str to int
        Lines by what they are; the sum is the number of lines.
    """

    frame: pd.DataFrame
    lines: NDArray[np.int64]
    kind: str
    findings: FindingList
    sha256: str = ""
    content: str = ""
    format: FileFormat = field(default_factory=FileFormat)
    evidence: list[Evidence] = field(default_factory=list)
    accounts: dict[str, int] = field(default_factory=dict)
    name: str = ""

    def describe(self) -> dict[str, Any]:
        """Return format, lines and findings as plain values, without file names."""
        return {
            "sha256": self.sha256,
            "kind": self.kind,
            "format": self.format.settings(),
            "rows": len(self.frame),
            "lines": dict(self.accounts),
            "findings": [finding.to_dict() for finding in self.findings],
        }


def name_columns(
    names: Sequence[str],
    findings: FindingList,
    where: str,
    places: Sequence[int] | None = None,
) -> tuple[str, ...]:
    """Return the names of columns without blanks around them; name those without.

    Parameters
    ----------
    names : sequence of str
        Names as they are written.
    findings : FindingList
        Receives names that are missing or nearly the same.
    where : str
        Where they stand, for the error message.
    places : sequence of int, default=None
        Places of the columns, from 0; None where they follow each other.

    Returns
    -------
    names : tuple of str
        Unique names; a column without one is called by its place, ``column_3``.

    Raises
    ------
    TableError
        If a name stands twice.
    """
    plain = [" ".join(str(name).split()) for name in names]
    order = range(len(plain)) if places is None else places
    named = [n or f"column_{k + 1}" for k, n in zip(order, plain, strict=True)]
    findings.add("unnamed columns", "warning", (), _only_new(named, plain))
    repeated = list(dict.fromkeys(n for n in named if named.count(n) > 1))
    if repeated:
        twice = {
            n: [k + 1 for k, m in zip(order, named, strict=True) if m == n]
            for n in repeated
        }
        raise TableError(
            "intake.columns_repeated",
            "{where} has columns of the same name: {columns}. Rename one, or declare "
            "names = [...] in [file], one for each of the {n_columns} columns.",
            where=where,
            columns="; ".join(f"{n!r} (columns {p})" for n, p in twice.items()),
            n_columns=len(named),
        )
    by_plain: dict[str, list[str]] = {}
    for name in named:
        key = _BETWEEN_WORDS.sub("", name).casefold()
        by_plain.setdefault(key, []).append(name)
    same = [format_values(group) for group in by_plain.values() if len(group) > 1]
    findings.add("similar names", "warning", (), same)
    return tuple(named)


def _only_new(named: Sequence[str], plain: Sequence[str]) -> list[str]:
    """Return the names that were made up."""
    return [new for new, old in zip(named, plain, strict=True) if not old]


def texts_to_pandas(columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return Arrow columns of texts as a frame of texts.

    Parameters
    ----------
    columns : mapping of str to pyarrow array
        Texts by name.

    Returns
    -------
    frame : DataFrame
        The texts; with pandas 3 they stay in Arrow's memory.
    """
    arrays = list(columns.values())
    # Names are set afterwards: Arrow takes no two that are same.
    table = pa.table(arrays, names=[str(k) for k in range(len(arrays))])
    frame: pd.DataFrame = table.to_pandas()
    frame.columns = pd.Index(list(columns), dtype=object if not columns else None)
    return frame
