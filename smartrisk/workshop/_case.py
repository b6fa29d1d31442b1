"""The item that the lab on reasons looks at."""

from __future__ import annotations

from typing import Any

import pandas as pd

from smartrisk.explanations import counterfactuals
from smartrisk.schema import KEY

#: Items of the highest risk among which a case is looked for.
_N_CANDIDATES = 60
#: Goods of less are no case that officers would discuss, while there is another.
_LEAST_VALUE = 1_000.0


def choose_case(
    engine: Any, past: pd.DataFrame, new: pd.DataFrame, capacity: int
) -> pd.DataFrame:
    """Return the item of the highest risk that the usual customs value would release.

    Parameters
    ----------
    engine : RiskEngine
        A fitted engine.
    past, new : DataFrame
        DECLARATIONS before today, and from today on.
    capacity : int
        How many of the new items can be controlled.

    Returns
    -------
    case : DataFrame of one row
        DECLARATIONS.
    """
    ranked = engine.score(new).sort_values("risk_score", ascending=False, kind="stable")
    limit = float(ranked["risk_score"].iloc[capacity - 1])
    first = new.loc[ranked.index[:_N_CANDIDATES]]
    changes = counterfactuals(first, engine.score, past).frame()
    by_value = changes["field"] == "customs_value"
    released = changes.loc[by_value & (changes["risk_instead"] < limit), list(KEY)]
    keys = set(released.itertuples(index=False, name=None))
    fits = [key in keys for key in first[list(KEY)].itertuples(index=False, name=None)]
    cases = first[fits]
    large = cases[cases["customs_value"] >= _LEAST_VALUE]
    case: pd.DataFrame = pd.concat([large, cases, first]).head(1)
    return case
