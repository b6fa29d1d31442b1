"""Results of controls joined to their items: which, known on which day, what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import TableError, format_values
from smartrisk.features._columns import Int, days, mix


@dataclass(frozen=True)
class Results:
    """Results known for some items.

    Parameters
    ----------
    rows : ndarray of int, shape (n_results,)
        Positions of the inspected items.
    day : ndarray of int64, shape (n_results,)
        Day on which each result was known.
    hits : ndarray of int64, shape (n_results,)
        1 where an irregularity was found.
    revenue : ndarray of float, shape (n_results,)
        Amount recovered, never negative, 0 when none.
    """

    rows: NDArray[np.intp]
    day: Int
    hits: Int
    revenue: NDArray[np.float64]


def item_ids(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """Return a 64-bit number for the key of every item.

    Parameters
    ----------
    frame : DataFrame
        With `declaration_id` and, where there is one, `item_number`.

    Returns
    -------
    ids : ndarray of uint64, shape (n_items,)
        The same on every machine.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.features import item_ids
    >>> frame = pd.DataFrame({"declaration_id": ["A", "A"], "item_number": [1, 2]})
    >>> len(set(item_ids(frame)))
    2
    """
    names = np.asarray(frame["declaration_id"], dtype=object)
    ids = pd.util.hash_array(names, categorize=False)  # few repeat
    if "item_number" not in frame:
        return mix(ids + np.uint64(1))
    number = frame["item_number"].to_numpy(np.int64).view(np.uint64)
    with np.errstate(over="ignore"):
        return mix(ids + number)


def known_days(lodged: Int, known_at: pd.Series | None, label_delay: int) -> Int:
    """Return the day each result was known: given, else lodgement plus the delay."""
    fallback = lodged + label_delay
    if known_at is None:
        return fallback
    given = days(known_at.to_numpy())
    return np.where(known_at.isna().to_numpy(), fallback, np.maximum(given, lodged))


def match(
    ids: NDArray[np.uint64],
    outcomes: pd.DataFrame,
    lodged: Int,
    label_delay: int,
) -> Results:
    """Join OUTCOMES to the items that have these `item_ids`.

    Raises
    ------
    TableError
        If an outcome has no declaration, or the key of one is not unique.
    """
    index = pd.Index(ids)
    if not index.is_unique:
        raise TableError(
            "features.key_declaration_id_item_number_unique",
            "DECLARATIONS: the key (declaration_id, item_number) must be "
            "unique; {value} items repeat one. Remove the duplicates.",
            value=int(index.duplicated().sum()),
        )
    rows = index.get_indexer(pd.Index(item_ids(outcomes)))
    lost = np.flatnonzero(rows < 0)
    if len(lost):
        raise TableError(
            "features.results_item_declarations_such",
            "OUTCOMES: {n_lost} results have no item in DECLARATIONS, such as "
            "declaration_id {iloc}. Pass the declarations that were inspected, "
            "or drop these results.",
            n_lost=len(lost),
            iloc=format_values(outcomes["declaration_id"].iloc[lost[:5]], 5),
        )
    revenue = np.zeros(len(rows))
    if "revenue_adjustment" in outcomes:
        revenue = outcomes["revenue_adjustment"].to_numpy(np.float64)
        revenue = np.maximum(np.nan_to_num(revenue, nan=0.0), 0.0)
    return Results(
        rows,
        known_days(lodged[rows], outcomes.get("known_at"), label_delay),
        outcomes["illicit"].to_numpy(np.int64),
        revenue,
    )


def from_labels(y: NDArray[np.float64], lodged: Int, label_delay: int) -> Results:
    """Take labels aligned with the items; NaN is not inspected."""
    rows = np.flatnonzero(np.isfinite(y))
    day = lodged[rows] + label_delay
    return Results(rows, day, (y[rows] > 0).astype(np.int64), np.zeros(len(rows)))
