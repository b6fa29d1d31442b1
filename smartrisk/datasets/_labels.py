"""Controlled items with their results, in one frame."""

from __future__ import annotations

import pandas as pd

from smartrisk.errors import TableError, format_values
from smartrisk.items import join_by_key
from smartrisk.schema import TableInput
from smartrisk.tables import read_table


def join_labels(declarations: TableInput, outcomes: TableInput) -> pd.DataFrame:
    """Return the controlled items with their results, for a first look or own models.

    `RiskEngine` takes both tables as they are and needs no such frame.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        DECLARATIONS.
    outcomes : DataFrame of shape (n_results, n_columns)
        OUTCOMES.

    Returns
    -------
    frame : DataFrame
        Rows of `declarations` whose item has a known `illicit`, in their order and with
        their index, and the columns of `outcomes` that the declarations lack. Items
        that nobody controlled are not among them: they are unknown, not compliant.

    Raises
    ------
    TableError
        If a column is missing, a key appears twice in the results, or no result belongs
        to an item.

    Warnings
    --------
    What comes from OUTCOMES became known after the control: `illicit` is the target,
    and none of the other columns may be a feature.

    See Also
    --------
    smartrisk.windows.time_split : Cut both tables at a day first.

    Examples
    --------
    >>> from smartrisk.datasets import join_labels, make_declarations
    >>> world = make_declarations(2_000, random_state=0)
    >>> frame = join_labels(world.declarations, world.outcomes)
    >>> len(frame) == len(world.outcomes), sorted(frame["illicit"].unique().tolist())
    (True, [0, 1])
    """
    items = read_table("join_labels", "'declarations'", declarations)
    results = read_table("join_labels", "'outcomes'", outcomes)
    if "illicit" not in results:
        raise TableError(
            "datasets.no_label",
            "join_labels: OUTCOMES lack the column 'illicit'. They have {columns}. "
            "Name your own column with ColumnMap.",
            columns=format_values(results.columns),
        )
    results = results[results["illicit"].notna()]
    frame = join_by_key(
        items, results, how="inner", owner="join_labels", name="OUTCOMES"
    )
    if not len(frame) and len(results):
        raise TableError(
            "datasets.labels_of_no_item",
            "join_labels: none of the {n_results} results has its item in "
            "DECLARATIONS, such as declaration_id {examples}. Compare how the keys are "
            "written in both tables.",
            n_results=len(results),
            examples=format_values(results["declaration_id"].tolist()),
        )
    return frame
