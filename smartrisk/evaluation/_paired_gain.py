"""Two rankings of the same items: by how much one is better, with an interval."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from smartrisk.errors import ArgumentError, TableError, check_number, suggest_nearest
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Bool,
    Float,
    align_rows,
    check_columns,
    check_none_missing,
    check_some_known,
    match_results,
    match_values,
    numbers_of,
    unique_keys,
)
from smartrisk.evaluation._ranking import calibration_error, count_at, weighted_curve
from smartrisk.intervals import percentile_interval, resampled_counts
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

_AT_RATE = re.compile(
    r"(precision|recall|revenue_share)_at_"
    r"(?:(?P<percent>\d+(?:_\d+)?)pct|(?P<items>\d+)items)(?P<by>_by_revenue)?"
)
#: Measures without a rate, and whether greater is better.
_OVERALL = {
    "roc_auc": True,
    "average_precision": True,
    "brier": False,
    "calibration_error": False,
}
_MEASURES = ("precision", "recall", "revenue_share")
#: What is shown next to the metric of a comparison: the rates of `evaluate`.
_USUAL = (
    *(
        f"{measure}_at_{rate}pct"
        for rate in ("01", "05", "10")
        for measure in _MEASURES
    ),
    *_OVERALL,
)
#: Groups below which no interval is given: a bootstrap of fewer is too narrow.
_FEWEST_GROUPS = 20
#: Replicates whose weights are held in memory at once.
_AT_ONCE = 50

#: A measure of every replicate, from the weights of the items in each.
_Measure: TypeAlias = Callable[[Float], Float]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure of `Evaluation.to_dict` that states how good a ranking is.

    Parameters
    ----------
    name : str
        Its name, such as ``precision_at_05pct``.
    measure : str
        "precision", "recall", "revenue_share", or the name of a measure without a rate.
    rate : float or int, default=None
        Share or number of inspected items; None for a measure without a rate.
    rank_by : str, default="risk_score"
        Column of SCORES that ranks the items.
    greater_is_better : bool, default=True
        Direction of the figure.

    Examples
    --------
    >>> from smartrisk.evaluation import read_metric
    >>> metric = read_metric("recall_at_100items_by_revenue")
    >>> metric.measure, metric.rate, metric.rank_by
    ('recall', 100, 'expected_revenue')
    """

    name: str
    measure: str
    rate: float | None = None
    rank_by: str = RANKINGS[0]
    greater_is_better: bool = True


def read_metric(name: str) -> Metric:
    """Return the metric of a name, as `Evaluation.to_dict` and tracking name it.

    Parameters
    ----------
    name : str
        ``precision_at_05pct``, ``recall_at_100items``, ``revenue_share_at_0_5pct``,
        each with ``_by_revenue`` where `expected_revenue` ranks; ``roc_auc``,
        ``average_precision``, ``brier`` or ``calibration_error``.

    Returns
    -------
    metric : Metric
        Measure, rate, ranking and direction.

    Raises
    ------
    ArgumentError
        If no metric has this name.

    Examples
    --------
    >>> from smartrisk.evaluation import read_metric
    >>> read_metric("precision_at_05pct").rate
    0.05
    >>> read_metric("brier").greater_is_better
    False
    """
    if name in _OVERALL:
        return Metric(name=name, measure=name, greater_is_better=_OVERALL[name])
    found = _AT_RATE.fullmatch(name) if isinstance(name, str) else None
    rate = None if found is None else _read_rate(found)
    if found is None or rate is None:
        known = [*_OVERALL, "precision_at_05pct", "recall_at_05pct"]
        known += ["revenue_share_at_05pct", "precision_at_100items"]
        raise ArgumentError(
            "evaluation.unknown_metric",
            "{name!r} is not a metric that ranks models: use precision, recall or "
            "revenue_share with a rate up to 100 %, such as precision_at_05pct, "
            "recall_at_0_5pct, revenue_share_at_100items or "
            "precision_at_05pct_by_revenue; or roc_auc, average_precision, brier, "
            "calibration_error.{hint}",
            name=name,
            hint=suggest_nearest(str(name), known),
        )
    rank_by = RANKINGS[1] if found["by"] else RANKINGS[0]
    return Metric(name=name, measure=found[1], rate=rate, rank_by=rank_by)


def _read_rate(found: re.Match[str]) -> float | None:
    """Return a rate of a name; None where it is none."""
    if found["items"]:
        return int(found["items"]) or None
    # Rounded as `rate_name` rounds, so that 0.07 is 0.07 and not 7 / 100 in binary.
    share = round(float(found["percent"].replace("_", ".")) / 100, 6)
    return share if 0 < share <= 1 else None


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PairedGain(Result):
    """By how much a challenger is better than a champion on the same items.

    Parameters
    ----------
    metric : Metric
        What was compared.
    challenger, champion : float
        The figure of each.
    gain : float
        Difference in the better direction: positive where the challenger is better.
    low, high : float
        Bounds of the gain; NaN where there are too few groups to resample.
    confidence : float
        Probability of the interval.
    n_items : int
        Items with a result.
    n_hits : int
        Hits among them.
    n_groups : int
        Groups that were resampled.
    _others : DataFrame
        Both figures of all other metrics at the usual rates, without intervals.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> gain = sr.evaluation.paired_gain(
    ...     key.assign(risk_score=world.declarations["duty_rate"]),
    ...     key.assign(risk_score=0.5), world.full_outcomes(), metric="roc_auc",
    ...     n_bootstrap=50)
    >>> gain.champion
    0.5
    """

    metric: Metric
    challenger: float
    champion: float
    gain: float
    low: float
    high: float
    confidence: float
    n_items: int
    n_hits: int
    n_groups: int
    _others: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """Return one row per metric, that of the comparison first.

        Returns
        -------
        frame : DataFrame
            metric, challenger, champion, gain (positive where the challenger is
            better), low, high (given for the metric of the comparison only: the best of
            many intervals would flatter).
        """
        columns = ["metric", "challenger", "champion", "gain", "low", "high"]
        first = [self.metric.name, self.challenger, self.champion]
        own = pd.DataFrame([[*first, self.gain, self.low, self.high]], columns=columns)
        others = self._others.assign(low=math.nan, high=math.nan)
        return pd.concat([own, others], ignore_index=True)[columns]

    def __repr__(self) -> str:
        """Return the gain and its interval."""
        return (
            f"PairedGain({self.metric.name} {self.gain:+.4f} "
            f"[{self.low:+.4f}, {self.high:+.4f}], {self.n_items} items)"
        )


def paired_gain(
    challenger: TableInput,
    champion: TableInput,
    outcomes: TableInput,
    *,
    metric: str = "precision_at_05pct",
    groups: pd.DataFrame | pd.Series | ArrayLike | None = None,
    confidence: float = 0.95,
    n_bootstrap: int = 2_000,
    random_state: int = 0,
) -> PairedGain:
    """Compare two rankings of the same items by one metric, with a paired interval.

    Use it to decide whether a new model replaces the one in service. State the metric
    before you look.

    Parameters
    ----------
    challenger, champion : DataFrame
        SCORES of the same items, in any order.
    outcomes : DataFrame
        OUTCOMES; items without one are left out.
    metric : str, default="precision_at_05pct"
        What to compare: see `read_metric`.
    groups : DataFrame, Series or array-like of shape (n_items,), default=None
        What to resample as a whole, such as the importer: a table with the key and
        ``group``, or values in the order of `challenger`; a missing one is a group of
        its own. None for declarations.
    confidence : float, default=0.95
        Probability of the two-sided interval.
    n_bootstrap : int, default=2000
        Replicates.
    random_state : int, default=0
        Seed of the replicates.

    Returns
    -------
    gain : PairedGain
        The gain, its interval, and both figures of other metrics.

    Raises
    ------
    TableError
        If the tables are not of the same items, a score is missing, no item has a
        result, or revenue is asked for and there is none.
    ArgumentError
        If the metric is unknown, or an argument is outside what is allowed.

    Warns
    -----
    LeakageWarning
        If a model has learned from results that it is judged by.

    See Also
    --------
    compare_policies : Decisions instead of scores.
    Backtest.compare : Contenders that are fitted again, week by week.

    Notes
    -----
    Both rankings are judged on the same draws, so that what they share cancels; each
    draw selects again at the rate. Items of a trader resemble each other: drawn one by
    one they would give an interval that is too narrow.

    References
    ----------
    Efron, B., Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and
    Hall.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(2_000, random_state=0)
    >>> key = world.declarations[["declaration_id", "item_number"]]
    >>> same = key.assign(risk_score=world.declarations["duty_rate"])
    >>> gain = sr.evaluation.paired_gain(same, same, world.full_outcomes())
    >>> gain.gain, gain.low, gain.high
    (0.0, 0.0, 0.0)
    """
    owner = "paired_gain"
    wanted = read_metric(metric)
    check_number(owner, "confidence", confidence, low=0.5, high=0.9999)
    check_number(owner, "n_bootstrap", n_bootstrap, low=1, integer=True)
    check_number(owner, "random_state", random_state, low=0, integer=True)
    pair = _read_pair(owner, challenger, champion, outcomes)
    codes = pd.factorize(_group_names(owner, groups, pair.keys)[pair.known])[0]
    n_groups = int(codes.max()) + 1
    one, other = (pair.measure(owner, k, wanted) for k in (0, 1))
    once = np.ones((1, len(codes)))
    figures = float(one(once)[0]), float(other(once)[0])
    sign = 1.0 if wanted.greater_is_better else -1.0
    low = high = math.nan
    if n_groups >= _FEWEST_GROUPS:
        gains = [
            sign * (one(weights) - other(weights))
            for weights in _draw(codes, n_groups, n_bootstrap, random_state)
        ]
        low, high = percentile_interval(np.concatenate(gains), confidence=confidence)
    return PairedGain(
        metric=wanted,
        challenger=figures[0],
        champion=figures[1],
        gain=sign * (figures[0] - figures[1]),
        low=low,
        high=high,
        confidence=confidence,
        n_items=len(codes),
        n_hits=int(pair.hit.sum()),
        n_groups=n_groups,
        _others=pair.compare(owner, [n for n in _USUAL if n != wanted.name]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """Two rankings of the same items, and the results of those that are judged."""

    keys: pd.DataFrame
    known: Bool
    hit: Float
    revenue: Float | None
    tables: tuple[pd.DataFrame, pd.DataFrame]

    def measure(self, owner: str, place: int, metric: Metric) -> _Measure:
        """Return a function of weights: the metric of one ranking in every draw."""
        name = ("'challenger'", "'champion'")[place]
        table = self.tables[place]
        check_columns(owner, name, table, (metric.rank_by,))
        values = numbers_of(owner, name, table[metric.rank_by])
        absent = self.known & ~np.isfinite(values)
        check_none_missing(owner, name, metric.rank_by, table, absent)
        score = values[self.known]
        if metric.rate is None:
            return _overall_measure(metric.measure, score, self.hit)
        amount = self.hit
        if metric.measure == "revenue_share":
            amount = self._amounts(owner)
        return _rate_measure(metric, score, amount)

    def _amounts(self, owner: str) -> Float:
        """Return the revenue of every item; raise where there is none."""
        if self.revenue is None or not self.revenue.sum() > 0:
            raise TableError(
                "evaluation.no_revenue_to_share",
                "{owner}: no judged item has revenue, so there is no share of it. Fill "
                "in 'revenue_adjustment' of OUTCOMES, or compare by another metric.",
                owner=owner,
            )
        return self.revenue

    def compare(self, owner: str, names: list[str]) -> pd.DataFrame:
        """Return both figures of metrics; without those that do not exist here."""
        once = np.ones((1, len(self.hit)))
        rows = []
        for metric in map(read_metric, names):
            revenue = self.revenue is not None and self.revenue.sum() > 0
            if metric.measure == "revenue_share" and not revenue:
                continue
            a, b = (float(self.measure(owner, k, metric)(once)[0]) for k in (0, 1))
            gain = a - b if metric.greater_is_better else b - a
            rows.append(
                {"metric": metric.name, "challenger": a, "champion": b, "gain": gain}
            )
        return pd.DataFrame(rows, columns=["metric", "challenger", "champion", "gain"])


def _read_pair(
    owner: str, challenger: TableInput, champion: TableInput, outcomes: TableInput
) -> _Pair:
    """Return both rankings with their results; raise where items differ."""
    first = read_table(owner, "'challenger'", challenger)
    second = read_table(owner, "'champion'", champion)
    results = read_table(owner, "'outcomes'", outcomes)
    keys = unique_keys(owner, "'challenger'", first)
    found = match_results(owner, keys, results)
    second = align_rows(owner, "'champion'", second, keys)
    # Again, for the mark of what the second one has learned.
    match_results(owner, unique_keys(owner, "'champion'", second), results)
    check_some_known(owner, found.known)
    return _Pair(
        keys=keys,
        known=found.known,
        hit=found.hit[found.known],
        revenue=None if found.revenue is None else found.revenue[found.known],
        tables=(first.reset_index(drop=True), second),
    )


def _group_names(
    owner: str,
    groups: pd.DataFrame | pd.Series | ArrayLike | None,
    keys: pd.DataFrame,
) -> NDArray[np.object_]:
    """Return the group of every item; its declaration where it has none."""
    names = keys["declaration_id"].astype(object)
    if groups is None:
        return np.asarray(names, dtype=object)
    given = match_values(owner, "groups", groups, keys).astype(object)
    # A tuple, so that no declaration is taken for a group of the same name.
    own = [(name,) for name in names]
    pairs = zip(given.tolist(), given.isna().tolist(), own, strict=True)
    out = np.empty(len(keys), dtype=object)
    out[:] = [alone if missing else name for name, missing, alone in pairs]
    return out


def _draw(
    codes: NDArray[np.intp], n_groups: int, n_bootstrap: int, random_state: int
) -> Iterator[Float]:
    """Yield how often each item is drawn, some replicates at a time."""
    draws = resampled_counts(n_groups, n_bootstrap, random_state)
    while part := list(itertools.islice(draws, _AT_ONCE)):
        yield np.stack(part)[:, codes].astype(np.float64)


def _rate_measure(metric: Metric, score: Float, amount: Float) -> _Measure:
    """Return the share of hits among the best, or the share of all that they hold."""
    share = count_at(metric.rate or 0.0, len(score)) / len(score)
    below = (1, 0) if metric.measure == "precision" else (0, 1)

    def measure(weights: Float) -> Float:
        sums = weighted_curve(score, [amount], weights, [share])
        return _divide(sums[:, 0, 0], sums[:, below[0], below[1]])

    return measure


def _overall_measure(name: str, score: Float, hit: Float) -> _Measure:
    """Return a measure of the scores as a whole."""
    if name == "brier":
        error = (hit - score) ** 2
        return lambda weights: _divide(weights @ error, weights.sum(axis=1))
    if name == "calibration_error":
        rows = np.arange(len(hit))

        def gaps(weights: Float) -> Float:
            drawn = [np.repeat(rows, w.astype(np.intp)) for w in weights]
            return np.array([calibration_error(hit[d], score[d]) for d in drawn])

        return gaps
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    hits = hit[order]

    def curve(weights: Float) -> Float:
        drawn = weights[:, order]
        found = np.cumsum(drawn * hits, axis=1)[:, ends]
        false = np.cumsum(drawn * (1 - hits), axis=1)[:, ends]
        if name == "average_precision":
            steps = np.diff(found, axis=1, prepend=0.0)
            precision = np.nan_to_num(_divide(found, found + false))
            return _divide((steps * precision).sum(axis=1), found[:, -1])
        before = np.diff(false, axis=1, prepend=0.0)
        middle = found - np.diff(found, axis=1, prepend=0.0) / 2
        area = (before * middle).sum(axis=1)
        return _divide(area, found[:, -1] * false[:, -1])

    return curve


def _divide(top: Float, below: Float) -> Float:
    """Return a ratio, NaN where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0, top / below, np.nan), np.float64)
