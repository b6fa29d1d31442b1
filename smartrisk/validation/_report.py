"""What came of checking a frame: failures, repairs, doubts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import format_values
from smartrisk.results import Result
from smartrisk.schema import ColumnMap, Table

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_COLUMNS = (
    "declaration_id",
    "item_number",
    "row",
    "field",
    "reason",
    "value",
    "severity",
    "source_column",
)
_REMEDY = {
    "missing": "Give every item a value.",
    "not a number": "Write numbers as digits; name decimal and thousands signs in "
    "the ColumnMap.",
    "not a single value": "Give every cell one value; spread lists over rows.",
    "infinite": "Write what is unknown as missing.",
    "out of range": "Correct the value; units and signs are in the schema.",
    "bad pattern": "Give the code as digits, with its leading zeros, as text.",
    "not in list": "Use the codes of the schema.",
    "ambiguous date": "Pass ColumnMap(day_first=True or False) or date_format.",
    "not a date": "Give dates as YYYY-MM-DD, or pass ColumnMap(date_format=...).",
    "date out of range": "Give dates between 1900 and 2200; spreadsheet serial "
    "numbers must be converted first.",
    "duplicate key": "Keep one row per (declaration_id, item_number).",
    "scientific notation": "A spreadsheet rounded this identifier: export it as text.",
    "rate in percent": "Pass ColumnMap(duty_rate_unit='percent').",
    "not true or false": "Use true/false or 1/0.",
}


@dataclass(frozen=True)
class ValidationReport(Result):
    """What came of checking a frame.

    Parameters
    ----------
    table : DataFrame
        Canonical rows that passed, with ``dq_...`` columns and the caller's index.
    set_aside : DataFrame
        The caller's rows that did not pass, untouched.
    failures : DataFrame
        One row per failure, repair or doubt: key, row, field, reason, value,
        severity ("error", "warning", "repaired"), source column.
    name : str
        Name of the table checked.
    ignored : tuple of str
        Columns of the caller that the table does not know.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.schema import OUTCOMES
    >>> from smartrisk.validation import check
    >>> frame = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": [1, 3]})
    >>> report = check(frame, OUTCOMES)
    >>> report.ok, len(report.table), report.failures["reason"].tolist()
    (False, 1, ['out of range'])
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    failures: pd.DataFrame
    name: str
    ignored: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether no row had to be set aside."""
        return not (self.failures["severity"] == "error").any()

    def frame(self) -> pd.DataFrame:
        """Return the failures.

        Returns
        -------
        failures : DataFrame
            One row per failure, repair or doubt.
        """
        return self.failures.copy()

    def summary(self) -> pd.DataFrame:
        """Return counts by field, reason and severity.

        Returns
        -------
        summary : DataFrame
            Columns field, reason, severity, count.
        """
        by = ["field", "reason", "severity"]
        return self.failures.groupby(by, sort=True).size().reset_index(name="count")

    def message(self) -> str:
        """Say in a few sentences what stops the table.

        Returns
        -------
        message : str
            One sentence per field and reason, with up to five values and the remedy.
        """
        errors = self.failures[self.failures["severity"] == "error"]
        parts = [f"{self.name}: {len(self.set_aside)} rows cannot be used."]
        groups = list(errors.groupby(["field", "reason"], sort=False))
        for (field, reason), group in groups[:12]:
            source = group["source_column"].iloc[0]
            named = f"{field!r}" + (f" (column {source!r})" if source != field else "")
            values = format_values(list(dict.fromkeys(group["value"]))[:5])
            remedy = _REMEDY.get(str(reason), "")
            parts.append(f"{named}: {reason} in {len(group)} rows: {values}. {remedy}")
        if len(groups) > 12:
            parts.append(f"And {len(groups) - 12} more kinds of failure.")
        return " ".join(parts)[:2000]


class Findings:
    """Failures collected while a frame is checked."""

    def __init__(
        self,
        table: Table,
        columns: ColumnMap,
        source: pd.DataFrame,
        renamed: Mapping[str, str],
    ) -> None:
        self.table, self.columns, self.source = table, columns, source
        self.renamed = renamed
        self.bad = np.zeros(len(source), bool)
        self.notes: list[tuple[Any, str, str, Any, str]] = []

    def note(
        self, rows: Any, field: str, reason: str, values: Any, severity: str = "error"
    ) -> None:
        """Take down rows that fail, with the values as they came."""
        rows = np.asarray(rows)
        if not len(rows):
            return
        if severity == "error":
            self.bad[rows] = True
        came = np.asarray(values, dtype=object)[rows]
        self.notes.append((rows, field, reason, came, severity))

    def failures(self, result: pd.DataFrame) -> pd.DataFrame:
        """Return what was taken down as a frame."""
        parts = []
        ids = (
            result["declaration_id"].to_numpy() if "declaration_id" in result else None
        )
        number = result["item_number"].to_numpy() if "item_number" in result else None
        for rows, field, reason, values, severity in self.notes:
            parts.append(
                pd.DataFrame(
                    {
                        "declaration_id": ids[rows] if ids is not None else None,
                        "item_number": number[rows] if number is not None else None,
                        "row": rows,
                        "field": field,
                        "reason": reason,
                        "value": [_short(v) for v in values],
                        "severity": severity,
                        "source_column": self.renamed.get(field, field),
                    }
                )
            )
        if not parts:
            return pd.DataFrame({name: [] for name in _COLUMNS})
        return pd.concat(parts, ignore_index=True)


def _short(value: Any) -> str:
    """Return a value as text of at most 40 characters without control characters."""
    text = _CONTROL.sub("?", str(value))
    return text if len(text) <= 40 else text[:37] + "..."
