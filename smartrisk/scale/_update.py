"""Updates with items in Parquet files, piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.engine import RiskEngine, UpdateReport, take_over
from smartrisk.errors import ArgumentError
from smartrisk.features import OnKnown
from smartrisk.items import (
    NO_ITEM_NUMBER,
    UInt,
    are_among,
    check_numbered,
    document_hashes,
    item_ids,
)
from smartrisk.scale._executors import choose_executor
from smartrisk.scale._pieces import MOST_ROWS, Dataset, Piece, list_pieces
from smartrisk.scale._repeated import check_repeated
from smartrisk.schema import KEY, OUTCOMES, TableInput
from smartrisk.validation import OnError, read_declarations, validate

_OWNER = "scale.update"


def update(
    engine: RiskEngine,
    dataset: Dataset | None = None,
    outcomes: TableInput | None = None,
    *,
    client: Any = None,
    rows: int = MOST_ROWS,
    on_known: OnKnown = "raise",
    on_error: OnError = "raise",
) -> RiskEngine:
    """Add items in Parquet files, and results, to the history of an engine.

    The history is that of one ``engine.update``, and so are the scores. It happens as a
    whole or not at all.

    Parameters
    ----------
    engine : RiskEngine
        Fitted; it changes when all pieces were added.
    dataset : path or list of paths, default=None
        A folder of Parquet files, or files, with DECLARATIONS of canonical types; None
        for results alone.
    outcomes : DataFrame of shape (n_results, n_fields), default=None
        OUTCOMES of new items or of any in the history.
    client : distributed.Client, default=None
        Dask cluster whose workers read and check the pieces; the history grows in this
        process. None for this process alone.
    rows : int, default=250000
        Most items that are in memory at once.
    on_known : {"raise", "replace", "keep"}, default="raise"
        As in `RiskEngine.update`.
    on_error : {"raise", "set_aside"}, default="raise"
        As in `RiskEngine.update`.

    Returns
    -------
    engine : RiskEngine
        The engine with the longer history.

    Raises
    ------
    TableError
        If a table is invalid, an item is there twice, something is known with other
        content, or a result has no item.
    ArgumentError
        If neither items nor results are given.

    Examples
    --------
    >>> import tempfile
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> engine = sr.RiskEngine().fit(world.declarations.head(2_900))
    >>> place = tempfile.mkdtemp() + "/day.parquet"
    >>> world.declarations.tail(100).to_parquet(place)
    >>> sr.scale.update(engine, place).last_update_
    UpdateReport(items taken=100)
    """
    if dataset is None and outcomes is None:
        raise ArgumentError(
            "scale.nothing_to_update",
            "{owner}: pass 'dataset', 'outcomes' or both.",
            owner=_OWNER,
        )
    executor = choose_executor(_OWNER, client)
    longer = engine.copy()
    reports: list[UpdateReport] = []
    if outcomes is not None:
        outcomes = validate(outcomes, OUTCOMES, on_error=on_error)
    if dataset is not None:
        own = longer.own_fields_
        pieces = list_pieces(_OWNER, dataset, most_rows=rows, own_fields=own)
        shared = {"own_fields": own, "on_error": on_error}
        ids: list[UInt] = []
        keys: list[pd.DataFrame] = []
        for items in executor.run(_read_piece, shared, pieces.pieces):
            ids.append(item_ids(items))
            if outcomes is not None:
                keys.append(_of_unnumbered(items, outcomes))
            if len(items):
                longer.update(items, on_known=on_known)
                reports.append(_report_of(longer))
        check_repeated(_OWNER, pieces, ids)
        if outcomes is not None:
            check_numbered("RiskEngine.update", outcomes, pd.concat(keys))
    if outcomes is not None:
        longer.update(outcomes=outcomes, on_known=on_known, on_error=on_error)
        reports.append(_report_of(longer))
    return take_over(engine, longer, reports)


def _read_piece(shared: dict[str, Any], piece: Piece) -> pd.DataFrame:
    """Read and check the items of a piece."""
    return read_declarations(
        piece.read(), shared["own_fields"], on_error=shared["on_error"]
    )


def _of_unnumbered(items: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the keys of items of documents whose results state no item."""
    key = items[[name for name in KEY if name in items]]
    if NO_ITEM_NUMBER not in outcomes:
        return key.iloc[:0]
    flagged = outcomes[outcomes[NO_ITEM_NUMBER].fillna(False).to_numpy(bool)]
    return key[are_among(document_hashes(items), np.unique(document_hashes(flagged)))]


def _report_of(engine: RiskEngine) -> UpdateReport:
    """Return what the last update did."""
    report = engine.last_update_
    return UpdateReport({}) if report is None else report
