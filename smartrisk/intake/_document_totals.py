"""Totals of the header as columns of the items: read, shared out, flagged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    Message,
    TableError,
    format_values,
    suggest_nearest,
)
from smartrisk.intake._document_rows import Finding, check_columns, column_of
from smartrisk.items import share_totals
from smartrisk.schema import DECLARATIONS, ColumnMap, Field, Table
from smartrisk.validation import check

_NUMBERS = tuple(f.name for f in DECLARATIONS if f.kind == "number")
#: By what totals are shared: a word, and the fields that it means, the first there is.
_WEIGHTS = {
    "value": ("customs_value",),
    "mass": ("net_mass_kg", "gross_mass_kg"),
    **{name: (name,) for name in _NUMBERS},
}


def share_columns(
    joined: pd.DataFrame,
    rows: NDArray[np.int64],
    header: pd.DataFrame,
    totals: Mapping[str, str],
    columns: ColumnMap,
    findings: list[Finding],
) -> pd.DataFrame:
    """Return items with their shares of the totals of their documents, and flags.

    Parameters
    ----------
    joined : DataFrame of shape (n_items, n_columns)
        The items with the columns of their headers.
    rows : ndarray of int64, shape (n_items,)
        Header of each item.
    header : DataFrame
        The header.
    totals : mapping of str to str
        Field to what it is shared out by.
    columns : ColumnMap
        Map of the joined table.
    findings : list of Finding
        What was found; it grows.
    """
    shared: dict[str, NDArray[Any]] = {}
    n_items = np.bincount(rows, minlength=len(header))
    for name, by in totals.items():
        column = _total_column(name, joined, header, columns)
        amounts = read_numbers("header", header[column], columns)
        weights = read_weights(joined, by, columns)
        shares, evenly = share_totals(amounts, rows, weights)
        shared[column] = shares
        shared[f"dq_shared_{name}"] = n_items[rows] > 1
        unknown = np.isfinite(amounts)[rows] & np.isnan(shares)
        _note_shares(name, by, unknown, evenly, findings)
    return joined.assign(**shared)


def _total_column(
    name: str, joined: pd.DataFrame, header: pd.DataFrame, columns: ColumnMap
) -> str:
    """Return the column of the header that holds a total."""
    if name not in _NUMBERS:
        raise ArgumentError(
            "intake.total_of_no_number",
            "join_documents: 'totals' names {name!r}, which is no number of "
            "DECLARATIONS.{hint}",
            name=name,
            hint=suggest_nearest(name, _NUMBERS),
        )
    column = column_of(columns, name)
    if column is None:
        raise ArgumentError(
            "intake.total_is_computed",
            "join_documents: the map makes {name!r} of several columns, so that it "
            "cannot be shared out. Map it to the one column of the header.",
            name=name,
        )
    check_columns("header", header, [column])
    return column


def read_weights(
    joined: pd.DataFrame, by: str, columns: ColumnMap
) -> NDArray[np.float64]:
    """Return by what totals are shared, as the map reads it; NaN where it cannot."""
    if by not in _WEIGHTS:
        raise ArgumentError(
            "intake.unknown_weight",
            "join_documents: 'totals' are shared out by 'value', 'mass' or a number of "
            "DECLARATIONS; got {by!r}.{hint}",
            by=by,
            hint=suggest_nearest(by, _WEIGHTS),
        )
    problem: TableError | None = None
    for name in _WEIGHTS[by]:
        weight = Table(name="ITEMS", fields=(_make_required(DECLARATIONS[name]),))
        try:
            read = check(joined, weight, columns=columns).table
        except TableError as error:
            problem = problem or error
            continue
        return read[name].reindex(joined.index).to_numpy(np.float64)
    raise ArgumentError(
        "intake.no_weight",
        "join_documents: 'totals' are to be shared out by {by!r}, but the items do not "
        "have it: {problem}",
        by=by,
        problem=str(problem),
    )


def _make_required(number: Field) -> Field:
    """Return a field that must be there."""
    return Field(
        number.name,
        number.kind,
        number.role,
        number.description,
        required=True,
        low=number.low,
    )


def read_numbers(
    table: str, column: pd.Series, columns: ColumnMap
) -> NDArray[np.float64]:
    """Return a column of numbers as it is written: signs of the map, own unit."""
    name = str(column.name)
    field = Field("total", "number", "measure", "total of a document", required=True)
    signs = ColumnMap(
        {},
        decimal=columns.decimal,
        thousands=columns.thousands,
        grouping=columns.grouping,
        missing=columns.missing,
        keep=columns.keep,
    )
    report = check(
        pd.DataFrame({"total": column}),
        Table(name=table.upper(), fields=(field,)),
        columns=signs,
    )
    if report.ok:
        return report.table["total"].to_numpy(np.float64)
    wrong = report.failures.loc[report.failures["severity"] == "error", "value"]
    raise TableError(
        "intake.total_not_a_number",
        "join_documents: the column {column!r} of {table!r} is no number in {n_rows} "
        "rows: {values}. Name decimal and thousands signs in the ColumnMap.",
        column=name,
        table=table,
        n_rows=len(wrong),
        values=format_values(dict.fromkeys(wrong)),
    )


def _note_shares(
    name: str,
    by: str,
    unknown: NDArray[np.bool_],
    evenly: NDArray[np.bool_],
    findings: list[Finding],
) -> None:
    """Note totals that could not be shared, or only evenly."""
    if unknown.any():
        findings.append(
            Finding(
                what=f"{name}: not shared",
                count=int(unknown.sum()),
                message=Message(
                    "intake.total_not_shared",
                    "{field!r} stays empty in {n_items} items: their document has a "
                    "total, but one of its items has no {by}.",
                    field=name,
                    n_items=int(unknown.sum()),
                    by=by,
                ),
            )
        )
    if evenly.any():
        findings.append(
            Finding(
                what=f"{name}: shared evenly",
                count=int(evenly.sum()),
                message=Message(
                    "intake.total_shared_evenly",
                    "{field!r} was shared evenly in {n_documents} documents, in which "
                    "every item has {by} 0.",
                    field=name,
                    n_documents=int(evenly.sum()),
                    by=by,
                ),
            )
        )
