"""`evaluate`: precision, recall and revenue at inspection rates, with intervals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    roc_auc_score,
)

from smartrisk.errors import (
    Message,
    SmallSampleWarning,
    TableError,
    check_number,
    format_values,
)
from smartrisk.evaluation._matched_tables import (
    RANKINGS,
    Bool,
    Float,
    Segmentation,
    match_results,
    match_segments,
    read_rankings,
    unique_keys,
)
from smartrisk.evaluation._ranking import (
    calibration_error,
    check_rates,
    count_at,
    expected_sum,
    weighted_curve,
)
from smartrisk.intervals import (
    percentile_interval,
    resampled_counts,
    wilson_interval,
)
from smartrisk.items import item_ids, mark_learned
from smartrisk.results import Result
from smartrisk.schema import TableInput
from smartrisk.tables import read_table

#: Hits, or items of a segment, below which figures are marked: the standard error of a
#: share of 30 items can be as large as 9 percentage points.
_FEW = 30


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Result):
    """Figures of a ranking at inspection rates, overall and by segment.

    Parameters
    ----------
    _table : DataFrame
        One row per ranking and rate.
    _figures : dict of str to float
        Measures of the scores as a whole.
    _segments : DataFrame
        One row per segment and value; empty when none were asked for.
    _messages : tuple of Message
        What could not be computed, and why.
    _revenue : float or None, default=None
        What was recovered from the judged items.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import evaluate
    >>> scores = pd.DataFrame({"declaration_id": ["a", "b", "c", "d"],
    ...                        "risk_score": [0.9, 0.1, 0.8, 0.2]})
    >>> outcomes = pd.DataFrame({"declaration_id": ["a", "b", "c", "d"],
    ...                          "illicit": [1, 0, 0, 1]})
    >>> result = evaluate(scores, outcomes, rates=(0.5,), n_bootstrap=0)
    >>> float(result.frame()["precision"].iloc[0])
    0.5
    """

    _table: pd.DataFrame
    _figures: dict[str, float]
    _segments: pd.DataFrame
    _messages: tuple[Message, ...] = ()
    _revenue: float | None = None

    @property
    def revenue(self) -> float | None:
        """What was recovered from all judged items; None where it is not known."""
        return self._revenue

    @property
    def messages(self) -> tuple[Message, ...]:
        """What could not be computed, and why: ids, templates and values."""
        return self._messages

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be computed, and why, in English."""
        return tuple(str(message) for message in self._messages)

    def frame(self) -> pd.DataFrame:
        """Return one row per ranking and inspection rate.

        Returns
        -------
        frame : DataFrame
            rank_by, rate, n_inspected, precision, recall, revenue_share, lift,
            norm_precision, norm_revenue, and bounds ``_low`` and ``_high`` (95 %).
        """
        return self._table.copy()

    def overall(self) -> pd.Series:
        """Return the measures that need no rate.

        Returns
        -------
        overall : Series
            n_items, n_unlabelled, base_rate, roc_auc, average_precision, brier,
            calibration_error; revenue_ratio (the sum of `expected_revenue` over that
            recovered) and its bounds ``_low`` and ``_high`` (95 %).
        """
        return pd.Series(self._figures, dtype=float)

    def by_segment(self) -> pd.DataFrame:
        """Return one row per segment value and rate.

        Returns
        -------
        segments : DataFrame
            segment, value, rate, n_items, hits, base_rate, n_inspected, precision,
            note.
        """
        return self._segments.copy()

    def to_dict(self) -> dict[str, float]:
        """Return flat figures with names that any tracking store takes.

        Returns
        -------
        figures : dict of str to float
            Such as ``precision_at_05pct``; missing ones are left out.
        """
        flat = dict(self._figures)
        for row in self._table.to_dict("records"):
            suffix = rate_name(row["rate"])
            by = "" if row["rank_by"] == "risk_score" else "_by_revenue"
            for name in ("precision", "recall", "revenue_share"):
                flat[f"{name}_at_{suffix}{by}"] = float(row[name])
        return {k: v for k, v in flat.items() if math.isfinite(v)}

    def __repr__(self) -> str:
        """Return the main figures in a line."""
        return (
            f"Evaluation(n_items={int(self._figures['n_items'])}, "
            f"base_rate={self._figures['base_rate']:.3f}, "
            f"roc_auc={self._figures['roc_auc']:.3f})"
        )


def rate_name(rate: float) -> str:
    """Return a rate as the names of figures write it.

    Parameters
    ----------
    rate : float or int
        Share of the items as a float, or a number of items.

    Returns
    -------
    name : str
        Such as ``05pct`` of 0.05, ``0_5pct`` of 0.005 and ``100items`` of 100.

    Examples
    --------
    >>> from smartrisk.evaluation import rate_name
    >>> rate_name(0.05)
    '05pct'
    """
    if isinstance(rate, (int, np.integer)) or rate > 1:
        return f"{int(rate)}items"
    percent = round(float(rate) * 100, 4)
    whole = f"{int(percent):02d}" if percent == int(percent) else f"{percent:g}"
    return f"{whole.replace('.', '_')}pct"


def evaluate(
    scores: TableInput,
    outcomes: TableInput,
    *,
    rates: Sequence[float] = (0.01, 0.02, 0.05, 0.10),
    segments: Segmentation | None = None,
    learned: TableInput | None = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> Evaluation:
    """Judge scores by the results of inspections.

    Parameters
    ----------
    scores : DataFrame
        SCORES, one row per item; ranked by `risk_score` and, when it has values, by
        `expected_revenue`.
    outcomes : DataFrame
        OUTCOMES, joined by key. Items without one are counted in `n_unlabelled` and
        left out: not inspected is not compliant.
    rates : sequence of float or int, default=(0.01, 0.02, 0.05, 0.10)
        Inspection rates, or numbers of items.
    segments : DataFrame, Series or mapping of str to array-like, default=None
        Values by which to split: a table with the key, joined by it (such as
        `standard_segments` returns), or values in the order of `scores`.
    learned : DataFrame, default=None
        Items whose results the model has learned from, with the key, such as the
        OUTCOMES that it was fitted on. None where SCORES come from `RiskEngine.score`
        in this process or through Parquet: they carry a mark of their own.
    n_bootstrap : int, default=200
        Replicates for the 95 % intervals; 0 for none. Where no item or every item is a
        hit, the bootstrap is uninformative: Wilson's interval is given, none for
        revenue.
    random_state : int, default=0
        Seed of the replicates.

    Returns
    -------
    evaluation : Evaluation
        Results with ``frame()``, ``overall()``, ``by_segment()``.

    Raises
    ------
    TableError
        If columns are missing, a key is repeated, a score of a judged item is missing,
        or segments are not those of the items.
    ArgumentError
        If another argument is outside what is allowed.

    Warns
    -----
    LeakageWarning
        If the model has learned from results that it is judged by.

    Notes
    -----
    Figures hold for the inspected items; when inspections were not random they are
    not those of the whole flow. Tied items count by the mean over their orders.
    ``norm_precision`` and ``norm_revenue`` divide by what an oracle would reach.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import evaluate
    >>> scores = pd.DataFrame({"declaration_id": ["a", "b"], "risk_score": [0.9, 0.1]})
    >>> outcomes = pd.DataFrame({"declaration_id": ["a", "b"], "illicit": [1, 0]})
    >>> evaluate(scores, outcomes, n_bootstrap=0).overall()["roc_auc"]
    np.float64(1.0)
    """
    scores = read_table("evaluate", "'scores'", scores)
    outcomes = read_table("evaluate", "'outcomes'", outcomes)
    check_number("evaluate", "n_bootstrap", n_bootstrap, low=0, integer=True)
    check_number("evaluate", "random_state", random_state, low=0, integer=True)
    check_rates("evaluate", rates)
    keys = unique_keys("evaluate", "SCORES", scores)
    if learned is not None:
        mark_learned(keys, item_ids(read_table("evaluate", "'learned'", learned)))
    results = match_results("evaluate", keys, outcomes)
    known = results.known
    rankings = read_rankings("evaluate", "SCORES", scores, known)
    y = results.hit[known]
    revenue = None if results.revenue is None else results.revenue[known]
    rows: list[dict[str, Any]] = []
    for name, values in rankings.items():
        ranked = _Ranked(y, revenue, values[known])
        part = _at_rates(ranked, rates)
        if n_bootstrap and len(y):
            _add_intervals(part, ranked, n_bootstrap, random_state)
        rows += [{"rank_by": name, **row} for row in part]
    risk = rankings[RANKINGS[0]][known]
    figures = _figures(y, risk)
    figures["n_unlabelled"] = float((~known).sum())
    expected = rankings.get(RANKINGS[1])
    if expected is not None:
        expected = expected[known]
    figures |= _revenue_ratio(expected, revenue, n_bootstrap, random_state)
    parts = {} if segments is None else match_segments("evaluate", segments, keys)
    table = _by_segment(parts, known, y, risk, rates)
    total = None if revenue is None else float(revenue.sum())
    found = pd.DataFrame(rows)
    return Evaluation(found, figures, table, _messages(y, revenue), total)


@dataclass(frozen=True)
class _Ranked:
    """Judged items with the score that ranks them."""

    y: Float
    revenue: Float | None
    score: Float


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Contenders side by side at one inspection rate.

    Parameters
    ----------
    _table : DataFrame
        One row per contender.
    _rate : float
        The inspection rate.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import compare, evaluate
    >>> key = pd.DataFrame({"declaration_id": ["a", "b"]})
    >>> outcomes = key.assign(illicit=[1, 0])
    >>> good, bad = (evaluate(key.assign(risk_score=risk), outcomes, n_bootstrap=0)
    ...              for risk in ([0.9, 0.1], [0.1, 0.9]))
    >>> compare({"good": good, "bad": bad}, rate=0.1).frame()["roc_auc"].tolist()
    [1.0, 0.0]
    """

    _table: pd.DataFrame
    _rate: float

    def frame(self) -> pd.DataFrame:
        """Return one row per contender.

        Returns
        -------
        frame : DataFrame
            contender, precision and recall by risk, revenue_share by the ranking that
            its scores offer for revenue, roc_auc.
        """
        return self._table.copy()

    def __repr__(self) -> str:
        """Return the number of contenders and the rate."""
        return f"Comparison({len(self._table)} contenders at rate {self._rate})"


def compare(evaluations: Mapping[str, Evaluation], rate: float = 0.05) -> Comparison:
    """Put contenders side by side at one inspection rate.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        Contender to result.
    rate : float, default=0.05
        Inspection rate, one of those evaluated.

    Returns
    -------
    comparison : Comparison
        One row per contender.

    Raises
    ------
    TableError
        If a contender was not evaluated at the rate.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.evaluation import compare, evaluate
    >>> key = pd.DataFrame({"declaration_id": ["a", "b"]})
    >>> result = evaluate(key.assign(risk_score=[0.9, 0.1]),
    ...                   key.assign(illicit=[1, 0]), rates=(0.5,), n_bootstrap=0)
    >>> compare({"engine": result}, rate=0.5)
    Comparison(1 contenders at rate 0.5)
    """
    rows = []
    for name, result in evaluations.items():
        table = result.frame()
        at = table[table["rate"] == rate]
        if at.empty:
            raise TableError(
                "evaluation.rate_not_evaluated",
                "compare: {contender!r} was not evaluated at rate {rate!r}, only at "
                "{rates}.",
                contender=name,
                rate=rate,
                rates=format_values(table["rate"].unique().tolist(), 10),
            )
        risk, last = at[at["rank_by"] == "risk_score"].iloc[0], at.iloc[-1]
        rows.append(
            {
                "contender": name,
                "precision": risk["precision"],
                "recall": risk["recall"],
                "revenue_share": last["revenue_share"],
                "roc_auc": result.overall()["roc_auc"],
            }
        )
    columns = ["contender", "precision", "recall", "revenue_share", "roc_auc"]
    return Comparison(pd.DataFrame(rows, columns=columns), rate)


def _messages(y: Float, revenue: Float | None) -> tuple[Message, ...]:
    """Return what limits the figures; warn when they do not exist."""
    messages = []
    if not len(y):
        messages.append(
            Message(
                "evaluation.no_outcome",
                "No item has an outcome: there is nothing to judge by.",
            )
        )
    elif y.min() == y.max():
        messages.append(
            Message(
                "evaluation.equal_outcomes",
                "All outcomes are equal: rankings cannot be compared.",
            )
        )
    elif y.sum() < _FEW:
        messages.append(
            Message(
                "evaluation.few_hits",
                "Few hits ({n_hits}): intervals are wide.",
                n_hits=int(y.sum()),
            )
        )
    if revenue is None:
        messages.append(
            Message(
                "evaluation.no_revenue",
                "No revenue_adjustment: revenue shares are not given.",
            )
        )
    if not len(y) or y.min() == y.max():
        warnings.warn(
            SmallSampleWarning(
                "evaluation.one_kind_of_outcome",
                "evaluate: {n_judged} items have an outcome, {n_hits} of them hits; "
                "rankings can only be compared where there are hits and items "
                "without a hit.",
                n_judged=len(y),
                n_hits=int(y.sum()),
            ),
            stacklevel=3,
        )
    return tuple(messages)


def _at_rates(ranked: _Ranked, rates: Sequence[float]) -> list[dict[str, Any]]:
    """Return the figures at every rate."""
    rows = []
    y, revenue, score = ranked.y, ranked.revenue, ranked.score
    hits, n = float(y.sum()), len(y)
    for rate in rates:
        k = count_at(rate, n)
        found = expected_sum(score, y, k)
        row = {
            "rate": rate,
            "n_inspected": k,
            "precision": found / k if k else math.nan,
            "recall": found / hits if hits else math.nan,
            "revenue_share": math.nan,
            "lift": found / k / (hits / n) if k and hits else math.nan,
            "norm_precision": found / min(k, hits) if k and hits else math.nan,
            "norm_revenue": math.nan,
        }
        if revenue is not None and revenue.sum() > 0:
            recovered = expected_sum(score, revenue, k)
            best = expected_sum(revenue, revenue, k)
            row["revenue_share"] = recovered / revenue.sum()
            row["norm_revenue"] = recovered / best if best else math.nan
        rows.append(row)
    return rows


def _add_intervals(
    rows: list[dict[str, Any]], ranked: _Ranked, n_bootstrap: int, random_state: int
) -> None:
    """Add percentile intervals over resampled items (Efron and Tibshirani 1993)."""
    y, revenue = ranked.y, ranked.revenue
    n = len(y)
    weights = np.stack(list(resampled_counts(n, n_bootstrap, random_state)))
    shares = [row["n_inspected"] / n for row in rows]
    values = [y, revenue if revenue is not None else np.zeros(n)]
    sums = weighted_curve(ranked.score, values, weights.astype(np.float64), shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        curves = {
            "precision": sums[:, 0, :-1] / sums[:, 2, :-1],
            "recall": sums[:, 0, :-1] / sums[:, 0, -1:],
            "revenue_share": sums[:, 1, :-1] / sums[:, 1, -1:],
        }
    for name, curve in curves.items():
        for row, replicates in zip(rows, curve.T, strict=True):
            low, high = percentile_interval(replicates)
            # All replicates are equal where no item or every item is a hit. Inspecting
            # every item finds every hit: there nothing is estimated.
            if low == high and (row["n_inspected"] < n or name == "precision"):
                size = row["n_inspected"] if name == "precision" else y.sum()
                low, high = _wilson_bounds(name, row[name], float(size))
            row[f"{name}_low"], row[f"{name}_high"] = low, high


def _wilson_bounds(measure: str, share: float, size: float) -> tuple[float, float]:
    """Return Wilson's bounds of a share; NaN for revenue, which is not a count."""
    if measure == "revenue_share" or not size:
        return math.nan, math.nan
    low, high = wilson_interval([share], [size])
    return float(low[0]), float(high[0])


def _figures(y: Float, score: Float) -> dict[str, float]:
    """Return the measures that need no rate."""
    figures = {
        "n_items": float(len(y)),
        "base_rate": float(y.mean()) if len(y) else math.nan,
        "roc_auc": math.nan,
        "average_precision": math.nan,
        "brier": math.nan,
        "calibration_error": math.nan,
    }
    if len(y) and y.min() != y.max():
        figures["roc_auc"] = float(roc_auc_score(y, score))
        figures["average_precision"] = float(average_precision_score(y, score))
    if len(y) and score.min() >= 0 and score.max() <= 1:
        figures["brier"] = float(brier_score_loss(y.astype(int), score, pos_label=1))
        figures["calibration_error"] = calibration_error(y, score)
    return figures


def _revenue_ratio(
    expected: Float | None, revenue: Float | None, n_bootstrap: int, random_state: int
) -> dict[str, float]:
    """Return predicted over recovered revenue with its interval, NaN where unknown."""
    name = "revenue_ratio"
    figures = dict.fromkeys((name, f"{name}_low", f"{name}_high"), math.nan)
    if expected is None or revenue is None or revenue.sum() <= 0:
        return figures
    figures[name] = float(expected.sum() / revenue.sum())
    if n_bootstrap:
        counts = resampled_counts(len(revenue), n_bootstrap, random_state)
        sums = np.array([(n @ expected, n @ revenue) for n in counts])
        sums = sums[sums[:, 1] > 0]
        low, high = percentile_interval(sums[:, 0] / sums[:, 1])
        figures[f"{name}_low"], figures[f"{name}_high"] = low, high
    return figures


def _by_segment(
    segments: Mapping[str, pd.Series],
    known: Bool,
    y: Float,
    score: Float,
    rates: Sequence[float],
) -> pd.DataFrame:
    """Return figures by segment of the items that the overall rate takes."""
    columns = ["segment", "value", "rate", "n_items", "hits", "base_rate"]
    columns += ["n_inspected", "precision", "note"]
    rows = []
    for name, values in segments.items():
        judged = values[known].reset_index(drop=True)
        for value, at in sorted(judged.groupby(judged).indices.items()):
            rows += [
                {"segment": name, "value": value, **row}
                for row in _segment_rows(y, score, np.asarray(at, np.intp), rates)
            ]
    return pd.DataFrame(rows, columns=columns)


def _segment_rows(
    y: Float, score: Float, at: NDArray[np.intp], rates: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the figures of the items at some positions."""
    rows = []
    inside = np.zeros(len(y))
    inside[at] = 1.0
    for rate in rates:
        k = count_at(rate, len(y))
        taken = expected_sum(score, inside, k)
        hits = expected_sum(score, inside * y, k)
        rows.append(
            {
                "rate": rate,
                "n_items": len(at),
                "hits": int(y[at].sum()),
                "base_rate": float(y[at].mean()),
                "n_inspected": taken,
                "precision": hits / taken if taken else math.nan,
                "note": f"fewer than {_FEW} items" if len(at) < _FEW else "",
            }
        )
    return rows
