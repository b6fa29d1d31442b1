"""What SCORES rest on: results, few results, or none yet."""

from __future__ import annotations

from smartrisk.schema import STAGES, TableInput
from smartrisk.tables import read_table


def stage_of(scores: TableInput) -> str:
    """Return what SCORES rest on: the least of `smartrisk.schema.STAGES` they state.

    Parameters
    ----------
    scores : DataFrame, Arrow table or mapping of columns
        SCORES.

    Returns
    -------
    stage : str
        "no results", "few results" or "model"; "model" where they state none.

    Raises
    ------
    TableError
        If the argument is no table.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.items import stage_of
    >>> stage_of(pd.DataFrame({"risk_score": [0.4], "stage": ["no results"]}))
    'no results'
    """
    frame = read_table("stage_of", "'scores'", scores)
    found = set(frame["stage"]) if "stage" in frame else set()
    return next((stage for stage in STAGES if stage in found), "model")
