"""Lab 11: a map that means what the file means, and what each office loses."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smartrisk.languages import N_
from smartrisk.schema import DECLARATIONS, KEY, ColumnMap
from smartrisk.validation import ValidationReport, check
from smartrisk.workshop._class_export import (
    INVOICE,
    KG,
    PAID,
    make_class_export,
    name_columns,
)
from smartrisk.workshop._comparing import as_keys, has_columns, same_table
from smartrisk.workshop._lab import Lab
from smartrisk.workshop._verdicts import RIGHT, Task, Verdict, mistake, wrong

_COMPARED = (
    *("lodged_at", "office", "importer_id", "tariff_code", "origin"),
    *("customs_value", "net_mass_kg", "duties_taxes"),
)
_BY, _COLUMNS = ["office"], ["share"]


def _check(
    lab: Lab, *, factor: float = KG, instead: dict[str, str] | None = None
) -> ValidationReport:
    """Return the report on the export, some fields made of other columns."""
    names = name_columns(lab)
    mapping = {field: names[field] for field in (*KEY, *_COMPARED)}
    mapping |= {field: names[column] for field, column in (instead or {}).items()}
    columns = ColumnMap(
        mapping, decimal=",", day_first=True, factors={"net_mass_kg": factor}
    )
    return check(make_class_export(lab), DECLARATIONS, columns=columns)


def _is_mapped(answer: Any, lab: Lab, **how: Any) -> bool:
    """Return whether an answer has the usable rows of a map."""
    return same_table(answer, _check(lab, **how).table, list(KEY), _COMPARED)


def _judge_mapped(answer: Any, lab: Lab) -> Verdict:
    """Compare the usable rows and their values."""
    if isinstance(answer, ValidationReport):
        return wrong(
            N_("This is the whole report. Its usable rows are in report.table.")
        )
    if as_keys(answer) is None:
        return wrong(
            N_(
                "The table needs the columns declaration_id and item_number, as the "
                "report has them after the map."
            )
        )
    if _is_mapped(answer, lab):
        return RIGHT
    return (
        _find_unit(answer, lab)
        or _find_column(answer, lab)
        or wrong(
            N_(
                "Compared are the usable rows and their values, by declaration_id and "
                "item_number. Your table has {found} rows."
            ),
            found=len(answer),
        )
    )


def _find_unit(answer: pd.DataFrame, lab: Lab) -> Verdict | None:
    """Return the verdict on a table with other masses, or with all rows."""
    if _is_mapped(answer, lab, factor=1.0):
        return mistake(
            "tonnes read as kilograms",
            N_(
                "your masses are still in tonnes: 20 tonnes count as 20 kg. State "
                "factors={{'net_mass_kg': 1000.0}}."
            ),
        )
    if _is_mapped(answer, lab, factor=1 / KG):
        return mistake(
            "factor inverted",
            N_(
                "your masses were divided where they must be multiplied. The factor "
                "turns the unit of the file into kilograms: 1000.0."
            ),
        )
    n_rows = len(make_class_export(lab))
    if len(answer) == n_rows:
        return mistake(
            "nothing refused",
            N_(
                "your table has all {n} rows of the export, also those that cannot be "
                "used. Take the table of the report."
            ),
            n=n_rows,
        )
    return None


def _find_column(answer: pd.DataFrame, lab: Lab) -> Verdict | None:
    """Return the verdict on a map that takes a column for one that it resembles."""
    factors = (KG, 1.0)
    if any(
        _is_mapped(answer, lab, factor=factor, instead={"lodged_at": PAID})
        for factor in factors
    ):
        return mistake(
            "day of payment",
            N_(
                "your items are dated by their payment, days after they were lodged. "
                "An engine would then know too much. Take the day of registration."
            ),
        )
    if any(
        _is_mapped(answer, lab, factor=factor, instead={"customs_value": INVOICE})
        for factor in factors
    ):
        return mistake(
            "invoice amount",
            N_(
                "your customs values are the amounts of the invoices, without freight "
                "and insurance. Take the column of the customs value."
            ),
        )
    return None


def _judge_lost(answer: Any, lab: Lab) -> Verdict:
    """Compare the share of unusable rows of each office."""
    if not has_columns(answer, [*_BY, *_COLUMNS]):
        return wrong(N_("The table needs the columns `office` and `share`."))
    office = name_columns(lab)["office"]
    rows = make_class_export(lab)[office].value_counts()
    refused = _check(lab).set_aside[office].value_counts()
    refused = refused.reindex(rows.index, fill_value=0)
    if _is_lost(answer, refused / rows):
        return RIGHT
    if _is_lost(answer, 100 * refused / rows):
        return mistake(
            "percent in place of a fraction",
            N_("your shares are percentages. Asked for is a fraction from 0 to 1."),
        )
    if _is_lost(answer, 1 - refused / rows):
        return mistake(
            "usable in place of lost",
            N_("your shares are those of the rows that can be used."),
        )
    some = refused[refused > 0]
    if any(_is_lost(answer, one / one.sum()) for one in (refused, some)):
        return mistake(
            "share of all lost rows",
            N_(
                "your shares add up to 1: each is a part of all the lost rows, so a "
                "large office looks careless. Divide by the rows of the office."
            ),
        )
    if any(_is_lost(answer, one / rows.sum()) for one in (refused, some)):
        return mistake(
            "share of the whole file",
            N_(
                "you divided by the rows of the whole file. Divide by the rows of each "
                "office."
            ),
        )
    kept = answer.dropna(subset=_COLUMNS)
    if _is_lost(kept, (some / rows).dropna()):
        return mistake(
            "offices without a loss left out",
            N_(
                "your shares are right, but {n} offices that lose nothing are not "
                "there. Their share is 0, not unknown."
            ),
            n=len(rows) - len(some),
        )
    return wrong(
        N_(
            "Compared is, for each of the {n} offices of the file, the share of its "
            "rows that the report has set aside. Your table has {found} rows."
        ),
        n=len(rows),
        found=len(answer),
    )


def _is_lost(answer: pd.DataFrame, share: pd.Series) -> bool:
    """Return whether an answer has these shares of the offices."""
    right = share.rename_axis("office").reset_index(name="share")
    return same_table(answer, right, _BY, _COLUMNS)


TASKS = (
    Task(
        id="11.1",
        name="mapped",
        asks=N_("the table of usable rows, as the report has it under your map."),
        judge=_judge_mapped,
        meaning=N_(
            "The file and the library now mean the same days, amounts and masses. The "
            "map is a file that every office can use."
        ),
        hints=(
            N_(
                "Of Bruno's three sentences, the proposal has two right. With which "
                "unit does the name of the column of masses end?"
            ),
            N_(
                "Add 'factors' to proposal.columns.settings(), make a ColumnMap of it "
                "with **, check again and take report.table."
            ),
        ),
    ),
    Task(
        id="11.2",
        name="lost",
        asks=N_(
            "a table with the columns `office` and `share`, one row for each office of "
            "the file."
        ),
        judge=_judge_lost,
        meaning=N_(
            "The rows go back to the offices that wrote them, the worst share first; "
            "until then, every figure of that office lacks them."
        ),
        hints=(
            N_(
                "Count the rows of each office twice: in report.set_aside and in the "
                "whole export."
            ),
            N_(
                "Divide one value_counts() by the other; an office that loses nothing "
                "has no count, so fill in 0."
            ),
        ),
    ),
)
