"""Headers and items in two tables, results in a third: joined by a declared key."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    DataQualityWarning,
    Message,
    TableError,
    check_choice,
    format_values,
)
from smartrisk.intake._document_results import DocumentHit, Level, place_results
from smartrisk.intake._document_rows import (
    Finding,
    check_columns,
    check_one_row,
    column_of,
    document_keys,
    drop_copies,
    drop_repeated,
    latest_versions,
    read_on,
    show_keys,
)
from smartrisk.intake._document_totals import share_columns
from smartrisk.intake._joined_documents import JoinedDocuments
from smartrisk.lineage import (
    SOURCE_ROW,
    join_source_rows,
    merge_sources,
    read_sources,
    set_sources,
)
from smartrisk.schema import ColumnMap, TableInput
from smartrisk.tables import read_table as to_frame
from smartrisk.windows import read_moment

#: What an amendment does to what was declared before.
Amendments: TypeAlias = Literal["replace", "versions"]


@dataclass(kw_only=True)
class _Join:
    """A join while it is made."""

    columns: ColumnMap
    findings: list[Finding] = field(default_factory=list)
    unmatched: dict[str, pd.DataFrame] = field(default_factory=dict)
    superseded: dict[str, pd.DataFrame] = field(default_factory=dict)


def join_documents(  # noqa: PLR0913 (three tables, each with its own options)
    header: TableInput,
    items: TableInput,
    *,
    on: str | Sequence[str] | Mapping[str, str],
    outcomes: TableInput | None = None,
    columns: ColumnMap | None = None,
    outcome_columns: ColumnMap | None = None,
    level: Level | None = None,
    document_hit: DocumentHit = "unknown",
    totals: Mapping[str, str] | None = None,
    sub_item: str | None = None,
    amendments: Amendments | None = None,
    version: str | None = None,
    before: str | pd.Timestamp | None = None,
) -> JoinedDocuments:
    """Join a table of documents to the table of their items, and results to both.

    Many administrations keep a header (who, when, where), its items (what) and the
    results of controls in three tables. The tables are taken as they are read, before
    `smartrisk.validation.validate`: what comes out has the administration's own
    columns, for the same `ColumnMap`.

    Parameters
    ----------
    header : DataFrame of shape (n_documents, n_columns)
        One row per document.
    items : DataFrame of shape (n_items, n_columns)
        One row per item.
    on : str, sequence of str or mapping of str to str
        Columns that identify a document, such as ``("OFFICE", "YEAR", "NUMBER")``; a
        mapping where the header names them otherwise than the items.
    outcomes : DataFrame, default=None
        Results of controls, per document or per item.
    columns : ColumnMap, default=None
        Map of the joined table, for the names of the columns of item number, value and
        mass and for the signs of numbers; None for canonical names.
    outcome_columns : ColumnMap, default=None
        Map of `outcomes`; None for `columns`.
    level : {"document", "item"}, default=None
        What a result is about. None where a column of item numbers shows it, or where
        every document with a result has one item.
    document_hit : {"unknown", "all"}, default="unknown"
        What a hit of a document with several items says of each: nothing ("unknown":
        it counts in the histories of what its items have in common, such as the
        importer, and is no label), or that each is a hit ("all").
    totals : mapping of str to str, default=None
        Fields whose values in the header are totals of the document, and by what they
        are shared out: "value", "mass", or any number of DECLARATIONS that the items
        have, such as ``{"duties_taxes": "value", "gross_mass_kg": "mass"}``.
    sub_item : str, default=None
        Column that numbers the parts of an item.
    amendments : {"replace", "versions"}, default=None
        What a later version of a document does: "replace" what was declared before, or
        be a version of which the last that was known `before` a moment counts. None
        where there is one version.
    version : str, default=None
        Column of `header`, `items` or both with the number or moment of a version.
    before : str or Timestamp, default=None
        Moment before which a version must have been known, with
        ``amendments="versions"``; `version` must hold moments then.

    Returns
    -------
    joined : JoinedDocuments
        ``declarations`` and ``outcomes`` for `validate`. Shared fields have a flag
        ``dq_shared_<field>``.

    Raises
    ------
    TableError
        If a column is missing, no item has a header, rows with the same key differ, or
        results cannot be distinguished.
    ArgumentError
        If an argument is outside what is allowed, or `level` must be stated.

    Warns
    -----
    DataQualityWarning
        With everything that was found: rows without a partner, repeated rows, values
        that differ between both tables, replaced versions.

    See Also
    --------
    smartrisk.validation.validate : What takes both tables.

    Notes
    -----
    Results are never numbered by their order. A document without a finding is one for
    each of its items. Rows keep ``source_row`` of the item and of the header.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.intake import join_documents
    >>> header = pd.DataFrame({"declaration_id": ["A", "B"], "duties_taxes": [10, 5]})
    >>> items = pd.DataFrame({"declaration_id": ["A", "A", "A", "B"],
    ...                       "item_number": [1, 2, 3, 1],
    ...                       "customs_value": [1, 1, 1, 9]})
    >>> results = pd.DataFrame({"declaration_id": ["A", "B"], "illicit": [1, 0]})
    >>> joined = join_documents(header, items, on="declaration_id", outcomes=results,
    ...                         level="document", totals={"duties_taxes": "value"})
    >>> joined.declarations["duties_taxes"].tolist()
    [3.34, 3.33, 3.33, 5.0]
    >>> joined.outcomes[["illicit", "document_illicit"]].astype("Int64").values.tolist()
    [[<NA>, 1], [<NA>, 1], [<NA>, 1], [0, <NA>]]
    """
    _check_choices(level, document_hit, amendments, version, before)
    top, below = _as_frames(header, items)
    names, item_names = read_on(on)
    check_columns("header", top, names)
    check_columns("items", below, item_names)
    join = _Join(columns=columns or ColumnMap({}))
    if amendments is not None and version is not None:
        moment = None
        if before is not None:
            moment = read_moment("join_documents", "before", before)
        top, below = _keep_versions(
            join, top, below, names, item_names, version, moment
        )
    top = _unique_headers(join, top, names)
    below, number = _numbered_items(join, below, item_names, sub_item)
    joined, documents = _join_rows(join, top, below, names, item_names, totals or {})
    joined = share_columns(
        joined, documents, top, totals or {}, join.columns, join.findings
    )
    results = None
    if outcomes is not None:
        results, lost = place_results(
            to_frame("join_documents", "'outcomes'", outcomes),
            joined,
            keys=document_keys(joined, item_names),
            on=(names, item_names),
            number=number,
            columns=outcome_columns or join.columns,
            values=join.columns,
            level=level,
            document_hit=document_hit,
            findings=join.findings,
        )
        join.unmatched["outcomes"] = lost
    found = JoinedDocuments(
        declarations=joined,
        outcomes=results,
        unmatched=join.unmatched,
        superseded=join.superseded,
        findings=join.findings,
    )
    if join.findings:
        warnings.warn(
            DataQualityWarning(
                "intake.documents_joined_with_findings",
                "join_documents: {findings}",
                messages=found.messages(),
                findings=" ".join(map(str, found.messages())),
            ),
            stacklevel=2,
        )
    return found


def _check_choices(
    level: Level | None,
    document_hit: DocumentHit,
    amendments: Amendments | None,
    version: str | None,
    before: object,
) -> None:
    """Raise unless the arguments are allowed, and fit each other."""
    if level is not None:
        check_choice("join_documents", "level", level, ("document", "item"))
    check_choice("join_documents", "document_hit", document_hit, ("unknown", "all"))
    if amendments is not None:
        allowed = ("replace", "versions")
        check_choice("join_documents", "amendments", amendments, allowed)
    if (amendments is None) != (version is None):
        raise ArgumentError(
            "intake.amendments_without_version",
            "join_documents: 'amendments' and 'version' go together: the first says "
            "what a later version does, the second names the column that orders them.",
        )
    if (amendments == "versions") != (before is not None):
        raise ArgumentError(
            "intake.versions_without_moment",
            "join_documents: amendments='versions' needs 'before', the moment before "
            "which a version must have been known, and nothing else takes it.",
        )


def _as_frames(
    header: TableInput, items: TableInput
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables as frames of their own index, with distinct columns."""
    frames = []
    for name, table in (("header", header), ("items", items)):
        frame = to_frame("join_documents", repr(name), table)
        repeated = frame.columns[frame.columns.duplicated()]
        if len(repeated):
            raise TableError(
                "intake.columns_repeated",
                "join_documents: {table!r} has columns twice: {columns}. Rename or "
                "drop one of each.",
                table=name,
                columns=format_values(map(str, repeated)),
            )
        frames.append(frame.reset_index(drop=True))
    return frames[0], frames[1]


def _keep_versions(
    join: _Join,
    top: pd.DataFrame,
    below: pd.DataFrame,
    names: Sequence[str],
    item_names: Sequence[str],
    version: str,
    before: pd.Timestamp | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with one version of each document."""
    if version not in top.columns and version not in below.columns:
        check_columns("header", top, [version])
    kept = []
    for table, frame, on in (("header", top, names), ("items", below, item_names)):
        if version not in frame.columns:
            kept.append(frame)
            continue
        keys = document_keys(frame, on)
        counts, late = latest_versions(table, frame, keys, version, before)
        outdated = ~counts & keys.notna().to_numpy(bool)
        join.superseded[table] = frame[outdated]
        kept.append(frame[~outdated])
        if outdated.any():
            _note_versions(join, table, keys, outdated, late)
    return kept[0], kept[1]


def _note_versions(
    join: _Join,
    table: str,
    keys: pd.Series,
    outdated: NDArray[np.bool_],
    late: NDArray[np.bool_],
) -> None:
    """Note rows of versions that do not count."""
    join.findings.append(
        Finding(
            what=f"{table}: other versions",
            count=int(outdated.sum()),
            examples=show_keys(keys[outdated]),
            message=Message(
                "intake.other_versions",
                "{n_rows} rows of {table!r} are of versions that do not count, "
                "{n_late} of them from after the moment asked for, such as those of "
                "document {examples}; they are in 'superseded'.",
                n_rows=int(outdated.sum()),
                n_late=int(late.sum()),
                table=table,
                examples=format_values(show_keys(keys[outdated])),
            ),
        )
    )


def _unique_headers(
    join: _Join, top: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """Return the header with each document once."""
    keys = document_keys(top, names)
    top = drop_repeated("header", top, keys, join.findings)
    check_one_row(
        "header",
        document_keys(top, names),
        "documents",
        "If these are the items, swap the two tables. If these are amendments, pass "
        "amendments='replace' and the column that orders them as version=; else "
        "correct the header.",
    )
    return top


def _numbered_items(
    join: _Join, below: pd.DataFrame, names: Sequence[str], sub_item: str | None
) -> tuple[pd.DataFrame, str]:
    """Return the items, each once, and the column of their numbers."""
    keys = document_keys(below, names)
    named = column_of(join.columns, "item_number")
    if named is None or named not in below.columns:
        return _number_by_order(join, below, keys)
    numbers = _whole_numbers(below, named)
    if (numbers == 0).all() and keys.duplicated().any():
        raise TableError(
            "intake.item_numbers_all_zero",
            "join_documents: the item number, column {column!r}, is 0 in all {n_rows} "
            "rows although documents have several: it numbers nothing. Drop the "
            "column; items are then numbered by their order in the file.",
            column=named,
            n_rows=len(below),
        )
    below = drop_repeated("items", below, keys, join.findings)
    keys, numbers = keys[below.index], numbers[below.index]
    if sub_item is not None:
        check_columns("items", below, [sub_item])
        numbers = numbers * 1000 + _whole_numbers(below, sub_item)
        below = below.assign(**{named: numbers})
    check_one_row(
        "items",
        keys + " / " + numbers.astype("string"),
        "items",
        "If items have parts, name the column that numbers them as sub_item=; if these "
        "are amendments, pass amendments='replace' and version=; else correct the "
        "items.",
    )
    return below, named


def _number_by_order(
    join: _Join, below: pd.DataFrame, keys: pd.Series
) -> tuple[pd.DataFrame, str]:
    """Return items with numbers in the order of the rows of their document."""
    below = drop_copies("items", below, keys, join.findings)
    keys = keys[below.index]
    named = column_of(join.columns, "item_number") or "item_number"
    numbers = keys.groupby(keys, dropna=False).cumcount() + 1
    n_several = int((numbers > 1).sum())
    if n_several:
        join.findings.append(
            Finding(
                what="items: numbered by order",
                count=n_several,
                message=Message(
                    "intake.items_numbered_by_order",
                    "The items have no column of item numbers: they were numbered by "
                    "their order in the file, {n_rows} of them from 2 on.",
                    n_rows=n_several,
                ),
            )
        )
    return below.assign(**{named: numbers}), named


def _whole_numbers(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of item numbers, or raise where one is no whole number."""
    numbers = pd.to_numeric(frame[column], errors="coerce")
    wrong = numbers.isna() | (numbers % 1 != 0) | (numbers < 0)
    if wrong.any():
        raise TableError(
            "intake.item_number_not_whole",
            "join_documents: the item number, column {column!r} of 'items', is no "
            "whole number in {n_rows} rows: {values}. Split number and item where one "
            "field holds both, or drop the column.",
            column=column,
            n_rows=int(wrong.sum()),
            values=format_values(dict.fromkeys(frame[column][wrong].tolist())),
        )
    return numbers.astype("int64")


def _join_rows(
    join: _Join,
    top: pd.DataFrame,
    below: pd.DataFrame,
    names: Sequence[str],
    item_names: Sequence[str],
    totals: Mapping[str, str],
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the items with the columns of their headers, and the row of each."""
    keys, item_keys = document_keys(top, names), document_keys(below, item_names)
    place = pd.Index(keys.dropna()).get_indexer(pd.Index(item_keys))
    place[item_keys.isna().to_numpy(bool)] = -1
    rows = np.append(np.flatnonzero(keys.notna().to_numpy(bool)), -1)[place]
    has_header = rows >= 0
    if not has_header.any():
        _refuse_no_match(keys, item_keys)
    used = np.zeros(len(top), bool)
    used[rows[has_header]] = True
    join.unmatched["header"] = top[~used]
    join.unmatched["items"] = below[~has_header]
    _note_unmatched(join, "header", "items", keys[~used])
    _note_unmatched(join, "items", "header", item_keys[~has_header])
    below, rows = below[has_header].reset_index(drop=True), rows[has_header]
    found = top.iloc[rows].reset_index(drop=True)
    common = [c for c in top if c in below and c not in names and c != SOURCE_ROW]
    for name in common:
        _note_differences(join, str(name), below[name], found[name])
    kept = [c for c in top if c not in below]
    joined = pd.concat([below, found[kept]], axis=1)
    if SOURCE_ROW in below and SOURCE_ROW in found:
        joined[SOURCE_ROW] = join_source_rows(below[SOURCE_ROW], found[SOURCE_ROW])
    set_sources(joined, merge_sources(read_sources(top), read_sources(below)))
    return joined, rows.astype(np.int64)


def _refuse_no_match(keys: pd.Series, item_keys: pd.Series) -> None:
    """Raise because no item has a header, with keys of both."""
    bare = item_keys.str.lstrip("0").isin(keys.str.lstrip("0"))
    raise TableError(
        "intake.no_item_has_a_header",
        "join_documents: none of the {n_items} items has its document in the header. "
        "The header has {keys}, the items have {item_keys}. {hint}",
        n_items=len(item_keys),
        keys=format_values(show_keys(keys)),
        item_keys=format_values(show_keys(item_keys)),
        hint="They differ in leading zeros: read both columns as text, with the same "
        "width."
        if bare.any()
        else "Name the columns that identify a document in both as on=.",
    )


def _note_unmatched(join: _Join, table: str, other: str, keys: pd.Series) -> None:
    """Note rows without a partner."""
    if not len(keys):
        return
    join.findings.append(
        Finding(
            what=f"{table}: without {other}",
            count=len(keys),
            examples=show_keys(keys),
            message=Message(
                "intake.rows_without_partner",
                "{n_rows} rows of {table!r} have no partner in {other!r} and were left "
                "out, {n_missing} of them without a key, such as document {examples}; "
                "they are in 'unmatched'.",
                n_rows=len(keys),
                table=table,
                other=other,
                n_missing=int(keys.isna().sum()),
                examples=format_values(show_keys(keys)) or "none",
            ),
        )
    )


def _note_differences(
    join: _Join, name: str, own: pd.Series, of_header: pd.Series
) -> None:
    """Note where a column of both tables differs."""
    left, right = (
        column.astype("string").str.strip().fillna("") for column in (own, of_header)
    )
    differs = (left != right).to_numpy(bool)
    if not differs.any():
        return
    first = int(np.flatnonzero(differs)[0])
    join.findings.append(
        Finding(
            what=f"{name}: differs between header and items",
            count=int(differs.sum()),
            examples=(f"{left.iloc[first]} and {right.iloc[first]}",),
            message=Message(
                "intake.column_differs",
                "The column {column!r} is in both tables and differs in {n_rows} of "
                "{n_items} items, such as {item_value!r} in the items and "
                "{header_value!r} in the header: the value of the item was kept.",
                column=name,
                n_rows=int(differs.sum()),
                n_items=len(differs),
                item_value=left.iloc[first],
                header_value=right.iloc[first],
            ),
        )
    )
