"""Results of documents or of items, placed on the items that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, Message, TableError, format_values
from smartrisk.intake._document_rows import (
    OWNER,
    Finding,
    check_columns,
    check_one_row,
    column_of,
    document_keys,
    drop_repeated,
    show_keys,
)
from smartrisk.intake._document_totals import read_numbers, read_weights
from smartrisk.items import share_totals
from smartrisk.lineage import read_sources, set_sources
from smartrisk.schema import ColumnMap

#: What a result is about.
Level: TypeAlias = Literal["document", "item"]
#: What a hit of a document with several items says of each of them.
DocumentHit: TypeAlias = Literal["unknown", "all"]


def place_results(
    outcomes: pd.DataFrame,
    joined: pd.DataFrame,
    *,
    keys: pd.Series,
    on: tuple[Sequence[str], Sequence[str]],
    number: str,
    columns: ColumnMap,
    values: ColumnMap,
    level: Level | None,
    document_hit: DocumentHit,
    findings: list[Finding],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return results as rows of items, and the results of no item.

    Parameters
    ----------
    outcomes : DataFrame
        Results as the administration has them.
    joined : DataFrame of shape (n_items, n_columns)
        The items.
    keys : Series
        Document of each item.
    on : tuple of two sequences of str
        Columns of the key, as the header and as the items name them.
    number : str
        Column of `joined` with the item number.
    columns, values : ColumnMap
        Map of the results, and of the items.
    level, document_hit : str
        As in `join_documents`.
    findings : list of Finding
        What was found; it grows.
    """
    outcomes = outcomes.reset_index(drop=True)
    names = next((n for n in on if all(c in outcomes.columns for c in n)), on[0])
    check_columns("outcomes", outcomes, names)
    label = column_of(columns, "illicit") or "illicit"
    check_columns("outcomes", outcomes, [label])
    found = document_keys(outcomes, names)
    own = column_of(columns, "item_number")
    has_numbers = own is not None and own in outcomes.columns
    several = keys[keys.duplicated(keep=False)]
    level = level or _find_level(found, several, has_numbers=has_numbers)
    if level == "item" and own is not None and has_numbers:
        return _of_items(outcomes, found, own, joined, keys, number, findings)
    if level == "item":
        _refuse_unnumbered(found, several)
    outcomes, lost, found = _known_documents(outcomes, found, keys, findings)
    place = pd.Index(found).get_indexer(pd.Index(keys))
    rows = np.flatnonzero(place >= 0)
    placed = outcomes.iloc[place[rows]].reset_index(drop=True)
    part = joined.iloc[rows].reset_index(drop=True)
    placed[own or "item_number"] = part[number]
    for name in (*on[1], *on[0]):
        if name in part and name not in placed:
            placed[name] = part[name]
    is_several = keys.iloc[rows].isin(several).to_numpy(bool)
    revenue = column_of(columns, "revenue_adjustment")
    revenue = revenue if revenue in placed.columns else None
    if document_hit == "unknown":
        placed = _to_document(placed, label, "document_illicit", is_several)
        if revenue is not None:
            placed = _to_document(placed, revenue, "document_revenue", is_several)
    elif revenue is not None and is_several.any():
        amounts = read_numbers("outcomes", outcomes[revenue], columns)
        weights = _weights(part, values)
        placed[revenue], _ = share_totals(amounts, place[rows], weights)
        placed["dq_shared_revenue_adjustment"] = is_several
    set_sources(placed, read_sources(outcomes))
    return placed, lost


def _known_documents(
    outcomes: pd.DataFrame,
    found: pd.Series,
    keys: pd.Series,
    findings: list[Finding],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Return results of documents that are there, the others, and their keys."""
    outcomes = drop_repeated("outcomes", outcomes, found, findings)
    found = found[outcomes.index]
    check_one_row(
        "outcomes",
        found,
        "documents",
        "Pass level='item' with a column of item numbers, or keep one row per document "
        "(the later version of a result goes into an update of its own day).",
    )
    is_known = found.isin(keys).to_numpy(bool)
    _note_lost(found[~is_known], findings)
    return outcomes[is_known], outcomes[~is_known], found[is_known]


def _to_document(
    placed: pd.DataFrame, column: str, target: str, is_several: np.ndarray
) -> pd.DataFrame:
    """Move values of documents with several items to a column of the document."""
    values = placed[column].astype(object)
    return placed.assign(
        **{
            target: values.where(is_several, other=None),
            column: values.mask(is_several, other=None),
        }
    )


def _weights(part: pd.DataFrame, values: ColumnMap) -> np.ndarray:
    """Return the values of items, all equal where one has none."""
    try:
        weights = read_weights(part, "value", values)
    except ArgumentError:
        return np.ones(len(part))
    return np.ones(len(part)) if np.isnan(weights).any() else weights


def _find_level(found: pd.Series, several: pd.Series, *, has_numbers: bool) -> Level:
    """Return what results are about where that is certain, or raise."""
    if has_numbers:
        return "item"
    unclear = found[found.isin(several)]
    if not len(unclear):
        return "document"
    raise ArgumentError(
        "intake.level_not_stated",
        "{owner}: 'outcomes' has no column of item numbers, and {n_results} results "
        "are of documents with several items, such as {examples}. Pass "
        "level='document' if a result is about the whole document; results are never "
        "numbered by their order.",
        owner=OWNER,
        n_results=len(unclear),
        examples=format_values(show_keys(unclear)),
    )


def _refuse_unnumbered(found: pd.Series, several: pd.Series) -> None:
    """Raise for results of items without numbers, unless documents have one item."""
    unclear = found[found.isin(several)]
    if len(unclear):
        raise TableError(
            "intake.results_without_item_number",
            "{owner}: level='item', but 'outcomes' has no column of item numbers, and "
            "{n_results} results are of documents with several items, such as "
            "{examples}. Name the column in the map of the outcomes.",
            owner=OWNER,
            n_results=len(unclear),
            examples=format_values(show_keys(unclear)),
        )


def _of_items(
    outcomes: pd.DataFrame,
    found: pd.Series,
    own: str,
    joined: pd.DataFrame,
    keys: pd.Series,
    number: str,
    findings: list[Finding],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the results of items that are there, and the others."""
    numbers = pd.to_numeric(outcomes[own], errors="coerce").astype("Float64")
    wanted = found + " / " + numbers.astype("string")
    there = keys + " / " + joined[number].astype("Float64").astype("string")
    is_known = wanted.isin(there).to_numpy(bool)
    _note_lost(wanted[~is_known], findings)
    placed = outcomes[is_known].reset_index(drop=True)
    set_sources(placed, read_sources(outcomes))
    return placed, outcomes[~is_known]


def _note_lost(keys: pd.Series, findings: list[Finding]) -> None:
    """Note results of no item."""
    if not len(keys):
        return
    findings.append(
        Finding(
            what="outcomes: without item",
            count=len(keys),
            examples=show_keys(keys),
            message=Message(
                "intake.results_without_item",
                "{n_rows} results are of no item and were left out, such as {examples};"
                " they are in 'unmatched'.",
                n_rows=len(keys),
                examples=format_values(show_keys(keys)) or "rows without a key",
            ),
        )
    )
