"""Figures of a ranking in every month or week, with the capacity of that period."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import TableError, check_choice, check_number
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Float,
    match_results,
    match_values,
    read_rankings,
    unique_keys,
)
from smartrisk.evaluation._ranking import count_at, expected_sum, sum_at
from smartrisk.intervals import wilson_interval
from smartrisk.results import Result
from smartrisk.schema import KEY, TableInput
from smartrisk.tables import read_table

_PERIODS = {"week": "W-SUN", "month": "M", "quarter": "Q", "all": ""}
#: Inspections, or hits, below which a rate is marked: its standard error can be as
#: large as 9 percentage points.
_FEW = 30


@dataclass(frozen=True, eq=False, repr=False)
class Periods(Result):
    """Measures of a ranking by period.

    Parameters
    ----------
    _table : DataFrame
        One row per period and ranking.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import by_period
    >>> key = pd.DataFrame({"declaration_id": list("abcd")})
    >>> days = pd.to_datetime(["2024-01-03", "2024-01-09", "2024-02-01", "2024-02-02"])
    >>> result = by_period(key.assign(risk_score=[0.9, 0.1, 0.2, 0.8]),
    ...                    key.assign(illicit=[1, 0, 1, 0]), days, rate=1)
    >>> result.frame()["precision"].tolist()
    [1.0, 0.0]
    """

    _table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per period and ranking, in the order of time.

        Returns
        -------
        frame : DataFrame
            period (the month or quarter, or the Monday of the week), rank_by, n_items,
            n_judged (with a result), n_inspected, hits (all of the judged), precision
            and recall with ``_low`` and ``_high`` (Wilson, 95 %), revenue_share, lift,
            norm_precision, norm_revenue, net_benefit (national currency), and a note
            where counts are low.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        """Return the number of periods."""
        return f"Periods({self._table['period'].nunique()} periods)"


def by_period(
    scores: TableInput,
    outcomes: TableInput,
    lodged_at: pd.DataFrame | pd.Series | ArrayLike,
    *,
    period: str = "month",
    rate: float = 0.05,
    cost: float = 0.0,
    ties: str = "expected",
) -> Periods:
    """Judge one ranking in every period, each with its own capacity.

    Use it to see whether figures hold over time. Items of one period compete with each
    other only, as in daily work.

    Parameters
    ----------
    scores : DataFrame
        SCORES, one row per item; ranked by `risk_score` and, when it has values, by
        `expected_revenue`.
    outcomes : DataFrame
        OUTCOMES; items without one are counted and not judged.
    lodged_at : DataFrame, Series or array-like of shape (n_items,)
        When each item was lodged: DECLARATIONS (the key and `lodged_at`), joined by
        key, or days in the order of `scores`.
    period : str, default="month"
        "week" (from Monday), "month", "quarter", or "all" for one row of everything.
    rate : float or int, default=0.05
        Share of the judged items of a period, or number of them.
    cost : float, default=0.0
        Cost of one control, in national currency.
    ties : str, default="expected"
        "expected" for the mean over all orders of tied items; "first" for those whose
        key comes first, whatever the order of the rows.

    Returns
    -------
    result : Periods
        One row per period and ranking.

    Raises
    ------
    TableError
        If columns or dates are missing, `lodged_at` is not of the items, a key is
        repeated, or a score of a judged item is missing.
    ArgumentError
        If an argument is outside what is allowed.

    See Also
    --------
    evaluate : All periods at once, at several rates.
    backtest : With a model that is fitted again as time goes on.

    Notes
    -----
    Denominators are those of the period: precision is out of its inspections, recall
    and revenue share out of its judged hits and revenue, lift out of its hit rate.
    Their means over periods are not the figures of the whole. The normalised recall is
    the normalised precision: both are hits found over hits that an oracle would find.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> items = world.declarations
    >>> scores = items[["declaration_id", "item_number"]].assign(
    ...     risk_score=items["duty_rate"])
    >>> truth = world.full_outcomes()
    >>> table = sr.evaluation.by_period(scores, truth, items).frame()
    >>> bool(table["n_items"].sum() == 3_000)
    True
    """
    scores = read_table("by_period", "'scores'", scores)
    outcomes = read_table("by_period", "'outcomes'", outcomes)
    check_choice("by_period", "period", period, tuple(_PERIODS))
    check_number("by_period", "cost", cost, low=0.0)
    data = _judged_items(scores, outcomes)
    days = match_values(
        "by_period", "lodged_at", lodged_at, data[list(KEY)], "lodged_at"
    )
    data["period"] = _period_names(days, period)
    # Which of tied items comes first then depends on their keys, not on their order.
    data = data.sort_values(list(KEY), kind="stable")
    rankings = [name for name in RANKINGS if name in data]
    rows = []
    for name, part in data.groupby("period", sort=True):
        judged = part[part["known"]]
        rows += [
            {
                "period": name,
                "rank_by": ranking,
                "n_items": len(part),
                **_measures(judged, ranking, rate, cost, ties),
            }
            for ranking in rankings
        ]
    return Periods(_with_intervals(pd.DataFrame(rows)))


def _judged_items(scores: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return keys, results and rankings, in the order of the scores."""
    if not len(scores):
        raise TableError(
            "evaluation.no_items",
            "by_period: SCORES has no items; pass at least one.",
        )
    keys = unique_keys("by_period", "SCORES", scores)
    results = match_results("by_period", keys, outcomes)
    rankings = read_rankings("by_period", "SCORES", scores, results.known)
    data = keys.assign(known=results.known, illicit=results.hit, **rankings)
    return data if results.revenue is None else data.assign(revenue=results.revenue)


def _period_names(days: pd.Series, period: str) -> str | NDArray[np.object_]:
    """Return the period of every item."""
    lodged = pd.Series(pd.to_datetime(days.to_numpy()))
    if lodged.isna().any():
        raise TableError(
            "evaluation.days_missing",
            "by_period: 'lodged_at' is missing for {n_missing} of {n_items} items. "
            "Fill it in, or leave the items out.",
            n_missing=int(lodged.isna().sum()),
            n_items=len(lodged),
        )
    if period == "all":
        return "all"
    spans = lodged.dt.to_period(_PERIODS[period])
    if period == "week":
        return np.asarray(spans.dt.start_time.dt.strftime("%Y-%m-%d"), dtype=object)
    return np.asarray(spans.astype("str"), dtype=object)


def _measures(
    judged: pd.DataFrame, ranking: str, rate: float, cost: float, ties: str
) -> dict[str, float]:
    """Return the measures of the judged items of a period."""
    score = judged[ranking].to_numpy(np.float64)
    y = judged["illicit"].to_numpy(np.float64)
    k, hits = count_at(rate, len(y)), float(y.sum())
    found = sum_at(score, y, k, ties)
    row = {
        "n_judged": len(y),
        "n_inspected": k,
        "hits": int(hits),
        "precision": _over(found, k),
        "recall": _over(found, hits),
        "revenue_share": math.nan,
        "lift": _over(found * len(y), k * hits),
        "norm_precision": _over(found, min(k, hits)),
        "norm_revenue": math.nan,
        "net_benefit": math.nan,
    }
    if "revenue" in judged:
        revenue: Float = judged["revenue"].to_numpy(np.float64)
        recovered = sum_at(score, revenue, k, ties)
        row["revenue_share"] = _over(recovered, float(revenue.sum()))
        row["norm_revenue"] = _over(recovered, expected_sum(revenue, revenue, k))
        row["net_benefit"] = recovered - cost * k
    return row


def _over(part: float, whole: float) -> float:
    """Return a share, NaN where the denominator is 0."""
    return part / whole if whole > 0 else math.nan


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with Wilson's intervals, and a note where counts are low."""
    for name, size in (("precision", "n_inspected"), ("recall", "hits")):
        n = table[size].to_numpy(np.float64)
        low, high = wilson_interval(table[name], np.where(n > 0, n, np.nan))
        place = list(table.columns).index(name)
        table.insert(place + 1, f"{name}_low", low)
        table.insert(place + 2, f"{name}_high", high)
    sizes = table[["n_judged", "n_inspected", "hits"]].to_numpy()
    table["note"] = [_note(*map(int, row)) for row in sizes]
    return table


def _note(judged: int, inspected: int, hits: int) -> str:
    """Return a note on which counts are low."""
    if not judged:
        return "no item with a result"
    pairs = (("inspections", inspected), ("hits", hits))
    few = [name for name, n in pairs if n < _FEW]
    return f"fewer than {_FEW} {' and '.join(few)}" if few else ""
