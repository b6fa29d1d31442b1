"""Items that a score neither clearly selects nor clearly releases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, TableError, format_values
from smartrisk.items import item_ids
from smartrisk.schema import KEY, TableInput
from smartrisk.tables import read_table

#: Channels that the model selects for.
_CONTROLLED = ("red", "yellow")


def mark_undecided(scores: TableInput, decisions: TableInput) -> NDArray[np.bool_]:
    """Return which items are too close to the cut for the score to decide alone.

    The cut is the lowest `risk_score` that the model selected. An item is undecided
    where its interval, from `score_lower` to `score_upper`, holds the cut: within what
    is known of the score, it could as well be on the other side. Show such items to an
    officer. No decision changes.

    Parameters
    ----------
    scores : DataFrame of shape (n_items, n_columns)
        SCORES of the items.
    decisions : DataFrame of shape (n_items, n_columns)
        DECISIONS on the same items, in the same order, by a policy that ranks by risk.

    Returns
    -------
    undecided : ndarray of bool, shape (n_items,)
        All False where the model selected nothing; False for an item without an
        interval.

    Raises
    ------
    ArgumentError
        If the tables are not of the same items in the same order.
    TableError
        If there is no `risk_score`, or neither `channel` nor `selected_by`.

    Notes
    -----
    Under a policy that ranks by revenue, or that divides its capacity among offices,
    there is no one cut: the lowest score that was selected anywhere makes the band
    wide.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.selectivity import Policy, mark_undecided
    >>> scores = pd.DataFrame({"declaration_id": list("abcd"),
    ...                        "risk_score": [0.1, 0.9, 0.5, 0.4],
    ...                        "score_lower": [0.0, 0.7, 0.3, 0.2],
    ...                        "score_upper": [0.2, 1.0, 0.7, 0.6]})
    >>> decisions = Policy(capacity=2, random_share=0.0).select(scores)
    >>> mark_undecided(scores, decisions).tolist()
    [False, False, True, True]
    """
    scored = read_table("mark_undecided", "'scores'", scores)
    decided = read_table("mark_undecided", "'decisions'", decisions)
    if len(scored) != len(decided):
        raise ArgumentError(
            "selectivity.decisions_not_aligned",
            "mark_undecided: {n_decisions} decisions for {n_scores} scores; they must "
            "be of the same items, in the same order.",
            n_decisions=len(decided),
            n_scores=len(scored),
        )
    shared = [name for name in KEY if name in scored and name in decided]
    if "declaration_id" in shared:
        other = item_ids(scored[shared]) != item_ids(decided[shared])
        if other.any():
            documents = scored["declaration_id"][other].head(5).tolist()
            raise ArgumentError(
                "selectivity.decisions_of_other_items",
                "mark_undecided: {n_other} decisions are of another item than the "
                "score in the same row, such as those of the documents {documents}; "
                "pass both tables in the same order.",
                n_other=int(other.sum()),
                documents=format_values(documents),
            )
    has_decision = "channel" in decided or "selected_by" in decided
    if "risk_score" not in scored or not has_decision:
        raise TableError(
            "selectivity.mark_undecided_columns_absent",
            "mark_undecided: SCORES need 'risk_score', and DECISIONS 'channel' or "
            "'selected_by'.",
        )
    if not {"score_lower", "score_upper"} <= set(scored):
        return np.zeros(len(scored), bool)
    selected = np.ones(len(decided), bool)
    if "channel" in decided:
        selected &= decided["channel"].isin(_CONTROLLED).to_numpy(bool)
    if "selected_by" in decided:
        selected &= decided["selected_by"].eq("model").to_numpy(bool, na_value=False)
    if not selected.any():
        return np.zeros(len(scored), bool)
    risk, lower, upper = (
        scored[name].to_numpy(np.float64, na_value=np.nan)
        for name in ("risk_score", "score_lower", "score_upper")
    )
    cut = risk[selected].min()
    return np.asarray((lower <= cut) & (cut <= upper))
