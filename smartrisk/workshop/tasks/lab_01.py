"""Lab 1: a table that is accepted, and the count of what was refused."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smartrisk.languages import N_
from smartrisk.schema import DECLARATIONS, KEY, ColumnMap
from smartrisk.validation import ValidationReport, check
from smartrisk.workshop._comparing import as_keys, same_table
from smartrisk.workshop._export import make_export
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_KEY = list(KEY)
_AMOUNTS = ("customs_value", "net_mass_kg", "duties_taxes")
_COMPARED = ("lodged_at", "office", "importer_id", "tariff_code", "origin", *_AMOUNTS)
_NO_ITEMS = N_("The table needs the columns declaration_id and item_number.")
_NO_COUNTS = N_("The table needs the columns `field`, `reason` and `count`.")
_A_REPORT = N_("This is the whole report. Its usable rows are in report.table.")


def _check(
    export: pd.DataFrame, *, decimal: str = ",", day_first: bool = True
) -> ValidationReport:
    """Return the report on an export that is written in this way."""
    columns = ColumnMap({}, decimal=decimal, day_first=day_first)
    return check(export, DECLARATIONS, columns=columns)


def _exchange(accepted: pd.DataFrame) -> pd.DataFrame:
    """Return the table with day and month exchanged wherever both are possible."""
    days = [
        moment.replace(month=moment.day, day=moment.month)
        if moment.day <= 12
        else moment
        for moment in accepted["lodged_at"]
    ]
    return accepted.assign(lodged_at=pd.to_datetime(pd.Series(days, accepted.index)))


def _same_rows(answer: Any, right: pd.DataFrame) -> bool:
    """Return whether an answer has the same rows and values."""
    return same_table(answer, right, _KEY, _COMPARED)


def _judge_accepted(answer: Any, lab: Lab) -> Verdict:
    """Compare the usable rows and their values."""
    if isinstance(answer, ValidationReport):
        return wrong(_A_REPORT)
    if as_keys(answer) is None:
        return wrong(_NO_ITEMS)
    export = make_export(lab)
    right = _check(export).table
    if _same_rows(answer, right):
        return RIGHT
    american = _check(export, day_first=False).table
    if _same_rows(answer, american) or _same_rows(answer, _exchange(right)):
        return mistake(
            "day and month exchanged",
            N_(
                "your dates have the month first: 03/04 became 4 March. At Port Merova "
                "the day comes first: day_first=True."
            ),
        )
    hundredfold = right.assign(**{name: right[name] * 100 for name in _AMOUNTS})
    no_comma = _check(export, decimal=".").table
    if _same_rows(answer, hundredfold) or _same_rows(answer, no_comma):
        return mistake(
            "decimal comma",
            N_(
                "the comma of the amounts was not read as a decimal sign. State "
                "decimal=',' in the ColumnMap."
            ),
        )
    if len(answer) == len(export):
        return mistake(
            "nothing refused",
            N_(
                "your table has all {n} rows of the export, also those that cannot be "
                "used. Take the table of the report."
            ),
            n=len(export),
        )
    return wrong(
        N_(
            "Compared are the usable rows and their values, by declaration_id and "
            "item_number. Your table has {found} rows."
        ),
        found=len(answer),
    )


def _count(report: ValidationReport, *, errors: bool = True) -> pd.DataFrame:
    """Return how often each reason of each field is in a report."""
    summary = report.summary()
    return summary[summary["severity"] == "error"] if errors else summary


def _judge_refused(answer: Any, lab: Lab) -> Verdict:
    """Compare the counts by field and reason."""
    by, columns = ["field", "reason"], ["count"]
    if not isinstance(answer, pd.DataFrame) or not {*by, *columns} <= set(answer):
        return wrong(_NO_COUNTS)
    export = make_export(lab)
    if same_table(answer, _count(_check(export)), by, columns):
        return RIGHT
    if same_table(answer, _count(_check(export, decimal=".")), by, columns):
        return mistake(
            "decimal comma",
            N_(
                "your counts are those without the decimal comma, when every amount is "
                "refused. Check with decimal=',' first."
            ),
        )
    american = _check(export, day_first=False)
    if any(
        same_table(answer, _count(american, errors=e), by, columns)
        for e in (False, True)
    ):
        return mistake(
            "day and month exchanged",
            N_(
                "your counts come out when the month is read first: days after the "
                "12th are then no dates. Check with day_first=True."
            ),
        )
    numbered = _check(export.drop(columns="item_number"))
    if any(
        same_table(answer, _count(numbered, errors=e), by, columns)
        for e in (False, True)
    ):
        return mistake(
            "item number missing",
            N_(
                "your counts are those of an export without item_number. The library "
                "then numbers the rows itself, and no row counts as given twice."
            ),
        )
    return wrong(
        N_(
            "Compared is the count of errors for each field and reason, after decimal "
            "comma and day_first were stated. Your counts add up to {found}."
        ),
        found=int(pd.to_numeric(answer["count"]).sum()),
    )


def _fill(export: pd.DataFrame) -> pd.DataFrame:
    """Return the export with each missing item number from its place."""
    place = (export.groupby("declaration_id").cumcount() + 1).astype(str)
    number = export["item_number"]
    return export.assign(item_number=number.where(number != "", place))


def _judge_complete(answer: Any, lab: Lab) -> Verdict:
    """Compare the usable rows once the item numbers are there."""
    if isinstance(answer, ValidationReport):
        return wrong(_A_REPORT)
    if as_keys(answer) is None:
        return wrong(_NO_ITEMS)
    export = make_export(lab)
    if _same_rows(answer, _check(_fill(export)).table):
        return RIGHT
    if _same_rows(answer, _check(export).table):
        return mistake(
            "item number missing",
            N_("the rows without an item number are still refused in your table."),
        )
    if _same_rows(answer, _check(export.drop(columns="item_number")).table):
        return mistake(
            "numbered again",
            N_(
                "all rows were numbered again, so a row that stands twice became a "
                "second item. Fill in only what is missing."
            ),
        )
    ones = export.assign(item_number=export["item_number"].replace("", "1"))
    if _same_rows(answer, _check(ones).table):
        return mistake(
            "every missing number is 1",
            N_(
                "every missing number became 1. In a declaration of several items this "
                "is another item, and both are refused as the same."
            ),
        )
    return wrong(
        N_(
            "Compared are the usable rows after the missing numbers were filled in. "
            "Your table has {found} rows."
        ),
        found=len(answer),
    )


TASKS = (
    Task(
        id="1.1",
        name="accepted",
        asks=N_("the table of usable rows, as the report has it after the check."),
        judge=_judge_accepted,
        meaning=N_(
            "What your system writes and what the library reads are now the same "
            "declarations."
        ),
        hints=(
            N_("One ColumnMap states both: how numbers and how dates are written."),
            N_(
                "Give ColumnMap both decimal=',' and day_first=True; then check again "
                "and take report.table."
            ),
        ),
    ),
    Task(
        id="1.2",
        name="refused",
        asks=N_(
            "a table with the columns `field`, `reason` and `count`: the errors only."
        ),
        judge=_judge_refused,
        meaning=N_(
            "You can now state what is missing from every later figure, and who can "
            "correct it: the clearance system, not the model."
        ),
        hints=(
            N_("report.summary() counts findings by field, reason and severity."),
            N_("Keep the rows whose severity is 'error', of the report of task 1.1."),
        ),
    ),
    Task(
        id="1.3",
        name="complete",
        asks=N_("the table of usable rows after the missing item numbers are filled."),
        judge=_judge_complete,
        meaning=N_(
            "Rows that a rule corrects without doubt are right now; the others go back "
            "to the office that wrote them."
        ),
        hints=(
            N_("The missing cells of export['item_number'] are empty texts."),
            N_(
                "groupby('declaration_id').cumcount() + 1 is the place of each row in "
                "its declaration; write it, as a text, where the number is missing."
            ),
        ),
    ),
)
