"""Detection effort: hits and revenue found for every share of items inspected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, check_number
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Float,
    align_rows,
    check_some_known,
    match_results,
    read_rankings,
    unique_keys,
)
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table


@dataclass(frozen=True, eq=False, repr=False)
class EffortCurve(Result):
    """What share of hits and revenue is found for a share of items inspected.

    Parameters
    ----------
    _table : DataFrame
        One row per contender and share of items.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import effort_curve
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> curve = effort_curve({"rule": key.assign(risk_score=[4, 3, 2, 1])},
    ...                      key.assign(illicit=[1, 0, 1, 0]))
    >>> float(curve.area()["rule"])
    0.625
    """

    _table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per contender and share of items.

        Returns
        -------
        frame : DataFrame
            contender ("oracle" and "random" among them), inspected, hits_share,
            revenue_share.
        """
        return self._table.copy()

    def area(self) -> pd.Series:
        """Return the area under the curve of hits, by contender: 0.5 is chance.

        Returns
        -------
        area : Series
            By the trapezoidal rule.
        """
        out = {}
        for name, part in self._table.groupby("contender", sort=False):
            x, y = part["inspected"].to_numpy(), part["hits_share"].to_numpy()
            out[str(name)] = float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())
        return pd.Series(out)

    def __repr__(self) -> str:
        """Return the number of contenders."""
        return f"EffortCurve({self._table['contender'].nunique()} contenders)"


def effort_curve(
    contenders: Mapping[str, TableInput],
    outcomes: TableInput,
    *,
    n_points: int = 100,
) -> EffortCurve:
    """Return what is found for the effort, for every capacity at once.

    Parameters
    ----------
    contenders : mapping of str to DataFrame
        SCORES of the same items, one row each, in any order; hits are ranked by
        `risk_score`, revenue by `expected_revenue` where it has values.
    outcomes : DataFrame
        OUTCOMES, joined by key; items without one are left out.
    n_points : int, default=100
        Number of shares of items, 0 not counted, at which the curve is given.

    Returns
    -------
    curve : EffortCurve
        With the oracle and a random choice.

    Raises
    ------
    ArgumentError
        If there is no contender.
    TableError
        If the contenders do not score the same items, a key is repeated, a score is
        missing, or no item has a result.

    Notes
    -----
    Tied items share the hits among them. The curve of hits is the cumulative gains
    curve, the detection-effort curve of defect prediction.

    References
    ----------
    Arisholm, E., Briand, L. C., Johannessen, E. B. (2010). A systematic and
    comprehensive investigation of methods to build and evaluate fault prediction
    models. Journal of Systems and Software 83.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import effort_curve
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> curve = effort_curve({"rule": key.assign(risk_score=[4, 3, 2, 1])},
    ...                      key.assign(illicit=[1, 0, 1, 0]), n_points=2)
    >>> curve.frame()["hits_share"].tolist()
    [0.0, 0.5, 1.0, 0.0, 1.0, 1.0, 0.0, 0.5, 1.0]
    """
    outcomes = read_table("effort_curve", "'outcomes'", outcomes)
    check_number("effort_curve", "n_points", n_points, low=1, integer=True)
    if not contenders:
        raise ArgumentError(
            "evaluation.no_contender",
            "effort_curve: 'contenders' must hold at least one; got none. Pass a "
            "mapping from names to SCORES.",
        )
    tables = {
        name: read_table("effort_curve", f"{name!r}", scores)
        for name, scores in contenders.items()
    }
    first, scores = next(iter(tables.items()))
    keys = unique_keys("effort_curve", f"{first!r}", scores)
    results = match_results("effort_curve", keys, outcomes)
    known = results.known
    check_some_known("effort_curve", known)
    hit, revenue = results.hit[known], results.amounts()[known]
    shares = np.linspace(0, 1, n_points + 1)
    parts = []
    for name, scores in tables.items():
        rows = align_rows("effort_curve", f"{name!r}", scores, keys)
        rankings = read_rankings("effort_curve", f"{name!r}", rows, known)
        hit_share = _gains(rankings[RANKINGS[0]][known], hit, shares)
        by_worth = rankings.get(RANKINGS[1], rankings[RANKINGS[0]])
        parts.append(
            _rows(name, shares, hit_share, _gains(by_worth[known], revenue, shares))
        )
    flat = np.zeros(len(hit))
    for name, by_hit, by_revenue in (("oracle", hit, revenue), ("random", flat, flat)):
        hit_share = _gains(by_hit, hit, shares)
        parts.append(
            _rows(name, shares, hit_share, _gains(by_revenue, revenue, shares))
        )
    return EffortCurve(pd.concat(parts, ignore_index=True))


def _rows(
    name: str, shares: Float, hit_share: Float, revenue_share: Float
) -> pd.DataFrame:
    """Return the rows of one contender."""
    return pd.DataFrame(
        {
            "contender": name,
            "inspected": shares,
            "hits_share": hit_share,
            "revenue_share": revenue_share,
        }
    )


def _gains(score: Float, value: Float, shares: Float) -> Float:
    """Return the share of a sum that is found among the best shares of the items."""
    total = value.sum()
    # Tied items have the mean of their values: the sum over all their orders.
    _, group = np.unique(-score, return_inverse=True)
    n = np.bincount(group)
    at = np.append(0.0, np.cumsum(n)) / len(score)
    gained = np.append(0.0, np.cumsum(np.bincount(group, value)))
    found = np.interp(shares, at, gained / total if total > 0 else gained * np.nan)
    return np.asarray(found, np.float64)
