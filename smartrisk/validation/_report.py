"""The result of a check: failures, repairs and doubts, and messages that state them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message, format_values
from smartrisk.results import Result
from smartrisk.schema import ColumnMap, Table
from smartrisk.validation._reasons import FLAGS, OF_COLUMNS, PROBLEMS

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
#: Longest text of a value in a failure: enough to recognise it in the source.
_LONGEST_VALUE = 40
#: Kinds of failure, and characters, of a message: a screen of a terminal.
_MOST_KINDS, _LONGEST_MESSAGE = 12, 2000
#: Severity of rows that are as they should be, but not the library's concern.
_ASIDE = "set aside"
#: Columns named that no field takes; the report has them all.
_MOST_COLUMNS = 20
#: Distinct values named per kind of failure.
_MOST_VALUES = 5
#: What each reason means, and what to do. The message id is the reason in snake case.
_PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "missing in {n_rows} rows: {values}. Give every row a value, or "
        "leave the row out.",
        "not a number": "not a number in {n_rows} rows: {values}. Write numbers as "
        "digits, or state their signs in the column map, such as decimal=',' and "
        "thousands='.'; 'smartrisk map' proposes one.",
        "not a whole number": "not a whole number in {n_rows} rows: {values}. Write "
        "whole numbers without decimals.",
        "not a single value": "not a single value in {n_rows} rows: {values}. Give "
        "every cell one value; spread lists over rows.",
        "infinite": "infinite in {n_rows} rows: {values}. Leave unknown values empty.",
        "out of range": "out of range in {n_rows} rows: {values}. Correct the value; "
        "units and signs are in the schema.",
        "bad pattern": "bad pattern in {n_rows} rows: {values}. Give the code as "
        "digits, with its leading zeros, as text; ColumnMap(tariff_digits=...) states "
        "how many.",
        "not in list": "not in list in {n_rows} rows: {values}. Use the codes of the "
        "schema.",
        "ambiguous date": "ambiguous date in {n_rows} rows: {values}. Pass "
        "ColumnMap(day_first=True or False) or date_format.",
        "not a date": "not a date in {n_rows} rows: {values}. Give dates as "
        "YYYY-MM-DD, or pass ColumnMap(date_format=...): 'excel' for the serial "
        "numbers of a spreadsheet.",
        "date out of range": "date out of range in {n_rows} rows: {values}. Give dates "
        "between 1900 and 2200.",
        "duplicate key": "duplicate key in {n_rows} rows: {values}. Keep one row per "
        "(declaration_id, item_number).",
        "duplicate row": "duplicate row in {n_rows} rows: {values}. Keep one row per "
        "case in CASES, and per case, category and unit in SEIZURES.",
        "results not numbered": "results not numbered in {n_rows} rows: {values}. A "
        "document has several results, but no item_number says of which items: name "
        "its column, or join results per document with intake.join_documents.",
        "part of the sum missing": "part of the sum missing in {n_rows} rows: "
        "{values}. Give every part, or declare missing_is_zero for it.",
        "part of the key missing": "part of the key missing in {n_rows} rows: "
        "{values}. Give every part; a column that is often empty is no part of a key.",
        "separator inside a part": "separator inside a part in {n_rows} rows: "
        "{values}. Two keys could be one: choose another separator, or give widths.",
        "not in parts": "not in parts in {n_rows} rows: {values}. Compare the column "
        "with the separator and the fields of 'split'.",
        "longer than its width": "longer than its width in {n_rows} rows: {values}. "
        "Compare with 'widths' in the ColumnMap.",
        "unknown sign": "unknown sign in {n_rows} rows: {values}. Name the values that "
        "subtract in 'negative'.",
        "no exchange rate": "no exchange rate in {n_rows} rows: {values}. Give a rate "
        "for each currency and day.",
        "not one total per document": "not one total per document in {n_rows} rows: "
        "{values}. The items of a document must repeat its total; else map the column "
        "without 'shared'.",
        "no share of the total": "no share of the total in {n_rows} rows: {values}. "
        "Give every item of the document what the total is shared out by.",
        "not in the value map": "not in the value map in {n_rows} rows: {values}. Add "
        "them to 'values' in the ColumnMap.",
        "unknown unit": "unknown unit in {n_rows} rows: {values}. Give its factor in "
        "'units'.",
        "scientific notation": "scientific notation in {n_rows} rows: {values}. A "
        "spreadsheet rounded this identifier: export it as text.",
        "rate in percent": "rate in percent in {n_rows} rows: {values}. Pass "
        "ColumnMap(duty_rate_unit='percent').",
        "not true or false": "not true or false in {n_rows} rows: {values}. Use "
        "true/false or 1/0.",
        **PROBLEMS,
    }
)


class ValidationReport(Result):
    """What the check of a frame against its table found.

    Made by `check`.

    Parameters
    ----------
    table : DataFrame
        Canonical rows that passed, with ``dq_...`` columns and the caller's index.
    set_aside : DataFrame
        The caller's rows that did not pass, unchanged.
    failures : DataFrame
        One row per failure, repair or doubt: key, row, field, reason, value,
        severity ("error", "warning", "repaired"), source column.
    name : str
        Name of the table that was checked.
    ignored : sequence of str, default=()
        Columns of the caller that are not fields of the table.
    notes : sequence of smartrisk.errors.Message, default=()
        What is reported once for the whole table.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.schema import OUTCOMES
    >>> from smartrisk.validation import check
    >>> frame = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": [1, 3]})
    >>> report = check(frame, OUTCOMES)
    >>> report.ok, len(report.table), report.failures["reason"].tolist()
    (False, 1, ['not true or false'])
    """

    def __init__(
        self,
        *,
        table: pd.DataFrame,
        set_aside: pd.DataFrame,
        failures: pd.DataFrame,
        name: str,
        ignored: Sequence[str] = (),
        notes: Sequence[Message] = (),
    ) -> None:
        self._table = table
        self._set_aside = set_aside
        self._failures = failures
        self._name = name
        self._ignored = tuple(ignored)
        self._notes = tuple(notes)

    @property
    def table(self) -> pd.DataFrame:
        """Canonical rows that passed, with ``dq_...`` columns; a copy."""
        return self._table.copy()

    @property
    def set_aside(self) -> pd.DataFrame:
        """The caller's rows that did not pass, unchanged; a copy."""
        return self._set_aside.copy()

    @property
    def failures(self) -> pd.DataFrame:
        """One row per failure, repair or doubt; a copy."""
        return self._failures.copy()

    @property
    def name(self) -> str:
        """Name of the table that was checked."""
        return self._name

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns of the caller that are not fields of the table."""
        return self._ignored

    @property
    def ok(self) -> bool:
        """Whether every row passed."""
        return not (self._failures["severity"] == "error").any()

    def __repr__(self) -> str:
        """Return the numbers of usable rows, of rows set aside and of findings."""
        return (
            f"ValidationReport({self._name}: {len(self._table)} usable, "
            f"{len(self._set_aside)} set aside, {len(self._failures)} findings)"
        )

    def frame(self) -> pd.DataFrame:
        """Return the failures.

        Returns
        -------
        failures : DataFrame
            One row per failure, repair or doubt.
        """
        return self._failures.copy()

    def summary(self) -> pd.DataFrame:
        """Return counts by field, reason and severity.

        Returns
        -------
        summary : DataFrame
            Columns field, reason, severity, count.
        """
        by = ["field", "reason", "severity"]
        return self._failures.groupby(by, sort=True).size().reset_index(name="count")

    def messages(self) -> tuple[Message, ...]:
        """Return what makes rows unusable, as messages that can be translated.

        Returns
        -------
        messages : tuple of smartrisk.errors.Message
            The number of rows set aside, then one message per field and reason, each
            with up to five values and the remedy.
        """
        errors = self._failures[self._failures["severity"] == "error"]
        head = Message(
            "validation.rows_unusable",
            "{table}: {n_rows} rows cannot be used.",
            table=self._name,
            n_rows=len(self._set_aside)
            - int((self._failures["severity"] == _ASIDE).sum()),
        )
        groups = list(errors.groupby(["field", "reason"], sort=False))
        out = [head, *(_group_message(g) for _, g in groups[:_MOST_KINDS])]
        if len(groups) > _MOST_KINDS:
            out.append(
                Message(
                    "validation.more_kinds",
                    "And {n_kinds} more kinds of failure.",
                    n_kinds=len(groups) - _MOST_KINDS,
                )
            )
        return tuple(out)

    def flow_messages(self) -> tuple[Message, ...]:
        """Return how many rows are exports or transit, where there are any.

        Returns
        -------
        messages : tuple of smartrisk.errors.Message
            One message, or none.
        """
        others = self._failures[self._failures["severity"] == _ASIDE]
        if others.empty:
            return ()
        return (
            Message(
                "validation.not_imports",
                "{table}: {n_rows} rows are not imports (column {column!r}: {values}) "
                "and were set aside.",
                table=self._name,
                n_rows=len(others),
                column=str(others["source_column"].iloc[0]),
                values=format_values(others["value"].unique()),
            ),
        )

    def notes(self) -> tuple[Message, ...]:
        """Return what happened to the table as a whole, as messages.

        Returns
        -------
        notes : tuple of smartrisk.errors.Message
            Rows that are no imports, missing parts of sums that count as 0, items that
            a reference table does not know, and columns that nothing names.
        """
        unused: tuple[Message, ...] = ()
        if self._ignored:
            unused = (
                Message(
                    "validation.columns_not_mapped",
                    "{table}: no field takes the columns {columns}.",
                    table=self._name,
                    columns=format_values(self._ignored, _MOST_COLUMNS),
                ),
            )
        return (*self.flow_messages(), *self._notes, *unused)

    def remarks(self) -> tuple[Message, ...]:
        """Return doubts and repairs as messages that can be translated.

        Returns
        -------
        remarks : tuple of smartrisk.errors.Message
            One message per field and reason, doubts first, each with the number of
            rows and up to five values.

        Examples
        --------
        >>> import pandas as pd
        >>> from smartrisk.schema import OUTCOMES
        >>> from smartrisk.validation import check
        >>> frame = pd.DataFrame({"declaration_id": ["A"], "illicit": [1],
        ...                       "channel": ["Rouge"]})
        >>> print(*check(frame, OUTCOMES).remarks())
        'channel': the code of the list put in its place in 1 rows: 'Rouge'.
        """
        severity = self._failures["severity"]
        found = [
            _group_message(group)
            for kind in ("warning", "repaired")
            for _, group in self._failures[severity == kind].groupby(
                ["field", "reason"], sort=False
            )
        ]
        return tuple(found)

    def doubts(self) -> tuple[Message, ...]:
        """Return doubts about values and columns, which `validate` gives as warnings.

        Returns
        -------
        doubts : tuple of smartrisk.errors.Message
            One message per field and reason. Zeros and contradictions are no such
            doubts: they have their ``dq_`` columns.
        """
        reasons = {*OF_COLUMNS, *FLAGS}
        ids = {f"validation.{reason.replace(' ', '_')}" for reason in reasons}
        return tuple(
            message
            for message in self.remarks()
            if message.message_id.removesuffix("_in_column") in ids
        )

    def message(self) -> str:
        """Return in a few sentences what makes rows unusable.

        Returns
        -------
        message : str
            `messages` in English, in one text of at most 2,000 characters.
        """
        return " ".join(map(str, self.messages()))[:_LONGEST_MESSAGE]


def reason_template(reason: str) -> str:
    """Return what a reason of a failure means, and what to do.

    Parameters
    ----------
    reason : str
        Reason in the failures of a report.

    Returns
    -------
    template : str
        English template with the placeholders ``n_rows`` and ``values``.

    Examples
    --------
    >>> from smartrisk.validation import reason_template
    >>> reason_template("missing")
    'missing in {n_rows} rows: {values}. Give every row a value, or leave the row out.'
    """
    return _PROBLEMS.get(reason, f"{reason} in {{n_rows}} rows: {{values}}.")


def _group_message(failures: pd.DataFrame) -> Message:
    """Return the message of the failures of one field for one reason."""
    first = failures.iloc[0]
    field, column, reason = (
        str(first[name]) for name in ("field", "source_column", "reason")
    )
    problem = reason_template(reason)
    message_id = f"validation.{reason.replace(' ', '_')}"
    values = list(dict.fromkeys(failures["value"]))[:_MOST_VALUES]
    is_renamed = column != field
    return Message(
        f"{message_id}_in_column" if is_renamed else message_id,
        "{field!r} (column {column!r}): " + problem
        if is_renamed
        else "{field!r}: " + problem,
        field=field,
        column=column,
        n_rows=len(failures),
        values=format_values(values),
    )


@dataclass(frozen=True, eq=False)
class _Note:
    """Rows that fail for one reason, with their values as they came."""

    rows: NDArray[np.intp]
    field: str
    reason: str
    values: NDArray[np.object_]
    severity: str
    column: str


class Findings:
    """Failures collected while a frame is checked."""

    #: The field and the column of a part of a field; None for whole fields.
    _part: tuple[str, str] | None = None

    def __init__(
        self,
        table: Table,
        columns: ColumnMap,
        source: pd.DataFrame,
        renamed: Mapping[str, str],
    ) -> None:
        self.table, self.columns, self.source = table, columns, source
        self._renamed = renamed
        self.bad = np.zeros(len(source), bool)
        self._notes: list[_Note] = []
        self.flags: dict[str, NDArray[np.bool_]] = {}
        self.messages: list[Message] = []

    def under(self, field: str, column: str) -> Findings:
        """Return the same findings, with every note under a field and a column.

        The parts of a field are read like fields; what is wrong with one is a failure
        of the field, in the column of the part.
        """
        part = copy.copy(self)
        part._part = (field, column)
        return part

    def note(
        self,
        rows: NDArray[np.intp],
        field: str,
        reason: str,
        values: pd.Series | NDArray[np.generic],
        severity: str = "error",
    ) -> None:
        """Record rows that fail, with the values as they came."""
        if not len(rows):
            return
        if severity == "error":
            self.bad[rows] = True
        some = values.iloc[rows] if isinstance(values, pd.Series) else values[rows]
        came = np.asarray(some, dtype=object)
        column = self._renamed.get(field, field)
        if self._part is not None:
            field, column = self._part
        self._notes.append(_Note(rows, field, reason, came, severity, column))

    def doubt(
        self, rows: NDArray[np.intp], field: str, reason: str, values: pd.Series
    ) -> None:
        """Record rows with a doubtful value, and mark them by a ``dq_`` column."""
        if not len(rows):
            return
        self.note(rows, field, reason, values, "warning")
        field = field if self._part is None else self._part[0]
        name = f"dq_{FLAGS[reason]}_{field}"
        none = np.zeros(len(self.bad), bool)
        self.flags.setdefault(name, none)[rows] = True

    def has_errors(self, field: str) -> bool:
        """Return whether a value of a field is an error."""
        return any(n.field == field and n.severity == "error" for n in self._notes)

    def report(self, message: Message) -> None:
        """Record what is reported once for the whole table."""
        self.messages.append(message)

    def failures(self, result: pd.DataFrame) -> pd.DataFrame:
        """Return what was recorded as a frame."""
        if not self._notes:
            return pd.DataFrame({name: [] for name in _COLUMNS})
        keys = {
            name: result[name].to_numpy() if name in result else None
            for name in ("declaration_id", "item_number")
        }
        parts = [
            pd.DataFrame(
                {
                    **{
                        name: None if values is None else values[note.rows]
                        for name, values in keys.items()
                    },
                    "row": note.rows,
                    "field": note.field,
                    "reason": note.reason,
                    "value": _short_values(note.values),
                    "severity": note.severity,
                    "source_column": note.column,
                }
            )
            for note in self._notes
        ]
        return pd.concat(parts, ignore_index=True)


def _short_values(values: NDArray[np.object_]) -> list[str]:
    """Return values as short texts; many rows have few different ones."""
    known: dict[str, str] = {}
    out = []
    for value in values:
        if not isinstance(value, str):
            out.append(_shorten(value))
            continue
        if value not in known:
            known[value] = _shorten(value)
        out.append(known[value])
    return out


def _shorten(value: object) -> str:
    """Return a value as a short text without control characters."""
    text = _CONTROL.sub("?", str(value))
    if not text.isascii():  # half of a surrogate pair can be neither stored nor shown
        text = text.encode("utf-8", "replace").decode("utf-8")
    if len(text) <= _LONGEST_VALUE:
        return text
    return text[: _LONGEST_VALUE - 3] + "..."
