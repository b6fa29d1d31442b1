"""How a ranking did in every month or week, with the capacity of that period."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import TableError, check_choice, check_number, format_values
from smartrisk.evaluation._calibration import wilson_interval
from smartrisk.evaluation._logged_decisions import Float, aligned, numbered
from smartrisk.evaluation._ranking import count_at, expected_sum, sum_at
from smartrisk.results import Result
from smartrisk.schema import KEY

_PERIODS = {"week": "W-SUN", "month": "M", "quarter": "Q", "all": ""}
_RANKINGS = ("risk_score", "expected_revenue")
#: Inspections, or hits, below which a rate says little.
_FEW = 30


@dataclass(frozen=True, eq=False, repr=False)
class Periods(Result):
    """Measures of a ranking by period.

    Parameters
    ----------
    table : DataFrame
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

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per period and ranking, in the order of time.

        Returns
        -------
        frame : DataFrame
            period (the month or quarter, or the Monday of the week), rank_by, n_items,
            n_judged (with a result), n_inspected, hits (all of the judged), precision
            and recall with ``_low`` and ``_high`` (Wilson, 95 %), revenue_share, lift,
            norm_precision, norm_revenue, net_benefit (national currency), and a note
            where there are few.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        return f"Periods({self.table['period'].nunique()} periods)"


def by_period(
    scores: pd.DataFrame,
    outcomes: pd.DataFrame,
    lodged_at: Any,
    *,
    period: str = "month",
    rate: float = 0.05,
    cost: float = 0.0,
    ties: str = "expected",
) -> Periods:
    """Judge one ranking in every period, each with a capacity of its own.

    Use it to see whether figures hold over time. Items of one period compete with each
    other only, as they do in service.

    Parameters
    ----------
    scores : DataFrame
        SCORES; ranked by `risk_score` and, when there, by `expected_revenue`.
    outcomes : DataFrame
        OUTCOMES; items without one are counted and not judged.
    lodged_at : Series or array-like of shape (n_items,)
        When each item was lodged, aligned with `scores`.
    period : str, default="month"
        "week" (from Monday), "month", "quarter", or "all" for one row of everything.
    rate : float or int, default=0.05
        Share of the judged items of a period, or number of them.
    cost : float, default=0.0
        Of one control, in national currency.
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
        If columns or dates are missing, `lodged_at` is not aligned, a key is there
        twice, or a score of a judged item is missing.
    ArgumentError
        If an argument is outside what it allows.

    See Also
    --------
    evaluate : All periods at once, at several rates.
    backtest : With a model that is fitted anew as time goes on.

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
    >>> table = sr.evaluation.by_period(scores, truth, items["lodged_at"]).frame()
    >>> bool(table["n_items"].sum() == 3_000)
    True
    """
    check_choice("by_period", "period", period, tuple(_PERIODS))
    check_number("by_period", "cost", cost, low=0.0)
    data = _judged(scores, outcomes)
    data["period"] = _names(lodged_at, period, len(data))
    # Whichever of tied items stands first is then a matter of keys, not of files.
    data = data.sort_values(list(KEY), kind="stable")
    rankings = [name for name in _RANKINGS if name in data]
    rows = []
    for name, part in data.groupby("period", sort=True):
        known = part[part["illicit"].notna()]
        rows += [
            {
                "period": name,
                "rank_by": ranking,
                "n_items": len(part),
                **_measures(known, ranking, rate, cost, ties),
            }
            for ranking in rankings
        ]
    return Periods(_with_intervals(pd.DataFrame(rows)))


def _judged(scores: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return scores with results, in the order of the scores."""
    needed = (("SCORES", scores, "risk_score"), ("OUTCOMES", outcomes, "illicit"))
    for name, frame, column in needed:
        gone = [c for c in ("declaration_id", column) if c not in frame]
        if gone:
            raise TableError(
                "evaluation.lacks_columns_3",
                "by_period: {name} lacks the columns {gone}.",
                name=name,
                gone=format_values(gone),
            )
    if not len(scores):
        raise TableError(
            "evaluation.scores_items",
            "by_period: SCORES has no items; pass at least one.",
        )
    keys = numbered(scores)[list(KEY)].reset_index(drop=True)
    kept = ["illicit", "revenue_adjustment"]
    results = numbered(outcomes)[[*KEY, *(c for c in kept if c in outcomes)]]
    if results.duplicated(list(KEY)).any():
        raise TableError(
            "evaluation.outcomes_repeats_key_keep_2",
            "by_period: OUTCOMES repeats a key; keep one result per item.",
        )
    data = keys.merge(results, on=list(KEY), how="left")
    told = aligned("by_period", "SCORES", scores, keys)
    known = data["illicit"].notna()
    for name in _RANKINGS:
        if name not in told:
            continue
        lost = known & told[name].isna()
        if lost.any():
            raise TableError(
                "evaluation.column_scores_missing_judged",
                "by_period: column {name!r} of SCORES is missing for {lost} judged "
                "items, as {loc}. Score them, or leave them out.",
                name=name,
                lost=int(lost.sum()),
                loc=format_values(keys.loc[lost, "declaration_id"].tolist()),
            )
        data[name] = told[name]
    return data


def _names(lodged_at: Any, period: str, n_items: int) -> Any:
    """Return the period of every item."""
    days = pd.Series(pd.to_datetime(np.asarray(lodged_at)))
    if len(days) != n_items or days.isna().any():
        raise TableError(
            "evaluation.lodged_at_values_items_them",
            "by_period: 'lodged_at' has {n_days} values for {n_items} items, "
            "{value} of them missing; align it with the scores.",
            n_days=len(days),
            n_items=n_items,
            value=int(days.isna().sum()),
        )
    if period == "all":
        return "all"
    names = days.dt.to_period(_PERIODS[period])
    if period == "week":
        return names.dt.start_time.dt.strftime("%Y-%m-%d").to_numpy()
    return names.astype("str").to_numpy()


def _measures(
    known: pd.DataFrame, ranking: str, rate: float, cost: float, ties: str
) -> dict[str, float]:
    """Return the measures of the judged items of a period."""
    score = known[ranking].to_numpy(np.float64)
    y = known["illicit"].to_numpy(np.float64)
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
    if "revenue_adjustment" in known:
        amounts = known["revenue_adjustment"].to_numpy(np.float64)
        revenue: Float = np.maximum(np.nan_to_num(amounts), 0.0)
        got = sum_at(score, revenue, k, ties)
        row["revenue_share"] = _over(got, float(revenue.sum()))
        row["norm_revenue"] = _over(got, expected_sum(revenue, revenue, k))
        row["net_benefit"] = got - cost * k
    return row


def _over(part: float, whole: float) -> float:
    """Return a share, NaN of nothing."""
    return part / whole if whole > 0 else math.nan


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Add Wilson's intervals, and a note where there are few."""
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
    """Say what there is little of."""
    if not judged:
        return "no item with a result"
    pairs = (("inspections", inspected), ("hits", hits))
    few = [name for name, n in pairs if n < _FEW]
    return f"fewer than {_FEW} {' and '.join(few)}" if few else ""
