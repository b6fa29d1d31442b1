"""Rows of headers, items and results: their keys, repetitions and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from smartrisk.lineage import SOURCE_ROW
from smartrisk.schema import ColumnMap

OWNER = "join_documents"
#: Between the parts of a key: a control character that no export contains.
_SEPARATOR = "\x1f"
#: Keys that a finding names.
_EXAMPLES = 5


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that a join found: how often, with examples."""

    what: str
    count: int
    message: Message
    examples: tuple[str, ...] = ()


def read_on(
    on: str | Sequence[str] | Mapping[str, str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of the key in the header, and in the items."""
    if isinstance(on, str):
        return (on,), (on,)
    if isinstance(on, Mapping):
        return tuple(map(str, on)), tuple(map(str, on.values()))
    names = tuple(on) if isinstance(on, (list, tuple)) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise ArgumentError(
            "intake.not_a_key",
            "join_documents: 'on' must name the columns that identify a document: a "
            "name, a list of names, or {{column of the header: column of the items}}; "
            "got {on!r}.",
            on=on,
        )
    return names, names


def check_columns(table: str, frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise where a table lacks columns, with the nearest names."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise TableError(
            "intake.column_not_in_table",
            "join_documents: {table!r} has no column {missing}.{hint} It has "
            "{columns}.",
            table=table,
            missing=format_values(missing),
            hint=suggest_nearest(missing[0], map(str, frame.columns)),
            columns=format_values(map(str, frame.columns), 12),
        )


def document_keys(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return the key of the document of every row as one text; missing where it is."""
    parts = [_as_text(frame[name]) for name in names]
    keys = parts[0]
    for part in parts[1:]:
        keys = keys + _SEPARATOR + part
    return keys


def show_keys(keys: Sequence[Any] | pd.Series) -> tuple[str, ...]:
    """Return keys as they are named in messages."""
    known = [key for key in keys if isinstance(key, str)]
    return tuple(
        key.replace(_SEPARATOR, " / ") for key in list(dict.fromkeys(known))[:_EXAMPLES]
    )


def _as_text(column: pd.Series) -> pd.Series:
    """Return values of a key as texts: 12, 12.0 and "12 " are one document."""
    if pd.api.types.is_float_dtype(column.dtype):
        whole = column.dropna()
        if (whole == np.rint(whole)).all():
            column = column.astype("Int64")
    texts = column.astype("string").str.strip()
    return texts.mask(texts == "")


def column_of(columns: ColumnMap, field: str) -> str | None:
    """Return the column that a map names for a field; None where it makes it up."""
    named = columns.mapping.get(field, field)
    return named if isinstance(named, str) else None


def drop_repeated(
    table: str, frame: pd.DataFrame, keys: pd.Series, findings: list[Finding]
) -> pd.DataFrame:
    """Return a table without rows that repeat others in everything but their line."""
    twice = _content(frame).duplicated().to_numpy() & keys.notna().to_numpy()
    return _without(table, frame, keys, twice, findings)


def drop_copies(
    table: str, frame: pd.DataFrame, keys: pd.Series, findings: list[Finding]
) -> pd.DataFrame:
    """Return a table once, where every row is there as many times as the table.

    Without numbers, two equal rows may be two items: only what is repeated as a whole
    is a file that was loaded twice.
    """
    names = _content(frame).astype("string").fillna("")
    groups = names.groupby(list(names.columns), sort=False)
    row = groups.ngroup().to_numpy()
    counts = np.bincount(row)[row]
    times = int(np.gcd.reduce(counts)) if len(counts) else 1
    twice = groups.cumcount().to_numpy() >= counts // times
    return _without(table, frame, keys, twice, findings)


def _content(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what rows say, but for their line."""
    return frame.drop(columns=[c for c in (SOURCE_ROW,) if c in frame])


def _without(
    table: str,
    frame: pd.DataFrame,
    keys: pd.Series,
    twice: NDArray[np.bool_],
    findings: list[Finding],
) -> pd.DataFrame:
    """Return a table without some rows, which are noted."""
    if not twice.any():
        return frame
    findings.append(
        Finding(
            what=f"{table}: repeated rows",
            count=int(twice.sum()),
            examples=show_keys(keys[twice]),
            message=Message(
                "intake.rows_repeated",
                "{n_rows} rows of {table!r} repeat others word for word, such as those "
                "of document {examples}: one of each was kept. A file that was "
                "loaded twice looks like this.",
                n_rows=int(twice.sum()),
                table=table,
                examples=format_values(show_keys(keys[twice])),
            ),
        )
    )
    return frame[~twice]


def check_one_row(
    table: str, keys: pd.Series, what: str, remedy: str
) -> NDArray[np.bool_]:
    """Raise where a key has several rows; return which rows have one."""
    twice = keys.duplicated(keep=False) & keys.notna()
    if not twice.any():
        return np.asarray(keys.notna().to_numpy(bool))
    raise TableError(
        "intake.key_with_other_content",
        "join_documents: {n_keys} {what} have several rows with different content in "
        "{table!r}, such as {examples}. {remedy}",
        n_keys=int(keys[twice].nunique()),
        what=what,
        table=table,
        examples=format_values(show_keys(keys[twice])),
        remedy=remedy,
    )


def latest_versions(
    table: str,
    frame: pd.DataFrame,
    keys: pd.Series,
    version: str,
    before: pd.Timestamp | None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are of the version that counts, and which came too late.

    Parameters
    ----------
    table : str
        Name of the table, for error messages.
    frame : DataFrame
        The rows.
    keys : Series
        Their documents.
    version : str
        Column of whole numbers or of moments that orders the versions.
    before : Timestamp or None
        Versions from this moment on do not count; None for the last of all.
    """
    order = version_order(table, frame[version], moments=before is not None)
    late = np.zeros(len(frame), bool)
    if before is not None:
        late = (order >= before).to_numpy(bool)
        order = order.mask(late)
    last = order.groupby(keys.to_numpy()).transform("max")
    return ((order == last).to_numpy(bool) & ~late), late


def version_order(table: str, column: pd.Series, *, moments: bool) -> pd.Series:
    """Return versions as numbers or moments that can be compared."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        order = column
    elif moments:
        order = pd.to_datetime(column, errors="coerce", format="ISO8601")
    else:
        order = pd.to_numeric(column, errors="coerce")
        if order.isna().any():
            order = pd.to_datetime(column, errors="coerce", format="ISO8601")
    wrong = order.isna()
    if wrong.any():
        raise TableError(
            "intake.version_not_readable",
            "join_documents: the column {column!r} of {table!r} orders versions, but "
            "{n_rows} of its values are neither whole numbers nor dates like "
            "2024-03-31: {examples}. Write all of them in one of these forms.",
            column=str(column.name),
            table=table,
            n_rows=int(wrong.sum()),
            examples=format_values(dict.fromkeys(column[wrong].tolist())),
        )
    return order
