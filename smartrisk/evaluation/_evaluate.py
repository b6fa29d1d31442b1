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

from smartrisk.errors import SmallSampleWarning, TableError, check_number, format_values
from smartrisk.evaluation._calibration import wilson_interval
from smartrisk.evaluation._ranking import (
    calibration_error,
    count_at,
    expected_sum,
    weighted_curve,
)
from smartrisk.results import Result
from smartrisk.schema import KEY

Float = NDArray[np.float64]

_RANKINGS = ("risk_score", "expected_revenue")
_FEW = 30


@dataclass(frozen=True)
class Evaluation(Result):
    """How a ranking did, at inspection rates, overall and by segment.

    Parameters
    ----------
    table : DataFrame
        One row per ranking and rate.
    figures : dict of str to float
        Measures of the scores as a whole.
    segments : DataFrame
        One row per segment and value; empty when none were asked for.
    notes : tuple of str
        What could not be said, and why.

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

    table: pd.DataFrame
    figures: dict[str, float]
    segments: pd.DataFrame
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return one row per ranking and inspection rate.

        Returns
        -------
        frame : DataFrame
            rank_by, rate, n_inspected, precision, recall, revenue_share, lift,
            norm_precision, norm_revenue, and bounds ``_low`` and ``_high`` (95 %).
        """
        return self.table.copy()

    def overall(self) -> pd.Series:
        """Return the measures that need no rate.

        Returns
        -------
        overall : Series
            n_items, n_unlabelled, base_rate, roc_auc, average_precision, brier,
            calibration_error.
        """
        return pd.Series(self.figures, dtype=float)

    def by_segment(self) -> pd.DataFrame:
        """Return one row per segment value and rate.

        Returns
        -------
        segments : DataFrame
            segment, value, rate, n_items, hits, base_rate, precision, note.
        """
        return self.segments.copy()

    def to_dict(self) -> dict[str, float]:
        """Return flat figures with names that any tracking store takes.

        Returns
        -------
        figures : dict of str to float
            Such as ``precision_at_05pct``; missing ones are left out.
        """
        flat = {k: float(v) for k, v in self.figures.items()}
        for row in self.table.to_dict("records"):
            suffix = rate_name(row["rate"])
            by = "" if row["rank_by"] == "risk_score" else "_by_revenue"
            for name in ("precision", "recall", "revenue_share"):
                flat[f"{name}_at_{suffix}{by}"] = float(row[name])
        return {k: v for k, v in flat.items() if math.isfinite(v)}

    def __repr__(self) -> str:
        """Say the main figures in a line."""
        return (
            f"Evaluation(n_items={int(self.figures['n_items'])}, "
            f"base_rate={self.figures['base_rate']:.3f}, "
            f"roc_auc={self.figures['roc_auc']:.3f})"
        )


def rate_name(rate: float) -> str:
    """Return a rate as part of a name: 0.05 is ``05pct``, 100 is ``100items``."""
    if isinstance(rate, (int, np.integer)) or rate > 1:
        return f"{int(rate)}items"
    percent = round(float(rate) * 100, 4)
    whole = f"{int(percent):02d}" if percent == int(percent) else f"{percent:g}"
    return f"{whole.replace('.', '_')}pct"


def evaluate(
    scores: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    rates: Sequence[float] = (0.01, 0.02, 0.05, 0.10),
    segments: Any = None,
    n_bootstrap: int = 200,
    random_state: int = 0,
) -> Evaluation:
    """Judge scores by what inspections found.

    Parameters
    ----------
    scores : DataFrame
        SCORES; ranked by `risk_score` and, when there, by `expected_revenue`.
    outcomes : DataFrame
        OUTCOMES, joined by key. Items without one are counted in `n_unlabelled` and
        left out: not inspected is not compliant.
    rates : sequence of float or int, default=(0.01, 0.02, 0.05, 0.10)
        Inspection rates, or numbers of items.
    segments : DataFrame, Series or mapping of str to Series, default=None
        Values by which to split, aligned with `scores`.
    n_bootstrap : int, default=200
        Replicates for the 95 % intervals; 0 for none. Where none or all was found,
        resampling says nothing: Wilson's interval stands, and none for revenue.
    random_state : int, default=0
        Seed of the replicates.

    Returns
    -------
    evaluation : Evaluation
        Results with ``frame()``, ``overall()``, ``by_segment()``.

    Raises
    ------
    TableError
        If keys or columns are missing.

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
    check_number("evaluate", "n_bootstrap", n_bootstrap, low=0, integer=True)
    joined = _joined(scores, outcomes)
    found = joined["illicit"].notna().to_numpy()
    data = joined[found]
    y = data["illicit"].to_numpy(np.float64)
    revenue = _revenue(data)
    notes = _notes(y, revenue)
    rows: list[dict[str, Any]] = []
    for ranking in _RANKINGS:
        if ranking in data and data[ranking].notna().all():
            score = data[ranking].to_numpy(np.float64)
            part = _at_rates(y, revenue, score, rates)
            if n_bootstrap and len(y):
                _add_intervals(part, (y, revenue, score), n_bootstrap, random_state)
            rows += [{"rank_by": ranking, **row} for row in part]
    figures = _figures(y, data)
    figures["n_unlabelled"] = float((~found).sum())
    return Evaluation(
        pd.DataFrame(rows),
        figures,
        _by_segment(segments, scores, found, data, rates),
        notes,
    )


def compare(evaluations: Mapping[str, Evaluation], rate: float = 0.05) -> pd.DataFrame:
    """Return the contenders side by side at one inspection rate.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        Contender to result.
    rate : float, default=0.05
        Inspection rate, one of those evaluated.

    Returns
    -------
    table : DataFrame
        One row per contender: precision and recall by risk, revenue share by the
        ranking that its scores offer for revenue, ROC AUC.

    Examples
    --------
    >>> from smartrisk.evaluation import compare
    >>> compare({})["precision"].tolist()
    []
    """
    names = ("precision", "recall", "revenue_share", "roc_auc")
    rows = {}
    for name, result in evaluations.items():
        at = result.table[result.table["rate"] == rate]
        if at.empty:
            raise TableError(
                "evaluation.was_evaluated_rate",
                "compare: {name!r} was not evaluated at rate {rate!r}.",
                name=name,
                rate=rate,
            )
        risk, last = at[at["rank_by"] == "risk_score"].iloc[0], at.iloc[-1]
        rows[name] = (
            risk["precision"],
            risk["recall"],
            last["revenue_share"],
            result.figures["roc_auc"],
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(names))


def _joined(scores: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Join scores and outcomes by key, in the order of the scores."""
    for name, frame, column in (
        ("SCORES", scores, "risk_score"),
        ("OUTCOMES", outcomes, "illicit"),
    ):
        gone = [c for c in ("declaration_id", column) if c not in frame]
        if gone:
            raise TableError(
                "evaluation.lacks_columns",
                "evaluate: {name} lacks the columns {gone}.",
                name=name,
                gone=format_values(gone),
            )
    left, right = _with_number(scores), _with_number(outcomes)
    kept = [c for c in (*KEY, "illicit", "revenue_adjustment") if c in right]
    if right.duplicated(list(KEY)).any():
        raise TableError(
            "evaluation.outcomes_repeats_key_keep",
            "evaluate: OUTCOMES repeats a key; keep one result per item.",
        )
    return left.merge(right[kept], on=list(KEY), how="left", validate="many_to_one")


def _with_number(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if "item_number" in frame else frame.assign(item_number=1)


def _revenue(data: pd.DataFrame) -> Float | None:
    if "revenue_adjustment" not in data:
        return None
    values = data["revenue_adjustment"].to_numpy(np.float64)
    revenue: Float = np.maximum(np.nan_to_num(values), 0.0)
    return revenue


def _notes(y: Float, revenue: Float | None) -> tuple[str, ...]:
    notes = []
    if not len(y):
        notes.append("No item has an outcome: nothing can be said.")
    elif y.min() == y.max():
        notes.append("All outcomes are alike: rankings cannot be told apart.")
    elif y.sum() < _FEW:
        notes.append(f"Only {int(y.sum())} hits: intervals are wide.")
    if revenue is None:
        notes.append("No revenue_adjustment: revenue shares are not given.")
    for note in notes[:1]:
        if len(y) == 0 or y.min() == y.max():
            warnings.warn(
                SmallSampleWarning(
                    "evaluation.evaluate",
                    "evaluate: {note}",
                    note=note,
                ),
                stacklevel=3,
            )
    return tuple(notes)


def _at_rates(
    y: Float, revenue: Float | None, score: Float, rates: Sequence[float]
) -> list[dict[str, Any]]:
    rows = []
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
            got = expected_sum(score, revenue, k)
            best = expected_sum(revenue, revenue, k)
            row["revenue_share"] = got / revenue.sum()
            row["norm_revenue"] = got / best if best else math.nan
        rows.append(row)
    return rows


def _add_intervals(
    rows: list[dict[str, Any]],
    given: tuple[Float, Float | None, Float],
    n_bootstrap: int,
    random_state: int,
) -> None:
    """Add percentile intervals over resampled items (Efron and Tibshirani 1993)."""
    y, revenue, score = given
    rng = np.random.default_rng(random_state)
    n = len(y)
    weights = np.stack(
        [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(n_bootstrap)]
    ).astype(np.float64)
    shares = [row["n_inspected"] / n for row in rows]
    values = [y, revenue if revenue is not None else np.zeros(n)]
    sums = weighted_curve(score, values, weights, shares)
    with np.errstate(invalid="ignore", divide="ignore"):
        curves = {
            "precision": sums[:, 0, :-1] / sums[:, 2, :-1],
            "recall": sums[:, 0, :-1] / sums[:, 0, -1:],
            "revenue_share": sums[:, 1, :-1] / sums[:, 1, -1:],
        }
    for name, curve in curves.items():
        for row, sample in zip(rows, curve.T, strict=True):
            good = sample[np.isfinite(sample)]
            bounds = np.quantile(good, [0.025, 0.975]) if len(good) else [math.nan] * 2
            low, high = map(float, bounds)
            if low == high:
                of = row["n_inspected"] if name == "precision" else y.sum()
                # Inspecting all finds all: nothing is estimated there.
                if row["n_inspected"] < n or name == "precision":
                    low, high = _of_no_spread(name, row, float(of))
            row[f"{name}_low"], row[f"{name}_high"] = low, high


def _of_no_spread(name: str, row: Mapping[str, Any], of: float) -> tuple[float, float]:
    """Return an interval where every resample says the same: none or all was found.

    Resampling knows nothing of what was not seen; Wilson's interval does. A share of
    revenue has no such interval.
    """
    if name == "revenue_share" or not of:
        return math.nan, math.nan
    low, high = wilson_interval([row[name]], [of])
    return float(low[0]), float(high[0])


def _figures(y: Float, data: pd.DataFrame) -> dict[str, float]:
    score = data["risk_score"].to_numpy(np.float64)
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


def _by_segment(
    segments: Any,
    scores: pd.DataFrame,
    found: NDArray[np.bool_],
    data: pd.DataFrame,
    rates: Sequence[float],
) -> pd.DataFrame:
    """Split by segments; the items that the overall rate selects are what counts."""
    columns = [
        "segment",
        "value",
        "rate",
        "n_items",
        "hits",
        "base_rate",
        "n_inspected",
        "precision",
        "note",
    ]
    if segments is None:
        return pd.DataFrame(columns=columns)
    if isinstance(segments, pd.Series):
        segments = {
            "segment" if segments.name is None else str(segments.name): segments
        }
    rows = []
    y = data["illicit"].to_numpy(np.float64)
    score = data["risk_score"].to_numpy(np.float64)
    for name, values in dict(segments).items():
        if len(values) != len(scores):
            raise TableError(
                "evaluation.segment_values_items_align",
                "evaluate: segment {name!r} has {n_values} values for {n_scores} "
                "items; align it with the scores.",
                name=name,
                n_values=len(values),
                n_scores=len(scores),
            )
        kept = pd.Series(np.asarray(values, dtype=object)[found]).astype("str")
        for value, at in sorted(kept.groupby(kept).indices.items()):
            rows += [
                {"segment": name, "value": value, **row}
                for row in _segment_rows(y, score, np.asarray(at, np.intp), rates)
            ]
    return pd.DataFrame(rows, columns=columns)


def _segment_rows(
    y: Float, score: Float, at: NDArray[np.intp], rates: Sequence[float]
) -> list[dict[str, Any]]:
    rows = []
    inside = np.zeros(len(y))
    inside[at] = 1.0
    for rate in rates:
        k = count_at(rate, len(y))
        taken = expected_sum(score, inside, k)
        hits = expected_sum(score, inside * y, k)
        small = len(at) < _FEW
        rows.append(
            {
                "rate": rate,
                "n_items": len(at),
                "hits": int(y[at].sum()),
                "base_rate": float(y[at].mean()),
                "n_inspected": taken,
                "precision": hits / taken if taken else math.nan,
                "note": f"fewer than {_FEW} items" if small else "",
            }
        )
    return rows
