"""What became of the rows of each file: how many were used, set aside, repaired."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.lineage import SOURCE_ROW, Source, read_sources, set_sources
from smartrisk.schema import ColumnMap, Table

#: Hexadecimal digits of the version of a map, as many as an engine's version has.
_DIGITS = 16


def map_version(columns: ColumnMap) -> str:
    """Return the digest of a column map.

    Parameters
    ----------
    columns : ColumnMap
        The map.

    Returns
    -------
    version : str
        16 hexadecimal digits: the same for the same options, in whatever file.

    Examples
    --------
    >>> from smartrisk.schema import ColumnMap
    >>> from smartrisk.validation import map_version
    >>> map_version(ColumnMap({"lodged_at": "DATE"}))
    'dceb6f4979c86c85'
    """
    return hashlib.sha256(columns.to_toml().encode()).hexdigest()[:_DIGITS]


def note_sources(
    whole: pd.DataFrame,
    result: pd.DataFrame,
    *,
    used: NDArray[np.bool_],
    failures: pd.DataFrame,
    table: Table,
    columns: ColumnMap | None,
) -> None:
    """Set on a canonical frame from which files it came, and what became of them.

    Parameters
    ----------
    whole : DataFrame
        The table as it was passed.
    result : DataFrame
        The canonical frame; its attributes change.
    used : ndarray of bool, shape (n_rows,)
        Rows of `whole` that are in it.
    failures : DataFrame
        Failures, repairs and doubts, with ``row``.
    table : Table
        The table.
    columns : ColumnMap or None
        The map that was applied.
    """
    sources = read_sources(whole)
    if not sources:
        return
    counted = []
    for source in sources:
        if source.table is not None:  # counted by an earlier check
            counted.append(source)
            continue
        own = _own_rows(whole, source, single=len(sources) == 1)
        if own is None:
            counted.append(replace(source, table=table.name))
            continue
        counted.append(
            replace(
                source,
                table=table.name,
                map_version=None if columns is None else map_version(columns),
                rows_in=int(own.sum()) if source.rows_in is None else source.rows_in,
                rows_out=int((own & used).sum()),
                set_aside=int((own & ~used).sum()),
                repairs=_count_repairs(failures, own),
            )
        )
    set_sources(result, counted)


def _own_rows(
    whole: pd.DataFrame, source: Source, *, single: bool
) -> NDArray[np.bool_] | None:
    """Return the rows of a file; None where nothing says which they are."""
    if SOURCE_ROW in whole:
        texts = whole[SOURCE_ROW].astype("string")
        found = texts.str.contains(source.id, regex=False).fillna(False)
        return np.asarray(found.to_numpy(bool))
    return np.ones(len(whole), bool) if single else None


def _count_repairs(failures: pd.DataFrame, own: NDArray[np.bool_]) -> dict[str, int]:
    """Return the number of values of a file that were repaired, by field."""
    if not len(failures):
        return {}
    repaired = failures[failures["severity"] == "repaired"]
    rows = repaired["row"].to_numpy(np.intp)
    counts = repaired.loc[own[rows], "field"].value_counts(sort=False)
    return {str(name): int(number) for name, number in counts.items()}
