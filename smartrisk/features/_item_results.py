"""Results of controls joined to their items: which, known on which day, what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.features._columns import Int
from smartrisk.features._packed_days import EPOCH, days
from smartrisk.items import (
    UInt,
    are_document_hits,
    clean_amounts,
    moments_known,
    positions_of,
)
from smartrisk.schema import TableInput
from smartrisk.tables import read_table


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemResults:
    """Results known for some items.

    Parameters
    ----------
    rows : ndarray of int, shape (n_results,)
        Positions of the inspected items.
    day : ndarray of int64, shape (n_results,)
        Day on which each result was known, counted from 1900-01-01.
    hits : ndarray of int64, shape (n_results,)
        1 where an irregularity was found.
    revenue : ndarray of float, shape (n_results,)
        Amount recovered (national currency), never negative, 0 when none.
    n_items : int, default=None
        Number of items that `rows` counts; None where unknown.
    stated : ndarray of int64, shape (n_results,), default=None
        Day of `known_at` as it was recorded, -1 where it was not; None where `day` is
        all that is known.
    fiscal : ndarray of bool, shape (n_results,), default=None
        False where the finding is about another law than revenue and nothing was
        recovered: its amount is no evidence of how grave it is. None where unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.features import join_results
    >>> items = pd.DataFrame(
    ...     {
    ...         "declaration_id": ["A", "B"],
    ...         "lodged_at": pd.to_datetime(["2024-03-01", "2024-03-02"]),
    ...     }
    ... )
    >>> outcomes = pd.DataFrame({"declaration_id": ["B"], "illicit": [1]})
    >>> results = join_results(items, outcomes)
    >>> results.rows.tolist(), results.hits.tolist()
    ([1], [1])
    """

    rows: NDArray[np.intp]
    day: Int
    hits: Int
    revenue: NDArray[np.float64]
    n_items: int | None = None
    stated: Int | None = None
    fiscal: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Return the number of results."""
        return len(self.rows)

    @property
    def known(self) -> NDArray[np.datetime64]:
        """Day on which each result was known, as a date."""
        return np.asarray(EPOCH + self.day.astype("timedelta64[D]"))


def join_results(
    items: TableInput,
    outcomes: TableInput,
    *,
    label_delay: int = 30,
    ids: UInt | None = None,
) -> ItemResults:
    """Join OUTCOMES to their items, and date them.

    Parameters
    ----------
    items : DataFrame of shape (n_items, n_fields)
        DECLARATIONS.
    outcomes : DataFrame of shape (n_results, n_fields)
        OUTCOMES of some of them. Hits of documents, which are no labels of items, are
        left out; `LearnedHistory` counts them.
    label_delay : int, default=30
        Days from lodgement to the result where `known_at` is missing.
    ids : ndarray of uint64, shape (n_items,), default=None
        `smartrisk.items.item_ids` of the items, where they are already computed.

    Returns
    -------
    results : ItemResults
        One entry per result of an item, in the order of `outcomes`.

    Raises
    ------
    TableError
        If an outcome has no declaration, or the key of an item is not unique.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.features import join_results
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> results = join_results(world.declarations, world.outcomes)
    >>> len(results) == len(world.outcomes)
    True
    """
    items = read_table("join_results", "'items'", items)
    outcomes = read_table("join_results", "'outcomes'", outcomes)
    of_document = are_document_hits(outcomes)
    if of_document.any():
        outcomes = outcomes[~of_document]
    rows = positions_of(
        outcomes, items, table_ids=ids, owner="join_results", name="DECLARATIONS"
    )
    lost = np.flatnonzero(rows < 0)
    if len(lost):
        examples = outcomes["declaration_id"].iloc[lost[:5]].tolist()
        raise TableError(
            "features.results_without_item",
            "OUTCOMES: {n_results} results have no item in DECLARATIONS, such as "
            "declaration_id {examples}. Pass the declarations that were inspected, "
            "or drop these results.",
            n_results=len(lost),
            examples=format_values(examples),
        )
    given = outcomes.get("known_at")
    known = moments_known(
        items["lodged_at"].to_numpy()[rows],
        None if given is None else given.to_numpy(),
        label_delay,
    )
    amounts = outcomes.get("revenue_adjustment")
    revenue = np.zeros(len(rows)) if amounts is None else clean_amounts(amounts)
    return ItemResults(
        rows=rows,
        day=days(known),
        hits=outcomes["illicit"].to_numpy(np.int64),
        revenue=revenue,
        n_items=len(items),
        stated=stated_days(given, len(rows)),
        fiscal=are_fiscal(outcomes, revenue),
    )


def are_fiscal(
    outcomes: pd.DataFrame, revenue: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which amounts are evidence of how grave a finding is.

    A finding of drugs or of counterfeits has no duty to recover: its amount of 0 is no
    evidence. One without an area is taken to be about revenue, as most findings are.
    """
    if "area" not in outcomes:
        return np.ones(len(outcomes), bool)
    of_revenue = outcomes["area"].fillna("revenue") == "revenue"
    return of_revenue.to_numpy(bool) | (revenue > 0)


def stated_days(known_at: pd.Series | None, n_results: int) -> Int:
    """Return the day of `known_at` of every result, -1 where it was not recorded."""
    if known_at is None:
        return np.full(n_results, -1, np.int64)
    moments = known_at.to_numpy()
    return np.where(np.isnat(moments), -1, days(moments))


def check_same_items(owner: str, results: ItemResults, n_items: int) -> None:
    """Raise where joined results belong to another table: their rows would be wrong."""
    if results.n_items is not None and results.n_items != n_items:
        raise TableError(
            "features.results_of_other_items",
            "{owner}: 'outcomes' was joined to {n_joined} items, but X has {n_items}. "
            "Pass the table of OUTCOMES itself: it is joined by key, also where X is "
            "one fold of a cross-validation.",
            owner=owner,
            n_joined=results.n_items,
            n_items=n_items,
        )


def read_labels(owner: str, y: ArrayLike, n_items: int) -> NDArray[np.float64]:
    """Return labels as numbers, NaN where an item was not inspected."""
    try:
        labels = pd.Series(np.asarray(y).ravel()).to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "features.labels_not_numbers",
            "{owner}: y must be 1 for a hit, 0 for none and NaN where an item was not "
            "inspected ({problem}).",
            owner=owner,
            problem=str(error),
        ) from error
    if len(labels) != n_items:
        raise TableError(
            "features.labels_of_other_length",
            "{owner}: X has {n_items} items, y has {n_labels}. Pass one label per "
            "item, NaN where it was not inspected.",
            owner=owner,
            n_items=n_items,
            n_labels=len(labels),
        )
    return labels


def join_results_of_labelled(
    owner: str,
    items: pd.DataFrame,
    labels: NDArray[np.float64],
    outcomes: pd.DataFrame,
    *,
    label_delay: int,
) -> ItemResults:
    """Join the OUTCOMES of these items, and leave out those of others.

    A label without its result shows that the keys do not match, or that rows of
    `outcomes` were taken by position: scikit-learn does so where a table happens to
    have as many rows as X.
    """
    own = positions_of(outcomes, items, owner=owner, name="DECLARATIONS") >= 0
    results = join_results(items, outcomes[own], label_delay=label_delay)
    labelled = np.isfinite(labels)
    labelled[results.rows] = False
    if labelled.any():
        examples = items["declaration_id"].to_numpy()[labelled][:5].tolist()
        raise TableError(
            "features.label_without_result",
            "{owner}: {n_labels} items have a label in y but no result in 'outcomes', "
            "such as declaration_id {examples}. Pass the results of all labelled items."
            " In a cross-validation, 'outcomes' must be in the order of X where it has "
            "as many rows: scikit-learn cuts it like y.",
            owner=owner,
            n_labels=int(labelled.sum()),
            examples=format_values(examples),
        )
    return results


def results_from_labels(
    y: NDArray[np.float64], lodged: Int, label_delay: int
) -> ItemResults:
    """Return labels that are aligned with the items as results; NaN is not inspected.

    They are known `label_delay` days after lodgement, by the rule of `moments_known`.
    """
    rows = np.flatnonzero(np.isfinite(y))
    return ItemResults(
        rows=rows,
        day=lodged[rows] + label_delay,
        hits=(y[rows] > 0).astype(np.int64),
        revenue=np.zeros(len(rows)),
    )
